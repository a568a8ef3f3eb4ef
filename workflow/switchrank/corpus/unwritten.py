"""Corpora that are not written: a record of what one is switched from stands for its texts, beside its statistics.

Whoever reads the record switches the same instances again, a block at a time, and gets the same bytes. The record holds
the digest of each file, so that nothing else is read in their place.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from switchrank.core.atomic import atomic_path
from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.corpus.files import RECORD, write_statistics
from switchrank.corpus.switch import Inputs, Switching
from switchrank.switching.pieces import TOKEN_FILES
from switchrank.switching.recipe import read_recipe


@dataclass(frozen=True)
class Record(Inputs):
    """What a corpus is switched from, the lexicons being those that the recipe needs, and the digest of each file."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    digests: dict[str, str] = field(default_factory=dict)


_RECORD = TypeAdapter(Record)


def _files(inputs: Inputs) -> list[str]:
    tables = [f"{folder}/{file}" for folder in (inputs.queries, inputs.documents) for file in TOKEN_FILES]
    return list(dict.fromkeys(map(str, [inputs.instances, *tables, *inputs.lexicons.values()])))


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

    Paths stand in the record as they are given: whoever reads it starts from the same folder. Arguments, result and
    errors are those of :func:`switchrank.corpus.switch.switch_corpus`.
    """
    checked = read_recipe(recipe, list(lexicons))
    needed = {language: str(lexicons[language]) for language in checked.foreign if language in lexicons}
    inputs = Inputs(str(instances), str(queries), str(documents), needed, checked)
    switching = Switching(inputs, Path(out), threads)
    with progress(total=switching.rows, what="switching train", unit="instances") as bar:
        for _ in switching.corpus(0, switching.rows, threads, bar):
            pass
    stats = switching.statistics(switching.rows)
    record = Record(**vars(inputs), digests={file: file_digest(file) for file in _files(inputs)})
    with atomic_path(Path(out) / RECORD) as path, atomic_path(Path(out) / "stats.json") as counts:
        path.write_bytes(_RECORD.dump_json(record, indent=1) + b"\n")
        write_statistics(stats, counts)
    return stats


def open_record(path: str | Path) -> Switching:
    """What a record of :func:`record_corpus` stands for; nameless files go to its folder.

    UserError if the record or a file that it names is missing, damaged, or changed since the record was made.
    """
    path = Path(path)
    try:
        record = _RECORD.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise UserError(path, "", "no such file", "run the stage that makes it, or correct the path") from error
    except OSError as error:
        raise UserError(path, "", f"cannot be read ({error.strerror})", "make it readable") from error
    except ValidationError as error:
        place, problem = ".".join(map(str, error.errors()[0]["loc"])), error.errors()[0]["msg"]
        raise UserError(path, place, f"not the record of a corpus ({problem})", "delete it and rerun") from error
    read_recipe(asdict(record.recipe))
    for file in _files(record):
        if not Path(file).is_file():
            raise UserError(path, file, "no such file", "start from the folder that holds it, or make it again")
        if file_digest(file) != record.digests.get(file):
            raise UserError(path, file, "has other content than when this corpus was recorded", "make the corpus again")
    return Switching(record, path.parent)
