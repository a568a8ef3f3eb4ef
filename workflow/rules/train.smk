# One tokenizer and one starting model per run, then one cross-encoder per system, training pair and seed.
START = PLAN.start_folders[-1]
RECORD = [*MODEL_FILES, "README.md", "train.json"]
STARTING = [*MODEL_FILES, "start.json"]
STARTED = [
    f"{START}/{file}"
    for file in (MODEL_FILES if Path(START).name == "first" else STARTING)
]


TEXTS = tokenizer_texts()
WORDS_NEEDED = [
    lang
    for lang in PLAN.vector_languages
    if lang not in TEXTS or lang in CONFIG.languages.longest_match
]
FROM_VECTORS = PLAN.vector_languages if "vectors" in CONFIG.start.init else []

if CONFIG.start.preset:

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

    rule initial_model:
        input:
            f"{R}/start/tokenizer/tokenizer.json",
            [
                file
                for lang in FROM_VECTORS
                for file in store(f"{R}/vectors/aligned/{lang}").values()
            ],
        output:
            [f"{R}/start/initial/{file}" for file in STARTING],
        log:
            f"{R}/logs/train/initial.log",
        benchmark:
            f"{R}/benchmarks/train/initial.tsv"
        localrule: SMALL
        conda:
            "../../envs/switchrank.yaml"
        resources:
            **asks("initial_model"),
        params:
            preset=CONFIG.start.preset,
            init=CONFIG.start.init,
            vectors={lang: f"{R}/vectors/aligned/{lang}" for lang in FROM_VECTORS},
            seed=CONFIG.start.seed,
            code=CODE("train.start"),
        script:
            "../scripts/initial_model.py"

else:

    rule pretrained_model:
        output:
            [f"{R}/start/initial/{file}" for file in STARTING],
        log:
            f"{R}/logs/train/initial.log",
        benchmark:
            f"{R}/benchmarks/train/initial.tsv"
        localrule: SMALL
        conda:
            "../../envs/switchrank.yaml"
        resources:
            **asks("pretrained_model"),
        params:
            model=CONFIG.start.model,
            seed=CONFIG.start.seed,
            code=CODE("train.start"),
        script:
            "../scripts/pretrained_model.py"


if CONFIG.start.first:
    FIRST = CONFIG.start.first.corpus, PLAN.train_pairs(CONFIG.start.first.corpus)[0]

    rule first_model:
        input:
            corpus=PLAN.training_file(*FIRST),
            parts=unwritten_parts(*FIRST),
            dev=f"{PLAN.corpus_folder(*FIRST)}/dev.parquet",
            start=[f"{R}/start/initial/{file}" for file in STARTING],
        output:
            [f"{R}/start/first/{file}" for file in RECORD],
        log:
            f"{R}/logs/train/first.log",
        benchmark:
            f"{R}/benchmarks/train/first.tsv"
        conda:
            "../../envs/switchrank.yaml"
        threads: TRAINING_THREADS
        resources:
            **asks_to_train("first_model"),
            **shared_training(CONFIG.start.first),
        params:
            settings=optimisation(CONFIG.start.first),
            seed=CONFIG.start.seed,
            names={"system": "start", "corpus": CONFIG.start.first.corpus},
            code=training_code(CONFIG.start.first.corpus),
        script:
            "../scripts/train.py"


if CONFIG.start.transplant:

    rule transplant:
        input:
            model=[f"{PLAN.start_folders[-2]}/{file}" for file in MODEL_FILES],
            lexicons=[
                PLAN.lexicon_file(CONFIG.start.transplant, lang)
                for lang in PLAN.lexicon_languages(CONFIG.start.transplant)
            ],
        output:
            [f"{R}/start/transplanted/{file}" for file in STARTING],
        log:
            f"{R}/logs/train/transplant.log",
        benchmark:
            f"{R}/benchmarks/train/transplant.tsv"
        localrule: SMALL
        conda:
            "../../envs/switchrank.yaml"
        resources:
            **asks("transplant"),
        params:
            languages=PLAN.lexicon_languages(CONFIG.start.transplant),
            code=CODE("train.transplant"),
        script:
            "../scripts/transplant.py"


rule train_model:
    input:
        corpus=trained_on(PLAN.training_file),
        parts=trained_on(unwritten_parts),
        dev=trained_on(lambda *corpus: f"{PLAN.corpus_folder(*corpus)}/dev.parquet"),
        start=STARTED,
    output:
        [f"{R}/models/{{system}}/{{train_pair}}/seed{{seed}}/{file}" for file in RECORD],
    log:
        f"{R}/logs/train/{{system}}-{{train_pair}}-seed{{seed}}.log",
    benchmark:
        f"{R}/benchmarks/train/{{system}}-{{train_pair}}-seed{{seed}}.tsv"
    priority: MAIN_TABLE
    conda:
        "../../envs/switchrank.yaml"
    threads: TRAINING_THREADS
    resources:
        **asks_to_train("train_model"),
        **shared_training(CONFIG.train),
    params:
        settings=optimisation(CONFIG.train),
        seed=lambda wildcards: int(wildcards.seed),
        names=lambda wildcards: {
            "system": wildcards.system,
            "train_pair": wildcards.train_pair,
            "corpus": CONFIG.systems[wildcards.system].corpus,
        },
        code=trained_on(lambda corpus, _: training_code(corpus)),
    script:
        "../scripts/train.py"


MODELS = [
    f"{PLAN.model_folder(system, pair, seed)}/train.json"
    for system, pair in PLAN.models
    for seed in CONFIG.seeds
]


rule train:
    input:
        MODELS,
