from typing import Literal

from switchrank.collections.squad.section import Paragraphs


class Bipar(Paragraphs):
    format: Literal["bipar"]
