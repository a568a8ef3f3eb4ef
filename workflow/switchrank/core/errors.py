"""Errors a user can act on, and the process exit codes that other people's scripts read."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

EXIT_FAILURE = 1
EXIT_USER = 2
EXIT_NO_GPU = 75
EXIT_TERMINATED = 143

_NO_MEMORY = re.compile("can't allocate memory|out of memory")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class UserError(Exception):
    """A mistake in what the user gave: printed as one line ``file: place: problem: what to do``, exit code 2.

    Control characters, which may come from the user's files, are replaced by spaces.

    Args:
        file: the file (or config file) that holds the mistake.
        place: where in it: ``line 7``, a key path such as ``corpora.ml-cs.p``, a row id.
        problem: what is wrong, with the offending value.
        todo: what to do about it.
        listed: everything that it concerns, such as all files that are missing: a line each, after the first.
    """

    exit_code = EXIT_USER

    def __init__(self, file: str | Path, place: str, problem: str, todo: str, listed: Sequence[str] = ()) -> None:
        self.file, self.place, self.problem, self.todo, self.listed = str(file), place, problem, todo, tuple(listed)
        first = ": ".join(part for part in (self.file, place, problem, todo) if part)
        super().__init__("\n  ".join(_CONTROL.sub(" ", line) for line in (first, *self.listed)))

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), (self.file, self.place, self.problem, self.todo, self.listed)


Defect = Callable[[UserError], object]
"""What a reader does with a row that it cannot use."""


def refuse(error: UserError) -> NoReturn:
    """Stop at the first such row, as readers do unless told otherwise."""
    raise error


@dataclass(frozen=True)
class Sieve:
    """``with sieve:`` around the reading of a row hands one that cannot be used to ``defect``, and goes on after it."""

    defect: Defect = refuse

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, UserError):
            self.defect(error)
        return isinstance(error, UserError)


class Mistakes(UserError):
    """Several mistakes that were found together: a line each; file, place and advice are those of the first."""

    def __init__(self, found: Sequence[UserError]) -> None:
        first = found[0]
        super().__init__(first.file, first.place, first.problem, first.todo, first.listed)
        self.found = tuple(found)

    def __str__(self) -> str:
        return "\n".join(map(str, self.found))

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), (self.found,)


def each(error: UserError) -> Sequence[UserError]:
    """The mistakes that an error consists of."""
    return error.found if isinstance(error, Mistakes) else [error]


def raise_all(found: Iterable[UserError]) -> None:
    """Raise the mistakes that were found, if any, each line of them once."""
    distinct = list({str(one): one for mistake in found for one in each(mistake)}.values())
    if distinct:
        raise distinct[0] if len(distinct) == 1 else Mistakes(distinct)


class NoGpuError(UserError):
    """A GPU was demanded and none is visible or free; exit code 75, so that a scheduler may try again elsewhere."""

    exit_code = EXIT_NO_GPU


class OutOfMemoryError(UserError):
    """The machine has less memory than the work needs; exit code 1, since nothing that was given is wrong."""

    exit_code = EXIT_FAILURE


def in_one_line(error: Exception) -> UserError | None:
    """An error as one line for the user: a UserError itself, or that memory ran out; None for any other."""
    if isinstance(error, UserError):
        return error
    said = " ".join(str(error).split())
    # torch has no class of its own for the CPU, and its message ends in a trace of C++ functions.
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _NO_MEMORY.search(said)):
        why = said.partition(" Exception raised from")[0]
        problem = f"out of memory ({why})" if why else "out of memory"
        return OutOfMemoryError("memory", "", problem, "give the job more (mem_mb), or take a machine with more of it")
    return None
