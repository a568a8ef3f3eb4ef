"""Runs that are one another's copy by construction: one model on the same texts, under the names of two systems."""

from __future__ import annotations

from switchrank.config.plan import Plan


def same_runs(plan: Plan, baseline: str) -> list[list[str]]:
    """``[system, testset, query_lang, doc_lang]`` of every run that is the baseline's own.

    A Translate-Test system is the model it is made of wherever there is nothing to translate.
    """
    made = {}
    for ranker in plan.rankers:
        for testset in plan.config.testsets:
            for pair in plan.ranked_pairs(ranker, testset):
                texts = (
                    plan.texts(testset, "queries", pair.query, ranker.translate),
                    plan.texts(testset, "documents", pair.document, ranker.translate),
                )
                run = (ranker.system, testset, pair.query, pair.document)
                made[run] = (ranker.trained, ranker.train_pair, *texts)
    return [list(run) for run in made if run[0] != baseline and made.get((baseline, *run[1:])) == made[run]]
