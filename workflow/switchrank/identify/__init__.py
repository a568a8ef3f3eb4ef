"""What a file or folder is, by its content: format, rows, languages, what is wrong, and the config entry that reads it.

A file is recognised by its beginning and then read by the reader of a run, which goes on after rows that it cannot use.
Kinds of collections are in ``collections/<format>/recognise.py``, all others here.
"""
