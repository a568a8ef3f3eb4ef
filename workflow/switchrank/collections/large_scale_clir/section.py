from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from switchrank.collections.section import TEST, OneLanguage, Splits


class LargeScaleClir(OneLanguage):
    PATHS: ClassVar = {
        "documents": ("{folder}/{name}/wiki_{language}.documents",),
        "queries": ("{folder}/english/wiki_en.queries",),
        "judgements": ("{folder}/{name}/en2{language}.rel",),
    }
    query_languages: ClassVar = ["en"]
    format: Literal["large-scale-clir"]
    folder: str = Field(description="holds `english/wiki_en.queries`, `<name>/wiki_<language>.documents` and `.rel`")
    name: str = Field(description="what the folder calls the language, such as `swahili`")
    query: Literal["title", "first_sentence"] = Field("first_sentence", description="what is asked")
    splits: Splits = Field(TEST, description="all queries are test queries")

    def options(self) -> dict[str, Any]:
        return {"queries": {"text": ["2" if self.query == "title" else "3"]}}

    @model_validator(mode="after")
    def _only_test(self) -> Self:
        if list(self.splits) != ["test"]:
            raise ValueError("queries are English and documents are not: declare a test split only")
        return self
