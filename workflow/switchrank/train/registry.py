"""Methods of training by name. Each is imported when it is asked for, so a digest of code covers no other method."""

from __future__ import annotations

import difflib
import importlib
import sys
from typing import Any

from switchrank.core.digest import PACKAGE, code_digest, file_digest, value_digest
from switchrank.core.errors import UserError
from switchrank.train.method import Method

_LOOP, _FOLDER = "train.loop", "train.methods"


def known_methods() -> list[str]:
    """The names of all methods that are part of this package."""
    return sorted(file.stem.replace("_", "-") for file in PACKAGE.joinpath(*_FOLDER.split(".")).glob("[a-z]*.py"))


def find_method(name: str) -> type[Method[Any]]:
    """The method of a name, or of ``module:class`` where it is no part of this package.

    Raises:
        UserError: there is none.
    """
    module, _, kind = _place(name).partition(":")
    try:
        found: type[Method[Any]] = getattr(importlib.import_module(module), kind)
    except (ModuleNotFoundError, AttributeError) as error:
        raise UserError("train", "method", f"{name!r} cannot be had: {error}", "write module:class") from error
    return found


def training_code(name: str, *modules: str) -> str:
    """The digest of the code that trains by a method: the loop's, the method's, and that of further modules."""
    module = _place(name).partition(":")[0]
    package, _, inside = module.partition(".")
    if package == PACKAGE.name:
        return code_digest(_LOOP, inside, *modules)
    find_method(name)
    return value_digest([code_digest(_LOOP, *modules), file_digest(str(sys.modules[module].__file__))])


def _place(name: str) -> str:
    if ":" in name:
        return name
    if name not in known_methods():
        close = difflib.get_close_matches(name, known_methods(), 1, 0.5)
        todo = f"did you mean {close[0]}?" if close else f"known are {', '.join(known_methods())}"
        raise UserError("train", "method", f"{name!r} is not known", todo)
    return f"{PACKAGE.name}.{_FOLDER}.{name.replace('-', '_')}:METHOD"
