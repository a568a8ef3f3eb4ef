# Candidates of each test set, then one TREC run per system, pair and seed. A job scores all pairs of a test set with one
# model, so its outputs depend on the pair table: rules are made per system and test set.
rule judgements:
    input:
        lambda wildcards: [
            f"{collection_of(wildcards.testset)}/judgements-test-{lang}.parquet"
            for lang in sorted(PLAN.judged_languages(wildcards.testset))
        ],
    output:
        f"{R}/testsets/{{testset}}/judgements-{{lang}}.parquet",
    log:
        f"{R}/logs/rank/judgements-{{testset}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/rank/judgements-{{testset}}-{{lang}}.tsv"
    wildcard_constraints:
        lang=UNMIXED,
    priority: lambda wildcards: urgency(wildcards.testset)
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        queries=lambda wildcards: CONFIG.testsets[wildcards.testset].queries,
        chosen=lambda wildcards: sorted(
            PLAN.judged_languages(wildcards.testset)
        ).index(wildcards.lang),
        code=CODE("rank.sample"),
    script:
        "../scripts/judgements.py"


rule candidates:
    input:
        queries=lambda wildcards: first_stage_files(wildcards)["queries"],
        documents=lambda wildcards: first_stage_files(wildcards)["documents"],
        judgements=lambda wildcards: first_stage_files(wildcards)["judgements"],
        vocabulary=lambda wildcards: vocabulary(first_stage_sides(wildcards)[1]),
        run=given_run,
    output:
        f"{R}/testsets/{{testset}}/candidates-{{lang}}.parquet",
    log:
        f"{R}/logs/rank/candidates-{{testset}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/rank/candidates-{{testset}}-{{lang}}.tsv"
    wildcard_constraints:
        lang=UNMIXED,
    priority: lambda wildcards: urgency(wildcards.testset)
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("candidates"),
    params:
        spec=lambda wildcards: CONFIG.testsets[wildcards.testset].candidates.plain(
            "run", "query_language", "system", "depth"
        ),
        names=lambda wildcards: list(wildcards),
        vocabulary=lambda wildcards: word_splitter(first_stage_sides(wildcards)[1]),
        code=CODE("rank.candidates"),
    script:
        "../scripts/candidates.py"


use rule candidates as candidates_of_pair with:
    output:
        f"{R}/testsets/{{testset}}/candidates-{{query}}-{{document}}.parquet",
    log:
        f"{R}/logs/rank/candidates-{{testset}}-{{query}}-{{document}}.log",
    benchmark:
        f"{R}/benchmarks/rank/candidates-{{testset}}-{{query}}-{{document}}.tsv"
    wildcard_constraints:
        query=UNMIXED,
        document=UNMIXED,


rule pool_queries:
    input:
        lambda wildcards: [
            f"{collection_of(wildcards.testset)}/queries-test-{lang}.parquet"
            for lang in CONFIG.mixed_languages(wildcards.testset)
        ],
    output:
        texts=f"{R}/pools/{{testset}}/queries.parquet",
        draw=f"{R}/pools/{{testset}}/queries-draw.parquet",
    log:
        f"{R}/logs/rank/pool-queries-{{testset}}.log",
    benchmark:
        f"{R}/benchmarks/rank/pool-queries-{{testset}}.tsv"
    priority: lambda wildcards: urgency(wildcards.testset)
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        languages=lambda wildcards: CONFIG.mixed_languages(wildcards.testset),
        seed=lambda wildcards: CONFIG.testsets[wildcards.testset].seed,
        testset=lambda wildcards: wildcards.testset,
        code=CODE("rank.pools"),
    script:
        "../scripts/pool_queries.py"


for testset in POOLS:

    rule:
        name:
            identifier("pool", testset)
        input:
            **pool_parts(testset),
        output:
            **pool_outputs(testset),
        log:
            f"{R}/logs/rank/pool-{testset}.log",
        benchmark:
            f"{R}/benchmarks/rank/pool-{testset}.tsv"
        priority: urgency(testset)
        localrule: SMALL
        conda:
            "../../envs/switchrank.yaml"
        resources:
            **asks("pool", outputs=pool_outputs(testset).values()),
        params:
            languages=CONFIG.mixed_languages(testset),
            pool=CONFIG.testsets[testset].pool,
            seed=(
                CONFIG.testsets[testset].seed
                if CONFIG.testsets[testset].pool == "drawn"
                else None
            ),
            testset=testset,
            code=CODE("rank.pools"),
        script:
            "../scripts/pool.py"


for testset in CONFIG.testsets:
    for reference in CONFIG.evaluate.references:

        rule:
            name:
                identifier("rank", reference, testset)
            input:
                pair_inputs(testset, PLAN.pairs[testset]),
                reference_vocabularies(testset) if reference == "bm25" else [],
            output:
                [
                    PLAN.run_file(reference, testset, pair.id, CONFIG.seeds[0])
                    for pair in PLAN.pairs[testset]
                ],
            log:
                f"{R}/logs/rank/{reference}-{testset}.log",
            benchmark:
                f"{R}/benchmarks/rank/{reference}-{testset}.tsv"
            priority: urgency(testset)
            localrule: SMALL
            conda:
                "../../envs/switchrank.yaml"
            resources:
                **asks(
                    "rank_reference",
                    outputs=[
                        PLAN.run_file(reference, testset, pair.id, CONFIG.seeds[0])
                        for pair in PLAN.pairs[testset]
                    ],
                ),
            params:
                **({"kept": kept_depth()} if kept_depth() else {}),
                kind=reference,
                pairs=(
                    reference_files(testset)
                    if reference == "bm25"
                    else pair_files(testset, PLAN.pairs[testset])
                ),
                testset=testset,
                seed=CONFIG.seeds[0],
                code=CODE("rank.reference"),
            script:
                "../scripts/rank_reference.py"

    for ranker in PLAN.rankers:
        if PLAN.ranked_pairs(ranker, testset):

            rule:
                name:
                    identifier("rank", ranker.name, testset)
                input:
                    model=[
                        f"{PLAN.model_folder(ranker.trained, ranker.train_pair, '{seed}')}/{file}"
                        for file in MODEL_FILES
                    ],
                    pairs=pair_inputs(
                        testset, PLAN.ranked_pairs(ranker, testset), ranker.translate
                    ),
                output:
                    runs=[
                        PLAN.run_file(
                            ranker.system, testset, pair.id, run_seed(ranker)
                        )
                        for pair in PLAN.ranked_pairs(ranker, testset)
                    ],
                    record=f"{R}/rank/{ranker.name}-{testset}-seed{run_seed(ranker)}.json",
                log:
                    f"{R}/logs/rank/{ranker.name}-{testset}-seed{run_seed(ranker)}.log",
                benchmark:
                    f"{R}/benchmarks/rank/{ranker.name}-{testset}-seed{run_seed(ranker)}.tsv"
                priority: urgency(testset, ranker.system)
                conda:
                    "../../envs/switchrank.yaml"
                threads: CONFIG.rank.threads
                resources:
                    **asks_to_rank(
                        [
                            PLAN.run_file(
                                ranker.system, testset, pair.id, run_seed(ranker)
                            )
                            for pair in PLAN.ranked_pairs(ranker, testset)
                        ]
                    ),
                    **on_gpu(),
                params:
                    system=ranker.system,
                    pairs=pair_files(
                        testset, PLAN.ranked_pairs(ranker, testset), ranker.translate
                    ),
                    settings=rank_settings(ranker.trained),
                    code=CODE("rank.inference"),
                script:
                    "../scripts/rank.py"


rule rank:
    input:
        [
            record["path"]
            for testset in CONFIG.testsets
            for record in run_records(testset)
        ],
