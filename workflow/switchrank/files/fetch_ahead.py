"""Everything a run needs from the web, told and fetched before it starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.files.addresses import parse_address, shown
from switchrank.files.fetched import fetch_file, is_offline, missing_files, offline_error
from switchrank.files.session import length_of
from switchrank.files.transfer import Patience

_AT_ONCE = 8
_TIMEOUT = 10.0


def listed(wanted: Mapping[str, Any]) -> Iterator[str]:
    """A line for each file: tab-separated, its state (``here``, ``cached``, or bytes to fetch), path and address.

    Lengths are as servers tell them without sending the file, ``unknown`` where they do not. The last line is the sum.

    Args:
        wanted: the arguments of :func:`fetch_file` by path.
    """
    missing = missing_files(wanted)
    lengths = {} if is_offline(os.environ) else _lengths([parse_address(wanted[path]["url"]).url for path in missing])
    total, unknown = 0, 0
    for path, given in wanted.items():
        state = "here" if Path(path).exists() else "cached"
        if path in missing:
            length = lengths.get(parse_address(given["url"]).url)
            total, unknown = total + (length or 0), unknown + (length is None)
            state = "unknown" if length is None else f"{length:,}"
        yield f"{state}\t{path}\t{shown(given['url'])}"
    more = f", and {unknown} of unknown length" if unknown else ""
    yield f"{len(missing)} of {len(wanted)} files to fetch: {total:,} bytes{more}"


def _lengths(addresses: list[str]) -> dict[str, int | None]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(addresses, pool.map(lambda url: length_of(url, timeout=_TIMEOUT), addresses), strict=True))


def fetch_all(wanted: Mapping[str, Any], config: Path, patience: Patience | None = None) -> None:
    """Fetch every file that is not there; one that cannot be had does not stop the others.

    Args:
        wanted: the arguments of :func:`fetch_file` by path.
        config: the config that names them, for the message.
        patience: how long each is tried.

    Raises:
        UserError: a file could not be fetched; each is told on standard error.
    """
    missing = missing_files(wanted)
    if missing and is_offline(os.environ):
        raise offline_error(config, wanted, missing)
    failed = 0
    for path, given in wanted.items():
        if Path(path).exists():
            continue
        try:
            fetch_file(**given, out=path, patience=patience)
        except UserError as error:
            failed += 1
            print(error, file=sys.stderr, flush=True)
    if failed:
        problem = f"{failed} of {len(wanted)} files could not be fetched"
        raise UserError(config, "downloads", problem, "see the lines above; what has come is kept")
