# One tokenizer per run; starts, which are built, copied, transplanted or trained; then one cross-encoder per system,
# training pair and seed, or one dual encoder per system and seed. Whatever is trained is trained by one rule, whichever
# path it lies at.
SCRATCH = CONFIG.start.preset or any(start.preset for start in CONFIG.starts.values())
TEXTS = tokenizer_texts()
WORDS_NEEDED = [
    lang
    for lang in CONFIG.vector_sources
    if lang not in TEXTS or lang in CONFIG.languages.longest_match
]


if SCRATCH:

    rule tokenizer:
        input:
            texts=[path for lang in TEXTS for path in TEXTS[lang]],
            words=[f"{R}/vectors/aligned/{lang}.words.parquet" for lang in WORDS_NEEDED],
        output:
            f"{R}/start/tokenizer/tokenizer.json",
            f"{R}/start/tokenizer/tokenizer_config.json",
        log:
            f"{R}/logs/train/tokenizer.log",
        benchmark:
            f"{R}/benchmarks/train/tokenizer.tsv"
        localrule: SMALL
        conda:
            "../../envs/switchrank.yaml"
        resources:
            **asks("tokenizer"),
        params:
            texts={lang: in_order(paths) for lang, paths in TEXTS.items()},
            vectors={lang: f"{R}/vectors/aligned/{lang}" for lang in WORDS_NEEDED},
            unspaced=[
                lang for lang in CONFIG.languages.longest_match if lang in WORDS_NEEDED
            ],
            segmenters={
                lang: segmenter(lang)
                for lang in CONFIG.languages.segmenters
                if lang in TEXTS
            },
            size=CONFIG.start.tokenizer.size,
            code=CODE("train.tokenizer"),
        script:
            "../scripts/tokenizer.py"


rule initial_start:
    input:
        f"{R}/start/tokenizer/tokenizer.json",
        lambda wildcards: [
            file
            for prefix in start_vectors(wildcards).values()
            for file in store(prefix).values()
        ],
    output:
        [f"{R}/starts/{{start}}/{file}" for file in STARTING_FILES],
    log:
        f"{R}/logs/train/starts/{{start}}.log",
    benchmark:
        f"{R}/benchmarks/train/starts/{{start}}.tsv"
    wildcard_constraints:
        start=starts_where(lambda start: start.weights and start.weights.preset),
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("initial_model"),
    params:
        preset=lambda wildcards: first_weights(wildcards).preset,
        init=lambda wildcards: first_weights(wildcards).init,
        vectors=start_vectors,
        seed=lambda wildcards: first_weights(wildcards).seed,
        code=CODE("train.start"),
    script:
        "../scripts/initial_model.py"


rule pretrained_start:
    input:
        vocabulary_texts,
    output:
        [f"{R}/starts/{{start}}/{file}" for file in STARTING_FILES],
    log:
        f"{R}/logs/train/starts/{{start}}.log",
    benchmark:
        f"{R}/benchmarks/train/starts/{{start}}.tsv"
    wildcard_constraints:
        start=starts_where(lambda start: start.weights and start.weights.model),
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("pretrained_model"),
    params:
        model=lambda wildcards: described(first_weights(wildcards).model),
        seed=lambda wildcards: first_weights(wildcards).seed,
        code=lambda wildcards: copying_code(
            first_weights(wildcards).model, "train.start", *pruning_code(wildcards)
        ),
    script:
        "../scripts/pretrained_model.py"


if CONFIG.start.preset:

    use rule initial_start as initial_model with:
        output:
            [f"{R}/start/initial/{file}" for file in STARTING_FILES],
        log:
            f"{R}/logs/train/initial.log",
        benchmark:
            f"{R}/benchmarks/train/initial.tsv"

else:

    use rule pretrained_start as pretrained_model with:
        output:
            [f"{R}/start/initial/{file}" for file in STARTING_FILES],
        log:
            f"{R}/logs/train/initial.log",
        benchmark:
            f"{R}/benchmarks/train/initial.tsv"


rule extended_start:
    input:
        lambda wildcards: sum(extension_texts(wildcards).values(), []),
        lambda wildcards: list(extension_lexicons(wildcards).values()),
        lambda wildcards: [
            file
            for prefix in extension_vectors(wildcards).values()
            for file in store(prefix).values()
        ],
        model=extended_files,
    output:
        [f"{R}/starts/{{start}}/{file}" for file in STARTING_FILES],
    log:
        f"{R}/logs/train/starts/{{start}}.log",
    benchmark:
        f"{R}/benchmarks/train/starts/{{start}}.tsv"
    wildcard_constraints:
        start=starts_where(lambda start: start.extension),
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("extend"),
    params:
        texts=extension_texts,
        lexicons=extension_lexicons,
        vectors=extension_vectors,
        source=CONFIG.languages.source,
        settings=lambda wildcards: extended(wildcards)[0].extension.plain(
            "languages", "lexicon"
        ),
        code=CODE("train.extending"),
    script:
        "../scripts/extend.py"


if CONFIG.start.extend:

    use rule extended_start as extended_model with:
        output:
            [f"{R}/start/extended/{file}" for file in STARTING_FILES],
        log:
            f"{R}/logs/train/extend.log",
        benchmark:
            f"{R}/benchmarks/train/extend.tsv"


rule transplanted_start:
    input:
        model=transplanted_files,
        lexicons=lambda wildcards: list(transplant_lexicons(wildcards).values()),
    output:
        [f"{R}/starts/{{start}}/{file}" for file in STARTING_FILES],
    log:
        f"{R}/logs/train/starts/{{start}}.log",
    benchmark:
        f"{R}/benchmarks/train/starts/{{start}}.tsv"
    wildcard_constraints:
        start=starts_where(lambda start: start.lexicon),
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("transplant"),
    params:
        languages=lambda wildcards: list(transplant_lexicons(wildcards)),
        code=CODE("train.transplant"),
    script:
        "../scripts/transplant.py"


if CONFIG.start.transplant:

    use rule transplanted_start as transplant with:
        output:
            [f"{R}/start/transplanted/{file}" for file in STARTING_FILES],
        log:
            f"{R}/logs/train/transplant.log",
        benchmark:
            f"{R}/benchmarks/train/transplant.tsv"


rule train_model:
    input:
        corpus=lambda wildcards: node(wildcards).corpus or [],
        parts=on_the_fly_parts,
        texts=repair_texts,
        dev=lambda wildcards: node(wildcards).dev or [],
        start=lambda wildcards: node(wildcards).start,
    output:
        [
            f"{R}/models/{{system}}/{{train_pair}}/seed{{seed}}/{file}"
            for file in TRAINED_FILES
        ],
    log:
        f"{R}/logs/train/{{system}}-{{train_pair}}-seed{{seed}}.log",
    benchmark:
        f"{R}/benchmarks/train/{{system}}-{{train_pair}}-seed{{seed}}.tsv"
    priority: lambda wildcards: urgency(system=wildcards.get("system"))
    conda:
        "../../envs/switchrank.yaml"
    threads: TRAINING_THREADS
    resources:
        **asks_to_train(),
        **shared_training(),
    params:
        settings=lambda wildcards: CONFIG.training_settings(node(wildcards).settings)
        | node(wildcards).more,
        seed=lambda wildcards: node(wildcards).seed,
        names=lambda wildcards: node(wildcards).facts,
        method=lambda wildcards: node(wildcards).method,
        code=lambda wildcards: method_code(node(wildcards)),
    script:
        "../scripts/train.py"


use rule train_model as train_start with:
    output:
        [f"{R}/starts/{{start}}/{file}" for file in TRAINED_FILES],
    log:
        f"{R}/logs/train/starts/{{start}}.log",
    benchmark:
        f"{R}/benchmarks/train/starts/{{start}}.tsv"
    wildcard_constraints:
        start=starts_where(lambda start: start.settings),


if CONFIG.start.layers:

    use rule train_model as repaired_model with:
        output:
            [f"{R}/start/{{step}}/{file}" for file in TRAINED_FILES],
        log:
            f"{R}/logs/train/{{step}}.log",
        benchmark:
            f"{R}/benchmarks/train/{{step}}.tsv"
        wildcard_constraints:
            step="repaired",


if CONFIG.start.first:

    use rule train_model as first_model with:
        output:
            [f"{R}/start/{{step}}/{file}" for file in TRAINED_FILES],
        log:
            f"{R}/logs/train/{{step}}.log",
        benchmark:
            f"{R}/benchmarks/train/{{step}}.tsv"
        wildcard_constraints:
            step="first",


rule finished_model:
    input:
        lambda wildcards: model_files(PLAN.finished[wildcards.system]),
    output:
        [f"{R}/models/{{system}}/{file}" for file in STARTING_FILES],
    log:
        f"{R}/logs/train/finished-{{system}}.log",
    benchmark:
        f"{R}/benchmarks/train/finished-{{system}}.tsv"
    wildcard_constraints:
        system=finished_systems(dual=False),
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("finished_model"),
    params:
        model=lambda wildcards: described(PLAN.finished[wildcards.system]),
        code=lambda wildcards: copying_code(
            PLAN.finished[wildcards.system], "models.finished"
        ),
    script:
        "../scripts/finished_model.py"


rule finished_encoder:
    input:
        lambda wildcards: model_files(PLAN.finished[wildcards.system]),
    output:
        [f"{R}/models/{{system}}/{file}" for file in STARTING_FILES],
    log:
        f"{R}/logs/train/finished-{{system}}.log",
    benchmark:
        f"{R}/benchmarks/train/finished-{{system}}.tsv"
    wildcard_constraints:
        system=finished_systems(dual=True),
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("finished_encoder"),
    params:
        model=lambda wildcards: described(PLAN.finished[wildcards.system]),
        prompts=lambda wildcards: known_prompts(PLAN.finished[wildcards.system]),
        code=lambda wildcards: copying_code(
            PLAN.finished[wildcards.system], "models.finished_encoder"
        ),
    script:
        "../scripts/finished_encoder.py"


MODELS = [
    f"{PLAN.model_folder(system, pair, seed)}/train.json"
    for system, pair in PLAN.models
    for seed in CONFIG.seeds
]


rule train:
    input:
        MODELS,
        [f"{PLAN.model_folder(system, None, 0)}/start.json" for system in PLAN.finished],
