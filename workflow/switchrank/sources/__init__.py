"""Sources: collections of any supported format become the same tables of documents, queries and judgements.

Nothing after this room knows where a text came from. :mod:`~switchrank.sources.spec` says what a collection is,
:mod:`~switchrank.sources.readers` which function reads which format,
:mod:`~switchrank.sources.split` cuts the development set, :mod:`~switchrank.sources.build` writes the tables, and
:mod:`switchrank.sources.world` makes up a small world of languages for demonstrations and tests.
"""
