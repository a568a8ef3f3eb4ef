"""Every example of vectors, lexicons and downloads in config/README.md does what it says, on small made-up files."""

from __future__ import annotations

import bz2
import gzip
import json
import re
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pytest
import yaml
from tests.entries import measure_lexicon, read_lexicon, read_vectors, whole_config

from switchrank.config.lexicons import DictionaryLexicon, TitleFormat, TitlesLexicon
from switchrank.config.plan import Plan
from switchrank.core.seeds import generator
from switchrank.formats.tables import LEXICON, QUALITY, read_table
from switchrank.formats.vectors import load_vectors

pytestmark = pytest.mark.usefixtures("files")
README = (Path(__file__).parents[3] / "config" / "README.md").read_text()


def blocks(title: str) -> list[dict[str, Any]]:
    section = README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", section, re.S)]


VECTORS = dict(zip(("text", "wikipedia", "fasttext", "binary", "word2vec", "muse"), blocks("Vectors"), strict=True))
*LEXICON_BLOCKS, GOLD = blocks("Lexicons")
LEXICONS = {name: section for block in LEXICON_BLOCKS for name, section in block.items()}

DRAW = generator(1, "examples")
ENGLISH = [f"{first}{second}" for first in "bfgklmnp" for second in ("at", "en", "ig", "og", "ud")]
GERMAN = [f"{word}e" for word in ENGLISH]
PAIRS = [*zip(ENGLISH, GERMAN, strict=True), ("dog", "hund"), ("cat", "katze"), ("2024", "2024"), ("berlin", "berlin")]
SPACE = DRAW.standard_normal((len(PAIRS), 8)).astype(np.float32)
TURNED = SPACE @ np.linalg.qr(DRAW.standard_normal((8, 8)))[0].astype(np.float32)
SENTENCES = {
    side: "".join(" ".join(PAIRS[n][side] for n in DRAW.integers(0, len(PAIRS), 9)) + "\n" for _ in range(300))
    for side in (0, 1)
}
DICTIONARY = "".join(f"{english} {german}\n" for english, german in PAIRS)


def write(path: str, text: str | bytes) -> None:
    """A file, packed as its name says."""
    packed = {".gz": gzip.compress, ".bz2": bz2.compress}.get(Path(path).suffix, bytes)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(packed(text.encode() if isinstance(text, str) else text))


def vec(side: int, space: Any) -> str:
    rows = [f"{pair[side]} {' '.join(map(str, row))}\n" for pair, row in zip(PAIRS, space, strict=True)]
    return f"{len(rows)} {len(space[0])}\n" + "".join(rows)


def word2vec(side: int, space: Any) -> bytes:
    rows = [pair[side].encode() + b" " + struct.pack("<8f", *row) for pair, row in zip(PAIRS, space, strict=True)]
    return b"%d 8\n" % len(rows) + b"\n".join(rows) + b"\n"


def fasttext_bin(folder: Path, side: int) -> bytes:
    (folder / "text.txt").write_text(SENTENCES[side])
    options = {"dim": 8, "epoch": 1, "t": 1.0, "minCount": 1, "bucket": 50, "thread": 1, "verbose": 0}
    fasttext.train_unsupervised(str(folder / "text.txt"), **options).save_model(str(folder / "m.bin"))
    return (folder / "m.bin").read_bytes()


def dump(language: str, side: int) -> str:
    pages = "".join(
        f"<page><title>T{number}</title><ns>0</ns><revision><text>'''{line}'''</text></revision></page>"
        for number, line in enumerate(SENTENCES[side].splitlines())
    )
    return f'<mediawiki xml:lang="{language}">{pages}</mediawiki>'


def inserts(table: str, columns: list[str], rows: list[str]) -> str:
    made = ",\n".join(f"  `{name}` int NOT NULL" for name in columns)
    return f"CREATE TABLE `{table}` (\n{made}\n);\nINSERT INTO `{table}` VALUES {','.join(rows)};\n"


PAGE = inserts(
    "page",
    ["page_id", "page_namespace", "page_title", "page_is_redirect"],
    [f"({number},0,'{english.title()}',0)" for number, (english, _) in enumerate(PAIRS)],
)
LANGLINKS = inserts(
    "langlinks",
    ["ll_from", "ll_lang", "ll_title"],
    [f"({number},'de','{german.title()}')" for number, (_, german) in enumerate(PAIRS)],
)


def tei(*entries: tuple[str, str]) -> str:
    body = "".join(
        f'<entry><form><orth>{head}</orth></form><sense><cit type="trans"><quote>{word}</quote></cit></sense></entry>'
        for head, word in entries
    )
    return f'<?xml version="1.0"?><TEI xmlns="http://www.tei-c.org/ns/1.0"><text><body>{body}</body></text></TEI>'


def entity(english: str, german: str) -> str:
    names = {"en": english, "de": german}
    labels = {code: {"language": code, "value": name} for code, name in names.items()}
    links = {f"{code}wiki": {"site": f"{code}wiki", "title": name} for code, name in names.items()}
    return json.dumps({"id": "Q1", "type": "item", "labels": labels, "sitelinks": links})


def cldr(language: str, table: str, **names: str) -> str:
    return json.dumps({"main": {language: {"localeDisplayNames": {table: names}}}})


LINGUATOOLS = (
    '<wikititles><translation id="1"><entry lang="de">Hund</entry><entry lang="en">Dog</entry></translation>'
    "</wikititles>"
)
OLD_WIKI = (
    '<mediawiki xml:lang="de"><page><title>Hund</title><ns>0</ns><revision><text>Tier [[en:Dog]]</text></revision>'
    "</page></mediawiki>"
)
FILES: dict[str, str | bytes] = {
    "data/text/news.en.txt.gz": SENTENCES[0],
    "data/text/web.en.txt": SENTENCES[0],
    "data/text/news.de.txt.gz": SENTENCES[1],
    "data/wiki/enwiki-latest-pages-articles.xml.bz2": dump("en", 0),
    "data/wiki/dewiki-latest-pages-articles.xml.bz2": dump("de", 1),
    "data/wiki/enwiki-latest-page.sql.gz": PAGE,
    "data/wiki/enwiki-latest-langlinks.sql.gz": LANGLINKS,
    "data/fasttext/cc.en.300.vec.gz": vec(0, SPACE),
    "data/fasttext/cc.de.300.vec.gz": vec(1, TURNED),
    "data/muse/en-de.0-5000.txt": DICTIONARY,
    "data/words.de.txt": "unseen\nhunde\n",
    "data/word2vec/en.bin.gz": word2vec(0, SPACE),
    "data/word2vec/de.bin": word2vec(1, TURNED),
    "data/muse/wiki.multi.en.vec": vec(0, SPACE),
    "data/muse/wiki.multi.de.vec": vec(1, SPACE),
    "data/muse/en-de.txt": DICTIONARY.replace(" ", "\t"),
    "data/wiki/dewiki-2012-pages-articles.xml.bz2": OLD_WIKI,
    "data/wikidata/latest-all.json.bz2": f"[\n{entity('Dog', 'Hund')},\n{entity('1984', '1984')}\n]\n",
    "data/titles/wikititles-2014_deen.xml.bz2": LINGUATOOLS,
    "data/titles/wikititles-v3.de-en.tsv": "Hund\tDog\n",
    "data/cldr/en/territories.json": cldr("en", "territories", DE="Germany"),
    "data/cldr/de/territories.json": cldr("de", "territories", DE="Deutschland"),
    "data/cldr/en/languages.json": cldr("en", "languages", de="German"),
    "data/cldr/de/languages.json": cldr("de", "languages", de="Deutsch"),
    "data/xling-eval/en-de/yacle.train.freq.5k.en-de.tsv": "dog\tHund\n",
    "data/xling-eval/en-de/yacle.test.freq.2k.en-de.tsv": "dog\tHund\nhound\tHund\n",
    "data/freedict/deu-eng.tei": tei(("Hund", "dog"), ("Katze", "cat")),
    "data/panlex/swadesh207/eng-000.txt": "dog\thound\ncat\n",
    "data/panlex/swadesh207/deu-000.txt": "Hund\nKatze\n",
    "data/psq/en-de.json.gz": json.dumps({"Dog": {"Hund": 0.9}, "cat": {"Katze": 1.0}}),
    "data/words.tsv": "english\tclass\tgerman\ndog\tnoun\tHund\n",
    "data/numbered.tsv": "1\tdog\tHund\n",
}
KNOWN = dict.fromkeys(LEXICONS, ("dog", "hund")) | {"names": ("germany", "deutschland")}


@pytest.fixture
def files(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path, text in FILES.items():
        write(path, text)
    for side, language in enumerate(("en", "de")):
        write(f"data/fasttext/cc.{language}.300.bin", fasttext_bin(tmp_path, side))


def example(title: str, **training: float) -> Plan:
    """The plan of an example; ``training`` fits it to a small text."""
    block = VECTORS[title]
    small = {"training": block["vectors"]["training"] | training} if training else {}
    return whole_config(block | {"vectors": block["vectors"] | small}, ["de"])


@pytest.mark.parametrize(("title", "seeds"), [("text", "identical"), ("wikipedia", "lexicon")])
def test_an_example_of_training_gives_vectors_that_are_aligned_through_its_seeds(title, seeds) -> None:
    plan = example(title, dim=8, epochs=1, threshold=1.0)
    read_vectors(plan, "en")
    record = read_vectors(plan, "de")

    assert record["method"] == "procrustes"
    assert record["seed_pairs"]["kind"] == seeds
    assert record["seed_pairs"]["usable"] == (2 if seeds == "identical" else len(PAIRS))
    store = load_vectors(f"{plan.folder}/vectors/aligned/de")
    assert "hund" in store.words
    assert store.matrix.shape == (len(store.words), 8)


@pytest.mark.parametrize("title", ["fasttext", "word2vec", "muse"])
def test_an_example_of_given_vectors_brings_a_word_to_its_translation(title) -> None:
    plan = example(title)
    for language in ("en", "de"):
        assert read_vectors(plan, language)["words"] == len(PAIRS)
    english, german = (load_vectors(f"{plan.folder}/vectors/aligned/{language}") for language in ("en", "de"))

    nearest = english.matrix @ german.matrix[german.words.index("hund")]
    assert english.words[int(nearest.argmax())] == "dog"
    assert nearest.max() == pytest.approx(1, abs=1e-4)


def test_the_example_of_a_fasttext_binary_gives_further_words_the_vectors_that_fasttext_gives() -> None:
    plan = example("binary")
    for language in ("en", "de"):
        read_vectors(plan, language)
    store = load_vectors(f"{plan.folder}/vectors/raw/de")

    assert store.words[-2:] == ["unseen", "hunde"]
    told = fasttext.load_model("data/fasttext/cc.de.300.bin").get_word_vector("hunde")
    np.testing.assert_allclose(store.matrix[-1] * store.norms[-1], told, rtol=1e-4, atol=1e-7)


def lexicon_plan() -> Plan:
    return whole_config({"lexicons": LEXICONS, **VECTORS["muse"], **GOLD}, ["de"])


def made(plan: Plan, name: str) -> list[tuple[Any, ...]]:
    """The rows of a lexicon, after those of the lexicons and vectors that it is made of."""
    section = plan.config.lexicons[name]
    if section.kind == "vectors":
        for language in ("en", "de"):
            read_vectors(plan, language)
    of = getattr(section, "of", [])
    for part in [of] if isinstance(of, str) else of:
        made(plan, part)
    read_lexicon(plan, name, "de")
    return read_table(plan.lexicon_file(name, "de"), LEXICON).rows()


def test_every_kind_and_format_has_an_example() -> None:
    sections = lexicon_plan().config.lexicons.values()

    assert {section.kind for section in sections} == {"vectors", "titles", "dictionary", "merged", "degraded"}
    titles = {section.format for section in sections if isinstance(section, TitlesLexicon)}
    assert titles == set(TitleFormat.__args__)  # type: ignore[attr-defined]
    dictionaries = {section.format for section in sections if isinstance(section, DictionaryLexicon)}
    assert dictionaries == {"auto", "text", "tei", "panlex", "psq", "tsv"}


@pytest.mark.parametrize("name", sorted(LEXICONS.keys() - {"worse"}))
def test_an_example_of_a_lexicon_translates_a_known_word(name) -> None:
    rows = made(lexicon_plan(), name)

    best = {source: target for source, target, _, rank in rows if rank == 1}
    source, target = KNOWN[name]
    assert best[source] == target
    assert max(rank for *_, rank in rows) == (3 if name == "clwe" else 1)
    assert "1984" not in best or name == "sitelinks"


def test_the_example_of_a_worse_lexicon_gives_a_quarter_of_its_words_translations_of_others() -> None:
    rows = made(lexicon_plan(), "worse")

    sound = dict(PAIRS)
    assert Counter(row[1] for row in rows) == Counter(sound.values())
    assert sum(sound[source] != target for source, target, *_ in rows) == round(len(PAIRS) / 4)


def test_the_examples_of_gold_measure_a_lexicon() -> None:
    plan = lexicon_plan()
    made(plan, "freedict")
    found = {name: read_table(measure_lexicon(plan, "freedict", name, "de"), QUALITY).row(0) for name in GOLD["gold"]}

    # one of the two words of xling-eval is covered, and right
    assert found["xling-eval"] == ("freedict", "en", "de", "xling-eval", 0.5, 0.5, 0.5, 0.5, 2)
    assert found["freedict"] == ("freedict", "en", "de", "freedict", 1, 1, 1, 1, 2)


def test_addresses_in_the_examples_of_downloads_become_files_below_data() -> None:
    addresses, declared, copied = blocks("Downloads")
    assert [set(download) for download in copied["downloads"].values()] == [{"url", "sha256", "local"}]
    titles = whole_config(addresses, ["de"])
    urls = {part: addresses["lexicons"]["titles"][part] for part in ("page", "langlinks")}

    paths = titles.config.lexicons["titles"].files("en", "de")  # type: ignore[union-attr, call-arg]
    assert [titles.downloads[path].url for path in paths] == list(urls.values())
    assert all(path.startswith("data/downloads/dumps.wikimedia.org/") for path in paths)

    collection = {
        "format": "msmarco",
        "languages": ["en", "de"],
        "splits": ["test"],
        "documents": "data/mmarco/{name}.tsv",
        "queries": "queries.tsv",
        "judgements": "qrels.tsv",
    }
    vectors = {"languages": {"sw": {"path": "data/muse/wiki.multi.sw.vec", "aligned": True}}}
    planned = whole_config(declared | {"collections": {"mmarco": collection}, "vectors": vectors}, ["de", "sw"])
    base = "hf://unicamp-dl/mmarco@main/data/google/collections"
    assert {path: download.url for path, download in planned.downloads.items()} == {
        "data/mmarco/english.tsv": f"{base}/english_collection.tsv",
        "data/mmarco/german.tsv": f"{base}/german_collection.tsv",
        "data/muse/wiki.multi.sw.vec": "https://example.org/wiki.multi.sw.vec",
    }
    given = declared["downloads"]["data/muse/wiki.multi.sw.vec"]["sha256"]
    assert planned.downloads["data/muse/wiki.multi.sw.vec"].sha256 == given
