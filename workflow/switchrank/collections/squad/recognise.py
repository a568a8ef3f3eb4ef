import re
from collections.abc import Callable, Iterator
from pathlib import Path

from switchrank.collections.squad.reader import Paragraph, SquadFile
from switchrank.identify import languages
from switchrank.identify.found import Found, quoted
from switchrank.identify.kinds import VALUES, Look, Row, Rows, Sign
from switchrank.identify.source import Source

_MLQA = re.compile(r"context-([a-z]{2})-question-([a-z]{2})\b")
Sides = Callable[[str, str], tuple[str, ...]]
"""Languages of questions and paragraphs, as the id of a question or the name of a file tells them."""


def is_squad(source: Source) -> bool:
    """Whether a file starts as a JSON value with questions over paragraphs does."""
    return source.head.lstrip()[:1] == b"{" and b'"paragraphs"' in source.head and b'"data"' in source.head


def rows(sides: Sides, family: Callable[[SquadFile], str]) -> Rows:

    def read(path: str, look: Look) -> Iterator[Row]:
        look.found.languages = languages.from_name(look.source.path)
        file = SquadFile(path, "en", "test", "paragraphs", defect=look.problems.take)
        paragraphs = file.paragraphs()
        for paragraph in paragraphs:
            yield from ((f"question {question.qid}", None, (question.text,)) for question in paragraph.questions)
        look.found.rows = file.skipped.rows["questions"]
        look.found.title = f"questions over paragraphs, {family(file)}"
        _count(file, paragraphs, look)
        _languages(paragraphs, look, sides)

    return read


def _count(file: SquadFile, paragraphs: list[Paragraph], look: Look) -> None:
    """What the reader would leave out is a problem; what it corrects, or leaves out on purpose, is counted."""
    articles = len({paragraph.article for paragraph in paragraphs})
    look.found.counts = {"paragraphs": len(paragraphs), "articles": articles}
    look.found.fields = sorted(name for name in file.members if "." not in name)
    look.found.values["documents"] = "sentences" if "sentences" in file.members else "paragraphs"
    for (kind, reason), count in file.skipped.lost.items():
        if count and kind:
            look.problems.add(f"{count:,} {reason}")
        elif count:
            look.found.counts[reason] = count


def _languages(paragraphs: list[Paragraph], look: Look, sides: Sides) -> None:
    found, questions = look.found, [question for paragraph in paragraphs for question in paragraph.questions]
    told = sides(questions[-1].qid if questions else "", look.source.path.name)
    found.languages = list(dict.fromkeys(told)) or found.languages
    asked = languages.scripts(question.text[:500] for question in questions[:200])
    read = languages.scripts(paragraph.text[:500] for paragraph in paragraphs[:200])
    same = bool(asked and read) and asked[0].partition(" ")[0] == read[0].partition(" ")[0]
    found.scripts = read if same else [f"questions: {' '.join(asked)}", f"paragraphs: {' '.join(read)}"]
    if len(found.languages) == 2 if told else not same:
        found.values |= {"side": "-".join(told) or "xx-yy", "sides": "crossed"}
        if not told:
            found.notes.append("questions are in another script than paragraphs: write both languages for xx-yy")


def _family(file: SquadFile) -> str:
    if "sentences" in file.members:
        return "with sentences (XQuAD-R, MLQA-R)"
    if "qas.is_impossible" in file.members:
        return "some without an answer (SQuAD v2)"
    return "as in SQuAD v1.1 (XQuAD, MLQA, SQuAD-it, TQuAD, ARCD, CMRC, GermanQuAD)"


def _sides(_question: str, file: str) -> tuple[str, ...]:
    """Languages of questions and paragraphs where the name of a file tells them, as in MLQA."""
    mlqa = _MLQA.search(file)
    return (mlqa[2], mlqa[1]) if mlqa else ()


def folder_values(each: dict[str, Path], first: Found) -> dict[str, str]:
    """What the entry of a folder says of its files: those in one language, and those of two, as in MLQA."""
    alone = [f"{code}: {quoted(str(file))}" for code, file in each.items() if "-" not in code]
    crossed = [f"{code}: {quoted(str(file))}" for code, file in each.items() if "-" in code]
    keys = [f"{key}: {{{', '.join(files)}}}" for key, files in (("files", alone), ("crossed", crossed)) if files]
    shared = ["parallel: false"] if crossed and first.format == "squad" else []
    return {"documents": first.values["documents"], "files": "\n    ".join([*keys, *shared])}


KINDS = {"squad": Sign(VALUES + 1, is_squad, rows(_sides, _family))}
FOLDERS = {"squad-folder": {"sides": folder_values}}
