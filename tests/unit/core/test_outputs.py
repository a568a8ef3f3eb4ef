"""No command deletes or changes what it did not make."""

import functools
import os
from pathlib import Path

import pytest
from tests.commands import DOORS

from switchrank.cli import main
from switchrank.core.command import Door, Option
from switchrank.evaluate.tables import make_tables

READING = {
    "ablation overlap", "config check", "corpus text", "evaluate show", "inspect", "models", "plan",
    "status",
}  # fmt: skip
"""Commands that write nothing of the user's."""
OWN_RULE = {"config reference", "new", "mteb", "search", "serve"}
"""Brings the checkout's own generated files up to date, asked by name; refuses every file that is there; adds to a
folder of results, which MTEB keeps by model, revision and task; the last two make an index (tests/unit/serve)."""


WRITING = sorted(DOORS.keys() - READING - OWN_RULE)


def values_of(door: Door, option: Option) -> list[str]:
    """Any values that an option takes; no file of that name is there."""
    if option.values:
        return [str(option.values[0])]
    one = "1" if option.hint in (int, float) or option.hint == list[int] else "a=b"
    return [one] * (door.count(option) or (1, None))[0]


def call(words: str, door: Door, out: str) -> list[str]:
    """A call that writes to ``out``; nothing that it is to read is there."""
    given = words.split()
    if words == "sources fetch":
        return [*given, "https://localhost/a", "--out", out]
    given += {"rank candidates": ["--bm25", "1"], "train start": ["--model", "a"]}.get(words, [])
    for option in door.options:
        if not option.required or option.name == "out":
            continue
        value = [f"{out}-{option.name}"] if option.name.endswith("_out") else values_of(door, option)
        if option.name == "pairs" and "tuple" in str(option.hint):
            value = ["a", "b", "c", out]
        given += value if option.name in door.command.places else [option.flag, *value]
    return given if "--pair" in given else [*given, "--out", out]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_command_that_names_an_output_declares_what_it_writes():
    """A command that is new stands in one of the lists above, or says what it writes."""
    declared = {words for words, door in DOORS.items() if door.files or door.command.folder}
    assert declared == set(WRITING)
    for words in READING:
        assert not [option.name for option in DOORS[words].options if "out" in option.name.split("_")]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A working directory in which nothing lies that a command could read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHRANK_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize("words", WRITING)
def test_nothing_of_others_is_replaced(place, capsys, words):
    door = DOORS[words]
    given = door.parse(call(words, door, "mine")[len(words.split()) :])
    if door.command.folder:
        Path("mine", "deep").mkdir(parents=True)
        Path("mine", "deep", "notes.txt").write_text("mine")
    else:
        for file in door.written(given):
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text("mine")
    before = tree(place)
    assert before
    assert main(call(words, door, "mine")) == 2
    told = capsys.readouterr().err
    assert told.startswith("mine")
    assert told.count("\n") == 1
    assert "--overwrite" in told
    assert tree(place) == before


@pytest.mark.parametrize("words", WRITING)
def test_an_output_of_another_kind_is_never_replaced(place, capsys, words):
    """A file where a folder is to be written, a folder where a file is to be."""
    door = DOORS[words]
    given = door.parse(call(words, door, "mine")[len(words.split()) :])
    if door.command.folder:
        Path("mine").write_text("mine")
    else:
        for file in door.written(given):
            Path(file).mkdir(parents=True)
            Path(file, "notes.txt").write_text("mine")
    before = tree(place)
    assert main([*call(words, door, "mine"), "--overwrite"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "to be written" in told
    assert tree(place) == before


DICTIONARY = "house Haus\ntree Baum\n"
LEXICON = ["lexicon", "dictionary", "--path", "mine.txt", "--out", "en-de.parquet"]


@pytest.fixture
def lexicon():
    """A file that ``lexicon dictionary`` wrote."""
    Path("mine.txt").write_text(DICTIONARY)
    assert main(LEXICON) == 0
    return Path("en-de.parquet")


def test_a_command_replaces_its_own_earlier_file(lexicon):
    Path("mine.txt").write_text("dog Hund\n")
    before = lexicon.read_bytes()
    assert main(LEXICON) == 0
    assert lexicon.read_bytes() != before


@pytest.mark.parametrize("change", ["edited", "moved here", "of another command", "a link to it", "forgotten"])
def test_a_file_that_is_not_as_the_command_left_it_stays(lexicon, place, capsys, change):
    if change == "edited":
        lexicon.write_bytes(lexicon.read_bytes()[:-1] + b"x")
    elif change == "moved here":
        lexicon.with_name("other").write_text("other")
        lexicon.with_name("other").replace(lexicon)
    elif change == "of another command":
        Path("other.txt").write_text("dog Hund\n")
        assert main(["lexicon", "dictionary", "--path", "other.txt", "--out", "other.parquet"]) == 0
        lexicon.unlink()
        assert main(["lexicon", "merge", "--lexicons", "other.parquet", "--out", str(lexicon)]) == 0
    elif change == "a link to it":
        lexicon.rename("real.parquet")
        lexicon.symlink_to("real.parquet")
    else:
        for note in (place / "cache" / "written").iterdir():
            note.unlink()
    before = tree(place)
    capsys.readouterr()
    assert main(LEXICON) == 2
    assert capsys.readouterr().err == (
        "en-de.parquet: exists already, and is not as switchrank lexicon dictionary left it: "
        "name another file or move it away; --overwrite replaces it\n"
    )
    assert tree(place) == before


def test_overwrite_replaces_a_file_and_makes_it_the_commands_own(lexicon):
    lexicon.write_text("mine")
    assert main([*LEXICON, "--overwrite"]) == 0
    assert lexicon.read_bytes()[:4] == b"PAR1"
    assert main(LEXICON) == 0


def test_overwrite_replaces_a_link_and_not_what_it_leads_to(lexicon):
    lexicon.unlink()
    Path("precious").write_text("mine")
    lexicon.symlink_to("precious")
    assert main([*LEXICON, "--overwrite"]) == 0
    assert Path("precious").read_text() == "mine"
    assert not lexicon.is_symlink()


def test_a_link_that_leads_nowhere_is_not_replaced_either():
    Path("mine.txt").write_text(DICTIONARY)
    Path("en-de.parquet").symlink_to("elsewhere/en-de.parquet")
    assert main(LEXICON) == 2
    assert os.readlink("en-de.parquet") == "elsewhere/en-de.parquet"


def test_what_a_command_wrote_before_it_failed_is_its_own(capsys):
    """Without a note of it the next try would be refused."""
    words = ["evaluate", "tables", "--per-query", "missing.parquet", "--run-name", "r", "--out", "tables"]
    with pytest.MonkeyPatch.context() as patch:

        @functools.wraps(make_tables)
        def half(**given):
            Path(given["out"]).mkdir()
            Path(given["out"], "metrics.csv").write_text("half")
            raise MemoryError

        patch.setattr("switchrank.evaluate.tables.make_tables", half)
        assert main(words) == 1
    capsys.readouterr()
    assert main(words) == 2
    assert "missing.parquet" in capsys.readouterr().err


def test_a_machine_that_remembers_nothing_still_writes(monkeypatch):
    Path("mine.txt").write_text(DICTIONARY)
    Path("file").touch()
    monkeypatch.setenv("SWITCHRANK_CACHE", "file/cache")
    assert main(LEXICON) == 0
    assert main(LEXICON) == 2


def test_one_path_for_two_outputs_is_refused(capsys):
    words = ["rank", "pool", "draw", "--texts", "en=a", "--purpose", "p", "--out", "x", "--draw-out", "./x"]
    assert main(words) == 2
    assert capsys.readouterr().err == "x: the name of two outputs: give each a name of its own\n"


@pytest.mark.parametrize("older", ["train-00002.parquet", "stats.json"])
def test_a_shard_of_another_corpus_is_not_mixed_with_a_new_one(capsys, older):
    Path("out").mkdir()
    Path("out", older).write_text("mine")
    words = ["corpus", "switch", "--instances", "a", "--queries", "b", "--documents", "c", "--out", "out"]
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"out/{older}: exists already")
