# Bilingual lexicons, from vectors by nearest neighbours or from Wikipedia titles, and their quality.
rule vectors_lexicon:
    input:
        unpack(induced_from),
    output:
        f"{R}/lexicons/{{lexicon}}/{{src}}-{{tgt}}.parquet",
    log:
        f"{R}/logs/lexicon/{{lexicon}}-{{src}}-{{tgt}}.log",
    benchmark:
        f"{R}/benchmarks/lexicon/{{lexicon}}-{{src}}-{{tgt}}.tsv"
    wildcard_constraints:
        lexicon=lexicons_of("vectors", "encoder"),
    cache: SHARED
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    threads: SEARCHING_THREADS
    resources:
        **asks("vectors_lexicon", threads=SEARCHING_THREADS),
    params:
        spec=lambda wildcards: CONFIG.lexicons[wildcards.lexicon].choice(),
        pair=lambda wildcards: [wildcards.src, wildcards.tgt],
        code=CODE("lexicon.induce"),
    script:
        "../scripts/vectors_lexicon.py"


rule titles_lexicon:
    input:
        lambda wildcards: CONFIG.lexicons[wildcards.lexicon].files(
            SOURCE, wildcards.lang
        ),
    output:
        f"{R}/lexicons/{{lexicon}}/{SOURCE}-{{lang}}.parquet",
    log:
        f"{R}/logs/lexicon/{{lexicon}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/lexicon/{{lexicon}}-{{lang}}.tsv"
    wildcard_constraints:
        lexicon=lexicons_of("titles"),
    cache: SHARED
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("titles_lexicon"),
    params:
        spec=lambda wildcards: titles_spec(wildcards.lexicon, wildcards.lang),
        files=lambda wildcards: in_order(
            CONFIG.lexicons[wildcards.lexicon].files(SOURCE, wildcards.lang)
        ),
        lang=lambda wildcards: wildcards.lang,
        code=CODE("lexicon.titles"),
    script:
        "../scripts/titles_lexicon.py"


rule dictionary_lexicon:
    input:
        lambda wildcards: CONFIG.lexicons[wildcards.lexicon].files(wildcards.lang),
    output:
        f"{R}/lexicons/{{lexicon}}/{SOURCE}-{{lang}}.parquet",
    log:
        f"{R}/logs/lexicon/{{lexicon}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/lexicon/{{lexicon}}-{{lang}}.tsv"
    wildcard_constraints:
        lexicon=lexicons_of("dictionary"),
    cache: SHARED
    localrule: SMALL
    conda:
        "../../envs/switchrank.yaml"
    resources:
        **asks("dictionary_lexicon"),
    params:
        spec=lambda wildcards: CONFIG.lexicons[wildcards.lexicon].reading(),
        files=lambda wildcards: in_order(
            CONFIG.lexicons[wildcards.lexicon].files(wildcards.lang)
        ),
        lang=lambda wildcards: wildcards.lang,
        code=CODE("lexicon.dictionary"),
    script:
        "../scripts/dictionary_lexicon.py"


rule merged_lexicon:
    input:
        lambda wildcards: PLAN.merged_files(wildcards.lexicon, wildcards.lang),
    output:
        f"{R}/lexicons/{{lexicon}}/{SOURCE}-{{lang}}.parquet",
    log:
        f"{R}/logs/lexicon/{{lexicon}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/lexicon/{{lexicon}}-{{lang}}.tsv"
    wildcard_constraints:
        lexicon=lexicons_of("merged"),
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        parts=lambda wildcards: in_order(
            PLAN.merged_files(wildcards.lexicon, wildcards.lang)
        ),
        code=CODE("lexicon.derived"),
    script:
        "../scripts/merged_lexicon.py"


rule degraded_lexicon:
    input:
        lambda wildcards: PLAN.lexicon_file(
            CONFIG.lexicons[wildcards.lexicon].of, wildcards.lang
        ),
    output:
        f"{R}/lexicons/{{lexicon}}/{SOURCE}-{{lang}}.parquet",
    log:
        f"{R}/logs/lexicon/{{lexicon}}-{{lang}}.log",
    benchmark:
        f"{R}/benchmarks/lexicon/{{lexicon}}-{{lang}}.tsv"
    wildcard_constraints:
        lexicon=lexicons_of("degraded"),
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        spec=lambda wildcards: CONFIG.lexicons[wildcards.lexicon].plain(
            "kind", "of", "languages"
        ),
        lang=lambda wildcards: wildcards.lang,
        code=CODE("lexicon.derived"),
    script:
        "../scripts/degraded_lexicon.py"


QUALITY_PAIRS = [
    (lexicon, name, lang, CONFIG.gold_file(name, pair))
    for lexicon, lang in PLAN.lexicon_files
    for name, pairs in CONFIG.gold.items()
    for pair in pairs
    if pair == f"{SOURCE}-{lang}"
]


rule lexicon_quality:
    input:
        lexicons=[
            PLAN.lexicon_file(lexicon, lang) for lexicon, _, lang, _ in QUALITY_PAIRS
        ],
        gold=[path for *_, lang, gold in QUALITY_PAIRS for path in gold.files(lang)],
    output:
        f"{R}/tables/lexicon_quality.csv",
    log:
        f"{R}/logs/lexicon/quality.log",
    benchmark:
        f"{R}/benchmarks/lexicon/quality.tsv"
    priority: LATER
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        source=SOURCE,
        pairs=[[lexicon, name, lang] for lexicon, name, lang, _ in QUALITY_PAIRS],
        reading=[
            gold.reading() | {"path": gold.files(lang)}
            for *_, lang, gold in QUALITY_PAIRS
        ],
        code=CODE("lexicon.quality"),
    script:
        "../scripts/lexicon_quality.py"


rule lexicon:
    input:
        list(PLAN.lexicon_files.values()),
        [f"{R}/tables/lexicon_quality.csv"] if QUALITY_PAIRS else [],
