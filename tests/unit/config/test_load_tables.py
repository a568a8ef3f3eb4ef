"""A config is checked whole: all mistakes in one look, and nothing passes that a job would refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.planned import write_inputs

from switchrank.cli import main
from switchrank.config.load import load_plan
from switchrank.core.errors import UserError, each

WEIGHTS = (2).to_bytes(8, "little") + b"{}"
"""A file of weights without any."""
PAIRS = "id\tquery\tdocument\town_model\n"


@pytest.fixture
def mini(tmp_path, monkeypatch):
    """Write the small config with some keys changed."""
    monkeypatch.chdir(tmp_path)
    base = yaml.safe_load(write_inputs(tmp_path).read_text())

    def write(changes: dict[str, Any]) -> Path:
        data = yaml.safe_load(yaml.safe_dump(base))
        for place, value in changes.items():
            *folders, last = place.split(".")
            holder = data
            for folder in folders:
                holder = holder.setdefault(folder, {})
            holder[last] = value
        Path("mini.yaml").write_text(yaml.safe_dump(data))
        return Path("mini.yaml")

    return write


def told(file: Path) -> list[str]:
    """What the check of a file says, without the file's name."""
    with pytest.raises(UserError) as caught:
        load_plan(file, {})
    lines = str(caught.value).splitlines()
    assert len(lines) == len(each(caught.value))
    return [line.removeprefix(f"{file}: ") for line in lines]


def test_all_mistakes_are_told_in_one_look_a_line_each(mini, capsys):
    file = mini(
        {
            "seeds": [1, -2, 1],
            "languages.seen": ["qaa", "pt-br"],
            "collections.docs.dev": 2.0,
            "lexicons.more": {"kind": "dictionary", "path": "data/none.tsv", "columns": [1]},
            "corpora.english": {"from": "dics"},
            "train": {"steps": 20, "max_length": 4, "precision": "fp16", "evall_every": 50},
            "vectors": {"languages": {"en": {"path": "data/none.vec"}}},
        }
    )
    Path("pairs.tsv").write_text(PAIRS + "en-de\ten\tde\tno\nen-en\ten\ten\tperhaps\n")
    assert main(["config", "check", str(file)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.removeprefix("mini.yaml: ").removeprefix(f"{Path.cwd()}/") for line in lines] == [
        "train.evall_every: unknown key evall_every: did you mean eval_every?",
        "seeds.1: -2 is not allowed: input should be greater than or equal to 0",
        "languages.seen.1: 'pt-br' is no code of a language here: write pt; a second variety of it gets a code of its "
        "own, from qaa to qtz",
        "collections.docs.dev: 2.0 is not allowed: input should be less than 1",
        "train.max_length: 4 is not allowed: input should be greater than or equal to 8",
        "seeds: 1 twice: name each once",
        "lexicons.more.columns: 1 columns: name two, the source's and the target's",
        "corpora.english.from: unknown collection dics: did you mean docs?",
        "train.warmup: 5000 of 20 steps (its default): warm up for less, or for a share such as 0.1",
        "train.precision: fp16 needs a GPU: write fp32 or bf16",
        "pairs.tsv: line 2: the collection has no documents in de: known: en, qaa",
        "pairs.tsv: line 3: own_model perhaps: write yes or no",
        "vectors.languages.en: no such file: data/none.vec: correct the path, or put the file there",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"train": {"steps": 20}}, "train.warmup: 5000 of 20 steps (its default): warm up for less"),
        ({"train.warmup": 200}, "train.warmup: 200 of 100 steps: warm up for less"),
        ({"train.lr": float("inf")}, "train.lr: inf is not allowed: input should be a finite number"),
        ({"train.batch_size": 2**31}, "train.batch_size: 2147483648 is not allowed: input should be less than or"),
        (
            {"start.first": {"corpus": "english", "steps": 10}},
            "start.first.warmup: 5000 of 10 steps (its default): warm up for less",
        ),
        (
            {"ablation": {"rows": "r", "collection": "docs", "testset": "docs", "train": {"warmup": 20}}},
            "ablation.train.warmup: 20 steps of those that epochs take: write a share of them, such as 0.1",
        ),
        (
            {"ablation": {"rows": "r", "collection": "docs", "testset": "docs", "train": {"schedule_steps": 9}}},
            "ablation.train.schedule_steps: 9 steps beside epochs, whose steps depend on the data: leave it out",
        ),
        ({"seeds": []}, "seeds: [] is not allowed: list should have at least 1 item"),
        ({"seeds": [2**31]}, "seeds.0: 2147483648 is not allowed: input should be less than or equal to 2147483647"),
        ({"corpora.ml-cs.seed": -1}, "corpora.ml-cs.seed: -1 is not allowed"),
        ({"languages.seen": ["qaa", "qaa"]}, "languages.seen: qaa twice: name each once"),
        ({"languages.seen": ["qaa", "en"]}, "languages.seen: en is the source language: leave it out"),
        ({"languages.seen": ["qaa", "xx"]}, "languages.seen.1: xx stands for sides of mixed languages: write the"),
        ({"languages.seen": ["qaa", "DE"]}, "languages.seen.1: 'DE' is no code of a language here: write de"),
        (
            {"languages.seen": ["qaa", "zh_Hant"]},
            "languages.seen.1: 'zh_Hant' is no code of a language here: write zh",
        ),
        ({"languages.seen": ["qaa", "german"]}, "languages.seen.1: 'german' is no code of a language here: write two"),
        ({"start.init": ["vectors"]}, "start.init: no vectors to start from: add vectors.languages"),
        ({"start.tokenizer.texts": {}}, "start.tokenizer.texts: no text and no vectors to learn pieces from"),
        ({"start.tokenizer.size": 10}, "start.tokenizer.size: 10 is not allowed: input should be greater than or"),
        ({"lexicons.gold.format": "tsv"}, "lexicons.gold: format tsv and columns []: columns go with format tsv"),
        ({"lexicons.gold.columns": [0, 1]}, "lexicons.gold.columns: [0, 1]: write two numbers from 1, or two names"),
        ({"lexicons.gold.columns": [1, "de"]}, "lexicons.gold.columns: [1, 'de']: write two numbers from 1, or two"),
        (
            {"gold": {"g": {"en-qaa": {"path": "g.tsv", "format": "panlex"}}}},
            "gold.g.en-qaa: 1 files for format",
        ),
        ({"collections.docs.splits": []}, "collections.docs.splits: []: name each once, out of train, dev, test"),
        ({"evaluate": {"tests": ["t", "t"]}}, "evaluate.tests: t twice: name each once"),
        ({"evaluate": {"references": ["bm25", "bm25"]}}, "evaluate.references: bm25 twice: name each once"),
        ({"corpora.ml-cs.languages": []}, "corpora.ml-cs.languages: a side is 'xx' but no languages are named"),
        (
            {"sweeps": {"p": {"system": "ml-cs", "key": "p", "values": [0.1, 2.0]}}},
            "sweeps.p: p: 2.0 is not allowed: input should be less than or equal to 1",
        ),
    ],
)
def test_what_a_job_would_refuse_is_refused_before_the_first_job(mini, changes, line):
    assert any(one.startswith(line) for one in told(mini(changes)))


def test_a_sweep_is_not_blamed_for_what_is_wrong_with_the_corpus_that_it_varies(mini):
    sweep = {"system": "ml-cs", "key": "p", "values": [0.1, 0.2]}
    lines = told(mini({"sweeps": {"p": sweep}, "corpora.ml-cs.translations": 0}))
    assert lines == ["corpora.ml-cs.translations: 0 is not allowed: input should be greater than or equal to 1"]


def test_vectors_are_aligned_by_a_lexicon_that_has_their_language(mini):
    vectors = {"languages": {"en": {"path": "a.vec"}, "de": {"path": "b.vec"}}, "alignment": {"seed_pairs": "gold"}}
    lines = told(mini({"vectors": vectors, "languages.unseen": ["de"]}))
    assert lines == [
        "vectors.alignment.seed_pairs: gold has no de, whose vectors it is to align: add it to lexicons.gold"
    ]


def test_the_baseline_ranks_a_pair_of_every_system_that_is_compared_with_it(mini):
    pairwise = {"from": "docs", "lexicon": "gold", "languages": "pair"}
    systems = {"zero-shot": {"corpus": "english"}, "bl-cs": {"corpus": "bl-cs"}}
    file = mini({"corpora.bl-cs": pairwise, "systems": systems, "evaluate": {"baseline": "bl-cs"}})
    assert told(file) == [
        "evaluate.baseline: bl-cs ranks no pair of docs that zero-shot ranks: name a system that ranks what the others "
        "rank"
    ]


ROWS = "id\tstart\tlanguage\texamples\tseed\n"


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("a\tml-cs\tqaa\t0\t1\nb\tml-cs\tqaa\t4\t1\n", "ablation.start zero-shot: no rows: name a start of the"),
        ("a\tml-cs\tqaa\t4\t1\n", "ablation.start zero-shot: no rows"),
        (
            "a\tml-cs\tqaa\t0\t1\nb\tzero-shot\tqaa\t4\t1\n",
            "ablation.start zero-shot: no row with 0 examples in qaa: add one to the ablation table",
        ),
        (
            "a\tml-cs\tqaa\t0\t1\nb\tzero-shot\tqaa\t0\t1\nc\tml-cs\tqaa\t4\t1\n",
            "ablation.collection: docs has no training queries in qaa: name one with qaa among its train_languages",
        ),
        ("a\tml-cs\tqaa\t0\t-1\nb\tml-sc\tqaa\t0\t1\n", "rows.tsv: line 2: seed '-1': write a whole number from 0"),
        ("a\tml-cs\tqaa\t0\t-1\nb\tml-sc\tqaa\t0\t1\n", "rows.tsv: line 3: start 'ml-sc' is no declared system"),
    ],
)
def test_rows_that_the_ablation_would_refuse_are_refused_before_the_first_job(mini, rows, line):
    Path("rows.tsv").write_text(ROWS + rows)
    Path("pairs.tsv").write_text(PAIRS + "qaa-qaa\tqaa\tqaa\tno\nen-qaa\ten\tqaa\tno\n")
    train = {"steps": 5, "warmup": 1}
    ablation = {"rows": "rows.tsv", "collection": "docs", "testset": "docs", "train": train}
    lines = [line.removeprefix(f"{Path.cwd()}/") for line in told(mini({"ablation": ablation}))]
    assert any(one.startswith(line) for one in lines)


LACKS = "no queries and documents in en"
OWN = "documents have ids of their own in each language"


@pytest.mark.parametrize(
    ("languages", "asked_in", "documents", "asked", "pairs", "told_of", "ways"),
    [
        (["en", "qaa"], ["qaa"], "parallel", "source", ["qaa-qaa"], LACKS, ["document", "qaa"]),
        (["en", "qaa"], ["qaa"], "parallel", "source", ["qaa-en"], LACKS, ["qaa"]),
        (["qaa"], ["en"], "parallel", "source", ["en-qaa"], LACKS, ["en"]),
        (["en", "qaa"], ["en", "qaa"], "own", "source", ["en-qaa"], OWN, ["document", "en", "qaa"]),
        (["en", "qaa"], ["en"], "own", "source", ["en-qaa"], OWN, ["en"]),
        (["en", "qaa"], ["en"], "parallel", "document", ["en-en", "en-qaa"], "no queries in qaa", ["en"]),
        (["en", "qaa"], ["en"], "parallel", "qaa", ["en-en"], "no queries in qaa", ["document", "en"]),
        (["en", "qaa"], ["en"], "parallel", "document", ["en-en"], "", []),
        (["en", "qaa"], ["en"], "own", "en", ["en-qaa"], "", []),
        (["qaa"], ["en", "qaa"], "parallel", "document", ["en-qaa"], "", []),
    ],
)
def test_advice_on_query_language_names_what_passes(mini, languages, asked_in, documents, asked, pairs, told_of, ways):
    Path("pairs.tsv").write_text(PAIRS + "".join(f"{pair}\t" + pair.replace("-", "\t") + "\tno\n" for pair in pairs))

    def config(query_language: str) -> Path:
        return mini(
            {
                "collections.docs.languages": languages,
                "collections.docs.query_languages": asked_in,
                "collections.docs.splits": ["test"],
                "collections.train": {"format": "pairs", "language": "en", "rows": "rows.tsv"},
                "corpora": {"english": {"from": "train"}},
                "systems": {"zero-shot": {"corpus": "english"}},
                "testsets.docs.documents": documents,
                "testsets.docs.candidates": {"bm25": 5, "query_language": query_language},
            }
        )

    if not told_of:
        assert load_plan(config(asked), {}).pairs
        return
    (line,) = told(config(asked))
    problem, todo = line.removeprefix("testsets.docs.candidates.query_language: ").rsplit(": ", 1)
    assert problem.endswith(told_of)
    named = ", ".join(ways).rpartition(", ")
    said = f"{named[0]} or {named[2]}" if named[0] else named[2]
    assert todo == f"write {said}, or give candidates by run or all"
    for way in ways:
        load_plan(config(way), {})


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (None, "model: no such model folder: correct the path"),
        ("[]", "model: config.json: holds a list where an object belongs"),
    ],
)
def test_a_start_that_is_no_model_is_told_by_the_check(mini, capsys, config, line):
    folder = Path("models/of/others").absolute()
    if config:
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(config)
    file = mini({"start": {"model": str(folder)}})
    assert main(["config", "check", str(file)]) == 2
    assert line.replace("model:", f"{folder}:", 1) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({"config.json": '{"model_type": "bert"}'}, "config.json: an encoder without a classifier: give a trained"),
        (
            {"config.json": '{"model_type": "bert", "architectures": ["BertForSequenceClassification"]}'},
            "config.json: a classifier with 2 labels: a re-ranker has one",
        ),
        (
            {
                "config.json": '{"model_type": "bert", "architectures": ["BertForSequenceClassification"], '
                '"num_labels": 1}',
                "model.safetensors": WEIGHTS,
            },
            "tokenizer.json: no such file, nor another vocabulary: copy the tokenizer's files into it",
        ),
    ],
)
def test_a_finished_model_that_is_no_ranker_is_told_by_the_check(mini, capsys, files, line):
    folder = Path("models/of/others").absolute()
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["config", "check", str(mini({"systems.peer": {"model": str(folder)}}))]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"{folder}: {line}")


def test_a_run_whose_pair_is_missing_is_one_line(mini, capsys):
    Path("runs").mkdir()
    pairs = [("en", "en"), ("en", "qaa"), ("qaa", "en")]
    rows = [f"{query}-{document}\t{query}\t{document}\tno" for query, document in pairs]
    Path("pairs.tsv").write_text(PAIRS + "\n".join(rows) + "\n")
    for query, document in pairs[:2]:
        Path(f"runs/{document}.{query}.trec").touch()
    file = mini({"testsets.docs.candidates": {"run": "runs/{document}.{query}.trec"}})
    assert main(["config", "check", str(file)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    start = f"{file}: testsets.docs.candidates.run: no such file: runs/en.qaa.trec"
    assert line.startswith(start)


def test_a_start_that_was_copied_before_may_be_gone(mini, capsys):
    file = mini({"start": {"model": str(Path("models/of/others").absolute())}})
    folder = Path(load_plan(file, {}).own_start[0].folder)
    folder.mkdir(parents=True)
    (folder / "start.json").write_text("{}")
    main(["config", "check", str(file)])
    assert "no such model folder" not in capsys.readouterr().err
