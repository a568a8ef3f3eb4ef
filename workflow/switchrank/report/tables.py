"""Tables of the report: what they say, and each as one HTML file that sorts and searches by itself, or as TSV.

The HTML needs no network and no library: the style sheet and the script beside this module are written into the page.
The page saves its rows as TSV too: every cell whose text is not its value carries the value, and the table carries the
names and values of the columns that are not shown.
"""

import html
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.formats.tables import DAMAGE, EXPOSURE, TESTSETS, Schema, reason
from switchrank.report.page import asset, page

LANGUAGE_COLUMNS = ("query_lang", "doc_lang", "src", "tgt", "language", "lang")
P_VALUES = ("p_value", "p_corrected")
HELP = {
    "setup": "moir: same language; clir: different languages; mlir: several languages mixed",
    "query_lang": "language of the queries; xx: several mixed",
    "doc_lang": "language of the documents; xx: several mixed",
    "seen": "which side's language was in training: both, query, document or none",
    "seed": "training seed",
    "queries": "queries with a relevant document; those without a candidate score 0",
    "delta": "value minus baseline_value",
    "ci_low": "lower end of the 95% confidence interval",
    "ci_high": "upper end of the 95% confidence interval",
    "p_value": "before correction",
    "p_corrected": "after correction for all tests of the family",
    "family": "tests that are corrected together; same run: compared with itself, so no test and in no family",
    "family_size": "number of tests corrected together; 0: the system's run is the baseline's own",
    "p_at_1": "share of gold words whose best translation is right; uncovered words count as wrong",
    "p_at_5": "share of gold words with a right translation among the best five",
    "coverage": "share of gold words the lexicon has at all",
    "format": "format of the collection",
    "relevance": "gold: passages that the data names; answer: passages that hold an answer string",
    "documents": "documents in the collection or pool",
    "relevant": "mean number of relevant documents per query",
    "candidates": "mean number of documents to re-rank per query",
    "candidate_recall": "share of queries with a relevant document among their candidates: MRR cannot be higher",
    "chance": "MRR@10 that a random order of the candidates has on average",
    "kind": "chance: a model that ranks no better; queries: too few; coverage: a lexicon that lacks most words",
    "subject": "the system on its test set, the test set, or the lexicon and its language",
    "search": "what found the candidates: query-document languages that BM25 looked at; run: a given ranking; all",
    "own_recall": "candidate_recall if each query searched as it is, mean over pairs of two or mixed languages",
    "translated_recall": "the same if the run's lexicons translated query and documents",
    "way": "used: the candidates of the test set; own: BM25 with the texts as they are; translated: by a lexicon",
    "depth": "documents kept of each query, at most",
    "recall": "share of queries with a relevant document among these: MRR cannot be higher",
    "training": "collection that is learnt from",
    "systems": "systems that learn from it; start: the model that all start from",
    "by": "how documents are compared: id (one collection) or text",
    "positives": "of these documents, how many are relevant to some training query",
    "negatives": "of these documents, how many are a negative of some training query",
    "relevant_positives": "of the relevant ones, how many are relevant to some training query",
    "relevant_negatives": "of the relevant ones, how many are a negative of some training query",
    "lang": "language that the lexicon translates to",
    "side": "query or document: test text in lang; training: source-language text of the corpus",
    "words": "running words; of training text, content words",
    "covered": "words of a target of the lexicon; in training text, words that it translates",
    "share": "covered words per word",
    "gold_size": "words in the gold lexicon",
    "epochs": "passes over the training pairs of the labelled queries that the tested weights have seen; 0: none",
    "examples": "labelled target-language queries used, or needed; empty: never reached",
    "baseline": "the system compared with",
    "boot_low": "lower end of the 95% bootstrap interval of delta over queries",
    "boot_high": "upper end of the 95% bootstrap interval of delta over queries",
    "effect_size": "Cohen's d of the paired differences: their mean in their standard deviations",
    "start": "the system whose model is trained further; none: the initial model",
    "language": "language of the labelled queries",
    "reference": "the system whose value without labels is to be reached",
    "reference_value": "value of the reference without labels",
    "measure": "what is told of language bias: see below",
    "sweep": "the setting that is varied",
    "x": "its value",
    "switched": "measured share of switched content words of the corpus",
    "drop": "score of a relevant passage in the query's language minus its score in doc_lang (logits)",
    "drop_sd": "standard deviation of the drop over passages",
    "pairs": "language pairs; of a score drop, pairs of a query and a relevant passage",
}
"""Column name to what its head says when pointed at."""


def _foreign_candidates(row: dict[str, Any]) -> str:
    """Of a TESTSETS row, whether its candidates serve pairs that they were not searched for.

    Candidates of a given run count too: what was searched for them is not known here.
    """
    if row["own_recall"] is None:
        return ""
    searches = [pair.partition("-")[::2] for pair in row["search"].split()]
    found = "were found by " + " and ".join(f"{query} queries on {document} documents" for query, document in searches)
    how = "come from a given ranking" if row["search"] == "run" else found
    by_lexicon = row["translated_recall"]
    rest = "" if by_lexicon is None else f", and for {by_lexicon:.1%} with all texts translated by a lexicon of the run"
    return (
        f"{row['testset']}, documents in {row['doc_lang']}: the candidates {how}, and their ids serve every query "
        f"language; {row['candidate_recall']:.1%} of the queries have a relevant one among them. Who asks in another "
        "language than that of the documents has no such list without translations: BM25 with the query as it is finds "
        f"a relevant document for {row['own_recall']:.1%}{rest}."
    )


def _met_in_training(row: dict[str, Any]) -> str:
    """Of an EXPOSURE row, how many documents training has met."""

    def share(part: str, whole: str) -> str:
        return f"{row[part]} ({row[part] / row[whole]:.0%})" if row[whole] else str(row[part])

    labels = ("negatives", "positives")
    every = " and ".join(f"{share(label, 'documents')} are {label}" for label in labels)
    relevant = " and ".join(f"{share(f'relevant_{label}', 'relevant')} are {label}" for label in labels)
    return (
        f"{row['testset']}: of {row['documents']} documents that are ranked, {every} of training queries of "
        f"{row['training']}; of {row['relevant']} that are relevant, {relevant}. Compared by {row['by']}."
    )


class Described(NamedTuple):
    """Title of a table's page and the note under it."""

    title: str
    note: str = ""


SENTENCES: dict[str, tuple[Schema, Callable[[dict[str, Any]], str]]] = {
    "testsets": (TESTSETS, _foreign_candidates),
    "exposure": (EXPOSURE, _met_in_training),
}
"""What says a row in words, for people who do not read tables, and the columns it reads; empty: nothing to say."""
TITLES = {
    "metrics": Described("Metrics of every system, pair and seed"),
    "warnings": Described(
        "What to know before these results are believed",
        "Models that rank no better than a random order of the candidates, test sets of fewer than 50 queries, lexicons"
        " that cover less than a third of the words of a side or come from the model that is tested with them, models"
        " whose licence forbids commercial use or is not known.",
    ),
    "testsets": Described(
        "Test sets and their candidates",
        "candidate_recall is the highest MRR that any re-ranker can reach. Scores by answer strings and by gold"
        " passages are not comparable. own_recall: what candidate_recall would be if each query searched as it is, over"
        " the pairs of two or mixed languages whose candidates other texts have found; translated_recall: if a lexicon"
        " translated query and documents word by word. The table first_stage has every pair.",
    ),
    "first_stage": Described(
        "What the first stage allows, as tested and as a user would have it",
        "used: the candidates of the test set, random and added documents among them. own: BM25 with the query as it is"
        " on the documents as they are. translated: BM25 with both translated word by word into the source language.",
    ),
    "exposure": Described(
        "Test documents that training has met",
        "Training pairs are those of the whole collection; a training that is shorter than one pass sees some of them."
        " All systems of a row learn from the same pairs.",
    ),
    "coverage": Described(
        "Words of the texts that each lexicon covers",
        "side query and document: running words of the test text that are a word of some translation, in judged queries"
        " and in candidates, of these the first 2,000 by docid. side training: content words of the training text that"
        " have a translation of their own; testset is the corpus then.",
    ),
    "significance": Described("Every system against the baseline"),
    "lexicon_quality": Described("Lexicons against gold dictionaries"),
    "ablation": Described(
        "Fine-tuning with labelled target-language queries",
        "One row per starting model, language, number of labelled queries, seed, test pair and metric. 0 examples: the"
        " starting model itself. The labelled queries are in no test set and in no training of a starting model.",
    ),
    "ablation_curve": Described(
        "Learning curves over labelled target-language queries",
        "Means over seeds with a 95% bootstrap interval over queries (low, high).",
    ),
    "equivalence": Described(
        "Labelled queries that a start needs to reach the reference without any",
        "Where the mean curve, interpolated over log2(1 + examples), first reaches the reference. Low and high: 95%"
        " bootstrap interval over queries. Empty examples: not reached with the most labels tried; empty high: the"
        " interval is open.",
    ),
    "bias": Described(
        "How systems treat the languages of a mixed pool",
        "own_language_top10 above own_language_pool: the system prefers documents in the query's language."
        " rank_distance: ranks between a query's relevant documents in its best and its worst language, 0 is even."
        " max_rank: the rank in the worst one. rankc, rank_correlation: agreement with the same query in other"
        " languages, 1 is even.",
    ),
    "setups": Described(
        "Means over the language pairs of each setup",
        "Systems that rank all of a setup's pairs. Tests are over queries; one that is asked in several languages"
        " counts once. Of rank_distance and max_rank less is better.",
    ),
    "sweep": Described(
        "One setting varied at a time",
        "x is the setting; switched is the measured share of switched content words of the corpus, p_at_1 the mean"
        " quality of its lexicon, empty where there is no gold lexicon.",
    ),
    "effects": Described(
        "Size of every difference from the baseline",
        "boot_low and boot_high: 95% bootstrap interval over queries. effect_size: Cohen's d of the paired differences;"
        " 0.2 is small, 0.5 medium, 0.8 large (Cohen 1988).",
    ),
    "overlap": Described(
        "Metrics by word overlap of query and relevant passage",
        "A row holds the queries whose words occur in a relevant passage to a share from low (inclusive) to high.",
    ),
    "shift": Described(
        "Score drop of a relevant passage when only its language changes",
        "Scores of two systems need not have the same scale: compare a drop with 0 and with the other pairs of its"
        " system first.",
    ),
}
"""Table name (the file's name without suffix) to its description; others are called as their file, without a note."""


def write_table_page(
    *,
    table: str | Path,
    out: str | Path,
    where: Mapping[str, str] | None = None,
    title: str = "",
    note: str = "",
    unseen: Sequence[str] = (),
) -> None:
    """A table as sortable, searchable HTML, or as TSV.

    In HTML, columns keep their order, floats have four decimals, p-values below 0.001 are in scientific notation, null
    is empty. A column with one value throughout becomes a line under the table, and so does what a known table says in
    words. TSV has a header, full precision and Unix line ends.

    Args:
        table: a .csv or .parquet table.
        out: what to write: .html or .tsv.
        where: keep only such rows.
        title: title of the HTML page (default: by the table's name).
        note: a line under the table (default: by the table's name).
        unseen: languages marked with *.

    Raises:
        UserError: the table is missing or unreadable, or ``where`` names no column or leaves no row.
    """
    whole = load_table(table, where)
    content = None if str(out).endswith(".tsv") else _page(whole, Path(out).stem, table, title, note, unseen)
    with atomic_path(out) as temporary:
        if content is None:
            whole.write_csv(temporary, separator="\t")
        else:
            temporary.write_text(content, encoding="utf-8", newline="\n")


def _page(whole: pl.DataFrame, name: str, table: str | Path, title: str, note: str, unseen: Sequence[str]) -> str:
    known = TITLES.get(Path(table).stem, Described(Path(table).stem.replace("_", " ").capitalize()))
    title, note = title or known.title, note or known.note
    frame, constant = _folded(whole)
    said = [f"{column} {value}" for column, value in constant.items() if value]
    same = "Same in all rows: " + ", ".join(said) if said else ""
    empty = "This table has no rows." if whole.is_empty() else ""
    columns, sentence = SENTENCES.get(Path(table).stem, ({}, lambda _: ""))
    complete = whole if columns.keys() <= set(whole.columns) else whole.clear()
    sentences = map(sentence, complete.iter_rows(named=True))
    lines = [*sentences, empty, note, same, "* language unseen in training" if unseen else ""]
    # All columns in order: a JSON list of [name, value], value null where the column is shown.
    hidden = [[column, _raw(whole[column][0]) if column in constant else None] for column in whole.columns]
    cells = ([_cell(*cell, unseen) for cell in row.items()] for row in frame.iter_rows(named=True))
    rows = "\n".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    body = (
        '<label class="search">Search <input type="search" id="search" placeholder="all words must occur"></label>\n'
        '<p id="count" role="status" aria-live="polite"></p>\n'
        f'<button type="button" id="save" data-name="{html.escape(name)}.tsv">'
        "Save these rows as TSV</button>\n"
        f'<div class="scroll"><table id="table" data-columns="{html.escape(json.dumps(hidden, ensure_ascii=False))}">\n'
        f"<caption>{html.escape(title)}</caption>\n{_head(frame)}\n"
        f"<tbody>\n{rows}\n</tbody></table></div>\n"
        + "".join(f'<p class="note">{html.escape(line)}</p>\n' for line in lines if line)
        + f"<script>\n{asset('table.js')}</script>\n"
    )
    return page(title, body, asset("table.css"))


def load_table(path: str | Path, where: Mapping[str, str] | None = None) -> pl.DataFrame:
    """The rows of a CSV or parquet table, or those with the given values (compared as text)."""
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", "no such file", "run the stage that makes it, or correct the path")
    try:
        frame = pl.read_csv(path, infer_schema_length=None) if path.suffix == ".csv" else pl.read_parquet(path)
    except DAMAGE as error:
        problem = f"not a readable table ({reason(error)})"
        raise UserError(path, "", problem, "give a .csv or .parquet table") from error
    for column, value in (where or {}).items():
        if column not in frame.columns:
            raise UserError(path, column, "no such column", f"choose one of: {', '.join(frame.columns)}")
        frame = frame.filter(pl.col(column).cast(pl.String) == value)
        if frame.is_empty():
            raise UserError(path, column, f"no row with {value!r}", "choose a value that occurs in this column")
    return frame


def _folded(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """``frame`` without the columns that say the same in every row, and what those say (null is an empty text); floats
    always stay."""
    constant = {
        name: _plain(frame[name][0])
        for name, dtype in frame.schema.items()
        if len(frame) > 1 and not dtype.is_float() and name not in LANGUAGE_COLUMNS and frame[name].n_unique() == 1
    }
    return frame.drop(constant), constant


def _raw(value: Any) -> str:
    """A text or truth value as the TSV has it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> str:
    return "" if value is None else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _head(frame: pl.DataFrame) -> str:
    cells = []
    for column, dtype in frame.schema.items():
        kind = ' class="number"' if dtype.is_numeric() else ""
        title = f' title="{html.escape(HELP[column])}"' if column in HELP else ""
        button = f'<button type="button"{title}>{html.escape(column)}</button>'
        cells.append(f'<th scope="col"{kind} aria-sort="none">{button}</th>')
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _cell(column: str, value: Any, unseen: Sequence[str]) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'<td class="number" data-value="{value!r}">{number(column, value)}</td>'
    shown = _plain(value) + ("*" if column in LANGUAGE_COLUMNS and value in unseen else "")
    plain = "" if shown == _raw(value) else f' data-plain="{html.escape(_raw(value))}"'
    return f"<td{plain}>{html.escape(shown)}</td>"


def number(column: str, value: float) -> str:
    """A number as the tables show it: integers whole, floats with four decimals, tiny p-values as ``1.2e-05``."""
    if isinstance(value, int):
        return str(value)
    if column in P_VALUES and 0 <= value < 0.001:
        return f"{value:.1e}" if value else "0"
    return f"{value:.4f}"
