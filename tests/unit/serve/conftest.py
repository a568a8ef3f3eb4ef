"""Documents in four languages, a lexicon, a tiny random encoder, and a server in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from served import TEXTS, WORDS, make_encoder, write_docs, write_lexicon


@pytest.fixture(scope="session")
def encoder_folder(bert_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT without a head, with the tokenizer of the tiny ranker."""
    return make_encoder(tmp_path_factory.mktemp("encoder"), bert_folder, seed=3)


@pytest.fixture(scope="session")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TSV of all texts; not to be changed, and no index is made beside it."""
    return write_docs(tmp_path_factory.mktemp("docs") / "docs.tsv")


@pytest.fixture(scope="session")
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """English to German; words without a translation are in no lexicon."""
    return write_lexicon(tmp_path_factory.mktemp("lexicon") / "en-de.parquet", WORDS.items())


@pytest.fixture(scope="module")
def serving(
    encoder_folder: Path, bert_folder: Path, docs: Path, lexicon: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], object]:
    """``with serving() as (process, address)``: a server on a free port of this machine, ended with the block."""
    index = tmp_path_factory.mktemp("served") / "index"
    words = ["--encoder", encoder_folder, "--ranker", bert_folder, "--docs", docs, "--index", index]
    command = [sys.executable, "-m", "switchrank", "serve", *words, "--lexicon", lexicon, "--port", "0"]

    @contextmanager
    def started() -> Iterator[tuple[subprocess.Popen[str], str]]:
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            try:
                line = process.stdout.readline() if process.stdout else ""
                assert line.startswith(f"{len(TEXTS)} documents at http://127.0.0.1:"), line
                yield process, line.split()[3]
            finally:
                process.send_signal(signal.SIGKILL)

    return started
