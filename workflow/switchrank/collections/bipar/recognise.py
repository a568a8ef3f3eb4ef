import re

from switchrank.collections.squad.recognise import folder_values, is_squad, rows
from switchrank.identify.kinds import VALUES, Sign
from switchrank.identify.source import Source

_ID = re.compile(r"_QUERY_\d+_(?:(CROSS_QEN)|(CROSS_QZH)|(EN)|ZH)$")
_IN_FILE = re.compile(rb'_QUERY_\d+_(?:CROSS_Q)?(?:EN|ZH)"')


def _sides(question: str, _file: str) -> tuple[str, ...]:
    told = _ID.search(question)
    return ("en" if told[1] or told[3] else "zh", "en" if told[2] or told[3] else "zh") if told else ()


def _fits(source: Source) -> bool:
    return is_squad(source) and bool(_IN_FILE.search(source.head))


KINDS = {"bipar": Sign(VALUES, _fits, rows(_sides, lambda _: "of novels in English and Chinese (BiPaR)"))}
FOLDERS = {"bipar-folder": {"sides": folder_values}}
