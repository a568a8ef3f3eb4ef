# Scores per query for each test set, then the tables: metrics, per-query scores, significance.
rule score_runs:
    input:
        runs=lambda wildcards: [
            record["path"] for record in run_records(wildcards.testset)
        ],
        judgements=lambda wildcards: [
            f"{R}/testsets/{wildcards.testset}/judgements-{lang}.parquet"
            for lang in PLAN.document_languages(wildcards.testset)
        ],
    output:
        f"{R}/evaluate/{{testset}}.parquet",
    log:
        f"{R}/logs/evaluate/{{testset}}.log",
    benchmark:
        f"{R}/benchmarks/evaluate/{{testset}}.tsv"
    conda:
        "../../envs/switchrank.yaml"
    params:
        runs=lambda wildcards: run_records(wildcards.testset),
        languages=lambda wildcards: PLAN.document_languages(wildcards.testset),
        testset=lambda wildcards: wildcards.testset,
        metrics=CONFIG.evaluate.metrics,
        code=CODE("evaluate.score"),
    script:
        "../scripts/score_runs.py"


rule tables:
    input:
        [f"{R}/evaluate/{testset}.parquet" for testset in CONFIG.testsets],
    output:
        metrics=f"{R}/tables/metrics.csv",
        per_query=f"{R}/tables/per_query.parquet",
        significance=f"{R}/tables/significance.csv",
    log:
        f"{R}/logs/evaluate/tables.log",
    benchmark:
        f"{R}/benchmarks/evaluate/tables.tsv"
    conda:
        "../../envs/switchrank.yaml"
    params:
        run=CONFIG.run,
        languages=CONFIG.languages.plain("unspaced", "right_to_left"),
        spec=CONFIG.evaluate.plain("metrics") | {"systems": list(CONFIG.systems)},
        code=CODE("evaluate.tables"),
    script:
        "../scripts/tables.py"


rule evaluate:
    input:
        rules.tables.output,
