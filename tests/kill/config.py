"""The smoke config made smaller: every stage is left, and a run takes less than a minute."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.conftest import SMOKE

DROPPED = ("sweeps",)
KEPT = {
    "collections": {"world"},
    "lexicons": {"clwe", "titles"},
    "corpora": {"english", "ml-cs"},
    "systems": {"zero-shot", "ml-cs"},
    "testsets": {"world"},
}
PAIRS = "id\tquery\tdocument\town_model\nen-en\ten\ten\tno\nen-qaa\ten\tqaa\tno\nqaa-qaa\tqaa\tqaa\tno\n"


def write_config(folder: Path) -> Path:
    """Write the config and its tables into a folder, and return the config's path."""
    data = yaml.safe_load(SMOKE.read_text())
    for section in DROPPED:
        del data[section]
    for section, names in KEPT.items():
        data[section] = {name: value for name, value in data[section].items() if name in names}
    data["languages"] = {"source": "en", "seen": ["qaa"]}
    data["collections"]["world"]["languages"] = ["en", "qaa"]
    data["vectors"]["languages"] = {name: data["vectors"]["languages"][name] for name in ("en", "qaa")}
    for step in ("first", "transplant"):
        del data["start"][step]
    del data["start"]["tokenizer"]["texts"]
    data["evaluate"]["setups"] = ["map"]  # without a pool there are no ranks by language
    data["train"] |= {"steps": 60, "eval_every": 30}
    data["testsets"]["world"]["pairs"] = str(folder / "pairs.tsv")
    (folder / "pairs.tsv").write_text(PAIRS)
    (folder / "kill.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    return folder / "kill.yaml"
