"""Reads a collection of questions with answers and no passages: relevant is every document that holds an answer.

A role ``questions/<split>`` is a file of one JSON object a line, recognised by the members of its first object:

- NQ-Open (Kwiatkowski et al. 2019; Lee et al. 2019, arXiv 1906.00300): ``question``, ``answer`` (a list), English. A
  question's id is ``<split>-<line>``, lines counted from 1.
- MKQA (Longpre et al. 2021, arXiv 2007.15207; repository apple/ml-mkqa): ``example_id``, ``queries`` and ``answers`` by
  language; an answer has ``type``, ``text`` and ``aliases``. The id is the example_id. Questions that no string in a
  document can answer are left out: unanswerable ones, and those with a long or a yes/no answer.
- AfriQA's questions (folder ``data/queries``): ``question`` and ``translated_question``, ``answers`` and
  ``translated_answer``, lists written as Python writes them, without care for quotation marks. The id is
  ``<split>-<language>-<id>``. Questions without an answer or with yes or no are left out.

The documents are read by another reader. A question belongs to a split when it has a text in all the split's languages.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.collections import records
from switchrank.collections.afriqa.names import afriqa_pivot, file_language
from switchrank.collections.answers import answer_words, judge_by_answers
from switchrank.collections.notes import Skipped, note
from switchrank.collections.rows import with_settings
from switchrank.collections.separate import write_documents
from switchrank.collections.spec import CollectionSpec, Parsed, refuse_triples
from switchrank.core.errors import Defect, Sieve, UserError, refuse
from switchrank.files.json_values import Place, read_json_lines
from switchrank.formats.tables import QUERIES

Json = dict[str, Any]
_WANTED = "give questions of NQ-Open, MKQA or AfriQA, one JSON object a line"
_MKQA_CODES = {"zh": "zh_cn"}
_NO_STRING = {"unanswerable", "long_answer", "binary"}
_YES_NO = {"yes", "no", "oui", "non"}
_QUOTED = re.compile(r"""^(['"])(.*)\1$""", re.DOTALL)
_BETWEEN_QUOTES = re.compile(r"""(?<=['"]),\s*(?=['"])""")

check_roles = refuse_triples


@dataclass(frozen=True)
class OpenQuestion:
    """A question: its id, its texts and its answers by language; no answers where no string can be one."""

    qid: str
    texts: dict[str, str]
    answers: dict[str, list[str]]


def read_collection(
    spec: CollectionSpec, files: Mapping[str, str], folder: Path, *, documents: Mapping[str, Any]
) -> Parsed:
    """Read a collection; ``documents`` are settings of :func:`switchrank.collections.records.text_rows`.

    Training questions that are test questions too, word for word, are left out and counted: MKQA's come from Natural
    Questions.
    """
    reads = with_settings(records.text_rows, documents, "options.documents")
    found = {language: write_documents(spec, files, language, reads, folder) for language in spec.languages}
    asked = {split: _usable(files[f"questions/{split}"], split, spec) for split in spec.splits}
    if {"train", "test"} <= set(asked):
        asked["train"] = _untested(asked["train"], asked["test"], files["questions/train"])
    parsed = Parsed({}, {}, {language: made.rows for language, made in found.items()}, relevance="answer")
    for split, questions in asked.items():
        for language in spec.query_languages(split):
            rows = [(question.qid, question.texts[language], question.qid) for question in questions]
            parsed.queries[split, language] = pl.DataFrame(rows, schema=QUERIES, orient="row")
        for language, made in found.items():
            answers = {question.qid: question.answers.get(language, []) for question in questions}
            judged = judge_by_answers(made.path, answers, what=f"answers {split} {language}")
            parsed.judgements[split, language] = judged
    return parsed


def _usable(path: str, split: str, spec: CollectionSpec) -> list[OpenQuestion]:
    """The questions with a text in every query language, and with an answer, which not all are expected to have."""
    languages, documents = spec.query_languages(split), list(spec.languages)
    kept = []
    skipped = Skipped(path, spec.max_skipped)
    for _, question in read_questions(path, split, [*languages, *documents]):
        skipped.rows["questions"] += 1
        if not any(question.answers.get(language) for language in documents):
            skipped.lose("", "questions left out: no answer string in a document language")
        elif not all(language in question.texts for language in languages):
            skipped.lose("questions", f"questions left out: not in {' and '.join(languages)}")
        else:
            kept.append(question)
    if not kept:
        raise UserError(path, "", f"no question in {', '.join(languages)} with a usable answer", _WANTED)
    skipped.tell()
    return kept


def _untested(training: list[OpenQuestion], test: list[OpenQuestion], path: str) -> list[OpenQuestion]:

    def words(question: OpenQuestion) -> set[tuple[str, ...]]:
        return {tuple(answer_words(text)) for text in question.texts.values()}

    tested = set().union(*map(words, test))
    kept = [question for question in training if tested.isdisjoint(words(question))]
    note(path, len(training) - len(kept), "training questions left out: they are tested on")
    if not kept:
        raise UserError(path, "", "all training questions are tested on", "give other ones")
    return kept


def read_questions(
    path: str | Path, split: str, languages: list[str], defect: Defect = refuse
) -> Iterator[tuple[str, OpenQuestion]]:
    """Yield ``(place, question)`` of a file with what it has in ``languages``.

    A line that is not what the first one says the file is, or repeats an id, goes to ``defect``.
    """
    sieve, seen = Sieve(defect), dict[str, str]()
    read: Callable[[Json, Place, str, list[str]], OpenQuestion] | None = None
    for place, given in read_json_lines(path, _WANTED, defect):
        with sieve:
            read = read or _kind(given, place)
            question = read(given, place, split, languages)
            place.once(question.qid, seen)
            yield place.place, question


def _kind(given: Json, place: Place) -> Callable[[Json, Place, str, list[str]], OpenQuestion]:
    for key, read in (("queries", _mkqa), ("translated_question", _afriqa), ("answer", _nq_open)):
        if key in given:
            return read
    problem = f"neither 'queries' nor 'translated_question' nor 'answer' among {', '.join(sorted(given)) or 'nothing'}"
    raise place.error(problem[:200])


def _texts(values: list[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str) and value.strip()]


def _nq_open(given: Json, place: Place, split: str, _languages: list[str]) -> OpenQuestion:
    text = place.member(given, "question", str)
    answers = _texts(place.member(given, "answer", list))
    qid = f"{split}-{place.place.removeprefix('line ')}"
    return OpenQuestion(qid, {"en": text} if text.strip() else {}, {"en": answers})


def _mkqa(given: Json, place: Place, _split: str, languages: list[str]) -> OpenQuestion:
    qid = place.identifier(given, "example_id")
    queries, answers = place.member(given, "queries", dict), place.member(given, "answers", dict)
    codes = {language: _MKQA_CODES.get(language, language.lower().replace("-", "_")) for language in languages}
    texts = {language: text for language, code in codes.items() for text in _texts([queries.get(code)])}
    return OpenQuestion(
        qid, texts, {language: _mkqa_answers(answers.get(code), place) for language, code in codes.items()}
    )


def _mkqa_answers(given: Any, place: Place) -> list[str]:
    """Answers and their aliases in one language; none for a language that the file does not have."""
    if given is None:
        return []
    strings: list[Any] = []
    for answer in place.member({"answers": given}, "answers", list):
        if place.member(answer, "type", str) not in _NO_STRING:
            aliases = answer.get("aliases")
            strings += [answer.get("text"), *([] if aliases is None else place.member(answer, "aliases", list))]
    return _texts(strings)


def _afriqa(given: Json, place: Place, split: str, _languages: list[str]) -> OpenQuestion:
    language = file_language(place.identifier(given, "lang"))
    pivot = afriqa_pivot(language)
    qid = f"{split}-{language}-{place.identifier(given)}"
    sides = {language: ("question", "answers"), pivot: ("translated_question", "translated_answer")}
    texts = {side: text for side, (key, _) in sides.items() for text in _texts([given.get(key)])}
    answers = {side: _texts(_python_list(given.get(key))) for side, (_, key) in sides.items()}
    unclear = any(answer.strip().casefold() in _YES_NO for answer in answers[pivot])
    return OpenQuestion(qid, texts, {} if unclear else answers)


def _python_list(written: Any) -> list[Any]:
    """The strings of a list written as Python writes it; quotation marks inside a string need not be escaped."""
    if not isinstance(written, str):
        return written if isinstance(written, list) else []
    inner = written.strip().removeprefix("[").removesuffix("]").strip()
    parts = (_QUOTED.sub(r"\2", part) for part in _BETWEEN_QUOTES.split(inner))
    return [part.replace("\\'", "'") for part in parts]
