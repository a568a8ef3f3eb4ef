"""Where the weights of a model come from, and under what licence: what records and model cards tell.

A licence is told as its model card states it, and travels to all that is made from the weights. None is guessed.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.core.offline import is_offline
from switchrank.models.folder import ORIGIN_RECORD, START_RECORD, TRAINING_RECORD, is_folder, read_object

CARD = "README.md"
NOT_STATED = "not stated"
_INHERITED = ("model", "preset", "licence", "base_model", "trained")
_NON_COMMERCIAL = re.compile(r"(?<![a-z0-9])nc(?![a-z0-9])|non[- ]?commercial", re.IGNORECASE)
_UNKNOWN = re.compile(rf"(^|, )({NOT_STATED}|unknown|other)\b", re.IGNORECASE)
_NAMED = re.compile(r"other \((.*)\)", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)


def origin_of(model: str | Path) -> dict[str, Any]:
    """What a record tells of a model from elsewhere, a folder or a hub name.

    That is its ``origin.json`` where it is a known model, else ``model``, its name (a folder's without what is before
    it), and ``licence``: that of its model card, or for a model of ours that of the weights it was made from; none for
    one from scratch. ``base_model`` is the hub's name of these weights, if there is one.
    """
    if not is_folder(model):
        return {"model": str(model), "licence": _licence(_fetched_card(str(model))), "base_model": str(model)}
    folder = Path(model)
    if (folder / ORIGIN_RECORD).is_file():
        return read_object(folder / ORIGIN_RECORD)
    if _record(folder) is not None:
        found = inherited(folder)
        known = {} if "preset" in found else {"licence": NOT_STATED}
        return known | found | {"model": folder.resolve().name}
    repository = _repository(folder.resolve())
    told = {"model": repository or folder.resolve().name, "licence": _licence(folder / CARD)}
    return told | ({"base_model": repository} if repository else {})


def start_record(folder: Path) -> dict[str, Any]:
    """What a model made from that of a folder tells of it: its ``start.json``, else what it inherits, if anything."""
    file = folder / START_RECORD
    return read_object(file) if file.is_file() else inherited(folder)


def inherited(folder: Path) -> dict[str, Any]:
    """What is told of the weights from elsewhere that a model of ours was made from, at any number of steps before.

    That is ``model``, ``licence`` and ``base_model``, or ``preset`` where there are none, and ``trained`` where one of
    these steps was a training. Empty for a folder that is not ours.
    """
    told = _record(folder) or {}
    return {key: told[key] for key in _INHERITED if key in told}


def caution(licence: str) -> str:
    """Why weights under a licence may not be used for anything: ``non-commercial`` or ``unknown``; else empty.

    A licence of a name of its own (``other``) counts as unknown.
    """
    if _NON_COMMERCIAL.search(licence):
        return "non-commercial"
    return "unknown" if _UNKNOWN.search(licence) else ""


def card_metadata(told: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a model card's front matter for weights with such a record, as the hub names them.

    Weights from scratch have none: what licence they get is for their makers to say.
    """
    model = {"base_model": told["base_model"]} if "base_model" in told else {}
    if "licence" not in told:
        return model
    if named := _NAMED.fullmatch(told["licence"]):
        return {"license": "other", "license_name": named[1]} | model
    licence = str(told["licence"]).lower()
    every = licence.split(", ")
    return {"license": "unknown" if licence == NOT_STATED else every if len(every) > 1 else licence} | model


def front_matter(told: Mapping[str, Any]) -> str:
    """The same as lines of a card."""
    import yaml

    metadata = card_metadata(told)
    return yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True) if metadata else ""


def _record(folder: Path) -> dict[str, Any] | None:
    """What a model of ours tells of its start; None for a folder that is not ours, whatever its ``train.json`` is."""
    if (folder / START_RECORD).is_file():
        return read_object(folder / START_RECORD)
    try:
        start = read_object(folder / TRAINING_RECORD).get("start")
    except UserError:
        return None
    return {**start, "trained": True} if isinstance(start, dict) else None


def _repository(folder: Path) -> str | None:
    """The name on the hub of a folder in the hub's cache, ``models--owner--name/snapshots/<commit>``."""
    kind, *name = folder.parent.parent.name.split("--")
    return "/".join(name) if (folder.parent.name, kind) == ("snapshots", "models") else None


def _fetched_card(name: str) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(hf_hub_download(name, CARD, local_files_only=is_offline()))
    except (OSError, ValueError, HfHubHTTPError, HFValidationError):
        return None


def _licence(card: Path | None) -> str:
    """The licence that a model card states in its front matter; several between commas, another one with its name."""
    stated = _front_matter(card) if card and card.is_file() else {}
    given = stated.get("license")
    every = [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, str) and one.strip()]
    name = stated.get("license_name")
    more = f" ({' '.join(name.split())})" if every == ["other"] and isinstance(name, str) else ""
    return ", ".join(" ".join(one.split()) for one in every) + more if every else NOT_STATED


def _front_matter(card: Path) -> dict[str, Any]:
    import yaml

    text = card.read_text(encoding="utf-8", errors="replace")
    found = _FRONT_MATTER.match(text)
    try:
        stated = yaml.safe_load(found[1]) if found else None
    except (yaml.YAMLError, ValueError, RecursionError):
        stated = None
    return stated if isinstance(stated, dict) else {}
