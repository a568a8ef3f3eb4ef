"""What all sections of a config file are made of: the strict base model and the types that keys share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Share = Annotated[float, Field(ge=0, le=1)]
OpenShare = Annotated[float, Field(ge=0, lt=1)]
DevShare = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Split = Literal["train", "test"]
MIXED = "xx"


class Section(BaseModel):
    """A mapping of the config file: unknown keys are errors, and nothing is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    def plain(self, *leave_out: str) -> dict[str, Any]:
        """The section as plain JSON values, without the keys named."""
        return self.model_dump(mode="json", by_alias=True, exclude=set(leave_out))
