"""TEI dictionaries, as FreeDict publishes them: headwords and translations of every entry.

Read are TEI P5 with or without namespace (``cit[@type="trans"]/quote``, or equivalents in ``def``) and P4
(``trans/tr``); see https://github.com/freedict/fd-dictionaries/wiki/FreeDict-HOWTO. Notes, references and what stands
in round or square brackets are no translations; several equivalents in one ``def`` are parted by commas or semicolons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from switchrank.core.errors import UserError
from switchrank.files.xml_stream import read_elements

_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_BETWEEN = re.compile(r"[,;]")
_PASSED_OVER = {"note", "xr", "usg", "gramGrp", "lbl", "ref"}


def read_entries(path: str | Path) -> Iterator[tuple[list[str], list[str]]]:
    """Yield (headwords, translations) of every entry in file order; an entry may have none of either.

    Raises:
        UserError: as :func:`switchrank.files.xml_stream.read_elements`, or the file is no TEI.
    """
    known = False
    for element in read_elements(path, ("TEI", "TEI.2", "entry")):
        if element.tag != "entry":
            known = True
        elif not known:
            break
        else:
            heads = [_clean("".join(orth.itertext())) for form in element.findall("form") for orth in form.iter("orth")]
            yield _distinct(heads), _distinct(_translations(element))
    if not known:
        raise UserError(path, "", "no TEI: its root is not <TEI>", "give a TEI dictionary, or another format")


def _translations(entry: Element) -> Iterator[str]:
    for element in entry.iter():
        if element.tag == "cit" and element.get("type", "").startswith("trans"):
            yield from (_clean("".join(quote.itertext())) for quote in element.findall("quote"))
        elif element.tag == "trans":
            yield from (_clean("".join(tr.itertext())) for tr in element.findall("tr"))
        elif element.tag == "def":
            yield from map(_clean, _BETWEEN.split(_ASIDE.sub(" ", "".join(_words(element)))))


def _words(element: Element) -> Iterator[str]:
    """The text of an element without its notes and references."""
    yield element.text or ""
    for child in element:
        if child.tag not in _PASSED_OVER:
            yield from _words(child)
        yield child.tail or ""


def _clean(text: str) -> str:
    return " ".join(_ASIDE.sub(" ", text).split())


def _distinct(words: Iterator[str] | list[str]) -> list[str]:
    return list(dict.fromkeys(word for word in words if word))
