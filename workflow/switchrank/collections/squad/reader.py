"""Reads a collection from SQuAD-style JSON files: questions in one language, paragraphs in the same or another one.

A role ``<split>/<language>`` is a file of questions and paragraphs in one language; ``<split>/<query>/<document>`` one
whose questions are in one language and whose paragraphs are in another, as MLQA and BiPaR have them.

Two ways to know what belongs together:

- ``parallel``: files are translations of each other, paragraph by paragraph (XQuAD, XQuAD-R, BiPaR). Ids are places:
  ``<split>-<article>-<paragraph>``, counted from 0, and ``<split>-<article>-<paragraph>-<sentence>`` for sentences. A
  query's group, and a document's, is the title of its article in the source language. Documents with equal text stay
  separate, and only the one at the answer's place is relevant.
- not ``parallel``: files share question ids only (MLQA, MLQA-R, SQuAD beside SQuAD-it). Each language has documents of
  its own, ``<split>-<number>[-<sentence>]``, one for each different paragraph; a split keeps the questions that it has
  in all its languages.

Relevant is the paragraph a question belongs to, or the sentences in which its answers start; or, by choice, every
document that holds an answer (:mod:`switchrank.collections.answers`).

Formats: SQuAD 1.1 (Rajpurkar et al. 2016, arXiv 1606.05250) and 2.0 (2018, arXiv 1806.03822: ``is_impossible``), and
the files made in their image: XQuAD, XQuAD-R and MLQA-R (Roy et al. 2020, arXiv 2004.05484: ``sentences`` and
``sentence_breaks``), MLQA, SQuAD-it, TQuAD (numbers for ids, strings for offsets), ARCD, CMRC 2018 (``answer_start``
-1), GermanQuAD, BiPaR. Answers may also be the two lists ``text`` and ``answer_start``, as Hugging Face writes them.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from sentencex import segment

from switchrank.collections.answers import judge_by_answers
from switchrank.collections.notes import Skipped, note
from switchrank.collections.spec import CollectionSpec, Parsed, Relevance, check_sides
from switchrank.core.errors import Defect, Sieve, UserError, refuse
from switchrank.files.json_values import Place, read_json
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, QUERIES, Schema, write_table

check_roles = check_sides
_NOT_PARALLEL = "give files with equal paragraph order, or set parallel: false"
Json = dict[str, Any]
_WANTED = "give SQuAD-style JSON"
_NOWHERE = -1
"""The answer_start that CMRC 2018 gives an answer that its paragraph does not hold word by word."""


@dataclass(frozen=True)
class Unit:
    """One document: its number in its paragraph (None: it is the whole of it), its text, and where it ends there."""

    number: int | None
    text: str
    end: int


@dataclass(frozen=True)
class Question:
    """A question: its id, its text, its answers, and the numbers (places in ``units``) of the documents they are in."""

    qid: str
    text: str
    answers: list[str]
    relevant: list[int]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph: article and place in it, both from 0; the article's title; the text; documents and questions.

    Documents without text are counted, and stay among ``units``, so that the others keep their numbers.
    """

    article: int
    index: int
    title: str
    text: str
    units: list[Unit]
    questions: list[Question]


def read_collection(
    spec: CollectionSpec,
    files: Mapping[str, str],
    folder: Path,
    *,
    parallel: bool = True,
    relevance: Relevance = "gold",
    question_id: Callable[[str], str] = str,
) -> Parsed:
    """Read a collection.

    Args:
        spec, files, folder: as :func:`switchrank.collections.spec.read_files` takes them.
        parallel: whether files are parallel paragraph by paragraph, or by question ids only.
        relevance: ``gold`` is the place of the answer, ``answer`` every document that holds an answer.
        question_id: makes the id that a question goes by from the one in its file.

    Raises:
        UserError: a defect of a file, or files of one split that are not parallel.
    """
    splits = {}
    for split in spec.splits:
        asked = spec.query_languages(split)
        splits[split] = rows = SplitRows(split, parallel, asked)
        for query, document, path in _sides(split, files, spec.source):
            read = SquadFile(path, document, split, spec.documents_as, question_id, spec.max_skipped).read()
            rows.add(path, query if query in asked else None, document, read)
        rows.finish()
    parsed = Parsed({}, {}, {}, relevance=relevance)
    for language in spec.languages:
        table = _frame([rows.documents[language] for rows in splits.values()], DOCUMENTS)
        write_table(table, folder / f"documents-{language}.parquet", DOCUMENTS)
        parsed.documents[language] = len(table)
    for split, rows in splits.items():
        for language in rows.asked:
            parsed.queries[split, language] = _frame([rows.queries[language]], QUERIES)
        for language in spec.languages:
            parsed.judgements[split, language] = rows.judgements(language, relevance, folder)
    return parsed


def _frame(parts: list[dict[str, tuple[str, str]]], schema: Schema) -> pl.DataFrame:
    return pl.DataFrame([(name, *row) for part in parts for name, row in part.items()], schema=schema, orient="row")


class SplitRows:
    """The rows of one split, gathered file by file; ``asked`` are the languages whose questions are wanted.

    Attributes:
        documents, queries: text and group by language and id.
        judged, answers: the relevant documents, and the answers, by document language and question id.
        home: the paragraph of each question, and the file that said so first (parallel files).
        titles: titles of the first file's articles, which name the groups (parallel files).
        names: ids by text of the paragraphs of each language (other files).
    """

    def __init__(self, split: str, parallel: bool, asked: list[str]) -> None:
        self.split, self.parallel, self.asked = split, parallel, asked
        self.documents = defaultdict[str, dict[str, tuple[str, str]]](dict)
        self.queries = defaultdict[str, dict[str, tuple[str, str]]](dict)
        self.judged = defaultdict[str, dict[str, list[str]]](dict)
        self.answers = defaultdict[str, dict[str, list[str]]](dict)
        self.home: dict[str, tuple[str, str]] = {}
        self.titles: dict[int, str] = {}
        self.names = defaultdict[str, dict[str, str]](dict)

    def add(self, path: str, query: str | None, document: str, paragraphs: list[Paragraph]) -> None:
        """Take the rows of one file; ``query`` is None where its questions are not wanted."""
        first = not self.titles
        for paragraph in paragraphs:
            if first:
                self.titles[paragraph.article] = paragraph.title
            name = self._name(document, paragraph)
            group = self.titles.get(paragraph.article, paragraph.title) if self.parallel else paragraph.title
            docids = [name if unit.number is None else f"{name}-{unit.number}" for unit in paragraph.units]
            rows = self.documents[document]
            for docid, unit in zip(docids, paragraph.units, strict=True):
                if unit.text and rows.setdefault(docid, (unit.text, group))[0] != unit.text:
                    problem = f"paragraph {name} has another text than in the other file of {document} paragraphs"
                    raise UserError(path, "", problem, _NOT_PARALLEL)
            for question in paragraph.questions:
                home, where = self.home.setdefault(question.qid, (name, path))
                if self.parallel and name != home:  # ids are places, in every file
                    problem = f"belongs to paragraph {name} here and to {home} in {where}"
                    raise UserError(path, f"question {question.qid}", problem, _NOT_PARALLEL)
                if query is not None:
                    self.queries[query].setdefault(question.qid, (question.text, group))
                found = self.judged[document].setdefault(question.qid, [])
                found += [docids[place] for place in question.relevant if docids[place] not in found]
                self.answers[document].setdefault(question.qid, []).extend(question.answers)

    def _name(self, document: str, paragraph: Paragraph) -> str:
        if self.parallel:
            return f"{self.split}-{paragraph.article}-{paragraph.index}"
        names = self.names[document]
        return names.setdefault(paragraph.text, f"{self.split}-{len(names)}")

    def finish(self) -> None:
        """Keep, of files that share question ids only, the questions that all languages have."""
        if self.parallel:
            return
        sides = [self.queries[language] for language in self.asked]
        common = set(self.home).intersection(*sides, *self.judged.values())
        for language, queries in self.queries.items():
            kept = {qid: row for qid, row in queries.items() if qid in common}
            reason = "questions left out: they are not in all languages of the collection"
            note(f"queries {self.split} {language}", len(queries) - len(kept), reason)
            self.queries[language] = kept
        for table in (self.judged, self.answers):
            for language, rows in table.items():
                table[language] = {qid: row for qid, row in rows.items() if qid in common}

    def judgements(self, language: str, relevance: Relevance, folder: Path) -> pl.DataFrame:
        """JUDGEMENTS over the documents of a language, which are in ``folder`` by now."""
        if relevance == "answer":
            path = folder / f"documents-{language}.parquet"
            return judge_by_answers(path, self.answers[language], what=f"answers {self.split} {language}")
        rows = [(qid, docid, 1) for qid, docids in self.judged[language].items() for docid in docids]
        return pl.DataFrame(rows, schema=JUDGEMENTS, orient="row")


def _sides(split: str, files: Mapping[str, str], source: str) -> list[tuple[str, str, str]]:
    """Files of a split as ``(query language, document language, path)``: all in the source language first."""
    roles = [(role.split("/"), path) for role, path in files.items()]
    found = [(sides[0], sides[-1], path) for (name, *sides), path in roles if name == split]
    return sorted(found, key=lambda side: (side[:2] != (source, source), side[1] != source, side[0] != side[1]))


@dataclass
class SquadFile:
    """One file and how it is read.

    Attributes:
        path, language: the file, and the language of its paragraphs (for sentence boundaries).
        split: names the paragraphs in messages.
        documents_as, question_id, max_skipped: as in :func:`read_collection` and its specification.
        defect: is given a question that cannot be used.
        members: the keys of the file's paragraphs, and those of its questions, such as ``qas.id``.
    """

    path: str
    language: str
    split: str
    documents_as: str
    question_id: Callable[[str], str] = str
    max_skipped: float = 1.0
    defect: Defect = refuse
    members: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.skipped = Skipped(self.path, self.max_skipped)

    def read(self) -> list[Paragraph]:
        """All paragraphs in file order; what was left out is counted on standard error.

        Raises:
            UserError: a missing or wrong member, a question id twice, an answer outside its paragraph, no document, or
                too many rows left out.
        """
        found = self.paragraphs()
        if not any(unit.text for paragraph in found for unit in paragraph.units):
            raise UserError(self.path, "", "holds no document", "give a file with paragraphs")
        self.skipped.tell()
        return found

    def paragraphs(self) -> list[Paragraph]:
        """All paragraphs in file order, however much is left out; otherwise as :meth:`read`."""
        home: dict[str, str] = {}
        found = []
        top = Place(self.path, "top level", _WANTED)
        for number, article in enumerate(top.member(read_json(self.path, _WANTED), "data", list)):
            place = top._replace(place=f"data[{number}]")
            given = article.get("title") if isinstance(article, dict) else None
            title = place.at("'title'").text(str(given or f"article {number}"))
            for index, paragraph in enumerate(place.member(article, "paragraphs", list)):
                found.append(self._paragraph(number, index, title, paragraph, home))
        return found

    def _paragraph(self, article: int, index: int, title: str, given: Json, home: dict[str, str]) -> Paragraph:
        name = f"data[{article}].paragraphs[{index}]"
        place = Place(self.path, name, _WANTED)
        context = place.member(given, "context", str)
        units = list(self._units(context, given, place))
        self.skipped.rows["documents"] += len(units)
        self.skipped.lose("documents", "empty documents left out", sum(not unit.text for unit in units))
        asked: list[Question] = []
        self.members.update(given)
        sieve = Sieve(self.defect)
        for number, question in enumerate(place.member(given, "qas", list)):
            with sieve:
                qid = self.question_id(place._replace(place=f"{name}.qas[{number}]").identifier(question))
                asker = place._replace(place=f"question {qid}")
                here = f"{self.split}-{article}-{index}"
                if qid in home:
                    raise asker.error(f"id twice, in paragraphs {home[qid]} and {here}", "keep one question of each id")
                home[qid] = here
                self.members.update(f"qas.{name}" for name in question)
                asked += self._question(qid, question, asker, context, units)
        return Paragraph(article, index, title, context, units, asked)

    def _question(self, qid: str, given: Json, place: Place, context: str, units: list[Unit]) -> Iterator[Question]:
        """The question, or none if it has no text or is marked as one that its paragraph does not answer."""
        text = place.member(given, "question", str)
        self.skipped.rows["questions"] += 1
        if not text.strip():
            self.skipped.lose("questions", "empty questions left out")
        elif given.get("is_impossible") is True:
            self.skipped.lose("", "questions left out: they are marked is_impossible")
        else:
            answers = list(_answers(given, place))
            relevant = self._relevant(answers, place, context, units)
            kept = [number for number in relevant if units[number].text]
            self.skipped.rows.update(judgements=len(relevant), answers=len(answers))
            lost = len(relevant) - len(kept)
            self.skipped.lose("judgements", "judgements left out: their document is empty", lost)
            yield Question(qid, text, [answer for answer, _ in answers], kept)

    def _units(self, context: str, paragraph: Json, place: Place) -> Iterator[Unit]:
        """The documents of a paragraph; a blank one is an empty document that holds every answer."""
        if not context.strip():
            yield Unit(None, "", sys.maxsize)
        elif self.documents_as == "paragraphs":
            yield Unit(None, context, len(context))
        elif "sentences" in paragraph:
            yield from _given_sentences(paragraph, place)
        else:
            for number, (start, end) in enumerate(sentence_spans(context, self.language)):
                yield Unit(number, context[start:end], end)

    def _relevant(self, answers: list[tuple[str, int]], place: Place, context: str, units: list[Unit]) -> list[int]:
        relevant: dict[int, None] = {}
        for text, given in answers:
            start = self._start(context, text, given)
            if start == _NOWHERE:
                continue
            holder = next((number for number, unit in enumerate(units) if 0 <= start < unit.end), None)
            if holder is None:
                problem = f"answer_start {start} is outside the paragraph's {len(context)} characters"
                raise place.error(problem, "correct the offset")
            relevant[holder] = None
        return list(relevant)

    def _start(self, context: str, text: str, given: int) -> int:
        """Where the answer stands: at its offset, else the nearest place that holds it, else the offset is trusted.

        In SQuAD-it every wrong offset (98) has the answer's text elsewhere in its paragraph, and where that is one
        sentence only the offset points into another one in 64 of 70 cases; in CMRC 2018 the text is one or two
        characters away. An answer without an offset that stands nowhere is in its paragraph, but in no sentence of it.
        """
        if not text or not context or (given >= 0 and context.startswith(text, given)):
            return given
        places = [context.rfind(text, 0, max(given, 0) + len(text)), context.find(text, max(given, 0))]
        there = [place for place in places if place >= 0]
        if there:
            self.skipped.lose(
                "", "answers do not stand at their answer_start; the nearest place where they do is taken"
            )
            return min(there, key=lambda place: abs(place - given))
        if given == _NOWHERE and self.documents_as == "sentences":
            self.skipped.lose("answers", "answers left out: they stand nowhere in their paragraph (answer_start -1)")
            return _NOWHERE
        if given == _NOWHERE:
            return 0
        if "".join(context[given : given + 2 * len(text)].split()).startswith("".join(text.split())):
            return given
        self.skipped.lose("", "answers stand nowhere in their paragraph; their answer_start is trusted")
        return given


def _given_sentences(paragraph: Json, place: Place) -> Iterator[Unit]:
    sentences, breaks = (place.member(paragraph, key, list) for key in ("sentences", "sentence_breaks"))
    pairs = all(isinstance(pair, list) and [type(end) for end in pair] == [int, int] for pair in breaks)
    if len(sentences) != len(breaks) or not pairs:
        problem = f"sentence_breaks do not fit the {len(sentences)} sentences"
        raise place.error(problem, "give one [start, end] pair per sentence")
    for number, (sentence, (_, end)) in enumerate(zip(sentences, breaks, strict=True)):
        text = place._replace(place=f"{place.place}.sentences[{number}]").text(str(sentence))
        yield Unit(number, text if text.strip() else "", end)


def _answers(question: Json, place: Place) -> Iterator[tuple[str, int]]:
    given = question.get("answers")
    if isinstance(given, dict):
        texts, starts = (place.member(given, key, list) for key in ("text", "answer_start"))
        if len(texts) != len(starts):
            raise place.error(f"{len(texts)} answers at {len(starts)} places")
        given = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
    for answer in place.member({"answers": given}, "answers", list):
        text, start = place.member(answer, "text", str), answer.get("answer_start")
        numeral = isinstance(start, str) and start.isascii() and start.isdigit() and len(start) < 10  # as in TQuAD
        yield text, int(start if numeral else place.member(answer, "answer_start", int))


def sentence_spans(text: str, language: str) -> list[tuple[int, int]]:
    """Character spans ``[start, end)`` of the sentences of ``text``, in order; only white space lies between them.

    The rules are those of Wikimedia's ``sentencex``, which need no model; it has others to fall back to for languages
    without their own.
    """
    spans = []
    start = 0
    for piece in segment(language, text):
        if piece.strip():
            spans.append((start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())))
        start += len(piece)
    return spans
