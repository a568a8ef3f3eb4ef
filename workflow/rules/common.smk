# Glue: the checked config, the plan of names, and the digest of library code that rules put into params.
import os
import re
import sys
from functools import cache

from switchrank.config.load import check_config, read_yaml
from switchrank.config.models import MAIN_METRIC
from switchrank.config.plan import Plan
from switchrank.corpus.files import SAMPLED
from switchrank.digest import code_digest, file_digest
from switchrank.errors import NoGpuError, UserError
from switchrank.fetch.cache import is_offline, missing_files, offline_error
from switchrank.plan.estimate import check_disk
from switchrank.plan.outputs import check_outputs, missing_notice
from switchrank.resources import (
    SEARCH_THREADS,
    are_small,
    layer_weights,
    neighbours,
    operations_per_second,
    ranking,
    size_mb,
    starting_model,
    streaming,
    training,
    vector_stores,
    vector_training,
    whole_tables,
    word_index,
)
from switchrank.runlock import hold_run
from switchrank.segmenters import segmenter_spec
from switchrank.started import remember_start

ROOT = Path(workflow.basedir)


def fail(error):
    """End Snakemake with one line."""
    print(error, file=sys.stderr)
    os._exit(error.exit_code)


def checked(files):
    """The config and its plan; a mistake ends Snakemake with one line."""
    try:
        for file in files:
            read_yaml(file)
        made = check_config(dict(config), files[-1], os.environ)
        plan = Plan(made, [Path.cwd(), ROOT])
        plan.pairs
        plan.ablation
        return made, plan
    except UserError as error:
        fail(error)


def held():
    """The lock of this run, where this process is to make it: not a job of it, a dry-run, a summary, or `--nolock`."""
    asked, given = workflow.resource_settings, workflow.global_resources
    idle = workflow.output_settings.dryrun or (
        asked.cores is None and asked.nodes is None
    )
    if workflow.exec_mode.name != "DEFAULT" or idle or "--nolock" in sys.argv:
        return None
    try:
        lock = hold_run(CONFIG.run, ".snakemake")
        check_outputs(PLAN)
    except UserError as error:
        fail(error)
    if notice := missing_notice(PLAN):
        print(notice, file=sys.stderr)
    remember_start(
        CONFIG.run,
        config=config,
        file=workflow.configfiles[-1],
        root=ROOT,
        cores=asked.cores or asked.nodes,
        gpus=given["gpu"].value if "gpu" in given else asked.nodes or 1,
    )
    return lock


def end_if_too_few_gpus():
    """Whether a training may use a GPU for each of its processes; none at all means the CPU."""
    given = workflow.global_resources
    allowed = given["gpu"].value if "gpu" in given else None
    if workflow.exec_mode.name != "DEFAULT" or CONFIG.train.device != "cuda":
        return
    needed = CONFIG.train.processes
    if allowed and allowed < needed:
        problem = f"{needed} processes need a GPU each, and {allowed} may be used"
        todo = f"--resources gpu={needed}, or fewer processes"
        fail(NoGpuError(workflow.configfiles[-1], "train.processes", problem, todo))


CONFIG, PLAN = checked([str(file) for file in workflow.configfiles])
end_if_too_few_gpus()
R = PLAN.folder
RUN_LOCK = held()
SOURCE = CONFIG.languages.source
CODE = cache(code_digest)
# With `--cache`: what word vectors and lexicons are made from and the like is taken from other runs.
SHARED = workflow.workflow_settings.cache is not None
MODEL_FILES = [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
]


wildcard_constraints:
    lang="[a-z]{2,3}",
    src="[a-z]{2,3}",
    tgt="[a-z]{2,3}",
    seed="[0-9]+",
    split="train|dev|test",
    collection="|".join(CONFIG.collections),
    corpus="|".join(CONFIG.corpora),
    lexicon="|".join(CONFIG.lexicons) or "none",
    system="|".join(CONFIG.systems),
    testset="|".join(CONFIG.testsets),
    train_pair="[a-z]{2,3}-[a-z]{2,3}",
    texts="queries-train|queries-dev|documents",
    cut="unicode|treebank",


def identifier(*parts):
    """A rule name from config names."""
    return "_".join(parts).replace("-", "_")


def in_order(files):
    """The names of files in their order, for params: Snakemake compares input files as a set, and so does its cache."""
    files = list(files)
    places = {file: place for place, file in enumerate(sorted(files))}
    return [[places[file], Path(file).name] for file in files]


def caption_digests():
    """The digest of every caption of the report, by name."""
    folder = ROOT / "workflow/report"
    return {file.name: file_digest(file) for file in sorted(folder.glob("*.rst"))}


def store(prefix):
    """The two files of a vector store, by name."""
    return {"words": f"{prefix}.words.parquet", "matrix": f"{prefix}.npy"}


def prefix(path):
    """The prefix of a vector store, from its words file."""
    return str(path).removesuffix(".words.parquet")


# resources: what a job asks for; no result depends on it
# Where the raw files of a run are small, a job is not worth the wait in a queue, but for training and ranking.
SMALL = are_small(PLAN.raw_files)


def asks(need):
    """Memory and run time of a rule, from a function of its input; twice as much at each attempt."""
    return {
        "mem_mb": lambda wildcards, input, attempt: need(input).asked(attempt)[0],
        "runtime": lambda wildcards, input, attempt: need(input).asked(attempt)[1],
    }


def sized(estimate):
    """:func:`asks` where the size of the input says it all."""
    return asks(lambda input: estimate(size_mb(input)))


def fasttext_need(input):
    """What training word vectors needs."""
    return vector_training(size_mb(input.text), CONFIG.vectors.training.epochs)


TRAINING_THREADS = max(CONFIG.train.threads, CONFIG.train.processes)


def training_need(section):
    """What training a ranker with the settings of a section needs, as a function of the rule's input."""
    work = {key: getattr(section, key) for key in ["steps", "batch_size", "max_length"]}
    gpus = CONFIG.train.processes if CONFIG.train.device == "cuda" else 0
    work["rate"] = operations_per_second(TRAINING_THREADS, gpus)
    work["processes"] = CONFIG.train.processes
    return lambda input: training(
        size_mb(input.start),
        layer_weights(input.start),
        size_mb([input.corpus]),
        switched=size_mb(input.get("parts", [])),
        **work,
    )


def ranking_need(pairs):
    """What scoring pairs needs, as a function of the rule's input."""
    rate = operations_per_second(
        CONFIG.rank.threads, int(CONFIG.train.device == "cuda")
    )
    lists = [part["candidates"] for part in pairs]
    return lambda input: ranking(
        size_mb(input.model),
        layer_weights(input.model),
        size_mb(input.pairs),
        size_mb(lists),
        max_length=CONFIG.train.max_length,
        rate=rate,
    )


def on_gpu(count=1):
    """So many GPUs where the config demands them, in the partition and of the type that the profile names for such jobs.

    `--resources gpu=0` takes them away again.
    """
    if CONFIG.train.device != "cuda":
        return {"gpu": 0}
    defaults = workflow.resource_settings.default_resources
    named = dict(text.split("=", 1) for text in (defaults.args if defaults else []))
    site = {"slurm_partition": "gpu_partition", "gpu_model": "gpu_type"}
    return {"gpu": count} | {
        ours: named[theirs] for ours, theirs in site.items() if theirs in named
    }


def share():
    """With `--cache`, take the benchmarks from shared rules: a job whose output comes from elsewhere measures nothing.

    The cache leaves links to its folder, which must hold from wherever they are looked at.
    """
    folder = os.environ.get("SNAKEMAKE_OUTPUT_CACHE")
    if SHARED and folder and not Path(folder).is_absolute():
        todo = "export SNAKEMAKE_OUTPUT_CACHE=/your/folder, from the root"
        fail(
            UserError(
                "SNAKEMAKE_OUTPUT_CACHE", "", f"{folder} is a relative path", todo
            )
        )
    for made in workflow.rules:
        if SHARED and made.cache and made.cache.output:
            made._benchmark = None


def shared_training(section):
    """The processes that share a training, and a GPU for each where the config demands one; how often it is saved.

    None of it is a trigger, and a checkpoint is resumed by any number of processes.
    """
    return {
        "processes": CONFIG.train.processes,
        "checkpoint_every": section.checkpoint_every,
    } | on_gpu(CONFIG.train.processes)


# sources
def end_if_offline():
    """Before the first job: where no server may be asked, tell every file that this start would have fetched."""
    if not is_offline(os.environ):
        return
    jobs = [job for job in workflow.dag.needrun_jobs() if job.name.startswith("fetch_")]
    paths = sorted(path for job in jobs for path in job.output)
    wanted = {path: PLAN.downloads[path].plain() for path in paths}
    missing = missing_files(wanted)
    if missing:
        workflow.persistence.unlock()
        fail(offline_error(workflow.configfiles[-1], wanted, missing))


def end_if_full():
    """Before the first job: whether the disk can hold what this start makes; `SWITCHRANK_ANY_DISK=1` starts anyway."""
    if os.environ.get("SWITCHRANK_ANY_DISK"):
        return
    files = [str(path) for job in workflow.dag.needrun_jobs() for path in job.output]
    try:
        check_disk(PLAN, files, workflow.configfiles[-1])
    except UserError as error:
        workflow.persistence.unlock()
        fail(error)


# embeddings
def languages_where(test):
    """A wildcard constraint: the vector languages for which `test` holds."""
    return "|".join(lang for lang in PLAN.vector_languages if test(lang)) or "none"


def seed_file(wildcards):
    """The file that alignment takes its seed pairs from, if any."""
    seed = CONFIG.vectors.alignment.seed_pairs
    if seed in CONFIG.lexicons:
        return PLAN.lexicon_file(seed, wildcards.lang)
    return [] if seed == "identical" else seed.format(lang=wildcards.lang)


def seed_kind():
    """`lexicon`, `identical` or `dictionary`."""
    seed = CONFIG.vectors.alignment.seed_pairs if CONFIG.vectors else "identical"
    return (
        "lexicon"
        if seed in CONFIG.lexicons
        else "identical" if seed == "identical" else "dictionary"
    )


# lexicon
def lexicons_of(kind):
    """A wildcard constraint: the lexicons of a kind."""
    return (
        "|".join(
            name for name, section in CONFIG.lexicons.items() if section.kind == kind
        )
        or "none"
    )


def titles_spec(lexicon, lang):
    """How title files are read and cleaned; the languages as the files name them."""
    section = CONFIG.lexicons[lexicon]
    spec = section.plain("kind", "page", "langlinks", "path", "languages", "codes")
    return spec | {"source": section.code(SOURCE), "language": section.code(lang)}


# corpus
def corpora_where(test):
    """A wildcard constraint: the corpora for whose section `test` holds."""
    return (
        "|".join(name for name, part in CONFIG.corpora.items() if test(part)) or "none"
    )


def instances_folder(wildcards):
    """The folder of the pairs that a corpus is switched from."""
    return f"{R}/instances/{CONFIG.corpora[wildcards.corpus].collection}"


def is_written(part):
    """Whether a corpus is switched and its texts are written."""
    return not part.parallel and part.materialise is True


def is_sample(file):
    """Whether a file holds only the first instances of a corpus."""
    return Path(file).name == "sample.parquet"


def of_corpus(function):
    """A function of a corpus and its training pair as one of wildcards."""
    return lambda wildcards: function(wildcards.corpus, wildcards.train_pair)


def parallel_parts(wildcards):
    """What a corpus of parallel text is made from."""
    collection = CONFIG.corpora[wildcards.corpus].collection
    query, passage = wildcards.train_pair.split("-")
    splits = ["train", "dev"]
    return {
        "instances": [
            f"{R}/instances/{collection}/{split}.parquet" for split in splits
        ],
        "queries": [
            f"{R}/sources/{collection}/queries-{split}-{query}.parquet"
            for split in splits
        ],
        "documents": f"{R}/sources/{collection}/documents-{passage}.parquet",
    }


def instance_settings(wildcards):
    """How the pairs of a split are made."""
    spec = CONFIG.collections[wildcards.collection].instances.plain("dev_negatives")
    if wildcards.split == "dev":
        spec |= {
            "negatives": CONFIG.collections[
                wildcards.collection
            ].instances.dev_negatives,
            "rounds": 1,
        }
    return spec


def triples(wildcards):
    """The triples of a collection, where its training data brings them."""
    brings = CONFIG.collections[wildcards.collection].brings_triples
    return (
        f"{R}/sources/{wildcards.collection}/triples-train.parquet"
        if brings and wildcards.split == "train"
        else []
    )


def corpus_lexicons(corpus, train_pair):
    """Lexicon files of a corpus, in the order of its languages."""
    lexicon = CONFIG.corpora[corpus].lexicon
    languages = PLAN.corpus_languages(corpus, train_pair)
    return [PLAN.lexicon_file(lexicon, lang) for lang in languages]


def split_parts(corpus, train_pair, *splits):
    """What some splits of a corpus are switched from: pairs and token tables of its collection."""
    collection = CONFIG.corpora[corpus].collection
    folders = token_folders(corpus, train_pair)
    tables = [
        f"{folders['passage']}/documents",
        *(f"{folders['query']}/queries-{split}" for split in splits),
    ]
    return [f"{R}/instances/{collection}/{split}.parquet" for split in splits] + [
        f"{table}/{file}" for table in tables for file in TOKEN_FILES
    ]


def corpus_parts(corpus, train_pair):
    """What a corpus is switched from."""
    return split_parts(corpus, train_pair, "train", "dev")


def sample_parts(corpus, train_pair):
    """What the training texts of a corpus are switched from."""
    return split_parts(corpus, train_pair, "train")


def token_folders(corpus, train_pair):
    """Where the token tables of each side are; a side that is not switched keeps its text, so Unicode cuts it."""
    section = CONFIG.corpora[corpus]
    return {
        side: f"{R}/tokens/{section.collection}/{'treebank' if section.treebank and lang != SOURCE else 'unicode'}"
        for side, lang in zip(["query", "passage"], train_pair.split("-"))
    }


def recipe(corpus, train_pair):
    """What switching needs to know: probability, language of each side, languages, way of mixing, seed."""
    section = CONFIG.corpora[corpus]
    query, passage = train_pair.split("-")
    return section.plain("collection", "lexicon", "parallel", "materialise") | {
        "languages": PLAN.corpus_languages(corpus, train_pair),
        "sides": {"query": query, "passage": passage},
        "source": SOURCE,
    }


# train
def tokenizer_texts():
    """Monolingual text by language: as configured, else what its vectors were trained on."""
    texts = dict(CONFIG.start.tokenizer.texts)
    for lang in PLAN.vector_languages:
        if lang not in texts and PLAN.vector_source(lang).text:
            texts[lang] = PLAN.vector_source(lang).text
    return {lang: PLAN.plain(paths) for lang, paths in texts.items()}


def optimisation(section):
    """The training settings of a section, without what no result depends on."""
    kept = section.plain("device", "processes", "corpus", "checkpoint_every")
    return kept | {"threads": CONFIG.train.threads}


def trained_on(function):
    """A function of the corpus and training pair of a system's model as one of wildcards."""
    return lambda wildcards: function(
        CONFIG.systems[wildcards.system].corpus, wildcards.train_pair
    )


def unwritten_parts(corpus, train_pair):
    """What training reads beside the record of a corpus that it switches on the fly; nothing beside a written one."""
    if CONFIG.corpora[corpus].materialise is True:
        return []
    return sample_parts(corpus, train_pair) + corpus_lexicons(corpus, train_pair)


def training_code(corpus):
    """The digest of the code that trains on a corpus: of what switches it too, where that is done on the fly."""
    written = CONFIG.corpora[corpus].materialise is True
    return CODE("train.loop", *([] if written else ["corpus.onthefly"]))


# rank
def collection_of(testset):
    """The source folder of a test set's collection."""
    return f"{R}/sources/{CONFIG.testsets[testset].collection}"


def first_stage_queries(wildcards):
    """Queries of the first stage."""
    lang, _ = PLAN.first_stage(wildcards.testset, wildcards.lang)
    return f"{collection_of(wildcards.testset)}/queries-test-{lang}.parquet"


def first_stage_documents(wildcards):
    """Documents of the first stage."""
    _, lang = PLAN.first_stage(wildcards.testset, wildcards.lang)
    return f"{collection_of(wildcards.testset)}/documents-{lang}.parquet"


UNMIXED = "(?!xx$)[a-z]{2,3}"
POOLS = [name for name, section in CONFIG.testsets.items() if section.mixed]


def pool_parts(testset):
    """What a mixed pool is made from: documents, judgements and, for a pool of everything, candidates."""
    languages = CONFIG.mixed_languages(testset)
    judged = PLAN.judged_languages(testset)
    parts = {
        "documents": [PLAN.texts(testset, "documents", lang) for lang in languages],
        "judgements": [PLAN.judgements(testset, lang) for lang in judged],
    }
    if CONFIG.testsets[testset].pool == "every":
        parts["candidates"] = [PLAN.candidates(testset, lang) for lang in languages]
    return parts


def pool_outputs(testset):
    """The files of a mixed pool."""
    outputs = {
        "texts": f"{R}/pools/{testset}/documents.parquet",
        "draw": f"{R}/pools/{testset}/documents-draw.parquet",
        "judgements": PLAN.judgements(testset, "xx"),
    }
    if CONFIG.testsets[testset].pool == "every":
        outputs["candidates"] = PLAN.candidates(testset, "xx")
    return outputs


def vocabulary(lang):
    """Words that cut the text of an unspaced language, as input files."""
    unspaced = lang in CONFIG.languages.longest_match and lang in PLAN.vector_languages
    return [f"{R}/vectors/aligned/{lang}.words.parquet"] if unspaced else []


def segmenter(lang):
    """The library that cuts the text of an unspaced language, with its version, or None."""
    name = CONFIG.languages.segmenters.get(lang)
    return segmenter_spec(name) if name else None


def cut_by(lang):
    """What cuts the text of a language, for the library: a vector store, a segmenter, or None for Unicode rules."""
    return segmenter(lang) or next(map(prefix, vocabulary(lang)), None)


def pair_files(testset, pairs, translate=None):
    """Queries, documents and candidates of pairs, as plain JSON; the texts translated through a lexicon if one is named."""
    return [
        {
            "pair": pair.id,
            "queries": PLAN.texts(testset, "queries", pair.query, translate),
            "documents": PLAN.texts(testset, "documents", pair.document, translate),
            "candidates": PLAN.candidates(testset, pair.document),
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
            if cut_by(lang):
                part[role] = cut_by(lang)
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


def kept_depth():
    """How many documents of a query a run keeps; nothing where it keeps all, so that the key changed no other run."""
    return {"depth": CONFIG.rank.depth} if CONFIG.rank.depth else {}


def rank_settings():
    """How texts are scored: as they were trained on."""
    return {
        "token_budget": CONFIG.rank.token_budget,
        "sigmoid_scores": CONFIG.rank.sigmoid_scores,
        "max_length": CONFIG.train.max_length,
        "truncation": CONFIG.train.truncation,
    } | kept_depth()


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


# evaluate
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


# ablation
def labelled_parts(wildcards):
    """The labelled split of a language: queries, judgements, documents."""
    folder = f"{R}/sources/{PLAN.labelled(wildcards.lang)}"
    return {
        "queries": f"{folder}/queries-train-{wildcards.lang}.parquet",
        "judgements": f"{folder}/judgements-train-{wildcards.lang}.parquet",
        "documents": f"{folder}/documents-{wildcards.lang}.parquet",
    }


def setting_folder(row):
    """The folder of a row's labelled examples, which rows with other starting models share."""
    return f"{R}/ablation/{row.language}-n{row.examples}-seed{row.seed}"


def starting_files(row):
    """The files of the model a row starts from."""
    return [f"{PLAN.start_of(row)}/{file}" for file in MODEL_FILES]


def row_model(row):
    """The folder of a row's model: the tuned one, or without examples the starting one."""
    return f"{R}/ablation/models/{row.id}" if row.examples else PLAN.start_of(row)


def row_records():
    """Every run of the ablation with what it says about it, as plain JSON."""
    return [
        {
            "path": runs[pair.id],
            "system": row.id,
            "query_lang": pair.query,
            "doc_lang": pair.document,
            "seed": row.seed,
        }
        for row in PLAN.ablation
        for runs in [PLAN.row_runs(row)]
        for pair in PLAN.tested_pairs(row)
    ]


# report
def picture_settings(table):
    """What a picture of the experiment is told beside its table."""
    told = {"baseline": CONFIG.evaluate.baseline, "systems": PLAN.main_systems}
    if table != "sweep":
        told["languages"] = LANGUAGES
    if table == "ablation" and CONFIG.ablation:
        told["reference"] = CONFIG.ablation.reference
    return told


def example_corpora():
    """Switched corpora of the English corpus's collection, each with its first training pair."""
    base = CONFIG.corpora[ENGLISH[0]].collection if ENGLISH else None
    return [
        (name, pair)
        for name, section in CONFIG.corpora.items()
        if section.lexicon and section.collection == base
        for pair in PLAN.train_pairs(name)[:1]
    ]
