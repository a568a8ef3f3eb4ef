"""Parallel text as tables: every layout is read, every line is kept or counted once, what is held out leaks nowhere."""

from __future__ import annotations

import io
import json
import lzma
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import BITEXT, read_table
from switchrank.sources.bitext import hashes
from switchrank.sources.bitext.files import REASONS
from switchrank.sources.bitext.hashes import Bits, HeldOut, Repeats, are_among, text_hash
from switchrank.sources.bitext.write import write_bitext
from switchrank.text.equality import key

PAIRS = [
    ("Good morning.", "Guten Morgen."),
    ("", "Nichts."),
    ("Berlin", "BERLIN"),
    ("I see.", "Ich verstehe, was du mir damit sagen willst."),
    ("Hello, Moscow!", "Привет, Москва!"),
    ("good  morning.", " Guten Morgen."),
    ("Thank you.", "Danke."),
]
KEPT = [(1, *PAIRS[0]), (7, *PAIRS[6])]
COUNTS = {"lines": 7, "train": 2, "held_out": 0, "empty": 1, "equal": 1, "script": 1, "ratio": 1, "repeated": 1}


def lines(side: int, pairs: list[tuple[str, str]] = PAIRS) -> str:
    return "".join(f"{pair[side]}\n" for pair in pairs)


def table(pairs: list[tuple[str, str]]) -> str:
    return "".join(f"{one}\t{other}\tsomeone\n" for one, other in pairs)


def zipped(members: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return packed.getvalue()


def rows(folder: Path, part: str = "train") -> list[tuple[int, str, str]]:
    return read_table(folder / f"{part}.parquet", BITEXT).rows()


@pytest.fixture
def made(write, tmp_path):
    """``made(files, **settings)``: counts of the English and German text in ``files``, and the folder of its tables."""

    def make(files: dict[str, str | bytes], **settings):
        settings = {"languages": ["en", "de"], "overwrite": True} | settings
        paths = [write(name, content) for name, content in files.items()]
        return write_bitext(files=paths, out=tmp_path / "out", **settings), tmp_path / "out"

    return make


@pytest.mark.parametrize(
    ("files", "settings"),
    [
        ({"deu.txt": table(PAIRS)}, {"columns": [1, 2]}),
        ({"deu.tsv.gz": "".join(f"x\t{two}\t{one}\n" for one, two in PAIRS)}, {"columns": [3, 2]}),
        ({"a.en": lines(0), "a.de": lines(1).rstrip("\n")}, {}),
        ({"a.en.gz": lines(0), "a.xz": lzma.compress(lines(1).replace("\n", "\r\n").encode())}, {}),
        ({"opus.zip": zipped({"README": "of OPUS", "T.de-en.de": lines(1), "T.de-en.en": lines(0)})}, {}),
        ({"opus.zip": zipped({"a/T.deu": lines(1), "a/T.eng": lines(0)})}, {"endings": ["eng", "deu"]}),
        ({"one.zip": zipped({"deu.txt": table(PAIRS)})}, {"columns": [1, 2]}),
    ],
)
def test_every_layout_gives_the_same_table(made, files, settings):
    counts, folder = made(files, **settings)
    assert rows(folder) == KEPT
    assert counts == COUNTS | {"like_held_out": 0}
    assert not (folder / "held-out.parquet").exists()


def test_columns_are_found_by_their_names_in_the_first_line(made):
    counts, folder = made({"t.tsv": "id\tgerman\tenglish\n1\tDanke.\tThank you.\n"}, columns=["english", "german"])
    assert rows(folder) == [(2, "Thank you.", "Danke.")]
    assert counts["lines"] == 1


def test_the_statistics_are_the_counts_and_equal_files_give_equal_bytes(made):
    counts, folder = made({"deu.txt": table(PAIRS)}, columns=[1, 2])
    first = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert json.loads(first["stats.json"]) == counts | {"languages": ["en", "de"]}
    made({"other.txt": table(PAIRS)}, columns=[1, 2])
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == first


def test_lines_that_nobody_wants_dropped_stay(made):
    counts, folder = made({"deu.txt": table(PAIRS)}, columns=[1, 2], drop=["script"])
    assert [number for number, *_ in rows(folder)] == [1, 3, 4, 7]
    assert (counts["equal"], counts["ratio"], counts["script"]) == (0, 0, 1)


def test_a_side_may_be_longer_in_characters_or_in_bytes_but_not_in_both(made):
    chinese = [("I would like to go home now.", "我想回家。"), ("I would like to go home now, please.", "回家")]
    counts, folder = made({"zho.txt": table(chinese)}, columns=[1, 2], languages=["en", "zh"])
    assert [number for number, *_ in rows(folder)] == [1]
    assert counts["ratio"] == 1


MANY = [(f"sentence {n // 2}", f"Satz {n % 700}") for n in range(1000)]


def test_what_is_held_out_depends_on_the_text_alone(made):
    _, folder = made({"t": table(MANY)}, columns=[1, 2], held_out=0.1)
    chosen = {source for _, source, _ in rows(folder, "held-out")}
    assert 30 < len(chosen) < 70  # of 500 sentences, a tenth: 50, and three standard deviations of 6.7
    _, folder = made({"t": table(MANY[::-1])}, columns=[1, 2], held_out=0.1)
    assert {source for _, source, _ in rows(folder, "held-out")} == chosen
    others = [(source, f"phrase {n}") for n, (source, _) in enumerate(MANY[300:600])]
    _, folder = made({"t": table(others)}, columns=[1, 2], held_out=0.1, languages=["en", "fr"])
    assert {source for _, source, _ in rows(folder, "held-out")} == chosen & {source for source, _ in others}
    _, folder = made({"t": table(MANY)}, columns=[1, 2], held_out=0.1, seed=2)
    assert {source for _, source, _ in rows(folder, "held-out")} != chosen


def test_a_number_of_lines_is_held_out_exactly_and_in_any_order_the_same(made):
    counts, folder = made({"t": table(MANY)}, columns=[1, 2], held_out=99)
    chosen = {(source, target) for _, source, target in rows(folder, "held-out")}
    assert counts["held_out"] == len(chosen) == 99
    _, folder = made({"t": table(MANY[::-1] + MANY)}, columns=[1, 2], held_out=99)
    assert {(source, target) for _, source, target in rows(folder, "held-out")} == chosen


WORDS = st.sampled_from(
    ["", " ", "one", "One", "two", "ONE  two", "three", "drei", "один", "one two three four five six"]
)


@settings(max_examples=25)
@given(pairs=st.lists(st.tuples(WORDS, WORDS), max_size=40), held_out=st.sampled_from([0, 1, 2, 0.3]))
def test_every_line_is_kept_or_counted_once_and_no_held_out_side_is_trained_on(tmp_path_factory, pairs, held_out):
    folder = tmp_path_factory.mktemp("law")
    (folder / "t").write_text(table(pairs))
    try:
        counts = write_bitext(
            files=[folder / "t"], languages=["en", "de"], columns=[1, 2], held_out=held_out, out=folder / "out", drop=[]
        )
    except UserError as error:
        assert "held out" in str(error) or "no line is left" in str(error)  # noqa: PT017
        return
    train, apart = rows(folder / "out"), rows(folder / "out", "held-out") if held_out else []
    assert counts["lines"] == len(pairs) == len(train) + len(apart) + sum(counts[reason] for reason in REASONS)
    same = [tuple(key(" ".join(side.split())) for side in pair) for pair in pairs]
    whole = [number for number, pair in enumerate(same, 1) if all(pair) and pair not in same[: number - 1]]
    sides = [{same[number - 1][side] for number, *_ in apart} for side in (0, 1)]
    free = [n for n in whole if not any(same[n - 1][side] in sides[side] for side in (0, 1))]
    assert [number for number, *_ in train] == free
    assert counts["like_held_out"] == len(whole) - len(free) - len(apart)


@pytest.mark.parametrize(
    ("files", "settings", "said"),
    [
        ({"a": "x\ny\n", "b": "x\n"}, {}, "b: 1 lines, and .*a has 2: give two files"),
        ({"a": "x\n", "b": "x\ny\nz\n"}, {}, "a: 1 lines, and .*b has 3: give two files"),
        ({"t": "a\tb\nc\n"}, {"columns": [1, 2]}, "t: line 2: 1 fields between tabs, no column 2: correct"),
        ({"t": "a\tb\n"}, {"columns": ["en", "de"]}, "t: line 1: no column 'en': found: a, b"),
        ({"t": "source\ttarget\n"}, {"columns": [1, 2]}, "t: line 1: a header .* where data begins"),
        ({"t": "a\tb\n"}, {"columns": [0, 1]}, r"columns: \[0, 1\]: write two numbers from 1"),
        ({"t": "a\tb\n"}, {"columns": [1]}, "columns: 1 columns: name two"),
        ({"t": "a\tb\n"}, {}, "t: one file without columns, and no zip archive: name its columns"),
        ({"a": "", "b": "", "c": ""}, {}, "3 files: give one, or a file for each"),
        ({"a": "", "b": ""}, {"columns": [1, 2]}, "columns of two files: leave columns out"),
        ({"z.zip": zipped({"x.en": "a", "y.en": "a"})}, {}, "z.zip: 2 files in it end in .en, not one: .* x.en, y.en"),
        ({"z.zip": zipped({"x.en": "a", "x.fr": "a"})}, {}, "z.zip: 0 files in it end in .de, not one"),
        ({"z.zip": b"PK\3\4 broken"}, {}, "z.zip: truncated or corrupt zip"),
        ({"t": "\t\nx\t\n"}, {"columns": [1, 2]}, "no line is left of 2 lines, left out: 2 empty: correct"),
        ({"t": ""}, {"columns": [1, 2]}, "no line is left of 0 lines: correct"),
        ({"t": table(PAIRS)}, {"columns": [1, 2], "held_out": 2}, "held_out: 2 of 2 lines would be held out, 0 left"),
        ({"t": table(PAIRS)}, {"columns": [1, 2], "held_out": 9}, "held_out: 2 of 2 lines would be held out, 0 left"),
        (
            {"t": table(PAIRS)},
            {"columns": [1, 2], "held_out": 1e-9},
            "held_out: 0 of 2 lines would be held out",
        ),
        (
            {"t": table(PAIRS)},
            {"columns": [1, 2], "held_out": 1.5},
            "held_out: 1.5: write a number of lines",
        ),
        ({"t": table(PAIRS)}, {"columns": [1, 2], "max_ratio": 0.5}, "max_ratio: 0.5: write 1 or more"),
        ({"t": table(PAIRS)}, {"columns": [1, 2], "languages": ["en"]}, "languages: en: name two"),
        ({"t": "a\tb\nд\tб\n"}, {"columns": [1, 2], "languages": ["en", "ru"]}, "no line is left of 2 lines"),
        (
            {"a": "Guten Morgen\nHallo\n", "b": "Good morning\nHello\n"},
            {"languages": ["ru", "en"]},
            "a: 2 of 2 lines are not in the letters of ru: correct the languages",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line_and_leaves_nothing(made, tmp_path, files, settings, said):
    with pytest.raises(UserError, match=said) as caught:
        made(files, **settings)
    assert "\n" not in str(caught.value)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(files)


def test_a_folder_with_something_else_in_it_stays(write, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    with pytest.raises(UserError, match="which switchrank did not write there"):
        write_bitext(files=[write("t", table(PAIRS))], languages=["en", "de"], columns=[1, 2], out=tmp_path / "out")


def test_the_command_line_makes_the_same_table(write, tmp_path, capsys):
    words = ["--languages", "en", "de", "--columns", "1", "2", "--held-out", "1", "--drop", "equal", "script"]
    assert main(["sources", "bitext", write("deu.txt", table(PAIRS)), *words, "--out", str(tmp_path / "out")]) == 0
    assert len(rows(tmp_path / "out")) + len(rows(tmp_path / "out", "held-out")) == 3
    assert "7 lines, left out: 1 empty, 1 equal, 1 script, 1 repeated; 2 train, 1 held out" in capsys.readouterr().err


MEASURE = """
import resource, sys
from pathlib import Path
from switchrank.collections import frames
from switchrank.sources.bitext.write import write_bitext

frames.BATCH = frames.ROW_GROUP = 1000
for lines in (2_000, 30_000):
    with open("t", "w") as file:
        file.writelines(f"{n} {'good day ' * 60}\\t{n} {'guten Tag ' * 60}\\n" for n in range(lines))
    write_bitext(files=["t"], languages=["en", "de"], columns=[1, 2], held_out=50, out="out")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_text(tmp_path):
    told = subprocess.run([sys.executable, "-c", MEASURE], cwd=tmp_path, capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    small, large = (int(line) * unit for line in told.stdout.split())
    assert large - small < 16e6  # the large text has 35 MB, 32 MB more than the small one


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(0, 20), max_size=9), max_size=9))
def test_repeats_are_found_across_all_that_came_before(tmp_path_factory, batches):
    with Repeats.inside(tmp_path_factory.mktemp("hashes")) as repeats:
        for batch in batches:
            repeats.add(np.array(batch, dtype=np.uint64))
        every = [line for batch in batches for line in batch]
        found = repeats.found().of(0, len(every)).tolist()
    assert found == [line in every[:place] for place, line in enumerate(every)]


def test_bits_are_read_from_anywhere():
    bits = Bits(21)
    bits.set(np.array([0, 7, 8, 20, 8], dtype=np.uint64))
    assert np.flatnonzero(bits.of(0, 21)).tolist() == [0, 7, 8, 20]
    assert bits.of(7, 10).tolist() == [True, True, False]


@pytest.mark.parametrize("wanted", [7, 0.05])
def test_held_out_lines_are_those_of_the_smallest_draws_however_they_come(monkeypatch, wanted):
    monkeypatch.setattr(hashes, "_WAITING", 16)
    source, target = np.random.default_rng(1).integers(0, 2**63, (2, 400)).astype(np.uint64)
    together, apart = HeldOut(wanted, 1), HeldOut(wanted, 1)
    together.add(source, target)
    for start in range(0, 400, 40):
        apart.add(np.tile(source[start : start + 40], 2), np.tile(target[start : start + 40], 2))
    assert [side.tolist() for side in apart.chosen()] == [side.tolist() for side in together.chosen()]
    assert len(apart.chosen()[0]) == 7 or wanted < 1
    draws = hashes.counter_uniform(together._seed, source)
    order = np.argsort(draws)[: len(together.chosen()[0])]
    assert together.chosen()[0].tolist() == source[order].tolist()


def test_hashes_agree_where_texts_are_the_same():
    assert text_hash("Guten  Morgen") == text_hash("guten morgen") != text_hash("guten Tag")
    known = np.array([2, 5], dtype=np.uint64)
    assert are_among(np.array([1, 2, 5, 9], dtype=np.uint64), known).tolist() == [False, True, True, False]
    assert are_among(known, known[:0]).tolist() == [False, False]
    assert pl.Series([text_hash("x")], dtype=pl.UInt64)[0] == text_hash("x")
