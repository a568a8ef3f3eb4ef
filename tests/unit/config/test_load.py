"""Config files: every mistake is one line that says where, what and what to write."""

from pathlib import Path

import pytest
import yaml

from switchrank.config.load import check_config, load_config, read_yaml
from switchrank.config.plan import Plan
from switchrank.config.plan_data import read_pairs
from switchrank.core.errors import UserError

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "config" / "demo.yaml"


def write(tmp_path, change):
    data = yaml.safe_load(DEMO.read_text())
    change(data)
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True))
    return file


def put(path, value):
    def change(data):
        *folders, last = path.split(".")
        for folder in folders:
            data = data.setdefault(folder, {})
        data[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("trian", {}, "trian: unknown key trian: did you mean train?"),
        ("train.step", 5, "train.step: unknown key step: did you mean steps?"),
        ("train.lr", "1e-5", "train.lr: '1e-5' is text: write 1.0e-5"),
        ("train.lr", -1.0, "train.lr: -1.0 is not allowed: input should be greater than 0"),
        ("train.batch_size", "many", "train.batch_size: 'many' is text: write a number"),
        ("corpora.ml-cs.p", 1.5, "corpora.ml-cs.p: 1.5 is not allowed: input should be less than or equal to 1"),
        ("corpora.ml-cs.lexicon", "clew", "corpora.ml-cs.lexicon: unknown lexicon clew: did you mean clwe?"),
        (
            "lexicons.all",
            {"kind": "merged", "of": ["clwe", "dict"]},
            "lexicons.all.of: unknown lexicon dict: declared:",
        ),
        (
            "lexicons.all",
            {"kind": "merged", "of": ["all"]},
            "lexicons.all.of: all is made of itself: name others",
        ),
        (
            "lexicons.all",
            {"kind": "degraded", "of": "clwe", "share": 0.5, "languages": ["qad"]},
            "lexicons.all.languages: unknown language of its parts: qad: declared: qaa, qab, qac",
        ),
        (
            "vectors.languages.qaa.extra_words",
            "words.txt",
            "vectors.languages.qaa: extra_words come with path: vectors that are trained here know their own words",
        ),
        ("corpora.ml-cs.from", "word", "corpora.ml-cs.from: unknown collection word: did you mean world?"),
        ("systems.ml-cs.corpus", "ml", "systems.ml-cs.corpus: unknown corpus ml: did you mean ml-cs?"),
        ("systems.bm25", {"corpus": "english"}, "systems.bm25: the name of a reference row: choose another name"),
        ("evaluate.baseline", "zero", "evaluate.baseline: unknown system zero: did you mean zero-shot?"),
        (
            "languages.unseen",
            ["qad", "qaa"],
            "languages: qaa both seen and unseen: list each language once",
        ),
        (
            "languages.segmenters",
            {"qac": "mecab"},
            "languages.segmenters.qac: 'mecab' is not allowed: input should be 'icu', 'jieba' or 'sudachi'",
        ),
        (
            "languages.segmenters",
            {"qac": "jieba"},
            "languages.segmenters.qac: jieba does not know this language: "
            "leave it out; Unicode rules and unspaced serve any language",
        ),
        (
            "languages.segmenters",
            {"ja": "sudachi"},
            "languages: unknown language ja: list it under seen or unseen",
        ),
        (
            "collections.world.languages",
            ["en", "xyz"],
            "collections.world.languages: unknown language xyz: declared: en, qaa, qab, qac, qad",
        ),
        (
            "lexicons.clwe.languages",
            ["en", "qax"],
            "lexicons.clwe.languages: unknown language qax: declared: en, qaa, qab, qac, qad",
        ),
        (
            "collections.world.queries",
            "q.{splt}.tsv",
            "collections.world.queries: unknown placeholder {splt}: known: {split}, {lang}, {name}",
        ),
        (
            "collections.world.documents",
            "{name}_collection.tsv",
            "collections.world.documents: mMARCO has no name for qaa: write {lang} instead of {name}",
        ),
        (
            "collections.world.judgements",
            "qrels.{split",
            "collections.world.judgements: qrels.{split: expected '}' before end of string: pair the braces",
        ),
        (
            "collections.world.queries",
            {"train": "q.tsv", "dev": "d.{lang}.tsv"},
            "collections.world: queries for dev, train: give one path for each of train, test",
        ),
        ("collections.world.format", "msmarko", "collections.world: unknown format msmarko: did you mean msmarco?"),
        ("collections.new", {"languages": ["en"]}, "collections.new: no format: add this key"),
        ("collections.beir", {"format": "beir", "language": "en"}, "collections.beir.folder: missing: add this key"),
        (
            "collections.beir",
            {"format": "beir", "language": "en", "folder": "f", "split": []},
            "collections.beir.split: unknown key split: did you mean splits?",
        ),
        (
            "collections.beir",
            {"format": "beir", "language": "xyz", "folder": "f"},
            "collections.beir.languages: unknown language xyz",
        ),
        ("collections.beir", {"format": "beir", "language": 5, "folder": "f"}, "collections.beir.language: 5 is not"),
        (
            "collections.matrix",
            {
                "format": "clirmatrix",
                "language": "en",
                "query_language": "qaa",
                "lists": "{quary}.jl",
                "documents": "d",
            },
            "collections.matrix.lists: unknown placeholder {quary}: known: {split}, {query}, {document}",
        ),
        ("lexicons.clwe.thresh", 1, "lexicons.clwe.thresh: unknown key thresh: did you mean threshold?"),
        ("collections.world.queries", 5, "collections.world.queries: 5 is not allowed: input should be a valid string"),
        (
            "world.designs",
            {"de": "latin"},
            "world.designs.de: 'latin' is not allowed: input should be 'qaa', 'qab', 'qac' or 'qad'",
        ),
        ("world.vectors", ["de"], "world.vectors: ['de']: give each of en, qaa, qab, qac, qad at most once"),
        ("world.layout", "mmarco", "world.languages: mMARCO has no qaa: give ar, zh, nl"),
        (
            "lexicons.new",
            {"kind": "dictionary", "path": "en-{language}.txt"},
            "lexicons.new.path: unknown placeholder {language}: known: {lang}",
        ),
        (
            "lexicons.new",
            {"kind": "dictionary", "path": "en-de.txt"},
            "lexicons.new: one dictionary for 3 languages: write {lang} where the files differ, or languages: [qaa]",
        ),
        (
            "lexicons.new",
            {"kind": "dictionary", "path": "en-{lang.txt"},
            "lexicons.new.path: en-{lang.txt: expected '}' before end of string: pair the braces",
        ),
        (
            "lexicons.new",
            {"kind": "titles", "page": "{lang}wiki-page.sql.gz", "langlinks": "x"},
            "lexicons.new.page: unknown placeholder {lang}: nothing is filled in here: write the path out",
        ),
        (
            "lexicons.new",
            {"kind": "titles", "format": "wikititles", "path": "{src}-{lang}.tsv"},
            "lexicons.new.path: unknown placeholder {src}: known: {lang}, {source}",
        ),
        ("gold.new", {"en-qaa": "{pair}.tsv"}, "gold.new.en-qaa: unknown placeholder {pair}: known: {lang}"),
        (
            "vectors.languages.en",
            {"path": "wiki.multi.{lang}.vec"},
            "vectors.languages.en: unknown placeholder {lang}: nothing is filled in here: write the path out",
        ),
        (
            "vectors.alignment.seed_pairs",
            "en-{target}.txt",
            "vectors.alignment.seed_pairs: unknown placeholder {target}: known: {lang}",
        ),
        (
            "collections.new",
            {"format": "squad", "split": "test", "files": {"en": "{lang}.json"}},
            "collections.new: {lang}.json: unknown placeholder {lang}: nothing is filled in here: write the path out",
        ),
        ("vectors.languages", {}, "lexicons.clwe: language en has no vectors: add it under vectors.languages"),
        ("testsets.world.candidates", {}, "testsets.world.candidates: give exactly one of bm25, run, all"),
        ("start.model", "some/model", "start: give either model (pretrained) or preset (from scratch)"),
        ("systems.new", {}, "systems.new: give exactly one of corpus (to train on), model (another system's, or"),
        ("systems.new", {"model": "ml-cs"}, "systems.new: model and test go together"),
        (
            "systems.new",
            {"model": "bl-cs", "test": {"translate": "clwe"}},
            "systems.new.model: bl-cs has a model per pair: name a system with one model for all",
        ),
        (
            "systems.new",
            {"model": "ml-cs", "test": {"translate": "titles"}},
            "systems.new.test.translate: titles is of kind titles, which has no reverse: "
            "name one of kind vectors or encoder",
        ),
        ("systems.ml-cs.start", "hot", "systems.ml-cs.start: unknown start hot: declared: start"),
        (
            "systems.ml-cs.train",
            {"objectiv": "pairwise"},
            "systems.ml-cs.train.objectiv: unknown key objectiv: did you mean objective?",
        ),
        (
            "systems.ml-cs.train",
            {"warmup": 900},
            "systems.ml-cs.train.warmup: 900 of 800 steps: warm up for less, or for a share such as 0.1",
        ),
        (
            "systems.ml-cs.train",
            {"steps": 40},
            "systems.ml-cs.train.warmup: 50 of 40 steps (as in train): warm up for less, or for a share such as 0.1",
        ),
        (
            "systems.ml-cs.train",
            {"precision": "fp16"},
            "systems.ml-cs.train.precision: fp16 needs a GPU: write fp32 or bf16",
        ),
        (
            "systems.ml-cs.architecture",
            "bi-encoder",
            "systems.ml-cs.architecture: 'bi-encoder' is not allowed: input should be 'cross-encoder', 'dual",
        ),
        (
            "systems.peer",
            {"model": "reranker"},
            "systems.peer.model: unknown trained system reranker: did you mean bge-reranker-v2-m3? else a finished",
        ),
        (
            "systems.peer",
            {"model": "x"},
            "systems.peer.model: unknown trained system x: declared: ",
        ),
        (
            "systems.peer",
            {"model": "LaBSE"},
            "systems.peer.model: LaBSE is no cross-encoder but a dual-encoder, which reads no pairs of texts: write",
        ),
        (
            "systems.peer",
            {"model": "Qwen3-Reranker-0.6B"},
            "systems.peer.model: Qwen3-Reranker-0.6B is a causal language model, which cannot be opened yet: see",
        ),
        (
            "systems",
            {"zero-shot": {"corpus": "english"}, "e5-small-q4": {"corpus": "english"}, "two": {"model": "e5-small-q4"}},
            "systems.two.model: e5-small-q4 is a system and a known model: give the system another name",
        ),
        (
            "starts.a",
            {"model": "allminilm-l6"},
            "starts.a.model: unknown model allminilm-l6: did you mean all-MiniLM-L6-v2? else write owner/name of a",
        ),
        (
            "starts.a",
            {"model": "Qwen3-Reranker-0.6B"},
            "starts.a.model: Qwen3-Reranker-0.6B is a causal language model, which cannot be opened yet: see",
        ),
        ("start", {"model": "gpt"}, "start.model: unknown model gpt: write owner/name of a hub, or a folder, such as"),
        (
            "systems.peer",
            {"model": "ml-c", "test": {"translate": "clwe"}},
            "systems.peer.model: unknown trained system ml-c: did you mean ml-cs?",
        ),
        (
            "systems.peer",
            {"model": "owner/name", "train": {"lr": 1.0}},
            "systems.peer: train beside model: nothing is trained: leave it out",
        ),
        (
            "systems.peer.model",
            "https://example.org/model",
            "systems.peer.model: a web address where a file of this machine is needed",
        ),
        (
            "starts.a",
            {"from": "a", "corpus": "english"},
            "starts.a.from: a is made of itself: name another start",
        ),
        (
            "starts",
            {"a": {"from": "b", "transplant": "clwe"}, "b": {"from": "a", "corpus": "english"}},
            "starts.a.from: a is made of itself: name another start",
        ),
        (
            "starts",
            {"warm": {"from": "start", "corpus": "english"}, "a": {"from": "warn", "transplant": "clwe"}},
            "starts.a.from: unknown start warn: did you mean warm?",
        ),
        ("starts.start", {"model": "a/b"}, "starts.start: the name of the run's own start: choose another name"),
        (
            "starts.a",
            {"model": "bert"},
            "starts.a.model: unknown model bert: did you mean mmBERT-small? else write owner/name of a hub, or",
        ),
        ("starts.a", {"model": "a/b", "from": "start"}, "starts.a: give exactly one of model (pretrained), preset"),
        ("starts.a", {"from": "start"}, "starts.a: from alone changes nothing: give one of corpus (to train on), tr"),
        (
            "starts.a",
            {"preset": "tiny", "vocabulary": "run"},
            "starts.a: vocabulary: run without model",
        ),
        (
            "starts.a",
            {"from": "hub", "extend": {"rows": ["copy", "lexicon"]}},
            "starts.a.extend: lexicon and rows: name a lexicon where lexicon is among the rows, and only there",
        ),
        (
            "starts.a",
            {"from": "start", "extend": {"rows": ["parts"]}},
            "starts.a.extend: a model from scratch, whose tokenizer has pieces for all languages: extend a pretrained",
        ),
        (
            "starts",
            {"b": {"model": "a/b"}, "a": {"from": "b", "extend": {"lexicon": "clew"}}},
            "starts.a.extend.lexicon: unknown lexicon clew: did you mean clwe?",
        ),
        (
            "starts",
            {"b": {"model": "a/b"}, "a": {"from": "b", "extend": {"rows": ["parts"], "languages": ["en"]}}},
            "starts.a.extend.languages: en is the source language: leave it out: its pieces are there",
        ),
        (
            "starts.a",
            {"from": "start", "layers": [1]},
            "starts.a: layers without repair: they do much worse untrained: add repair: {steps: 500}",
        ),
        ("starts.a", {"from": "start", "repair": {"steps": 5}}, "starts.a: repair without layers: name those that are"),
        (
            "start.layers",
            [0],
            "start: layers without model: a model from scratch has nothing to lose: choose a smaller preset",
        ),
        (
            "starts.a",
            {"from": "start", "layers": [0, 2], "repair": {}},
            "starts.a.layers: no layer 2, as there are 2: list each layer once, in order, the first as 0, the last as",
        ),
        (
            "starts",
            {
                "e5": {"model": "e5-small-q4"},
                "few": {"from": "e5", "layers": [1, 3, 5], "repair": {}},
                "one": {"from": "few", "layers": [3], "repair": {}},
            },
            "starts.one.layers: no layer 3, as there are 3: list each layer once",
        ),
        (
            "starts",
            {"e5": {"model": "e5-small-q4"}, "a": {"from": "e5", "layers": [1, 12], "repair": {}}},
            "starts.a.layers: no layer 12, as there are 12: list each layer once",
        ),
        (
            "starts",
            {"hub": {"model": "a/b"}, "a": {"from": "hub", "layers": [3, 1], "repair": {}}},
            "starts.a.layers: [3, 1] is not in order, or names one twice: list each layer once",
        ),
        (
            "starts.a",
            {"from": "start", "layers": [1], "repair": {"steps": 10, "warmup": 20}},
            "starts.a.repair.warmup: 20 of 10 steps: warm up for less, or for a share such as 0.1",
        ),
        ("start.extend", {"rows": ["parts"]}, "start: extend without model: the tokenizer of a model from scratch has"),
        ("starts.a", {"model": "a/b", "corpus": "english"}, "starts.a: corpus without from: name the start that is"),
        (
            "starts.a",
            {"from": "start", "corpus": "english", "seed": 3},
            "starts.a: seed beside from: it is about first weights: leave it out",
        ),
        (
            "starts.a",
            {"from": "start", "transplant": "clwe", "train": {"steps": 3}},
            "starts.a: train without corpus: nothing is trained: leave it out",
        ),
        (
            "starts.a",
            {"from": "start", "corpus": "english", "method": "distil"},
            "starts.a.method: 'distil' is not allowed: input should be 'cross-encoder'",
        ),
        ("starts.a", {"model": "a/b", "loyers": [1, 3]}, "starts.a.loyers: unknown key loyers: did you mean layers?"),
        (
            "starts.a",
            {"model": "a/b", "layers": [1, 3], "repair": {}},
            "starts.a: layers without from: name the start that is changed",
        ),
        (
            "starts.a",
            {"from": "start", "corpus": "bl-cs"},
            "starts.a.corpus: one corpus per pair: name a corpus that is one for all pairs",
        ),
        ("starts.a", {"from": "start", "transplant": "clew"}, "starts.a.transplant: unknown lexicon clew: did you"),
        (
            "testsets.world.candidates",
            {"system": "ml-cs"},
            "testsets.world.candidates.system: ml-cs is no encoder: it can only score the candidates that another "
            "found: name a system of architecture dual-encoder, or give bm25, run or all",
        ),
        (
            "testsets.world.candidates",
            {"system": "ml-c", "depth": 50},
            "testsets.world.candidates.system: unknown system ml-c: did you mean ml-cs?",
        ),
        (
            "testsets.world.candidates",
            {"bm25": 5, "depth": 3},
            "testsets.world.candidates: depth without system: leave it out",
        ),
        (
            "testsets.world.candidates",
            {"run": "{pair}.trec"},
            "testsets.world.candidates.run: unknown placeholder {pair}: known: {query}, {document}",
        ),
        (
            "testsets.world-mlir4.candidates",
            {"run": "{query}-{document}.trec"},
            "testsets.world-mlir4.candidates.run: a run for each query language of a mixed pool: write {document}",
        ),
        (
            "corpora.new",
            {"from": "world", "parallel": True, "lexicon": "clwe"},
            "corpora.new: parallel text is not switched: leave out lexicon or parallel",
        ),
        (
            "corpora.new",
            {"from": "world", "parallel": True, "materialise": "sample"},
            "corpora.new: parallel text is not switched, on the fly neither: leave out materialise or parallel",
        ),
        (
            "corpora.ml-cs.materialise",
            "no",
            "corpora.ml-cs.materialise: 'no' is not allowed: input should be True, False or 'sample'",
        ),
        (
            "collections.world.train_languages",
            ["de"],
            "collections.world.train_languages: unknown language of it: de: declared: en, qaa, qab, qac, qad",
        ),
        (
            "collections.world.train_languages",
            [],
            "collections.world.train_languages: no training text in another language, which corpora.translated needs",
        ),
        (
            "testsets.world-mlir9",
            {"collection": "world", "mixed": "seen", "candidates": {"bm25": 5}},
            "testsets.world-mlir9: a pool of 4 languages: name it world-mlir4",
        ),
        (
            "testsets.world.mixed",
            "seen",
            "testsets.world: give either pairs (a table) or mixed (languages of a pool)",
        ),
        (
            "testsets.own-mlir5",
            {"collection": "world", "mixed": "all", "documents": "own", "candidates": {"all": True}},
            "testsets.own-mlir5: a language is drawn per document, and these are not parallel: write pool: every",
        ),
        ("ablation.testset", "word", "ablation.testset: unknown test set word: did you mean world?"),
        ("ablation.collection", "word", "ablation.collection: unknown collection word: did you mean world?"),
        (
            "ablation.train",
            {"steps": 60, "epochs": 3},
            "ablation.train: steps beside epochs: give one of the two",
        ),
        (
            "ablation.train.keep",
            "best",
            "ablation: keep: best without held-out labels: set held_out, such as 0.25, or write keep: last",
        ),
        ("ablation.held_out", 1.0, "ablation.held_out: 1.0 is not allowed: input should be less than 1"),
        ("collections.world.labels", 1.0, "collections.world.labels: 1.0 is not allowed: input should be less than 1"),
        (
            "collections.both",
            {"format": "joined", "of": ["world", "other"], "labels": 0.1},
            "collections.both.labels: its parts are cut already: set labels of world or other",
        ),
        (
            "collections.world.exclude",
            {"questions_of": "wrld"},
            "collections.world.exclude.questions_of: unknown collection wrld: did you mean world?",
        ),
        (
            "collections.world.exclude",
            {"questions_of": "world"},
            "collections.world.exclude.questions_of: world would lose all its questions: name another collection",
        ),
        (
            "collections.both",
            {"format": "joined", "of": ["world", "other"], "exclude": {"questions_of": "world"}},
            "collections.both.exclude: its parts are read already: set exclude of world or other",
        ),
        ("ablation.reference", "ml", "ablation.reference: unknown trained system ml: did you mean ml-cs?"),
        ("evaluate.metrics", ["map"], "evaluate.metrics: no mrr@10, which is what is tested and drawn: add mrr@10"),
        ("evaluate.metrics", ["mrr@10", "recall@5"], "evaluate.metrics.1: 'recall@5' is not allowed"),
        ("evaluate.bias", [], "evaluate.bias: [] is not allowed: list should have at least 1 item"),
        ("evaluate.setups", ["recall@1"], "evaluate.setups: recall@1 is not measured: add it to evaluate.metrics"),
        ("evaluate.setups", ["max_rank"], "evaluate.setups: max_rank is not measured: add it to evaluate.bias"),
        ("testsets.world.asked", "every", "testsets.world: asked without mixed: leave it out"),
        ("evaluate.tests", [], "evaluate.tests: [] is not allowed: list should have at least 1 item"),
        (
            "downloads",
            {"data/a": {"url": "a.tsv"}},
            "downloads.data/a.url: not a web address: write https://host/path or hf://name@revision/path",
        ),
        ("run", "a/b", "run: 'a/b' is not allowed: string should match pattern"),
        (
            "gold.world.en",
            "x.tsv",
            "gold.world.en: not a pair: write source-target, such as en-de",
        ),
    ],
)
def test_a_mistake_is_one_line_with_place_value_and_advice(tmp_path, path, value, line):
    file = write(tmp_path, put(path, value))
    with pytest.raises(UserError) as caught:
        load_config(file, {})
    lines = str(caught.value).splitlines()
    assert any(one.startswith(f"{file}: {line}") for one in lines)
    assert all(one.startswith(f"{file}: ") for one in lines)


def test_ranks_by_language_need_a_pool_of_every_document_in_every_language(tmp_path):
    ask = put("evaluate.setups", ["rank_distance"])
    assert load_config(write(tmp_path, ask), {}).evaluate.setups == ["rank_distance"]

    def ask_without(data):
        ask(data)
        del data["testsets"]["world-every-mlir5"]

    with pytest.raises(UserError, match=r"evaluate\.setups: rank_distance needs every document in every language: add"):
        load_config(write(tmp_path, ask_without), {})


def test_two_collections_cannot_each_be_left_without_the_questions_of_the_other(tmp_path):
    def change(data):
        collections = data["collections"]
        collections["other"] = collections["world"] | {"exclude": {"questions_of": "world"}}
        collections["world"] = collections["world"] | {"exclude": {"questions_of": "other"}}

    with pytest.raises(UserError, match=r"exclude\.questions_of: other is itself left without questions of world"):
        load_config(write(tmp_path, change), {})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("seeds: [010]", "line 1: 010 would be read as 8: write '010' in quotes"),
        ("run: x\nseeds: [12:30]", "line 2: 12:30 would be read as 750: write '12:30' in quotes"),
        ("run: a\nrun: b", "line 2: key run twice: keep one"),
        ("run: [a", "line 1: expected ',' or ']'"),
        ("- a", "not a mapping of keys"),
        ("run: x\n? [a, b]\n: c", "line 2: a key that is no word"),
        ("run: a\0b", "not YAML (unacceptable character #x0000"),
        ("run: 2026-13-41", "not YAML (month must be in 1..12)"),
        ("run: " + "[" * 5000, "not YAML (maximum recursion depth exceeded"),
        ("run: \udcff", "not UTF-8 (byte 0xff)"),
    ],
)
def test_yaml_traps_are_told_with_their_line(tmp_path, text, line):
    file = tmp_path / "trap.yaml"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UserError) as caught:
        read_yaml(file)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_yaml_traps_are_told_at_once(tmp_path):
    (tmp_path / "trap.yaml").write_text("run: x\nseeds: [010, 12:30]\nrun: y\n")
    with pytest.raises(UserError) as caught:
        read_yaml(tmp_path / "trap.yaml")
    assert [line.split(": ")[1:3] for line in str(caught.value).splitlines()] == [
        ["line 3", "key run twice"],
        ["line 2", "010 would be read as 8"],
        ["line 2", "12:30 would be read as 750"],
    ]


@pytest.mark.parametrize("section", ["lexicons", "corpora", "systems"])
def test_a_section_of_a_sweep_that_is_no_mapping_is_told(tmp_path, section):
    data = {"run": "x", section: "none", "sweeps": {"p": {"system": "a", "key": "p", "values": [0.5]}}}
    with pytest.raises(UserError, match=r"x\.yaml: "):
        check_config(data, tmp_path / "x.yaml", {})


def test_norwegian_needs_quotes(tmp_path):
    file = tmp_path / "no.yaml"
    file.write_text(DEMO.read_text().replace("unseen: [qad]", "unseen: [no]"))
    with pytest.raises(UserError, match=r"languages.unseen.0: False where .* quote it: 'no'"):
        load_config(file, {})


def test_environment_variables_expand_and_a_missing_one_is_told(tmp_path):
    file = write(tmp_path, put("lexicons.titles.page", "${DUMPS}/page.sql.gz"))
    assert load_config(file, {"DUMPS": "/d"}).lexicons["titles"].page == "/d/page.sql.gz"
    with pytest.raises(UserError, match=r"lexicons.titles.page: environment variable DUMPS is not set: export DUMPS="):
        load_config(file, {})


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_configs_are_right(file):
    plan = Plan(load_config(file, {"SWITCHRANK_DATA": "/data"}), [ROOT])
    assert plan.models
    assert all(plan.pairs.values())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("id\tquery\n", "line 1: columns"),
        (
            "id\tquery\tdocument\town_model\nen-de\ten\tde\tno\n",
            "line 2: the collection has no documents in de",
        ),
        ("id\tquery\tdocument\town_model\nen-en\ten\ten\tmaybe\n", "line 2: own_model maybe: write yes or no"),
        ("id\tquery\tdocument\town_model\nen\ten\ten\tno\n", "line 2: id en: write en-en"),
        ("id\tquery\tdocument\town_model\nen-en\ten\ten\tno\nen-en\ten\ten\tno\n", "line 3: pair en-en twice"),
        ("id\tquery\tdocument\town_model\n", "no pairs"),
    ],
)
def test_a_bad_pair_table_is_one_line(tmp_path, text, line):
    file = tmp_path / "pairs.tsv"
    file.write_text(text)
    with pytest.raises(UserError, match=line):
        read_pairs(file, ["en"])


def test_a_pair_table_that_is_no_utf8_text_is_one_line(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("id\tquery\tdocument\town_model\nen-en\ten\ten\tno\n", encoding="utf-16")
    with pytest.raises(UserError, match=r"pairs\.tsv: not a UTF-8 table .*: save it as tab-separated UTF-8 text"):
        read_pairs(file, ["en"])


def test_a_line_of_a_pair_table_that_is_too_short_is_told(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("id\tquery\tdocument\town_model\n\nen-en\ten\n")
    with pytest.raises(UserError, match="line 3: 2 cells: write 4 with tabs: id query document own_model"):
        read_pairs(file, ["en"])


def test_a_byte_order_mark_before_a_pair_table_is_no_part_of_it(tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_bytes(b"\xef\xbb\xbfid\tquery\tdocument\town_model\r\nen-de\ten\tde\tno\r\n")
    assert [pair.id for pair in read_pairs(file, ["en", "de"])] == ["en-de"]


def test_the_example_of_the_front_page_is_a_config_and_its_table_lists_its_pairs(tmp_path):
    page = (ROOT / "README.md").read_text().partition("## Your own language pair")[2]
    example, table = page.split("```")[1].removeprefix("yaml\n"), page.split("```")[3].removeprefix("\n")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "swahili.yaml").write_text(example)
    (tmp_path / "config" / "swahili-pairs.tsv").write_text(table)
    plan = Plan(load_config(tmp_path / "config" / "swahili.yaml", {}), [tmp_path])
    assert [pair.id for pair in plan.pairs["mine"]] == ["sw-en", "en-sw"]
    assert plan.models == [("zero-shot", "en-en"), ("ml-cs", "xx-xx")]
