"""``switchrank new``: a commented config for data of your own, with its pair table, written only when it is right."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError

_MODEL = "nreimers/mMiniLMv2-L6-H384-distilled-from-XLMR-Large"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_BOOLEANS = {"no", "on", "off", "yes", "y", "n"}
_WHAT = """\
Write config/RUN.yaml and config/RUN-pairs.tsv for data of your own: English (or other source language) training data,
test data in other languages, and what lexicons are made from. Every file that is named is looked into first. What you
do not give stays as a comment that says what to put there. No file is ever overwritten.

In paths {lang} stands for the language and {split} for train or test.
"""
_EXAMPLES = """\
examples:
  switchrank new swahili --source en --target sw --documents "data/docs.{lang}.tsv" \\
      --queries "data/queries.{split}.{lang}.tsv" --judgements "data/qrels.{split}.tsv" \\
      --vectors-source wiki.en.align.vec --vectors-target wiki.sw.align.vec --aligned

  switchrank new two --source en --target de --target ru --train-questions train-v1.1.json \\
      --test-questions "xquad/{lang}.json" --titles-page enwiki-page.sql.gz --titles-langlinks enwiki-langlinks.sql.gz

Then: switchrank config check config/swahili.yaml
"""
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


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``new``."""
    parser.description, parser.epilog = _WHAT, _EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("name", metavar="RUN", help="name of the run: small letters, digits, hyphens")
    parser.add_argument("--source", default="en", metavar="LANG", help="language of the training data (en)")
    parser.add_argument("--target", action="append", required=True, metavar="LANG", help="language to test; repeatable")
    texts = parser.add_argument_group("collection of TSV files, as MS MARCO has them")
    texts.add_argument("--documents", metavar="FILE", help="docid TAB text; with {lang}")
    texts.add_argument("--queries", metavar="FILE", help="qid TAB text; with {lang} and {split}")
    texts.add_argument("--judgements", metavar="FILE", help="qid 0 docid relevance; with {split}")
    texts.add_argument("--train-queries", metavar="FILE", help="where {split} in --queries does not name them")
    texts.add_argument("--train-judgements", metavar="FILE", help="where {split} in --judgements does not name them")
    texts.add_argument("--triples", metavar="FILE", help="qid TAB positive TAB negative, for training")
    squad = parser.add_argument_group("or collections of SQuAD-like JSON")
    squad.add_argument("--train-questions", metavar="FILE", help="in the source language")
    squad.add_argument("--test-questions", metavar="FILE", help="with {lang}; ids are the same in all languages")
    _register_lexicons(parser)
    parser.add_argument("--model", default=_MODEL, help="model to start from: folder or hub name (a small mMiniLM)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda", help="where to train (cuda)")
    parser.add_argument("--folder", type=Path, default=Path("config"), help="where both files go (config)")
    parser.set_defaults(run=run)


def _register_lexicons(parser: argparse.ArgumentParser) -> None:
    lexicons = parser.add_argument_group("what lexicons are made from: vectors, titles, dictionaries; any, or none yet")
    lexicons.add_argument("--vectors-source", metavar="FILE", help="word vectors of the source language")
    lexicons.add_argument(
        "--vectors-target", action="append", metavar="FILE", help="of a target; one each in order, or one with {lang}"
    )
    lexicons.add_argument("--aligned", action="store_true", help="the vectors are in one space already")
    lexicons.add_argument("--titles-page", metavar="FILE", help="page.sql.gz of the source language's Wikipedia")
    lexicons.add_argument("--titles-langlinks", metavar="FILE", help="langlinks.sql.gz of the same dump")
    lexicons.add_argument("--dictionary", metavar="FILE", help="`source target` a line; with {lang}")


def run(arguments: argparse.Namespace) -> None:
    """Check everything that was given, then write both files.

    Raises:
        UserError: a file exists already, is missing or of the wrong kind, or the essentials are not given.
    """
    config, pairs = arguments.folder / f"{arguments.name}.yaml", arguments.folder / f"{arguments.name}-pairs.tsv"
    _check_arguments(arguments)
    for path in (config, pairs):
        if path.exists():
            raise UserError(path, "", "exists already", "give another name, or move it away")
    for named in _files(arguments):
        _look_at(named)
    text, table = _config(arguments, pairs), _pairs(arguments)
    _validated(text, table, config, [arguments.source, *arguments.target])
    for path, content in ((pairs, table), (config, text)):
        with atomic_path(path) as temporary:
            temporary.write_text(content, encoding="utf-8", newline="\n")
    print(f"{config}: written, with {pairs}; next: switchrank config check {config}")


def _wrong(flag: str, problem: str, todo: str) -> UserError:
    return UserError("command line", flag, problem, todo)


def _check_arguments(given: argparse.Namespace) -> None:
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


def _check_lexicons(given: argparse.Namespace) -> None:
    if bool(given.vectors_source) != bool(given.vectors_target):
        raise _wrong("--vectors-source", "one side only", "give vectors of both sides")
    if bool(given.titles_page) != bool(given.titles_langlinks):
        raise _wrong("--titles-page", "one dump only", "give page and langlinks of the same dump")
    vectors = given.vectors_target or []
    if vectors and "{lang}" not in vectors[0] and len(vectors) != len(given.target):
        problem = f"{len(vectors)} files for {len(given.target)} languages"
        raise _wrong("--vectors-target", problem, "give one each, in the order of --target, or one with {lang}")


def _filled(template: str, language: str = "", split: str = "") -> str:
    return template.replace("{lang}", language).replace("{split}", split)


def _target_vectors(given: argparse.Namespace) -> dict[str, str]:
    """The file of each target language."""
    vectors = given.vectors_target or []
    if vectors and "{lang}" in vectors[0]:
        return {language: _filled(vectors[0], language) for language in given.target}
    return dict(zip(given.target, vectors, strict=False))


def _files(given: argparse.Namespace) -> Iterator[Named]:
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


def _config(given: argparse.Namespace, pairs: Path) -> str:
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


def _collections(given: argparse.Namespace) -> str:
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


def _lexicons(given: argparse.Namespace) -> Iterator[str]:
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


def _systems(given: argparse.Namespace) -> Iterator[str]:
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
    yield "\n".join(["systems:", *systems])


def _pairs(given: argparse.Namespace) -> str:
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
    from switchrank.config.plan import read_pairs

    with tempfile.TemporaryDirectory() as folder:
        config, pairs = Path(folder) / "config.yaml", Path(folder) / "pairs.tsv"
        config.write_text(text, encoding="utf-8")
        pairs.write_text(table, encoding="utf-8")
        check_config(read_yaml(config), path, os.environ)
        read_pairs(pairs, languages)
