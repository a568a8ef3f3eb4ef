"""What a rule's script does around its one library call: log file, threads, and errors as one line."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NoReturn

from switchrank.core.errors import EXIT_FAILURE, UserError, in_one_line

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "NUMBA_NUM_THREADS",
)

FAILED = "job failed, exit code"
"""How the log of a job ends that met an error."""


@contextmanager
def job(snakemake: Any) -> Iterator[Any]:
    """Send standard error to the rule's log, pin the threads of numeric libraries, turn errors into exit codes.

    Import numeric libraries inside the block: their thread counts are read from the environment at import.

    Args:
        snakemake: the object Snakemake injects into scripts (``log``, ``threads``).
    """
    threads = str(snakemake.threads)
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, threads))
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    with _opened(snakemake.log[0]) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield snakemake
        except Exception as error:
            _keep_last_states(log)
            told = in_one_line(error)
            if told is None:
                traceback.print_exc()
                _fail(EXIT_FAILURE)
            print(told, file=sys.stderr)
            _fail(told.exit_code)


@contextmanager
def terminal() -> Iterator[Callable[[str], None]]:
    """What prints where Snakemake prints, if anybody still reads it; for results that people wait for.

    Enter it before :func:`job`.
    """
    with open(os.dup(1), "wb", buffering=0) as stream:

        def show(text: str) -> None:
            with suppress(OSError):
                stream.write(text.encode())

        yield show


def _opened(path: str) -> IO[str]:
    """The log file; if it cannot be written, the job ends with one line."""
    try:
        return Path(path).open("w", encoding="utf-8")
    except OSError as error:
        told = UserError(path, "", f"cannot be written ({error.strerror})", "make its folder writable, or make room")
        print(told, file=sys.stderr)
        _fail(told.exit_code)


def _keep_last_states(log: IO[str]) -> None:
    """Keep what a terminal would show of lines that were rewritten: Snakemake prints the whole log.

    What follows begins a new line. The file is overwritten in place and cut, which works on a full disk too.
    """
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
        lines = Path(log.name).read_bytes().split(b"\n")
        kept = b"\n".join(line.rstrip(b"\r").rpartition(b"\r")[2] for line in lines)
        kept += b"\n" if lines[-1] else b""
        os.pwrite(log.fileno(), kept, 0)
        os.ftruncate(log.fileno(), len(kept))
        os.lseek(log.fileno(), 0, os.SEEK_END)


def _fail(code: int) -> NoReturn:
    print(FAILED, code, file=sys.stderr, flush=True)
    os._exit(code)
