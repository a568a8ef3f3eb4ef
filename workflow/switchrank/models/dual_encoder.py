"""A dual encoder: queries and passages each become one vector, and the cosine of two of them is their score.

It is a stock encoder whose token states are pooled (Reimers and Gurevych 2019, arXiv 1908.10084, section 3). Its folder
opens with ``sentence_transformers.SentenceTransformer``, which gives the same vectors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.models.dropout import Draw
from switchrank.models.folder import TOKENIZER_FILES
from switchrank.models.origin import front_matter
from switchrank.models.pretrained import Model, longest_input
from switchrank.models.recipe import KINDS, POOLINGS, Kind, Pooling, Recipe, read_recipe, write_recipe
from switchrank.models.text_encoder import Inputs, TextEncoder, Vectors, open_for_use
from switchrank.models.writing import copy_tokenizer, save_encoder

_CARD = """---
library_name: sentence-transformers
{metadata}pipeline_tag: sentence-similarity
tags:
- sentence-transformers
- dual-encoder
- switchrank
---

# {name}

A dual encoder: the cosine of the vectors of a query and a passage says how well the passage answers the query.
{told}
```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
queries, passages = model.encode_query(["a query"]), model.encode_document(["a passage", "another passage"])
scores = model.similarity(queries, passages)
```

Vectors are the {pooling} of the last hidden states{of_length}, of {max_length} tokens at most. {prompts}
"""


class DualEncoder(TextEncoder[Vectors]):
    """A model that turns each text into one vector.

    Attributes:
        recipe: how vectors are made; its ``max_length`` is a number here.

    Args:
        source: the folder or hub name that the tokenizer was opened from; its files are written with the model.
        lengths: tokens of a text of each kind, special ones and the prompt included; default: as the recipe says.
        precision: of a model whose weights do not change any more; None for one that is being trained.
        threads: how many batches :meth:`encode` computes at a time, each on one core; 1: one, on all of torch's.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Any,
        recipe: Recipe,
        *,
        source: str | Path,
        lengths: Mapping[Kind, int] | None = None,
        **how: Any,
    ) -> None:
        longest = longest_input(tokenizer, model.config)
        whole = min(recipe.max_length or longest, longest)
        self.recipe, self.dimensions = replace(recipe, max_length=whole), int(model.config.hidden_size)
        super().__init__(
            model,
            tokenizer,
            source=source,
            lengths={kind: min((lengths or {}).get(kind, whole), whole) for kind in KINDS},
            first_only=recipe.pooling == "cls",
            **how,
        )

    @property
    def prompts(self) -> Mapping[Kind, str]:
        return self.recipe.prompts

    @classmethod
    def open(
        cls,
        name: str | Path,
        *,
        pooling: Pooling | None = None,
        prompts: Mapping[Kind, str] | None = None,
        lengths: Mapping[Kind, int] | None = None,
        normalised: bool | None = None,
        device: str = "cpu",
        threads: int = 1,
        precision: str = "fp32",
        token_budget: int = 16_384,
    ) -> Self:
        """The dual encoder of a folder or hub name. Sets torch's number of CPU threads.

        A folder of sentence-transformers says how its vectors are made; any other encoder is pooled by the mean, and
        its vectors have length 1.

        Args:
            name: a folder, ours or not, or a hub name.
            pooling, prompts, normalised: in place of what the folder says.
            lengths: tokens that are read of a text of each kind, special ones and the prompt included; default: as the
                folder says, and never more. sentence-transformers knows one length for both.
            device: cpu, cuda or cuda:N.
            threads: CPU threads; any number gives the same bytes.
            precision: fp32, bf16, fp16 or auto; other than fp32 changes vectors a little.
            token_budget: padded tokens at a time, on a CPU in each thread, and fewer if the model is wide.

        Raises:
            UserError: the model cannot be had, is damaged, a cross-encoder, or pooled in a way that is not known.
            NoGpuError: a GPU was asked for and none is there.

        >>> encoder = DualEncoder.open("results/xquad/models/hybrid/en-en/seed1")  # doctest: +SKIP
        >>> passages = encoder.encode(["Goethe finished Faust in 1831.", "The Rhine is long."], "document")
        >>> encoder.encode(["Wer schrieb Faust?"], "query") @ passages.T
        array([[0.87, 0.12]], dtype=float32)
        """
        model, tokenizer, how = open_for_use(name, device=device, threads=threads, precision=precision)
        given: dict[str, Any] = {"pooling": pooling, "prompts": prompts, "normalised": normalised}
        recipe = replace(read_recipe(name), **{key: value for key, value in given.items() if value is not None})
        if recipe.pooling not in POOLINGS:
            raise UserError(name, "pooling", f"{recipe.pooling!r} is not known", f"choose {' or '.join(POOLINGS)}")
        return cls(model, tokenizer, recipe, source=name, lengths=lengths, token_budget=token_budget, **how)

    def encode(self, texts: Sequence[str], kind: Kind | None = None, *, what: str | None = None) -> Vectors:
        """The vectors of texts, float32 ``(texts, dimensions)``.

        Args:
            kind: ``query`` or ``document``: whose prompt and length; None: no prompt, and the length of documents.
            what: name of a progress bar.

        Raises:
            UserError: an unknown kind, vectors that are not finite, or memory that does not hold a single text.
        """
        found, done = np.empty((len(texts), self.dimensions), np.float32), 0
        with progress(total=len(texts), what=what, unit="texts") as bar:
            for part in self.encode_stream(texts, kind):
                found[done : done + len(part)] = part
                done += len(part)
                bar.update(len(part))
        return found

    def _encoded(self, texts: Sequence[str], kind: Kind | None) -> Vectors:
        found = np.zeros((len(texts), self.dimensions), np.float32)
        for some, vectors in self._computed(texts, kind, lambda inputs: self.vectors(inputs).cpu().numpy()):
            found[some] = vectors
        self._refuse_infinite(found)
        return found

    def vectors(self, inputs: Inputs, draw: Draw | None = None) -> Tensor:
        """The vectors of padded inputs on the CPU, float32 ``(texts, dimensions)`` on the model's device.

        ``draw`` decides what is dropped in training (:class:`switchrank.models.packed.TrainingForward`).
        """
        states = self._states(inputs, draw)
        pooled = pool(states.float(), inputs["attention_mask"].sum(1).to(states.device), self.recipe.pooling)
        return functional.normalize(pooled, dim=-1) if self.recipe.normalised else pooled

    def digest(self) -> str:
        """SHA-256 of what vectors follow from: weights, tokenizer, recipe and lengths; not where they lie."""
        return self._digest(asdict(self.recipe), {})

    def write(
        self, folder: Path, *, origin: Mapping[str, Any], name: str = "switchrank dual encoder", told: str = ""
    ) -> None:
        source, recipe = Path(self._source), self.recipe
        if all(Path(source, file).is_file() for file in TOKENIZER_FILES):
            copy_tokenizer(source, folder)
        else:
            self._tokenizer.save_pretrained(folder)
        save_encoder(self.model, folder)
        write_recipe(recipe, folder, self.dimensions)
        before = [f'"{text}" before a {kind}' for kind, text in recipe.prompts.items() if text]
        card = _CARD.format(
            metadata=front_matter(origin),
            name=name,
            told=told,
            pooling={"mean": "mean", "cls": "first", "last": "last"}[recipe.pooling],
            of_length=", made as long as 1" if recipe.normalised else "",
            max_length=recipe.max_length,
            prompts=f"{' and '.join(before)} is its prompt." if before else "There are no prompts.",
        )
        (folder / "README.md").write_text(card, encoding="utf-8")


def pool(states: Tensor, lengths: Tensor, pooling: Pooling) -> Tensor:
    """The vector of each text, ``(n, width)``, of the states of its tokens, ``(n, longest, width)``, zeros at padding.

    ``lengths`` are the numbers of its tokens, int64 ``(n,)``.
    """
    if pooling == "mean":
        return states.sum(1) / lengths[:, None]
    if pooling == "cls":
        return states[:, 0]
    return states[torch.arange(len(states), device=states.device), lengths - 1]
