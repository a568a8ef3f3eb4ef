"""``switchrank sources``: collections from your files, test sets for other tools, a made-up world, downloads."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from switchrank.collections.spec import SPLITS, names
from switchrank.core.command import ANY_NUMBER, Command, Group, columns_of
from switchrank.core.errors import UserError
from switchrank.files.addresses import SEND


@dataclass(frozen=True)
class Collection:
    """A collection as flags spell it out.

    Attributes:
        format: what the input files are.
        documents: documents of a format of separate files.
        queries: queries of a format of separate files; splits are train, dev, test.
        judgements: judgements of a format of separate files; splits are train, dev, test.
        files: squad, bipar, afriqa files; splits are train, dev, test.
        triples: msmarco training triples.
        groups: msmarco topics, so that none is in both training and development.
        documents_as: what a squad document is.
        source: language of the training queries.
        dev: share of training queries to cut.
        labels: share of them to set aside as labelled examples.
        seed: chooses the groups that are cut.
    """

    format: str | None = None
    documents: Mapping[str, str] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)
    judgements: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    triples: str | None = None
    groups: str | None = None
    documents_as: Literal["paragraphs", "sentences"] = "paragraphs"
    source: str = "en"
    dev: float = 0.0
    labels: float = 0.0
    seed: int = 1


@dataclass(frozen=True)
class World:
    """How large a made-up world is.

    Attributes:
        seed: another seed is another world.
        train_queries: English training queries.
        test_queries: parallel test queries.
        sentences: sentences of monolingual text per language.
    """

    seed: int | None = None
    train_queries: int | None = None
    test_queries: int | None = None
    sentences: int | None = None


NOTHING = Collection()


def build(*, out: str, spec: str | None = None, given: Collection = NOTHING, overwrite: bool = False) -> None:
    """Documents, queries and judgements of a collection, as parquet.

    Turn relevance data into the tables that every later stage reads: documents, queries and judgements, one file per
    language, and a development set cut from the training queries by whole groups.

    msmarco: files without a header, plain or gzip
      documents   docid TAB text                    --documents en=collection.en.tsv de=collection.de.tsv
      queries     qid TAB text                      --queries train/en=queries.train.en.tsv test/de=queries.test.de.tsv
      judgements  qid 0 docid relevance             --judgements train=qrels.train.tsv test=qrels.test.tsv
      triples     qid TAB positive TAB negative     --triples qidpidtriples.train.tsv
      groups      docid TAB topic                   --groups topics.tsv
    beir, miracl, trec and the other formats of separate files: the same flags (config/README.md)
    squad: SQuAD v1.1 or XQuAD-R, .json or .json.gz
      files       one per split and language        --files train/en=train-v1.1.json test/en=en.json test/de=de.json
      files       or of two: question, paragraph    --files test/de/en=test-context-en-question-de.json

    The document ids of all languages are parallel: one judgement file serves all. Training queries are in the source
    language only. A text is never changed; what has no text, and what has no judgement, is left out and counted.

    A --spec file is JSON of two objects, the specification and the files by role:
      {"spec": {"format": "squad", "languages": ["en", "de"], "splits": ["test"], "documents_as": "paragraphs"},
       "files": {"test/en": "en.json", "test/de": "de.json"}}

    Args:
        out: folder to write.
        spec: everything but --out from one JSON file.
        overwrite: replace the folder whatever it holds.
    """
    from switchrank.sources.build import build_collection

    read, files = _from_file(spec) if spec else _from_flags(given)
    counts = build_collection(spec=read, files=files, out=out, overwrite=overwrite)
    for table, numbers in counts.items():
        print(f"{table}: " + ", ".join(f"{name} {number:,}" for name, number in numbers.items()))


def _from_file(path: str) -> tuple[dict[str, Any], dict[str, str]]:
    from switchrank.files.json_values import read_json

    todo = "see --help for an example"
    content = read_json(path, todo)
    if not isinstance(content, dict) or sorted(content) != ["files", "spec"]:
        raise UserError(path, "top level", "not an object of 'spec' and 'files'", todo)
    for key, part in content.items():
        if not isinstance(part, dict) or (key == "files" and not all(isinstance(file, str) for file in part.values())):
            raise UserError(path, key, "not an object, or no file name in it", todo)
    return content["spec"], content["files"]


def _from_flags(given: Collection) -> tuple[dict[str, Any], dict[str, str]]:
    """The specification and files that the flags spell out; languages and splits are those of the files named."""
    if given.format is None:
        raise UserError("command line", "--format", "missing", "name it, or give --spec")
    files = dict(given.files)
    for table in ("documents", "queries", "judgements"):
        files |= {f"{table}/{role}": path for role, path in getattr(given, table).items()}
    files |= {"triples/train": given.triples} if given.triples else {}
    files |= {"groups": given.groups} if given.groups else {}
    asked = [role.split("/") for role in [*given.queries, *given.files]]
    languages = [*given.documents, *(role.rpartition("/")[2] for role in given.files)]
    sides = 2 if given.format == "afriqa" else 1  # AfriQA's questions come with their translations
    tested = [code for split, *codes in asked if split == "test" for code in codes[:sides]]
    spec = {name: getattr(given, name) for name in ("format", "dev", "labels", "documents_as", "source", "seed")}
    spec |= {
        "languages": list(dict.fromkeys(languages)),
        "asked_in": list(dict.fromkeys(tested)),
        "splits": [split for split in SPLITS if split in {role[0] for role in asked}],
        "triples": bool(given.triples),
    }
    return spec, files


def _size(given: World) -> dict[str, Any]:
    return {name: value for name, value in vars(given).items() if value is not None}


def fetch(
    *,
    address: str | None = None,
    out: str | None = None,
    sha256: str | None = None,
    config: Path | None = None,
    send: str | None = None,
    only_list: bool = False,
) -> None:
    """Fetch a file, or everything that a config needs from the web.

    An address is https://host/path or hf://name@revision/path (datasets; models: hf://models/name@...). It may end in
    !member, a file inside a zip or tar archive, and in #sha256=<64 hex digits>. Passwords and tokens are written as
    ${NAME} and come from the environment, where SWITCHRANK_SEND or --send lists them; none goes over plain http.
    HF_TOKEN is sent to the Hugging Face hub, ~/.netrc is read for other hosts. Each address is kept once under
    SWITCHRANK_CACHE (~/.cache/switchrank); a broken download goes on where it stopped.

    Args:
        address: what to fetch, with --out.
        out: where the file goes.
        sha256: its checksum.
        config: instead: everything this config names.
        send: environment variables that the addresses may send.
        only_list: with --config: say what would be fetched, and stop.
    """
    if send:
        os.environ[SEND] = ",".join(filter(None, [os.environ.get(SEND), send]))
    from switchrank.files import fetched

    if address and out and not config and not only_list:
        fetched.fetch_file(url=address, out=out, sha256=sha256.lower() if sha256 else None, copy=True)
        return
    if not config or address or out or sha256:
        todo = "give ADDRESS and --out, or --config alone"
        raise UserError("command line", "", "neither one file nor a config", todo)
    from switchrank.config.load import load_config
    from switchrank.config.plan import Plan

    plan = Plan(load_config(config, os.environ), [Path.cwd(), config.parent.parent])
    wanted = {path: download.plain() for path, download in plan.downloads.items()}
    for line in fetched.described(wanted):
        print(line, flush=True)
    if not only_list:
        fetched.fetch_all(wanted, config)


def unpack(*, archive: str, out: str, limit: int | None = None, overwrite: bool = False) -> None:
    """Unpack a zip or tar archive without trust: nothing lands outside the folder, and sizes are limited.

    Args:
        archive: a zip or tar file, plain, gzip, bzip2 or xz.
        out: folder to write.
        limit: largest sum of sizes (1 GiB or 200 times the archive).
        overwrite: replace the folder whatever it holds.
    """
    from switchrank.files import unpack as archives

    names = archives.unpack(archive, out, limit=limit, overwrite=overwrite)
    print(f"{out}: {len(names):,} files")


_ROLES = {
    "documents": "LANG=FILE",
    "queries": "SPLIT/LANG=FILE",
    "judgements": "SPLIT=FILE",
    "files": "SPLIT/LANG=FILE",
}


def _print_counts(counts: Mapping[str, int]) -> None:
    print(", ".join(f"{name} {number:,}" for name, number in counts.items()))


COMMANDS = Group(
    {
        "build": Command(
            build,
            folder="a collection",
            choices={"format": names()},
            forms=_ROLES | {"spec": "FILE", "triples": "FILE", "groups": "FILE", "source": "LANG", "out": "FOLDER"},
        ),
        "wikitext": Command(
            "sources.wikitext:write_wikitext",
            "the articles of a pages-articles dump as plain text",
            places=["dumps"],
            forms={"out": "FILE"},
        ),
        "bitext": Command(
            "sources.bitext.write:write_bitext",
            "parallel text as a table: cleaned, each loss counted, a part held out",
            folder="a parallel text",
            places=["files"],
            counts={"languages": (2, 2), "columns": (2, 2), "endings": (2, 2), "drop": ANY_NUMBER},
            reads={"columns": columns_of},
            forms={
                "languages": "LANG LANG",
                "columns": "COLUMN COLUMN",
                "endings": "CODE CODE",
                "held_out": "N",
                "out": "FOLDER",
            },
        ),
        "texts": Command(
            "sources.texts:write_texts",
            "texts of one language as a table: each once, as many as are wanted, a part held out",
            folder="texts of one language",
            places=["files"],
            forms={"language": "LANG", "held_out": "N", "out": "FOLDER"},
        ),
        "export": Command(
            "sources.export:export_testset",
            "a test set of one language pair, as other tools read it",
            folder="an exported test set",
            places=["collection"],
            forms={"pair": "LANG-LANG", "out": "FOLDER"},
            shown=_print_counts,
        ),
        "world": Command(
            "sources.world.generate:generate_world",
            "make up a small world: languages, their text, title dumps, and a collection in all of them",
            folder="a made-up world",
            reads={"spec": _size},
            forms={"out": "FOLDER"},
        ),
        "fetch": Command(
            fetch,
            places=["address"],
            flags={"only_list": "list"},
            forms={"out": "FILE", "sha256": "HEX", "config": "FILE", "send": "NAME[,NAME]"},
        ),
        "unpack": Command(
            unpack, folder="an unpacked archive", places=["archive"], forms={"out": "FOLDER", "limit": "BYTES"}
        ),
    }
)
