"""Writes ``plans_by_pot.json``: transport plans by POT, which the tests hold ours against.

POT is not among the packages that are installed for tests; ``pip install POT==0.9.7.post1``, then
``python tests/unit/train/plans_by_pot.py`` writes the file anew.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_suffix(".json")
SETTINGS = [{"eps": 0.05}, {"eps": 0.5}, {"eps": 0.05, "rho": 1.0}, {"eps": 0.1, "rho": 0.2}]


def main() -> None:
    import ot

    rng, cases = np.random.default_rng(5), []
    for settings in SETTINGS:
        sides = [rng.normal(size=(count, 6)) for count in (4, 7)]
        one, other = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides)
        weights = [rng.uniform(0.5, 2, count) for count in (4, 7)]
        a, b = (side / side.sum() for side in weights)
        cost, eps = 1 - one @ other.T, settings["eps"]
        many = {"numItermax": 100_000, "stopThr": 1e-12}
        if "rho" in settings:
            plan = ot.unbalanced.sinkhorn_unbalanced(a, b, cost, eps, settings["rho"], reg_type="entropy", **many)
        else:
            plan = ot.sinkhorn(a, b, cost, eps, method="sinkhorn_log", **many)
        exact = ot.emd(a, b, cost)
        given = {"cost": cost.tolist(), "a": a.tolist(), "b": b.tolist()}
        cases.append({**settings, **given, "plan": plan.tolist(), "exact": exact.tolist()})
    FILE.write_text(json.dumps({"POT": ot.__version__, "cases": cases}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
