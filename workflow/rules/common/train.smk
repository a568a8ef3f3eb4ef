# Functions of the rules of training: texts of the tokenizer, settings, what a corpus brings along.


def tokenizer_texts():
    """Monolingual text by language: as configured, else what its vectors were trained on."""
    texts = dict(CONFIG.start.tokenizer.texts)
    for lang in PLAN.vector_languages:
        if lang not in texts and PLAN.vector_source(lang).text:
            texts[lang] = PLAN.vector_source(lang).text
    return {lang: PLAN.plain(paths) for lang, paths in texts.items()}


def optimisation(section):
    """The training settings of a section, without what no result depends on."""
    return training_settings(CONFIG, section)


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
    switched = [] if written else ["corpus.onthefly"]
    return CODE("train.loop", "train.methods.cross_encoder", *switched)
