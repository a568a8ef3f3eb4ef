"""Parquet and CSV tables that stages hand to each other: one schema each, checked at both ends."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError

Schema = dict[str, "type[pl.DataType] | pl.DataType"]
Table = TypeVar("Table", pl.DataFrame, pl.LazyFrame)

_RANKED = "system testset query_lang doc_lang"


def _schema(columns: str) -> Schema:
    """A schema from the names of its columns, each with its Polars type behind a colon unless that is String."""
    pairs = [column.partition(":") for column in columns.split()]
    return {name: getattr(pl, dtype or "String") for name, _, dtype in pairs}


DOCUMENTS = _schema("docid text group")
"""One language of a collection, in source order; ``group`` is the article or topic a document belongs to."""
INDEXED = _schema("docid text")
"""The documents of a search index, in the order of their file."""
QUERIES = _schema("qid text group")
JUDGEMENTS = _schema("qid docid relevance:Int32")
"""Relevance 1 and up is relevant; ids are those of the documents of one language."""
TRIPLES = _schema("qid positive negative")
BITEXT = _schema("id:UInt64 source target")
"""Texts that translate each other, in the order of the file they come from; ``id`` is the number of their line in it,
from 1, so that lines of files that are aligned with each other have the same."""
TEXTS = _schema("id:UInt64 text")
"""Texts of one language, each once; ``id`` numbers the lines of the files they come from, end to end, from 1."""
WORDS = _schema("word norm:Float32")
"""Words of a vector store by falling frequency; row i of the ``.npy`` beside it is the unit vector of word i, ``norm``
the length it had before."""
LEXICON = _schema("source target score:Float32 rank:Int32")
"""``source`` is a look-up key (:func:`switchrank.text.words.key`), n-grams joined by one space; ``score`` is null for
titles; ``rank`` counts from 1 (best). Ordered by source vocabulary rank (vectors, parallel text) or code points
(titles), then by rank."""
INSTANCES = _schema("instance:UInt64 qid pid label:Int8")
"""Training (or development) pairs by id, in a fixed order; ``instance`` counts from 0 and keys all random draws."""
PIECES = _schema("piece key:UInt32 word:Boolean")
"""Distinct strings of a token table; ``key`` numbers the look-up keys of ``KEYS`` (null for gaps)."""
KEYS = _schema("key")
TOKENS: Schema = {"id": pl.String, "pieces": pl.List(pl.UInt32)}
"""A text as piece numbers, alternating gap, word, gap, ..., gap: joined they are the text, byte for byte."""
CORPUS = _schema("qid query pid passage label:Int8 query_lang passage_lang")
SCORES = _schema("qid pid score:Float64")
"""What a teacher makes of the pairs of a corpus; the higher, the more relevant."""
CANDIDATES = _schema("qid docid rank:Int32")
"""Documents to re-rank, queries in source order, ``rank`` from 1 in first-stage order."""
QUALITY = _schema("lexicon src tgt gold p_at_1:Float64 p_at_5:Float64 mrr:Float64 coverage:Float64 gold_size:Int64")
METRICS = _schema("run system testset setup query_lang doc_lang seen seed:Int64 metric value:Float64 queries:Int64")
PER_QUERY = _schema(f"{_RANKED} seed:Int64 qid metric value:Float64")
SIGNIFICANCE = _schema(
    "system baseline testset setup query_lang doc_lang metric value:Float64 baseline_value:Float64 "
    "delta:Float64 ci_low:Float64 ci_high:Float64 test p_value:Float64 correction p_corrected:Float64 "
    "significant:Boolean family family_size:Int64 queries:Int64 seeds:Int64"
)

EFFECTS = _schema(
    "system baseline testset setup query_lang doc_lang metric delta:Float64 boot_low:Float64 "
    "boot_high:Float64 effect_size:Float64 queries:Int64 seeds:Int64"
)
"""Size of each difference in SIGNIFICANCE: bootstrap interval over queries, and Cohen's d of the paired differences."""
SETUPS = _schema(
    "system baseline testset setup metric value:Float64 baseline_value:Float64 delta:Float64 ci_low:Float64 "
    "ci_high:Float64 test p_value:Float64 correction p_corrected:Float64 significant:Boolean family "
    "family_size:Int64 pairs:Int64 queries:Int64 seeds:Int64"
)
"""Means over the ``pairs`` of a setup of the means over their queries, for systems that rank all of them; the baseline
has a row without a comparison, and so have all systems where it ranks no such pairs."""
CLAIMS = _schema(
    "run claim system baseline testset setup languages metric expected published:Float64 source delta:Float64 "
    "low:Float64 high:Float64 verdict pairs:Int64 queries:Int64 seeds:Int64 missing"
)
"""A published comparison of two systems, and the same in a run. ``languages`` is ``seen``, ``unseen`` or ``all``;
``expected`` says what is claimed of the system, ``better``, ``worse``, ``equal`` or ``no worse``, and ``published`` by
how much (null if that is not told); ``delta`` is the difference found, ``low`` and ``high`` its 95% bootstrap interval,
``verdict`` one of ``agrees``, ``opposite``, ``differs`` and ``not decided``. Where a run cannot tell, ``missing`` says
why, and what would have been found is null."""
DRAW = _schema("id lang")
"""Which language each document or query of a mixed pool was given."""
BIAS = _schema(f"{_RANKED} seed:Int64 measure value:Float64 queries:Int64")
"""How a system treats the languages of a mixed pool; ``measure`` is one of ``rank_distance``, ``max_rank``,
``own_language_top10``, ``own_language_pool``, ``rankc``, ``rank_correlation``."""
ABLATION = _schema(
    "ablation start language examples:Int64 seed:Int64 testset query_lang doc_lang metric value:Float64 epochs:Float64"
)
"""Target-language fine-tuning: one row per row of the ablation table, test pair and metric. ``epochs``: how many passes
over its training pairs the tested weights have seen; 0 without labels."""
EQUIVALENCE = _schema(
    "start reference language testset query_lang doc_lang metric reference_value:Float64 examples:Float64 "
    "low:Float64 high:Float64"
)
"""How many labelled queries ``start`` needs to reach ``reference`` without any; null where it never does."""
CURVE = _schema(
    "start language testset query_lang doc_lang metric examples:Int64 value:Float64 low:Float64 high:Float64 "
    "queries:Int64 seeds:Int64"
)
"""One point of a learning curve: ``value`` is the mean over queries of seed averages, ``low`` and ``high`` its 95%
bootstrap interval over queries; ``queries`` and ``seeds`` say how many. By language, test pair and metric, then by
start in the order of the ablation table, then by ``examples``."""
SWEEP = _schema(
    "sweep system x testset setup seen query_lang doc_lang seed:Int64 metric value:Float64 "
    "switched:Float64 p_at_1:Float64"
)
"""One setting varied: ``x`` is its value as text, ``switched`` the measured share of switched content words of the
corpus, ``p_at_1`` the mean quality of its lexicon (null where there is no gold)."""
OVERLAP = _schema(f"{_RANKED} seed:Int64 low:Float64 high:Float64 metric value:Float64 queries:Int64")
"""A metric over the queries whose words occur in a relevant passage to a share from ``low`` (inclusive) to ``high``."""
SHIFT = _schema(f"{_RANKED} seed:Int64 drop:Float64 drop_sd:Float64 pairs:Int64")
"""How far the score of a relevant passage falls when it is in ``doc_lang`` and not in the query's language."""
TESTSETS = _schema(
    "testset collection format relevance doc_lang documents:Int64 queries:Int64 relevant:Float64 "
    "candidates:Float64 candidate_recall:Float64 chance:Float64 search own_recall:Float64 "
    "translated_recall:Float64"
)
"""What each test set holds; ``relevance`` is ``gold`` or ``answer``, ``relevant`` and ``candidates`` are means per
query, ``candidate_recall`` the share of queries with a relevant candidate, which MRR cannot exceed, ``chance`` the
MRR@10 of a random order of the candidates. ``search`` says what found them: ``query-document`` languages of the text
that BM25 searched, ``run`` or ``all``; ``own_recall`` is what ``candidate_recall`` would be, on average over the pairs
of two or mixed languages that these candidates come to by translation alone, if each query searched as it is,
``translated_recall`` if a lexicon translated query and documents (null where there is none)."""
FIRST_STAGE = _schema("testset query_lang doc_lang way search depth:Int64 recall:Float64 queries:Int64")
"""Share of queries with a relevant document among ``depth`` candidates, as they are ``used`` and as BM25 would find
them with the pair's ``own`` texts or with ``translated`` ones."""
EXPOSURE = _schema(
    "training systems testset by documents:Int64 positives:Int64 negatives:Int64 relevant:Int64 "
    "relevant_positives:Int64 relevant_negatives:Int64"
)
"""Test documents that were positives or negatives in the training pairs of the collection ``training``, of which
``systems`` learn; ``by`` is how documents were compared, ``id`` or ``text``."""
WARNINGS = _schema("kind subject warning")
"""What must be known before results are believed or used; ``kind`` is ``chance``, ``queries``, ``coverage``, ``origin``
or ``licence``, ``subject`` the system on its test set, the test set, the lexicon and its language, the lexicon, or the
model."""
COVERAGE = _schema("lexicon lang testset side words:Int64 covered:Int64 share:Float64")
"""Running words that a lexicon covers. ``side`` is ``query`` or ``document`` (test words that are words of a target)
or ``training`` (source words that have a translation; ``testset`` is then the corpus); ``share`` is null without
words."""


DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What Polars raises over a file that is damaged; some defects of Parquet files make it panic."""


def reason(error: BaseException) -> str:
    """The first line of what Polars says is wrong."""
    return (str(error).splitlines() or ["no reason given"])[0]


def read_table(path: str | Path, schema: Schema) -> pl.DataFrame:
    """Read a ``.parquet`` or ``.csv`` table of ours.

    Raises:
        UserError: the file is missing, unreadable, or its columns are not those of ``schema``.
    """
    read = partial(pl.read_csv, schema=schema) if Path(path).suffix == ".csv" else pl.read_parquet
    return _checked(Path(path), schema, read)


def scan_table(path: str | Path, schema: Schema) -> pl.LazyFrame:
    """A ``.parquet`` table of ours that is not read yet, for what does not fit in memory; errors as of read_table."""
    return _checked(Path(path), schema, pl.scan_parquet)


def _checked(path: Path, schema: Schema, read: Callable[[Path], Table]) -> Table:
    if not path.is_file():
        raise UserError(path, "", "no such file", "run the stage that makes it, or correct the path")
    try:
        table = read(path)
        found, expected = dict(table.collect_schema()), dict(pl.Schema(schema))
    except DAMAGE as error:
        problem = f"not a readable {path.suffix[1:]} table ({reason(error)})"
        raise UserError(path, "", problem, "delete it and rerun") from error
    if found != expected:
        raise UserError(path, "columns", f"found {found}", f"expected {expected}")
    return table


def read_relevant(path: str | Path) -> pl.DataFrame:
    """The rows of JUDGEMENTS with a positive relevance."""
    return read_table(path, JUDGEMENTS).filter(pl.col("relevance") > 0)


def warning_lines(path: str | Path) -> list[str]:
    """A line for each row of WARNINGS; none if there is no such table yet."""
    return [f"warning: {text}" for text in read_table(path, WARNINGS)["warning"]] if Path(path).is_file() else []


def write_table(frame: pl.DataFrame, path: str | Path, schema: Schema, metadata: dict[str, str] | None = None) -> None:
    """Write ``frame`` atomically with exactly the columns, order and dtypes of ``schema``; equal frames, equal bytes.

    Parquet is zstd, with ``metadata`` in its head; CSV has Unix line ends and shortest round-trip floats.
    """
    frame = frame.select([pl.col(name).cast(dtype) for name, dtype in schema.items()])
    with atomic_path(path) as temporary:
        if Path(path).suffix == ".csv":
            frame.write_csv(temporary)
        else:
            frame.write_parquet(temporary, compression="zstd", statistics=True, metadata=metadata or None)
