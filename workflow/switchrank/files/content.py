"""What a fetched file must not be: an error page, a pointer, or of another format than its suffix says."""

import re
from pathlib import Path

from switchrank.core.errors import UserError

HEAD = 1024
"""Bytes at the start of a file that tell what it is."""
PAGE = ("a web page (HTML) in place of the file", "open the address in a browser: it may want a login, or have moved")
_MAGIC = {
    ".gz": (b"\x1f\x8b", "gzip"),
    ".tgz": (b"\x1f\x8b", "gzip"),
    ".bz2": (b"BZh", "bzip2"),
    ".xz": (b"\xfd7zXZ\x00", "xz"),
    ".zst": (b"\x28\xb5\x2f\xfd", "Zstandard"),
    ".zip": (b"PK", "zip"),
    ".parquet": (b"PAR1", "Parquet"),
}
_PAGE = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.I | re.S)
_POINTER = b"version https://git-lfs.github.com/spec/"


def is_page(head: bytes, content_type: str, name: str) -> bool:
    """Whether the start of a body is a web page though the file's name promises something else."""
    if name.lower().endswith((".html", ".htm", ".xhtml")):
        return False
    head = head.removeprefix(b"\xef\xbb\xbf")
    said = content_type.partition(";")[0].strip().lower() in {"text/html", "application/xhtml+xml"}
    return _PAGE.match(head) is not None or (said and head.lstrip().startswith(b"<"))


def check_content(path: Path, name: str, address: str) -> None:
    """Raise UserError where a fetched file is empty, a web page, a Git LFS pointer, or not what its ``name`` says."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if not head:
        raise UserError(address, "", "the server sent an empty file", "correct the address, or try again later")
    if is_page(head, "", name):
        raise UserError(address, "", *PAGE)
    if head.startswith(_POINTER):
        problem = "a Git LFS pointer in place of the file"
        raise UserError(address, "", problem, "give the address of the file itself (/resolve/ or /media/, not /raw/)")
    magic, kind = _MAGIC.get(Path(name).suffix.lower(), (b"", ""))
    if not head.startswith(magic):
        raise UserError(address, "", f"not {kind}, as its name says", "correct the address, or try again later")
