"""Small collections written to a temporary folder."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write(name, content)``: bytes, text, or JSON for anything else; gzip if the name says so. Gives the path."""

    def write_file(name: str, content: Any) -> str:
        if not isinstance(content, bytes | str):
            content = json.dumps(content, ensure_ascii=False)
        raw = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return str(path)

    return write_file


@pytest.fixture
def tiny_msmarco(write: Write) -> dict[str, str]:
    """Eight documents of four topics in two languages; eight training queries, two test queries, triples."""
    train = "".join(f"q{n}\tquestion {n}\n" for n in range(8))
    return {
        "documents/en": write("c.en.tsv", "".join(f"d{n}\tpassage {n}\n" for n in range(8))),
        "documents/qaa": write("c.qaa.tsv", "".join(f"d{n}\tgasappe {n}\n" for n in range(8))),
        "queries/train/en": write("q.train.en.tsv", train),
        "queries/test/en": write("q.test.en.tsv", "t0\task 0\nt1\task 1\n"),
        "queries/test/qaa": write("q.test.qaa.tsv", "t0\tksa 0\nt1\tksa 1\n"),
        "judgements/train": write("r.train.tsv", "".join(f"q{n}\t0\td{n}\t1\n" for n in range(8))),
        "judgements/test": write("r.test.tsv", "t0 0 d0 1\nt1 0 d7 1\n"),
        "triples/train": write("t.tsv", "".join(f"q{n}\td{n}\td{(n + 1) % 8}\n" for n in range(8))),
        "groups": write("topics.tsv", "".join(f"d{n}\ttopic {n // 2}\n" for n in range(8))),
    }


@pytest.fixture
def msmarco_spec() -> dict[str, Any]:
    """The specification of :func:`tiny_msmarco`."""
    return {
        "format": "msmarco",
        "languages": ["en", "qaa"],
        "splits": ["train", "test"],
        "dev": 0.25,
        "source": "en",
        "seed": 1,
        "triples": True,
    }
