"""Where compiled code is kept: in one folder for all processes, the one a user chose first; none is no failure."""

import os
import subprocess
import sys
import time

import pytest
from filelock import FileLock

from switchrank.core import cache
from switchrank.core.cache import compiled_code

SCORE = """
import polars as pl
from switchrank.evaluate.score import metric_values
found = pl.DataFrame({"query": [0], "number": [0], "place": [1]})
relevant = pl.DataFrame({"query": [0], "number": [0], "relevance": [1]})
print(metric_values(["mrr@10", "map"], found, relevant, 1)["mrr@10"].tolist())
"""


def start(cache, **environment):
    """A process that scores one ranking."""
    clean = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    variables = clean | {"SWITCHRANK_CACHE": str(cache), **environment}
    return subprocess.Popen(
        [sys.executable, "-c", SCORE], env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def written(folder):
    """What compiled files are there, and when each was last written."""
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*.nb[ic]")}


@pytest.mark.slow
def test_of_processes_that_start_together_one_compiles_and_all_load_what_it_made(tmp_path):
    together = [start(tmp_path) for _ in range(3)]
    said = [process.communicate() for process in together]
    assert said == [("[1.0]\n", "")] * 3
    made = written(tmp_path / "numba")
    assert [path.name for path in made if "_ndcg_parallel" in path.name and path.name.endswith(".1.nbc")]
    assert not [path for path in made if ".2." in path.name]
    assert start(tmp_path).communicate() == ("[1.0]\n", "")
    assert written(tmp_path / "numba") == made


@pytest.mark.slow
def test_scores_without_a_folder_that_can_be_written(tmp_path):
    """As in a read-only installation whose user has no home: numba itself would fail at the import."""
    (tmp_path / "file").touch()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    out, told = start(tmp_path / "file", TMPDIR=str(temporary)).communicate()
    assert out == "[1.0]\n"
    assert told.startswith(f"{tmp_path / 'file' / 'numba'}: cannot be written")
    assert told.count("\n") == 1
    assert list(temporary.iterdir()) == []


def test_the_folder_that_a_user_gives_numba_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("SWITCHRANK_CACHE", str(tmp_path / "ours"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "theirs"))
    with compiled_code() as folder:
        import numba

        assert folder == tmp_path / "theirs"
        assert str(folder) == numba.config.CACHE_DIR
    assert not (tmp_path / "ours").exists()


def test_a_lock_that_is_never_given_back_costs_some_waiting_only(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(cache, "_PATIENCE", 0.2)
    with FileLock(tmp_path / ".lock"):
        begun = time.monotonic()
        with compiled_code() as folder:
            assert folder == tmp_path
        assert 0.2 <= time.monotonic() - begun < 10


def test_the_lock_is_given_back_when_what_is_compiled_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    with pytest.raises(ImportError), compiled_code():
        raise ImportError
    FileLock(tmp_path / ".lock").acquire(timeout=0)
