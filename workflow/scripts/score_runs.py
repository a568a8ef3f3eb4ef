"""Rule score_runs: scores per query of every run of one test set."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.score import evaluate_testset

    evaluate_testset(
        runs=rule.params.runs,
        judgements=dict(zip(rule.params.languages, rule.input.judgements, strict=True)),
        testset=rule.params.testset,
        metrics=rule.params.metrics,
        out=rule.output[0],
    )
