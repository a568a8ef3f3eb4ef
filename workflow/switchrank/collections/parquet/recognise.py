"""JSON lines of id and contents, which the format reads too.

Tables are recognised by their first bytes (:mod:`switchrank.identify.binary`).
"""

from functools import partial

from switchrank.collections import records
from switchrank.identify.kinds import json_lines, texts

_documents = texts(partial(records.text_rows, id="id", text=["contents"]))
KINDS = {"documents-jsonl": json_lines(("id", "contents"), _documents)}
