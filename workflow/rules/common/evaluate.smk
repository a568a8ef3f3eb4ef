# Functions of the rules of evaluation: the runs and texts that each table looks at.
from switchrank.formats.measures import FALLING

MAIN_TESTSETS = [name for name in CONFIG.testsets if name not in POOLS] or list(POOLS)


def swept_apart(testset):
    """The systems of sweeps whose runs on a test set are scored apart, so that the main table need not wait for them."""
    return PLAN.swept_systems if testset in MAIN_TESTSETS else set()


def main_records(wildcards):
    """The runs of one test set, without those that are scored apart."""
    apart = swept_apart(wildcards.testset)
    records = run_records(wildcards.testset)
    return [record for record in records if record["system"] not in apart]


def swept_records(wildcards):
    """The runs of one test set that are scored apart."""
    apart = swept_apart(wildcards.testset)
    records = run_records(wildcards.testset)
    return [record for record in records if record["system"] in apart]


def scores_of(testset):
    """Files of scores per query of one test set: the experiment's own, and those of sweeps where there are any."""
    apart = swept_apart(testset)
    swept = any(run.system in apart for run in PLAN.runs(testset))
    return [
        f"{R}/evaluate/{testset}.parquet",
        *([f"{R}/evaluate/sweeps/{testset}.parquet"] if swept else []),
    ]


def tables_params(testsets, without=()):
    """What is compared in the tables of some test sets, and how; some systems may be left out."""
    same = PLAN.same_runs(CONFIG.evaluate.baseline)
    return {
        "run": CONFIG.run,
        "languages": CONFIG.languages.plain("unspaced", "segmenters", "right_to_left"),
        "spec": CONFIG.evaluate.plain("metrics", "references", "bias", "setups")
        | {
            "systems": PLAN.main_systems,
            "apart": {
                system: group
                for system, group in PLAN.apart.items()
                if system not in without
            },
            "same": [
                run for run in same if run[1] in testsets and run[0] not in without
            ],
            "mixed": {
                name: CONFIG.mixed_languages(name) for name in POOLS if name in testsets
            },
        },
    }


def compared_by_setup():
    """What is compared by setup, and how: as in the tables, but for what is told of single pairs."""
    spec = tables_params(CONFIG.testsets)["spec"]
    return {
        name: spec[name] for name in spec if name not in ("mixed", "same", "families")
    }


def bias_records():
    """Every run of a system or BM25, with its test set."""
    return [
        record | {"testset": testset}
        for testset in CONFIG.testsets
        for record in run_records(testset)
        if record["system"] != "random"
    ]


def bias_pools():
    """The draws of each mixed pool, and the judgements of those that hold every document in every language."""
    pools = {}
    for name in POOLS:
        pools[name] = {"documents": f"{R}/pools/{name}/documents-draw.parquet"}
        if CONFIG.testsets[name].asked == "drawn":
            pools[name]["queries"] = f"{R}/pools/{name}/queries-draw.parquet"
        if CONFIG.testsets[name].pool == "every":
            pools[name]["judgements"] = PLAN.judgements(name, "xx")
    return pools


def averaged_scores():
    """Scores per query of what is averaged by setup: metrics, and ranks in mixed pools."""
    ranks = FALLING.intersection(CONFIG.evaluate.setups)
    metrics = set(CONFIG.evaluate.setups) - ranks
    return [
        *([f"{R}/tables/per_query.parquet"] if metrics else []),
        *([f"{R}/tables/bias_per_query.parquet"] if ranks else []),
    ]


def sweep_points():
    """The values of all sweeps, each with its system, lexicon and corpus statistics, as plain JSON."""
    points = []
    for point in PLAN.sweep_points:
        corpora = PLAN.corpora_of(point.system)
        lexicons = [CONFIG.corpora[corpus].lexicon for corpus in corpora]
        points.append(
            {
                "sweep": point.sweep,
                "x": point.value,
                "system": point.system,
                "lexicon": next(filter(None, lexicons), None),
                "stats": [
                    f"{PLAN.corpus_folder(corpus, pair)}/stats.json"
                    for corpus in corpora
                    for pair in PLAN.train_pairs(corpus)
                ],
            }
        )
    return points


def overlap_pairs():
    """The texts of every unmixed test pair, as plain JSON."""
    return [
        {
            "testset": testset,
            "query_lang": pair.query,
            "doc_lang": pair.document,
            "judgements": PLAN.judgements(testset, pair.document),
        }
        | {
            name: value
            for name, value in part.items()
            if name not in ("pair", "candidates")
        }
        for testset in CONFIG.testsets
        if testset not in POOLS
        for pair, part in zip(PLAN.pairs[testset], reference_files(testset))
    ]


def shift_records():
    """The runs of systems on test sets that compare languages."""
    return [
        record
        for record in bias_records()
        if PLAN.compares_languages(record["testset"])
        and record["system"] in CONFIG.systems
    ]


def shift_judgements():
    """Judgements by test set and document language for :func:`shift_records`."""
    return {
        testset: {
            lang: PLAN.judgements(testset, lang)
            for lang in PLAN.document_languages(testset)
        }
        for testset in dict.fromkeys(record["testset"] for record in shift_records())
    }


def searched_pairs(testset):
    """The ways to find candidates for the pairs of a test set, as plain JSON: as used, by the pair's own texts, and by its
    texts translated through each lexicon that systems test with."""
    own = {
        part["pair"]: part | {"search": part["pair"], "way": "own"}
        for part in reference_files(testset)
    }
    ways = []
    for pair in PLAN.pairs[testset]:
        used = PLAN.search(testset, pair.document)
        ways += [own[pair.id] | {"search": used, "way": "used"}, own[pair.id]]
    cut = {
        role: word_splitter(SOURCE)
        for role in ["query_vocabulary", "vocabulary"]
        if word_splitter(SOURCE)
    }
    for lexicon, pairs in PLAN.lexicon_pairs(testset).items():
        for part in pair_files(testset, pairs, lexicon):
            search = f"{part['pair']} by {lexicon}"
            ways.append(part | cut | {"search": search, "way": "translated"})
    return [told_languages(testset, way) for way in ways]


def told_languages(testset, part):
    """Files of a pair, with its languages and judgements in place of its name."""
    query, document = part.pop("pair").split("-")
    return part | {
        "query_lang": query,
        "doc_lang": document,
        "judgements": PLAN.judgements(testset, document),
    }


def searched_inputs(testset):
    """The distinct files of :func:`searched_pairs`."""
    roles = ["queries", "documents", "candidates", "judgements"]
    files = [part[role] for part in searched_pairs(testset) for role in roles]
    return list(
        dict.fromkeys(files + reference_vocabularies(testset) + vocabulary(SOURCE))
    )


def exposed_pairs():
    """Every test set with every collection that systems learn from, as plain JSON."""
    learned = [
        part
        for system in dict.fromkeys(system for system, _ in PLAN.models)
        for part in PLAN.learned_by(system)
    ]
    systems = {}
    for name, corpus in sorted(learned, key=lambda part: part[0] not in CONFIG.systems):
        collection = CONFIG.corpora[corpus].collection
        told = "start" if name == "start.first" else name
        systems.setdefault(collection, {})[told] = None
    return [
        {
            "training": training,
            "systems": list(names),
            "instances": f"{R}/instances/{training}/train.parquet",
            "training_documents": f"{R}/sources/{training}/documents-{SOURCE}.parquet",
            "testset": testset,
            "tested": tested_languages(testset),
            "by": (
                "id"
                if training == section.collection and section.documents == "parallel"
                else "text"
            ),
            "own_ids": section.documents == "own",
        }
        for training, names in systems.items()
        for testset, section in CONFIG.testsets.items()
    ]


def tested_languages(testset):
    """The documents of a test set by language, as plain JSON; those of a mixed pool in every language of it."""
    section = CONFIG.testsets[testset]
    drawn = section.mixed and section.pool == "drawn"
    return [
        {
            "documents": PLAN.texts(testset, "documents", lang),
            "judgements": PLAN.judgements(testset, SOURCE if drawn else lang),
            "candidates": PLAN.candidate_files(testset, SOURCE if drawn else lang),
        }
        for lang in CONFIG.mixed_languages(testset) or PLAN.document_languages(testset)
    ]


def exposed_inputs():
    """The distinct files of :func:`exposed_pairs`."""
    files = []
    for pair in exposed_pairs():
        files += [pair["instances"], pair["training_documents"]]
        for part in pair["tested"]:
            files += [part["documents"], part["judgements"], *part["candidates"]]
    return list(dict.fromkeys(files))


def testset_parts():
    """Every document language of every test set, as plain JSON."""
    return [
        {
            "testset": testset,
            "collection": section.collection,
            "format": CONFIG.collections[section.collection].format,
            "relevance": getattr(
                CONFIG.collections[section.collection], "relevance", "gold"
            ),
            "doc_lang": lang,
            "documents": PLAN.texts(testset, "documents", lang),
            "judgements": PLAN.judgements(testset, lang),
            "candidates": PLAN.candidate_files(testset, lang),
            "search": PLAN.search(testset, lang),
        }
        for testset, section in CONFIG.testsets.items()
        for lang in PLAN.document_languages(testset)
    ]


def switched_corpora():
    """Every corpus that a system trains on and words are switched in, with its training pairs."""
    trained = dict.fromkeys(
        corpus for system, _ in PLAN.models for corpus in CONFIG.systems[system].corpora
    )
    return {
        corpus: {
            pair: PLAN.corpus_languages(corpus, pair)
            for pair in PLAN.train_pairs(corpus)
        }
        for corpus in trained
        if CONFIG.corpora[corpus].lexicon
    }


def tested_texts(lang):
    """The test queries and documents in a language, as plain JSON; those of a mixed pool by its draw."""
    parts = []
    for testset, section in CONFIG.testsets.items():
        mixed = lang in CONFIG.mixed_languages(testset)
        for side, kind in [("query", "queries"), ("document", "documents")]:
            sides = {getattr(pair, side) for pair in PLAN.pairs[testset]}
            name = "xx" if mixed and "xx" in sides else lang
            chosen = {
                "query": [
                    PLAN.judgements(testset, document)
                    for document in PLAN.document_languages(testset)
                ],
                "document": PLAN.candidate_files(testset, name),
            }
            if name in sides:
                part = {"testset": testset, "side": side, "chosen": chosen[side]}
                part["texts"] = PLAN.texts(testset, kind, name)
                if name == "xx":
                    part["draw"] = f"{R}/pools/{testset}/{kind}-draw.parquet"
                parts.append(part)
    return parts


def coverage_languages():
    """The languages that words are switched to, with their lexicons and test texts, as plain JSON."""
    lexicons = {}
    for corpus, pairs in switched_corpora().items():
        name = CONFIG.corpora[corpus].lexicon
        for lang in dict.fromkeys(lang for pair in pairs.values() for lang in pair):
            lexicons.setdefault(lang, {})[name] = PLAN.lexicon_file(name, lang)
    return [
        {"lang": lang, "lexicons": files, "texts": tested_texts(lang)}
        | ({"vocabulary": word_splitter(lang)} if word_splitter(lang) else {})
        for lang, files in lexicons.items()
    ]


def coverage_training():
    """The statistics of every switched corpus by language, as plain JSON."""
    return [
        {
            "lexicon": CONFIG.corpora[corpus].lexicon,
            "lang": lang,
            "corpus": corpus,
            "stats": [
                f"{PLAN.corpus_folder(corpus, pair)}/stats.json"
                for pair, languages in pairs.items()
                if lang in languages
            ],
        }
        for corpus, pairs in switched_corpora().items()
        for lang in dict.fromkeys(lang for pair in pairs.values() for lang in pair)
    ]


def coverage_inputs():
    """The distinct files of :func:`coverage_languages` and :func:`coverage_training`."""
    files = [file for corpus in coverage_training() for file in corpus["stats"]]
    for language in coverage_languages():
        files += [*language["lexicons"].values(), *vocabulary(language["lang"])]
        for part in language["texts"]:
            files += [part["texts"], *part["chosen"]]
            files += [part["draw"]] if "draw" in part else []
    return list(dict.fromkeys(files))
