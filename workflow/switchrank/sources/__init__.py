"""Sources: collections of any supported format become the same tables of documents, queries and judgements.

No later stage knows where a text came from. :mod:`switchrank.collections` knows the formats,
:mod:`~switchrank.sources.build` cuts development sets and writes the tables, and :mod:`switchrank.sources.world` makes
up a small world of languages for demonstrations and tests.
"""
