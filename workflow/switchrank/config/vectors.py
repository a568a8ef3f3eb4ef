"""The keys of word vectors: where those of each language come from, how they are trained and aligned."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from switchrank.config.sections import Count, Language, Section, Seed, Whole
from switchrank.search.choices import Criterion


class VectorTraining(Section):
    dim: Count = Field(100, description="dimensions of the fastText vectors")
    epochs: Count = Field(5, description="passes over the text")
    window: Count = Field(5, description="context words on each side")
    min_count: Count = Field(5, description="rarer words get no vector")
    max_words: Count | None = Field(None, description="keep the most frequent words only")
    threshold: Annotated[float, Field(gt=0)] = Field(1.0e-4, description="subsampling of frequent words")
    seed: Seed = Field(1, description="seed of the training")


class Alignment(Section):
    seed_pairs: str = Field(
        "identical",
        description="the name of a lexicon of titles or a dictionary, `identical`, or a dictionary path with `{lang}`",
    )
    refinements: Whole = Field(3, description="rounds of Procrustes refinement")
    criterion: Criterion = Field("csls", description="which neighbours refine the alignment")


class VectorSource(Section):
    text: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="text to train fastText on, one sentence a line, or pages-articles dumps (`.xml`, `.xml.bz2`)",
    )
    path: str | None = Field(
        None, description="vectors, told by content: fastText (text or .bin), word2vec, GloVe, MUSE; packed or not"
    )
    extra_words: str | None = Field(
        None, description="words, one a line, that get vectors from their parts where a fastText .bin has none for them"
    )
    aligned: bool = Field(False, description="already in the space of the source language")
    max_words: Count | None = Field(None, description="read the first words of `path` only")

    @model_validator(mode="after")
    def _one(self) -> VectorSource:
        if (self.text is None) == (self.path is None):
            raise ValueError("give either text (to train on) or path (to read)")
        if self.extra_words and self.path is None:
            raise ValueError("extra_words come with path: vectors that are trained here know their own words")
        return self


class Vectors(Section):
    languages: dict[Language, VectorSource] = Field(description="where each language's vectors come from")
    training: VectorTraining = Field(VectorTraining(), description="fastText settings")
    alignment: Alignment = Field(Alignment(), description="how vectors are turned into the source language's space")
