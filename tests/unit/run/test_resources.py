"""What jobs ask a scheduler for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.run import resources
from switchrank.run.resources import Need

SIZES = st.floats(0, 1e6)
BY_SIZE = [
    resources.streaming,
    resources.whole_tables,
    resources.word_index,
    resources.vector_stores,
    resources.neighbours,
    resources.starting_model,
]
TRAINING = {"steps": 1000, "batch_size": 64, "max_length": 128, "rate": 1e10}
RANKING = {"max_length": 128, "rate": 1e10}


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


def test_files_are_small_together_or_not(tmp_path):
    for name in ("one", "other"):
        with (tmp_path / name).open("wb") as stream:
            stream.truncate(60_000_000)
    assert resources.are_small([])
    assert resources.are_small([tmp_path / "one"])
    assert not resources.are_small([tmp_path / "one", tmp_path / "other"])
    assert not resources.are_small([tmp_path / "not-yet"])


def test_training_time_is_six_operations_per_weight_and_token():
    # 5e7 weights, 1000 steps of 64 texts of 128 tokens, 1e10 operations a second.
    seconds = 6 * 5e7 * 1000 * 64 * 128 / 1e10
    assert resources.training(400, 5e7, 0, **TRAINING).minutes == pytest.approx(15 + seconds / 60)


def test_a_gpu_is_faster_than_many_threads_and_threads_add_up():
    one, four = (resources.operations_per_second(threads, gpus=0) for threads in (1, 4))
    assert four == 4 * one
    assert resources.operations_per_second(1, gpus=1) > 100 * four


def test_training_memory_holds_the_model_eight_times_and_the_corpus():
    assert resources.training(400, 5e7, 30, **TRAINING).asked(1)[0] == 4000 + 8 * 400 + 10 * 30
    assert resources.training(400, 5e7, 0, switched=100, **TRAINING).asked(1)[0] == 4000 + 8 * 400 + 4 * 100


def test_training_resumes_so_it_never_asks_for_more_than_a_day():
    need = resources.training(400, 5e7, 0, **TRAINING | {"steps": 200_000})
    assert [need.asked(attempt)[1] for attempt in (1, 2)] == [1440, 1440]


def test_ranking_time_is_two_operations_per_weight_and_token_of_every_candidate():
    # 0.3 MB of candidates are at most 150,000 pairs of 128 tokens.
    seconds = 2 * 1e7 * 150_000 * 128 / 1e10
    assert resources.ranking(400, 1e7, 10, 0.3, **RANKING).minutes == pytest.approx(15 + seconds / 60)


def test_ranking_asks_for_a_day_at_first_and_for_more_when_that_was_too_short():
    need = resources.ranking(400, 5e7, 10, 300, **RANKING)
    assert [need.asked(attempt)[1] for attempt in (1, 2, 3)] == [1440, 2880, 5760]


def test_the_weights_of_the_layers_are_told_by_the_config_of_a_model(tmp_path):
    # Each layer of BERT: query, key, value and output of 384 x 384, then 384 x 1536 and back.
    (tmp_path / "model.safetensors").write_bytes(b"x" * 80_000)
    shape = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 6, "vocab_size": 250_002}
    (tmp_path / "config.json").write_text(json.dumps(shape))
    files = [tmp_path / "config.json", tmp_path / "model.safetensors"]
    assert resources.layer_weights(files) == 6 * (4 * 384 * 384 + 2 * 384 * 1536) == 10_616_832
    assert resources.layer_weights(files[1:]) == 10_000


@pytest.mark.parametrize("told", [b"", b"{", b"[]", b"\xff", b'{"hidden_size": "wide"}', b"[" * 50_000], ids=len)
def test_a_broken_config_of_a_model_tells_nothing_and_is_left_to_the_job_that_reads_it(tmp_path, told):
    (tmp_path / "model.safetensors").write_bytes(b"x" * (80_000 - len(told)))
    (tmp_path / "config.json").write_bytes(told)
    assert resources.layer_weights([tmp_path / "config.json", tmp_path / "model.safetensors"]) == 10_000


def test_weights_of_a_model_that_is_not_there_yet_are_not_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        resources.layer_weights([tmp_path / "config.json"])


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
