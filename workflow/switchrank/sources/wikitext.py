"""The articles of a pages-articles dump as plain text, to train word vectors and tokenizers on."""

import gzip
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.formats.pages import Site, read_pages
from switchrank.text.wikitext import plain_lines

_NO_PROSE = (-2, 6, 14)
"""Namespaces whose links show no prose: media, files, categories."""


def write_wikitext(*, dumps: Sequence[str | Path], out: str | Path) -> dict[str, int]:
    """Write the prose of all articles, a paragraph or list item a line; redirects and other namespaces are left out.

    Args:
        dumps: pages-articles XML (.bz2, .gz, plain), or its parts, in any encoding that XML can tell.
        out: text file, one paragraph a line (.gz packs it).

    Returns:
        Counts: ``pages`` read, ``articles`` written, ``redirects`` and ``other`` pages left out, ``empty`` articles
        without prose, ``lines``; told on standard error too. UserError: a dump is unreadable or holds no prose.
    """
    counts = dict.fromkeys(("pages", "articles", "redirects", "other", "empty", "lines"), 0)
    with atomic_path(out) as temporary, ExitStack() as opened:
        file = opened.enter_context(temporary.open("wb"))
        stream: IO[bytes] = file
        if str(out).endswith(".gz"):
            stream = cast(IO[bytes], opened.enter_context(gzip.GzipFile("", "wb", fileobj=file, mtime=0)))
        for dump in dumps:
            site = Site()
            for page in read_pages(dump, site, what=f"pages of {Path(dump).name}"):
                counts["pages"] += 1
                kind = "redirects" if page.redirect else "other" if page.namespace else ""
                dropped = [name for name, number in site.namespaces.items() if number in _NO_PROSE]
                lines = [] if kind else plain_lines(page.text, dropped)
                counts[kind or ("articles" if lines else "empty")] += 1
                counts["lines"] += len(lines)
                stream.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
        if not counts["lines"]:
            raise UserError(dumps[-1], "", "no article with prose in it", "give a pages-articles dump")
    print(f"{out}: " + ", ".join(f"{number:,} {name}" for name, number in counts.items()), file=sys.stderr)
    return counts
