# Functions of the rules of ranking: candidates, pools, what cuts text, files of test pairs, what is searched.


def collection_of(testset):
    """The source folder of a test set's collection."""
    return f"{R}/sources/{CONFIG.testsets[testset].collection}"


def first_stage_sides(wildcards):
    """Languages of the queries and documents of the first stage: a pair's, or those that serve a document language."""
    if "query" in wildcards.keys():
        return wildcards.query, wildcards.document
    return PLAN.first_stage(wildcards.testset, wildcards.lang)


def first_stage_files(wildcards):
    """What the candidates of a document language or a pair are made from."""
    folder = collection_of(wildcards.testset)
    query, document = first_stage_sides(wildcards)
    judged = wildcards.get("lang") or document
    return {
        "queries": f"{folder}/queries-test-{query}.parquet",
        "documents": f"{folder}/documents-{document}.parquet",
        "judgements": f"{R}/testsets/{wildcards.testset}/judgements-{judged}.parquet",
    }


def given_run(wildcards):
    """The run that candidates are read from, where one is given or a system of the run finds them."""
    section = CONFIG.testsets[wildcards.testset].candidates
    document = wildcards.get("document") or wildcards.lang
    if section.system:
        pairs = {pair.id: pair for pair in PLAN.pairs[wildcards.testset]}
        return PLAN.found_run(wildcards.testset, pairs[f"{wildcards.query}-{document}"])
    return section.run_file(wildcards.get("query", ""), document) if section.run else []


def first_stage_spec(wildcards):
    """Where candidates come from, as plain JSON; how many, where a system of the run finds them."""
    section = CONFIG.testsets[wildcards.testset].candidates
    kept_out = ["run", "query_language", "system"]
    return section.plain(*kept_out, *([] if section.system else ["depth"]))


UNMIXED = "(?!xx\\b)[a-z]{2,3}"
POOLS = [name for name, section in CONFIG.testsets.items() if section.mixed]


def pool_parts(testset):
    """What a mixed pool is made from: documents, judgements and, for a pool of everything, candidates."""
    languages = CONFIG.mixed_languages(testset)
    judged = PLAN.judged_languages(testset)
    parts = {
        "documents": [PLAN.texts(testset, "documents", lang) for lang in languages],
        "judgements": [PLAN.judgements(testset, lang) for lang in judged],
    }
    if lists_are_joined(testset):
        parts["candidates"] = [PLAN.candidates(testset, lang) for lang in languages]
    return parts


def lists_are_joined(testset):
    """Whether the candidates of a mixed pool are those of its languages; else they are all its documents."""
    section = CONFIG.testsets[testset]
    return section.pool == "every" and not section.candidates.every


def pool_outputs(testset):
    """The files of a mixed pool."""
    outputs = {
        "texts": f"{R}/pools/{testset}/documents.parquet",
        "draw": f"{R}/pools/{testset}/documents-draw.parquet",
        "judgements": PLAN.judgements(testset, "xx"),
    }
    if lists_are_joined(testset):
        outputs["candidates"] = PLAN.candidates(testset, "xx")
    return outputs


def vocabulary(lang):
    """Words that cut the text of an unspaced language, as input files."""
    unspaced = lang in CONFIG.languages.longest_match and lang in CONFIG.vector_sources
    return [f"{R}/vectors/aligned/{lang}.words.parquet"] if unspaced else []


def segmenter(lang):
    """The library that cuts the text of an unspaced language, with its version, or None."""
    name = CONFIG.languages.segmenters.get(lang)
    return segmenter_spec(name) if name else None


def word_splitter(lang):
    """What cuts the text of a language, for the library: a vector store, a segmenter, or None for Unicode rules."""
    return segmenter(lang) or next(map(prefix, vocabulary(lang)), None)


def pair_files(testset, pairs, translate=None):
    """Queries, documents and candidates of pairs, as plain JSON; the texts translated through a lexicon if one is named."""
    return [
        {
            "pair": pair.id,
            "queries": PLAN.texts(testset, "queries", pair.query, translate),
            "documents": PLAN.texts(testset, "documents", pair.document, translate),
            "candidates": PLAN.candidates(testset, pair.document, pair.query),
        }
        for pair in pairs
    ]


def reference_files(testset):
    """:func:`pair_files` of a test set, with what cuts the text of unspaced languages."""
    files = pair_files(testset, PLAN.pairs[testset])
    for part, pair in zip(files, PLAN.pairs[testset]):
        for role, lang in [
            ("query_vocabulary", pair.query),
            ("vocabulary", pair.document),
        ]:
            if word_splitter(lang):
                part[role] = word_splitter(lang)
    return files


def reference_vocabularies(testset):
    """Words that cut the unspaced text of a test set, as input files."""
    tested = {
        lang for pair in PLAN.pairs[testset] for lang in [pair.query, pair.document]
    }
    return [
        file
        for lang in CONFIG.languages.unspaced
        if lang in tested
        for file in vocabulary(lang)
    ]


def kept_depth(testset):
    """How many documents of a query a run keeps; nothing where it keeps all, so that the key changed no other run."""
    return {"depth": PLAN.depth(testset)} if PLAN.depth(testset) else {}


def rank_settings(system, testset):
    """How texts are scored: as the models of a system were trained on them; a finished model says itself how long."""
    settings = {
        "token_budget": CONFIG.rank.token_budget,
        "precision": CONFIG.rank.precision,
        "sigmoid_scores": CONFIG.rank.sigmoid_scores,
    }
    if system not in PLAN.finished:
        own = CONFIG.systems.get(system)
        trained = CONFIG.training(own.train) if own else CONFIG.train
        settings |= {"max_length": trained.max_length, "truncation": trained.truncation}
    return settings | kept_depth(testset)


def encoders_where(test, architecture="dual-encoder"):
    """A wildcard constraint: the encoders of an architecture whose system `test` holds for."""
    found = [
        name
        for name, (one, _) in PLAN.encoders.items()
        if one.architecture == architecture and test(one)
    ]
    return "|".join(found) or "none"


LATE_ENCODERS = encoders_where(lambda one: True, "late-interaction")


def comparing(ranker):
    """What compares the vectors of a system, for a job: its architecture and the digest of its code."""
    where = {"dual-encoder": "rank.dense", "late-interaction": "rank.late"}
    return {
        "architecture": ranker.architecture,
        "code": CODE(where[ranker.architecture]),
    }


def model_of_encoder(wildcards):
    """The files of the model that makes vectors."""
    folder = PLAN.encoder_model(wildcards.encoder)
    return [f"{folder}/{file}" for file in MODEL_FILES]


def made_vectors(wildcards):
    """The vectors that others of the same texts are made of."""
    name = f"{wildcards.collection}/{wildcards.table}-{wildcards.lang}.npy"
    return f"{R}/encoded/{PLAN.made_by(wildcards.encoder)}/{name}"


def encoding():
    """How texts become vectors."""
    return CONFIG.rank.plain("threads", "sigmoid_scores", "depth")


def files_in(value):
    """Every file that plain JSON names, once each."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value
    return list(dict.fromkeys(file for one in inner for file in files_in(one)))


def retrieval(ranker, testset, change=list):
    """A function of wildcards: what an encoder compares for the pairs of a test set, or what `change` makes of it."""
    return lambda wildcards: change(
        PLAN.retrieval(ranker, testset, wildcards.get("seed", CONFIG.seeds[0]))
    )


def fused_files(fusion, testset):
    """The runs of a fusion on a test set, each with those that it is made of."""
    return {
        PLAN.run_file(fusion.system, testset, pair.id, seed): runs
        for (pair, seed), runs in PLAN.fused_runs(fusion, testset).items()
    }


def run_seed(ranker):
    """The seed in the names of a system's runs: a wildcard, or the one seed of a finished model."""
    return "{seed}" if ranker.train_pair else CONFIG.seeds[0]


def pair_inputs(testset, pairs, translate=None):
    """The distinct files of :func:`pair_files`."""
    files = [
        part[key]
        for part in pair_files(testset, pairs, translate)
        for key in ["queries", "documents", "candidates"]
    ]
    return list(dict.fromkeys(files))


def run_records(testset):
    """Every run of a test set with what it says about it, as plain JSON."""
    return [
        {
            "path": PLAN.run_file(run.system, testset, run.pair.id, run.seed),
            "system": run.system,
            "query_lang": run.pair.query,
            "doc_lang": run.pair.document,
            "seed": run.seed,
        }
        for run in PLAN.runs(testset)
    ]
