"""Reads HC4 and NeuCLIR: documents as JSON lines (id, title, text), topics in several languages, qrels.

A line of topics is ``topic_id topics[{lang topic_title topic_description}]`` (hltcoe/patapsco).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from switchrank.collections import records
from switchrank.collections.records import listed, member_objects, member_text, read_records
from switchrank.collections.rows import About, Rows, TextRow, judgement_rows
from switchrank.collections.separate import reader
from switchrank.core.errors import Sieve, UserError


def topic_rows(
    path: str | Path, about: About, *, id: str, text: Sequence[str], codes: Mapping[str, str] = MappingProxyType({})
) -> Iterator[TextRow]:
    """Yield ``(place, qid, text)`` of the topics that exist in the language of ``about``.

    ``id`` and ``text`` are members as :func:`read_topics` takes them; ``codes`` gives the file's code for ours, such as
    ``eng`` for ``en``. UserError if no topic is in the language.
    """
    wanted = codes.get(about.language, about.language)
    known: set[str] = set()
    found = False
    for place, qid, versions in read_topics(path, about, id=id, text=text, only=wanted):
        known |= versions.keys()
        if wanted in versions:
            yield place, qid, versions[wanted]
            found = True
    if not found:
        todo = f"known: {listed(sorted(known)) or 'none'}; give codes: {{{about.language}: ...}}"
        raise UserError(path, "", f"no topic in {wanted}", todo)


def read_topics(
    path: str | Path, about: About, *, id: str, text: Sequence[str], only: str | None = None
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield ``(place, id, text by language)`` of all topics: the member ``id``, and the members ``text`` of a version.

    Of several versions in a language the first counts. Languages are called as in the file; with ``only`` the texts of
    other languages are empty.
    """
    sieve = Sieve(about.defect)
    for place, record in read_records(path, defect=about.defect):
        with sieve:
            versions: dict[str, str] = {}
            for version in member_objects(record, "topics", path, place):
                language = str(version.get("lang"))
                wanted = language not in versions and only in (None, language)
                versions.setdefault(language, member_text(version, text, path, place) if wanted else "")
            yield place, member_text(record, [id], path, place), versions


ROWS = Rows(
    documents=partial(records.text_rows, id="id", text=["title", "text"]),
    queries=partial(topic_rows, id="topic_id", text=["topic_title"]),
    judgements=judgement_rows,
)
read_collection, check_roles = reader(ROWS)
