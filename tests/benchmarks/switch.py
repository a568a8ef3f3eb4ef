"""Code-switching beside the published way: one instance after the other, each tokenised, switched, put together again.

The inputs have the shape of MS MARCO's training pairs: queries of about 6 words, passages of about 56, and for each
instance 1/40 query and 1/2 passage (20 million pairs of 500,000 queries and 8.8 million passages). Words follow Zipf's
law; texts have sentences, commas, numbers and apostrophes, a tenth of the passages characters beyond ASCII. Five
lexicons translate the more frequent half of the vocabulary.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.seeds import counter_uniform, derive_seed
from switchrank.corpus.switch import switch_corpus
from switchrank.corpus.tokens import build_tokens
from switchrank.corpus.translate import switch_lines
from switchrank.formats.streams import ROW_GROUP
from switchrank.formats.tables import CORPUS, DOCUMENTS, INSTANCES, LEXICON, QUERIES, Schema, read_table, write_table
from switchrank.text.words import join_words, key, split_words
from tests.benchmarks.clock import Alone, alone, least_seconds, seconds
from tests.benchmarks.inputs import spellings, zipf_words
from tests.benchmarks.machine import package_version, threads
from tests.benchmarks.row import Row

LANGUAGES = ("ar", "de", "it", "nl", "ru")
LETTERS = {"ar": "ابتثجحخدذرزسشصضطظعغف", "ru": "абвгдежзийклмнопрсту"}
VOCABULARY = 100_000
TRANSLATED = 50_000
INSTANCES_OF = {"small": 200_000, "large": 4_000_000}
PEER_INSTANCES = 20_000
CHECKED = 2_000
RECIPE: dict[str, Any] = {"p": 0.5, "sides": {"query": "xx", "passage": "xx"}}
"""Of ML-CS, but for the languages, which are those that have a lexicon."""
FORMS = (
    ("", " "),
    ("", ", "),
    ("", ". "),
    ("", "'s "),
    ("", "-"),
    ('"', '" '),
    ("(", ") "),
    ("19", " "),
    ("é", " "),
    ("", "’s "),
    ("", " – "),
)
"""What stands around a word, and how often; those from ``BEYOND_ASCII`` on in a tenth of the texts only."""
SHARES = (0.8, 0.05, 0.06, 0.01, 0.01, 0.01, 0.01, 0.02, 0.01, 0.01, 0.01)
SENTENCE, BEYOND_ASCII = 2, 8
_TEXTS = 50_000


def switch(scale: str) -> list[Row]:
    """From token tables to a corpus on disk; at small scale also with four times the instances."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = INSTANCES_OF[scale]
        _inputs(folder, count)
        _tokens(folder)
        checked = equal_texts(folder)
        ours, peer = _by_turns(partial(alone, _switch, folder), folder)
        row = _row(folder, ours, peer, name="switch", required_ratio=50, checked=checked)
        if scale != "small":
            return [row]
        _instances(folder, 4 * count)
        longer = alone(_switch, folder)
        times = f"Four times the instances take {longer.seconds / ours.seconds:.2f} times as long."
        return [
            replace(row, note=f"{times} {row.note}"),
            Row(
                name="switch, four times the instances",
                unit="words/s",
                size=f"{4 * count:,} instances, the same texts",
                ours=longer.result / longer.seconds,
                peak_rss_mb=longer.peak_rss_mb,
            ),
        ]


def from_text(scale: str) -> list[Row]:
    """The same from texts: every text is cut into words first, once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = INSTANCES_OF[scale]
        _inputs(folder, count)
        ours, peer = _by_turns(partial(alone, cut_and_switch, folder), folder)
        return [_row(folder, ours, peer, name="switch-from-text", required_ratio=24, checked="As in `switch`.")]


_FLOOR = "The floor is writing the finished texts to Parquet and nothing else; words are those of UAX 29 on both sides."
_SAMPLE = (
    f"The peer is timed on {PEER_INSTANCES:,} instances, its lexicons loaded before; it has no use for a second core."
)


def _row(folder: Path, ours: Alone, peer: float, **fields: Any) -> Row:
    words, instances = ours.result, read_table(folder / "instances.parquet", INSTANCES).height
    return Row(
        unit="words/s",
        size=f"{instances:,} instances, {words:,} words",
        ours=words / ours.seconds,
        peer=peer,
        peer_name="NLTK Treebank, random, dict, JSON lines",
        peer_version=package_version("nltk"),
        floor=words / _writing(folder, instances),
        peak_rss_mb=ours.peak_rss_mb,
        note=f"{_FLOOR} {_SAMPLE}",
        **fields,
    )


def _by_turns(ours: Callable[[], Alone], folder: Path, rounds: int = 2) -> tuple[Alone, float]:
    """The faster of our runs, and the words a second of the peer's fastest, taken by turns."""
    runs, rates = [], []
    sample = sample_texts(folder, PEER_INSTANCES)
    words = sum(len(split_words(text)[0]) for pair in sample for text in pair)
    lexicons = [translations(folder, language) for language in lexicon_files(folder)]
    for _ in range(rounds):
        runs.append(ours())
        rates.append(words / seconds(partial(peer, sample, lexicons, folder / "peer.jsonl")))
    return min(runs, key=lambda run: run.seconds), max(rates)


def _switch(folder: Path) -> int:
    """Our side from token tables; the words of all instances."""
    stats = switch_corpus(
        instances=folder / "instances.parquet",
        queries=folder / "tokens/queries",
        documents=folder / "tokens/documents",
        lexicons=lexicon_files(folder),
        recipe={**RECIPE, "languages": list(lexicon_files(folder))},
        out=folder / "corpus",
        threads=threads(),
    )
    return int(stats["total"]["tokens"])


def _tokens(folder: Path) -> None:
    for name in ("queries", "documents"):
        build_tokens(texts=folder / f"{name}.parquet", out=folder / "tokens" / name)


def cut_and_switch(folder: Path) -> int:
    """Our side from texts; the words of all instances."""
    _tokens(folder)
    return _switch(folder)


def peer(sample: list[tuple[str, str]], lexicons: list[dict[str, str]], out: Path) -> None:
    """ML-CS word by word (Litschko, Artemova and Plank 2023): each side of an instance, then a line of JSON."""
    from nltk.tokenize.treebank import TreebankWordDetokenizer, TreebankWordTokenizer

    tokenise, detokenise = TreebankWordTokenizer().tokenize, TreebankWordDetokenizer().detokenize
    draw = random.Random(1)
    with out.open("w", encoding="utf-8") as file:
        for pair in sample:
            switched = []
            for text in pair:
                tokens = [
                    draw.choice(lexicons).get(token.lower(), token) if draw.random() < RECIPE["p"] else token
                    for token in tokenise(text)
                ]
                switched.append(detokenise(tokens))
            file.write(json.dumps({"query": switched[0], "passage": switched[1]}) + "\n")


def equal_texts(folder: Path, language: str = "de") -> str:
    """Hold a sample of instances against the peer, where no draws differ, and against switching word by word."""
    pairs = translations(folder, language)
    from nltk.tokenize.treebank import TreebankWordDetokenizer, TreebankWordTokenizer

    tokenise, detokenise = TreebankWordTokenizer().tokenize, TreebankWordDetokenizer().detokenize
    sample = sample_texts(folder, CHECKED)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        small = Path(name)
        tables = [("queries", QUERIES, 0), ("documents", DOCUMENTS, 1)]
        for table, schema, side in tables:
            _table([pair[side] for pair in sample], small / f"{table}.parquet", schema)
            build_tokens(texts=small / f"{table}.parquet", out=small / "tokens" / table, treebank=True)
        _write_instances(small, np.arange(len(sample)), np.arange(len(sample)))
        switch_corpus(
            instances=small / "instances.parquet",
            queries=small / "tokens/queries",
            documents=small / "tokens/documents",
            lexicons=lexicon_files(folder),
            recipe={"p": 1.0, "sides": {"query": language, "passage": language}, "treebank": True},
            out=small,
        )
        rows = read_table(small / "train-00000.parquet", CORPUS)
    for texts, column in zip(zip(*sample, strict=True), ("query", "passage"), strict=True):
        for text, ours in zip(texts, rows[column], strict=True):
            expected = detokenise([pairs.get(token.lower(), token) for token in tokenise(text)])
            if ours != expected:
                raise AssertionError(f"differs from the peer: {ours!r} {expected!r}")
    queries = [text for text, _ in sample]
    if switch_lines(queries, lexicons=lexicon_files(folder)) != _word_by_word(queries, folder):
        raise AssertionError("differs from switching word by word")
    return (
        f"{CHECKED:,} instances are equal to the peer's with its word rule, one lexicon and p = 1 (no draws); their "
        f"queries, with {len(lexicon_files(folder))} lexicons and p = 0.5, to plain Python with the same draws."
    )


def _word_by_word(texts: list[str], folder: Path) -> list[str]:
    lexicons = [translations(folder, language) for language in lexicon_files(folder)]
    switched = []
    for number, text in enumerate(texts):
        words, gaps = split_words(text)
        position = np.arange(len(words))
        chosen = counter_uniform(derive_seed(1, "switch", "query"), number, position) < 0.5
        language = counter_uniform(derive_seed(1, "language", "query"), number, position) * len(lexicons)
        done = [
            lexicons[int(drawn)].get(key(word), word) if switch else word
            for word, switch, drawn in zip(words, chosen, language, strict=True)
        ]
        switched.append(join_words(done, gaps))
    return switched


def lexicon_files(folder: Path) -> dict[str, Path]:
    """The lexicons of a folder by language, in alphabetical order."""
    return {path.stem.removeprefix("lexicon-"): path for path in sorted(folder.glob("lexicon-*.parquet"))}


def translations(folder: Path, language: str) -> dict[str, str]:
    """A lexicon of a folder as the peer holds it."""
    rows = read_table(folder / f"lexicon-{language}.parquet", LEXICON)
    return dict(zip(rows["source"], rows["target"], strict=True))


def sample_texts(folder: Path, count: int) -> list[tuple[str, str]]:
    """The texts of the first instances."""
    instances = read_table(folder / "instances.parquet", INSTANCES)[:count]
    queries = pl.scan_parquet(folder / "queries.parquet").select("qid", query="text").collect()
    passages = pl.scan_parquet(folder / "documents.parquet").select(pid="docid", passage="text")
    needed = passages.join(instances.select("pid").unique().lazy(), on="pid", how="semi").collect()
    rows = instances.join(queries, on="qid", how="left", maintain_order="left").join(
        needed, on="pid", how="left", maintain_order="left"
    )
    return list(zip(rows["query"], rows["passage"], strict=True))


def _writing(folder: Path, instances: int) -> float:
    """Seconds to write the finished corpus from memory, with the library's settings; scaled up from its first rows."""
    rows = pl.read_parquet(folder / "corpus/train-00000.parquet", n_rows=INSTANCES_OF["small"])
    write = partial(rows.write_parquet, folder / "written.parquet", compression="zstd", row_group_size=ROW_GROUP)
    return least_seconds(write, 3) * instances / rows.height


def _inputs(folder: Path, count: int) -> None:
    """Write queries, documents, instances and lexicons."""
    rng = np.random.default_rng(1)
    words = spellings(VOCABULARY, rng)
    forms = pl.Series([before + word + after for before, after in FORMS for word in words])
    capitals = pl.Series([word.capitalize() + " " for word in words])
    forms = pl.concat([forms, capitals])
    for name, schema, texts, length in (("queries", QUERIES, count // 40, 6), ("documents", DOCUMENTS, count // 2, 56)):
        parts = (_texts(forms, min(_TEXTS, texts - start), length, rng) for start in range(0, texts, _TEXTS))
        _table([text for part in parts for text in part], folder / f"{name}.parquet", schema)
    _instances(folder, count)
    for language in LANGUAGES:
        _write_lexicon(words, language, folder, rng)


def _texts(forms: pl.Series, count: int, length: int, rng: np.random.Generator) -> list[str]:
    """Texts of about ``length`` words; ``forms`` are the vocabulary in each of ``FORMS``, then with a capital."""
    lengths = np.maximum(rng.lognormal(np.log(length) - 0.08, 0.4, count).astype(np.int64), 1)
    stops = np.cumsum(lengths)
    form = rng.choice(len(FORMS), int(stops[-1]), p=SHARES)
    sentence = np.flatnonzero(form == SENTENCE)
    form[np.minimum(sentence + 1, len(form) - 1)] = len(FORMS)
    form[stops - 1] = SENTENCE
    plain = np.repeat(rng.random(count) < 0.9, lengths)
    form[plain & (form >= BEYOND_ASCII) & (form < len(FORMS))] = 0
    pieces = forms.gather(form * VOCABULARY + zipf_words(len(form), VOCABULARY, rng)).to_list()
    starts = (stops - lengths).tolist()
    return ["".join(pieces[start:stop]).strip() for start, stop in zip(starts, stops.tolist(), strict=True)]


def _table(texts: list[str], path: Path, schema: Schema) -> None:
    number, text, group = schema
    ids = [f"{name}" for name in range(len(texts))]
    write_table(pl.DataFrame({number: ids, text: texts, group: ids}), path, schema)


def _instances(folder: Path, count: int) -> None:
    """Pairs of texts drawn at random, as many as asked for."""
    texts = [
        pl.scan_parquet(folder / f"{name}.parquet").select(pl.len()).collect().item()
        for name in ("queries", "documents")
    ]
    rng = np.random.default_rng(2)
    _write_instances(folder, *(rng.integers(0, number, count) for number in texts))


def _write_instances(folder: Path, queries: NDArray[np.int64], passages: NDArray[np.int64]) -> None:
    columns = {
        "instance": np.arange(len(queries), dtype=np.uint64),
        "qid": pl.Series(queries).cast(pl.String),
        "pid": pl.Series(passages).cast(pl.String),
        "label": np.arange(len(queries)) % 5 == 0,
    }
    write_table(pl.DataFrame(columns), folder / "instances.parquet", INSTANCES)


def _write_lexicon(words: list[str], language: str, folder: Path, rng: np.random.Generator) -> None:
    """Translations of the more frequent words: made-up words, in letters of the language where they are not Latin."""
    targets = rng.permutation(np.array(words[:TRANSLATED])).tolist()
    if language in LETTERS:
        alphabet = str.maketrans("etaoinshrdlucmfwypvb", LETTERS[language])
        targets = [target.translate(alphabet) for target in targets]
    rows = {"source": words[:TRANSLATED], "target": targets, "score": None, "rank": 1}
    write_table(pl.DataFrame(rows), folder / f"lexicon-{language}.parquet", LEXICON)
