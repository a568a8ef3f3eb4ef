"""No command deletes or changes what it did not make."""

import argparse
import os
from pathlib import Path

import pytest

from switchrank.cli import STAGES, build_parser, main

READING = {
    "ablation overlap", "config check", "corpus text", "evaluate show", "inspect", "plan", "status",
}  # fmt: skip
"""Commands that write nothing of the user's."""
OWN_RULE = {"config reference", "new"}
"""Brings the checkout's own generated files up to date, asked by name; refuses every file that is there."""


def commands(parser: argparse.ArgumentParser, words: str = ""):
    """Every command that does something: its words and its parser."""
    branches = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if parser.get_default("run"):
        yield words, parser
    for branch in branches:
        for name, inner in branch.choices.items():
            yield from commands(inner, f"{words} {name}".strip())


def every_command() -> dict[str, argparse.ArgumentParser]:
    found = {}
    for stage in STAGES:
        branch = build_parser(stage)._subparsers._group_actions[0]
        found |= dict(commands(branch.choices[stage], stage))
    return found


COMMANDS = every_command()
WRITING = sorted(COMMANDS.keys() - READING - OWN_RULE)


def value_of(action: argparse.Action) -> list[str]:
    """Any value that an option takes; no file of that name is there."""
    if action.choices:
        value = str(next(iter(action.choices)))
    elif action.type in (int, float):
        value = "1"
    else:
        value = "a=b"
    count = action.nargs if isinstance(action.nargs, int) else 1
    return [value] * count


def call(words: str, parser: argparse.ArgumentParser, out: str) -> list[str]:
    """A call that writes to ``out``; nothing that it is to read is there."""
    given = words.split()
    if words == "sources fetch":
        return [*given, "https://localhost/a", "--out", out]
    exclusive = [group._group_actions for group in parser._mutually_exclusive_groups if group.required]
    needed = [action for action in parser._actions if action.required] + [group[0] for group in exclusive]
    if words == "rank":
        needed = [action for action in parser._actions if action.dest in {"model", "queries", "docs", "out"}]
    for action in needed:
        if isinstance(action, argparse._SubParsersAction):
            continue
        value = [out] if action.dest == "out" else value_of(action)
        if action.dest.endswith("_out"):
            value = [f"{out}-{action.dest}"]
        if action.dest == "pair":
            value = ["a", "b", "c", out]
        given += [*action.option_strings[:1], *value]
    return given if "--out" in given or "--pair" in given else [*given, "--out", out]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_command_that_names_an_output_declares_what_it_writes():
    """A command that is new stands in one of the lists above, or says what it writes."""
    declared = {words for words, parser in COMMANDS.items() if parser.get_default("written_files")}
    assert declared == set(WRITING)
    for words in READING:
        assert not [action.dest for action in COMMANDS[words]._actions if "out" in action.dest.split("_")]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A working directory in which nothing lies that a command could read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHRANK_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize("words", WRITING)
def test_nothing_of_others_is_replaced(place, capsys, words):
    parser = COMMANDS[words]
    given = parser.parse_args(call("", parser, "mine"))
    if given.written_folder:
        Path("mine", "deep").mkdir(parents=True)
        Path("mine", "deep", "notes.txt").write_text("mine")
    else:
        for file in given.written_files(given):
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text("mine")
    before = tree(place)
    assert before
    assert main(call(words, parser, "mine")) == 2
    told = capsys.readouterr().err
    assert told.startswith("mine")
    assert told.count("\n") == 1
    assert "--overwrite" in told
    assert tree(place) == before


@pytest.mark.parametrize("words", WRITING)
def test_an_output_of_another_kind_is_never_replaced(place, capsys, words):
    """A file where a folder is to be written, a folder where a file is to be."""
    parser = COMMANDS[words]
    given = parser.parse_args(call("", parser, "mine"))
    if given.written_folder:
        Path("mine").write_text("mine")
    else:
        for file in given.written_files(given):
            Path(file).mkdir(parents=True)
            Path(file, "notes.txt").write_text("mine")
    before = tree(place)
    assert main([*call(words, parser, "mine"), "--overwrite"]) == 2
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

        def half(**given):
            given["metrics_out"].parent.mkdir()
            given["metrics_out"].write_text("half")
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
