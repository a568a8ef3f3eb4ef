"""Every parser of files of others, in one list: how it is called, what it gives, and sound files to start from.

:func:`check` is the law that holds for each: any bytes give rows or one clear error, nothing half-written stays, and a
sound row at the end of a file that was read is among what was read. The hypothesis test of ``make test`` and the
coverage-guided ``make fuzz`` both walk over :data:`PARSERS`.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.ablation.rows import read_ablation
from switchrank.collections.records import read_records, text_rows
from switchrank.collections.rows import Rows, TextRows, read_topics
from switchrank.collections.separate import TextFile, read_judgements
from switchrank.collections.spec import code_of, folders
from switchrank.collections.tevatron import reader as tevatron
from switchrank.config.load import load_config
from switchrank.core.errors import UserError, each
from switchrank.embeddings.encode import listed_words
from switchrank.embeddings.read import import_vectors
from switchrank.files.reading import read_text
from switchrank.files.unpack import unpack
from switchrank.formats.pages import Site, read_pages
from switchrank.formats.pairs import read_pairs
from switchrank.formats.tables import DOCUMENTS, LEXICON, read_table
from switchrank.formats.token_vectors import HALF, open_tokens, spans_file
from switchrank.formats.trec import read_run
from switchrank.formats.vectors import load_vectors
from switchrank.identify.look import inspect_path
from switchrank.lexicon.titles import titles_lexicon
from switchrank.rank.candidates import read_ranking
from switchrank.rank.files import read_texts as read_ranked_texts
from switchrank.rank.files import stream_texts
from switchrank.sources.bitext.write import write_bitext
from switchrank.sources.build import build_collection
from switchrank.sources.texts import write_texts
from switchrank.sources.wikitext import write_wikitext
from switchrank.text.running_text import read_prose
from switchrank.train.tokenizer import read_texts
from tests.fuzz import samples
from tests.fuzz.samples import LAST

OUT = "out"
"""What parsers call the file or folder that they write."""


@dataclass(frozen=True)
class Parser:
    """One parser.

    Attributes:
        name: names it on the command line of ``make fuzz``.
        read: reads a file to its end and gives the texts in it.
        seeds: sound files.
        last: a sound row with the word ``LAST``, which must come out of whatever it is put behind; none where a file
            is one value that nothing can follow.
        file: what the file is called, for those who look at its name.
        packed: it reads gzip, bzip2, xz and zip.
        native: Polars decodes the bytes. Some forged lengths make it end the process for want of memory, which nothing
            in Python can catch; such files are cut here and not forged.
    """

    name: str
    read: Callable[[Path], Iterable[str]]
    seeds: tuple[bytes, ...]
    last: bytes = b""
    file: str = "any"
    packed: bool = True
    native: bool = False


def check(parser: Parser, content: bytes) -> bool:
    """Whether ``content`` was read; AssertionError where it breaks the law."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / parser.file
        path.write_bytes(content)
        before = set(Path(folder).iterdir())
        try:
            with redirect_stderr(io.StringIO()):
                found = list(parser.read(path))
        except UserError as error:
            for told in map(str, each(error)):
                assert told, "an error without words"
                assert "\n" not in told, f"an error of several lines: {told!r}"
            left = {file.name for file in set(Path(folder).iterdir()) - before if not file.name.startswith("other")}
            assert not left, f"left behind: {left}"
            return False
        if parser.last and f"\n{content.decode('latin-1')}".endswith(f"\n{parser.last.decode('latin-1')}"):
            assert any(LAST in text.casefold() for text in found), "the last row was lost"
        return True


def _strings(frame: pl.DataFrame) -> Iterator[str]:
    for column in frame.select(pl.col(pl.String)):
        yield from (text for text in column if text is not None)


def _text_file(table: str, reads: TextRows) -> Callable[[Path], Iterable[str]]:
    def read(path: Path) -> Iterable[str]:
        file = TextFile(path, table, reads, "en")
        frame = pl.concat(file.batches())
        file.check_ids(frame["id"])
        assert all(len(name.split()) == 1 and text.strip() for name, text in frame.rows())
        return _strings(frame)

    return read


def separate_rows() -> dict[str, Rows]:
    """How the files of each format are written that has documents, queries and judgements in files of their own."""
    readers = {name: import_module(f"switchrank.{code_of(name)}") for name in folders()}
    return {name: reader.ROWS for name, reader in readers.items() if hasattr(reader, "ROWS")}


def _shapes() -> Iterator[Parser]:
    """A parser for each different way to write documents, queries and judgements."""
    quoted = partial(text_rows, id="docid", text=["text"], separator=",")
    ways = [(name, table, reads) for name, rows in separate_rows().items() for table, reads in vars(rows).items()]
    ways += [
        ("tevatron-passages", "documents", partial(tevatron.ROWS.documents, inside=True)),
        ("csv", "documents", quoted),
    ]
    known = []
    for name, table, reads in ways:
        settings = {**getattr(reads, "keywords", {}), "table": table}
        way = (getattr(reads, "func", reads), settings)
        if way in known:
            continue
        known.append(way)
        make = samples.judgements if table == "judgements" else samples.texts
        read = (
            (lambda path, reads=reads: _strings(read_judgements(path, reads)))
            if table == "judgements"
            else _text_file({"documents": "document", "queries": "query"}[table], reads)
        )
        rows = (("a1", "One mill."), ("a2", "Two boats & more."))
        judged = (("q1", "d1"), ("q2", "d2"))
        seed = make(*way, *(judged if table == "judgements" else rows))
        last = make(*way, ("q9", LAST) if table == "judgements" else ("a9", f"the {LAST}"), header=False)
        yield Parser(f"{name}-{table}", read, (seed,), last)


DOCS = samples.lines("d1\tAda Lee built it.", "d2\tIn 1850 it burned.")
QUERIES = samples.lines("q1\twho built it", "q2\twhen")
QRELS = samples.lines("q1 0 d1 1", "q2 0 d2 1")
MSMARCO = {
    "documents/en": DOCS,
    "queries/train/en": QUERIES,
    "judgements/train": QRELS,
}


def _collection(role: str, others: Mapping[str, bytes], **spec: Any) -> Callable[[Path], Iterable[str]]:
    """Builds a collection whose file of one role is the one given; judgements must fit what is written."""

    def read(path: Path) -> Iterable[str]:
        files = {role: str(path)}
        for number, (name, content) in enumerate(others.items()):
            if name != role:
                files[name] = str(path.with_name(f"other{number}"))
                Path(files[name]).write_bytes(content)
        build_collection(spec={"languages": ["en"], **spec}, files=files, out=path.with_name(OUT))
        tables = {file.stem: pl.read_parquet(file) for file in path.with_name(OUT).glob("*.parquet")}
        ids = {docid for name, table in tables.items() if name.startswith("documents") for docid in table["docid"]}
        qids = {qid for name, table in tables.items() if name.startswith("queries") for qid in table["qid"]}
        for name, table in tables.items():
            if name.startswith("judgements"):
                assert set(table["docid"]) <= ids
                assert set(table["qid"]) <= qids
        return [text for table in tables.values() for text in _strings(table)]

    return read


def _collections() -> Iterator[Parser]:
    msmarco = {"format": "msmarco", "splits": ["train"]}
    triples = {**msmarco, "triples": True}
    yield Parser(
        "msmarco-triples",
        _collection("triples/train", MSMARCO, **triples),
        (
            samples.lines("q1\td1\td2", "q2\td2\td1"),
            samples.lines("who built it\tAda Lee built it.\tIn 1850 it burned."),
        ),
    )
    groups = _collection("groups", MSMARCO, **msmarco)
    yield Parser("msmarco-groups", groups, (samples.lines("d1\tmills", "d2\tfires"),))
    topics = samples.lines("d1\tmills", "d2\tfires")
    yield Parser("topics", lambda path: _strings(read_topics(path)), (topics,), f"d9\t{LAST}\n".encode())
    pairs = {"format": "pairs", "splits": ["train"], "triples": True}
    row = f"what is\ta {LAST}\tno\n".encode()
    texts = samples.lines("who built it\tAda Lee\tnobody", "when\tin 1850\tnever")
    yield Parser("pairs", _collection("rows/train", {}, **pairs), (texts,), row)
    named = {"query": "query", "positive": "pos", "negative": "neg"}
    record = {"query": "who", "pos": "Lee", "neg": ["no", "one"]}
    read = _collection("rows/train", {}, **pairs, options=named)
    yield Parser("pairs-records", read, (samples.json_lines(record),), samples.json_lines(record | {"pos": LAST}))
    aligned = _collection("passages/train", {"queries/train": b"who\nwhen\n"}, format="pairs", splits=["train"])
    yield Parser("pairs-aligned", aligned, (b"Ada Lee\nin 1850\n",))
    known = samples.parquet(qid=["q1"], text=["who built it"], group=["g"])
    without = _collection("excluded/queries", MSMARCO, **msmarco, excluding="other")
    yield Parser("excluded", without, (known,), packed=False, native=True)
    yield from _questions()


def _questions() -> Iterator[Parser]:
    squad = (
        samples.squad(samples.asked("1"), samples.asked("2", is_impossible=True)),
        samples.squad({"id": 7, "question": "When?", "answers": {"text": ["1850"], "answer_start": ["35"]}}),
        samples.squad(samples.asked("1"), sentences=["One.", "Two."], sentence_breaks=[[0, 20], [22, 40]]),
    )
    one = {"splits": ["test"]}
    for unit in ("paragraphs", "sentences"):
        read = _collection("test/en", {}, format="squad", **one, documents_as=unit)
        yield Parser(f"squad-{unit}", read, squad)
    two = {"languages": ["en", "de"], "splits": ["test"], "format": "squad"}
    ids = _collection("test/de", {"test/en": squad[0]}, **two, options={"parallel": False, "relevance": "answer"})
    yield Parser("squad-shared-ids", ids, (squad[0], squad[2]))
    bipar = _collection("test/zh", {"test/en": squad[0]}, **(two | {"format": "bipar", "languages": ["en", "zh"]}))
    yield Parser("bipar", bipar, (samples.squad(samples.asked("1_ZH")),))
    asked = {"asked_in": ["sw"], **one, "format": "afriqa"}
    found = samples.json_lines(samples.afriqa("a"), samples.afriqa("b", title=None), samples.afriqa("c", context=None))
    for relevance in ("gold", "answer"):
        read = _collection("test/sw/en", {}, **asked, options={"relevance": relevance})
        last = samples.json_lines(samples.afriqa("z", question_lang=LAST))
        yield Parser(f"afriqa-{relevance}", read, (found,), last)
    options = {"documents": {"id": "1", "text": ["2"], "separator": "\t", "header": False}}
    read = _collection("questions/test", {"documents/en": DOCS}, format="questions", **one, options=options)
    kinds = (
        samples.json_lines({"question": "who built it", "answer": ["Ada Lee", "Lee"]}),
        samples.json_lines(samples.mkqa(1, "who built it"), samples.mkqa(-2, "who")),
        samples.json_lines(
            {
                "id": 1,
                "lang": "swa",
                "question": "nani",
                "translated_question": "who",
                "answers": "['Lee']",
                "translated_answer": "[\"Lee's\", 'Lee']",
            }
        ),
    )
    yield Parser("open-questions", read, kinds)
    nq = samples.json_lines({"question": f"who is {LAST}", "answer": ["Ada Lee"]})
    yield Parser("nq-open", read, kinds[:1], nq)
    part = {"p/queries-test-en": samples.parquet(qid=["q"], text=["who"], group=["g"])}
    part["p/judgements-test-en"] = samples.parquet(qid=["q"], docid=["d"], relevance=pl.Series([1], dtype=pl.Int32))
    joined = _collection("p/documents-en", part, format="joined", **one, options={"of": ["p"]})
    yield Parser("joined", joined, (samples.parquet(docid=["d"], text=["x"], group=["g"]),), packed=False, native=True)


def _bitext(others: Iterable[bytes], **settings: Any) -> Callable[[Path], Iterable[str]]:
    """Reads parallel text of a file and others beside it."""

    def read(path: Path) -> Iterable[str]:
        files = [path, *(path.with_name(f"other{number}") for number, _ in enumerate(others))]
        for file, content in zip(files[1:], others, strict=True):
            file.write_bytes(content)
        write_bitext(files=files, languages=["en", "de"], out=path.with_name(OUT), drop=(), **settings)
        return _strings(pl.read_parquet(path.with_name(OUT) / "train.parquet"))

    return read


def _texts(path: Path) -> Iterable[str]:
    write_texts(files=[path], language="en", out=path.with_name(OUT))
    return _strings(pl.read_parquet(path.with_name(OUT) / "train.parquet"))


def _parallel() -> Iterator[Parser]:
    rows = samples.lines("Ada Lee built it.\tAda Lee baute es.", "In 1850.\tIm Jahr 1850.")
    yield Parser("bitext-columns", _bitext([], columns=[1, 2]), (rows,), f"{LAST}\tletzte\n".encode())
    yield Parser("bitext-aligned", _bitext([b"One.\nTwo.\n"]), (b"Eins.\nZwei.\n",))
    yield Parser("texts", _texts, (rows,), f"{LAST} line\n".encode())
    table = samples.parquet(text=["One.", None, "Two."])
    yield Parser("texts-parquet", _texts, (table,), packed=False, native=True)


def _tables() -> Iterator[Parser]:
    """Parquet and Arrow, as collections, as tables of ours, and as texts."""
    columns = {"docid": ["d1", "d2"], "text": ["one", "two"], "group": ["a", "b"]}
    seeds = (samples.parquet(**columns), samples.parquet(docid=[1], text=[["x", None]]))

    def records(path: Path) -> Iterable[str]:
        return [str(record) for _, record in read_records(path)]

    def dataset(path: Path) -> Iterable[str]:
        path.with_name("other-state").mkdir()
        folder = path.with_name("other-state")
        (folder / "data-0.arrow").write_bytes(path.read_bytes())
        return records(folder)

    yield Parser("parquet-records", records, seeds, packed=False, native=True)
    yield Parser("arrow-records", dataset, (samples.arrow(**columns),), packed=False, native=True)
    ours = (samples.parquet(**columns),)
    yield Parser(
        "table", lambda path: _strings(read_table(path, DOCUMENTS)), ours, file="a.parquet", packed=False, native=True
    )
    csv = samples.lines("docid,text,group", 'd1,"one, two",a')
    read = lambda path: _strings(read_table(path, DOCUMENTS))  # noqa: E731
    yield Parser("table-csv", read, (csv,), file="a.csv", packed=False)
    yield Parser("tokenizer-parquet", read_texts, ours, file="a.parquet", packed=False, native=True)
    yield Parser(
        "rank-parquet", lambda path: read_ranked_texts(path)[1], ours, file="a.parquet", packed=False, native=True
    )
    streamed = lambda path: [text for _, text in stream_texts(path)]  # noqa: E731
    yield Parser("search-parquet", streamed, ours, file="a.parquet", packed=False, native=True)
    words = samples.parquet(word=["a", "b"], norm=pl.Series([1.0, 1.0], dtype=pl.Float32))

    def store(path: Path) -> Iterable[str]:
        path.with_name("other.words.parquet").write_bytes(words)
        path.rename(path.with_name("other.npy"))
        return load_vectors(path.with_name("other")).words

    yield Parser("vector-store", store, (samples.npy([1.0, 0.0], [0.0, 1.0]),), packed=False)

    def tokens(path: Path) -> Iterable[str]:
        path.with_name("other.npy").write_bytes(samples.npy([1.0, 0.0], [0.0, 1.0], dtype=HALF))
        path.rename(spans_file(path.with_name("other.npy")))
        return map(str, open_tokens(path.with_name("other.npy"), 1, path)[0])

    yield Parser("token-vectors", tokens, (samples.npy([0, 2], dtype="<i8"),), packed=False)


def _vectors(path: Path) -> Iterable[str]:
    import_vectors(path=path, out=path.with_name(OUT))
    store = load_vectors(path.with_name(OUT))
    assert len(store.words) == len(set(store.words)) > 0
    assert abs((store.matrix**2).sum(axis=1) - 1).max() < 1e-3
    return store.words


def _embeddings() -> Iterator[Parser]:
    plain = samples.lines("cat 1 2 3", "dog 4 5 6", "new york 1 -2 1e-3")
    last = f"{LAST} 1 2 3\n".encode()
    yield Parser("vectors-text", _vectors, (plain, b"2 3\n" + plain), last)
    yield Parser("vectors-word2vec", _vectors, (samples.word2vec("cat", "straße"),))
    yield Parser("vectors-fasttext", _vectors, (samples.fasttext("cat", "dog"),))
    yield Parser("words", listed_words, (samples.lines("cat 31", "dog 7"),), f"{LAST} 1\n".encode())
    yield Parser("prose", read_prose, (samples.lines("Ada Lee built it.", "a < b"),), f"{LAST}\n".encode())


def _titles(format: str, others: Mapping[int, bytes] = {}, place: int = 0) -> Callable[[Path], Iterable[str]]:
    """Reads a titles lexicon with the given file at a place among the files, and others beside it."""

    def read(path: Path) -> Iterable[str]:
        files = [path]
        for number, content in others.items():
            files.insert(number, path.with_name(f"other{number}"))
            files[number].write_bytes(content)
        assert files[place] == path
        out = path.with_name(f"{OUT}.parquet")
        titles_lexicon(format=format, files=files, language="de", out=out)
        return _strings(read_table(out, LEXICON))

    return read


def _lexicons() -> Iterator[Parser]:
    s = samples
    wiki = (s.WIKI.encode() + b"</mediawiki>", s.WIKI.encode())
    yield Parser("titles-dumps-page", _titles("dumps", {1: s.LANGLINKS_9}), (s.PAGE,), s.LAST_PAGE)
    yield Parser("titles-dumps-langlinks", _titles("dumps", {0: s.PAGE_7}, 1), (s.LANGLINKS,), s.LAST_LINK)
    yield Parser("titles-pages-articles", _titles("pages-articles"), wiki, s.LAST_WIKI)
    entities = s.entity("Cat", "Katze"), s.entity("Category:Cats", "Kategorie:Katzen")
    array = b"[\n" + ",\n".join(entities).encode() + b"\n]\n"
    last = f"{s.entity(LAST, 'Letzte')}\n".encode()
    for format in ("wikidata", "wikidata-labels"):
        yield Parser(f"titles-{format}", _titles(format), (array, s.lines(*entities)), last)
    head = b'<?xml version="1.0"?>\n<wikipediaTitles>\n'
    entry = (s.linguatools(LAST, "last") + "</wikipediaTitles>\n").encode()
    yield Parser("titles-linguatools", _titles("linguatools"), (head + s.linguatools("Hund", "dog").encode(),), entry)
    yield Parser("titles-wikititles", _titles("wikititles"), (s.lines("Cat\tKatze"),), f"{LAST}\tletzte\n".encode())
    names = s.cldr("en", DE="Germany"), s.cldr("de", DE="Deutschland")
    yield Parser("titles-cldr", _titles("cldr", {0: names[0]}, 1), (names[1],))
    for format, columns, seed, end in (
        ("text", [], s.lines("cat Katze", "dog\tHund"), f"{LAST}\tletzte\n".encode()),
        ("tsv", [1, 3], s.lines("cat\tn\tKatze"), f"{LAST}\tn\tletzte\n".encode()),
        ("tsv", ["en", "de"], s.lines("id\tde\ten", "1\tKatze\tcat"), f"9\tletzte\t{LAST}\n".encode()),
        ("tei", [], s.TEI.encode(), s.LAST_TEI),
        ("psq", [], s.PSQ, b""),
        ("auto", [], s.TEI.encode() + s.LAST_TEI, b""),
    ):
        read = lambda path, f=format, c=columns: [w for pair in read_pairs(path, format=f, columns=c) for w in pair]  # noqa: E731
        yield Parser(f"dictionary-{format}{'-named' if 'en' in columns else ''}", read, (seed,), end)

    def panlex(path: Path) -> Iterable[str]:
        path.with_name("other").write_bytes(b"I\nyou\tthou\n")
        return [word for pair in read_pairs([path.with_name("other"), path], format="panlex") for word in pair]

    yield Parser("dictionary-panlex", panlex, (b"ich\ndu\tihr\n",))


def _rest() -> Iterator[Parser]:
    wiki = (samples.WIKI.encode() + b"</mediawiki>", samples.WIKI.encode())

    def prose(path: Path) -> Iterable[str]:
        write_wikitext(dumps=[path], out=path.with_name(OUT))
        return path.with_name(OUT).read_text(encoding="utf-8").split("\n")

    yield Parser("wikitext", prose, wiki, samples.LAST_WIKI)
    yield Parser("pages", lambda path: [page.title for page in read_pages(path, Site())], wiki, samples.LAST_WIKI)
    run = samples.lines("q1 Q0 d1 1 2.5 tag", "q1 Q0 d2 2 1e-3 tag")
    last = f"q9 Q0 {LAST} 1 1.0 tag\n".encode()
    yield Parser("run", lambda path: read_run(path)["docid"], (run, run.replace(b" ", b"\t")), last, packed=False)
    shapes = (run, samples.lines("1\t2\t1", "1\t3\t2"), samples.lines("1\t2\twho\tAda Lee"))
    yield Parser("ranking", lambda path: read_ranking(path)["docid"], shapes, packed=False)
    yield Parser("rank-tsv", lambda path: read_ranked_texts(path)[1], (DOCS,), f"d9\t{LAST}\n".encode())
    yield Parser("search-tsv", lambda path: [text for _, text in stream_texts(path)], (DOCS,), f"d9\t{LAST}\n".encode())
    rows = samples.lines("id\tstart\tlanguage\texamples\tseed", "a\tnone\tde\t16\t1")
    last = f"{LAST}\tnone\tsw\t99\t7\n".encode()
    ablation = lambda path: [row.id for row in read_ablation(path, languages=None, systems=None)]  # noqa: E731
    yield Parser("ablation", ablation, (rows,), last, packed=False)
    yield Parser("config", lambda path: [str(load_config(path, {}))], (samples.CONFIG,), file="a.yaml", packed=False)
    yield Parser("text", lambda path: [read_text(path)], (b"text\n", b"\xef\xbb\xbftext"), LAST.encode())

    def archive(path: Path) -> Iterable[str]:
        return map(str, unpack(path, path.with_name(OUT)))

    yield Parser("archive", archive, (samples.zipped(a=b"1", b=b"2"), samples.tarred(a=b"1")), packed=False)


def _all() -> Iterator[Parser]:
    parsers = [*_shapes(), *_collections(), *_parallel(), *_tables(), *_embeddings(), *_lexicons(), *_rest()]
    yield from parsers
    seeds = dict.fromkeys(seed for parser in parsers if not parser.native for seed in parser.seeds)

    def inspected(path: Path) -> Iterable[str]:
        found = inspect_path(path)
        assert found.rows >= 0
        return [found.as_text("x"), str(found.as_json("x"))]

    yield Parser("inspect", inspected, tuple(seeds), packed=False)


PARSERS = tuple(_all())
