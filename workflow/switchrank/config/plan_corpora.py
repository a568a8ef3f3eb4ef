"""The plan of corpora: their training pairs, languages and files."""

from __future__ import annotations

from collections.abc import Iterable

from switchrank.config.models import Corpus
from switchrank.config.pairs import Pair
from switchrank.config.plan_sources import SourcesPlan
from switchrank.config.sections import MIXED
from switchrank.corpus.files import RECORD


class CorporaPlan(SourcesPlan):
    """Names of instances and corpora."""

    def train_pairs(self, corpus: str) -> list[str]:
        """The training pairs of a corpus: ``en-en``, ``xx-xx``, or one per pair with a model of its own."""
        section = self.config.corpora[corpus]
        source = self.config.languages.source
        if section.lexicon is None and not section.parallel:
            return [f"{source}-{source}"]
        if not section.bilingual:
            return [f"{MIXED}-{MIXED}"]
        return list(
            dict.fromkeys(pair.id for pairs in self.pairs.values() for pair in pairs if self._trains(section, pair))
        )

    def _trains(self, corpus: Corpus, pair: Pair) -> bool:
        given = self.config.collections[corpus.collection].train_languages
        others = given if corpus.parallel else self.lexicon_languages(str(corpus.lexicon))
        reachable = {self.config.languages.source, *others}
        return pair.own_model and {pair.query, pair.document} <= reachable

    def corpus_languages(self, corpus: str, train_pair: str) -> list[str]:
        """Languages whose words are switched in."""
        section = self.config.corpora[corpus]
        if section.lexicon is None:
            return []
        if isinstance(section.languages, list):
            return section.languages
        if section.languages == "seen":
            return [lang for lang in self.config.languages.seen if lang in self.lexicon_languages(section.lexicon)]
        return sorted({lang for lang in train_pair.split("-") if lang != self.config.languages.source})

    def corpus_folder(self, corpus: str, train_pair: str) -> str:
        """The folder of a corpus: its training file, ``dev.parquet``, ``stats.json``, perhaps ``sample.parquet``."""
        return f"{self.folder}/corpora/{corpus}/{train_pair}"

    def training_file(self, corpus: str, train_pair: str) -> str:
        """What a model is trained on: the corpus, or the record of what it is switched from on the fly."""
        written = self.config.corpora[corpus].materialise is True
        return f"{self.corpus_folder(corpus, train_pair)}/{'train-00000.parquet' if written else RECORD}"

    def dev_file(self, corpus: str, train_pair: str) -> str:
        """The development set of a corpus."""
        return f"{self.corpus_folder(corpus, train_pair)}/dev.parquet"

    def on_the_fly(self, corpus: str, train_pair: str) -> tuple[str, str] | None:
        """The corpus and its pair where training switches it on the fly, None where it is written."""
        return None if self.config.corpora[corpus].materialise is True else (corpus, train_pair)

    @property
    def samples(self) -> list[str]:
        """The first instances of the corpora that only a sample is written of."""
        return [
            f"{self.corpus_folder(name, pair)}/sample.parquet"
            for name, section in self.config.corpora.items()
            if section.materialise == "sample"
            for pair in self.train_pairs(name)
        ]

    def shown_files(self, corpora: Iterable[tuple[str, str]]) -> list[str]:
        """Files of corpora (name, training pair) that hold the same instances to be looked at.

        The training instances, the first of them where only a sample is written, and where one corpus has none, the
        development instances of all.
        """
        found = list(corpora)
        names = {True: "train-00000.parquet", "sample": "sample.parquet"}
        kinds = [names.get(self.config.corpora[name].materialise) for name, _ in found]
        whole = all(kinds)
        return [
            f"{self.corpus_folder(*corpus)}/{kind if whole else 'dev.parquet'}"
            for corpus, kind in zip(found, kinds, strict=True)
        ]

    def instances(self, collection: str, split: str) -> str:
        """The training pairs of a split of a collection, by id."""
        return f"{self.folder}/instances/{collection}/{split}.parquet"
