import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from switchrank.collections.section import PAIR, Answered, Untranslated
from switchrank.config.sections import Name, Split


class Afriqa(Answered, Untranslated):
    format: Literal["afriqa"]
    files: dict[Split, Annotated[dict[Name, str], Field(min_length=1)]] = Field(
        description="gold passages by split and pair of query and passage language, such as `{test: {sw-en: ...}}`",
        min_length=1,
    )
    passages: dict[Name, str] = Field(
        {},
        description="further files of which only the passages are searched in, by language of the passages and a name "
        "of yours, such as `{en-train: ...}`",
    )
    titles: bool = Field(False, description="put the title before the text of a passage")

    @property
    def splits(self) -> list[str]:
        return list(self.files)

    @property
    def languages(self) -> list[str]:
        return list(dict.fromkeys(pair.partition("-")[2] for pairs in self.files.values() for pair in pairs))

    @property
    def query_languages(self) -> list[str]:
        return list(dict.fromkeys(lang for pair in self.files.get("test", {}) for lang in pair.split("-")))

    def roles(self, source: str) -> dict[str, str]:
        asked = {
            f"{split}/{pair.replace('-', '/')}": path
            for split, pairs in self.files.items()
            for pair, path in pairs.items()
        }
        more = {f"documents/{name.replace('-', '/', 1)}": path for name, path in self.passages.items()}
        return asked | more

    def options(self) -> dict[str, Any]:
        return {"relevance": self.relevance, "titles": self.titles}

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        for split, pairs in self.files.items():
            for pair in pairs:
                if not PAIR.fullmatch(pair):
                    raise ValueError(f"files.{split}.{pair} is not a pair: write query and passage language: sw-en")
        asked = sorted({pair.partition("-")[0] for pair in self.files.get("test", {})})
        if len(asked) > 1:
            problem = f"test questions in {' and '.join(asked)}, which are not translations of each other"
            raise ValueError(f"{problem}: declare a collection for each language")
        for name in self.passages:
            if not re.match(r"[a-z]{2,3}-.", name):
                raise ValueError(f"passages.{name} names no language: write it first, such as en-train")
        return self
