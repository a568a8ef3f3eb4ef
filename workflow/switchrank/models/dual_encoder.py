"""A dual encoder: queries and passages each become one vector, and the cosine of two of them is their score.

It is a stock encoder whose token states are pooled (Reimers and Gurevych 2019, arXiv 1908.10084, section 3). Its folder
opens with ``sentence_transformers.SentenceTransformer``, which gives the same vectors.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from switchrank.core.allocator import keep_freed_memory, swift_tokens
from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.core.precision import PRECISIONS, find_devices, find_precision, is_out_of_memory
from switchrank.core.progress import progress
from switchrank.core.ragged import Numbers
from switchrank.models.dropout import Draw
from switchrank.models.encode import Texts, assemble, by_length, read_template, tokenise
from switchrank.models.folder import TOKENIZER_FILES
from switchrank.models.origin import front_matter, origin_of
from switchrank.models.packed import encoding_forward, frozen_encoding_forward
from switchrank.models.pretrained import Model, longest_input, open_encoder
from switchrank.models.recipe import KINDS, POOLINGS, Kind, Pooling, Recipe, read_recipe, write_recipe
from switchrank.models.writing import copy_tokenizer, save_encoder

Vectors = NDArray[np.float32]
_CHUNK = 8192
_LEAST, _PARTS = 1024, 32
"""Few texts are cut into so many batches, of at least so many tokens, so that there is work for several threads."""
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


class DualEncoder:
    """A model that turns each text into one vector.

    Attributes:
        model: the transformers model, or the one of ours in its place, with a head that is not used.
        recipe: how vectors are made; its ``max_length`` is a number here.
        dimensions: of a vector.
        precision: as given, ``auto`` resolved.

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
        precision: str | None = None,
        token_budget: int = 16_384,
        threads: int = 1,
    ) -> None:
        self.model, self._tokenizer, self._source, self._threads = model, tokenizer, source, threads
        self.dimensions, self.precision = int(model.config.hidden_size), precision
        self.template = read_template(tokenizer, pair=False)
        longest = longest_input(tokenizer, model.config)
        whole = min(recipe.max_length or longest, longest)
        self.recipe = replace(recipe, max_length=whole)
        self.rooms = {kind: min((lengths or {}).get(kind, whole), whole) - self.template.specials for kind in KINDS}
        if min(self.rooms.values()) < 1:
            problem = f"{self.template.specials} tokens are taken by special ones alone"
            raise UserError(source, "max_length", problem, "make it larger")
        dtype = PRECISIONS[precision] if precision else None
        self._budget = min(
            token_budget, swift_tokens(model.config, model.device.type, (dtype or torch.float32).itemsize)
        )
        first = {"first_only": recipe.pooling == "cls"}
        self._states = (
            encoding_forward(model, **first) if precision is None else frozen_encoding_forward(model, dtype, **first)
        )

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
        (place,) = find_devices(device, 1)
        torch.set_num_threads(max(1, threads))
        model, tokenizer = open_encoder(name, device=place)
        given: dict[str, Any] = {"pooling": pooling, "prompts": prompts, "normalised": normalised}
        recipe = replace(read_recipe(name), **{key: value for key, value in given.items() if value is not None})
        if recipe.pooling not in POOLINGS:
            raise UserError(name, "pooling", f"{recipe.pooling!r} is not known", f"choose {' or '.join(POOLINGS)}")
        if precision not in (*PRECISIONS, "auto"):
            raise UserError(name, "precision", f"{precision!r} is not known", "choose fp32, bf16, fp16 or auto")
        keep_freed_memory()
        return cls(
            model.eval().to(place),
            tokenizer,
            recipe,
            source=name,
            lengths=lengths,
            precision=find_precision(precision, place, model.config.hidden_size),
            token_budget=token_budget,
            threads=threads if place.type == "cpu" else 1,
        )

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

    def encode_stream(self, texts: Iterable[str], kind: Kind | None = None) -> Iterator[Vectors]:
        """The same of any number of texts, in parts of some thousands: memory holds one of them."""
        if isinstance(texts, str):
            raise UserError("encode", "texts", "one text where a list belongs", "put it into a list")
        if kind is not None and kind not in KINDS:
            raise UserError("encode", "kind", f"{kind!r} is not known", f"choose {' or '.join(KINDS)}")
        waiting = iter(texts)
        while some := list(islice(waiting, _CHUNK)):
            yield self._encoded(some, kind)

    def _encoded(self, texts: Sequence[str], kind: Kind | None) -> Vectors:
        prompt = self.recipe.prompts.get(kind, "") if kind else ""
        room = self.rooms[kind or "document"]
        tokens = tokenise(self._tokenizer, [f"{prompt}{text}" for text in texts] if prompt else texts, limit=room)
        tokens = tokens.cut(room)
        found = np.zeros((len(texts), self.dimensions), np.float32)
        lengths = tokens.lengths + self.template.specials
        done = lengths == 0
        while not done.all():
            left = np.flatnonzero(~done)
            batches = [left[some] for some in by_length(lengths[left], self._tokens_at_once(lengths[left]))]
            with self._each() as each:
                for some, vectors in zip(batches, each(partial(self._batch, tokens), batches), strict=True):
                    if vectors is None:
                        self._halve_budget(len(some), int(lengths[some].max()))
                        break
                    found[some], done[some] = vectors, True
        if not np.isfinite(found).all():
            problem = "the model gives vectors that are not finite"
            raise UserError(self._source, "vectors", problem, "encode in fp32, or train it again")
        return found

    def _tokens_at_once(self, lengths: Numbers) -> int:
        """The padded tokens of a batch of texts of these lengths; it does not depend on the number of threads."""
        on_cpu = self.model.device.type == "cpu"
        return min(self._budget, max(_LEAST, int(lengths.sum()) // _PARTS)) if on_cpu else self._budget

    @torch.inference_mode()
    def _batch(self, tokens: Texts, some: Numbers) -> Vectors | None:
        """The vectors of some of the texts, computed at once; None where memory does not hold them."""
        texts = tokens.take(some)
        inputs = assemble(self.template, texts, texts.cut(0))
        try:
            vectors = self.vectors({name: torch.from_numpy(values) for name, values in inputs.items()})
        except RuntimeError as error:
            if is_out_of_memory(error):
                return None
            raise
        return vectors.cpu().numpy()

    @contextmanager
    def _each(self) -> Iterator[Callable[..., Iterator[Vectors | None]]]:
        """``map``; with several threads in these, on one core each, so that none waits for another within a batch."""
        if self._threads == 1:
            yield map
            return
        pool = ThreadPoolExecutor(self._threads, initializer=torch.set_num_threads, initargs=(1,))
        try:
            yield pool.map
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(self._threads)  # the pool's threads have set that of threads to come

    def _halve_budget(self, texts: int, longest: int) -> None:
        if texts == 1:
            problem = f"out of memory with one text of {longest} tokens"
            raise UserError("encode", "max_length", problem, "lower it, or use a device with more memory")
        self._budget = min(self._budget, texts * longest) // 2
        if self.model.device.type == "cuda":
            torch.cuda.empty_cache()
        tqdm.write(f"encode: out of memory: token budget lowered to {self._budget}, going on", file=sys.stderr)

    def vectors(self, inputs: Mapping[str, Tensor], draw: Draw | None = None) -> Tensor:
        """The vectors of padded inputs on the CPU, float32 ``(texts, dimensions)`` on the model's device.

        ``draw`` decides what is dropped in training (:class:`switchrank.models.packed.TrainingForward`).
        """
        states = self._states(inputs, draw)
        pooled = pool(states.float(), inputs["attention_mask"].sum(1).to(states.device), self.recipe.pooling)
        return functional.normalize(pooled, dim=-1) if self.recipe.normalised else pooled

    def digest(self) -> str:
        """SHA-256 of what vectors follow from: weights, tokenizer, recipe and lengths; not where they lie."""
        base = getattr(self.model, self.model.base_model_prefix)
        weights = {name: one for name, one in base.state_dict().items() if not name.startswith("pooler.")}
        told = json.dumps([asdict(self.recipe), self.rooms], sort_keys=True)
        made = hashlib.sha256(f"{told}{self._tokenizer.backend_tokenizer.to_str()}".encode())
        for name, values in sorted(weights.items()):
            made.update(f"{name} {tuple(values.shape)}".encode())
            made.update(values.detach().float().cpu().contiguous().numpy().data)
        return made.hexdigest()

    def save(self, out: str | Path, *, overwrite: bool = False) -> None:
        """Write a folder that sentence-transformers opens; raises UserError where ``out`` holds other things."""
        with atomic_folder(out, "a finished model", overwrite=overwrite) as folder:
            self.write(folder, origin=origin_of(self._source))

    def write(
        self, folder: Path, *, origin: Mapping[str, Any], name: str = "switchrank dual encoder", told: str = ""
    ) -> None:
        """The same into an empty folder; the model card has a title, and more ``told`` of the model.

        ``origin`` is what a record tells of its weights (:func:`switchrank.models.origin.origin_of`).
        """
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
