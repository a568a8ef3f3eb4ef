# Pictures and tables, and the Snakemake report that holds them; provenance of the run.
REPORT = f"{R}/report"
CHALLENGERS = [name for name in PLAN.main_systems if name != CONFIG.evaluate.baseline]
LANGUAGES = CONFIG.languages.plain("unspaced", "segmenters", "right_to_left")
DRAWN_METRIC = next(filter(CONFIG.evaluate.metrics.count, CONFIG.evaluate.setups), None)
ENGLISH = [name for name, section in CONFIG.corpora.items() if section.lexicon is None]


EXAMPLES = example_corpora()
EXAMPLE_LEXICONS = {
    f"{name} {pair}": {
        lang: PLAN.lexicon_file(CONFIG.corpora[name].lexicon, lang)
        for lang in PLAN.corpus_languages(name, pair)
    }
    for name, pair in EXAMPLES
}
SHOWN = PLAN.shown_files(
    [*((name, f"{SOURCE}-{SOURCE}") for name in ENGLISH[:1]), *EXAMPLES]
)


rule mrr_picture:
    input:
        metrics=rules.tables.output.metrics,
        per_query=rules.tables.output.per_query,
        significance=rules.tables.output.significance,
    output:
        picture=report(
            f"{REPORT}/mrr-{{testset}}.svg",
            caption="../report/mrr.rst",
            category="1 Retrieval",
            subcategory="{testset}",
            labels={
                "what": "MRR@10 per pair",
                "system": "all",
                "pair": "all",
                "test set": "{testset}",
            },
        ),
        numbers=f"{REPORT}/mrr-{{testset}}.csv",
    log:
        f"{R}/logs/report/mrr-{{testset}}.log",
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        testset=lambda wildcards: wildcards.testset,
        languages=LANGUAGES,
        baseline=CONFIG.evaluate.baseline,
        swept=[name for name in CONFIG.systems if name not in PLAN.main_systems],
        code=CODE("report.mrr"),
    script:
        "../scripts/mrr_picture.py"


rule gain_picture:
    input:
        metrics=rules.tables.output.metrics,
        significance=rules.tables.output.significance,
    output:
        report(
            f"{REPORT}/gain-{{testset}}-{{system}}.svg",
            caption="../report/gain.rst",
            category="1 Retrieval",
            subcategory="{testset}",
            labels={
                "what": f"gain over {CONFIG.evaluate.baseline}",
                "system": "{system}",
                "pair": "all",
                "test set": "{testset}",
            },
        ),
    log:
        f"{R}/logs/report/gain-{{testset}}-{{system}}.log",
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        testset=lambda wildcards: wildcards.testset,
        system=lambda wildcards: wildcards.system,
        languages=LANGUAGES,
        baseline=CONFIG.evaluate.baseline,
        code=CODE("report.gain"),
    script:
        "../scripts/gain_picture.py"


rule matrix_picture:
    input:
        metrics=rules.tables.output.metrics,
    output:
        picture=report(
            f"{REPORT}/matrix-{{testset}}.svg",
            caption="../report/matrix.rst",
            category="1 Retrieval",
            subcategory="{testset}",
            labels={
                "what": f"{DRAWN_METRIC} by language",
                "system": "all",
                "pair": "all",
                "test set": "{testset}",
            },
        ),
        numbers=f"{REPORT}/matrix-{{testset}}.csv",
    log:
        f"{R}/logs/report/matrix-{{testset}}.log",
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        testset=lambda wildcards: wildcards.testset,
        languages=LANGUAGES,
        baseline=CONFIG.evaluate.baseline,
        systems=PLAN.main_systems,
        metric=DRAWN_METRIC,
        code=CODE("report.matrix"),
    script:
        "../scripts/matrix_picture.py"


rule lexicon_picture:
    input:
        rules.lexicon_quality.output,
    output:
        report(
            f"{REPORT}/lexicon-quality.svg",
            caption="../report/lexicon.rst",
            category="2 Lexicons",
            labels={"what": "quality", "system": "-", "pair": "all", "test set": "-"},
        ),
    log:
        f"{R}/logs/report/lexicon.log",
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        languages=LANGUAGES,
        code=CODE("report.lexicon"),
    script:
        "../scripts/lexicon_picture.py"


rule loss_picture:
    input:
        MODELS,
    output:
        report(
            f"{REPORT}/loss.svg",
            caption="../report/loss.rst",
            category="4 Training",
            labels={
                "what": "loss and development score",
                "system": "all",
                "pair": "all",
                "test set": "-",
            },
        ),
    log:
        f"{R}/logs/report/loss.log",
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        systems=[system for system, _ in PLAN.models for _ in CONFIG.seeds],
        baseline=CONFIG.evaluate.baseline,
        code=CODE("report.loss"),
    script:
        "../scripts/loss_picture.py"


rule sentences:
    input:
        source=SHOWN[0] if ENGLISH else [],
        corpora=SHOWN[1:] if ENGLISH else [],
        lexicons=[
            path for paths in EXAMPLE_LEXICONS.values() for path in paths.values()
        ],
    output:
        report(
            f"{REPORT}/switched-sentences.html",
            caption="../report/sentences.rst",
            category="3 Corpora",
            labels={
                "what": "switched sentences",
                "system": "all",
                "pair": "training",
                "test set": "-",
            },
        ),
    log:
        f"{R}/logs/report/sentences.log",
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        names=EXAMPLE_LEXICONS,
        languages=[SOURCE, *CONFIG.languages.seen],
        rtl=CONFIG.languages.right_to_left,
        first=SAMPLED if any(map(is_sample, SHOWN)) else None,
        code=CODE("report.sentences"),
    script:
        "../scripts/sentences.py"


TABLE_TITLES = {
    "warnings": "0 Warnings",
    "testsets": "1 Retrieval",
    "first_stage": "1 Retrieval",
    "exposure": "1 Retrieval",
    "metrics": "1 Retrieval",
    "significance": "1 Retrieval",
    "effects": "1 Retrieval",
    "setups": "1 Retrieval",
    "bias": "1 Retrieval",
    "overlap": "5 Why it works",
    "shift": "5 Why it works",
    "lexicon_quality": "2 Lexicons",
    "coverage": "2 Lexicons",
    "sweep": "6 Sweeps",
    "ablation": "7 Labelled queries",
    "ablation_curve": "7 Labelled queries",
    "equivalence": "7 Labelled queries",
}
TABLES_MADE = [
    *[
        "warnings",
        "testsets",
        "first_stage",
        "exposure",
        "metrics",
        "significance",
        "effects",
        "bias",
        "overlap",
    ],
    *(["setups"] if CONFIG.evaluate.setups else []),
    *(["shift"] if shift_records() else []),
    *(["lexicon_quality"] if QUALITY_PAIRS else []),
    *(["coverage"] if switched_corpora() else []),
    *(["sweep"] if CONFIG.sweeps else []),
    *(["ablation", "ablation_curve", "equivalence"] if PLAN.ablation else []),
]
SHIFTED = list(shift_judgements())
EXPERIMENT = [
    *[f"overlap-{testset}" for testset in CONFIG.testsets if testset not in POOLS],
    *[f"shift-{testset}" for testset in SHIFTED],
    *[f"bias-{testset}" for testset in POOLS],
    *[f"sweep-{testset}" for testset in CONFIG.testsets if CONFIG.sweeps],
    *([f"ablation-{CONFIG.ablation.testset}"] if PLAN.ablation else []),
]


for table in ["overlap", "shift", "bias", "sweep", "ablation"]:

    rule:
        name:
            f"{table}_picture"
        input:
            table=f"{R}/tables/{table}.csv",
            more=(
                [f"{R}/tables/ablation_curve.csv", f"{R}/tables/equivalence.csv"]
                if table == "ablation"
                else []
            ),
        output:
            picture=report(
                f"{REPORT}/{table}-{{testset}}.svg",
                caption=f"../report/{table}.rst",
                category=TABLE_TITLES[table],
                labels={
                    "what": f"picture {table}",
                    "system": "all",
                    "pair": "all",
                    "test set": "{testset}",
                },
            ),
            numbers=f"{REPORT}/{table}-{{testset}}.csv",
        log:
            f"{R}/logs/report/{table}-{{testset}}.log",
        localrule: True
        conda:
            "../../envs/switchrank.yaml"
        params:
            table=table,
            testset=lambda wildcards: wildcards.testset,
            told=picture_settings(table),
            code=CODE(f"report.{table}"),
        script:
            "../scripts/experiment_picture.py"


rule table_page:
    input:
        f"{R}/tables/{{table}}.csv",
    output:
        page=report(
            f"{REPORT}/{{table}}.html",
            caption="../report/table.rst",
            category=lambda wildcards: TABLE_TITLES[wildcards.table],
            labels={
                "what": "table {table}",
                "system": "all",
                "pair": "all",
                "test set": "all",
            },
        ),
        tsv=f"{REPORT}/{{table}}.tsv",
    log:
        f"{R}/logs/report/{{table}}.log",
    wildcard_constraints:
        table="|".join(TABLE_TITLES),
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        table=lambda wildcards: wildcards.table,
        unseen=CONFIG.languages.unseen,
        code=CODE("report.tables"),
    script:
        "../scripts/table_page.py"


rule report_items:
    input:
        [f"{REPORT}/mrr-{testset}.svg" for testset in CONFIG.testsets],
        [
            f"{REPORT}/gain-{testset}-{system}.svg"
            for testset in CONFIG.testsets
            for system in CHALLENGERS
            if any(run.system == system for run in PLAN.runs(testset))
        ],
        [
            f"{REPORT}/matrix-{testset}.svg"
            for testset in CONFIG.testsets
            if DRAWN_METRIC and testset not in POOLS
        ],
        [f"{REPORT}/{picture}.svg" for picture in EXPERIMENT],
        [f"{REPORT}/{table}.html" for table in TABLES_MADE],
        f"{REPORT}/loss.svg",
        [f"{REPORT}/lexicon-quality.svg"] if QUALITY_PAIRS else [],
        [f"{REPORT}/switched-sentences.html"] if EXAMPLES else [],


rule report_zip:
    input:
        rules.report_items.input,
    output:
        f"{R}/report.zip",
    log:
        f"{R}/logs/report/zip.log",
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        captions=caption_digests(),
    script:
        "../scripts/report_zip.py"


rule provenance:
    input:
        rules.report_items.input,
    output:
        f"{R}/provenance.json",
    log:
        f"{R}/logs/provenance.log",
    localrule: True
    conda:
        "../../envs/switchrank.yaml"
    params:
        config=dict(config),
        code=CODE("run.provenance"),
    script:
        "../scripts/provenance.py"


rule report:
    input:
        f"{R}/report.zip",
