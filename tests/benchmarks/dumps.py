"""Language links of a Wikipedia from its SQL dump: beside mwsql, and beside ``gzip -dc``, which only unpacks."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from tests.benchmarks.clock import Alone, alone, fastest, process
from tests.benchmarks.inputs import spellings, zipf_words
from tests.benchmarks.machine import package_version
from tests.benchmarks.row import Row, timed

LANGUAGES = ["ar", "de", "es", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "sw", "tr", "uk", "vi", "zh"]
WANTED = "ru"
_FIRST_LETTER = {"ar": 0x627, "hi": 0x915, "ja": 0x3041, "ko": 0xAC00, "ru": 0x430, "uk": 0x430, "zh": 0x4E00}
"""Languages not named here keep Latin letters."""
Checked = Callable[[], tuple[int, str]]
"""What a reading holds, told after the clock: how many rows, and a digest of them."""
_ROWS, _STATEMENT = 100_000, 25_000
_HEAD = """-- MySQL dump 10.19
CREATE TABLE `langlinks` (
  `ll_from` int(8) unsigned NOT NULL DEFAULT 0,
  `ll_lang` varbinary(35) NOT NULL DEFAULT '',
  `ll_title` varbinary(255) NOT NULL DEFAULT '',
  PRIMARY KEY (`ll_from`,`ll_lang`),
  KEY `ll_lang` (`ll_lang`,`ll_title`)
) ENGINE=InnoDB DEFAULT CHARSET=binary;
"""


def langlinks(scale: str) -> list[Row]:
    """Rows ``dump-langlinks``: a dump of 200 MB (``large``: 2 GB) unpacked."""
    with tempfile.TemporaryDirectory() as folder:
        path, tenth = Path(folder) / "langlinks.sql.gz", Path(folder) / "tenth.sql.gz"
        wanted = 200_000_000 if scale == "small" else 2_000_000_000
        size, rows = write_dump(path, wanted)
        write_dump(tenth, wanted // 10)
        described = f"{size / 1e6:.0f} MB unpacked, {path.stat().st_size / 1e6:.0f} MB packed, {rows:,} rows"
        return _rows(path, tenth, described)


def _titles(language: str, count: int, rng: np.random.Generator) -> pl.Series:
    """Titles of one to four words in the script of a language; some with quotes, backslashes and brackets."""
    first = _FIRST_LETTER.get(language)
    letters = {ord(c): chr(first + n) for n, c in enumerate("abcdefghijklmnopqrstuvwxyz")} if first else {}
    words = pl.Series([word.translate(letters).capitalize() for word in spellings(5_000, rng)])
    lengths = rng.integers(1, 5, count)
    chosen = pl.DataFrame(
        {
            "title": np.repeat(np.arange(count), lengths),
            "word": words[zipf_words(int(lengths.sum()), len(words), rng)],
        }
    )
    titles = chosen.group_by("title", maintain_order=True).agg(pl.col("word").str.join(" "))["word"]
    kind = pl.Series(rng.integers(0, 40, count))
    frame = pl.DataFrame({"title": titles, "kind": kind})
    endings = {0: " (film; 1999)", 1: r" d\'Arc", 2: r" \"x\", y", 3: r" \\a", 4: " (a, b)", 5: r" \\\'"}
    title = pl.col("title") + pl.col("kind").replace_strict(endings, default="", return_dtype=pl.String)
    return frame.select(title).to_series()


def write_dump(path: Path, size: int) -> tuple[int, int]:
    """Write statements of about a megabyte until ``size`` bytes; how many bytes unpacked, and rows."""
    rng = np.random.default_rng(8)
    titles = [_titles(language, _ROWS // len(LANGUAGES), rng) for language in LANGUAGES]
    written = rows = page = 0
    with gzip.open(path, "wb", compresslevel=6) as stream:
        written += stream.write(_HEAD.encode())
        while written < size:
            number = rng.integers(0, len(LANGUAGES), _STATEMENT)
            page += int(rng.integers(1, 5))
            frame = pl.DataFrame(
                {
                    "page": page + np.arange(_STATEMENT) // 6,
                    "lang": pl.Series(LANGUAGES)[number],
                    "title": pl.concat(titles)[number * len(titles[0]) + rng.integers(0, len(titles[0]), _STATEMENT)],
                }
            )
            page += _STATEMENT // 6
            line = frame.select(pl.format("({},'{}','{}')", "page", "lang", "title").str.join(",")).item()
            written += stream.write(f"INSERT INTO `langlinks` VALUES {line};\n".encode())
            rows += _STATEMENT
    return written, rows


def read_ours(path: Path, language: str | None) -> Callable[[], Checked]:
    """Pages and titles of a language (None: of all), as the lexicon of titles reads them: count and digest."""
    import numpy.ma  # noqa: F401  # an import like the others: Polars loads it with the first array it is given

    from switchrank.lexicon.dumps import read_blocks

    def work() -> Checked:
        pages, titles = [], []
        for block in read_blocks(path, "langlinks", ["ll_from", "ll_lang", "ll_title"]):
            rows = np.flatnonzero(block.equal("ll_lang", language)) if language else np.arange(block.rows)
            pages += block.numbers("ll_from", rows).tolist()
            titles += block.texts("ll_title", rows)
        return lambda: (len(pages), _digest(pages, titles))

    return work


def count_ours(path: Path, language: str) -> int:
    """How many rows a language has, when none is kept."""
    from switchrank.lexicon.dumps import read_blocks

    blocks = read_blocks(path, "langlinks", ["ll_from", "ll_lang", "ll_title"])
    return sum(np.count_nonzero(block.equal("ll_lang", language)) for block in blocks)


def read_by_mwsql(path: Path, language: str | None) -> Callable[[], Checked]:
    """The peer: all rows as strings, which is its fast way; numbers only of the rows that are kept."""
    from mwsql import Dump

    def work() -> Checked:
        pages, titles = [], []
        for page, lang, title in Dump.from_file(path).rows():
            if language is None or lang == language:
                pages.append(int(page))
                titles.append(title.encode())
        return lambda: (len(pages), _digest(pages, titles))

    return work


def _digest(pages: list[int], titles: list[bytes]) -> str:
    return hashlib.sha256(repr(pages).encode() + b"\n".join(titles)).hexdigest()


def _same(ours: Alone, peer: Alone) -> None:
    if ours.result != peer.result:
        raise AssertionError(f"rows differ: {ours.result} {peer.result}")


def _rows(path: Path, tenth: Path, described: str) -> list[Row]:
    every, every_peer = alone(read_ours, tenth, None), alone(read_by_mwsql, tenth, None)
    flat, flat_tenth = (alone(count_ours, dump, WANTED).peak_rss_mb for dump in (path, tenth))
    _same(every, every_peer)
    ours, peer, unpacking = fastest(
        2,
        partial(alone, read_ours, path, WANTED),
        partial(alone, read_by_mwsql, path, WANTED),
        partial(process, ["gzip", "-dc", path]),
    )
    _same(ours, peer)
    row = partial(timed, ours, name="dump-langlinks", size=described)
    return [
        row(
            peer=peer.seconds,
            peer_name="mwsql, rows as strings",
            peer_version=package_version("mwsql"),
            required_ratio=10,
            checked=f"{ours.result[0]:,} pages and titles of one language of {len(LANGUAGES)} equal, and all rows of a "
            "dump of a tenth.",
            note="One language is what a lexicon needs. All rows of the tenth as Python objects: "
            f"{every.seconds:.2f} s against {every_peer.seconds:.2f} s, "
            f"{every_peer.seconds / every.seconds:.1f} times. "
            f"Memory while rows are counted and not kept is at most {flat:.0f} MB, for the tenth {flat_tenth:.0f} MB. "
            "Made-up titles have escaped "
            "quotes and backslashes but no '),(', at which mwsql cuts rows.",
        ),
        row(
            peer=unpacking.seconds,
            peer_name="gzip -dc",
            peer_version=_gzip_version(),
            required_ratio=1,
            note="gzip unpacks and does nothing else.",
        ),
    ]


def _gzip_version() -> str:
    said = subprocess.run(["gzip", "--version"], capture_output=True, text=True, check=True).stdout
    return said.split("\n", 1)[0].split()[-1]
