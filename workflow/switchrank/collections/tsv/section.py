from typing import Any, Literal, Self

from pydantic import Field, model_validator

from switchrank.collections.section import Mapped
from switchrank.config.sections import listed


class Tsv(Mapped):
    format: Literal["tsv"]
    separator: str = Field("\t", min_length=1, description="between columns; with `,` or `;` fields may be quoted")
    header: bool = Field(True, description="the first line names the columns; false: they are numbered from 1")

    def options(self) -> dict[str, Any]:
        layout = {"separator": self.separator, "header": self.header}
        return {name: shape | layout for name, shape in super().options().items()}

    @model_validator(mode="after")
    def _numbers(self) -> Self:
        used = [name for shape in super().options().values() for given in shape.values() for name in listed(given)]
        wrong = [name for name in used if not (name.isdecimal() and int(name) > 0)]
        if not self.header and wrong:
            raise ValueError(f"column {wrong[0]} without a header: write its number, from 1")
        return self
