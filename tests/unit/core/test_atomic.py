"""Outputs appear whole or not at all."""

import errno
import os
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from switchrank.core.atomic import atomic_folder, atomic_path
from switchrank.core.errors import UserError
from switchrank.core.ownership import RECORD


def test_a_file_appears_only_when_finished(tmp_path):
    target = tmp_path / "deep" / "table.csv"
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".csv"
        assert not target.exists()
    assert target.read_text() == "new"
    assert [file.name for file in target.parent.iterdir()] == ["table.csv"]


def test_an_error_leaves_the_old_file_and_no_debris(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    target = tmp_path / "model"
    for name in ("first", "second"):
        with atomic_folder(target, "a tokenizer") as temporary:
            (temporary / name).write_text(name)
    assert sorted(file.name for file in target.iterdir()) == [RECORD, "second"]
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_a_failed_folder_leaves_the_old_one(tmp_path):
    target = tmp_path / "model"
    with atomic_folder(target, "a tokenizer") as temporary:
        (temporary / "weights").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(target, "a tokenizer") as temporary:  # noqa: PT012
        (temporary / "weights").write_text("half")
        raise RuntimeError
    assert (target / "weights").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


WRITERS = {
    "a text": "with atomic_path('out') as path: path.write_text(digits)",
    "packed text": "with atomic_path('out') as path, gzip.open(path, 'wb') as file: file.write(noise.tobytes())",
    "an array": "with atomic_path('out') as path: np.save(path.open('wb'), noise)",
    "a Parquet table": "write_table(frame, 'out.parquet', DOCUMENTS)",
    "a CSV table": "write_table(frame, 'out.csv', DOCUMENTS)",
    "a table that streams": "with atomic_folder('out', None) as folder: sink([frame], DOCUMENTS, folder / 'a.parquet')",
    "a TREC run": "write_run(scores, 'out.trec', 'tag')",
    "model weights": "with atomic_folder('out', None) as folder: save_file({'a': noise}, folder / 'm.safetensors')",
}
FILLING = """
import gzip, resource, sys
import numpy as np
import polars as pl
from safetensors.numpy import save_file
from switchrank.core.atomic import atomic_folder, atomic_path
from switchrank.core.errors import UserError
from switchrank.core.ownership import RECORD
from switchrank.formats.tables import DOCUMENTS, write_table
from switchrank.formats.trec_writing import write_run
from switchrank.collections.frames import sink
noise = np.random.default_rng(1).random(20_000)
names = [str(number) for number in noise]
digits = "".join(names)
frame = pl.DataFrame({"docid": names, "text": names, "group": names})
scores = pl.DataFrame({"qid": names, "docid": names, "score": noise})
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
try:
    exec(sys.argv[1])
except UserError as error:
    print(error)
"""


@pytest.mark.parametrize("writer", WRITERS)
def test_a_disk_that_is_full_in_the_middle_of_a_write_is_one_line_and_leaves_nothing(tmp_path, writer):
    """A limit on the size of files stands for the disk."""
    command = [sys.executable, "-c", FILLING, WRITERS[writer]]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=True)
    assert done.stdout.endswith(": the disk is full: make room, or choose another folder\n")
    assert done.stdout.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_another_error_of_the_disk_stays_what_it_is(tmp_path):
    with pytest.raises(PermissionError), atomic_path(tmp_path / "a"):
        raise PermissionError(13, "Permission denied")
    with pytest.raises(UserError, match="file: text"), atomic_path(tmp_path / "a"):
        raise UserError("file", "", "text (os error 28)", "")


def test_a_writer_that_ends_after_its_error_leaves_nothing_behind(tmp_path):
    def write_on(folder):
        with suppress(OSError):
            for number in range(1000):
                (folder / f"{number}").write_text("late")

    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "out", None) as folder:  # noqa: PT012
        late = threading.Thread(target=write_on, args=[folder])
        late.start()
        raise RuntimeError
    late.join()
    assert not list(tmp_path.iterdir())


WRITER = """
import sys
from switchrank.core.atomic import atomic_path
with atomic_path(sys.argv[1]) as path:
    path.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path):
    """A process in the middle of writing ``table.csv``, until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "table.csv")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "writing\n"
    yield process
    process.kill()
    process.communicate()


def write(path):
    with atomic_path(path) as temporary:
        temporary.write_text("new")


def test_what_a_killed_writer_left_is_removed_by_the_next_writer_of_that_file(writer, tmp_path):
    writer.kill()
    writer.wait()
    assert len(list(tmp_path.iterdir())) == 1
    write(tmp_path / "other.csv")
    assert len(list(tmp_path.iterdir())) == 2
    write(tmp_path / "table.csv")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["other.csv", "table.csv"]


def test_a_writer_at_work_is_left_alone(writer, tmp_path):
    write(tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == "new"
    writer.communicate()
    assert writer.returncode == 0
    assert (tmp_path / "table.csv").read_text() == "half"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_folders_of_others_stay_whatever_they_are_called(tmp_path):
    names = [".table.csv.backup12", ".table.csv.unfinished", ".table.csv.unfinished-machin-12345678"]
    for name in names:
        (tmp_path / name).mkdir()
    write(tmp_path / "table.csv")
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([*names, "table.csv"])


def test_a_disk_that_is_read_only_or_turns_so_is_one_line(tmp_path, monkeypatch):
    told = "table.csv: the disk is read-only: make it writable, or choose another folder"
    with pytest.raises(UserError, match=told), atomic_path(tmp_path / "table.csv"):
        raise OSError(30, "Read-only file system")
    monkeypatch.setattr("tempfile.mkdtemp", lambda **_: (_ for _ in ()).throw(OSError(30, "Read-only file system")))
    with pytest.raises(UserError, match=told), atomic_path(tmp_path / "table.csv"):
        pass


def test_a_place_that_is_no_folder_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"table.csv: cannot be written \(.*\): make its folder writable"):
        write(tmp_path / "file" / "table.csv")


def test_files_have_the_mode_of_other_files_whatever_the_writer_gave_them(tmp_path):
    """The safetensors package makes its files readable to their owner alone."""
    before = os.umask(0o027)
    try:
        with atomic_folder(tmp_path / "model", "a tokenizer") as folder:
            (folder / "deep").mkdir()
            for name in ("weights", "deep/weights"):
                (folder / name).touch(mode=0o600)
        with atomic_path(tmp_path / "table") as path:
            path.touch(mode=0o600)
    finally:
        os.umask(before)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o640"] * 4


def test_what_a_link_leads_to_keeps_its_mode(tmp_path):
    (tmp_path / "stored").touch(mode=0o600)
    with atomic_path(tmp_path / "out") as path:
        path.symlink_to(tmp_path / "stored")
    assert oct((tmp_path / "stored").stat().st_mode & 0o777) == "0o600"


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    replace = os.replace

    def fail(source, target):
        if source.name == "new":
            raise OSError(errno.EBUSY, "Device or resource busy")
        replace(source, target)

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(UserError, match="out: a mount point, or in use"), atomic_folder(tmp_path / "out", None):
        pass
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["old"]
