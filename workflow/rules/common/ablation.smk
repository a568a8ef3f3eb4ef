# Functions of the rules of the ablation: labelled examples, starting models, runs of its rows.


def labelled_parts(wildcards):
    """The labelled split of a language: queries, judgements, documents."""
    return PLAN.labelled(wildcards.lang)


def training_files(wildcards):
    """What labelled queries of a language are compared with, file by file."""
    return [
        path
        for tables, _ in PLAN.trained_on(wildcards.lang)
        for path in tables.values()
    ]


def training_kinds(wildcards):
    """What each of these files is, training split by training split."""
    return [
        {
            "kinds": list(tables),
            "shared_ids": shared_ids,
        }
        for tables, shared_ids in PLAN.trained_on(wildcards.lang)
    ]


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
