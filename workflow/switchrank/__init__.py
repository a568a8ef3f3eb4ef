"""switchrank: cross-lingual re-rankers from code-switched English training data.

One subpackage per pipeline stage (``sources embeddings lexicon corpus train rank evaluate report``). Stages never
import each other; they meet in the file formats of :mod:`switchrank.formats` and in the shared modules beside this one.
The library never imports Snakemake.
"""

__version__ = "0.1.0"
