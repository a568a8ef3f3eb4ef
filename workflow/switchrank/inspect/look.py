"""The one question: what is at this path?"""

from __future__ import annotations

from pathlib import Path

from switchrank.inspect.folders import inspect_folder
from switchrank.inspect.found import Found
from switchrank.inspect.registry import inspect_file


def inspect_path(path: str | Path, *, quick: bool = False, what: str | None = None) -> Found:
    """What a file or folder is.

    Raises:
        UserError: it is missing, unreadable, or of no format that is known.
    """
    path = Path(path)
    return inspect_folder(path, quick=quick, what=what) if path.is_dir() else inspect_file(path, quick=quick, what=what)
