# Training pairs by id, token tables, and the code-switched corpora made from them.
TOKEN_FILES = ["tokens.parquet", "pieces.parquet", "keys.parquet"]


rule instances:
    input:
        queries=f"{R}/sources/{{collection}}/queries-{{split}}-{SOURCE}.parquet",
        documents=f"{R}/sources/{{collection}}/documents-{SOURCE}.parquet",
        judgements=f"{R}/sources/{{collection}}/judgements-{{split}}-{SOURCE}.parquet",
        triples=triples,
        vocabulary=lambda wildcards: ([] if triples(wildcards) else vocabulary(SOURCE)),
    output:
        f"{R}/instances/{{collection}}/{{split}}.parquet",
    log:
        f"{R}/logs/corpus/instances-{{collection}}-{{split}}.log",
    benchmark:
        f"{R}/benchmarks/corpus/instances-{{collection}}-{{split}}.tsv"
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("instances"),
    params:
        spec=instance_settings,
        vocabulary=lambda wildcards: (
            None if triples(wildcards) else word_splitter(SOURCE)
        ),
        names=lambda wildcards: [wildcards.collection, wildcards.split],
        code=CODE("corpus.instances"),
    script:
        "../scripts/instances.py"


rule tokens:
    input:
        f"{R}/sources/{{collection}}/{{texts}}-{SOURCE}.parquet",
        vocabulary=lambda wildcards: (
            [] if wildcards.cut == "treebank" else vocabulary(SOURCE)
        ),
    output:
        [f"{R}/tokens/{{collection}}/{{cut}}/{{texts}}/{file}" for file in TOKEN_FILES],
    log:
        f"{R}/logs/corpus/tokens-{{collection}}-{{cut}}-{{texts}}.log",
    benchmark:
        f"{R}/benchmarks/corpus/tokens-{{collection}}-{{cut}}-{{texts}}.tsv"
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("tokens"),
    params:
        names=lambda wildcards: [wildcards.collection, wildcards.texts],
        treebank=lambda wildcards: wildcards.cut == "treebank",
        vocabulary=lambda wildcards: (
            None if wildcards.cut == "treebank" else word_splitter(SOURCE)
        ),
        code=CODE("corpus.tokens"),
    script:
        "../scripts/tokens.py"


rule switch:
    input:
        parts=of_corpus(corpus_parts),
        lexicons=of_corpus(corpus_lexicons),
    output:
        train=f"{R}/corpora/{{corpus}}/{{train_pair}}/train-00000.parquet",
        dev=f"{R}/corpora/{{corpus}}/{{train_pair}}/dev.parquet",
        stats=f"{R}/corpora/{{corpus}}/{{train_pair}}/stats.json",
    log:
        f"{R}/logs/corpus/{{corpus}}-{{train_pair}}.log",
    benchmark:
        f"{R}/benchmarks/corpus/{{corpus}}-{{train_pair}}.tsv"
    wildcard_constraints:
        corpus=corpora_where(is_written),
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("switch"),
    params:
        recipe=of_corpus(recipe),
        instances=instances_folder,
        tokens=of_corpus(token_folders),
        code=CODE("corpus.switch"),
    script:
        "../scripts/switch.py"


rule on_the_fly:
    input:
        parts=of_corpus(corpus_parts),
        lexicons=of_corpus(corpus_lexicons),
    output:
        record=f"{R}/corpora/{{corpus}}/{{train_pair}}/on-the-fly.json",
        dev=f"{R}/corpora/{{corpus}}/{{train_pair}}/dev.parquet",
        stats=f"{R}/corpora/{{corpus}}/{{train_pair}}/stats.json",
    log:
        f"{R}/logs/corpus/{{corpus}}-{{train_pair}}.log",
    benchmark:
        f"{R}/benchmarks/corpus/{{corpus}}-{{train_pair}}.tsv"
    wildcard_constraints:
        corpus=corpora_where(lambda part: part.materialise is not True),
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("on_the_fly"),
    params:
        recipe=of_corpus(recipe),
        instances=instances_folder,
        tokens=of_corpus(token_folders),
        code=CODE("corpus.unwritten"),
    script:
        "../scripts/on_the_fly.py"


rule sample:
    input:
        parts=of_corpus(sample_parts),
        lexicons=of_corpus(corpus_lexicons),
    output:
        f"{R}/corpora/{{corpus}}/{{train_pair}}/sample.parquet",
    log:
        f"{R}/logs/corpus/{{corpus}}-{{train_pair}}-sample.log",
    benchmark:
        f"{R}/benchmarks/corpus/{{corpus}}-{{train_pair}}-sample.tsv"
    wildcard_constraints:
        corpus=corpora_where(lambda part: part.materialise == "sample"),
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("sample"),
    params:
        recipe=of_corpus(recipe),
        instances=instances_folder,
        tokens=of_corpus(token_folders),
        limit=SAMPLED,
        code=CODE("corpus.switch"),
    script:
        "../scripts/sample.py"


rule parallel:
    input:
        unpack(parallel_parts),
    output:
        train=f"{R}/corpora/{{corpus}}/{{train_pair}}/train-00000.parquet",
        dev=f"{R}/corpora/{{corpus}}/{{train_pair}}/dev.parquet",
        stats=f"{R}/corpora/{{corpus}}/{{train_pair}}/stats.json",
    log:
        f"{R}/logs/corpus/{{corpus}}-{{train_pair}}.log",
    benchmark:
        f"{R}/benchmarks/corpus/{{corpus}}-{{train_pair}}.tsv"
    wildcard_constraints:
        corpus=corpora_where(lambda part: part.parallel),
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("parallel"),
    params:
        languages=lambda wildcards: wildcards.train_pair.split("-"),
        code=CODE("corpus.parallel"),
    script:
        "../scripts/parallel.py"


rule translate:
    input:
        texts=f"{R}/sources/{{collection}}/{{table}}-{{lang}}.parquet",
        lexicon=lambda wildcards: PLAN.lexicon_file(
            wildcards.lexicon, wildcards.lang, reverse=True
        ),
        vocabulary=lambda wildcards: vocabulary(wildcards.lang),
    output:
        f"{R}/translated/{{lexicon}}/{{collection}}/{{table}}-{{lang}}.parquet",
    log:
        f"{R}/logs/corpus/translate-{{lexicon}}-{{collection}}-{{table}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/corpus/translate-{{lexicon}}-{{collection}}-{{table}}-{{lang}}.tsv"
    wildcard_constraints:
        table="queries-test|documents",
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("translate"),
    params:
        languages=lambda wildcards: [wildcards.lang, SOURCE],
        vocabulary=lambda wildcards: word_splitter(wildcards.lang),
        names=lambda wildcards: [
            wildcards.lexicon,
            wildcards.collection,
            wildcards.table,
        ],
        code=CODE("corpus.translate"),
    script:
        "../scripts/translate.py"


rule corpus:
    input:
        [
            PLAN.training_file(name, pair)
            for name in CONFIG.corpora
            for pair in PLAN.train_pairs(name)
        ],
        PLAN.samples,
