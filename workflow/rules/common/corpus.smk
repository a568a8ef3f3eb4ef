# Functions of the rules of corpora: what each is switched from, and how.


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
    section = CONFIG.corpora[wildcards.corpus]
    collection, own = section.collection, section.documents == "own"
    query, passage = wildcards.train_pair.split("-")
    splits = ["train", "dev"]
    judged = {
        f"judged_{split}": [
            f"{R}/sources/{collection}/judgements-{split}-{lang}.parquet"
            for lang in [SOURCE, passage]
        ]
        for split in splits
        if own and passage != SOURCE
    }
    return judged | {
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
    return split_instances(wildcards.collection, wildcards.split)


def split_instances(collection, split):
    """How the pairs of a split of a collection are made."""
    section = CONFIG.collections[collection].instances
    if split == "dev":
        return section.plain("dev_negatives") | {
            "negatives": section.dev_negatives,
            "rounds": 1,
            "limit": None,
        }
    return section.plain("dev_negatives")


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
    """What switching needs to know."""
    return PLAN.switching_recipe(corpus, train_pair)
