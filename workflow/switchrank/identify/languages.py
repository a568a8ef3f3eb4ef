"""Languages of data: codes in names and fields, scripts of letters."""

import re
from collections import Counter
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import regex
import yaml

from switchrank.collections.mmarco.names import MMARCO_NAMES

_TABLE: dict[str, dict[str, str]] = {
    name: dict(entry.split("=") if "=" in entry else (entry, entry) for entry in entries.split())
    for name, entries in yaml.safe_load((files(__package__) / "languages.yaml").read_text(encoding="utf-8")).items()
}
ENGLISH_NAMES = _TABLE["english"]
"""English names of languages, capitalised, and their codes."""
_KNOWN = _TABLE["two"] | _TABLE["three"] | _TABLE["alone"]
NAMED = {name: code for code, name in MMARCO_NAMES.items()}
"""What mMARCO calls languages, and their codes."""
_PACKED = re.compile(r"\.(gz|bz2|xz|zip|zst|json|jsonl|tsv|txt|vec|bin|xml|sql|tei|parquet|arrow)$")
_WIKI = re.compile(r"([a-z]{2,3})wiki")
_SCRIPT = {name: regex.compile(rf"\p{{Script={name}}}") for name in _TABLE["scripts"]}
_SAMPLE = 20_000


def code(text: str) -> str:
    """The ISO 639-1 code of a language code (639-3 where there is none), or the empty string."""
    return _KNOWN.get(text.strip().lower().partition("_")[0].partition("-")[0], "")


def codes(found: Iterable[str]) -> list[str]:
    """Known codes, each once, in the order given."""
    return list(dict.fromkeys(known for text in found if (known := code(text))))


def from_name(path: Path) -> list[str]:
    """Languages in the name of a file, or else in that of its folder."""
    return _of_name(path.name) or _of_name(path.resolve().parent.name)


def _of_name(name: str) -> list[str]:
    name = name.lower()
    while _PACKED.search(name):
        name = _PACKED.sub("", name)
    parts = [part for part in re.split(r"[._\-+ ]+", name) if part]
    last = len(parts) - 1
    found = []
    for place, part in enumerate(parts):
        wiki = _WIKI.match(part)
        known = NAMED.get(part) or (_KNOWN.get(wiki[1], "") if wiki else _KNOWN.get(part, ""))
        beside = any(near in _KNOWN for near in parts[max(0, place - 1) : place] + parts[place + 1 : place + 2])
        if known and (part not in _TABLE["words"] or (place == last and place > 0) or beside or not last):
            found.append(known)
    return list(dict.fromkeys(found))


def scripts(texts: Iterable[str]) -> list[str]:
    """Scripts of the letters of a sample, most frequent first, with shares where there are several."""
    sample = " ".join(texts)[:_SAMPLE]
    counts = Counter({name: len(pattern.findall(sample)) for name, pattern in _SCRIPT.items()})
    total = counts.total()
    shares = [(name, number / total) for name, number in counts.most_common() if total and number >= 0.05 * total]
    return [name if len(shares) == 1 else f"{name} {share:.0%}" for name, share in shares]
