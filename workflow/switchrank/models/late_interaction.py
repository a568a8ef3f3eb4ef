"""Late interaction: each token of a query and of a passage becomes a vector, and MaxSim of both is their score.

It is a stock encoder with a linear projection of its token states, as in ColBERT (Khattab and Zaharia 2020, arXiv
2004.12832). Its folder opens with ``sentence_transformers.MultiVectorEncoder``, which gives the same scores.
"""

import string
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.models.dropout import Draw
from switchrank.models.folder import TOKENIZER, TOKENIZER_FILES, is_late_interaction
from switchrank.models.late_recipe import MARKERS, LateRecipe, read_late_recipe, read_projection, write_late_recipe
from switchrank.models.origin import front_matter
from switchrank.models.pretrained import Model
from switchrank.models.recipe import KINDS, Kind
from switchrank.models.text_encoder import Inputs, TextEncoder, Vectors, open_for_use
from switchrank.models.writing import copy_tokenizer, save_encoder

_CARD = """---
library_name: sentence-transformers
{metadata}tags:
- sentence-transformers
- multi-vector
- late-interaction
- switchrank
---

# {name}

Late interaction: each token of a query and of a passage has a vector. The sum over the query's tokens of the largest
inner product with a token of the passage (MaxSim) says how well the passage answers the query.
{told}
```python
from sentence_transformers import MultiVectorEncoder

model = MultiVectorEncoder("path/to/this/folder")
queries, passages = model.encode_query(["a query"]), model.encode_document(["a passage", "another passage"])
scores = model.similarity(queries, passages)
```

Vectors have {dimensions} dimensions and length 1. {query} tokens of a query and {document} of a passage are read.
{skipped}
"""


class LateEncoder(TextEncoder[list[Vectors]]):
    """A model that turns each token of a text into a vector of length 1.

    Special tokens and the marker of its kind have vectors as well, and :attr:`recipe` names pieces of documents that
    have none, such as punctuation.

    Attributes:
        recipe: how vectors are made; its ``lengths`` are those of both kinds here.
        projection: from states of tokens to vectors.

    Args:
        source: the folder or hub name that the tokenizer was opened from; its files are written with the model.
        precision: of a model whose weights do not change any more; None for one that is being trained.
        threads: how many batches :meth:`encode` computes at a time, each on one core; 1: one, on all of torch's.
    """

    _chunk = 512

    def __init__(
        self,
        model: Model,
        tokenizer: Any,
        recipe: LateRecipe,
        projection: nn.Linear,
        *,
        source: str | Path,
        **how: Any,
    ) -> None:
        super().__init__(model, tokenizer, source=source, lengths=recipe.lengths, **how)
        whole = {kind: room + self.template.specials for kind, room in self.rooms.items()}
        self.recipe, self.projection = replace(recipe, lengths=whole), projection
        self.dimensions = recipe.dimensions
        backend, unknown = tokenizer.backend_tokenizer, tokenizer.unk_token_id
        found = (backend.token_to_id(piece) for piece in recipe.skipped)
        self._skipped = torch.tensor([one for one in found if one not in (None, unknown)], dtype=torch.int64)

    @property
    def prompts(self) -> Mapping[Kind, str]:
        return self.recipe.prompts

    @classmethod
    def open(
        cls,
        name: str | Path,
        *,
        lengths: Mapping[Kind, int] | None = None,
        device: str = "cpu",
        threads: int = 1,
        precision: str = "fp32",
        token_budget: int = 16_384,
    ) -> Self:
        """The model of a folder that ``MultiVectorEncoder`` opens, ours or not. Sets torch's number of CPU threads.

        Args:
            name: the folder.
            lengths: tokens that are read of a text of each kind, special ones and the marker included, in place of
                what the folder says.
            device: cpu, cuda or cuda:N.
            threads: CPU threads; any number gives the same bytes.
            precision: fp32, bf16, fp16 or auto; other than fp32 changes vectors a little.
            token_budget: padded tokens at a time, on a CPU in each thread, and fewer if the model is wide.

        Raises:
            UserError: an encoder of another kind, one that cannot be had or is damaged.
            NoGpuError: a GPU was asked for and none is there.

        >>> encoder = LateEncoder.open("results/xquad/models/late/en-en/seed1")  # doctest: +SKIP
        >>> (query,) = encoder.encode(["Wer schrieb Faust?"], "query")
        >>> (passage,) = encoder.encode(["Goethe finished Faust in 1831."], "document")
        >>> (query @ passage.T).max(axis=1).sum()
        np.float32(6.8)
        """
        recipe = read_late_recipe(name)
        model, tokenizer, how = open_for_use(name, device=device, threads=threads, precision=precision)
        projection = _linear(read_projection(name, recipe, int(model.config.hidden_size))).to(model.device)
        recipe = replace(recipe, lengths={**recipe.lengths, **(lengths or {})})
        return cls(model, tokenizer, recipe, projection, source=name, token_budget=token_budget, **how)

    def encode(self, texts: Sequence[str], kind: Kind, *, what: str | None = None) -> list[Vectors]:
        """The vectors of the tokens of each text, float32 ``(tokens, dimensions)``.

        Args:
            kind: ``query`` or ``document``: whose marker and length; only documents lack vectors of punctuation.
            what: name of a progress bar.

        Raises:
            UserError: an unknown kind, vectors that are not finite, or memory that does not hold a single text.
        """
        found: list[Vectors] = []
        with progress(total=len(texts), what=what, unit="texts") as bar:
            for part in self.encode_stream(texts, kind):
                found += part
                bar.update(len(part))
        return found

    def _encoded(self, texts: Sequence[str], kind: Kind | None) -> list[Vectors]:
        found = [np.zeros((0, self.dimensions), np.float32)] * len(texts)
        for some, parts in self._computed(texts, kind, partial(self._rows, of_documents=kind != "query")):
            for number, part in zip(some.tolist(), parts, strict=True):
                self._refuse_infinite(part)
                found[number] = part
        return found

    def _rows(self, inputs: Inputs, *, of_documents: bool) -> list[Vectors]:
        """The vectors of each of some texts of one kind."""
        vectors = self.vectors(inputs, np.full(len(inputs["input_ids"]), of_documents)).cpu().numpy()
        return [rows[rows.any(axis=1)] for rows in vectors]

    def vectors(self, inputs: Inputs, of_documents: NDArray[np.bool_], draw: Draw | None = None) -> Tensor:
        """The vectors of padded inputs on the CPU, float32 ``(texts, longest, dimensions)`` on the model's device.

        They are zeros at padding and at tokens that have none.

        Args:
            of_documents: which of the texts are documents, ``(texts,)``.
            draw: what is dropped in training (:class:`switchrank.models.packed.TrainingForward`).
        """
        states = self._states(inputs, draw)
        skipped = torch.isin(inputs["input_ids"], self._skipped) & torch.from_numpy(of_documents)[:, None]
        scored = (inputs["attention_mask"].bool() & ~skipped).to(states.device)
        projected = self.projection(states.float()).float()
        return functional.normalize(projected, dim=-1) * scored[..., None]

    def digest(self) -> str:
        """SHA-256 of what vectors follow from: weights, tokenizer, recipe and lengths; not where they lie."""
        return self._digest(asdict(self.recipe), {"projection": self.projection.weight})

    def write(
        self, folder: Path, *, origin: Mapping[str, Any], name: str = "switchrank late interaction", told: str = ""
    ) -> None:
        source = Path(self._source)
        if all(Path(source, file).is_file() for file in TOKENIZER_FILES):
            copy_tokenizer(source, folder)
        else:
            self._tokenizer.save_pretrained(folder)
        self._tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))  # with the markers
        save_encoder(self.model, folder)
        write_late_recipe(self.recipe, folder, self.projection.weight)
        skipped = len(self.recipe.skipped)
        card = _CARD.format(
            metadata=front_matter(origin),
            name=name,
            told=told,
            dimensions=self.dimensions,
            query=self.recipe.lengths["query"],
            document=self.recipe.lengths["document"],
            skipped=f"Of passages {skipped} pieces, punctuation, have no vector." if skipped else "",
        )
        (folder / "README.md").write_text(card, encoding="utf-8")


def begin(
    model: Model,
    tokenizer: Any,
    source: str | Path,
    *,
    dimensions: int,
    lengths: Mapping[Kind, int],
    skip_punctuation: bool,
) -> tuple[LateRecipe, nn.Linear]:
    """The recipe and projection with which the training of an opened encoder begins.

    A model of late interaction keeps its own projection and markers. Another encoder gets markers, added tokens whose
    embeddings are the mean of all (so they are put into ``model`` and ``tokenizer``), and an orthogonal projection,
    which keeps inner products best, drawn from torch's global generator.

    Raises UserError where ``source``, its folder, has a projection to other dimensions.
    """
    pieces = tokenizer.get_vocab()
    if is_late_interaction(source):
        known = read_late_recipe(source)
        if known.dimensions != dimensions:
            problem = f"{dimensions}, where the starting model has {known.dimensions}"
            raise UserError("train settings", "dim", problem, "write the same, or start from another model")
        prompts, weight = known.prompts, read_projection(source, known, int(model.config.hidden_size))
    else:
        _add_markers(model, tokenizer)
        prompts = MARKERS
        weight = nn.init.orthogonal_(torch.empty(dimensions, int(model.config.hidden_size)))
    skipped = punctuation(pieces) if skip_punctuation else ()
    recipe = LateRecipe(dimensions, prompts, {kind: lengths[kind] for kind in KINDS}, skipped)
    return recipe, _linear(weight)


def punctuation(pieces: Iterable[str]) -> tuple[str, ...]:
    """Those pieces of a vocabulary that consist of punctuation, of any script, in alphabetical order.

    >>> punctuation(["word", "##.", "...", "▁?", "。", "[SEP]", "a."])
    ('##.', '...', '▁?', '。')
    """
    return tuple(sorted(piece for piece in pieces if _is_punctuation(piece.lstrip("▁Ġ").removeprefix("##"))))


def _is_punctuation(text: str) -> bool:
    return bool(text) and all(one in string.punctuation or unicodedata.category(one)[0] == "P" for one in text)


def _linear(weight: Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    made.weight = nn.Parameter(weight)
    return made


def _add_markers(model: Model, tokenizer: Any) -> None:
    """Make each marker one token, whose embedding is the mean of all."""
    from tokenizers import AddedToken

    backend, embeddings = tokenizer.backend_tokenizer, model.get_input_embeddings()
    markers = [text.strip() for text in MARKERS.values()]
    new = [marker for marker in markers if backend.token_to_id(marker) is None]
    backend.add_special_tokens([AddedToken(marker, normalized=False, special=True) for marker in markers])
    numbers = [backend.token_to_id(marker) for marker in new]
    old = embeddings.weight.detach()
    missing = max(0, max(numbers, default=0) + 1 - len(old))
    rows = torch.cat([old, old.new_zeros(missing, old.shape[1])])
    rows[numbers] = old.mean(0)
    embeddings.weight = nn.Parameter(rows)
    embeddings.num_embeddings = model.config.vocab_size = len(rows)
