"""What models that read one text at a time have in common: opening, tokens, batches, memory; not what states become.

Texts are encoded in parts of some thousands and in batches of similar length, and as many batches at a time as there
are threads, to the same bytes for any number of them.
"""

import hashlib
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from switchrank.core.allocator import keep_freed_memory, swift_tokens
from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.core.precision import PRECISIONS, find_devices, find_precision, is_out_of_memory
from switchrank.core.ragged import Numbers
from switchrank.models.encode import Texts, assemble, by_length, read_template, tokenise
from switchrank.models.origin import origin_of
from switchrank.models.packed import encoding_forward, frozen_encoding_forward
from switchrank.models.pretrained import Model, longest_input, open_encoder
from switchrank.models.recipe import KINDS, Kind

Vectors = NDArray[np.float32]
Inputs = Mapping[str, Tensor]
"""Padded inputs of texts on the CPU: ``input_ids``, ``attention_mask`` and, where used, ``token_type_ids``."""
_LEAST, _PARTS = 1024, 32
"""Few texts are cut into so many batches, of at least so many tokens, so that there is work for several threads."""

Part = TypeVar("Part")


class TextEncoder(ABC, Generic[Part]):
    """A stock encoder that reads single texts; :meth:`encode_stream` gives a ``Part`` for some thousands of them.

    Attributes:
        model: the transformers model, or the one of ours in its place, with a head that is not used.
        dimensions: of a vector.
        precision: as given, ``auto`` resolved.
        template: the special tokens around a text.
        rooms: tokens of a text of each kind, special ones left out.

    Args:
        source: the folder or hub name that the tokenizer was opened from; its files are written with the model.
        lengths: tokens of a text of each kind, special ones and the prompt included; what is left out is as long as
            the model allows.
        precision: of a model whose weights do not change any more; None for one that is being trained.
        threads: how many batches are computed at a time, each on one core; 1: one, on all of torch's.
        first_only: whether vectors follow from the states of first tokens alone.
    """

    dimensions: int
    _chunk: ClassVar[int] = 8192
    """Texts that are encoded before what they became is handed on."""

    def __init__(
        self,
        model: Model,
        tokenizer: Any,
        *,
        source: str | Path,
        lengths: Mapping[Kind, int],
        precision: str | None = None,
        token_budget: int = 16_384,
        threads: int = 1,
        first_only: bool = False,
    ) -> None:
        self.model, self._tokenizer, self._source, self._threads = model, tokenizer, source, threads
        self.precision = precision
        self.template, longest = read_template(tokenizer, pair=False), longest_input(tokenizer, model.config)
        self.rooms = {kind: min(lengths.get(kind, longest), longest) - self.template.specials for kind in KINDS}
        if min(self.rooms.values()) < 1:
            problem = f"{self.template.specials} tokens are taken by special ones alone"
            raise UserError(source, "max_length", problem, "make it larger")
        dtype = PRECISIONS[precision] if precision else None
        self._budget = min(
            token_budget, swift_tokens(model.config, model.device.type, (dtype or torch.float32).itemsize)
        )
        self._states = (
            encoding_forward(model, first_only=first_only)
            if precision is None
            else frozen_encoding_forward(model, dtype, first_only=first_only)
        )

    @property
    @abstractmethod
    def prompts(self) -> Mapping[Kind, str]:
        """What is put before a text, by its kind."""

    @abstractmethod
    def _encoded(self, texts: Sequence[str], kind: Kind | None) -> Part:
        """What texts become."""

    def encode_stream(self, texts: Iterable[str], kind: Kind | None = None) -> Iterator[Part]:
        """What any number of texts become, in parts of some thousands: memory holds one of them."""
        if isinstance(texts, str):
            raise UserError("encode", "texts", "one text where a list belongs", "put it into a list")
        if kind is not None and kind not in KINDS:
            raise UserError("encode", "kind", f"{kind!r} is not known", f"choose {' or '.join(KINDS)}")
        waiting = iter(texts)
        while some := list(islice(waiting, self._chunk)):
            yield self._encoded(some, kind)

    def _computed(
        self, texts: Sequence[str], kind: Kind | None, compute: Callable[[Inputs], Part]
    ) -> Iterator[tuple[Numbers, Part]]:
        """The numbers of the texts of each batch, and what ``compute`` makes of their inputs.

        A batch that memory does not hold is cut into smaller ones. Of texts without any token there is none.
        """
        prompt, room = self.prompts.get(kind, "") if kind else "", self.rooms[kind or "document"]
        tokens = tokenise(self._tokenizer, [f"{prompt}{text}" for text in texts] if prompt else texts, limit=room)
        tokens = tokens.cut(room)
        lengths = tokens.lengths + self.template.specials
        done = lengths == 0
        while not done.all():
            left = np.flatnonzero(~done)
            batches = [left[some] for some in by_length(lengths[left], self._tokens_at_once(lengths[left]))]
            with self._each() as each:
                for some, found in zip(batches, each(partial(self._batch, tokens, compute), batches), strict=True):
                    if found is None:
                        self._halve_budget(len(some), int(lengths[some].max()))
                        break
                    done[some] = True
                    yield some, found

    def _tokens_at_once(self, lengths: Numbers) -> int:
        """The padded tokens of a batch of texts of these lengths; it does not depend on the number of threads."""
        on_cpu = self.model.device.type == "cpu"
        return min(self._budget, max(_LEAST, int(lengths.sum()) // _PARTS)) if on_cpu else self._budget

    @torch.inference_mode()
    def _batch(self, tokens: Texts, compute: Callable[[Inputs], Part], some: Numbers) -> Part | None:
        """What is computed of some of the texts at once; None where memory does not hold it."""
        texts = tokens.take(some)
        inputs = assemble(self.template, texts, texts.cut(0))
        try:
            return compute({name: torch.from_numpy(values) for name, values in inputs.items()})
        except RuntimeError as error:
            if is_out_of_memory(error):
                return None
            raise

    @contextmanager
    def _each(self) -> Iterator[Callable[..., Iterator[Part | None]]]:
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

    def _refuse_infinite(self, vectors: Vectors) -> None:
        if not np.isfinite(vectors).all():
            problem = "the model gives vectors that are not finite"
            raise UserError(self._source, "vectors", problem, "encode in fp32, or train it again")

    def _digest(self, told: Any, more: Mapping[str, Tensor]) -> str:
        """SHA-256 of weights, ``more`` of them, tokenizer, and plain JSON that is ``told`` of the rest."""
        base = getattr(self.model, self.model.base_model_prefix)
        weights = {name: one for name, one in base.state_dict().items() if not name.startswith("pooler.")}
        text = json.dumps([told, self.rooms], sort_keys=True)
        made = hashlib.sha256(f"{text}{self._tokenizer.backend_tokenizer.to_str()}".encode())
        for name, values in sorted((weights | dict(more)).items()):
            made.update(f"{name} {tuple(values.shape)}".encode())
            made.update(values.detach().float().cpu().contiguous().numpy().data)
        return made.hexdigest()

    def save(self, out: str | Path, *, overwrite: bool = False) -> None:
        """Write a folder that sentence-transformers opens; raises UserError where ``out`` holds other things."""
        with atomic_folder(out, "a finished model", overwrite=overwrite) as folder:
            self.write(folder, origin=origin_of(self._source))

    @abstractmethod
    def write(self, folder: Path, *, origin: Mapping[str, Any], name: str = "", told: str = "") -> None:
        """The same into an empty folder; the model card has a title, and more ``told`` of the model.

        ``origin`` is what a record tells of its weights (:func:`switchrank.models.origin.origin_of`).
        """


def open_for_use(name: str | Path, *, device: str, threads: int, precision: str) -> tuple[Model, Any, dict[str, Any]]:
    """An encoder in eval mode on its device, its tokenizer, and the threads and precision of a :class:`TextEncoder`.

    Sets torch's number of CPU threads. Raises UserError as :func:`switchrank.models.pretrained.open_encoder`, and for
    an unknown precision; NoGpuError where a GPU was asked for and none is there.
    """
    (place,) = find_devices(device, 1)
    torch.set_num_threads(max(1, threads))
    model, tokenizer = open_encoder(name, device=place)
    if precision not in (*PRECISIONS, "auto"):
        raise UserError(name, "precision", f"{precision!r} is not known", "choose fp32, bf16, fp16 or auto")
    keep_freed_memory()
    found = find_precision(precision, place, model.config.hidden_size)
    return model.eval().to(place), tokenizer, {"precision": found, "threads": threads if place.type == "cpu" else 1}
