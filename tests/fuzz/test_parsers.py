"""Whatever bytes a parser is given: rows or one clear error, nothing half-written, no row silently lost."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import switchrank
from switchrank.collections.spec import folders
from switchrank.core.errors import UserError
from switchrank.formats.pairs import DICTIONARY_FORMATS
from switchrank.lexicon.titlefiles import READERS as TITLES
from tests.damage import damaged
from tests.fuzz.parsers import PARSERS, Parser, check, separate_rows
from tests.fuzz.samples import zipped

EACH = pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
PACKED = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda content: zipped(only=content),
}


@EACH
def test_a_sound_file_is_read_with_and_without_another_row(parser: Parser) -> None:
    assert parser.last or all(check(parser, seed) for seed in parser.seeds)
    assert all(check(parser, seed + parser.last) for seed in parser.seeds[-1:])


@st.composite
def anything(draw: st.DrawFn, parser: Parser) -> bytes:
    """Bytes of no kind, or a sound file: cut, in disorder, a piece replaced or doubled, or its JSON changed."""
    kinds = ["bytes", "cut"] if parser.native else ["bytes", "cut", "disorder", "replaced", "doubled", "member"]
    kind = draw(st.sampled_from(kinds))
    if kind == "bytes":
        return draw(st.binary(max_size=200))
    sound = draw(st.sampled_from(parser.seeds))
    if kind == "cut":
        return sound[: draw(st.integers(0, len(sound)))]
    if kind == "disorder":
        return b"".join(draw(st.lists(st.sampled_from(re.findall(rb"\w+|\W", sound)), max_size=40)))
    if kind == "member":
        try:
            records = [json.loads(line) for line in sound.splitlines()]
            return b"\n".join(json.dumps(record).encode() for record in draw(damaged(records)))
        except ValueError:
            pass
    start = draw(st.integers(0, len(sound)))
    end = start + draw(st.integers(0, 20))
    middle = draw(st.binary(max_size=20) | st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")))
    return sound[:start] + (sound[start:end] * 2 if kind == "doubled" else middle) + sound[end:]


@EACH
def test_any_bytes_give_rows_or_one_error_and_no_row_is_lost(parser: Parser) -> None:
    @settings(max_examples=25)
    @given(anything(parser), st.booleans())
    def law(content: bytes, more: bool) -> None:
        check(parser, content + parser.last if more else content)

    law()


@pytest.mark.parametrize("parser", [one for one in PARSERS if one.packed], ids=lambda parser: parser.name)
@pytest.mark.parametrize("packing", PACKED)
def test_a_packed_file_cut_at_any_tenth_is_one_error(parser: Parser, packing: str, tmp_path: Path) -> None:
    whole = PACKED[packing](parser.seeds[-1] + parser.last)
    assert check(parser, whole)
    for tenth in range(2, 10):
        (tmp_path / parser.file).write_bytes(whole[: len(whole) * tenth // 10])
        with pytest.raises(UserError, match=f"truncated or corrupt {packing}"):
            list(parser.read(tmp_path / parser.file))


def test_every_format_has_a_parser() -> None:
    names = {parser.name for parser in PARSERS}
    apart = {"questions": "open-questions", "squad": "squad-paragraphs", "afriqa": "afriqa-gold"}
    assert {apart.get(name, name) for name in folders().keys() - separate_rows().keys()} <= names
    assert {f"titles-{name}" for name in TITLES} - {"titles-dumps"} <= names
    assert {f"dictionary-{name}" for name in DICTIONARY_FORMATS} <= names


OPENS = re.compile(
    r"import .*\b(?:open_bytes|read_lines|byte_lines|read_text|read_elements|read_json|read_json_lines|read_records)\b"
    r"|\bpl\.(?:read|scan)_\w+\(|\bnp\.load\(",
    re.MULTILINE,
)
"""How a module opens files."""


def test_every_module_that_opens_files_of_others_is_run_by_a_parser() -> None:
    """Told by running the samples, so that no list of modules has to be kept."""
    ran = modules_run(lambda: [check(parser, parser.seeds[-1] + parser.last) for parser in PARSERS])
    ran |= modules_run(lambda: [check(PARSERS[-1], seed) for seed in PARSERS[-1].seeds])
    opening = set()
    for package in ("collections", "formats", "sources", "embeddings", "lexicon"):
        for file in Path(switchrank.__path__[0], package).rglob("*.py"):
            if file.stem != "cli" and OPENS.search(file.read_text(encoding="utf-8")):
                opening.add(".".join(file.relative_to(Path(switchrank.__path__[0]).parent).with_suffix("").parts))
    assert len(opening) > 15
    assert opening - ran == set()


def modules_run(call: Callable[[], object]) -> set[str]:
    """Names of the modules whose functions ran."""
    ran = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            ran.add(frame.f_globals.get("__name__", ""))

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return ran
