# Functions of the rules of evaluation: the runs and texts that each table looks at.


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
        pools[name] = {
            "documents": f"{R}/pools/{name}/documents-draw.parquet",
            "queries": f"{R}/pools/{name}/queries-draw.parquet",
        }
        if CONFIG.testsets[name].pool == "every":
            pools[name]["judgements"] = PLAN.judgements(name, "xx")
    return pools


def sweep_points():
    """The values of all sweeps, each with its system, lexicon and corpus statistics, as plain JSON."""
    points = []
    for point in PLAN.sweep_points:
        corpus = CONFIG.systems[point.system].corpus
        points.append(
            {
                "sweep": point.sweep,
                "x": point.value,
                "system": point.system,
                "lexicon": CONFIG.corpora[corpus].lexicon,
                "stats": [
                    f"{PLAN.corpus_folder(corpus, pair)}/stats.json"
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
            "candidates": (
                None if section.candidates.every else PLAN.candidates(testset, lang)
            ),
        }
        for testset, section in CONFIG.testsets.items()
        for lang in PLAN.document_languages(testset)
    ]


def switched_corpora():
    """Every corpus that a system trains on and words are switched in, with its training pairs."""
    found = {}
    for system, pair in PLAN.models:
        corpus = CONFIG.systems[system].corpus
        if CONFIG.corpora[corpus].lexicon:
            found.setdefault(corpus, {})[pair] = PLAN.corpus_languages(corpus, pair)
    return found


def tested_texts(lang):
    """The test queries and documents in a language, as plain JSON; those of a mixed pool by its draw."""
    parts = []
    for testset, section in CONFIG.testsets.items():
        mixed = lang in CONFIG.mixed_languages(testset)
        name = "xx" if mixed else lang
        chosen = {
            "query": [
                PLAN.judgements(testset, document)
                for document in PLAN.document_languages(testset)
            ],
            "document": (
                [] if section.candidates.every else [PLAN.candidates(testset, name)]
            ),
        }
        for side, kind in [("query", "queries"), ("document", "documents")]:
            if any(getattr(pair, side) == name for pair in PLAN.pairs[testset]):
                part = {"testset": testset, "side": side, "chosen": chosen[side]}
                part["texts"] = PLAN.texts(testset, kind, name)
                if mixed:
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
        | ({"vocabulary": cut_by(lang)} if cut_by(lang) else {})
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
