"""``switchrank evaluate sweep | overlap | shift | testsets | first-stage | exposure | coverage |
warnings``: analyses of a run, lists in JSON files.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.core.outputs import writes

_POINTS = """\
[{"sweep": "p", "x": "0.25", "system": "ml-cs-p-0-25", "lexicon": "clwe", "stats": ["corpora/ml-cs/stats.json"]}]"""
_PAIRS = """\
[{"testset": "mine", "query_lang": "sw", "doc_lang": "en", "queries": "queries-sw.parquet",
  "documents": "documents-en.parquet", "judgements": "judgements-en.parquet"}]
query_vocabulary, vocabulary: vector stores (.words.parquet) that cut queries and documents without spaces"""
_RUNS = """\
[{"path": "sw-en/seed1.trec", "system": "ml-cs", "testset": "mine", "query_lang": "sw", "doc_lang": "en", "seed": 1}]"""
_TESTSETS = """\
[{"testset": "mine", "collection": "squad", "format": "squad", "relevance": "gold", "doc_lang": "en",
  "documents": "documents-en.parquet", "judgements": "judgements-en.parquet", "candidates": "candidates-en.parquet",
  "search": "en-en"}]
relevance: gold or answer; candidates: null where every document is one; search: run, all, or the languages of the
queries and documents that BM25 looked at"""
_SEARCHES = """\
[{"query_lang": "sw", "doc_lang": "en", "way": "own", "search": "sw-en", "queries": "queries-sw.parquet",
  "documents": "documents-en.parquet", "judgements": "judgements-en.parquet", "candidates": "candidates-en.parquet"}]
way: used (the candidates themselves), own, or translated (queries and documents are translations)
query_vocabulary, vocabulary: vector stores (.words.parquet) that cut queries and documents without spaces"""
_EXPOSED = """\
[{"training": "squad", "systems": ["zero-shot", "ml-cs"], "instances": "instances/train.parquet",
  "training_documents": "documents-en.parquet", "testset": "mine", "by": "text", "own_ids": false, "tested": [
    {"documents": "mine-en.parquet", "judgements": "judgements-en.parquet", "candidates": "candidates-en.parquet"}]}]
by: id (of one collection) or text; candidates: null where every document is one"""
_LANGUAGES = """\
[{"lang": "sw", "lexicons": {"clwe": "en-sw.parquet"}, "texts": [
  {"testset": "mine", "side": "query", "texts": "queries-sw.parquet", "chosen": ["judgements-en.parquet"]},
  {"testset": "mine", "side": "document", "texts": "documents-sw.parquet", "chosen": ["candidates-sw.parquet"]}]}]
chosen: tables of the ids that count, none for all; draw: which texts of a mixed pool are in the language;
vocabulary, beside texts: a vector store (.words.parquet) that cuts text without spaces"""
_TRAINING = """\
[{"lexicon": "clwe", "lang": "sw", "corpus": "ml-cs", "stats": ["corpora/ml-cs/stats.json"]}]"""

_Commands = argparse._SubParsersAction


def register(commands: _Commands[argparse.ArgumentParser]) -> None:
    """Add a subcommand for each analysis."""
    sweep = _add(commands, "sweep", "gather the numbers of settings varied one at a time", f"points:\n{_POINTS}")
    sweep.add_argument("--points", required=True, help="JSON list, one entry per value of a sweep; see below")
    sweep.add_argument("--metrics", required=True, help="METRICS table (metrics.csv)")
    sweep.add_argument("--quality", help="QUALITY table of the lexicons (lexicon_quality.csv)")
    sweep.set_defaults(run=_sweep)

    overlap = _add(commands, "overlap", "split a metric by the words that query and passage share", f"pairs:\n{_PAIRS}")
    overlap.add_argument("--pairs", required=True, help="JSON list, the texts of each pair; see below")
    overlap.add_argument("--per-query", required=True, help="PER_QUERY table (per_query.parquet)")
    overlap.add_argument("--metric", default="mrr@10", help="which metric (default: %(default)s)")
    overlap.set_defaults(run=_overlap)

    shift = _add(
        commands, "shift", "measure what a relevant passage loses when its language changes", f"runs:\n{_RUNS}"
    )
    shift.add_argument("--runs", required=True, help="JSON list of runs on parallel documents; see below")
    shift.add_argument(
        "--judgements", nargs="+", required=True, metavar="TESTSET/LANG=TABLE", help="JUDGEMENTS per document language"
    )
    shift.set_defaults(run=_shift)

    warnings = _add(commands, "warnings", "say what must be known before the results are believed", "")
    warnings.add_argument("--per-query", required=True, help="PER_QUERY table of the run (per_query.parquet)")
    warnings.add_argument("--testsets", required=True, help="TESTSETS table (testsets.csv)")
    warnings.add_argument("--coverage", help="COVERAGE table (coverage.csv), where words were switched")
    references = ["random", "bm25"]
    warnings.add_argument("--references", nargs="*", default=references, help="systems that are no models")
    warnings.set_defaults(run=_warnings)

    testsets = _add(
        commands, "testsets", "say what is tested on, and what its candidates allow", f"testsets:\n{_TESTSETS}"
    )
    testsets.add_argument("--testsets", required=True, help="JSON list, the document languages of each test set")
    testsets.add_argument("--first-stage", nargs="+", metavar="TABLE", help="FIRST_STAGE tables, for own_recall")
    testsets.set_defaults(run=_testsets)

    stage = _add(commands, "first-stage", "say what the candidates of a test set allow", f"pairs:\n{_SEARCHES}")
    stage.add_argument("--testset", required=True, help="name of the test set")
    stage.add_argument("--pairs", required=True, help="JSON list of ways to find candidates; see below")
    stage.set_defaults(run=_first_stage)

    exposure = _add(commands, "exposure", "count the test documents that training has met", f"pairs:\n{_EXPOSED}")
    exposure.add_argument("--pairs", required=True, help="JSON list of test sets and training pairs; see below")
    exposure.set_defaults(run=_exposure)

    lists = f"languages:\n{_LANGUAGES}\n\ntraining:\n{_TRAINING}"
    coverage = _add(commands, "coverage", "measure how much of the texts each lexicon covers", lists)
    coverage.add_argument("--languages", required=True, help="JSON list of lexicons and test texts; see below")
    coverage.add_argument("--training", help="JSON list of corpora; see below")
    coverage.set_defaults(run=_coverage)


def _add(commands: _Commands[argparse.ArgumentParser], name: str, about: str, lists: str) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=about,
        description=about[0].upper() + about[1:] + ".",
        epilog=lists,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--out", required=True, help="table to write (.csv or .parquet)")
    writes(command, "out")
    return command


def read_list(path: str, needed: set[str], optional: frozenset[str] = frozenset()) -> list[Any]:
    """The objects of a JSON list, each with the needed keys and no others than the optional ones."""
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(path, "", "cannot be read", "correct the path") from error
    except ValueError as error:
        raise UserError(path, "", f"not JSON ({error})", "see --help for an example") from error
    return _check_entries(path, entries, needed, optional)


def _check_entries(path: str, entries: Any, needed: set[str], optional: frozenset[str]) -> list[Any]:
    if not isinstance(entries, list):
        raise UserError(path, "", "not a list", "see --help for an example")
    for number, entry in enumerate(entries):
        found = set(entry) if isinstance(entry, dict) else set()
        wrong = sorted((needed - found) | (found - needed - optional))
        if wrong:
            raise UserError(path, f"[{number}]", f"{wrong[0]} missing or unknown", "see --help for an example")
    return entries


def _sweep(given: argparse.Namespace) -> None:
    from switchrank.evaluate.sweep import Swept, sweep_table

    points = read_list(given.points, set(Swept.__annotations__))
    sweep_table(points=points, metrics=given.metrics, quality=given.quality, out=given.out)


def _overlap(given: argparse.Namespace) -> None:
    from switchrank.evaluate.why import PairTexts, overlap_table

    vocabularies = frozenset({"query_vocabulary", "vocabulary"})
    pairs = read_list(given.pairs, set(PairTexts.__annotations__) - vocabularies, vocabularies)
    overlap_table(pairs=pairs, per_query=given.per_query, metric=given.metric, out=given.out)


def _shift(given: argparse.Namespace) -> None:
    from switchrank.evaluate.why import ScoredRun, shift_table

    judgements: dict[str, dict[str, str]] = {}
    for word in given.judgements:
        role, _, table = word.partition("=")
        testset, slash, language = role.rpartition("/")
        if not (testset and slash and language and table):
            raise UserError("switchrank evaluate", "--judgements", f"'{word}'", "write testset/language=table")
        judgements.setdefault(testset, {})[language] = table
    shift_table(runs=read_list(given.runs, set(ScoredRun.__annotations__)), judgements=judgements, out=given.out)


def _warnings(given: argparse.Namespace) -> None:
    from switchrank.evaluate.warnings import warnings_table

    warnings_table(
        per_query=given.per_query,
        testsets=given.testsets,
        coverage=given.coverage,
        references=given.references,
        out=given.out,
    )


def _testsets(given: argparse.Namespace) -> None:
    from switchrank.evaluate.testsets import TestedDocuments, table_of_testsets

    parts = read_list(given.testsets, set(TestedDocuments.__annotations__))
    table_of_testsets(testsets=parts, first_stage=given.first_stage, out=given.out)


def _first_stage(given: argparse.Namespace) -> None:
    from switchrank.evaluate.first_stage import SearchedPair, first_stage_table

    optional = frozenset({"queries", "documents", "vocabulary", "query_vocabulary"})
    pairs = read_list(given.pairs, set(SearchedPair.__annotations__) - optional, optional)
    first_stage_table(testset=given.testset, pairs=pairs, out=given.out)


def _exposure(given: argparse.Namespace) -> None:
    from switchrank.evaluate.exposure import Exposed, TestedLanguage, exposure_table

    pairs = read_list(given.pairs, set(Exposed.__annotations__))
    for pair in pairs:
        _check_entries(given.pairs, pair["tested"], set(TestedLanguage.__annotations__), frozenset())
    exposure_table(pairs=pairs, out=given.out)


def _coverage(given: argparse.Namespace) -> None:
    from switchrank.evaluate.coverage import TestedLanguage, TestedTexts, Trained, coverage_table

    languages = read_list(
        given.languages, set(TestedLanguage.__annotations__) - {"vocabulary"}, frozenset({"vocabulary"})
    )
    needed = set(TestedTexts.__annotations__) - {"draw"}
    for language in languages:
        _check_entries(given.languages, language["texts"], needed, frozenset({"draw"}))
    training = read_list(given.training, set(Trained.__annotations__)) if given.training else []
    coverage_table(languages=languages, training=training, out=given.out)
