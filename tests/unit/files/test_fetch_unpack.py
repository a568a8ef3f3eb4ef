"""Archives that want out of their folder or fill the disk: one line, and nothing written."""

import io
import stat
import tarfile
import zipfile

import pytest
from fetch_server import QUICK, File
from hypothesis import given
from hypothesis import strategies as st

from switchrank.core.errors import UserError
from switchrank.core.ownership import RECORD
from switchrank.files.fetched import fetch_file
from switchrank.files.unpack import unpack

FILES = {"a.tsv": b"1\tone\n", "deep/er/b.tsv": b"2\ttwo\n" * 1000, "leer": b""}


def zipped(files, packing=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", packing) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return packed.getvalue()


def tarred(files, mode="w", change=lambda info: info, form=tarfile.PAX_FORMAT):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode, format=form) as archive:
        for name, body in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(change(info), io.BytesIO(body))
    return packed.getvalue()


def linked(info):
    info.type, info.linkname, info.size = tarfile.SYMTYPE, "/etc/hosts", 0
    return info


def zip_link():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/hosts")
    return packed.getvalue()


def unpack_or_error(archive, out):
    """The one line that says why an archive was not unpacked, if it was not."""
    try:
        unpack(archive, out)
    except UserError as raised:
        line = str(raised)
    else:
        return None
    assert "\n" not in line
    return line


def read(folder):
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != RECORD]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


@pytest.mark.parametrize("packed", [zipped(FILES), *(tarred(FILES, f"w:{kind}") for kind in ("", "gz", "bz2", "xz"))])
def test_an_archive_is_told_by_content_and_unpacked_whole(tmp_path, packed):
    (tmp_path / "archive").write_bytes(packed)
    assert unpack(tmp_path / "archive", tmp_path / "out") == list(FILES)
    assert read(tmp_path / "out") == FILES


@pytest.mark.parametrize(
    ("packed", "problem"),
    [
        (zipped({"a": b"", "../b": b"1"}), "a name that leads elsewhere"),
        (zipped({"/etc/x": b"1"}), "a name that leads elsewhere"),
        (zipped({"@": b"1"}).replace(b"@", b"\0"), "a name that leads elsewhere"),
        (zipped({"C:/x": b"1"}), "a name that leads elsewhere"),
        (zipped({"a\\..\\b": b"1"}), "a name that leads elsewhere"),
        (tarred({"a/../../b": b"1"}), "a name that leads elsewhere"),
        (tarred({"/etc/x": b"1"}), "a name that leads elsewhere"),
        (tarred({"a": b""}, change=linked), "a link or device"),
        (zip_link(), "a link or device"),
        (tarred({"a": b"1", "./a": b"2"}), "a name that stands twice"),
        (zipped({"a": b"1", "a/b": b"2"}), "cannot be unpacked"),
        (zipped({"a": bytes(20_000)}), "more than 10,000 bytes"),
        (tarred({"a": bytes(20_000)}, "w:gz"), "more than 10,000 bytes"),
        (zipped({f"{n}": bytes(2_000) for n in range(6)}), "more than 10,000 bytes"),
        (zipped(FILES)[:-30], "neither zip nor tar, or broken"),
        (zipped(FILES, zipfile.ZIP_STORED).replace(b"1\tone", b"1\tOne"), "cannot be unpacked .Bad CRC-32"),
        (tarred(FILES, "w:gz")[:-20], "cannot be unpacked"),
        (tarred(FILES)[: 512 * 2], "truncated: it ends without the mark of its end"),
        (tarred(FILES)[: 512 * 4], "cannot be unpacked"),
        (b"<html>", "neither zip nor tar"),
        (b"", "neither zip nor tar"),
    ],
)
def test_a_dangerous_or_broken_archive_is_one_line_and_leaves_nothing(tmp_path, packed, problem):
    (tmp_path / "archive").write_bytes(packed)
    with pytest.raises(UserError, match=problem) as caught:
        unpack(tmp_path / "archive", tmp_path / "in" / "out", limit=10_000)
    assert "\n" not in str(caught.value)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [tmp_path / "archive"]


def test_a_file_that_is_longer_than_it_declares_is_not_unpacked(tmp_path):
    honest = zipped({"a": bytes(5000)})
    (tmp_path / "lie.zip").write_bytes(honest.replace((5000).to_bytes(4, "little"), (50).to_bytes(4, "little")))
    with pytest.raises(UserError):
        unpack(tmp_path / "lie.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_tar_header_that_would_fill_the_memory_is_refused(tmp_path):
    info = tarfile.TarInfo("a")
    info.type, info.size = tarfile.XHDTYPE, 1 << 32
    (tmp_path / "a.tar").write_bytes(tarred({"first": b""})[:512] + info.tobuf(tarfile.USTAR_FORMAT))
    with pytest.raises(UserError, match="a header that is too long"):
        unpack(tmp_path / "a.tar", tmp_path / "out")


def test_an_encrypted_archive_says_so(tmp_path):
    packed = bytearray(zipped({"a": b"1"}, zipfile.ZIP_STORED))
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        packed[packed.index(mark) + place] |= 1
    (tmp_path / "a.zip").write_bytes(packed)
    with pytest.raises(UserError, match="without a password"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@given(st.sampled_from([zipped(FILES), tarred(FILES), tarred(FILES, "w:gz")]), st.data())
def test_an_archive_with_one_wrong_byte_gives_files_or_one_line(tmp_path_factory, packed, data):
    folder = tmp_path_factory.mktemp("any")
    place = data.draw(st.integers(0, len(packed) - 1))
    changed = packed[:place] + bytes([data.draw(st.integers(0, 255))]) + packed[place + 1 :]
    (folder / "archive").write_bytes(changed)
    unpack_or_error(folder / "archive", folder / "out")
    assert {file.name for file in folder.iterdir()} <= {"archive", "out"}


def test_one_file_of_an_archive_is_fetched_by_its_name(server, tmp_path):
    server.files["/a.zip"] = File(body=zipped(FILES))
    for number, name in enumerate(FILES):
        fetch_file(url=f"{server.url}/a.zip!{name}", out=tmp_path / str(number), patience=QUICK)
        assert (tmp_path / str(number)).read_bytes() == FILES[name]
    assert len(server.asked) == 1
    with pytest.raises(UserError, match=r"nothing: no such file in the archive: it holds a\.tsv, deep/er/b\.tsv, leer"):
        fetch_file(url=f"{server.url}/a.zip!nothing", out=tmp_path / "x", patience=QUICK)
    assert not (tmp_path / "x").exists()
