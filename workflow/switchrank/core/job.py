"""What a rule's script does around its one library call: log, threads, GPUs that no other job holds, short errors."""

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from switchrank.core.errors import EXIT_FAILURE, NoGpuError, UserError, in_one_line

if TYPE_CHECKING:
    from filelock import BaseFileLock

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "NUMBA_NUM_THREADS",
)

FAILED = "job failed, exit code"
"""How the log of a job ends that met an error."""
_SHARED = "/tmp"
"""Where the locks of GPUs are."""


@contextmanager
def job(snakemake: Any) -> Iterator[Any]:
    """Send standard error to the rule's log, pin the threads of numeric libraries, turn errors into exit codes.

    Import numeric libraries inside the block: their thread counts are read from the environment at import.

    ``snakemake`` is the object that Snakemake gives to scripts; of it ``log`` and ``threads`` are used.
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
            _fail(in_one_line(error))


@contextmanager
def terminal() -> Iterator[Callable[[str], None]]:
    """What prints where Snakemake prints, if anybody still reads it, for results; enter it before :func:`job`."""
    with open(os.dup(1), "wb", buffering=0) as stream:

        def show(text: str) -> None:
            with suppress(OSError):
                stream.write(text.encode())

        yield show


def _opened(path: str) -> IO[str]:
    try:
        return Path(path).open("w", encoding="utf-8")
    except OSError as error:
        _fail(UserError(path, "", f"cannot be written ({error.strerror})", "make its folder writable, or make room"))


def _keep_last_states(log: IO[str]) -> None:
    """Keep what a terminal would show of rewritten lines: Snakemake prints the whole log.

    The file is overwritten in place and cut, which works on a full disk too.
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


def _fail(told: UserError | None) -> NoReturn:
    """End the process with an error in one line, or with the traceback of one that is no user's."""
    if told:
        print(told, file=sys.stderr)
    else:
        traceback.print_exc()
    code = told.exit_code if told else EXIT_FAILURE
    print(FAILED, code, file=sys.stderr, flush=True)
    os._exit(code)


@contextmanager
def gpu_for_job(allowed: int, processes: int = 1) -> Iterator[str]:
    """Yield ``cpu`` when ``allowed`` is 0, else ``cuda:<n>`` of a visible GPU, held by a file lock inside the block.

    Of several ``processes`` each needs one; their names are separated by commas. GPUs are identified by UUID, so that
    jobs to which a scheduler shows different GPUs under one number do not wait for each other.

    Raises:
        NoGpuError: fewer GPUs are allowed or visible than needed, or too many are held by other jobs.
    """
    if not allowed:
        yield "cpu"
        return
    if allowed < processes:
        problem = f"{processes} processes need a GPU each, and the job may use {allowed}"
        raise NoGpuError("train", "processes", problem, f"--resources gpu={processes}, or fewer processes")
    import torch

    visible = torch.cuda.device_count() if torch.cuda.is_available() else 0
    names = [str(torch.cuda.get_device_properties(n).uuid) for n in range(visible)]
    with ExitStack() as locks:
        held = hold_free(names, processes)
        for _, lock in held:
            locks.callback(lock.release)
        yield ",".join(f"cuda:{number}" for number, _ in held)


def hold_free(names: Sequence[str], count: int, folder: str | Path | None = None) -> "list[tuple[int, BaseFileLock]]":
    """Lock the first ``count`` of the named GPUs that nobody holds, or none; returns their numbers and locks.

    A lock lasts until it is released or the process ends. By default the files are where all users of the machine share
    them, whatever their TMPDIR.

    Raises:
        NoGpuError: there are fewer names, or too many are held.
        UserError: a lock file cannot be opened.
    """
    from filelock import FileLock, Timeout

    if names and len(names) < count:
        problem = f"{count} processes need a GPU each, and {len(names)} are visible"
        raise NoGpuError("train", "processes", problem, "train with fewer, or where there are as many")
    held: list[tuple[int, BaseFileLock]] = []
    with ExitStack() as locks:
        for number, name in enumerate(names):
            path = Path(folder or _SHARED) / f"switchrank-gpu-{name}.lock"
            lock = FileLock(path, timeout=0, mode=0o666, fallback_to_soft=False)  # everybody's; follows no link
            try:
                locks.enter_context(lock)
            except Timeout:
                continue
            except OSError as error:
                raise UserError(path, "", f"cannot be opened: {error.strerror}", "remove it") from error
            held.append((number, lock))
            if len(held) == count:
                locks.pop_all()
                return held
    which = f"all but {len(held)} of" if held else "all"
    problem = f"{which} {len(names)} visible GPUs are held by other jobs" if names else "no GPU is visible"
    raise NoGpuError("device", "cuda", problem, "allow fewer GPU jobs at once: --resources gpu=N, 0 for the CPU")
