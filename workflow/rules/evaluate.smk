# Scores per query for each test set, those of the sweeps apart, then the tables: metrics, per-query scores, significance.
# The main table does not wait for mixed pools and sweeps.
rule score_runs:
    input:
        runs=lambda wildcards: [record["path"] for record in main_records(wildcards)],
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
    priority: lambda wildcards: urgency(wildcards.testset)
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("score_runs"),
    params:
        runs=main_records,
        languages=lambda wildcards: PLAN.document_languages(wildcards.testset),
        testset=lambda wildcards: wildcards.testset,
        metrics=CONFIG.evaluate.metrics,
        code=CODE("evaluate.score"),
    script:
        "../scripts/score_runs.py"


use rule score_runs as score_sweeps with:
    input:
        runs=lambda wildcards: [record["path"] for record in swept_records(wildcards)],
        judgements=rules.score_runs.input.judgements,
    output:
        f"{R}/evaluate/sweeps/{{testset}}.parquet",
    log:
        f"{R}/logs/evaluate/sweeps-{{testset}}.log",
    benchmark:
        f"{R}/benchmarks/evaluate/sweeps-{{testset}}.tsv"
    priority: LATER
    params:
        runs=swept_records,


rule main_table:
    input:
        [f"{R}/evaluate/{testset}.parquet" for testset in MAIN_TESTSETS],
    output:
        f"{R}/tables/main.txt",
    log:
        f"{R}/logs/evaluate/main_table.log",
    benchmark:
        f"{R}/benchmarks/evaluate/main_table.tsv"
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("tables"),
    params:
        **tables_params(MAIN_TESTSETS, without=PLAN.swept_systems),
        code=CODE("evaluate.tables"),
    script:
        "../scripts/main_table.py"


rule tables:
    input:
        [file for testset in CONFIG.testsets for file in scores_of(testset)],
    output:
        metrics=f"{R}/tables/metrics.csv",
        per_query=f"{R}/tables/per_query.parquet",
        significance=f"{R}/tables/significance.csv",
        effects=f"{R}/tables/effects.csv",
    log:
        f"{R}/logs/evaluate/tables.log",
    benchmark:
        f"{R}/benchmarks/evaluate/tables.tsv"
    priority: LATER
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("tables"),
    params:
        **tables_params(CONFIG.testsets),
        code=CODE("evaluate.tables"),
    script:
        "../scripts/tables.py"


rule bias:
    input:
        runs=[record["path"] for record in bias_records()],
        pools=[file for files in bias_pools().values() for file in files.values()],
    output:
        f"{R}/tables/bias.csv",
        **(
            {"per_query": f"{R}/tables/bias_per_query.parquet"}
            if FALLING.intersection(CONFIG.evaluate.setups)
            else {}
        ),
    log:
        f"{R}/logs/evaluate/bias.log",
    benchmark:
        f"{R}/benchmarks/evaluate/bias.tsv"
    priority: LATER
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("bias"),
    params:
        runs=bias_records(),
        pools=bias_pools(),
        measures=CONFIG.evaluate.bias,
        code=CODE("evaluate.bias"),
    script:
        "../scripts/bias.py"


# Means over the language pairs of each setup, tested; made only where the config asks for some.
rule setups:
    input:
        averaged_scores(),
    output:
        f"{R}/tables/setups.csv",
    log:
        f"{R}/logs/evaluate/setups.log",
    benchmark:
        f"{R}/benchmarks/evaluate/setups.tsv"
    priority: LATER
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("setups"),
    params:
        compared=compared_by_setup(),
        metrics=CONFIG.evaluate.setups,
        code=CODE("evaluate.setups"),
    script:
        "../scripts/setups.py"


rule sweep:
    input:
        metrics=rules.tables.output.metrics,
        quality=rules.lexicon_quality.output if QUALITY_PAIRS else [],
        stats=[file for point in sweep_points() for file in point["stats"]],
    output:
        f"{R}/tables/sweep.csv",
    log:
        f"{R}/logs/evaluate/sweep.log",
    benchmark:
        f"{R}/benchmarks/evaluate/sweep.tsv"
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        points=sweep_points(),
        code=CODE("evaluate.sweep"),
    script:
        "../scripts/sweep.py"


rule overlap:
    input:
        per_query=rules.tables.output.per_query,
        texts=[
            file
            for part in overlap_pairs()
            for file in [part["queries"], part["documents"], part["judgements"]]
        ],
        vocabularies=[
            file for lang in CONFIG.languages.unspaced for file in vocabulary(lang)
        ],
    output:
        f"{R}/tables/overlap.csv",
    log:
        f"{R}/logs/evaluate/overlap.log",
    benchmark:
        f"{R}/benchmarks/evaluate/overlap.tsv"
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("overlap"),
    params:
        pairs=overlap_pairs(),
        metric=MAIN_METRIC,
        code=CODE("evaluate.why"),
    script:
        "../scripts/overlap.py"


rule shift:
    input:
        runs=[record["path"] for record in shift_records()],
        judgements=[
            file for files in shift_judgements().values() for file in files.values()
        ],
    output:
        f"{R}/tables/shift.csv",
    log:
        f"{R}/logs/evaluate/shift.log",
    benchmark:
        f"{R}/benchmarks/evaluate/shift.tsv"
    priority: LATER
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("shift"),
    params:
        runs=shift_records(),
        judgements=shift_judgements(),
        code=CODE("evaluate.why"),
    script:
        "../scripts/shift.py"


rule first_stage:
    input:
        lambda wildcards: searched_inputs(wildcards.testset),
    output:
        f"{R}/evaluate/first-stage/{{testset}}.parquet",
    log:
        f"{R}/logs/evaluate/first-stage-{{testset}}.log",
    benchmark:
        f"{R}/benchmarks/evaluate/first-stage-{{testset}}.tsv"
    priority: LATER
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("first_stage"),
    params:
        testset=lambda wildcards: wildcards.testset,
        pairs=lambda wildcards: searched_pairs(wildcards.testset),
        code=CODE("evaluate.first_stage"),
    script:
        "../scripts/first_stage.py"


rule exposure:
    input:
        exposed_inputs(),
    output:
        f"{R}/tables/exposure.csv",
    log:
        f"{R}/logs/evaluate/exposure.log",
    benchmark:
        f"{R}/benchmarks/evaluate/exposure.tsv"
    priority: LATER
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("exposure"),
    params:
        pairs=exposed_pairs(),
        code=CODE("evaluate.exposure"),
    script:
        "../scripts/exposure.py"


rule testsets:
    input:
        first_stage=[
            f"{R}/evaluate/first-stage/{testset}.parquet"
            for testset in CONFIG.testsets
            if not CONFIG.testsets[testset].candidates.every
        ],
        parts=[
            file
            for part in testset_parts()
            for file in [part["documents"], part["judgements"], *part["candidates"]]
        ],
    output:
        testsets=f"{R}/tables/testsets.csv",
        first_stage=f"{R}/tables/first_stage.csv",
    log:
        f"{R}/logs/evaluate/testsets.log",
    benchmark:
        f"{R}/benchmarks/evaluate/testsets.tsv"
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("testsets"),
    params:
        testsets=testset_parts(),
        code=CODE("evaluate.testsets"),
    script:
        "../scripts/testsets.py"


rule coverage:
    input:
        coverage_inputs(),
    output:
        f"{R}/tables/coverage.csv",
    log:
        f"{R}/logs/evaluate/coverage.log",
    benchmark:
        f"{R}/benchmarks/evaluate/coverage.tsv"
    priority: LATER
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("lexicon_coverage"),
    params:
        languages=coverage_languages(),
        training=coverage_training(),
        code=CODE("evaluate.coverage"),
    script:
        "../scripts/lexicon_coverage.py"


rule warnings:
    input:
        per_query=rules.tables.output.per_query,
        testsets=rules.testsets.output[0],
        coverage=rules.coverage.output[0] if switched_corpora() else [],
        origins=[f"{folder}/{START_RECORD}" for folder in PLAN.weights.values()],
    output:
        f"{R}/tables/warnings.csv",
    log:
        f"{R}/logs/evaluate/warnings.log",
    benchmark:
        f"{R}/benchmarks/evaluate/warnings.tsv"
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("warnings_table"),
    params:
        references=list(CONFIG.evaluate.references),
        models=PLAN.weights,
        origins=lexicon_origins(PLAN),
        code=CODE("evaluate.warnings"),
    script:
        "../scripts/warnings_table.py"


rule evaluate:
    input:
        rules.main_table.output,
        rules.tables.output,
        rules.bias.output,
        rules.setups.output if CONFIG.evaluate.setups else [],
        rules.overlap.output,
        rules.shift.output if shift_records() else [],
        rules.sweep.output if CONFIG.sweeps else [],
        rules.testsets.output,
        rules.warnings.output,
        rules.exposure.output,
        rules.coverage.output if switched_corpora() else [],
