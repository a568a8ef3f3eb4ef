"""The main table as text: main.txt."""

import re
from collections.abc import Iterator

from tests.recompute.finished import Finished, mean

_TITLE = re.compile(r"(\S+): (\S+) by language pair \(query-document\)")
_CELL = re.compile(r"(\d\.\d{3})[*!]?")


def _cells(lines: list[str]) -> Iterator[tuple[tuple[str, str, str, str], str]]:
    """Each mean of the tables by language pair: test set, metric, system and pair, and the digits that are shown."""
    testset = metric = ""
    columns: list[tuple[str, int, int]] = []
    for line in lines:
        if title := _TITLE.fullmatch(line):
            testset, metric = title.groups()
        elif ": " in line or not line:
            columns = []
            testset = "" if line else testset
        elif line.startswith(" ") and testset:
            ends = [(found[0], found.end()) for found in re.finditer(r"\S+", line)]
            columns = [(pair, before, end) for (pair, end), (_, before) in zip(ends, [("", 0), *ends], strict=False)]
        else:
            system = line.split()[0]
            blank = " " * len(system) + line[len(system) :]
            for pair, start, end in columns:
                if shown := _CELL.fullmatch(blank[start:end].strip()):
                    yield (testset, metric, system, pair), shown[1]


def check_main_text(run: Finished) -> None:
    """Hold every mean over seeds of the tables by language pair against the runs, to the digits that it shows."""
    design = run.design
    unmixed = [name for name, testset in design.testsets.items() if not testset.mixed] or list(design.testsets)
    values: dict[tuple[str, str, str, str], list[float]] = {}
    for series, metrics in run.scores.items():
        swept = design.apart.get(series.system, "").startswith("sweep") and series.system != design.baseline
        if series.testset in unmixed and not swept:
            key = (series.testset, "mrr@10", series.system, f"{series.query_lang}-{series.doc_lang}")
            values.setdefault(key, []).append(mean(metrics["mrr@10"].values()))
    found = list(_cells((run.folder / "tables" / "main.txt").read_text(encoding="utf-8").splitlines()))
    run.equal_sets("main.txt", [key for key, _ in found], values)
    for key, shown in found:
        if key in values:
            run.same(f"main.txt {' '.join(key)}", float(shown), mean(values[key]), 0.0005 + 1e-9)
