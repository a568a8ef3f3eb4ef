"""Corpora that are not written: a record of what one is switched from stands for its texts, and its statistics lie by.

Whoever reads the record switches the same instances again, a block at a time, and gets the same bytes: every draw is a
function of seed, side, instance and position. The record holds the digest of each file, so that nothing else is read
in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from switchrank.core.atomic import atomic_path
from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.corpus.files import RECORD
from switchrank.corpus.recipe import Recipe, read_recipe
from switchrank.corpus.switch import Switching, write_statistics
from switchrank.corpus.tokens import TOKEN_FILES


class Record(BaseModel):
    """What a corpus is switched from.

    Attributes:
        instances, queries, documents: a file and the two folders of token tables.
        lexicons: language to lexicon, those that the recipe needs.
        recipe: the whole recipe.
        digests: of each of these files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    instances: str
    queries: str
    documents: str
    lexicons: dict[str, str]
    recipe: Recipe
    digests: dict[str, str] = {}

    @property
    def files(self) -> list[str]:
        """Every file that switching reads, once each."""
        tables = [f"{folder}/{file}" for folder in (self.queries, self.documents) for file in TOKEN_FILES]
        return list(dict.fromkeys([self.instances, *tables, *self.lexicons.values()]))

    def open(self, scratch: Path) -> Switching:
        """Read what the record names; see :meth:`switchrank.corpus.switch.Switching.open`."""
        return Switching.open(
            instances=self.instances,
            queries=self.queries,
            documents=self.documents,
            lexicons=self.lexicons,
            recipe=self.recipe,
            scratch=scratch,
        )


def record_corpus(
    *,
    instances: str | Path,
    queries: str | Path,
    documents: str | Path,
    lexicons: Mapping[str, str | Path],
    recipe: dict[str, Any],
    out: str | Path,
    threads: int = 1,
) -> dict[str, Any]:
    """Write ``on-the-fly.json`` and ``stats.json`` of a corpus, but none of its texts.

    All instances are switched once for the statistics; memory does not grow with their number. Paths stand in the
    record as they are given: whoever reads it starts from the same folder.

    Args:
        instances, queries, documents, lexicons, recipe, threads: see :func:`switchrank.corpus.switch.switch_corpus`.
        out: the folder.

    Returns:
        The statistics.

    Raises:
        UserError: as :func:`switchrank.corpus.switch.switch_corpus`.
    """
    checked = read_recipe(recipe)
    record = Record(
        instances=str(instances),
        queries=str(queries),
        documents=str(documents),
        lexicons={language: str(lexicons[language]) for language in checked.foreign if language in lexicons},
        recipe=checked,
    )
    switching = record.open(Path(out))
    rows = switching.rows
    with ExitStack() as stack, progress(total=rows, what="switching train", unit="instances") as bar:
        for _ in switching.corpus(0, rows, threads, bar):
            pass
        stats = switching.statistics(rows)
        whole = record.model_copy(update={"digests": {file: file_digest(file) for file in record.files}})
        path = stack.enter_context(atomic_path(Path(out) / RECORD))
        path.write_text(whole.model_dump_json(indent=1) + "\n", encoding="utf-8")
        write_statistics(stats, stack.enter_context(atomic_path(Path(out) / "stats.json")))
    return stats


def open_record(path: str | Path) -> Switching:
    """What a record of :func:`record_corpus` stands for; nameless files go to its folder.

    Raises:
        UserError: the record or a file that it names is missing, not what it should be, or has other content than when
            the record was made.
    """
    record = _read(Path(path))
    for file in record.files:
        if not Path(file).is_file():
            raise UserError(path, file, "no such file", "start from the folder that holds it, or make it again")
        if file_digest(file) != record.digests.get(file):
            raise UserError(path, file, "has other content than when this corpus was recorded", "make the corpus again")
    return record.open(Path(path).parent)


def _read(path: Path) -> Record:
    """The record in a file, its recipe checked."""
    try:
        record = Record.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise UserError(path, "", "no such file", "run the stage that makes it, or correct the path") from error
    except OSError as error:
        raise UserError(path, "", f"cannot be read ({error.strerror})", "make it readable") from error
    except ValidationError as error:
        place, problem = ".".join(map(str, error.errors()[0]["loc"])), error.errors()[0]["msg"]
        raise UserError(path, place, f"not the record of a corpus ({problem})", "delete it and rerun") from error
    read_recipe(asdict(record.recipe))
    return record
