"""What ``make bench`` writes: a list of entries with the promised fields, and the table of the documentation."""

from __future__ import annotations

import argparse
import json

import pytest
from tests.benchmarks import __main__ as bench
from tests.benchmarks.clock import alone
from tests.benchmarks.parts import PARTS, part
from tests.benchmarks.row import Row, from_record, table
from tests.conftest import ROOT

FIELDS = [
    "name",
    "unit",
    "size",
    "ours",
    "peer",
    "peer_name",
    "peer_version",
    "ratio",
    "required_ratio",
    "floor",
    "share_of_floor",
    "peak_rss_mb",
    "commit",
    "cpu",
]
ROW = Row("rank", "pairs/s", "2 pairs", ours=3.0, peer=2.0, required_ratio=1.4, floor=4.0, required_share=0.7)


def records(*rows):
    return [row.record({"part": "rank", "commit": "abc", "cpu": "a CPU", "threads": 2}) for row in rows]


def test_bench_json_is_a_list_with_the_promised_fields_and_no_others(tmp_path):
    out = tmp_path / "bench" / "bench.json"
    bench.save(records(ROW), out)
    (entry,) = json.loads(out.read_text())
    assert list(entry) == FIELDS
    assert (entry["ratio"], entry["share_of_floor"]) == (1.5, 0.75)


def test_a_part_measured_again_takes_the_place_of_its_rows_only(tmp_path, monkeypatch):
    out = tmp_path / "bench.json"
    other = {**records(ROW)[0], "part": "switch", "name": "switch"}
    bench.save([other, *records(ROW)], out)

    def child(command, **_):
        answer = command[command.index("--child") + 1]
        with open(answer, "w") as file:
            json.dump([{**vars(ROW), "ours": 9.0}], file)
        return argparse.Namespace(returncode=0)

    monkeypatch.setattr(bench.subprocess, "run", child)
    monkeypatch.setattr(bench, "description", lambda: {"commit": "def", "cpu": "a CPU", "threads": 2})
    monkeypatch.setattr("sys.argv", ["bench", "--only", "rank", "--out", str(out)])
    assert bench.main() == 0
    assert [(row["name"], row["ours"], row["commit"]) for row in json.loads(out.read_text())] == [
        ("switch", 3.0, "abc"),
        ("rank", 9.0, "def"),
    ]


def test_the_table_of_another_kind_of_cpu_stays(tmp_path, monkeypatch):
    page, out = tmp_path / "page.md", tmp_path / "bench.json"
    marks = [mark.format(where=where) for where in bench.places("small") for mark in (bench.BEGIN, bench.END)]
    page.write_text("\n".join(["top", *marks, "bottom"]))
    for cpu, ours in (("A avx2 avx512_bf16", 3.0), ("B avx512_bf16 amx_tile", 5.0), ("A avx2 avx512_bf16", 4.0)):
        row = {**records(Row(**{**vars(ROW), "ours": ours}))[0], "cpu": cpu}
        bench.save([row], out)
        monkeypatch.setattr("sys.argv", ["bench", "--only", "rank", "--out", str(out), "--write", str(page)])
        monkeypatch.setattr(bench, "_measured", lambda *_: True)
        assert bench.main() == 0
    text = page.read_text()
    amx, avx512, other = (
        text.split(bench.BEGIN.format(where=where))[1].split(bench.END.format(where=where))[0]
        for where in bench.places("small")
    )
    assert "B avx512_bf16 amx_tile, 2 threads, commit abc" in amx
    assert "| 5 pairs/s |" in amx
    assert "| 4 pairs/s |" in avx512
    assert "| 3 pairs/s |" not in text
    assert other.strip() == ""
    assert text.startswith("top\n")
    assert text.endswith("\nbottom")


def test_parts_are_named_one_by_one_or_together():
    known = list(PARTS["small"])
    assert bench.named_parts("switch", known) == ["switch"]
    assert bench.named_parts("lexicon", known) == [
        "lexicon-nn",
        "lexicon-csls",
        "lexicon-approximate",
        "lexicon-bitext",
    ]
    assert bench.named_parts("lexi", known) == []


@pytest.mark.parametrize(("ours", "short"), [(3.0, False), (2.7, True)])
def test_a_row_that_misses_what_was_asked_for_is_marked(ours, short):
    row = from_record(records(Row(**{**vars(ROW), "ours": ours}))[0])
    assert ("**short**" in table([row])) == short


def test_seconds_are_better_when_fewer():
    row = Row("dag", "s", "", ours=2.0, peer=3.0, floor=1.0)
    assert (row.ratio, row.share_of_floor) == (1.5, 0.5)


def told_later(answer):
    return lambda: lambda: answer


def test_what_a_timed_call_returns_may_be_told_after_the_clock():
    assert alone(told_later, 7).result == 7


def test_every_part_of_every_scale_has_its_function_and_the_page_has_its_place():
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for scale, parts in PARTS.items():
        assert all(bench.BEGIN.format(where=where) in page for where in bench.places(scale))
        assert all(callable(part(scale, name)) for name in parts)
