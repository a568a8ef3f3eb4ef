"""What is served in tests: documents in four languages, a lexicon, a tiny random encoder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from switchrank.formats.tables import LEXICON, write_table

TEXTS = {
    "en-1": "the red fox runs over the bridge",
    "en-2": "a blue whale swims in the sea",
    "de-1": "der rote fuchs rennt",
    "de-2": "ein blauer wal schwimmt im meer",
    "ar-1": "الثعلب الأحمر يركض فوق الجسر",
    "zh-1": "红狐狸跑过桥",
    "html": "<script>document.title = 'owned'</script> a fox <b>bold</b> & <img src=x onerror=alert(1)>",
    "empty": "",
}
WORDS = {"red": "rote", "fox": "fuchs", "whale": "wal", "sea": "meer", "the": "der", "blue whale": "blauer wal"}


def make_encoder(folder: Path, ranker: Path, seed: int) -> Path:
    """A BERT without a head, with the shape and the tokenizer of a ranker."""
    import torch
    from transformers import AutoConfig, AutoTokenizer, BertModel

    torch.manual_seed(seed)
    BertModel(AutoConfig.from_pretrained(ranker)).save_pretrained(folder)
    AutoTokenizer.from_pretrained(ranker).save_pretrained(folder)
    return folder


def write_docs(path: Path, texts: dict[str, str] = TEXTS) -> Path:
    """A TSV of id and text."""
    path.write_text("".join(f"{docid}\t{text}\n" for docid, text in texts.items()), encoding="utf-8")
    return path


def write_lexicon(path: Path, words: Iterable[tuple[str, str]]) -> Path:
    """Pairs of a source word and a translation."""
    rows = [(source, target, 0.5, 1) for source, target in words]
    write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), path, LEXICON)
    return path
