"""Downloads: a file from a web address, checked and whole, or one line that says why not."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from switchrank.atomic import atomic_path
from switchrank.errors import UserError


def fetch_file(*, url: str, out: str | Path, sha256: str | None = None) -> None:
    """Download ``url`` to ``out`` with a progress bar; the file appears whole or not at all.

    Args:
        url: ``http``, ``https``, ``ftp`` or ``sftp`` address, as pooch takes them.
        out: the file to write.
        sha256: of the file; without it any content is taken.

    Raises:
        UserError: the address cannot be read, or the file has another checksum.
    """
    import pooch
    import requests

    with atomic_path(out) as temporary, tempfile.TemporaryDirectory(dir=temporary.parent) as folder:
        try:
            got = pooch.retrieve(
                url,
                known_hash=None if sha256 is None else f"sha256:{sha256}",
                fname="download",
                path=folder,
                progressbar=True,
            )
        except ValueError as error:  # pooch says so of a wrong checksum, and of an address it does not know
            problem = str(error).splitlines()[0]
            raise UserError(url, "", problem, "correct the address or its sha256") from error
        except (requests.RequestException, OSError) as error:
            problem = f"cannot be read ({str(error).splitlines()[0][:160]})"
            raise UserError(url, "", problem, f"check the network, or put the file at {out} yourself") from error
        shutil.move(got, temporary)
