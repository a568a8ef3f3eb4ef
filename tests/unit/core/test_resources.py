"""What jobs ask a scheduler for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank import resources
from switchrank.resources import Need

SIZES = st.floats(0, 1e6)
BY_SIZE = [
    resources.streaming,
    resources.whole_tables,
    resources.word_index,
    resources.vector_stores,
    resources.neighbours,
]
TRAINING = {"steps": 1000, "batch_size": 64, "max_length": 128, "threads": 1, "gpu": False}
RANKING = {"max_length": 128, "threads": 1, "gpu": False}


def test_each_attempt_asks_for_twice_as_much_in_whole_numbers():
    need = Need(2345.6, 15.2)
    assert [need.asked(attempt) for attempt in (1, 2, 3)] == [(2400, 16), (4700, 31), (9400, 61)]


def test_a_job_that_resumes_never_asks_for_more_than_its_longest_time():
    need = Need(100, 1000, longest=1440)
    assert [need.asked(attempt)[1] for attempt in (1, 2, 3)] == [1000, 1440, 1440]


def test_files_and_folders_are_measured_together(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 1_500_000)
    (tmp_path / "folder" / "below").mkdir(parents=True)
    (tmp_path / "folder" / "below" / "part").write_bytes(b"x" * 2_000_000)
    found = resources.size_mb([str(tmp_path / "file"), tmp_path / "folder"])
    assert found == pytest.approx(3.5, abs=0.1)  # a folder has some size of its own
    assert resources.size_mb([]) == 0


def test_a_file_that_is_not_there_yet_is_named(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        resources.size_mb([str(tmp_path / "later")])
    assert error.value.filename == str(tmp_path / "later")


def test_training_time_is_six_operations_per_parameter_and_token():
    # 400 MB in fp32 are 1e8 parameters, 5e7 of them outside the word table; 1000 * 64 * 128 tokens; 1e10 a second.
    seconds = 6 * 5e7 * 1000 * 64 * 128 / 1e10
    need = resources.training(400, 0, **TRAINING)
    assert need.minutes == pytest.approx(15 + seconds / 60)
    assert resources.training(400, 0, **TRAINING | {"threads": 4}).minutes == pytest.approx(15 + seconds / 240)
    assert resources.training(400, 0, **TRAINING | {"gpu": True}).minutes == pytest.approx(15 + seconds / 60 / 2000)


def test_training_memory_holds_the_model_eight_times_and_the_corpus():
    assert resources.training(400, 30, **TRAINING).asked(1)[0] == 4000 + 8 * 400 + 10 * 30


def test_training_resumes_so_it_asks_for_a_day_at_most():
    asked = [resources.training(400, 0, **TRAINING | {"steps": 200_000}).asked(attempt)[1] for attempt in (1, 2)]
    assert asked == [1440, 1440]


def test_ranking_time_is_two_operations_per_parameter_and_token_of_every_candidate():
    # 3 MB of candidates are at most 1.5 million pairs of 128 tokens.
    seconds = 2 * 5e7 * 1.5e6 * 128 / 1e10
    assert resources.ranking(400, 10, 3, **RANKING).minutes == pytest.approx(15 + seconds / 60)


def test_fasttext_time_grows_with_text_and_passes():
    assert resources.vector_training(100, 5) == Need(5200, 115)


@pytest.mark.parametrize("estimate", BY_SIZE, ids=lambda estimate: estimate.__name__)
@given(one=SIZES, other=SIZES)
def test_more_input_never_asks_for_less(estimate, one, other):
    small, large = sorted([one, other])
    less, more = estimate(small).asked(1), estimate(large).asked(1)
    assert less[0] <= more[0]
    assert less[1] <= more[1]
    assert less >= (2000, 15)
