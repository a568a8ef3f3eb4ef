"""The cache of fetched files: whole, checked, one copy per machine; nothing half-written is taken for whole."""

import gzip
import os
import subprocess
import sys

import pytest
from fetch_server import BODY, QUICK, File, digest

from switchrank.core.errors import UserError
from switchrank.files.fetched import fetch_file, missing_files, offline_error, sources_of

OTHER = BODY[::-1]


def fetch(url, out, **more):
    fetch_file(url=url, out=out, patience=QUICK, **more)


def whole(cache):
    """Names of the files that are taken for whole."""
    return sorted(file.name for file in cache.rglob("*") if file.is_file() and not file.name.startswith("."))


def partial(cache):
    """Names of what is left of unfinished downloads."""
    return sorted(file.name for file in cache.rglob("*.part*"))


def test_a_file_arrives_whole_and_checked(server, cache, tmp_path):
    server.files["/a.tsv"] = File()
    fetch(f"{server.url}/a.tsv#sha256={digest(BODY)}", tmp_path / "deep" / "a.tsv")
    assert (tmp_path / "deep" / "a.tsv").read_bytes() == BODY
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["a.tsv"]
    assert whole(cache) == ["a.tsv"]
    assert partial(cache) == []


def test_a_second_run_in_another_folder_asks_nobody_and_shares_the_copy(server, cache, tmp_path):
    server.files["/a.tsv"] = File()
    for folder in ("one", "two"):
        fetch(f"{server.url}/a.tsv", tmp_path / folder / "a.tsv")
    assert len(server.asked) == 1
    stored = next(cache.rglob("a.tsv"))
    assert [(tmp_path / folder / "a.tsv").readlink() for folder in ("one", "two")] == [stored, stored]


def test_a_copy_that_is_asked_for_shares_nothing_with_the_cache(server, cache, tmp_path):
    server.files["/a.tsv"] = File()
    fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv", copy=True)
    assert not os.path.samefile(next(cache.rglob("a.tsv")), tmp_path / "a.tsv")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_local_copy_is_taken_packed_or_not_and_nobody_is_asked(pack, server, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_DATA", str(tmp_path))
    (tmp_path / "mine").write_bytes(pack(BODY))
    wanted = {"url": f"{server.url}/a.tsv", "sha256": digest(BODY), "local": "${MY_DATA}/mine"}
    assert missing_files({str(tmp_path / "a.tsv"): wanted}) == []
    fetch(**wanted, out=tmp_path / "a.tsv")
    assert (tmp_path / "a.tsv").readlink() == tmp_path / "mine"
    assert server.asked == []
    assert whole(cache) == []


@pytest.mark.parametrize("environment", [{}, {"MY_DATA": ""}, {"MY_DATA": "/nowhere"}])
def test_without_a_local_copy_the_address_is_asked(environment, server, tmp_path, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    server.files["/a.tsv"] = File()
    wanted = {"url": f"{server.url}/a.tsv", "local": "${MY_DATA}/mine"}
    assert missing_files({str(tmp_path / "a.tsv"): wanted}) == [str(tmp_path / "a.tsv")]
    fetch(**wanted, out=tmp_path / "a.tsv")
    assert (tmp_path / "a.tsv").read_bytes() == BODY


def test_a_local_copy_of_something_else_is_one_line(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_DATA", str(tmp_path))
    (tmp_path / "mine").write_bytes(OTHER)
    told = rf"mine: the copy has sha256 {digest(OTHER)}, not {digest(BODY)}: put the right file there, or move this one"
    with pytest.raises(UserError, match=told):
        fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv", sha256=digest(BODY), local="${MY_DATA}/mine")
    assert not (tmp_path / "a.tsv").exists()


def test_a_changed_copy_in_the_cache_is_fetched_again_and_a_touched_one_is_not(server, cache, tmp_path):
    server.files["/a.tsv"] = File()
    fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    os.utime(next(cache.rglob("a.tsv")), (1, 1))
    fetch(f"{server.url}/a.tsv", tmp_path / "b.tsv")
    assert len(server.asked) == 1
    next(cache.rglob("a.tsv")).write_bytes(OTHER)
    fetch(f"{server.url}/a.tsv", tmp_path / "c.tsv")
    assert len(server.asked) == 2
    assert (tmp_path / "c.tsv").read_bytes() == BODY


def test_another_checksum_than_that_of_the_copy_asks_the_server_again(server, tmp_path):
    server.files["/a.tsv"] = File(steps=[{"body": OTHER}])
    fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    fetch(f"{server.url}/a.tsv", tmp_path / "b.tsv", sha256=digest(BODY))
    assert (tmp_path / "a.tsv").read_bytes() == OTHER
    assert (tmp_path / "b.tsv").read_bytes() == BODY


def test_a_wrong_checksum_is_one_line_and_leaves_nothing(server, cache, tmp_path):
    server.files["/a.tsv"] = File()
    with pytest.raises(UserError, match=f"sha256 {digest(BODY)}, not 0000") as caught:
        fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv", sha256="0" * 64)
    assert "\n" not in str(caught.value)
    assert len(server.asked) == 1
    assert whole(cache) == partial(cache) == []
    assert not (tmp_path / "a.tsv").exists()


def test_pieces_of_two_versions_are_noticed_by_the_checksum_and_fetched_again(server, tmp_path):
    half = len(BODY) // 2
    server.files["/a.tsv"] = File(etag=None, body=OTHER, steps=[{"body": BODY, "piece": half}])
    fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv", sha256=digest(OTHER))
    assert (tmp_path / "a.tsv").read_bytes() == OTHER
    assert server.headers("Range") == [None, f"bytes={half}-", None]


def test_a_download_that_was_given_up_goes_on_where_it_stopped(server, cache, tmp_path):
    half = len(BODY) // 2
    server.files["/a.tsv"] = File(steps=[{"piece": half}, *[{"status": 503}] * 3])
    with pytest.raises(UserError, match=r"503\): check the network and start again: what has come is kept"):
        fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    assert partial(cache) == [".a.tsv.part", ".a.tsv.part.json"]
    assert whole(cache) == []
    fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    assert (tmp_path / "a.tsv").read_bytes() == BODY
    assert server.headers("Range")[-1] == f"bytes={half}-"


def test_a_whole_body_whose_process_died_before_it_was_published_is_not_fetched_again(
    server, cache, tmp_path, monkeypatch
):
    server.files["/a.tsv"] = File()
    with monkeypatch.context() as patched:
        patched.setattr("switchrank.files.transfer.check_content", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    assert whole(cache) == []
    fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    assert len(server.asked) == 1
    assert (tmp_path / "a.tsv").read_bytes() == BODY


def _interrupt(*_):
    raise KeyboardInterrupt


def test_the_checksum_that_the_hub_tells_of_a_large_file_is_checked(server, other_server, tmp_path):
    told = {"Location": f"{other_server.url}/blob", "X-Linked-Etag": f'"{digest(OTHER)}"'}
    server.files["/a.tsv"] = File(status=302, headers=told)
    other_server.files["/blob"] = File()
    with pytest.raises(UserError, match="sha256"):
        fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    other_server.files["/blob"] = File(body=OTHER)
    fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    assert (tmp_path / "a.tsv").read_bytes() == OTHER


@pytest.mark.parametrize(
    ("path", "file", "problem"),
    [
        ("/a.tsv", File(body=b"\n <!DOCTYPE html><title>Sign in</title>"), r"a web page \(HTML\)"),
        ("/a.tsv", File(body=b"<p>moved</p>", headers={"Content-Type": "text/html"}), r"a web page \(HTML\)"),
        ("/a.json.gz", File(body=b'{"error": 1}'), "not gzip"),
        ("/a.xz", File(body=b"PK\3\4"), "not xz"),
        ("/a.bz2", File(body=b"\x1f\x8b"), "not bzip2"),
        ("/a.zip", File(body=b"zip"), "not zip"),
        ("/a.parquet", File(body=b"PAR2"), "not Parquet"),
        ("/a.tsv", File(body=b"version https://git-lfs.github.com/spec/v1\noid sha256:0"), "Git LFS pointer"),
        ("/a.tsv", File(body=b""), "empty file"),
        ("/a.tsv", File(headers={"Content-Encoding": "br"}), "encoded as br"),
    ],
)
def test_something_else_in_place_of_data_is_one_line_and_leaves_nothing(server, cache, tmp_path, path, file, problem):
    server.files[path] = file
    with pytest.raises(UserError, match=problem) as caught:
        fetch(f"{server.url}{path}", tmp_path / "a")
    assert "\n" not in str(caught.value)
    assert path in str(caught.value)
    assert whole(cache) == partial(cache) == []
    assert not (tmp_path / "a").exists()


def test_a_login_page_in_answer_to_the_rest_of_a_file_does_not_cost_what_has_come(server, tmp_path):
    page = {"body": b"<html>sign in", "etag": None}
    half = len(BODY) // 2
    server.files["/a.tsv"] = File(steps=[{"piece": half}, page])
    with pytest.raises(UserError, match="HTML"):
        fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    assert server.headers("Range") == [None, f"bytes={half}-", f"bytes={half}-"]
    assert (tmp_path / "a.tsv").read_bytes() == BODY


def test_markup_that_is_asked_for_is_taken(server, tmp_path):
    for path, body in {"/a.xml": b"<?xml version='1.0'?><TEI/>", "/a.html": b"<html></html>"}.items():
        server.files[path] = File(body=body)
        fetch(f"{server.url}{path}", tmp_path / path[1:])
        assert (tmp_path / path[1:]).read_bytes() == body


def test_a_gzip_file_that_the_server_calls_encoded_stays_as_it_is(server, tmp_path):
    packed = gzip.compress(BODY)
    server.files["/a.tsv.gz"] = File(body=packed, headers={"Content-Encoding": "gzip"})
    fetch(f"{server.url}/a.tsv.gz", tmp_path / "a.tsv.gz", sha256=digest(packed))
    assert (tmp_path / "a.tsv.gz").read_bytes() == packed


def test_a_disk_that_fills_in_the_middle_is_one_line(server, cache, tmp_path):
    server.files["/a.tsv"] = File()
    fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    stored = next(cache.rglob("a.tsv"))
    stored.unlink()
    (stored.parent / ".a.tsv.part").symlink_to("/dev/full")
    with pytest.raises(UserError, match="the disk is full: make room") as caught:
        fetch(f"{server.url}/a.tsv", tmp_path / "b.tsv")
    assert "\n" not in str(caught.value)
    assert whole(cache) == []
    assert not (tmp_path / "b.tsv").exists()


def test_a_file_larger_than_the_disk_is_not_begun(server, cache, tmp_path, monkeypatch):
    server.files["/a.tsv"] = File()
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(UserError, match=r"needs 0\.00 GB, and 0\.00 GB are free .*SWITCHRANK_CACHE"):
        fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    assert whole(cache) == partial(cache) == []


def test_a_cache_that_cannot_be_made_is_one_line(server, tmp_path, monkeypatch):
    server.files["/a.tsv"] = File()
    (tmp_path / "file").touch()
    monkeypatch.setenv("SWITCHRANK_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match=r"cannot be written \(Not a directory\).*SWITCHRANK_CACHE"):
        fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")


def test_two_processes_at_once_fetch_one_file_once(server, tmp_path):
    server.files["/a.tsv"] = File(piece=len(BODY) // 4)
    code = "import sys; from switchrank.files.fetched import fetch_file; fetch_file(url=sys.argv[1], out=sys.argv[2])"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, f"{server.url}/a.tsv", str(tmp_path / name)], stderr=subprocess.PIPE
        )
        for name in ("one", "two")
    ]
    told = [process.communicate(timeout=60)[1].decode() for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes() == BODY
    assert server.headers("Range").count(None) == 1


def test_a_file_system_without_locks_still_fetches(server, cache, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    server.files["/a.tsv"] = File()
    fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    assert whole(cache) == ["a.tsv"]
    assert partial(cache) == []


@pytest.mark.parametrize("variable", ["SWITCHRANK_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_asks_nobody_and_tells_all_files_that_are_missing_at_once(
    server, cache, tmp_path, monkeypatch, variable
):
    server.files["/a.tsv"] = File()
    fetch(f"{server.url}/a.tsv", tmp_path / "a.tsv")
    monkeypatch.setenv(variable, "1")
    monkeypatch.chdir(tmp_path)
    wanted = {f"data/{name}.tsv": {"url": f"{server.url}/{name}.tsv"} for name in "abcd"}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "d.tsv").touch()
    missing = missing_files(wanted)
    assert missing == ["data/b.tsv", "data/c.tsv"]
    told = str(offline_error("my.yaml", sources_of(wanted, missing)))
    assert told.startswith("my.yaml: offline, and 2 files are missing: put each at its path")
    assert told.splitlines()[1:] == [f"  data/{name}.tsv  from  {server.url}/{name}.tsv" for name in "bc"]
    fetch(f"{server.url}/a.tsv", "data/a.tsv")
    with pytest.raises(UserError, match=r"offline, and the file is missing: put it at data/b\.tsv"):
        fetch(f"{server.url}/b.tsv", "data/b.tsv")
    assert len(server.asked) == 1
    assert cache.is_dir()


def test_a_file_put_into_the_cache_by_hand_is_taken_if_it_is_the_right_one(server, cache, tmp_path, monkeypatch):
    wanted = {"url": f"{server.url}/a.tsv", "sha256": digest(BODY)}
    server.files["/a.tsv"] = File()
    fetch(**wanted, out=tmp_path / "a.tsv")
    for file in cache.rglob(".a.tsv.*"):
        file.unlink()
    monkeypatch.setenv("SWITCHRANK_OFFLINE", "1")
    assert missing_files({"b.tsv": wanted}) == []
    fetch(**wanted, out=tmp_path / "b.tsv")
    assert (tmp_path / "b.tsv").read_bytes() == BODY
    next(cache.rglob("a.tsv")).write_bytes(OTHER)
    with pytest.raises(UserError, match="offline, and the file is missing"):
        fetch(**wanted, out=tmp_path / "c.tsv")
