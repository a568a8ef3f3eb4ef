"""What mMARCO calls its languages: the file names of the collection say ``german``, everything else here says ``de``.

The names are those of the files that hold the collection (Hugging Face dataset ``unicamp-dl/mmarco``, folder
``data/google``: ``collections/{name}_collection.tsv`` and so on; Bonifacio et al., arXiv 2108.13897). English is MS
MARCO itself. Vietnamese is ``vi`` (ISO 639-1), which the original code of arXiv 2305.05295 writes ``vt``.
"""

MMARCO_NAMES = {
    "ar": "arabic",
    "zh": "chinese",
    "nl": "dutch",
    "en": "english",
    "fr": "french",
    "de": "german",
    "hi": "hindi",
    "id": "indonesian",
    "it": "italian",
    "ja": "japanese",
    "pt": "portuguese",
    "ru": "russian",
    "es": "spanish",
    "vi": "vietnamese",
}
"""ISO 639-1 code to the name in mMARCO's file names."""
FIRST_VERSION = ["en", "zh", "fr", "de", "id", "it", "pt", "ru", "es"]
"""Languages of version 1, which was translated with Helsinki-NLP's models: eight, and English."""
