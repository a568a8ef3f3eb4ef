"""Translation probabilities as Patapsco reads them for probabilistic structured queries (PSQ).

A table is one JSON object of objects, ``{"cat": {"gato": 0.8, "felino": 0.2}}``, as ``psq_table.json`` in
https://github.com/hltcoe/patapsco; Darwish and Oard 2003 (doi:10.1145/860435.860497) describe what it is for.
"""

from collections.abc import Iterator
from pathlib import Path

from switchrank.files.json_values import Place, read_json

_WANTED = 'write {"source": {"target": probability}}'
_ROUNDING = 1e-6
"""So much may a probability exceed 1, as sums of rounded numbers do."""


def read_probabilities(path: str | Path) -> Iterator[tuple[str, str, float]]:
    """Yield source, target and probability in file order, those of probability 0 too.

    UserError: the file is missing or damaged, is not such an object, or a number in it is no probability.
    """
    table = read_json(path, _WANTED)
    if not isinstance(table, dict):
        raise Place(path, "", _WANTED).error("no JSON object of source words")
    for source, translations in table.items():
        place = Place(path, f"word {source[:60]!r}", _WANTED)
        place.text(source)
        if not isinstance(translations, dict):
            raise place.error("no object of target words")
        for target, probability in translations.items():
            if type(probability) not in (int, float) or not 0 <= probability <= 1 + _ROUNDING:
                raise place.error(f"{target[:60]!r} has {str(probability)[:60]!r}, which is no probability")
            yield source, place.text(target), float(probability)
