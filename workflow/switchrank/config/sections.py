"""What sections of a config file share: the strict base model, types of keys, and checks of names."""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from string import Formatter
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from switchrank.core.errors import UserError
from switchrank.core.limits import LARGEST

MIXED = "xx"
LANGUAGE = r"^[a-z]{2,3}$"
_SUBTAGS = re.compile(r"([A-Za-z]{2,3})([-_][A-Za-z0-9]+)*")
T = TypeVar("T")


def language_advice(code: str) -> str:
    """What to write in place of a language code that is none of ours, such as ``pt-br``, ``zh_Hant`` or ``DE``."""
    found = _SUBTAGS.fullmatch(code)
    if not found:
        return "write two or three small letters, as in ISO 639: de, swa"
    plain = f"write {found[1].lower()}"
    return plain + ("; a second variety of it gets a code of its own, from qaa to qtz" if found[2] else "")


def _not_mixed(code: str) -> str:
    if code == MIXED:
        raise ValueError(f"{MIXED} stands for sides of mixed languages: write the code of a language")
    return code


def _each_once(values: list[T]) -> list[T]:
    again = [value for place, value in enumerate(values) if value in values[:place]]
    if again:
        raise ValueError(f"{again[0]} twice: name each once")
    return values


Distinct = Annotated[list[T], AfterValidator(_each_once)]
"""A list that names nothing twice."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Language = Annotated[str, StringConstraints(pattern=LANGUAGE), AfterValidator(_not_mixed)]
LanguageList = Annotated[Distinct[Language], Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]
OpenShare = Annotated[float, Field(ge=0, lt=1)]
DevShare = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=LARGEST)]
Whole = Annotated[int, Field(ge=0, le=LARGEST)]
Seed = Whole
Split = Literal["train", "test"]


class Section(BaseModel):
    """A mapping of the config file: unknown keys are errors, nothing is coerced, texts are not empty."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False, str_min_length=1
    )

    def _refuse(self, keys: Collection[str], where: str, todo: str) -> None:
        for key in sorted(self.model_fields_set & {*keys}):
            raise ValueError(f"{key} {where}: {todo}")

    def plain(self, *leave_out: str) -> dict[str, Any]:
        """The section as plain JSON values, without the keys named."""
        return self.model_dump(mode="json", by_alias=True, exclude=set(leave_out))


Finding = tuple[str, str, str]
"""Key path, what is wrong there, what to do."""


def listed(given: str | Iterable[str] | None) -> list[str]:
    """The values of a key that takes none, one or several."""
    return [given] if isinstance(given, str) else list(given or ())


def known_names(place: str, what: str, given: str | Iterable[str] | None, allowed: Iterable[str]) -> Iterator[Finding]:
    """Names that are not declared, each with the nearest one; codes of languages are too short for that."""
    allowed = list(allowed)
    for value in [name for name in listed(given) if name not in allowed]:
        close = [] if "language" in what else difflib.get_close_matches(value, allowed, 1, 0.5)
        hint = f"did you mean {close[0]}?" if close else f"declared: {', '.join(allowed) or 'none'}"
        yield place, f"unknown {what} {value}", hint


def known_placeholders(place: str, given: str | Iterable[str] | None, known: Collection[str] = ()) -> Iterator[Finding]:
    """What is wrong with braces in paths: they are not paired, or what they hold is not among the known names."""
    todo = f"known: {{{'}, {'.join(known)}}}" if known else "nothing is filled in here: write the path out"
    for path in listed(given):
        try:
            used = [field for _, field, _, _ in Formatter().parse(path) if field is not None]
        except ValueError as error:
            yield place, f"{path}: {error}", "pair the braces"
        else:
            yield from ((place, f"unknown placeholder {{{field}}}", todo) for field in used if field not in known)


def refused(place: str, check: Callable[..., object], *given: Any, **named: Any) -> Iterator[Finding]:
    """What the check of a job says about what it is given; the key that it names stands below ``place``."""
    try:
        check(*given, **named)
    except UserError as error:
        yield ".".join(part for part in (place, error.place) if part), error.problem, error.todo


def suffix_of(sweep: str, value: object) -> str:
    """What a value adds to the names of its corpus, lexicon and system."""
    return f"{sweep}-{re.sub('[^a-z0-9]+', '-', text_of(value).lower()).rstrip('-')}"


def text_of(value: object) -> str:
    """A value as it stands in tables."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def made_of(name: str, parts: Callable[[str], Iterable[str | None]], known: Iterable[str]) -> set[str]:
    """The names that one is made of, at any number of steps; its own among them if it is made of itself."""
    found: set[str] = set()
    todo = [name]
    while todo:
        new = {part for part in parts(todo.pop()) if part is not None and part in known} - found
        found |= new
        todo += new
    return found
