"""Coverage-guided fuzzing of every parser: ``python -m tests.fuzz.run [--seconds N] [NAME ...]``, or ``make fuzz``.

Atheris (libFuzzer for Python, https://github.com/google/atheris) changes the samples so that new branches of our code
are reached. Each parser runs in a process of its own, with limits on time and memory per input. What breaks the law of
:func:`tests.fuzz.parsers.check` is kept under ``--out``, and the exit code is 1. Parsers whose bytes Polars decodes are
run by name only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HANG_SECONDS = 20
MEMORY_MB = 3000
LONGEST = 4096


def main() -> int:
    arguments = _arguments()
    if arguments.one:
        _fuzz(arguments.one, arguments.options)
    from tests.fuzz.parsers import PARSERS

    chosen = [parser for parser in PARSERS if parser.name in (arguments.names or [parser.name])]
    chosen = [parser for parser in chosen if arguments.names or not parser.native]
    unknown = set(arguments.names) - {parser.name for parser in PARSERS}
    if unknown or arguments.list:
        print(f"parsers: {', '.join(parser.name for parser in PARSERS)}")
        return 2 if unknown else 0
    broken = [parser.name for parser in chosen if not _run(parser.name, parser.seeds, parser.last, arguments)]
    print(f"{len(chosen)} parsers, {len(broken)} broken" + (f": {', '.join(broken)}" if broken else ""))
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="parsers; all without one")
    parser.add_argument("--seconds", type=int, default=20, help="for each parser")
    parser.add_argument("--out", type=Path, default=Path(".fuzz"), help="where inputs that break a parser are kept")
    parser.add_argument("--list", action="store_true", help="name the parsers and stop")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--options", nargs=argparse.REMAINDER, default=[], help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(name: str, seeds: tuple[bytes, ...], last: bytes, arguments: argparse.Namespace) -> bool:
    """Fuzz one parser in a process of its own; whether it held."""
    kept = arguments.out / name
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate([*seeds, *(seed + last for seed in seeds)]):
            (Path(corpus) / str(number)).write_bytes(seed)
        limits = [f"-max_total_time={arguments.seconds}", f"-timeout={HANG_SECONDS}", f"-rss_limit_mb={MEMORY_MB}"]
        options = [corpus, *limits, f"-max_len={LONGEST}", f"-artifact_prefix={kept}/", "-seed=1"]
        command = [sys.executable, "-m", "tests.fuzz.run", "--one", name, "--options", *options]
        done = subprocess.run(command, text=True, capture_output=True, errors="replace", check=False)
    runs = [line for line in done.stderr.splitlines() if line.startswith("Done ")]
    print(f"{name}: {runs[-1] if runs else f'broken; the input is in {kept}'}", flush=True)
    if done.returncode:
        (kept / "log.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    elif not any(kept.iterdir()):
        kept.rmdir()
    return done.returncode == 0


def _fuzz(name: str, options: list[str]) -> None:
    """Hand one parser to libFuzzer, which ends the process."""
    import atheris

    with atheris.instrument_imports(include=["switchrank"]):
        from tests.fuzz.parsers import PARSERS, check

    parser = next(parser for parser in PARSERS if parser.name == name)
    atheris.Setup([name, *options], lambda content: check(parser, content) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
