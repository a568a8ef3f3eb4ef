"""What AfriQA calls its languages, such as ``swa`` for ``sw``, and which language a language's passages are in.

The names are those of the repository masakhane-io/afriqa (folder ``data``; Ogundepo et al. 2023, arXiv 2305.06897).
"""

AFRIQA_NAMES = {
    "bem": "bem",
    "fon": "fon",
    "ha": "hau",
    "ig": "ibo",
    "rw": "kin",
    "sw": "swa",
    "tw": "twi",
    "wo": "wol",
    "yo": "yor",
    "zu": "zul",
}
"""Language code (ISO 639-1 where there is one) to the code in AfriQA's file names (ISO 639-3)."""
AFRIQA_PIVOTS = {"fon": "fr", "wo": "fr"}
"""Languages whose questions were translated to French and answered from French Wikipedia; the others: English."""


def file_language(name: str) -> str:
    """Our code of a language that AfriQA's files call ``name``."""
    return next((code for code, called in AFRIQA_NAMES.items() if called == name), name)


def afriqa_pivot(language: str) -> str:
    """The language of the passages and of the translated questions."""
    return AFRIQA_PIVOTS.get(language, "en")
