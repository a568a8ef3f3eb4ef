"""Web addresses in place of paths: each is replaced by the path of the file it becomes, and listed under ``downloads``.

This happens in the plain config before it is checked, so that everything downstream sees paths only. A path has the
same placeholders as its address. The paths are relative, and the addresses keep their ``${NAME}``: nothing of a machine
and no password gets into rules, digests or provenance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from switchrank.config.models import Download
from switchrank.core.errors import UserError
from switchrank.files.addresses import filled, is_address, local_path, placeholders, split_advice

PLACE = re.compile(r"data(/(?!\.)[^/\x00-\x1f]+)+")
"""Where a file may be fetched to: below ``data/``, where nothing is run and no result lies; in no hidden folder."""
MODEL_KEY = re.compile(r"start\.model|(starts|systems)\.[^.]+\.model")
"""Keys that name a folder or a model of a hub."""
_LOCAL = re.compile(rf"testsets\.[^.]+\.pairs|ablation\.rows|{MODEL_KEY.pattern}|run")
"""Places whose files are read before anything can be fetched, or that name no file."""


def with_downloads(data: dict[str, Any], file: str | Path, mistakes: list[UserError]) -> dict[str, Any]:
    """A config mapping in which every address stands under ``downloads``, and its file's path where it stood.

    An address that is wrong, or stands where no address can, is left as it is and put among the mistakes.
    """
    found: dict[str, dict[str, str]] = {}

    def replaced(value: Any, place: str) -> Any:
        if isinstance(value, dict):
            return {key: replaced(part, f"{place}.{key}") for key, part in value.items()}
        if isinstance(value, list):
            return [replaced(part, f"{place}.{number}") for number, part in enumerate(value)]
        if not isinstance(value, str) or not is_address(value):
            return value
        try:
            path = _path_for(value, place)
        except ValueError as error:
            mistakes.append(UserError(file, place, *split_advice(error)))
            return value
        found[path] = {"url": value}
        return path

    given = data.get("downloads", {})
    whole = {key: part if key == "downloads" else replaced(part, str(key)) for key, part in data.items()}
    if found and isinstance(given, dict):
        whole["downloads"] = {**given, **found}
    return whole


def _path_for(address: str, place: str) -> str:
    """The path of the file that an address becomes; ValueError where it is wrong, or none can stand."""
    if _LOCAL.fullmatch(place):
        raise ValueError("a web address where a file of this machine is needed: fetch it and give its path")
    return local_path(address)


def concrete_downloads(downloads: dict[str, Download], inputs: Iterable[str]) -> dict[str, Download]:
    """Downloads without placeholders: those that have none, and one for each input that a path with some matches.

    The first match counts.
    """
    made = {path: download for path, download in downloads.items() if not placeholders(path)}
    templates = [(_pattern(path), download) for path, download in downloads.items() if placeholders(path)]
    for path in inputs:
        for pattern, download in templates:
            match = pattern.fullmatch(path)
            if match:
                made.setdefault(path, download.model_copy(update={"url": filled(download.url, match.groupdict())}))
    return made


def _pattern(template: str) -> re.Pattern[str]:
    """What a path with placeholders matches: each stands for the same text wherever it stands, and not for ``..``."""
    seen: set[str] = set()
    pieces = []
    for number, piece in enumerate(re.split(r"\{(\w+)\}", template)):
        if number % 2 == 0:
            pieces.append(re.escape(piece))
        else:
            pieces.append(f"(?P={piece})" if piece in seen else f"(?P<{piece}>(?!\\.)[^/]+?)")
            seen.add(piece)
    return re.compile("".join(pieces))
