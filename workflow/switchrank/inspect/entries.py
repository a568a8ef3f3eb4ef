"""The config entry that reads what was found: one table, format by format, in the keys of ``config/README.md``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from string import Template

from switchrank.afriqa import AFRIQA_NAMES
from switchrank.inspect.found import Found

_COMPANIONS = {
    "documents": '"documents.{lang}.tsv"  # TSV docid, text',
    "queries": '"queries.{split}.{lang}.tsv"  # TSV qid, text',
    "judgements": '"qrels.{split}.tsv"  # qid 0 docid relevance',
}
_SEPARATE = """\
collections:
  mine:
    format: msmarco
    languages: [$language]
    splits: [test]
    documents: $documents
    queries: $queries
    judgements: $judgements
"""
_PAIRS = """\
collections:
  mine:
    format: pairs
    language: $language
    split: train
    rows: $path
    query: query
    positive: $positive
    negative: $negative
    triples: true
"""
_ANSWERS = """\
collections:
  mine:
    format: pairs
    language: $language
    split: train
    rows: $path
    query: $asked
    positive: $answered
"""
_TABLES = """\
collections:
  mine:
    format: tsv
    separator: $separator
    languages: [$language]
    splits: [test]
    documents: {path: $path, id: $first, text: $second}
    queries: {path: "queries.{split}.csv", id: id, text: text}  # with the same separator, as are the judgements
    judgements: {path: "qrels.{split}.csv", query: qid, document: docid, relevance: relevance}
"""
_NUMBERED = """\
collections:
  mine:
    format: tsv
    separator: $separator
    header: false
    languages: [$language]
    splits: [test]
    documents: {path: $path, id: "1", text: "2"}
    queries: {path: "queries.{split}.csv", id: "1", text: "2"}  # with the same separator, as are the judgements
    judgements: {path: "qrels.{split}.csv", query: "1", document: "2", relevance: "3"}
"""
_JSON_DOCUMENTS = """\
collections:
  mine:
    format: trec
    languages: [$language]
    splits: [test]
    documents: $documents
    queries: $queries
    judgements: $judgements
"""
_QUESTIONS = """\
collections:
  mine:
    format: questions
    files: {$split: $path}
    documents: {path: "documents.{lang}.tsv", id: id, text: text}  # TSV with a header
    languages: [en]
    query_languages: [$language]
"""
_AFRIQA = """\
collections:
  mine:
    format: afriqa
    files: {$split: {$pair: $path}}
"""
_PARAGRAPHS = """\
collections:
  mine:
    format: $format
    split: $split
    documents: $documents
    $sides: {$side: $path}
"""
_PARAGRAPHS_FOLDER = """\
collections:
  mine:
    format: $format
    split: $split
    documents: $documents
    $files
"""
_TITLES = """\
lexicons:
  titles:
    kind: titles
    format: $kind
    path: $path
"""
_DICTIONARY = """\
lexicons:
  dictionary:
    kind: dictionary
    path: $path
    languages: [$target]
"""
_VECTORS = """\
vectors:
  languages:
    $language:
      path: $path
      aligned: false  # true where it is in the space of the source language already
"""
_TEXT = """\
vectors:
  languages:
    $language:
      text: [$path]  # fastText is trained on it
"""
_TEVATRON = """\
collections:
  mine:
    format: tevatron
    languages: [$language]
    splits: [$split]
    queries: $path
"""
_RUN = """\
testsets:
  mine:
    collection: mine
    pairs: config/mine-pairs.tsv
    candidates: {run: $path}
"""
_DUMPS = """\
lexicons:
  titles:
    kind: titles
    page: $page
    langlinks: $langlinks
"""
ENTRIES: dict[str, str] = {
    "afriqa-passages": _AFRIQA,
    "mkqa": _QUESTIONS,
    "nq-open": _QUESTIONS.replace("    query_languages: [$language]\n", ""),
    "afriqa-queries": _QUESTIONS,
    "documents-tsv": Template(_SEPARATE).safe_substitute(_COMPANIONS | {"documents": "$path"}),
    "queries-tsv": Template(_SEPARATE).safe_substitute(_COMPANIONS | {"queries": "$path"}),
    "trec-qrels": Template(_SEPARATE).safe_substitute(_COMPANIONS | {"judgements": "$path"}),
    "msmarco-triples-ids": Template(_SEPARATE).safe_substitute(_COMPANIONS).replace("[test]", "[train]")
    + "    triples: $path\n",
    "msmarco-triples-text": """\
collections:
  mine:
    format: pairs
    language: $language
    split: train
    rows: $path
    triples: true
""",
    "text-triples": _PAIRS,
    "trec-documents": Template(_JSON_DOCUMENTS).safe_substitute(
        documents="$path", queries='"topics.{split}"  # <top>, or TSV', judgements='"qrels.{split}"'
    ),
    "trec-topics": Template(_JSON_DOCUMENTS).safe_substitute(
        documents='"documents.trec"  # <DOC>', queries="$path", judgements='"qrels.{split}"'
    ),
    "trec-run": _RUN,
    "tevatron-queries": _TEVATRON,
    "documents-jsonl": """\
collections:
  mine:
    format: neuclir
    languages: [$language]
    splits: [test]
    documents: $path
    queries: "topics.{split}.jsonl"
    judgements: "qrels.{split}"
""",
    "hc4-topics": """\
collections:
  mine:
    format: neuclir
    languages: [$language]
    splits: [test]
    documents: "documents.{lang}.jsonl"
    queries: $path
    judgements: "qrels.{split}"
""",
    "clirmatrix": """\
collections:
  mine:
    format: clirmatrix
    query_language: $source
    language: $target
    lists: $path
    documents: "docs/$target.tsv.gz"
""",
    "squad": _PARAGRAPHS,
    "bipar": _PARAGRAPHS,
    "tei": _DICTIONARY,
    "dictionary": _DICTIONARY,
    "panlex": """\
lexicons:
  dictionary:
    kind: dictionary
    format: panlex
    path: ["eng-000.txt", $path]  # the list of the source language first
    languages: [$language]
""",
    "names-table": """\
lexicons:
  dictionary:
    kind: dictionary
    format: tsv
    path: $path
    columns: [$source, "{lang}"]  # write a lexicon for each target language
    languages: [$target]
""",
    "page": Template(_DUMPS).safe_substitute(page="$path", langlinks='"langlinks.sql.gz"  # of the same dump'),
    "langlinks": Template(_DUMPS).safe_substitute(langlinks="$path", page='"page.sql.gz"  # of the same dump'),
    "pages-articles": _TITLES + "# or as text: switchrank sources wikitext makes lines of it for fastText\n",
    "wikidata": _TITLES + "    # format: wikidata-labels takes labels in place of sitelinks\n",
    "linguatools": _TITLES,
    "wikititles": _TITLES,
    "cldr": """\
lexicons:
  titles:
    kind: titles
    format: cldr
    path: $cldr  # {lang} stands for both languages
""",
    "vectors-text": _VECTORS,
    "vectors-word2vec": _VECTORS,
    "vectors-fasttext": _VECTORS,
    "text": _TEXT,
    "parquet": """\
collections:
  mine:
    format: parquet
    languages: [$language]
    splits: [test]
    documents: {path: $path, id: $first, text: $second}
    queries: {path: "queries.{split}.parquet", id: id, text: text}
    judgements: {path: "qrels.{split}.parquet", query: qid, document: docid, relevance: relevance}
""",
    "tsv-with-header": """\
collections:
  mine:
    format: tsv
    languages: [$language]
    splits: [test]
    documents: {path: $path, id: $first, text: $second}
    queries: {path: "queries.{split}.tsv", id: id, text: text}
    judgements: {path: "qrels.{split}.tsv", query: qid, document: docid, relevance: relevance}
""",
    "csv-with-header": _TABLES,
    "csv": _NUMBERED,
    "question-table": _ANSWERS + "    separator: $separator\n",
    "text-pairs": _ANSWERS,
    "model-folder": "start:\n  model: $path\n",
    "beir-folder": """\
collections:
  mine:
    format: beir
    language: $language
    folder: $path
    splits: {test: $split}
""",
    "mmarco-folder": """\
collections:
  mine:
    format: mmarco
    folder: $path
    version: $version
    languages: [$languages]
""",
    "msmarco-folder": """\
collections:
  mine:
    format: msmarco
    languages: [en]
    documents: $documents
    queries: {train: $train_queries, test: $test_queries}
    judgements: {train: $train_judgements, test: $test_judgements}
""",
    "miracl-folder": """\
collections:
  mine:
    format: miracl
    language: $language
    folder: $path
""",
    "ciral-folder": """\
collections:
  mine:
    format: ciral
    language: $language
    folder: $path
    documents: $documents
    query_languages: [en]
""",
    "mldr-folder": """\
collections:
  mine:
    format: mldr
    language: $language
    folder: $path
""",
    "large-scale-clir-folder": """\
collections:
  mine:
    format: large-scale-clir
    language: $language
    folder: $path
    name: $name
""",
    "squad-folder": _PARAGRAPHS_FOLDER,
    "bipar-folder": _PARAGRAPHS_FOLDER,
    "datasets": """\
collections:
  mine:
    format: datasets
    languages: [$language]
    splits: [test]
    documents: {path: $path, id: $first, text: $second}
    queries: {path: "queries/{split}", id: id, text: text}
    judgements: {path: "qrels/{split}", query: qid, document: docid, relevance: relevance}
""",
    "vectors-folder": "vectors:\n  languages:\n$vectors\n",
}  # fmt: skip
"""YAML by format; ``$names`` are facts of :func:`_facts` and of ``Found.values``."""
TITLE_FORMATS = {name: name for name in ("pages-articles", "wikidata", "linguatools", "wikititles")}
WITHOUT = {
    "msmarco-run": "no key reads a run of three columns: make a TREC run of it",
    "msmarco-top1000": "no key reads candidates with their texts: make a TREC run of it",
    **dict.fromkeys(("beir-corpus", "beir-queries", "beir-qrels"), "a part of a BEIR folder: look at the folder"),
    **dict.fromkeys(
        ("large-scale-clir-rel", "large-scale-clir-documents"), "a part of Large-Scale CLIR: look at its folder"
    ),
    "translation-table": "no key reads a table of more than two languages: cut two columns out of it",
    "afriqa-folder": "each language is a collection of its own: look at one of its files gold_span_passages...",
    "folder": "files of several kinds, or many collections: look at one of them for its entry",
    "parallel-text": "no key reads parallel sentences: one side alone can be a text of vectors",
    "parallel-tsv": "no key reads parallel sentences: one side alone can be a text of vectors",
    "ids": "no key reads bare ids",
    "safetensors": "weights alone: give the folder they are in as start.model",
    "word-frequencies": "no key reads a list of words with counts",
    "json-lines": "no collection has these members: make TSV or Parquet of them",
    "json-array": "no key reads an array of records: make JSON lines of it, such as with jq -c '.[]', and inspect them",
    "tsv": "no collection has these columns: format tsv with a column map may read it",
    "mediawiki-sql": "only page and langlinks are read",
}


def entry_for(found: Found, path: str) -> str:
    """The YAML that reads what was found; the empty string, and a note, where nothing does."""
    template = ENTRIES.get(found.format)
    if template is None:
        if found.format in WITHOUT:
            found.notes.append(WITHOUT[found.format])
        return ""
    facts = _facts(found, path)
    if any(f"${name}" in template and facts[name] == "xx" for name in ("language", "side")):
        found.notes.append("xx: neither the data nor its name tells the language; write its code")
    return Template(template).safe_substitute(facts).rstrip("\n")


def _facts(found: Found, path: str) -> dict[str, str]:
    """What a template may ask for; values of the finding come before what is guessed from languages."""
    known = [json.dumps(code) if code in _BOOLEANS else code for code in found.languages or ["xx"]]
    source = known[0] if len(known) > 1 else "en"
    target = known[1] if len(known) > 1 else known[0]
    columns = [name.partition(" (")[0] for name in found.fields]
    quoted = {
        "path": path,
        "cldr": path.replace(f"/{known[0]}/", "/{lang}/"),
        **{name: value for name, value in found.values.items() if name not in _PLAIN},
    }
    plain = {name: value for name, value in found.values.items() if name in _PLAIN}
    negative = next((name for name in ("doc_neg", "negative", "neg") if name in found.fields), "negative")
    return {
        "language": known[0],
        "languages": ", ".join(known),
        "source": source,
        "target": target,
        "split": "train" if "train" in path.rpartition("/")[2] else "test",
        "format": found.format.removesuffix("-folder"),
        "sides": "crossed" if "pair" in found.values else "files",
        "side": found.values.get("pair", known[0]),
        "kind": TITLE_FORMATS.get(found.format, ""),
        "first": json.dumps(_named(columns, _IDS) or "id"),
        "second": json.dumps(_named(columns, _TEXTS) or "text"),
        "pair": _afriqa_pair(path),
        "negative": negative,
        "positive": {"doc_neg": "doc_pos", "neg": "pos"}.get(negative, "positive"),
        **plain,
        **{name: json.dumps(value, ensure_ascii=False) for name, value in quoted.items()},
    }


def _afriqa_pair(path: str) -> str:
    """Query and passage language, as AfriQA's file names tell them."""
    told = re.search(r"afriqa\.([a-z]{2,3})\.([a-z]{2})\.", path.rpartition("/")[2])
    codes = {name: code for code, name in AFRIQA_NAMES.items()}
    return f"{codes.get(told[1], told[1])}-{told[2]}" if told else "xx-en"


def _named(columns: list[str], known: Sequence[str]) -> str:
    """The first of the known names that is a column."""
    return next((name for name in known if name in columns), "")


_BOOLEANS = {"no", "on", "off", "yes", "y", "n"}
_IDS = ("id", "_id", "docid", "doc_id", "pid", "qid", "query_id", "url")
_TEXTS = ("text", "contents", "passage", "body", "context", "query", "question", "title")
_PLAIN = {"language", "languages", "split", "version", "name", "files", "vectors", "pair"}
"""Values that are YAML already; all others are paths and are quoted."""
