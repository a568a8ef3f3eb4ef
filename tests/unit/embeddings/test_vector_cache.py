"""A file of vectors is parsed once; a cache entry that is not what was kept is not used."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from switchrank.core.cache import cache_folder
from switchrank.core.errors import UserError
from switchrank.embeddings import read
from switchrank.embeddings.read import import_vectors
from switchrank.formats.vectors import load_vectors, vector_files, write_vectors

CONTENT = b"4 2\na 1 0\na 1 1\nb 0 1\nc 1 1\n"


@pytest.fixture
def parsed(monkeypatch) -> list[Path]:
    """The files that were really parsed."""
    files: list[Path] = []
    real = read.read_text_vectors

    def spy(path, sink):
        files.append(path)
        real(path, sink)

    monkeypatch.setattr(read, "read_text_vectors", spy)
    return files


def give(tmp_path: Path, name: str = "a.vec", content: bytes = CONTENT, out: str = "store", **options) -> list[bytes]:
    (tmp_path / name).write_bytes(content)
    import_vectors(path=tmp_path / name, out=tmp_path / out, cache=tmp_path / "cache", **options)
    return [file.read_bytes() for file in vector_files(tmp_path / out)]


def test_the_same_content_is_parsed_once_whatever_its_name_and_gives_the_same_bytes(tmp_path, parsed, capsys):
    first = give(tmp_path)
    assert "skipped 1 repeated words" in capsys.readouterr().err
    second = give(tmp_path, "b.txt", out="other")
    assert "b.txt: warning: skipped 1 repeated words" in capsys.readouterr().err
    assert first == second
    assert len(parsed) == 1


def test_other_content_or_another_number_of_words_is_parsed(tmp_path, parsed):
    give(tmp_path)
    give(tmp_path, max_words=2)
    assert load_vectors(tmp_path / "store").words == ["a", "b"]
    give(tmp_path, content=CONTENT + b"d 2 1\n")
    assert len(parsed) == 3


@pytest.mark.parametrize("suffix", [".words.parquet", ".npy", ".json"])
@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_a_damaged_entry_is_made_again(tmp_path, parsed, suffix, damage):
    first = give(tmp_path)
    [file] = (tmp_path / "cache" / "vectors").glob(f"*{suffix}")
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        file.write_bytes(content[:-9] if damage == "cut" else flipped)
    assert give(tmp_path) == first
    assert give(tmp_path) == first
    assert len(parsed) == 2
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    "record", [b"[]", b"{}", b"null", b'{"words": 1, "dim": 2, "notes": [], "sha256": []}', b"\xff"]
)
def test_a_record_of_another_shape_is_not_believed(tmp_path, parsed, record):
    first = give(tmp_path)
    [file] = (tmp_path / "cache" / "vectors").glob("*.json")
    file.write_bytes(record)
    assert give(tmp_path) == first
    assert len(parsed) == 2


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path, capsys):
    (tmp_path / "cache").write_text("not a folder")
    give(tmp_path)
    assert load_vectors(tmp_path / "store").words == ["a", "b", "c"]
    assert "the vectors are not kept in the cache" in capsys.readouterr().err


def test_many_at_once_make_and_read_one_entry(tmp_path):
    (tmp_path / "a.vec").write_bytes(CONTENT)

    def one(number: int) -> None:
        import_vectors(path=tmp_path / "a.vec", out=tmp_path / f"s{number}", cache=tmp_path / "cache")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(24)))
    assert len({(tmp_path / f"s{number}.npy").read_bytes() for number in range(24)}) == 1
    [file] = (tmp_path / "cache" / "vectors").glob("*.json")
    assert json.loads(file.read_text())["words"] == 3
    assert len(list((tmp_path / "cache" / "vectors").iterdir())) == 3


def test_the_cache_folder_is_named_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("SWITCHRANK_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("SWITCHRANK_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "switchrank"


def test_a_store_has_the_bytes_that_numpy_writes(tmp_path):
    matrix = np.random.default_rng(1).normal(size=(7, 3)).astype(np.float32)
    write_vectors(tmp_path / "s", [str(i) for i in range(7)], matrix)
    np.save(tmp_path / "n.npy", matrix)
    assert (tmp_path / "s.npy").read_bytes() == (tmp_path / "n.npy").read_bytes()


def test_a_store_that_is_broken_off_is_one_line(tmp_path):
    write_vectors(tmp_path / "s", ["a"], np.ones((1, 400), np.float32))
    whole = (tmp_path / "s.npy").read_bytes()
    for end in (0, 50, 500):
        (tmp_path / "s.npy").write_bytes(whole[:end])
        with pytest.raises(UserError, match=r"s\.npy: not a whole \.npy file"):
            load_vectors(tmp_path / "s")


def test_a_disk_that_is_full_in_the_middle_leaves_nothing_behind(tmp_path):
    """A limit on the size of files stands for the disk."""
    rows = "".join(f"w{i} {i}.5 " + "1 " * 99 + "\n" for i in range(500))
    (tmp_path / "a.vec").write_text(rows)
    code = """if True:
        import resource, sys
        from switchrank.embeddings.read import import_vectors
        from switchrank.core.errors import UserError
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        try:
            import_vectors(path="a.vec", out="store")
        except UserError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (
        done.stdout == "store: cannot be written (File too large): free space on the disk, or choose another folder\n"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["a.vec"]
