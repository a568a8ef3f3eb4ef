from typing import Literal

from switchrank.collections.section import Mapped


class Parquet(Mapped):
    format: Literal["parquet", "datasets"]
