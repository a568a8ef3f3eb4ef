"""Collections: relevance data of others, one folder for each format, with everything that is specific to it.

A folder holds ``section.py`` (the keys of the config), ``reader.py`` (how its files become tables) and ``recognise.py``
(what a file of this format looks like; ``kinds.yaml`` has the config entries that read them). It is found because it is
there (:mod:`~switchrank.collections.spec`). What formats share lies beside the folders.
"""
