# Functions of the rules of the ablation: labelled examples, starting models, runs of its rows.


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
