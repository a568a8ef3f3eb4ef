"""``switchrank inspect``: tells what a file or folder is."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

_WHAT = """\
Tell what a file or folder is, by its content and not by its name: the format, how many rows, which languages, three
samples, what is wrong with it, and the config entry that reads it.

Known are: MS MARCO and mMARCO, MIRACL, CIRAL, MLDR, Tevatron, BEIR, TREC topics, documents, judgements and runs,
SQuAD-like JSON, AfriQA, NQ-Open, MKQA, CLIRMatrix, Large-Scale CLIR; word vectors of fastText, word2vec and GloVe;
page, langlinks and pages-articles of Wikipedia, Wikidata JSON, linguatools, WikiTitles, CLDR; dictionaries of MUSE,
XLing-Eval, FreeDict and PanLex; Parquet, Arrow, datasets and model folders; TSV; plain and parallel text. Plain or
packed with gzip, bzip2, xz or zip.
"""
_EXAMPLES = """\
exit code: 0 sound; 1 something is wrong with it; 2 unreadable or unknown

examples:
  switchrank inspect data/collection.tsv
  switchrank inspect --quick --json enwiki-latest-langlinks.sql.gz
  switchrank inspect ~/downloads/miracl
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``inspect``."""
    parser.description, parser.epilog = _WHAT, _EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("path", nargs="+", type=Path, metavar="FILE", help="a file or folder")
    parser.add_argument("--quick", action="store_true", help="read the first 32 MB only; numbers are estimates")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for machines")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Inspect each path; 0 where all are sound, 1 where something is wrong."""
    from switchrank.identify.look import inspect_path

    sound = True
    for path in arguments.path:
        found = inspect_path(path, quick=arguments.quick, what="reading" if sys.stderr.isatty() else None)
        if arguments.json:
            print(json.dumps(found.as_json(str(path)), ensure_ascii=False))
        else:
            print(found.as_text(str(path)))
        sound = sound and found.sound
    return 0 if sound else 1
