from switchrank.collections.miracl.reader import ROWS
from switchrank.identify.kinds import json_lines, texts

KINDS = {"documents-jsonl": json_lines(("docid", "text"), texts(ROWS.documents))}
