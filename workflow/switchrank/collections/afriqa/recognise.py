import re
from collections.abc import Iterator

from switchrank.collections.afriqa.names import file_language
from switchrank.collections.afriqa.reader import all_records
from switchrank.identify.kinds import Look, Row, json_lines


def _rows(path: str, look: Look) -> Iterator[Row]:
    bare = 0
    for place, record in all_records(path, look.problems.take):
        bare += not record.context
        yield place, record.name, (record.question, record.translation)
    look.found.counts |= {"without a passage (context is null): skipped": bare} if bare else {}
    look.found.values["side"] = _pair(look.source.path.name)


def _pair(name: str) -> str:
    """Query and passage language, as AfriQA's file names tell them."""
    told = re.search(r"afriqa\.([a-z]{2,3})\.([a-z]{2})\.", name)
    return f"{file_language(told[1])}-{told[2]}" if told else "xx-en"


_MEMBERS = ("question_lang", "question_translated", "context", "answer_pivot")
KINDS = {"afriqa-passages": json_lines(_MEMBERS, _rows)}
