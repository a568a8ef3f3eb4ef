"""The demo's ML-CS system, from word vectors to scores: our stages in a row, and the same with the peers as engines.

The world, the search task and the settings are those of ``config/demo.yaml``, with fewer steps and test queries. Each
stage starts on both sides from what ours before it made, so that both do the same work. What comes before the clock is
the same on both sides: the world, its collection, instances and candidates, the vectors (the world's own, in the place
of fastText's) and the starting model.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from switchrank.formats.tables import CANDIDATES, DOCUMENTS, INSTANCES, JUDGEMENTS, LEXICON, QUERIES, read_table
from switchrank.formats.trec import read_run
from switchrank.formats.vectors import load_vectors
from switchrank.lexicon.induce import induce_lexicon
from switchrank.rank.inference import Inference, rank_pairs
from switchrank.search.choices import Choice
from switchrank.text.words import key
from tests.benchmarks import evaluate, lexicon, rank, switch, train
from tests.benchmarks.clock import by_turns, seconds
from tests.benchmarks.machine import package_version, threads
from tests.benchmarks.row import Row
from tests.benchmarks.world import REDUCED, Demo, prepare

STEPS, TIMED_RUNS = 150, 2
PEERS = ("numpy", "nltk", "sentence-transformers", "ranx")
Seconds = tuple[float, float]


def demo(_: str) -> list[Row]:
    """Row ``demo``."""
    with tempfile.TemporaryDirectory() as name:
        work = Demo(Path(name))
        before = seconds(partial(prepare, work))
        stages = (_lexicons, _switching, _training, _ranking, _scoring)
        done = {stage.__name__.lstrip("_"): stage(work) for stage in stages}
        pairs = len(work.tested())
    ours, peer = (sum(times[side] for times, _ in done.values()) for side in (0, 1))
    spent = "; ".join(f"{stage} {mine:.3g} s, {other:.3g} s" for stage, ((mine, other), _) in done.items())
    return [
        Row(
            name="demo",
            unit="s",
            size=f"ML-CS of config/demo.yaml, {STEPS} steps, {pairs} test pairs of {REDUCED['test_queries']} queries",
            ours=ours,
            peer=peer,
            peer_name="the engines of the other rows, one after the other: " + ", ".join(PEERS),
            peer_version=", ".join(map(package_version, PEERS)),
            checked=" ".join(checked for _, checked in done.values()),
            note=f"Ours and the peers' by stage: {spent}. Training vectors is the same on both sides and left out: "
            f"the world's own are used. What comes before the clock took {before:.0f} s. Lexicons are by cosine, one "
            f"translation a word, as published. ranx is timed on {TIMED_RUNS} runs and scaled to {pairs}.",
        )
    ]


def _lexicons(work: Demo) -> tuple[Seconds, str]:
    source, targets = load_vectors(work.store("en")), {name: load_vectors(work.store(name)) for name in work.seen}
    found: dict[str, lexicon.Indices] = {}

    def ours() -> None:
        for name in work.seen:
            induce_lexicon(
                source=work.store("en"), target=work.store(name), out=work.folder / f"lexicon-{name}.parquet",
                choice=Choice(criterion="nn"), threads=threads(),
            )  # fmt: skip

    def peer() -> None:
        for name, target in targets.items():
            found[name] = lexicon.published(source.words, source.words, source.matrix, target.matrix)

    times = by_turns(ours, peer)
    for name, target in targets.items():
        table = read_table(work.folder / f"lexicon-{name}.parquet", LEXICON)
        assert table["source"].to_list() == [key(word) for word in source.words]
        places = {word: place for place, word in enumerate(target.words)}
        ids = np.array([places[word] for word in table["target"]])
        lexicon.check(source.matrix, target.matrix, ids, found[name])
    return times, f"All {len(source.words):,} words have the same translations in {len(targets)} lexicons, ties aside."


def _switching(work: Demo) -> tuple[Seconds, str]:
    checked = switch.equal_texts(work.folder, work.seen[0])
    count = read_table(work.folder / "instances.parquet", INSTANCES).height

    def peer() -> None:
        sample = switch.sample_texts(work.folder, count)
        lexicons = [switch.translations(work.folder, language) for language in work.seen]
        switch.peer(sample, lexicons, work.folder / "peer.jsonl")

    return by_turns(partial(switch.cut_and_switch, work.folder), peer, rounds=1), checked


def _training(work: Demo) -> tuple[Seconds, str]:
    shutil.copy(work.folder / "corpus/train-00000.parquet", work.folder / "train.parquet")
    taken = {name: work.settings[name] for name in ("batch_size", "token_budget", "lr", "warmup")}
    given = train.Work(work.folder, STEPS, **taken)
    curves: list[train.Trained] = []

    def keeping(side: Callable[[], train.Trained]) -> Callable[[], None]:
        return lambda: curves.append(side())

    few = train.Work(work.folder, 2, **taken | {"warmup": 1})
    train.ours(few, "fp32")
    train.peer(few, "fp32")
    sides = (partial(train.trained, given, "fp32", work.folder / "model"), partial(train.peer, given, "fp32"))
    times = by_turns(*map(keeping, sides), rounds=1)
    apart = train.distance(*curves)
    assert apart < train.CURVES["fp32"], curves
    ends = curves[0].loss[0], curves[0].loss[-1]
    return times, f"Loss curves from {ends[0]:.3f} to {ends[1]:.3f} lie within {apart:.1e}."


def _ranking(work: Demo) -> tuple[Seconds, str]:
    pairs = work.tested()
    lists = [_lists(pair) for pair in pairs]
    queries = [text for texts, _ in lists for text in texts]
    given = rank.Work(work.folder / "model", queries, [texts for _, some in lists for texts in some])
    scores: list[rank.Scores] = []
    ours = partial(rank_pairs, model=given.folder, pairs=pairs, system="ml-cs", inference=Inference(threads=threads()))
    times = by_turns(ours, lambda: scores.append(rank.peers(given)[0]()), rounds=1)
    mine = np.concatenate([_scores(pair) for pair in pairs])
    return times, rank.same_rankings(mine, scores[-1], len(queries))


def _lists(pair: dict[str, str]) -> tuple[list[str], list[list[str]]]:
    """The queries of a test pair that have candidates, and the candidates' texts of each."""
    candidates = read_table(pair["candidates"], CANDIDATES)
    queries, documents = read_table(pair["queries"], QUERIES), read_table(pair["documents"], DOCUMENTS)
    asked = dict(zip(queries["qid"], queries["text"], strict=True))
    texts = dict(zip(documents["docid"], documents["text"], strict=True))
    grouped = candidates.group_by("qid", maintain_order=True).agg("docid")
    return [asked[qid] for qid in grouped["qid"]], [[texts[docid] for docid in some] for some in grouped["docid"]]


def _scores(pair: dict[str, str]) -> rank.Scores:
    """The scores of a run in the order of its candidates."""
    run = read_run(pair["out"]).select("qid", "docid", "score")
    candidates = read_table(pair["candidates"], CANDIDATES)
    return candidates.join(run, on=["qid", "docid"], maintain_order="left")["score"].to_numpy().astype(np.float32)


def _scoring(work: Demo) -> tuple[Seconds, str]:
    tested = work.plan.pairs["world"]
    runs = [
        {"path": part["out"], "system": "ml-cs", "query_lang": pair.query, "doc_lang": pair.document, "seed": 1}
        for part, pair in zip(work.tested(), tested, strict=True)
    ]
    languages = work.plan.config.languages.every
    out, theirs = work.folder / "scores.parquet", work.folder / "ranx.json"
    ours = evaluate.score(runs, {language: work.judgements(language) for language in languages}, out).seconds
    found, peer, largest = pl.read_parquet(out), [], 0.0
    for pair in tested[: 1 + TIMED_RUNS]:
        qrels = work.folder / f"qrels-{pair.document}.txt"
        evaluate.write_qrels(read_table(work.judgements(pair.document), JUDGEMENTS), qrels)
        peer.append(evaluate.score_by_ranx(qrels, work.folder / f"runs/{pair.id}.trec", theirs).seconds)
        same = found.filter(query_lang=pair.query, doc_lang=pair.document)
        largest = max(largest, evaluate.difference(same, theirs))
    times = ours, float(np.mean(peer[1:])) * len(tested)
    return times, f"Largest difference of a query's score from ranx: {largest:.1e}."
