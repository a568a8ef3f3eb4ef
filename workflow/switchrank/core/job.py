"""What a rule's script does around its one library call: log, threads, GPUs that no other job holds, short errors."""

import fcntl
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NoReturn

from switchrank.core.errors import EXIT_FAILURE, NoGpuError, UserError, in_one_line

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
            locks.enter_context(lock)
        yield ",".join(f"cuda:{number}" for number, _ in held)


def hold_free(names: Sequence[str], count: int, folder: str | Path | None = None) -> list[tuple[int, IO[str]]]:
    """Lock the first ``count`` of the named GPUs that nobody holds, or none; returns their numbers and locks.

    A lock lasts until its file is closed or the process ends. By default the files are where all users of the machine
    share them, whatever their TMPDIR.

    Raises:
        NoGpuError: there are fewer names, or too many are held.
        UserError: a lock file cannot be opened.
    """
    if names and len(names) < count:
        problem = f"{count} processes need a GPU each, and {len(names)} are visible"
        raise NoGpuError("train", "processes", problem, "train with fewer, or where there are as many")
    held: list[tuple[int, IO[str]]] = []
    with ExitStack() as locks:
        for number, name in enumerate(names):
            lock = _try_lock(Path(folder or _SHARED) / f"switchrank-gpu-{name}.lock")
            if lock is not None:
                held.append((number, locks.enter_context(lock)))
            if len(held) == count:
                locks.pop_all()
                return held
    which = f"all but {len(held)} of" if held else "all"
    problem = f"{which} {len(names)} visible GPUs are held by other jobs" if names else "no GPU is visible"
    raise NoGpuError("device", "cuda", problem, "allow fewer GPU jobs at once: --resources gpu=N, 0 for the CPU")


def _try_lock(path: Path) -> IO[str] | None:
    try:
        lock = os.fdopen(_open_lock(path), "r+", encoding="utf-8")
    except OSError as error:
        raise UserError(path, "", f"cannot be opened: {error.strerror}", "remove it") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _open_lock(path: Path) -> int:
    """Open a lock file that the users of the machine share; never what somebody else's link points to.

    It is created only if it does not exist: in a sticky folder Linux refuses to open another user's file with O_CREAT.
    """
    flags = os.O_RDWR | os.O_NOFOLLOW
    with suppress(FileNotFoundError):
        return os.open(path, flags)
    try:
        made = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:  # by another job, just now
        return os.open(path, flags)
    os.fchmod(made, 0o666)  # whatever our umask
    return made
