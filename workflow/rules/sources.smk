# Raw inputs to the three tables (documents, queries, judgements) of each collection.
from switchrank.collections.spec import code_of
from switchrank.sources.world.files import world_outputs

if CONFIG.world:
    WORLD = CONFIG.world_spec()

    rule world:
        output:
            [f"{R}/world/{name}" for name in world_outputs(WORLD)],
        log:
            f"{R}/logs/world.log",
        benchmark:
            f"{R}/benchmarks/world.tsv"
        localrule: SMALL
        conda:
            "../../envs/switchrank.yaml"
        resources:
            **asks("world"),
        params:
            spec=WORLD,
            code=CODE("sources.world.generate"),
        script:
            "../scripts/world.py"


for number, (path, download) in enumerate(PLAN.downloads.items(), 1):

    rule:
        name:
            f"fetch_{number}"
        output:
            path,
        log:
            f"{R}/logs/sources/fetch-{number}.log",
        localrule: True
        conda:
            "../../envs/switchrank.yaml"
        params:
            download=download.plain(),
        script:
            "../scripts/fetch.py"


for number, (dump, text) in enumerate(PLAN.dumps.items(), 1):

    rule:
        name:
            f"wikitext_{number}"
        input:
            dump,
        output:
            text,
        log:
            f"{R}/logs/sources/wikitext-{number}.log",
        benchmark:
            f"{R}/benchmarks/sources/wikitext-{number}.tsv"
        cache: SHARED
        localrule: SMALL
        conda:
            "../../envs/switchrank.yaml"
        resources:
            **asks("wikitext"),
        params:
            code=CODE("sources.wikitext"),
        script:
            "../scripts/wikitext.py"


for name in CONFIG.collections:

    rule:
        name:
            identifier("collection", name)
        input:
            list(PLAN.collection_files(name).values()),
        output:
            collection_tables(name),
        log:
            f"{R}/logs/sources/{name}.log",
        benchmark:
            f"{R}/benchmarks/sources/{name}.tsv"
        localrule: SMALL
        conda:
            "../../envs/switchrank.yaml"
        resources:
            **asks("collection", outputs=collection_tables(name)),
        params:
            spec=PLAN.collection_spec(name),
            roles=list(PLAN.collection_files(name)),
            files=in_order(PLAN.collection_files(name).values()),
            code=CODE("sources.build", code_of(CONFIG.collections[name].format)),
        script:
            "../scripts/collection.py"


for name, section in CONFIG.bitext.items():
    for language, outputs in PLAN.bitext_files(name).items():

        rule:
            name:
                identifier("bitext", name, language)
            input:
                section.given(language),
            output:
                outputs,
            log:
                f"{R}/logs/sources/bitext-{name}-{language}.log",
            benchmark:
                f"{R}/benchmarks/sources/bitext-{name}-{language}.tsv"
            localrule: SMALL
            conda:
                "../../envs/switchrank.yaml"
            resources:
                **asks("bitext"),
            params:
                spec=section.reading(language),
                files=in_order(section.given(language)),
                code=CODE("sources.bitext.write"),
            script:
                "../scripts/bitext.py"


rule sources:
    input:
        [file for name in CONFIG.collections for file in collection_tables(name)],
        [file for name in CONFIG.bitext for file in bitext_tables(name)],
