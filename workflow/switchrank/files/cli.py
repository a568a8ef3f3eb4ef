"""``switchrank sources fetch`` and ``unpack``: downloads by hand, and ahead of a run for machines without a network."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.core.outputs import writes
from switchrank.files.addresses import SEND

_FETCH = """\
Fetch one file, or all files that a config names by web address, before a run on machines that have no network.

An address is https://host/path or hf://name@revision/path (datasets; models: hf://models/name@...). It may end in
!member, a file inside a zip or tar archive, and in #sha256=<64 hex digits>. Passwords and tokens are written as ${NAME}
and come from the environment, where SWITCHRANK_SEND or --send lists them; none goes over plain http. HF_TOKEN is sent
to the Hugging Face hub, ~/.netrc is read for other hosts. Each address is kept once under SWITCHRANK_CACHE
(~/.cache/switchrank); a broken download goes on where it stopped.
"""
_EXAMPLES = """\
examples:
  switchrank sources fetch https://dl.fbaipublicfiles.com/arrival/vectors/wiki.multi.de.vec --out wiki.multi.de.vec
  switchrank sources fetch hf://miracl/miracl@main/README.md --out README.md
  switchrank sources fetch --config config/paper.yaml --list
"""


def register_downloads(commands: Any) -> None:
    """Add the subcommands ``fetch`` and ``unpack``."""
    fetch = commands.add_parser(
        "fetch",
        help="fetch a file, or everything that a config needs from the web",
        description=_FETCH,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fetch.add_argument("address", nargs="?", metavar="ADDRESS", help="what to fetch, with --out")
    fetch.add_argument("--out", metavar="FILE", help="where the file goes")
    fetch.add_argument("--sha256", metavar="HEX", help="its checksum")
    fetch.add_argument("--config", metavar="FILE", type=Path, help="instead: everything this config names")
    fetch.add_argument("--send", metavar="NAME[,NAME]", help="environment variables that the addresses may send")
    fetch.add_argument("--list", action="store_true", help="with --config: tell what would be fetched, and stop")
    writes(fetch, "out")
    fetch.set_defaults(run=_fetch)
    unpack = commands.add_parser(
        "unpack",
        help="unpack a zip or tar archive without trust",
        description="Unpack a zip or tar archive: nothing lands outside the folder, and sizes are limited.",
    )
    unpack.add_argument("archive", metavar="ARCHIVE", help="a zip or tar file, plain, gzip, bzip2 or xz")
    unpack.add_argument("--out", required=True, metavar="FOLDER", help="folder to write")
    unpack.add_argument(
        "--limit", type=int, metavar="BYTES", help="largest sum of sizes (1 GiB or 200 times the archive)"
    )
    writes(unpack, folder="an unpacked archive")
    unpack.set_defaults(run=_unpack)


def _fetch(arguments: argparse.Namespace) -> None:
    if arguments.send:
        os.environ[SEND] = ",".join(filter(None, [os.environ.get(SEND), arguments.send]))
    one = [arguments.address, arguments.out, arguments.sha256]
    if arguments.config and not any(one):
        _fetch_config(arguments.config, only_list=arguments.list)
    elif arguments.address and arguments.out and not arguments.config and not arguments.list:
        from switchrank.files.fetched import fetch_file

        sha256 = arguments.sha256.lower() if arguments.sha256 else None
        fetch_file(url=arguments.address, out=arguments.out, sha256=sha256, copy=True)
    else:
        raise UserError(
            "command line", "", "neither one file nor a config", "give ADDRESS and --out, or --config alone"
        )


def _fetch_config(file: Path, *, only_list: bool) -> None:
    from switchrank.config.load import load_config
    from switchrank.config.plan import Plan
    from switchrank.files.fetch_ahead import fetch_all, listed

    plan = Plan(load_config(file, os.environ), [Path.cwd(), file.parent.parent])
    wanted = {path: download.plain() for path, download in plan.downloads.items()}
    for line in listed(wanted):
        print(line, flush=True)
    if not only_list:
        fetch_all(wanted, file)


def _unpack(arguments: argparse.Namespace) -> None:
    from switchrank.files.unpack import unpack

    names = unpack(arguments.archive, arguments.out, limit=arguments.limit, overwrite=arguments.overwrite)
    print(f"{arguments.out}: {len(names):,} files")
