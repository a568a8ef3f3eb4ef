from typing import Any, Literal

from pydantic import Field

from switchrank.collections.section import Untranslated
from switchrank.config.sections import Distinct, LanguageList, Name


class Joined(Untranslated):
    format: Literal["joined"]
    of: Distinct[Name] = Field(description="collections to put together; ids become `<collection>:<id>`", min_length=2)
    languages: LanguageList = Field(["en"], description="languages of the documents, which every part has")

    @property
    def splits(self) -> list[str]:
        """Training text only: each part keeps the development set that was cut from it."""
        return ["train"]

    def options(self) -> dict[str, Any]:
        return {"of": self.of}

    def spec(self, source: str) -> dict[str, Any]:
        """The specification; nothing is cut, for the parts bring both sets."""
        return super().spec(source) | {"splits": ["train", "dev"], "dev": 0.0, "labels": 0.0}
