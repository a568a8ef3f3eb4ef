"""JSON files that are one value: questions over paragraphs as in SQuAD, CLDR names, translation tables."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from switchrank.inspect import languages
from switchrank.inspect.found import SAMPLES, Found, Problems, shorten
from switchrank.inspect.rows import closed
from switchrank.inspect.source import Source

_BIPAR = re.compile(r"_QUERY_\d+_(?:(CROSS_QEN)|(CROSS_QZH)|(EN)|ZH)$")
"""Ids of BiPaR end in the languages of their questions and paragraphs."""
_MLQA = re.compile(r"context-([a-z]{2})-question-([a-z]{2})\b")
LARGEST = 1 << 28
"""Bytes of a JSON value that is read; larger ones are not opened."""


def inspect(source: Source) -> Found | None:
    """What a JSON value is; nothing where the file does not start like one.

    A file that ends in the middle is still named by its start, with nothing counted.
    """
    start = source.head.lstrip()[:1]
    if not source.is_text or start not in {b"{", b"["}:
        return None
    raw = source.whole(LARGEST)
    if raw is None:
        return _unread(source, f"more than {LARGEST >> 20} MB of JSON in one value: not read")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        return _unread(source, source.damage or f"not JSON ({reason})")
    found = _squad(value, source) or _cldr(value) or _translations(value) or _array(value)
    return closed(found, source) if found else None


def _unread(source: Source, problem: str) -> Found | None:
    """A file whose start says what it would be."""
    start = source.head[:20_000]
    if b'"paragraphs"' in start and b'"data"' in start:
        found = Found("squad", "questions over paragraphs, as in SQuAD", "questions")
    elif b'"localeDisplayNames"' in start:
        found = Found("cldr", "names of CLDR", "names")
    else:
        return None
    found.problems.append(problem)
    found.languages = languages.from_name(source.path)
    found.form = source.form
    return found


def _objects(value: Any, name: str) -> Iterator[Mapping[str, Any]]:
    inside = value.get(name) if isinstance(value, dict) else None
    if isinstance(inside, list):
        yield from (part for part in inside if isinstance(part, dict))


def _array(value: Any) -> Found | None:
    """Records in one array, such as questions with their answers."""
    records = [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
    if not records or len(records) < len(value):
        return None
    found = Found("json-array", "records in one JSON array", "records", len(records), fields=list(records[0])[:20])
    found.samples = [shorten(" | ".join(map(str, record.values()))) for record in records[:SAMPLES]]
    return found


def _squad(value: Any, source: Source) -> Found | None:
    articles = list(_objects(value, "data"))
    paragraphs = [paragraph for article in articles for paragraph in _objects(article, "paragraphs")]
    if not paragraphs or not any("qas" in paragraph for paragraph in paragraphs):
        return None
    look = _Questions()
    for paragraph in paragraphs:
        look.paragraph(paragraph)
    found = Found("squad", f"questions over paragraphs, {look.kind}", "questions", look.questions)
    found.counts = {"paragraphs": len(paragraphs), "articles": len(articles)} | look.counts
    found.fields = sorted(look.members)
    found.samples = look.samples
    found.problems = look.problems.told()
    told = _sides(look.last, source.path.name)
    found.format = "bipar" if _BIPAR.search(look.last) else "squad"
    found.languages = list(dict.fromkeys(told)) or languages.from_name(source.path)
    asked, read = languages.scripts(look.asked), languages.scripts(look.read)
    found.scripts = (
        read if asked[:1] == read[:1] else [f"questions: {' '.join(asked)}", f"paragraphs: {' '.join(read)}"]
    )
    found.values["documents"] = "sentences" if look.sentences else "paragraphs"
    crossed = len(found.languages) == 2 if told else _first(asked) != _first(read)
    if crossed:
        found.values["pair"] = "-".join(told) or "xx-yy"
    if crossed and not told:
        found.notes.append("questions are in another script than paragraphs: write both languages for xx-yy")
    return found


def _sides(name: str, file: str) -> tuple[str, ...]:
    """Languages of questions and paragraphs where an id (BiPaR) or the name of the file (MLQA) tells them."""
    if bipar := _BIPAR.search(name):
        return ("en" if bipar[1] or bipar[3] else "zh", "en" if bipar[2] or bipar[3] else "zh")
    mlqa = _MLQA.search(file)
    return (mlqa[2], mlqa[1]) if mlqa else ()


def _first(scripts: list[str]) -> str:
    return scripts[0].partition(" ")[0] if scripts else ""


class _Questions:
    """Counts and checks the paragraphs of a SQuAD-like file."""

    def __init__(self) -> None:
        self.questions, self.sentences, self.unanswerable, self.last = 0, False, False, ""
        self.counts: dict[str, int] = {}
        self.members: set[str] = set()
        self.samples: list[str] = []
        self.asked: list[str] = []
        self.read: list[str] = []
        self.problems = Problems()
        self._ids: set[str] = set()

    @property
    def kind(self) -> str:
        """Which of the family it is."""
        if self.sentences:
            return "with sentences (XQuAD-R, MLQA-R)"
        if self.unanswerable:
            return "some without an answer (SQuAD v2)"
        if _BIPAR.search(self.last):
            return "of novels in English and Chinese (BiPaR)"
        return "as in SQuAD v1.1 (XQuAD, MLQA, SQuAD-it, TQuAD, ARCD, CMRC, GermanQuAD)"

    def paragraph(self, paragraph: Mapping[str, Any]) -> None:
        """Take one paragraph with its questions."""
        context = paragraph.get("context")
        if not isinstance(context, str) or not context.strip():
            self.problems.add("paragraphs without a text")
            context = ""
        if len(self.read) < 200:
            self.read.append(context[:500])
        self.sentences = self.sentences or "sentences" in paragraph
        self.members |= set(paragraph)
        for question in _objects(paragraph, "qas"):
            self._question(question, context)

    def _question(self, question: Mapping[str, Any], context: str) -> None:
        text, name = str(question.get("question") or ""), str(question.get("id"))
        if not text.strip():
            self.problems.add("questions without a text")
        if name in self._ids:
            self.problems.add("questions with the id of another")
        self._ids.add(name)
        self.questions, self.last = self.questions + 1, name
        self.unanswerable = self.unanswerable or "is_impossible" in question
        if len(self.samples) < SAMPLES:
            self.samples.append(shorten(f"{name} | {text} | {context[:60]}"))
        if len(self.asked) < 200:
            self.asked.append(text[:500])
        if question.get("is_impossible"):
            self.counts["without an answer"] = self.counts.get("without an answer", 0) + 1
            return
        answers = list(_objects(question, "answers"))
        if not answers:
            self.problems.add("questions without an answer")
        elif not any(_stands(answer, context) for answer in answers):
            kind = "elsewhere" if any(_near(answer, context) for answer in answers) else "nowhere"
            name = f"answers that stand {kind}" + (" than their offset says" if kind == "elsewhere" else " in the text")
            self.counts[name] = self.counts.get(name, 0) + 1


def _offset(answer: Mapping[str, Any]) -> int:
    try:
        return int(answer.get("answer_start", -1))
    except (TypeError, ValueError, OverflowError):
        return -1


def _stands(answer: Mapping[str, Any], context: str) -> bool:
    start, text = _offset(answer), str(answer.get("text") or "")
    return start >= 0 and context[start : start + len(text)] == text


def _near(answer: Mapping[str, Any], context: str) -> bool:
    return str(answer.get("text") or "") in context


def _cldr(value: Any) -> Found | None:
    """``main.<language>.localeDisplayNames.<kind>`` of CLDR's JSON."""
    main = value.get("main") if isinstance(value, dict) else None
    if not isinstance(main, dict):
        return None
    found = Found("cldr", "names of CLDR", "names")
    for language, part in main.items():
        kinds = part.get("localeDisplayNames") if isinstance(part, dict) else None
        for kind, names in kinds.items() if isinstance(kinds, dict) else ():
            if isinstance(names, dict):
                found.rows += len(names)
                found.counts[kind] = found.counts.get(kind, 0) + len(names)
                found.samples += [shorten(f"{key} | {name}") for key, name in list(names.items())[:SAMPLES]]
                found.scripts = languages.scripts(str(name) for name in names.values())
        found.languages += [languages.code(language) or language]
    found.samples = found.samples[:SAMPLES]
    return found if found.counts else None


def _translations(value: Any) -> Found | None:
    """``{word: {translation: probability}}``."""
    if not isinstance(value, dict) or not value:
        return None
    kinds = Counter(
        isinstance(part, dict) and bool(part) and all(isinstance(number, float | int) for number in part.values())
        for part in value.values()
    )
    if kinds[True] < 0.9 * len(value):
        return None
    found = Found("translation-table", "a table of translations with probabilities (PSQ)", "words", len(value))
    found.counts["translations"] = sum(len(part) for part in value.values() if isinstance(part, dict))
    found.samples = [shorten(f"{word} | {part}") for word, part in list(value.items())[:SAMPLES]]
    return found
