"""``switchrank new``: a commented config for data of your own, with its pair table, written only when it is right."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from switchrank.core.atomic import atomic_path
from switchrank.core.command import ONE_EACH, Command
from switchrank.core.errors import UserError

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_BOOLEANS = {"no", "on", "off", "yes", "y", "n"}
_QUERIES = ({"documents-tsv", "queries-tsv"}, "qid TAB text")
_JUDGEMENTS = ({"trec-qrels"}, "qid 0 docid relevance")
_QUESTIONS = ({"squad"}, "SQuAD-like JSON")
_VECTORS = ({"vectors-text", "vectors-word2vec", "vectors-fasttext"}, "word vectors")
_WANTED = {
    "--documents": ({"documents-tsv", "queries-tsv"}, "docid TAB text"),
    "--queries": _QUERIES,
    "--train-queries": _QUERIES,
    "--judgements": _JUDGEMENTS,
    "--train-judgements": _JUDGEMENTS,
    "--triples": ({"msmarco-triples-ids"}, "qid TAB positive TAB negative"),
    "--train-questions": _QUESTIONS,
    "--test-questions": _QUESTIONS,
    "--vectors-source": _VECTORS,
    "--vectors-target": _VECTORS,
    "--titles-page": ({"page"}, "page.sql.gz"),
    "--titles-langlinks": ({"langlinks"}, "langlinks.sql.gz"),
    "--dictionary": ({"dictionary", "wikititles", "tei", "tsv", "names-table", "parallel-tsv"}, "a dictionary"),
}
"""By flag: the formats that its file may have, and what to give."""
_wrong = partial(UserError, "command line")


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
    model: str = "nreimers/mMiniLMv2-L6-H384-distilled-from-XLMR-Large"
    device: Literal["cpu", "cuda"] = "cuda"
    folder: Path = Path("config")

    @property
    def languages(self) -> list[str]:
        return [self.source, *self.target]

    @property
    def vectors(self) -> dict[str, str]:
        paths = self.vectors_target
        if paths and "{lang}" in paths[0]:
            paths = [filled(paths[0], language) for language in self.target]
        return dict(zip(self.languages, [self.vectors_source, *paths], strict=False))

    @property
    def lexicons(self) -> list[str]:
        """The lexicons that can be made, the best for switching first."""
        made = {"clwe": self.vectors_source, "dictionary": self.dictionary, "titles": self.titles_page}
        return [name for name, path in made.items() if path]


def write_config(*, given: Given) -> None:
    """Write a config file for data of your own.

    Writes config/RUN.yaml and config/RUN-pairs.tsv: English (or other source language) training data, test data in
    other languages, and what lexicons are made from: vectors, titles, dictionaries; any, or none yet. Every file that
    is named is inspected first. What you do not give stays as a comment that says what to put there. No file is ever
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
    for flag, name in _files(given):
        _look_at(flag, os.path.expandvars(name))
    text, table = _config(given, pairs), _pairs(given)
    _check_written(text, table, config, given.languages)
    for path, content in ((pairs, table), (config, text)):
        with atomic_path(path) as temporary:
            temporary.write_text(content, encoding="utf-8", newline="\n")
    print(f"{config}: written, with {pairs}; next: switchrank config check {config}")


def filled(template: str, language: str = "", split: str = "") -> str:
    """A path with its placeholders filled in."""
    return template.replace("{lang}", language).replace("{split}", split)


def _check_arguments(given: Given) -> None:
    if not _NAME.fullmatch(given.name):
        raise _wrong("RUN", f"{given.name!r}", "write small letters, digits and hyphens")
    for language in given.languages:
        if not _LANGUAGE.fullmatch(language):
            raise _wrong("--target", f"{language!r}", "write a code of two or three small letters, such as sw")
    if len(set(given.languages)) < len(given.languages):
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
                todo = f"write {holder} where it stands in the names of the files"
                raise _wrong(flag, f"{path} has no {holder}", todo)
    if bool(given.vectors_source) != bool(given.vectors_target):
        raise _wrong("--vectors-source", "one side only", "give vectors of both sides")
    if bool(given.titles_page) != bool(given.titles_langlinks):
        raise _wrong("--titles-page", "one dump only", "give page and langlinks of the same dump")
    vectors = given.vectors_target
    if vectors and "{lang}" not in vectors[0] and len(vectors) != len(given.target):
        problem = f"{len(vectors)} files for {len(given.target)} languages"
        raise _wrong("--vectors-target", problem, "give one each, in the order of --target, or one with {lang}")


def _files(given: Given) -> Iterator[tuple[str, str]]:
    training = [given.source]
    for flag, template, languages, split in (
        ("--documents", given.documents, given.languages, ""),
        ("--queries", given.queries, given.languages, "test"),
        ("--queries", "" if given.train_queries else given.queries, training, "train"),
        ("--train-queries", given.train_queries, training, "train"),
        ("--judgements", given.judgements, training, "test"),
        ("--judgements", "" if given.train_judgements else given.judgements, training, "train"),
        ("--train-judgements", given.train_judgements, training, "train"),
        ("--train-questions", given.train_questions, training, ""),
        ("--test-questions", given.test_questions, given.languages, ""),
        ("--triples", given.triples, training, ""),
        ("--vectors-source", given.vectors_source, training, ""),
        ("--titles-page", given.titles_page, training, ""),
        ("--titles-langlinks", given.titles_langlinks, training, ""),
        ("--dictionary", given.dictionary, given.target, ""),
    ):
        yield from ((flag, filled(template, language, split)) for language in languages if template)
    yield from (("--vectors-target", path) for language, path in given.vectors.items() if language != given.source)


def _look_at(flag: str, path: str) -> None:
    """Warn of what is wrong with a file; one of another kind is an error."""
    from switchrank.identify.look import inspect_path

    formats, wanted = _WANTED[flag]
    if not Path(path).is_file():
        raise UserError(path, flag, "no such file", f"give {wanted}")
    found = inspect_path(path, quick=True)
    if found.format not in formats:
        raise UserError(path, flag, f"is {found.title}", f"give {wanted}")
    for problem in found.problems:
        print(f"{path}: warning: {problem}", file=sys.stderr)


def _config(given: Given, pairs: Path) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    quoted = lambda text: json.dumps(text, ensure_ascii=False)  # noqa: E731
    code = lambda language: quoted(language) if language in _BOOLEANS else language  # noqa: E731
    environment.filters |= {"quoted": quoted, "code": code, "filled": filled}
    template = environment.from_string((Path(__file__).parent / "new.yaml.jinja").read_text(encoding="utf-8"))
    return template.render(given=given, pairs=pairs.as_posix())


def _pairs(given: Given) -> str:
    """The pair table: each target against the source in both directions, and within itself."""
    pairs = [(given.source, given.source)]
    for target in given.target:
        pairs += [(given.source, target), (target, given.source), (target, target)]
    rows = [(f"{query}-{document}", query, document, "yes" if query != document else "no") for query, document in pairs]
    return "".join("\t".join(row) + "\n" for row in [("id", "query", "document", "own_model"), *rows])


def _check_written(text: str, table: str, path: Path, languages: list[str]) -> None:
    """Read both as a run would, before anything is written."""
    from switchrank.config.load import check_config, read_yaml
    from switchrank.config.plan_data import read_pairs

    with tempfile.TemporaryDirectory() as folder:
        config, pairs = Path(folder) / "config.yaml", Path(folder) / "pairs.tsv"
        config.write_text(text, encoding="utf-8")
        pairs.write_text(table, encoding="utf-8")
        check_config(read_yaml(config), path, os.environ)
        read_pairs(pairs, languages)


COMMANDS = Command(
    write_config,
    places=["name"],
    counts={"target": ONE_EACH, "vectors_target": ONE_EACH},
    flags={"name": "run"},
    forms=dict.fromkeys((flag.removeprefix("--").replace("-", "_") for flag in _WANTED), "FILE")
    | {"source": "LANG", "target": "LANG"},
)
