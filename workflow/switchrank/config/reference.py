"""The JSON schema of a config file and the key reference in ``config/README.md``, both generated from the models."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from switchrank.collections.section import CollectionSection, Exclusion, Instances, JudgementColumns, TextColumns
from switchrank.collections.sections import FORMATS
from switchrank.config import bitext, lexicons, models, systems
from switchrank.core.atomic import atomic_path

BEGIN, END = "<!-- begin generated reference -->", "<!-- end generated reference -->"
SECTIONS: list[tuple[str, type[BaseModel]]] = [
    ("(top level)", models.Config),
    ("languages", models.Languages),
    ("world", models.World),
    ("downloads.<path>", models.Download),
    *((f"collections.<name> (format: {name})", section) for name, section in FORMATS.items()),
    ("collections.<name>.documents and .queries (formats tsv, parquet)", TextColumns),
    ("collections.<name>.judgements (formats tsv, parquet)", JudgementColumns),
    ("collections.<name> (every format)", CollectionSection),
    ("collections.<name>.instances", Instances),
    ("collections.<name>.exclude", Exclusion),
    ("bitext.<name>", bitext.Bitext),
    ("vectors", lexicons.Vectors),
    ("vectors.languages.<language>", lexicons.VectorSource),
    ("vectors.training", lexicons.VectorTraining),
    ("vectors.alignment", lexicons.Alignment),
    ("lexicons.<name> (kind: vectors)", lexicons.VectorsLexicon),
    ("lexicons.<name> (kind: encoder; the keys of kind vectors, and these)", lexicons.EncoderLexicon),
    ("lexicons.<name> (kind: titles)", lexicons.TitlesLexicon),
    ("lexicons.<name> (kind: dictionary); gold.<name>.<pair> has the first four keys", lexicons.DictionaryLexicon),
    ("lexicons.<name> (kind: degraded)", lexicons.DegradedLexicon),
    ("lexicons.<name> (kind: merged)", lexicons.MergedLexicon),
    ("corpora.<name>", models.Corpus),
    ("systems.<name>", systems.System),
    ("systems.<name>.test", systems.Testing),
    (
        "systems.<name>.train, starts.<name>.train (keys of train, but device, processes, threads, or of dual or late)",
        systems.Changes,
    ),
    ("sweeps.<name>", systems.Sweep),
    ("start", systems.Start),
    ("starts.<name> (start's keys model, preset, init, seed and vocabulary, and these)", systems.NamedStart),
    ("start.extend, starts.<name>.extend", systems.Extension),
    ("start.repair, starts.<name>.repair", systems.Repair),
    ("start.tokenizer", systems.Tokenizer),
    ("train", systems.Train),
    ("dual", systems.Dual),
    ("late", systems.Late),
    ("start.first (train's keys, and these)", systems.Warmup),
    ("ablation", systems.Ablation),
    ("ablation.train (train's keys, with these defaults)", systems.Tuning),
    ("testsets.<name>", models.Testset),
    ("testsets.<name>.candidates", models.Candidates),
    ("rank", models.Rank),
    ("evaluate", models.Evaluate),
]


def _section(title: str, model: type[BaseModel]) -> str:
    schema = model.model_json_schema(by_alias=True)
    inherited = _inherited(model)
    own = {name: field for name, field in model.model_fields.items() if name not in inherited}
    if not own:
        return f"### {title}\n"
    lines = [f"### {title}", "", "| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in own.items():
        key = field.alias or name
        kind = _type(schema["properties"][key], schema.get("$defs", {})).replace("|", "\\|")
        pointer = "says which keys apply" if key in {"format", "kind"} else f"see the section {key}"
        meaning = (field.description or pointer).replace("|", "\\|")
        lines.append(f"| `{key}` | {kind} | {_default(field.get_default(call_default_factory=True))} | {meaning} |")
    return "\n".join(lines) + "\n"


def _inherited(model: type[BaseModel]) -> set[str]:
    """Keys that a section shares with others and that are explained there."""
    if model in (systems.Warmup, systems.Changes):
        return {name for kind in systems.TRAININGS.values() for name in kind.model_fields}
    if model is systems.NamedStart:
        return set(systems.FirstWeights.model_fields)
    if model is lexicons.EncoderLexicon:
        return set(lexicons.InducedLexicon.model_fields)
    shared = issubclass(model, CollectionSection) and model is not CollectionSection
    return set(CollectionSection.model_fields) if shared else set()


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, systems.Changes):
        return "as in `train`"
    if isinstance(value, BaseModel):
        return "see its section"
    return f"`{json.dumps(value)}`"


def _type(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in schema or "oneOf" in schema:
        return "section"
    if "anyOf" in schema:
        return " or ".join(_type(option, definitions) for option in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{value if isinstance(value, str) else json.dumps(value)}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'], definitions)}"
    if schema.get("type") == "object":
        values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties", {})]
        return f"mapping of {_type(values[0], definitions)}"
    kind = str(schema.get("type", "section"))
    return "nothing" if kind == "null" else kind


def update(root: Path, *, write: bool) -> list[str]:
    """The generated files under ``root`` that differ from the models; with ``write`` they are brought up to date."""
    readme = root / "config" / "README.md"
    schema = json.dumps(models.Config.model_json_schema(by_alias=True), indent=1, sort_keys=True)
    reference = "\n".join(_section(title, model) for title, model in SECTIONS)
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    wanted = {
        root / "config" / "schema" / "config.schema.json": f"{schema}\n",
        readme: f"{before}{BEGIN}\n{reference}{END}{after}",
    }
    stale = [file for file, text in wanted.items() if not file.is_file() or file.read_text(encoding="utf-8") != text]
    for file in stale if write else []:
        with atomic_path(file) as temporary:
            temporary.write_text(wanted[file], encoding="utf-8")
    return [file.relative_to(root).as_posix() for file in stale]
