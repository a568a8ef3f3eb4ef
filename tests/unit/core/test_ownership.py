"""A folder is replaced where a writer of its kind made all that it holds."""

import json

import pytest

from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.core.ownership import RECORD, check_folder


def write(path, text="new", **options):
    with atomic_folder(path, "a tokenizer", **options) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "words").write_text(text)
        (folder / "tokenizer.json").write_text(text)


@pytest.fixture
def made(tmp_path):
    """A folder that a writer made."""
    write(tmp_path / "made", "old")
    return tmp_path / "made"


def tree(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_record_tells_the_kind_and_every_file_by_its_checksum(made):
    old = "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4"  # printf old | sha256sum
    record = json.loads((made / RECORD).read_text())
    assert record == {"made": "a tokenizer", "files": {"deep/words": old, "tokenizer.json": old}}


def test_a_writer_replaces_what_a_writer_of_its_kind_made(made):
    write(made)
    assert (made / "tokenizer.json").read_text() == "new"


@pytest.mark.parametrize("lost", ["tokenizer.json", "deep/words"])
def test_a_part_of_it_is_replaced_too(made, lost):
    """Snakemake removes a rule's outputs before its job, and not what else the job wrote."""
    (made / lost).unlink()
    write(made)
    assert (made / lost).read_text() == "new"


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / ".DS_Store").touch()
    write(tmp_path / "out")
    assert (tmp_path / "out" / "tokenizer.json").read_text() == "new"


def edited(folder):
    (folder / "tokenizer.json").write_text("mine")


def added(folder):
    (folder / "deep" / "notes").write_text("mine")


def hidden(folder):
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("mine")


def link(folder):
    (folder / "notes").symlink_to("elsewhere")


def link_in_place_of_a_file(folder):
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").symlink_to("deep/words")


def no_record(folder):
    (folder / RECORD).unlink()


def broken_record(folder):
    (folder / RECORD).write_text("[]")


def other_kind(folder):
    (folder / RECORD).write_text((folder / RECORD).read_text().replace("a tokenizer", "a trained model"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (edited, "tokenizer.json in it has changed since switchrank wrote it"),
        (added, "holds deep/notes, which switchrank did not write there"),
        (hidden, "holds .git/config, which switchrank did not write there"),
        (link, "holds notes, which switchrank did not write there"),
        (link_in_place_of_a_file, "tokenizer.json in it has changed since switchrank wrote it"),
        (no_record, "holds deep/words, which switchrank did not write there"),
        (broken_record, "holds deep/words, which switchrank did not write there"),
        (other_kind, "holds a trained model, not a tokenizer"),
    ],
)
def test_whatever_else_is_in_a_folder_stays_there(made, change, told):
    change(made)
    before = tree(made)
    todo = "name another folder or move it away; --overwrite replaces the folder"
    with pytest.raises(UserError) as error:
        write(made)
    assert str(error.value) == f"{made}: {told}: {todo}"
    assert tree(made) == before
    write(made, overwrite=True)
    assert sorted(tree(made)) == [RECORD, "deep/words", "tokenizer.json"]


def test_what_comes_while_a_folder_is_made_stays_too(made):
    with (
        pytest.raises(UserError, match="holds notes, which switchrank did not write there"),
        atomic_folder(made, "a tokenizer"),
    ):
        (made / "notes").write_text("mine")
    assert (made / "notes").read_text() == "mine"


def test_a_link_to_a_folder_stays_a_link_and_its_folder_is_written(made, tmp_path):
    (tmp_path / "disk").mkdir()
    made.rename(tmp_path / "disk" / "real")
    made.symlink_to("disk/real")
    write(made)
    assert made.is_symlink()
    assert (tmp_path / "disk" / "real" / "tokenizer.json").read_text() == "new"
    added(made)
    with pytest.raises(UserError, match="holds deep/notes, which switchrank did not write there"):
        write(made)


def test_a_link_to_nothing_is_followed(tmp_path):
    (tmp_path / "out").symlink_to("disk/real")
    write(tmp_path / "out")
    assert (tmp_path / "disk" / "real" / "tokenizer.json").read_text() == "new"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_is_never_replaced_by_a_folder(tmp_path, overwrite):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UserError, match="out: a file where a folder is to be written: name a folder"):
        write(tmp_path / "out", overwrite=overwrite)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("path", [".", "..", "/", "../inside", "../../{parent}"])
def test_the_working_directory_and_what_is_around_it_are_never_replaced(tmp_path, monkeypatch, path, overwrite):
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    with pytest.raises(UserError, match="the working directory, or a folder around it: name a folder of its own"):
        check_folder(path.format(parent=tmp_path.name), "a tokenizer", overwrite=overwrite)
