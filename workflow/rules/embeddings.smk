# Word vectors: trained on text or read from files, then turned into the space of the source language; or words encoded
# by a pretrained model, whose space is one for all languages.
rule train_vectors:
    input:
        text=lambda wildcards: PLAN.plain(CONFIG.vector_sources[wildcards.lang].text),
    output:
        **store(f"{R}/vectors/raw/{{lang}}"),
    log:
        f"{R}/logs/embeddings/train-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/embeddings/train-{{lang}}.tsv"
    wildcard_constraints:
        lang=languages_where(lambda lang: CONFIG.vector_sources[lang].text),
    cache: SHARED
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("train_vectors"),
    params:
        spec=CONFIG.vectors.training.plain() if CONFIG.vectors else {},
        texts=lambda wildcards: in_order(
            PLAN.plain(CONFIG.vector_sources[wildcards.lang].text)
        ),
        unspaced=lambda wildcards: wildcards.lang in CONFIG.languages.longest_match,
        segmenter=lambda wildcards: segmenter(wildcards.lang),
        lang=lambda wildcards: wildcards.lang,
        code=CODE("embeddings.train"),
    script:
        "../scripts/train_vectors.py"


rule import_vectors:
    input:
        path=lambda wildcards: CONFIG.vector_sources[wildcards.lang].path,
        extra=lambda wildcards: CONFIG.vector_sources[wildcards.lang].extra_words or [],
    output:
        **store(f"{R}/vectors/raw/{{lang}}"),
    log:
        f"{R}/logs/embeddings/import-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/embeddings/import-{{lang}}.tsv"
    wildcard_constraints:
        lang=languages_where(lambda lang: CONFIG.vector_sources[lang].path),
    cache: SHARED
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("import_vectors"),
    params:
        max_words=lambda wildcards: CONFIG.vector_sources[wildcards.lang].max_words,
        lang=lambda wildcards: wildcards.lang,
        code=CODE("embeddings.read"),
    script:
        "../scripts/import_vectors.py"


rule align_vectors:
    input:
        **store(f"{R}/vectors/raw/{{lang}}"),
        target_words=f"{R}/vectors/raw/{SOURCE}.words.parquet",
        target_matrix=f"{R}/vectors/raw/{SOURCE}.npy",
        seed=seed_file,
    output:
        **store(f"{R}/vectors/aligned/{{lang}}"),
        record=f"{R}/vectors/aligned/{{lang}}.json",
    log:
        f"{R}/logs/embeddings/align-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/embeddings/align-{{lang}}.tsv"
    wildcard_constraints:
        lang=languages_where(lambda lang: not PLAN.aligned(lang)),
    cache: SHARED
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("align_vectors"),
    params:
        spec=CONFIG.vectors.alignment.plain("seed_pairs") if CONFIG.vectors else {},
        kind=seed_kind(),
        lang=lambda wildcards: wildcards.lang,
        code=CODE("embeddings.align"),
    script:
        "../scripts/align_vectors.py"


rule keep_vectors:
    input:
        **store(f"{R}/vectors/raw/{{lang}}"),
    output:
        **store(f"{R}/vectors/aligned/{{lang}}"),
        record=f"{R}/vectors/aligned/{{lang}}.json",
    log:
        f"{R}/logs/embeddings/keep-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/embeddings/keep-{{lang}}.tsv"
    wildcard_constraints:
        lang=languages_where(PLAN.aligned),
    cache: SHARED
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("keep_vectors"),
    params:
        lang=lambda wildcards: wildcards.lang,
        code=CODE("embeddings.keep"),
    script:
        "../scripts/keep_vectors.py"


rule encode_words:
    input:
        words=lambda wildcards: PLAN.word_files(wildcards.lexicon, wildcards.lang),
        cut=lambda wildcards: vocabulary(wildcards.lang) if of_texts(wildcards) else [],
        model=encoder_files,
    output:
        **store(f"{R}/vectors/encoded/{{lexicon}}/{{lang}}"),
        record=f"{R}/vectors/encoded/{{lexicon}}/{{lang}}.json",
    log:
        f"{R}/logs/embeddings/encode-{{lexicon}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/embeddings/encode-{{lexicon}}-{{lang}}.tsv"
    wildcard_constraints:
        lexicon="|".join(CONFIG.encoders) or "none",
    cache: SHARED
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    threads: CONFIG.rank.threads
    resources:
        **asks("encode_words", threads=CONFIG.rank.threads),
    params:
        model=lambda wildcards: encoder(wildcards),
        words=lambda wildcards: in_order(
            PLAN.word_files(wildcards.lexicon, wildcards.lang)
        ),
        texts=lambda wildcards: of_texts(wildcards),
        splitter=lambda wildcards: (
            word_splitter(wildcards.lang) if of_texts(wildcards) else None
        ),
        max_words=lambda wildcards: CONFIG.encoders[wildcards.lexicon].max_words,
        lang=lambda wildcards: wildcards.lang,
        code=lambda wildcards: encoding_code(wildcards),
    script:
        "../scripts/encode_words.py"


rule embeddings:
    input:
        expand(f"{R}/vectors/aligned/{{lang}}.npy", lang=list(CONFIG.vector_sources)),
