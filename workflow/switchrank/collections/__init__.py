"""Collections: relevance data of others, one folder for each format, with everything that knows the format.

A folder holds ``section.py`` (the keys of the config), ``reader.py`` (how its files become tables) and ``recognise.py``
(how a file of a stranger is told to be of this format, and the config entry that reads it). It is found because it is
there (:mod:`~switchrank.collections.formats`). What formats share lies beside the folders.
"""
