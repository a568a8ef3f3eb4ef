# Functions of the rules of training: texts of the tokenizer, starts, and the facts of a model that a job trains.


def tokenizer_texts():
    """Monolingual text by language: as configured, else what its vectors were trained on."""
    texts = dict(CONFIG.start.tokenizer.texts)
    for lang in CONFIG.vector_sources:
        if lang not in texts and CONFIG.vector_sources[lang].text:
            texts[lang] = CONFIG.vector_sources[lang].text
    return {lang: PLAN.plain(paths) for lang, paths in texts.items()}


def starts_where(test):
    """A wildcard constraint: the folders below `starts/` of the starts for which `test` holds."""
    found = [name for name, (start, _) in PLAN.named_starts.items() if test(start)]
    return "|".join(found) or "none"


def finished_systems(dual):
    """A wildcard constraint: the systems that are finished models, those that are dual encoders or the others."""
    return (
        "|".join(name for name in PLAN.finished if CONFIG.is_dual(name) == dual)
        or "none"
    )


def known_prompts(model):
    """What the catalogue says stands before queries and documents of a model."""
    entry = entry_of(model)
    return entry.prompts if entry else {}


def first_weights(wildcards):
    """How the first weights of a start are made; without a name, those of the run's own."""
    name = wildcards.get("start")
    start = PLAN.named_starts[name][0] if name else PLAN.own_start[0]
    return start.weights


def described(model):
    """A model from elsewhere as a job has it: its folder or hub name, or all that the catalogue says of it."""
    entry = entry_of(model)
    return entry.plain() if entry else model


def copying_code(model, *modules):
    """The digest of the code that copies a model, and of what reads the 4-bit file that a known one may be."""
    return CODE(*modules, *(["models.four_bit"] if entry_of(model) else []))


def pruning_code(wildcards):
    """The module that prunes a start, where it is pruned."""
    return ["train.pruning"] if first_weights(wildcards).vocabulary == "run" else []


def vocabulary_texts(wildcards):
    """What a start is pruned to: documents and queries of the run, and lexicons that they are switched or translated by."""
    if first_weights(wildcards).vocabulary == "whole":
        return []
    tables = [
        file
        for name in CONFIG.collections
        for file in collection_tables(name)
        if Path(file).name.startswith(("documents-", "queries-"))
    ]
    return tables + [
        PLAN.lexicon_file(lexicon, lang)
        for lexicon in PLAN.used_lexicons
        for lang in PLAN.lexicon_languages(lexicon)
    ]


def start_vectors(wildcards):
    """The vectors that the embeddings of a start begin with, by language."""
    used = "vectors" in first_weights(wildcards).init
    return {
        lang: f"{R}/vectors/aligned/{lang}" for lang in CONFIG.vector_sources if used
    }


def transplanted(wildcards):
    """The start that is transplanted, and its seed."""
    name = wildcards.get("start")
    return PLAN.named_starts[name] if name else (PLAN.own_start[-1], CONFIG.seeds[0])


def transplanted_files(wildcards):
    """The files of the model that a start is transplanted from."""
    start, seed = transplanted(wildcards)
    return start.source.files_of(seed)


def transplant_lexicons(wildcards):
    """The lexicons that a start is transplanted through, by language."""
    lexicon = transplanted(wildcards)[0].lexicon
    return {
        lang: PLAN.lexicon_file(lexicon, lang)
        for lang in PLAN.lexicon_languages(lexicon)
    }


def extended(wildcards):
    """The start that is extended, and its seed."""
    own = [step for step in PLAN.own_start if step.extension]
    name = wildcards.get("start")
    return PLAN.named_starts[name] if name else (own[0], CONFIG.seeds[0])


def extended_files(wildcards):
    """The files of the model that a start extends."""
    start, seed = extended(wildcards)
    return start.source.files_of(seed)


def run_texts(languages):
    """The text that a run has in some languages: documents, training queries and running text; no test query."""
    tables = [file for name in CONFIG.collections for file in collection_tables(name)]
    found = {}
    for lang in languages:
        names = {f"documents-{lang}.parquet", f"queries-train-{lang}.parquet"}
        files = [file for file in tables if Path(file).name in names]
        found[lang] = list(dict.fromkeys(files + TEXTS.get(lang, [])))
    return {lang: files for lang, files in found.items() if files}


def extension_texts(wildcards):
    """What pieces are learned from, by language."""
    languages = CONFIG.extended_languages(extended(wildcards)[0].extension)
    return run_texts([CONFIG.languages.source, *languages])


def extension_lexicons(wildcards):
    """The lexicons of the languages that a start is extended by."""
    extension = extended(wildcards)[0].extension
    known = PLAN.lexicon_languages(extension.lexicon) if extension.lexicon else []
    return {
        lang: PLAN.lexicon_file(extension.lexicon, lang)
        for lang in CONFIG.extended_languages(extension)
        if lang in known
    }


def extension_vectors(wildcards):
    """The vectors that the embeddings of new pieces are found by."""
    extension = extended(wildcards)[0].extension
    languages = [CONFIG.languages.source, *CONFIG.extended_languages(extension)]
    return {
        lang: f"{R}/vectors/aligned/{lang}"
        for lang in CONFIG.vector_sources
        if lang in languages and "vectors" in extension.rows
    }


def node(wildcards):
    """What a job trains: the model of a system, a start or a tuned one."""
    return PLAN.node(dict(wildcards.items()))


def repair_texts(wildcards):
    """What layers are repaired on, in an order that the config does not change; nothing where a corpus is trained on."""
    if node(wildcards).corpus:
        return []
    return sorted(sum(run_texts(CONFIG.languages.every).values(), []))


def on_the_fly_parts(wildcards):
    """What training reads beside the record of a corpus that it switches on the fly; nothing beside a written one."""
    corpus = node(wildcards).on_the_fly
    return sample_parts(*corpus) + corpus_lexicons(*corpus) if corpus else []


def method_code(node):
    """The digest of the code that a model is trained by: of what switches its corpus too, where that is done on the fly."""
    method = f"train.methods.{node.method.replace('-', '_')}"
    return CODE(
        "train.training", method, *(["corpus.onthefly"] if node.on_the_fly else [])
    )


def model_files(model):
    """The files of a model from elsewhere that lies in a folder of this machine; none of one on a hub."""
    folder = Path(model)
    return (
        sorted(str(file) for file in folder.iterdir() if file.is_file())
        if folder.is_dir()
        else []
    )
