"""Reading the runs that are scored."""

import pytest

from switchrank.core.errors import UserError
from switchrank.formats.trec import read_run

LINES = ["q1 Q0 d1 1 0.5 toy", 'q1 Q0 "d2 2 -1e-07 toy', "q2 Q0 d1 1 12.25 toy"]


def test_any_white_space_between_fields_reads_the_same(tmp_path):
    (tmp_path / "plain.trec").write_text("".join(f"{line}\n" for line in LINES))
    (tmp_path / "tabs.trec").write_text("".join("\t ".join(line.split()) + " \r\n" for line in LINES))
    plain = read_run(tmp_path / "plain.trec")
    assert plain.rows() == [("q1", "d1", 1, 0.5), ("q1", '"d2', 2, -1e-07), ("q2", "d1", 1, 12.25)]
    assert read_run(tmp_path / "tabs.trec").equals(plain)


@pytest.mark.parametrize(
    ("line", "message"),
    [("", "line 2: 0 fields"), ("q1 Q0 d2\tx 2 0.1 toy", "line 2: 7 fields"), ("q1 Q0 d2 2 0.1", "line 2: 5 fields")],
)
def test_a_line_that_has_not_six_fields_is_named(tmp_path, line, message):
    (tmp_path / "run.trec").write_text(f"{LINES[0]}\n{line}\n")
    with pytest.raises(UserError, match=message):
        read_run(tmp_path / "run.trec")
