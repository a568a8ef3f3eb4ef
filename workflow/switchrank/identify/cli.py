"""``switchrank inspect``: what a file or folder is."""

import json
import sys
from collections.abc import Sequence

from switchrank.core.command import Command


def inspect(*, path: Sequence[str], quick: bool = False, json_lines: bool = False) -> int:
    """What a file or folder is, what is wrong with it, and the config entry that reads it.

    It is recognised by its content and not by its name. Shown too are its rows, its languages and three samples.

    Known are: MS MARCO and mMARCO, MIRACL, CIRAL, MLDR, Tevatron, BEIR, TREC topics, documents, judgements and runs,
    SQuAD-like JSON, AfriQA, NQ-Open, MKQA, CLIRMatrix, Large-Scale CLIR; word vectors of fastText, word2vec and GloVe;
    page, langlinks and pages-articles of Wikipedia, Wikidata JSON, linguatools, WikiTitles, CLDR; dictionaries of MUSE,
    XLing-Eval, FreeDict and PanLex; Parquet, Arrow, datasets and model folders; TSV; plain and parallel text. Plain or
    packed with gzip, bzip2, xz or zip.

    exit code: 0 sound; 1 something is wrong with it; 2 unreadable or unknown

    Args:
        path: a file or folder.
        quick: read the first 32 MB only; numbers are estimates.
        json_lines: one JSON object a line, for machines.
    """
    from switchrank.identify.look import inspect_path

    sound = True
    for name in path:
        found = inspect_path(name, quick=quick, what="reading" if sys.stderr.isatty() else None)
        print(json.dumps(found.as_json(name), ensure_ascii=False) if json_lines else found.as_text(name))
        sound = sound and found.sound
    return 0 if sound else 1


COMMANDS = Command(inspect, places=["path"], flags={"path": "file", "json_lines": "json"})
