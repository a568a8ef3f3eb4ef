"""Texts of one language as a table: each text once, drawn by what they say, none both held out and trained on."""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import BITEXT, TEXTS, read_table
from switchrank.sources import texts
from switchrank.sources.bitext.write import write_bitext
from switchrank.sources.texts import REASONS, draw_of_rank, write_texts
from switchrank.text.equality import key

LINES = ["Good morning.", "", "Thank you.", "good  morning. ", " Moscow is Москва. "]
KEPT = [(1, "Good morning."), (3, "Thank you."), (5, "Moscow is Москва.")]
COUNTS = {"lines": 5, "train": 3, "held_out": 0, "empty": 1, "repeated": 1, "not_drawn": 0}
MANY = [f"sentence {n}" for n in range(1000)]


def text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def parquet(folder: Path, name: str, **columns: list) -> str:
    pl.DataFrame(columns).write_parquet(folder / name)
    return str(folder / name)


def rows(folder: Path, part: str = "train") -> list[tuple[int, str]]:
    return read_table(folder / f"{part}.parquet", TEXTS).rows()


def drawn(folder: Path, part: str = "train") -> set[str]:
    return {text for _, text in rows(folder, part)}


@pytest.fixture
def made(write, tmp_path):
    """``made(files, **settings)``: counts of the English text in ``files``, and the folder of its tables."""

    def make(files: dict[str, str | bytes], **settings):
        paths = [write(name, content) for name, content in files.items()]
        settings = {"language": "en", "overwrite": True} | settings
        return write_texts(files=paths, out=tmp_path / "out", **settings), tmp_path / "out"

    return make


@pytest.mark.parametrize(
    "files",
    [
        {"a.txt": text(LINES)},
        {"a.gz": text(LINES).rstrip("\n")},
        {"a.xz": lzma.compress(text(LINES).replace("\n", "\r\n").encode())},
        {"a.txt": text(LINES[:2]), "b.txt": text(LINES[2:])},
    ],
)
def test_lines_of_every_packing_give_the_same_table(made, files):
    counts, folder = made(files)
    assert rows(folder) == KEPT
    assert counts == COUNTS
    assert json.loads((folder / "stats.json").read_text()) == COUNTS | {"language": "en"}
    assert not (folder / "held-out.parquet").exists()


def test_a_column_of_texts_gives_the_table_of_its_lines(tmp_path):
    file = parquet(tmp_path, "a.parquet", id=list(range(5)), text=[line or None for line in LINES])
    assert write_texts(files=[file], language="en", out=tmp_path / "out") == COUNTS
    assert rows(tmp_path / "out") == KEPT


def test_lines_that_are_drawn_and_held_out_follow_from_the_text_alone(made):
    _, folder = made({"a": text(MANY)}, limit=300, held_out=99)
    train, apart = drawn(folder), drawn(folder, "held-out")
    assert (len(train), len(apart), len(train & apart)) == (300, 99, 0)
    _, folder = made({"a": text(MANY[::-1][:400]), "b": text(MANY[:600] + MANY)}, limit=300, held_out=99)
    assert (drawn(folder), drawn(folder, "held-out")) == (train, apart)
    _, folder = made({"a": text(MANY)}, limit=300, held_out=99, seed=2)
    assert drawn(folder) != train


def test_a_smaller_draw_is_part_of_a_larger_one(made):
    found = []
    for limit in (1, 50, 300, 901, 5000):
        counts, folder = made({"a": text(MANY)}, limit=limit, held_out=99)
        assert counts["train"] == len(rows(folder)) == min(limit, 901)
        assert counts["not_drawn"] == 901 - counts["train"]
        found.append(drawn(folder))
    assert all(smaller <= larger for smaller, larger in pairwise(found))


def test_a_share_holds_out_the_lines_that_parallel_text_holds_out(made, write, tmp_path):
    _, folder = made({"a": text(MANY)}, held_out=0.1)
    table = write("t.tsv", text([f"{line}\tSatz {n}" for n, line in enumerate(MANY)]))
    write_bitext(files=[table], languages=["en", "de"], columns=[1, 2], held_out=0.1, out=tmp_path / "pairs")
    apart = read_table(tmp_path / "pairs/held-out.parquet", BITEXT)["source"]
    assert drawn(folder, "held-out") == set(apart)
    assert 70 < len(apart) < 130  # of 1,000 a tenth, and three standard deviations of 9.5


SOME = st.sampled_from(["", " ", "one", "One", "two", "ONE  two", "three", "один", "one two three four five six"])


@settings(max_examples=25)
@given(lines=st.lists(SOME, max_size=40), held_out=st.sampled_from([0, 1, 2, 0.3]), limit=st.sampled_from([None, 1, 3]))
def test_every_line_is_kept_or_counted_once(tmp_path_factory, lines, held_out, limit):
    folder = tmp_path_factory.mktemp("law")
    (folder / "a").write_text(text(lines))
    try:
        counts = write_texts(files=[folder / "a"], language="en", held_out=held_out, limit=limit, out=folder / "out")
    except UserError as error:
        assert any(said in str(error) for said in ("held out", "no line is left", "letters of en"))  # noqa: PT017
        return
    train, apart = rows(folder / "out"), rows(folder / "out", "held-out") if held_out else []
    assert counts["lines"] == len(lines) == len(train) + len(apart) + sum(counts[reason] for reason in REASONS)
    same = [key(" ".join(line.split())) for line in lines]
    first = [number for number, line in enumerate(same, 1) if line and line not in same[: number - 1]]
    numbers = sorted(number for number, _ in [*train, *apart])
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(first)
    assert len(first) == len(numbers) + counts["not_drawn"]
    assert len(train) == min(limit or len(first), len(first) - len(apart))


@pytest.mark.parametrize(
    ("content", "given", "said"),
    [
        ("", {}, "a: no line is left of 0 lines: give files with text"),
        ("\n \n", {}, "a: no line is left of 2 lines, left out: 2 empty: give files with text"),
        ("Доброе утро\nДа\nYes\n", {}, "a: 2 of 3 lines are not in the letters of en: correct the language"),
        (text(MANY), {"held_out": 1000}, "held_out: 1,000 of 1,000 lines would be held out, 0 left to train on"),
        (text(MANY), {"held_out": 1.5}, "held_out: 1.5: write a number of lines"),
        (text(MANY), {"limit": 0}, "limit: 0: write 1 or more"),
        (b"\xff\xfe\n", {}, "a: line 1: not UTF-8"),
        ("<mediawiki>\n", {}, "a: a pages-articles dump, given as text"),
        (b"PAR1 broken", {}, "a: not a readable Parquet file"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_leaves_nothing(made, tmp_path, content, given, said):
    with pytest.raises(UserError, match=said) as caught:
        made({"a": content}, **given)
    assert "\n" not in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_table_without_a_column_of_texts_and_a_missing_file_are_one_line(tmp_path):
    for file, said in (
        (parquet(tmp_path, "a.parquet", id=["1"], body=["x"]), "no column 'text' of strings: rename .*: id, body"),
        (parquet(tmp_path, "b.parquet", text=[1]), "no column 'text' of strings: rename .*: text"),
        (tmp_path / "missing", "missing: no such file"),
    ):
        with pytest.raises(UserError, match=said):
            write_texts(files=[file], language="en", out=tmp_path / "out")
    with pytest.raises(UserError, match="files: none: name one or more"):
        write_texts(files=[], language="en", out=tmp_path / "out")


def test_a_folder_with_something_else_in_it_stays(write, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    with pytest.raises(UserError, match="which switchrank did not write there"):
        write_texts(files=[write("a", text(LINES))], language="en", out=tmp_path / "out")


def test_the_command_line_makes_the_same_table(write, tmp_path, capsys):
    words = ["--language", "en", "--limit", "1", "--held-out", "1", "--out", str(tmp_path / "out")]
    assert main(["sources", "texts", write("a.txt", text(LINES)), *words]) == 0
    assert len(rows(tmp_path / "out")) == len(rows(tmp_path / "out", "held-out")) == 1
    told = "5 lines, left out: 1 empty, 1 repeated, 1 not drawn; 1 train, 1 held out"
    assert told in capsys.readouterr().err


@settings(max_examples=50)
@given(
    parts=st.lists(st.lists(st.integers(0, 2**53 - 1), max_size=9), max_size=9),
    rank=st.integers(0, 90),
    bins=st.sampled_from([1, 4]),
)
def test_the_draw_of_a_rank_is_found_without_sorting_all(parts, rank, bins):
    arrays = [np.array(part, dtype=np.float64) * 2.0**-53 for part in parts]
    every = sorted(draw for part in arrays for draw in part)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "_BINS", bins)
        assert draw_of_rank(lambda: iter(arrays), rank) == ([*every, 1.0][rank] if rank <= len(every) else 1.0)


MEASURE = """
import resource
from switchrank.collections import frames
from switchrank.sources.texts import write_texts

frames.BATCH = frames.ROW_GROUP = 1000
for lines in (2_000, 30_000):
    with open("a", "w") as file:
        file.writelines(f"{n} {'good day ' * 120}\\n" for n in range(lines))
    write_texts(files=["a"], language="en", held_out=50, limit=lines // 2, out="out")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_text(tmp_path):
    told = subprocess.run([sys.executable, "-c", MEASURE], cwd=tmp_path, capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    small, large = (int(line) * unit for line in told.stdout.split())
    assert large - small < 16e6  # the large text has 33 MB, 30 MB more than the small one
