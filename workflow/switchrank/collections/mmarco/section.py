"""The config section of mMARCO: the copy of the dataset, its version and languages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from switchrank.collections.mmarco.names import FIRST_VERSION, MMARCO_NAMES
from switchrank.collections.section import BySplit, CollectionSection, of_split
from switchrank.config.sections import Distinct, Language, LanguageList, Split


class Mmarco(CollectionSection):
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

    def roles(self, source: str) -> dict[str, str]:
        """Files by role, under the names of the dataset."""
        data = f"{self.folder.rstrip('/')}/data"
        texts = f"{data}/{'google' if self.version == 'v2' else 'helsinki'}"
        folders = {"train": ("train", "train"), "test": ("dev", "dev.small")}
        usual = {"train": f"{data}/qrels.train.tsv", "test": f"{data}/qrels.dev.small.tsv"}
        files = {
            f"documents/{lang}": f"{texts}/collections/{MMARCO_NAMES[lang]}_collection.tsv" for lang in self.languages
        }
        for split in self.splits:
            folder, part = folders[split]
            for lang in self.questions(source, split):
                files[f"queries/{split}/{lang}"] = f"{texts}/queries/{folder}/{MMARCO_NAMES[lang]}_queries.{part}.tsv"
            files[f"judgements/{split}"] = of_split(self.judgements or usual, split)
        return files | ({"triples/train": self.triples} if self.triples else {})

    @model_validator(mode="after")
    def _translated(self) -> Mmarco:
        known = MMARCO_NAMES if self.version == "v2" else FIRST_VERSION
        strangers = [lang for lang in self.languages if lang not in known]
        if strangers:
            raise ValueError(f"mMARCO {self.version} has no {strangers[0]}: it has {', '.join(known)}")
        if isinstance(self.judgements, dict) and set(self.judgements) != set(self.splits):
            raise ValueError(f"judgements for {', '.join(self.judgements)}: give one path for each split")
        return self
