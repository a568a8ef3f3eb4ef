"""``switchrank evaluate``: score runs, measure language bias, make the tables, analyse a run, show its main table.

Lists of runs, test sets and texts are JSON files; the help of each command shows one.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from switchrank.core.command import ANY_NUMBER, Command, Group, imported, named
from switchrank.core.errors import UserError
from switchrank.formats.measures import USUAL_BIAS, Averaged, BiasMeasure

_SCORED = """\
runs:
[{"path": "de-en/seed1.trec", "system": "ml-cs", "query_lang": "de", "doc_lang": "en", "seed": 1}]"""
_MEASURES = """\
rank_distance        largest minus smallest rank among a query's relevant documents, over languages (union pools)
max_rank             the largest of these ranks (Max@R)
own_language         two shares of the query's own language:
own_language_top10     among its ten best documents
own_language_pool      in its whole list: what no preference would give
rankc                how alike the same query, asked in two languages, ranks the same documents (1: the same)
rank_correlation     the same as Spearman's correlation of all ranks, -1 to 1 (MRC)
A document that a run does not hold is ranked right after its last one; rankc leaves it out.
"""
_POINTS = """\
points:
[{"sweep": "p", "x": "0.25", "system": "ml-cs-p-0-25", "lexicon": "clwe", "stats": ["corpora/ml-cs/stats.json"]}]"""
_PAIRS = """\
pairs:
[{"testset": "mine", "query_lang": "sw", "doc_lang": "en", "queries": "queries-sw.parquet",
  "documents": "documents-en.parquet", "judgements": "judgements-en.parquet"}]
query_vocabulary, vocabulary: vector stores (.words.parquet) that cut queries and documents without spaces"""
_RUNS = """\
runs:
[{"path": "sw-en/seed1.trec", "system": "ml-cs", "testset": "mine", "query_lang": "sw", "doc_lang": "en", "seed": 1}]"""
_TESTSETS = """\
testsets:
[{"testset": "mine", "collection": "squad", "format": "squad", "relevance": "gold", "doc_lang": "en",
  "documents": "documents-en.parquet", "judgements": "judgements-en.parquet", "candidates": "candidates-en.parquet",
  "search": "en-en"}]
relevance: gold or answer; candidates: null where every document is one; search: run, all, or the languages of the
queries and documents that BM25 looked at"""
_SEARCHES = """\
pairs:
[{"query_lang": "sw", "doc_lang": "en", "way": "own", "search": "sw-en", "queries": "queries-sw.parquet",
  "documents": "documents-en.parquet", "judgements": "judgements-en.parquet", "candidates": "candidates-en.parquet"}]
way: used (the candidates themselves), own, or translated (queries and documents are translations)
query_vocabulary, vocabulary: vector stores (.words.parquet) that cut queries and documents without spaces"""
_EXPOSED = """\
pairs:
[{"training": "squad", "systems": ["zero-shot", "ml-cs"], "instances": "instances/train.parquet",
  "training_documents": "documents-en.parquet", "testset": "mine", "by": "text", "own_ids": false, "tested": [
    {"documents": "mine-en.parquet", "judgements": "judgements-en.parquet", "candidates": "candidates-en.parquet"}]}]
by: id (of one collection) or text; candidates: null where every document is one"""
_LANGUAGES = """\
languages:
[{"lang": "sw", "lexicons": {"clwe": "en-sw.parquet"}, "texts": [
  {"testset": "mine", "side": "query", "texts": "queries-sw.parquet", "chosen": ["judgements-en.parquet"]},
  {"testset": "mine", "side": "document", "texts": "documents-sw.parquet", "chosen": ["candidates-sw.parquet"]}]}]
chosen: tables of the ids that count, none for all; draw: which texts of a mixed pool are in the language;
vocabulary, beside texts: a vector store (.words.parquet) that cuts text without spaces

training:
[{"lexicon": "clwe", "lang": "sw", "corpus": "ml-cs", "stats": ["corpora/ml-cs/stats.json"]}]"""

_TABLES = ("metrics.csv", "per_query.parquet", "significance.csv", "effects.csv")


def bias(
    *,
    runs: Sequence[Mapping[str, Any]],
    testset: str,
    out: str | Path,
    documents: str | None = None,
    queries: str | None = None,
    judgements: str | None = None,
    measures: Sequence[BiasMeasure] = USUAL_BIAS,
    depth: int | None = None,
    per_query_out: str | None = None,
) -> None:
    """Measure how the systems treat the languages of a test set.

    Args:
        runs: JSON list of runs, see below; mixed sides are in xx.
        testset: name of the test set.
        out: BIAS table to write (.csv or .parquet).
        documents: DRAW of the mixed documents; needed for runs whose documents are in xx.
        queries: DRAW of the mixed queries; needed for runs whose queries are in xx too.
        judgements: JUDGEMENTS of a union pool, for rank_distance and max_rank; none for a drawn pool.
        measures: see below.
        depth: candidates rankc looks at, at most (default: all).
        per_query_out: PER_QUERY table to write too (.parquet), of the measures that need one run alone.
    """
    from switchrank.evaluate.bias import bias_table

    given = {"documents": documents, "queries": queries, "judgements": judgements}
    pool = {name: path for name, path in given.items() if path is not None}
    asked = [{**run, "testset": testset} for run in runs]
    pools = {testset: pool} if pool else {}
    bias_table(runs=asked, pools=pools, out=out, measures=measures, depth=depth, per_query_out=per_query_out)


def show(*, tables: str, metric: str = "mrr@10", width: int = 100) -> None:
    """Print the main table of a run.

    Args:
        tables: folder with metrics.csv, significance.csv and, where there are, setups.csv and warnings.csv.
        metric: which metric.
        width: columns of the terminal.
    """
    from switchrank.evaluate.summary import main_table, setups_text
    from switchrank.formats.tables import warning_lines

    folder = Path(tables)
    print(main_table(folder / "metrics.csv", folder / "significance.csv", metric, width), end="")
    if (folder / "setups.csv").is_file():
        print("\n" + setups_text(folder / "setups.csv", width), end="")
    print("".join(f"\n{line}\n" for line in warning_lines(folder / "warnings.csv")), end="")


def claims(*, tables: Sequence[str | Path], out: str | Path | None = None) -> None:
    """Print what papers claim beside what your runs say: sign, size, interval, verdict.

    A run is compared by its systems of the usual names: zero-shot, bl-cs, ml-cs, wiki-cs, fine-tuning, zero-shot-tt,
    ml-cs-tt, and for other shares of switched words ml-cs-p-0-25, ml-cs-p-0-75, ml-cs-p-1-0; dual encoders trained on
    batches of one or two languages, or both: mono, cross, hybrid. Where a run lacks one, its line says so; papers that
    no run has two systems of are left out, unless that is all of them.

    Args:
        tables: tables/ of each run, such as those of several starts; seeds are joined first (switchrank evaluate join).
        out: CLAIMS table to write (.csv or .parquet) beside what is printed.
    """
    import polars as pl

    from switchrank.evaluate.claims import claim_rows, judgeable, published, read_runs
    from switchrank.evaluate.claims_text import claims_text
    from switchrank.formats.tables import CLAIMS, write_table

    runs = read_runs(tables)
    judged = judgeable(runs, published()) or published()
    rows = claim_rows(runs, judged)
    if out is not None:
        write_table(pl.DataFrame(rows, schema=pl.Schema(CLAIMS)), out, CLAIMS)
    print(claims_text(rows, judged), end="")


def _mixed(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    pairs = named(words, "--mixed", "TESTSET=L1,L2")
    return {testset: tuple(members.split(",")) for testset, members in pairs.items()}


def _parts(words: Sequence[str], flag: str, form: str, pattern: str) -> Iterator[tuple[str, ...]]:
    for word in words:
        found = re.fullmatch(pattern, word)
        if not found:
            raise UserError("command line", flag, f"'{word}'", f"write {form}")
        yield found.groups()


def _same(words: Sequence[str]) -> frozenset[tuple[str, ...]]:
    form, pattern = "system=testset/query-document", r"([^=]+)=(.+)/([^-/]+)-([^/]+)"
    return frozenset(_parts(words, "--same", form, pattern))


def _judgements_of_testsets(words: Sequence[str]) -> dict[str, dict[str, str]]:
    judgements: dict[str, dict[str, str]] = {}
    for testset, language, table in _parts(words, "--judgements", "testset/language=table", r"([^=]+)/([^/=]+)=(.+)"):
        judgements.setdefault(testset, {})[language] = table
    return judgements


def _list_of(kind: str) -> Callable[[str], list[Any]]:
    """A reader of JSON lists of the dictionaries that a TypedDict, ``module:name``, describes."""

    def read(path: str) -> list[Any]:
        from pydantic import ConfigDict, TypeAdapter, ValidationError

        wanted: Any = list[imported(kind)]  # type: ignore[misc]
        entries: TypeAdapter[list[Any]] = TypeAdapter(wanted, config=ConfigDict(extra="forbid"))
        try:
            return entries.validate_json(Path(path).read_bytes())
        except OSError as error:
            raise UserError(path, "", "cannot be read", "correct the path") from error
        except ValidationError as error:
            mistake = error.errors()[0]
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in mistake["loc"])
            message = mistake["msg"][0].lower() + mistake["msg"][1:]
            problem = {"missing": "missing", "extra_forbidden": "unknown"}.get(mistake["type"], message)
            raise UserError(path, place, problem, "see --help for an example") from error

    return read


_RUN_LIST = _list_of("evaluate.score:Scored")

COMMANDS = Group(
    {
        "score": Command(
            "evaluate.score:evaluate_testset",
            "score the TREC runs of one test set per query",
            about=_SCORED,
            forms={"judgements": "LANG=TABLE"},
            reads={"runs": _RUN_LIST},
        ),
        "bias": Command(bias, about=f"{_MEASURES}\n{_SCORED}", reads={"runs": _RUN_LIST}),
        "tables": Command(
            "evaluate.tables:make_tables",
            "make metrics.csv, per_query.parquet, significance.csv and effects.csv from the scores of all test sets",
            writes=lambda given: [Path(given["out"], name) for name in _TABLES],
            flags={"run": "run-name"},
            forms={"mixed": "TESTSET=L1,L2", "same": "SYSTEM=TESTSET/PAIR"},
            counts=dict.fromkeys(("seen", "unseen", "mixed", "same", "systems"), ANY_NUMBER),
            reads={"mixed": _mixed, "same": _same},
            unasked=["apart"],
        ),
        "setups": Command(
            "evaluate.setups:setups_table",
            "average measures over the language pairs of each setup, and test them against the baseline",
            choices={"metrics": get_args(Averaged)},
            counts={"systems": ANY_NUMBER},
            unasked=["apart", "same", "families"],
        ),
        "join": Command(
            "evaluate.join:join_tables",
            "make one set of tables of several runs: seeds that were run one by one, or runs side by side",
            folder="joined tables",
            places=["folders"],
            flags={"folders": "folder", "run": "run-name"},
            unasked=["baseline", "apart", "same", "tests", "families", "correction", "seed"],
        ),
        "claims": Command(claims, forms={"tables": "FOLDER"}),
        "sweep": Command(
            "evaluate.sweep:sweep_table",
            "gather the numbers of settings varied one at a time",
            about=_POINTS,
            reads={"points": _list_of("evaluate.sweep:Swept")},
        ),
        "overlap": Command(
            "evaluate.why:overlap_table",
            "split a metric by the words that query and passage share",
            about=_PAIRS,
            reads={"pairs": _list_of("evaluate.why:PairTexts")},
            unasked=["bins"],
        ),
        "shift": Command(
            "evaluate.why:shift_table",
            "measure what a relevant passage loses when its language changes",
            about=_RUNS,
            forms={"judgements": "TESTSET/LANG=TABLE"},
            reads={"runs": _list_of("evaluate.why:ScoredRun"), "judgements": _judgements_of_testsets},
        ),
        "warnings": Command(
            "evaluate.warnings:warnings_table",
            "say what must be known before the results are believed",
            forms={"models": "SYSTEM=FOLDER"},
            counts={"references": ANY_NUMBER},
            unasked=["origins"],
        ),
        "testsets": Command(
            "evaluate.testsets:table_of_testsets",
            "say what is tested on, and what its candidates allow",
            about=_TESTSETS,
            forms={"first_stage": "TABLE"},
            reads={"testsets": _list_of("evaluate.testsets:TestedDocuments")},
            unasked=["first_stage_out"],
        ),
        "first-stage": Command(
            "evaluate.first_stage:first_stage_table",
            "say what the candidates of a test set allow",
            about=_SEARCHES,
            reads={"pairs": _list_of("evaluate.first_stage:SearchedPair")},
        ),
        "exposure": Command(
            "evaluate.exposure:exposure_table",
            "count the test documents that training has met",
            about=_EXPOSED,
            reads={"pairs": _list_of("evaluate.exposure:Exposed")},
        ),
        "coverage": Command(
            "evaluate.coverage:coverage_table",
            "measure how much of the texts each lexicon covers",
            about=_LANGUAGES,
            reads={
                "languages": _list_of("evaluate.coverage:TestedLanguage"),
                "training": _list_of("evaluate.coverage:Trained"),
            },
        ),
        "show": Command(show),
    }
)
