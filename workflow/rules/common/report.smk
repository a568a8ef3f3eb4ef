# Functions of the rules of the report.


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
