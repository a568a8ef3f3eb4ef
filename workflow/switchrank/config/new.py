"""``switchrank new``: a commented config for data of your own, with its pair table, written only when it is right."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from switchrank.core.atomic import atomic_path
from switchrank.core.command import ONE_EACH, Command
from switchrank.core.errors import UserError

_MODEL = "nreimers/mMiniLMv2-L6-H384-distilled-from-XLMR-Large"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_BOOLEANS = {"no", "on", "off", "yes", "y", "n"}
_TEXTS = {"documents-tsv", "queries-tsv"}
_VECTORS = {"vectors-text", "vectors-word2vec", "vectors-fasttext"}
_DICTIONARIES = {"dictionary", "wikititles", "tei", "tsv", "names-table", "parallel-tsv"}


@dataclass(frozen=True)
class Named:
    """A file that the config will name: the flag it came from, and the formats it may have."""

    flag: str
    path: str
    formats: set[str]
    wanted: str


@dataclass(frozen=True)
class Given:
    """What the config is made from.

    Attributes:
        name: name of the run: small letters, digits, hyphens.
        target: language to test; repeatable.
        source: language of the training data.
        documents: docid TAB text; with {lang}.
        queries: qid TAB text; with {lang} and {split}.
        judgements: qid 0 docid relevance; with {split}.
        train_queries: where {split} in --queries does not name them.
        train_judgements: where {split} in --judgements does not name them.
        triples: qid TAB positive TAB negative, for training.
        train_questions: SQuAD-like JSON in the source language.
        test_questions: SQuAD-like JSON, with {lang}; ids are the same in all languages.
        vectors_source: word vectors of the source language.
        vectors_target: of a target; one each in order, or one with {lang}.
        aligned: the vectors are in one space already.
        titles_page: page.sql.gz of the source language's Wikipedia.
        titles_langlinks: langlinks.sql.gz of the same dump.
        dictionary: `source target` a line; with {lang}.
        model: model to start from: folder or hub name (a small mMiniLM).
        device: where to train.
        folder: where both files go.
    """

    name: str
    target: Sequence[str]
    source: str = "en"
    documents: str = ""
    queries: str = ""
    judgements: str = ""
    train_queries: str = ""
    train_judgements: str = ""
    triples: str = ""
    train_questions: str = ""
    test_questions: str = ""
    vectors_source: str = ""
    vectors_target: Sequence[str] = ()
    aligned: bool = False
    titles_page: str = ""
    titles_langlinks: str = ""
    dictionary: str = ""
    model: str = _MODEL
    device: Literal["cpu", "cuda"] = "cuda"
    folder: Path = Path("config")


def write_config(*, given: Given) -> None:
    """Write a config file for data of your own.

    Writes config/RUN.yaml and config/RUN-pairs.tsv: English (or other source language) training data, test data in
    other languages, and what lexicons are made from: vectors, titles, dictionaries; any, or none yet. Every file that
    is named is looked into first. What you do not give stays as a comment that says what to put there. No file is ever
    overwritten.

    In paths {lang} stands for the language and {split} for train or test. Give --documents, --queries and --judgements
    for a collection of TSV files, as MS MARCO has them, or --train-questions and --test-questions for collections of
    SQuAD-like JSON. Then: switchrank config check config/RUN.yaml

    Raises:
        UserError: a file exists already, is missing or of the wrong kind, or the essentials are not given.
    """
    config, pairs = given.folder / f"{given.name}.yaml", given.folder / f"{given.name}-pairs.tsv"
    _check_arguments(given)
    for path in (config, pairs):
        if path.exists():
            raise UserError(path, "", "exists already", "give another name, or move it away")
    for named in _files(given):
        _look_at(named)
    text, table = _config(given, pairs), _pairs(given)
    _validated(text, table, config, [given.source, *given.target])
    for path, content in ((pairs, table), (config, text)):
        with atomic_path(path) as temporary:
            temporary.write_text(content, encoding="utf-8", newline="\n")
    print(f"{config}: written, with {pairs}; next: switchrank config check {config}")


def _wrong(flag: str, problem: str, todo: str) -> UserError:
    return UserError("command line", flag, problem, todo)


def _check_arguments(given: Given) -> None:
    """Names, languages, and which flags go together."""
    if not _NAME.fullmatch(given.name):
        raise _wrong("RUN", f"{given.name!r}", "write small letters, digits and hyphens")
    languages = [given.source, *given.target]
    for language in languages:
        if not _LANGUAGE.fullmatch(language):
            raise _wrong("--target", f"{language!r}", "write a code of two or three small letters, such as sw")
    if len(set(languages)) < len(languages):
        raise _wrong("--target", "a language twice", "name each language once")
    texts = [given.documents, given.queries, given.judgements]
    squad = [given.train_questions, given.test_questions]
    if not (all(texts) and not any(squad)) and not (all(squad) and not any(texts)):
        todo = "give --documents, --queries and --judgements, or --train-questions and --test-questions"
        raise _wrong("data", "no whole collection", todo)
    for flag, path, holders in (
        ("--documents", given.documents, ("{lang}",)),
        ("--queries", given.queries, ("{lang}",) if given.train_queries else ("{lang}", "{split}")),
        ("--judgements", given.judgements, () if given.train_judgements else ("{split}",)),
        ("--test-questions", given.test_questions, ("{lang}",)),
    ):
        for holder in holders if path else ():
            if holder not in path:
                raise _wrong(
                    flag, f"{path} has no {holder}", f"write {holder} where it stands in the names of the files"
                )
    _check_lexicons(given)


def _check_lexicons(given: Given) -> None:
    if bool(given.vectors_source) != bool(given.vectors_target):
        raise _wrong("--vectors-source", "one side only", "give vectors of both sides")
    if bool(given.titles_page) != bool(given.titles_langlinks):
        raise _wrong("--titles-page", "one dump only", "give page and langlinks of the same dump")
    vectors = given.vectors_target
    if vectors and "{lang}" not in vectors[0] and len(vectors) != len(given.target):
        problem = f"{len(vectors)} files for {len(given.target)} languages"
        raise _wrong("--vectors-target", problem, "give one each, in the order of --target, or one with {lang}")


def _filled(template: str, language: str = "", split: str = "") -> str:
    return template.replace("{lang}", language).replace("{split}", split)


def _target_vectors(given: Given) -> dict[str, str]:
    """The file of each target language."""
    vectors = given.vectors_target
    if vectors and "{lang}" in vectors[0]:
        return {language: _filled(vectors[0], language) for language in given.target}
    return dict(zip(given.target, vectors, strict=False))


def _files(given: Given) -> Iterator[Named]:
    """Every file that the config will read, once each."""
    languages = [given.source, *given.target]
    if given.documents:
        for language in languages:
            yield Named("--documents", _filled(given.documents, language), _TEXTS, "docid TAB text")
            yield Named("--queries", _filled(given.queries, language, "test"), _TEXTS, "qid TAB text")
        queries = _filled(given.train_queries or given.queries, given.source, "train")
        yield Named("--train-queries" if given.train_queries else "--queries", queries, _TEXTS, "qid TAB text")
        for split, template in (("train", given.train_judgements or given.judgements), ("test", given.judgements)):
            flag = "--train-judgements" if split == "train" and given.train_judgements else "--judgements"
            yield Named(flag, _filled(template, split=split), {"trec-qrels"}, "qid 0 docid relevance")
    else:
        yield Named("--train-questions", given.train_questions, {"squad"}, "SQuAD-like JSON")
        for language in languages:
            yield Named("--test-questions", _filled(given.test_questions, language), {"squad"}, "SQuAD-like JSON")
    if given.triples:
        yield Named("--triples", given.triples, {"msmarco-triples-ids"}, "qid TAB positive TAB negative")
    if given.vectors_source:
        yield Named("--vectors-source", given.vectors_source, _VECTORS, "word vectors")
        for path in _target_vectors(given).values():
            yield Named("--vectors-target", path, _VECTORS, "word vectors")
    if given.titles_page:
        yield Named("--titles-page", given.titles_page, {"page"}, "page.sql.gz")
        yield Named("--titles-langlinks", given.titles_langlinks, {"langlinks"}, "langlinks.sql.gz")
    for language in given.target if given.dictionary else ():
        yield Named("--dictionary", _filled(given.dictionary, language), _DICTIONARIES, "a dictionary")


def _look_at(named: Named) -> None:
    """Say what is wrong with a file; one of another kind is an error."""
    from switchrank.identify.look import inspect_path

    path = os.path.expandvars(named.path)
    if not Path(path).is_file():
        raise UserError(path, named.flag, "no such file", f"give {named.wanted}")
    found = inspect_path(path, quick=True)
    if found.format not in named.formats:
        raise UserError(path, named.flag, f"is {found.title}", f"give {named.wanted}")
    for problem in found.problems:
        print(f"{path}: warning: {problem}", file=sys.stderr)


def _code(language: str) -> str:
    """A language in YAML; some codes would be booleans without quotes."""
    return json.dumps(language) if language in _BOOLEANS else language


def _listed(languages: Sequence[str]) -> str:
    return f"[{', '.join(map(_code, languages))}]"


def _quoted(path: str) -> str:
    return json.dumps(path, ensure_ascii=False)


def _by_split(test: str, train: str | None) -> str:
    return f"{{train: {_quoted(train)}, test: {_quoted(test)}}}" if train else _quoted(test)


def _config(given: Given, pairs: Path) -> str:
    """The text of the config file."""
    parts = [
        f"# Written by switchrank new; every key is explained in config/README.md.\nrun: {_quoted(given.name)}",
        "seeds: [1]  # [1, 2, 3] for means over three models",
        "languages:\n"
        f"  source: {_code(given.source)}\n"
        f"  seen: {_listed(given.target)}\n"
        "  # unseen: [xx]  # languages that are tested only\n"
        "  # unspaced: [zh]  # those of them written without spaces between words",
        _collections(given),
        *_lexicons(given),
        *_systems(given),
        f"start:\n  model: {_quoted(given.model)}  # a folder or a name on the Hugging Face hub",
        f"train:\n  device: {given.device}\n"
        f"  precision: {'bf16' if given.device == 'cuda' else 'fp32'}\n"
        "  # steps: 200000  # as published; for a first look, 2000 with warmup: 200, eval_every: 500\n"
        "  # batch_size: 64",
        "testsets:\n"
        "  mine:\n"
        f"    collection: {'mine' if given.documents else 'test-questions'}\n"
        f"    pairs: {_quoted(pairs.as_posix())}\n"
        "    candidates: {bm25: 100}  # or {run: first-stage.trec}, or {all: true} for small collections",
        "evaluate:\n  baseline: zero-shot",
    ]
    return "\n\n".join(parts) + "\n"


def _collections(given: Given) -> str:
    languages = [given.source, *given.target]
    if given.documents:
        triples = (
            f"    triples: {_quoted(given.triples)}"
            if given.triples
            else "    # triples: triples.tsv  # qid TAB positive TAB negative; without it negatives are found by BM25"
        )
        return (
            "# Training is in the source language only; documents have the same ids in all languages.\n"
            "collections:\n  mine:\n    format: msmarco\n"
            f"    languages: {_listed(languages)}\n"
            f"    documents: {_quoted(given.documents)}\n"
            f"    queries: {_by_split(given.queries, given.train_queries)}\n"
            f"    judgements: {_by_split(given.judgements, given.train_judgements)}\n{triples}"
        )
    files = ", ".join(f"{_code(lang)}: {_quoted(_filled(given.test_questions, lang))}" for lang in languages)
    return (
        "collections:\n  train-questions:\n    format: squad\n    split: train\n"
        f"    files: {{{_code(given.source)}: {_quoted(given.train_questions)}}}\n"
        "  test-questions:\n    format: squad\n    split: test\n"
        "    documents: paragraphs  # or sentences, where the files have them\n"
        f"    files: {{{files}}}"
    )


def _lexicons(given: Given) -> Iterator[str]:
    """Vectors and lexicons, or comments in their place."""
    if given.vectors_source:
        aligned = "true" if given.aligned else "false  # turned into the source language's space by identical words"
        files = {given.source: given.vectors_source} | _target_vectors(given)
        lines = [
            f"    {_code(language)}:\n      path: {_quoted(path)}\n      aligned: {aligned}"
            for language, path in files.items()
        ]
        yield "vectors:\n  languages:\n" + "\n".join(lines)
    else:
        yield (
            "# vectors:  # word vectors, or text to train them on\n#   languages:\n"
            f"#     {_code(given.source)}: {{path: wiki.{given.source}.align.vec, aligned: true}}\n"
            f"#     {_code(given.target[0])}: {{text: [text.{given.target[0]}.txt]}}"
        )
    entries = {
        "clwe": given.vectors_source and "{kind: vectors, criterion: csls}",
        "titles": given.titles_page
        and f"{{kind: titles, page: {_quoted(given.titles_page)}, langlinks: {_quoted(given.titles_langlinks)}}}",
        "dictionary": given.dictionary and f"{{kind: dictionary, path: {_quoted(given.dictionary)}}}",
    }
    hints = {
        "clwe": "{kind: vectors}",
        "titles": "{kind: titles, page: enwiki-latest-page.sql.gz, langlinks: enwiki-latest-langlinks.sql.gz}",
        "dictionary": '{kind: dictionary, path: "en-{lang}.txt"}  # a pair a line: MUSE and others',
    }
    head = "lexicons:" if any(entries.values()) else "# lexicons:"
    lines = [f"  {name}: {entry}" if entry else f"  # {name}: {hints[name]}" for name, entry in entries.items()]
    yield "\n".join([head, *lines])


def _systems(given: Given) -> Iterator[str]:
    """Corpora and systems: English, and switched through each lexicon that there is."""
    data = "mine" if given.documents else "train-questions"
    words = (
        "clwe" if given.vectors_source else "dictionary" if given.dictionary else "titles" if given.titles_page else ""
    )
    switched = {"bl-cs": (words, "languages: pair, p: 0.5"), "ml-cs": (words, "languages: seen, p: 0.5")}
    titled = "titles" if given.titles_page else ""
    switched["wiki-cs"] = (titled, "languages: seen, p: 1.0, mix: instance, drop_stopwords: true")
    corpora, systems = [f"  english: {{from: {data}}}"], ["  zero-shot: {corpus: english}"]
    for name, (lexicon, how) in switched.items():
        mark = "" if lexicon else "# "
        usual = "titles" if name == "wiki-cs" else "clwe"
        corpora.append(f"  {mark}{name}: {{from: {data}, lexicon: {lexicon or usual}, {how}}}")
        systems.append(f"  {mark}{name}: {{corpus: {name}}}")
    yield "\n".join(["corpora:", *corpora])
    systems.append("  # peer: {model: owner/name}  # a finished ranker, a hub name or ./folder, scored beside them")
    yield "\n".join(["systems:", *systems])


def _pairs(given: Given) -> str:
    """The pair table: each target against the source in both directions, and within itself."""
    rows = [("id", "query", "document", "own_model")]
    for target in given.target:
        for query, document in ((given.source, target), (target, given.source), (target, target)):
            rows.append((f"{query}-{document}", query, document, "yes" if query != document else "no"))
    rows.insert(1, (f"{given.source}-{given.source}", given.source, given.source, "no"))
    return "".join("\t".join(row) + "\n" for row in rows)


def _validated(text: str, table: str, path: Path, languages: list[str]) -> None:
    """Read both as a run would, before anything is written."""
    import tempfile

    from switchrank.config.load import check_config, read_yaml
    from switchrank.config.pairs import read_pairs

    with tempfile.TemporaryDirectory() as folder:
        config, pairs = Path(folder) / "config.yaml", Path(folder) / "pairs.tsv"
        config.write_text(text, encoding="utf-8")
        pairs.write_text(table, encoding="utf-8")
        check_config(read_yaml(config), path, os.environ)
        read_pairs(pairs, languages)


_TEXT_FILES = ("documents", "queries", "judgements", "train_queries", "train_judgements", "triples")
_OTHER_FILES = ("train_questions", "test_questions", "vectors_source", "titles_page", "titles_langlinks", "dictionary")

COMMANDS = Command(
    write_config,
    places=["name"],
    counts={"target": ONE_EACH, "vectors_target": ONE_EACH},
    flags={"name": "run"},
    forms={"vectors_target": "FILE", "source": "LANG", "target": "LANG"}
    | dict.fromkeys((*_TEXT_FILES, *_OTHER_FILES), "FILE"),
)
