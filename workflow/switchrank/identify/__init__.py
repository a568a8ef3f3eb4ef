"""What a file or folder of a stranger is, by its content: format, rows, languages, what is wrong, the config entry.

A kind of file (:mod:`~switchrank.identify.kinds`) is told by its beginning and then read by the reader that would read
it in a run, which is told to go on behind a row that it cannot use. Kinds of collections are in
``collections/<format>/recognise.py``, all others here.
"""
