"""``switchrank sources fetch`` and ``unpack``: downloads by hand, and ahead of a run for machines without a network."""

import os
from pathlib import Path

from switchrank.core.command import Command
from switchrank.core.errors import UserError
from switchrank.files.addresses import SEND


def fetch(
    *,
    address: str | None = None,
    out: str | None = None,
    sha256: str | None = None,
    config: Path | None = None,
    send: str | None = None,
    only_list: bool = False,
) -> None:
    """Fetch a file, or everything that a config needs from the web.

    An address is https://host/path or hf://name@revision/path (datasets; models: hf://models/name@...). It may end in
    !member, a file inside a zip or tar archive, and in #sha256=<64 hex digits>. Passwords and tokens are written as
    ${NAME} and come from the environment, where SWITCHRANK_SEND or --send lists them; none goes over plain http.
    HF_TOKEN is sent to the Hugging Face hub, ~/.netrc is read for other hosts. Each address is kept once under
    SWITCHRANK_CACHE (~/.cache/switchrank); a broken download goes on where it stopped.

    Args:
        address: what to fetch, with --out.
        out: where the file goes.
        sha256: its checksum.
        config: instead: everything this config names.
        send: environment variables that the addresses may send.
        only_list: with --config: say what would be fetched, and stop.
    """
    if send:
        os.environ[SEND] = ",".join(filter(None, [os.environ.get(SEND), send]))
    from switchrank.files import fetched

    if address and out and not config and not only_list:
        fetched.fetch_file(url=address, out=out, sha256=sha256.lower() if sha256 else None, copy=True)
        return
    if not config or address or out or sha256:
        todo = "give ADDRESS and --out, or --config alone"
        raise UserError("command line", "", "neither one file nor a config", todo)
    from switchrank.config.load import load_config
    from switchrank.config.plan import Plan

    plan = Plan(load_config(config, os.environ), [Path.cwd(), config.parent.parent])
    wanted = {path: download.plain() for path, download in plan.downloads.items()}
    for line in fetched.described(wanted):
        print(line, flush=True)
    if not only_list:
        fetched.fetch_all(wanted, config)


def unpack(*, archive: str, out: str, limit: int | None = None, overwrite: bool = False) -> None:
    """Unpack a zip or tar archive without trust: nothing lands outside the folder, and sizes are limited.

    Args:
        archive: a zip or tar file, plain, gzip, bzip2 or xz.
        out: folder to write.
        limit: largest sum of sizes (1 GiB or 200 times the archive).
        overwrite: replace the folder whatever it holds.
    """
    from switchrank.files import unpack as archives

    names = archives.unpack(archive, out, limit=limit, overwrite=overwrite)
    print(f"{out}: {len(names):,} files")


DOWNLOADS = {
    "fetch": Command(
        fetch,
        places=["address"],
        flags={"only_list": "list"},
        forms={"out": "FILE", "sha256": "HEX", "config": "FILE", "send": "NAME[,NAME]"},
    ),
    "unpack": Command(
        unpack, folder="an unpacked archive", places=["archive"], forms={"out": "FOLDER", "limit": "BYTES"}
    ),
}
