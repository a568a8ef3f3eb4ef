# Fine-tuning on labelled queries of a target language: starting model x language x number of queries x seed, as rows of
# a table. A row's runs carry its id in place of a system; without examples they are those of the system it starts from.
SETTING = "{lang}-n{examples}-seed{seed}"
TUNED = {row.id: row for row in PLAN.ablation if row.examples}
ABLATION_ROWS = [vars(row) for row in PLAN.ablation]
# The sides of the labels: what is tuned on, and where some labelled queries are held out, what is judged by.
SIDES = ["", "held-out-"] if CONFIG.ablation and CONFIG.ablation.held_out else [""]
HELD_OUT = {
    "held_out": f"{R}/ablation/{SETTING}/{side}queries.parquet" for side in SIDES[1:]
}

if PLAN.ablation:
    ABLATED = CONFIG.ablation.testset

    rule labelled_queries:
        input:
            unpack(labelled_parts),
            test_queries=lambda wildcards: PLAN.texts(
                ABLATED, "queries", wildcards.lang
            ),
            test_judgements=lambda wildcards: f"{collection_of(ABLATED)}/judgements-test-{wildcards.lang}.parquet",
            training=training_files,
        output:
            f"{R}/ablation/{SETTING}/queries.parquet",
            **HELD_OUT,
            overlap=f"{R}/ablation/{SETTING}/overlap.json",
        log:
            f"{R}/logs/ablation/queries-{SETTING}.log",
        benchmark:
            f"{R}/benchmarks/ablation/queries-{SETTING}.tsv"
        priority: LATER
        localrule: True
        conda:
            "../../envs/switchrank.yaml"
        params:
            sample=lambda wildcards: {
                "language": wildcards.lang,
                "examples": int(wildcards.examples),
                "seed": int(wildcards.seed),
                "held_out": CONFIG.ablation.held_out,
            },
            same=lambda wildcards: CONFIG.labelled_collection(wildcards.lang)
            == CONFIG.testsets[ABLATED].collection,
            training=training_kinds,
            code=CODE("ablation.sample"),
        script:
            "../scripts/labelled_queries.py"

    rule labelled_instances:
        input:
            unpack(labelled_parts),
            samples=[f"{R}/ablation/{SETTING}/{side}queries.parquet" for side in SIDES],
            vocabulary=lambda wildcards: vocabulary(wildcards.lang),
        output:
            [f"{R}/ablation/{SETTING}/{side}instances.parquet" for side in SIDES],
        log:
            f"{R}/logs/ablation/instances-{SETTING}.log",
        benchmark:
            f"{R}/benchmarks/ablation/instances-{SETTING}.tsv"
        priority: LATER
        localrule: True
        conda:
            "../../envs/switchrank.yaml"
        params:
            specs=lambda wildcards: [
                split_instances(CONFIG.labelled_collection(wildcards.lang), split)
                | {"limit": None}
                for split, _ in zip(["train", "dev"], SIDES)
            ],
            vocabulary=lambda wildcards: word_splitter(wildcards.lang),
            names=lambda wildcards: [
                wildcards.lang,
                wildcards.examples,
                wildcards.seed,
            ],
            code=CODE("corpus.instances"),
        script:
            "../scripts/labelled_instances.py"

    rule labelled_corpus:
        input:
            instances=[
                f"{R}/ablation/{SETTING}/{side}instances.parquet" for side in SIDES
            ],
            queries=[f"{R}/ablation/{SETTING}/{side}queries.parquet" for side in SIDES],
            documents=lambda wildcards: labelled_parts(wildcards)["documents"],
        output:
            [
                f"{R}/ablation/{SETTING}/{name}.parquet"
                for name, _ in zip(["train-00000", "dev"], SIDES)
            ],
            f"{R}/ablation/{SETTING}/stats.json",
        log:
            f"{R}/logs/ablation/corpus-{SETTING}.log",
        benchmark:
            f"{R}/benchmarks/ablation/corpus-{SETTING}.tsv"
        priority: LATER
        localrule: True
        conda:
            "../../envs/switchrank.yaml"
        params:
            lang=lambda wildcards: wildcards.lang,
            code=CODE("corpus.parallel"),
        script:
            "../scripts/labelled_corpus.py"

    use rule train_model as tuned_model with:
        output:
            [f"{R}/ablation/models/{{row}}/{file}" for file in TRAINED_FILES],
        log:
            f"{R}/logs/ablation/train-{{row}}.log",
        benchmark:
            f"{R}/benchmarks/ablation/train-{{row}}.tsv"
        wildcard_constraints:
            row="|".join(map(re.escape, TUNED)) or "none",
        priority: LATER

    for row in [row for row in PLAN.ablation if not PLAN.shares_runs(row)]:

        rule:
            name:
                identifier("rank_row", row.id.replace(".", "_"))
            input:
                model=PLAN.row_model(row),
                pairs=pair_inputs(ABLATED, PLAN.tested_pairs(row)),
            output:
                runs=list(PLAN.row_runs(row).values()),
                record=f"{R}/rank/{row.id}-{ABLATED}.json",
            log:
                f"{R}/logs/ablation/rank-{row.id}.log",
            benchmark:
                f"{R}/benchmarks/ablation/rank-{row.id}.tsv"
            priority: LATER
            conda:
                "../../envs/switchrank.yaml"
            threads: CONFIG.rank.threads
            resources:
                **asks_to_rank(PLAN.row_runs(row).values()),
                **on_gpu(),
            params:
                system=row.id,
                pairs=pair_files(ABLATED, PLAN.tested_pairs(row)),
                settings=rank_settings(row.start, ABLATED),
                code=CODE("rank.score"),
            script:
                "../scripts/rank.py"

    rule score_rows:
        input:
            runs=[record["path"] for record in row_records()],
            judgements=[
                PLAN.judgements(ABLATED, lang)
                for lang in PLAN.document_languages(ABLATED)
            ],
        output:
            f"{R}/evaluate/ablation.parquet",
        log:
            f"{R}/logs/ablation/score.log",
        benchmark:
            f"{R}/benchmarks/ablation/score.tsv"
        localrule: SMALL
        conda:
            "../../envs/switchrank.yaml"
        resources:
            **asks("score_runs"),
        params:
            runs=row_records(),
            languages=PLAN.document_languages(ABLATED),
            testset=ABLATED,
            metrics=CONFIG.evaluate.metrics,
            code=CODE("evaluate.score"),
        script:
            "../scripts/score_runs.py"

    rule ablation_tables:
        input:
            f"{R}/evaluate/ablation.parquet",
            records=[f"{PLAN.tuned_folder(row)}/train.json" for row in TUNED.values()],
        output:
            table=f"{R}/tables/ablation.csv",
            curve=f"{R}/tables/ablation_curve.csv",
            equivalence=f"{R}/tables/equivalence.csv",
        log:
            f"{R}/logs/ablation/tables.log",
        benchmark:
            f"{R}/benchmarks/ablation/tables.tsv"
        localrule: True
        conda:
            "../../envs/switchrank.yaml"
        params:
            rows=ABLATION_ROWS,
            spec=CONFIG.ablation.plain(
                "rows", "collection", "testset", "train", "held_out"
            ),
            metric=MAIN_METRIC,
            code=CODE("ablation.curves"),
        script:
            "../scripts/ablation_tables.py"


rule ablation:
    input:
        rules.ablation_tables.output if PLAN.ablation else [],
