# Candidates of each test set, then one TREC run per system, pair and seed. A job scores all pairs of a test set with one
# model, so its outputs depend on the pair table: rules are made per system and test set. Encoders make vectors of each
# table of texts, or of their tokens, once, and read nothing else then.
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
        spec=first_stage_spec,
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


rule candidates_of_pool:
    input:
        queries=lambda wildcards: f"{collection_of(wildcards.testset)}/queries-test-{SOURCE}.parquet",
        documents=f"{R}/pools/{{testset}}/documents.parquet",
        judgements=f"{R}/testsets/{{testset}}/judgements-xx.parquet",
    output:
        f"{R}/testsets/{{testset}}/candidates-xx.parquet",
    log:
        f"{R}/logs/rank/candidates-{{testset}}-xx.log",
    benchmark:
        f"{R}/benchmarks/rank/candidates-{{testset}}-xx.tsv"
    wildcard_constraints:
        testset="|".join(name for name in POOLS if not lists_are_joined(name)) or "none",
    priority: lambda wildcards: urgency(wildcards.testset)
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("candidates"),
    params:
        spec=first_stage_spec,
        names=lambda wildcards: [wildcards.testset, "xx"],
        vocabulary=None,
        code=CODE("rank.candidates"),
    script:
        "../scripts/candidates.py"


rule encode:
    input:
        model=model_of_encoder,
        texts=lambda wildcards: PLAN.encoded_texts(
            wildcards.encoder,
            wildcards.collection,
            f"{wildcards.table}-{wildcards.lang}",
        ),
    output:
        multiext(
            f"{R}/encoded/{{encoder}}/{{collection}}/{{table}}-{{lang}}",
            ".npy",
            ".json",
        ),
    log:
        f"{R}/logs/rank/encode/{{encoder}}/{{collection}}-{{table}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/rank/encode/{{encoder}}/{{collection}}-{{table}}-{{lang}}.tsv"
    wildcard_constraints:
        encoder=encoders_where(lambda one: one.weight is None and not one.shift),
        table="queries-test|documents",
        lang=UNMIXED,
    conda:
        "../../envs/switchrank.yaml"
    threads: CONFIG.rank.threads
    resources:
        **asks("encode", threads=CONFIG.rank.threads, gpus=min(GPUS, 1)),
        **on_gpu(),
    params:
        architecture="dual-encoder",
        kind=lambda wildcards: (
            "query" if wildcards.table.startswith("queries") else "document"
        ),
        column="text",
        settings=encoding(),
        code=CODE("rank.dense"),
    script:
        "../scripts/encode.py"


use rule encode as encode_translations with:
    output:
        multiext(
            f"{R}/encoded/{{encoder}}/{{collection}}/translated-{{table}}-{{lang}}",
            ".npy",
            ".json",
        ),
    log:
        f"{R}/logs/rank/encode/{{encoder}}/{{collection}}-translated-{{table}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/rank/encode/{{encoder}}/{{collection}}-translated-{{table}}-{{lang}}.tsv"
    wildcard_constraints:
        encoder=encoders_where(lambda one: one.weight is not None),
        table="queries-test",
        lang=UNMIXED,


use rule encode as encode_lines with:
    input:
        model=model_of_encoder,
        texts=lambda wildcards: PLAN.lines(wildcards.bitext, wildcards.lang)[
            wildcards.pair
        ][0],
    output:
        multiext(
            f"{R}/encoded/{{encoder}}/{{bitext}}/{{table}}-{{lang}}-of-{{pair}}",
            ".npy",
            ".json",
        ),
    log:
        f"{R}/logs/rank/encode/{{encoder}}/{{bitext}}-{{table}}-{{lang}}-of-{{pair}}.log",
    benchmark:
        f"{R}/benchmarks/rank/encode/{{encoder}}/{{bitext}}-{{table}}-{{lang}}-of-{{pair}}.tsv"
    wildcard_constraints:
        encoder=encoders_where(lambda one: one.system == one.trained),
        bitext="|".join(CONFIG.bitext) or "none",
        table="queries|documents",
        pair="[a-z]{2,3}-[a-z]{2,3}",
        lang=UNMIXED,
    params:
        kind=lambda wildcards: (
            "query" if wildcards.table.startswith("queries") else "document"
        ),
        column=lambda wildcards: PLAN.lines(wildcards.bitext, wildcards.lang)[
            wildcards.pair
        ][1],
        architecture="dual-encoder",
        settings=encoding(),
        code=CODE("rank.dense"),


use rule encode as encode_tokens with:
    output:
        multiext(
            f"{R}/encoded/{{encoder}}/{{collection}}/{{table}}-{{lang}}",
            ".npy",
            ".spans.npy",
            ".json",
        ),
    log:
        f"{R}/logs/rank/encode/{{encoder}}/{{collection}}-{{table}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/rank/encode/{{encoder}}/{{collection}}-{{table}}-{{lang}}.tsv"
    wildcard_constraints:
        encoder=LATE_ENCODERS,
        table="queries-test|documents",
        lang=UNMIXED,
    params:
        architecture="late-interaction",
        kind=lambda wildcards: (
            "query" if wildcards.table.startswith("queries") else "document"
        ),
        column="text",
        settings=encoding(),
        code=CODE("rank.late"),


use rule encode_tokens as encode_pool_tokens with:
    input:
        model=model_of_encoder,
        texts=f"{R}/pools/{{testset}}/{{table}}.parquet",
    output:
        multiext(
            f"{R}/encoded/{{encoder}}/{{testset}}/{{table}}-xx",
            ".npy",
            ".spans.npy",
            ".json",
        ),
    log:
        f"{R}/logs/rank/encode/{{encoder}}/{{testset}}-{{table}}-xx.log",
    benchmark:
        f"{R}/benchmarks/rank/encode/{{encoder}}/{{testset}}-{{table}}-xx.tsv"
    wildcard_constraints:
        encoder=LATE_ENCODERS,
        testset="|".join(POOLS) or "none",
        table="queries|documents",


rule shift_vectors:
    input:
        vectors=made_vectors,
        lines=lambda wildcards: PLAN.line_vectors(
            wildcards.encoder, wildcards.table.removesuffix("-test"), wildcards.lang
        ),
    output:
        multiext(
            f"{R}/encoded/{{encoder}}/{{collection}}/{{table}}-{{lang}}",
            ".npy",
            ".json",
        ),
    log:
        f"{R}/logs/rank/shift/{{encoder}}/{{collection}}-{{table}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/rank/shift/{{encoder}}/{{collection}}-{{table}}-{{lang}}.tsv"
    wildcard_constraints:
        encoder=encoders_where(lambda one: one.shift),
        table="queries-test|documents",
        lang=UNMIXED,
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("shift_vectors"),
    params:
        names=lambda wildcards: list(wildcards),
        code=CODE("rank.derived"),
    script:
        "../scripts/shift_vectors.py"


rule mix_vectors:
    input:
        vectors=made_vectors,
        translated=f"{R}/encoded/{{encoder}}/{{collection}}/translated-{{table}}-{{lang}}.npy",
    output:
        multiext(
            f"{R}/encoded/{{encoder}}/{{collection}}/{{table}}-{{lang}}",
            ".npy",
            ".json",
        ),
    log:
        f"{R}/logs/rank/mix/{{encoder}}/{{collection}}-{{table}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/rank/mix/{{encoder}}/{{collection}}-{{table}}-{{lang}}.tsv"
    wildcard_constraints:
        encoder=encoders_where(lambda one: one.weight is not None),
        table="queries-test",
        lang=UNMIXED,
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("mix_vectors"),
    params:
        weight=lambda wildcards: PLAN.encoders[wildcards.encoder][0].weight,
        code=CODE("rank.derived"),
    script:
        "../scripts/mix_vectors.py"


rule pool_vectors:
    input:
        draw=f"{R}/pools/{{testset}}/{{kind}}-draw.parquet",
        tables=lambda wildcards: [
            PLAN.texts(wildcards.testset, wildcards.kind, lang)
            for lang in CONFIG.mixed_languages(wildcards.testset)
        ],
        vectors=lambda wildcards: [
            PLAN.vectors(wildcards.encoder, wildcards.testset, wildcards.kind, lang)
            for lang in CONFIG.mixed_languages(wildcards.testset)
        ],
    output:
        multiext(f"{R}/encoded/{{encoder}}/{{testset}}/{{kind}}-xx", ".npy", ".json"),
    log:
        f"{R}/logs/rank/pool/{{encoder}}/{{testset}}-{{kind}}.log",
    benchmark:
        f"{R}/benchmarks/rank/pool/{{encoder}}/{{testset}}-{{kind}}.tsv"
    wildcard_constraints:
        encoder=encoders_where(lambda one: True),
        testset="|".join(POOLS) or "none",
        kind="queries|documents",
    priority: LATER
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("pool_vectors"),
    params:
        languages=lambda wildcards: CONFIG.mixed_languages(wildcards.testset),
        code=CODE("rank.derived"),
    script:
        "../scripts/pool_vectors.py"


for testset in CONFIG.testsets:
    for reference in PLAN.references(testset):

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
                **({"kept": kept_depth(testset)} if kept_depth(testset) else {}),
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
        if ranker.architecture == "cross-encoder" and PLAN.ranked_pairs(
            ranker, testset
        ):

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
                    settings=rank_settings(ranker.trained, testset),
                    code=CODE("rank.inference"),
                script:
                    "../scripts/rank.py"

    for ranker in PLAN.encoding_rankers:
        if PLAN.ranked_pairs(ranker, testset):

            rule:
                name:
                    identifier("retrieve", ranker.name, testset)
                input:
                    retrieval(ranker, testset, files_in),
                output:
                    [
                        PLAN.run_file(
                            ranker.system, testset, pair.id, run_seed(ranker)
                        )
                        for pair in PLAN.ranked_pairs(ranker, testset)
                    ],
                log:
                    f"{R}/logs/rank/{ranker.name}-{testset}-seed{run_seed(ranker)}.log",
                benchmark:
                    f"{R}/benchmarks/rank/{ranker.name}-{testset}-seed{run_seed(ranker)}.tsv"
                priority: urgency(testset, ranker.system)
                localrule: SMALL
                conda:
                    "../../envs/switchrank.yaml"
                threads: CONFIG.rank.threads
                resources:
                    **asks(
                        "retrieve",
                        outputs=[
                            PLAN.run_file(ranker.system, testset, pair.id, "0")
                            for pair in PLAN.ranked_pairs(ranker, testset)
                        ],
                        threads=CONFIG.rank.threads,
                    ),
                params:
                    **comparing(ranker),
                    system=ranker.system,
                    pairs=retrieval(ranker, testset),
                    depth=PLAN.searched_depth(testset),
                script:
                    "../scripts/retrieve.py"

    if PLAN.found_alone(testset):

        rule:
            name:
                identifier("found", testset)
            input:
                files_in(PLAN.found_alone(testset)),
            output:
                list(PLAN.found_alone(testset)),
            log:
                f"{R}/logs/rank/found-{testset}.log",
            benchmark:
                f"{R}/benchmarks/rank/found-{testset}.tsv"
            priority: urgency(testset)
            localrule: SMALL
            conda:
                "../../envs/switchrank.yaml"
            threads: CONFIG.rank.threads
            resources:
                **asks("retrieve", name=f"found_{testset}"),
            params:
                **comparing(PLAN.finder(testset)),
                system=CONFIG.testsets[testset].candidates.system,
                pairs=list(PLAN.found_alone(testset).values()),
                depth=CONFIG.testsets[testset].candidates.depth,
            script:
                "../scripts/retrieve.py"

    for fusion in PLAN.fusions:
        if fused_files(fusion, testset):

            rule:
                name:
                    identifier("fuse", fusion.system, testset)
                input:
                    files_in(fused_files(fusion, testset)),
                output:
                    list(fused_files(fusion, testset)),
                log:
                    f"{R}/logs/rank/{fusion.system}-{testset}.log",
                benchmark:
                    f"{R}/benchmarks/rank/{fusion.system}-{testset}.tsv"
                priority: urgency(testset, fusion.system)
                localrule: SMALL
                conda:
                    "../../envs/switchrank.yaml"
                resources:
                    **asks("fuse", outputs=fused_files(fusion, testset)),
                params:
                    system=fusion.system,
                    runs=list(fused_files(fusion, testset).values()),
                    method=fusion.method,
                    depth=PLAN.searched_depth(testset),
                    code=CODE("rank.fuse"),
                script:
                    "../scripts/fuse.py"


rule rank:
    input:
        [
            record["path"]
            for testset in CONFIG.testsets
            for record in run_records(testset)
        ],
