from typing import Literal, Self

from pydantic import Field, model_validator

from switchrank.collections.mmarco.names import FIRST_VERSION, MMARCO_NAMES
from switchrank.collections.section import BySplit, Tables
from switchrank.config.sections import Distinct, Language, LanguageList, Split


class Mmarco(Tables):
    format: Literal["mmarco"]
    folder: str = Field(description="copy of the dataset unicamp-dl/mmarco: `data/google`, `data/helsinki`")
    version: Literal["v1", "v2"] = Field("v2", description="`v2`: Google's translation; `v1`: Helsinki's, 8 languages")
    languages: LanguageList = Field(description="languages of the collection")
    splits: Distinct[Split] = Field(["train", "test"], description="which splits it has")
    train_languages: Distinct[Language] = Field([], description="further languages to read the training queries in")
    judgements: BySplit | None = Field(
        None, description="qrels; default: `data/qrels.train.tsv` and `data/qrels.dev.small.tsv` in the folder"
    )
    triples: str | None = Field(None, description="TSV qid, positive, negative; else BM25 hard negatives")

    def files_of(self, table: str, split: str = "", lang: str = "") -> list[str]:
        data = f"{self.folder.rstrip('/')}/data"
        texts = f"{data}/{'google' if self.version == 'v2' else 'helsinki'}"
        if table == "documents":
            return [f"{texts}/collections/{MMARCO_NAMES[lang]}_collection.tsv"]
        called = "train" if split == "train" else "dev.small"
        if table == "queries":
            return [f"{texts}/queries/{called.removesuffix('.small')}/{MMARCO_NAMES[lang]}_queries.{called}.tsv"]
        given = self.judgements[split] if isinstance(self.judgements, dict) else self.judgements
        return [given or f"{data}/qrels.{called}.tsv"]

    @model_validator(mode="after")
    def _translated(self) -> Self:
        known = MMARCO_NAMES if self.version == "v2" else FIRST_VERSION
        strangers = [lang for lang in self.languages if lang not in known]
        if strangers:
            raise ValueError(f"mMARCO {self.version} has no {strangers[0]}: it has {', '.join(known)}")
        return self
