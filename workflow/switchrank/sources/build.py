"""From input files to the tables of a collection: read, leave out what cannot be used, cut, write all or nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.collections.notes import note
from switchrank.collections.spec import CollectionSpec, Parsed, check_files, read_files
from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.core.seeds import derive_seed
from switchrank.formats.tables import JUDGEMENTS, QUERIES, write_table
from switchrank.sources.exclude import ROLE, exclude_questions

_CUTS = {"dev": "development cut", "labels": "labelled cut"}
"""What the seed of each cut of the training queries is derived for, by the split it makes."""


def build_collection(
    *, spec: dict[str, Any], files: dict[str, str], out: str | Path, overwrite: bool = False
) -> dict[str, dict[str, int]]:
    """Read one collection and write its tables into the folder ``out``, replacing an older collection there.

    Queries without a relevant document are left out and counted on standard error. With ``dev`` or ``labels`` above 0,
    whole groups of training queries are set aside, and their triples leave the training triples. Their documents stay
    in the collection: training may draw them as negatives of other queries.

    Args:
        spec: JSON-plain form of :class:`switchrank.collections.spec.CollectionSpec`, which names the tables.
        files: path by role. Where documents, queries and judgements are separate: ``documents/<lang>``,
            ``queries/<split>/<lang>``, ``judgements/<split>``, and where there are any ``triples/train`` and
            ``groups`` (document id, topic); further files of a role are ``<role>+1``, ``<role>+2``. For ``squad``:
            ``<split>/<lang>``. Only test queries exist in other languages than the source and the training ones.
            With ``excluding``, ``excluded/<table>`` are the other collection's tables of queries.
        out, overwrite: the folder to write, and whether an older one is replaced whatever it holds.

    Returns:
        ``{"documents": {lang: n}, "queries": {split: n}}``; queries are counted in the split's first language.
        UserError: a wrong specification, a defective file, nothing left to write, or ``out`` holds something else.
    """
    checked = CollectionSpec.from_plain(spec)
    own = {role: path for role, path in files.items() if not role.startswith(ROLE)}
    check_files(checked, own)
    excluded = [path for role, path in files.items() if role not in own]
    if bool(excluded) != bool(checked.excluding):
        todo = f"name the collection in excluding, and its tables of queries as {ROLE}<table>"
        raise UserError("collection", "excluding", "either a name or tables are missing", todo)
    for role, path in files.items():
        if not Path(path).exists():
            raise UserError(path, role, "no such file", "correct the path")
    with atomic_folder(out, "a collection", overwrite=overwrite) as folder:
        parsed = read_files(checked, own, folder)
        if excluded:
            parsed = exclude_questions(parsed, checked, excluded, folder)
        queries = _judged_queries(parsed, checked)
        splits = _assign(queries, checked)
        for split, (origin, qids) in splits.items():
            for language in checked.query_languages(split):
                asked = queries[origin, language].join(qids, on="qid", how="semi", maintain_order="left")
                write_table(asked, folder / f"queries-{split}-{language}.parquet", QUERIES)
            for language in checked.judged_languages(split):
                judged = parsed.judgements[origin, language].join(qids, on="qid", how="semi", maintain_order="left")
                write_table(judged, folder / f"judgements-{split}-{language}.parquet", JUDGEMENTS)
        if parsed.triples:
            _write_triples(parsed.triples, splits, files.get("triples/train", "triples"), folder)
    return {"documents": parsed.documents, "queries": {split: len(qids) for split, (_, qids) in splits.items()}}


def _judged_queries(parsed: Parsed, spec: CollectionSpec) -> dict[tuple[str, str], pl.DataFrame]:
    """The queries that have a relevant document in some language; the others are counted."""
    kept = {}
    for split in spec.splits:
        languages = spec.query_languages(split)
        judged = pl.concat(parsed.judgements[split, language] for language in spec.judged_languages(split))
        relevant = judged.filter(pl.col("relevance") >= 1).select("qid").unique()
        for language in languages:
            queries = parsed.queries[split, language]
            kept[split, language] = queries.join(relevant, on="qid", how="semi", maintain_order="left")
            lost = len(queries) - len(kept[split, language])
            note(f"queries {split} {language}", lost, "queries left out: they have no relevant document")
            if kept[split, language].is_empty():
                problem = f"no {split} query in {language} has a relevant document"
                raise UserError("collection", f"queries.{split}.{language}", problem, "check ids and judgements")
        everywhere = pl.concat(kept[split, language].select("qid") for language in languages)
        counts = everywhere.group_by("qid").len()
        note(f"queries {split}", len(counts.filter(pl.col("len") < len(languages))), "queries are not in all languages")
    return kept


def _assign(
    queries: Mapping[tuple[str, str], pl.DataFrame], spec: CollectionSpec
) -> dict[str, tuple[str, pl.DataFrame]]:
    """Which queries a written split has: ``{split: (split they are read from, column qid)}``."""
    splits = {
        split: (split, pl.concat(queries[split, language].select("qid") for language in spec.query_languages(split)))
        for split in spec.splits
    }
    left = queries.get(("train", spec.source), pl.DataFrame())
    for split, share in spec.cuts.items():
        whole = len(queries["train", spec.source])
        chosen = cut_queries(left, share=share * whole / len(left), seed=spec.seed, split=split).to_frame()
        left = left.join(chosen, on="qid", how="anti", maintain_order="left")
        splits |= {split: ("train", chosen), "train": ("train", left.select("qid"))}
    return {split: (splits[split][0], splits[split][1].unique(maintain_order=True)) for split in spec.written_splits}


def cut_queries(queries: pl.DataFrame, *, share: float, seed: int, split: str = "dev") -> pl.Series:
    """The ``qid`` of whole groups (articles, topics), drawn in a seeded order until they hold ``share`` of the queries.

    The place of a group in that order depends only on the collection's seed, the split (``dev``, or ``labels``:
    queries that are labelled examples only) and its own name, so that adding or reordering queries moves few others.
    ``queries`` has columns ``qid`` and ``group``, and its order is kept. UserError if no group is left for training.
    """
    sizes = queries.group_by("group").len().sort("group")
    order = [derive_seed(seed, "sources", _CUTS[split], name) for name in sizes["group"]]
    drawn = sizes.with_columns(order=pl.Series(order, dtype=pl.UInt64)).sort("order", "group")
    before = drawn["len"].cum_sum() - drawn["len"]
    chosen = drawn.filter(before < share * len(queries))
    if len(chosen) == len(drawn):
        problem = f"a share of {share:.4g} takes all {len(drawn)} groups of {len(queries)} training queries"
        raise UserError("collection", split, problem, "lower the share, name finer groups, or give more queries")
    return queries.join(chosen, on="group", how="semi", maintain_order="left")["qid"]


def _write_triples(read: Path, splits: Mapping[str, tuple[str, pl.DataFrame]], file: str, folder: Path) -> None:
    """Write the triples of training queries; only those of queries that no split has are counted as left out."""

    def rows(frame: pl.LazyFrame) -> int:
        return int(frame.select(pl.len()).collect(engine="streaming").item())

    given = pl.scan_parquet(read)
    kept = {
        split: given.join(qids.lazy(), on="qid", how="semi", maintain_order="left")
        for split, (origin, qids) in splits.items()
        if origin == "train"
    }
    counts = {split: rows(frame) for split, frame in kept.items()}
    note(file, rows(given) - sum(counts.values()), "triples left out: their query is not a training query")
    if not counts["train"]:
        raise UserError(file, "", "holds no triple of a training query", "give triples of the same query ids")
    kept["train"].sink_parquet(folder / "triples-train.parquet", compression="zstd", row_group_size=200_000)
    read.unlink()
