"""Sources: collections of any supported format become the same tables of documents, queries and judgements.

Nothing after this room knows where a text came from. :mod:`switchrank.collections` knows the formats,
:mod:`~switchrank.sources.split` cuts the development set, :mod:`~switchrank.sources.build` writes the tables, and
:mod:`switchrank.sources.world` makes up a small world of languages for demonstrations and tests.
"""
