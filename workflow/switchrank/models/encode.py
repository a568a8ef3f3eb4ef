"""Model inputs of pairs without per-pair work: texts are tokenised apart, and a batch is put together in NumPy.

The result equals ``tokenizer(query, passage, truncation=..., max_length=..., padding=True)`` of a fast tokenizer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.core.ragged import Numbers, spans

_CHUNK = 8192


@dataclass(frozen=True)
class Texts:
    """Token ids of texts, end to end: those of text i begin at ``ids[starts[i]]``.

    ``lengths`` are those of the whole texts until they are :func:`truncated`, since which side is cut depends on them.
    Fewer ids may be stored, but never fewer than a pair can keep.
    """

    ids: NDArray[np.int32]
    starts: Numbers
    lengths: Numbers

    def take(self, numbers: Numbers) -> Self:
        """Some of the texts (repeats allowed); the ids are shared."""
        return replace(self, starts=self.starts[numbers], lengths=self.lengths[numbers])

    def cut(self, most: int | Numbers) -> Self:
        """The texts without what they have beyond so many tokens, of all or of each."""
        return replace(self, lengths=np.minimum(self.lengths, most))


@dataclass(frozen=True)
class Template:
    """What the tokenizer puts before, between and after the two texts, and the token types of all five parts.

    ``types`` is None where the model takes no token types; the two texts have a single value each.
    """

    around: list[Numbers]
    types: list[Numbers] | None
    pad: int
    pad_type: int

    @property
    def specials(self) -> int:
        return sum(map(len, self.around))


def distinct_texts(texts: pl.Series) -> tuple[pl.Series, Numbers]:
    """The distinct ones of some texts, in the order they are met, and for each text its number among them."""
    distinct = texts.rename("text").to_frame().unique(maintain_order=True).with_row_index("number")
    numbers = texts.rename("text").to_frame().join(distinct, on="text", how="left", maintain_order="left")["number"]
    return distinct["text"], numbers.to_numpy().astype(np.int64)


def tokenise(tokenizer: Any, texts: Sequence[str], *, limit: int, what: str | None = None) -> Texts:
    """Token ids of ``texts`` without special tokens, the first ``limit`` of each; ``what`` names a progress bar."""
    backend = _plain_backend(tokenizer)
    parts: list[NDArray[np.int32]] = []
    lengths: list[int] = []
    with progress(total=len(texts), what=what, unit="texts") as bar:
        for start in range(0, len(texts), _CHUNK):
            encoded = backend.encode_batch_fast(texts[start : start + _CHUNK], add_special_tokens=False)
            rows = [row.ids for row in encoded]
            lengths.extend(map(len, rows))
            parts.append(np.fromiter(chain.from_iterable(row[:limit] for row in rows), dtype=np.int32))
            bar.update(len(rows))
    whole = np.array(lengths, dtype=np.int64)
    kept = np.minimum(whole, limit)
    ids = np.concatenate(parts) if parts else np.zeros(0, np.int32)
    return Texts(ids, np.cumsum(kept) - kept, whole)


def _plain_backend(tokenizer: Any) -> Any:
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    return backend


def read_template(tokenizer: Any, *, pair: bool = True) -> Template:
    """Find the special tokens of a pair by encoding one; raises UserError for a tokenizer that makes no batches.

    Without ``pair``, those of a single text: what stands around a second one, which is to be empty, is nothing.
    """
    name = str(tokenizer.name_or_path)
    if not tokenizer.is_fast:
        raise UserError(name, "tokenizer", "not a fast tokenizer", "save it with tokenizer.json")
    if tokenizer.pad_token_id is None:
        raise UserError(name, "tokenizer", "no padding token", "name its pad_token in tokenizer_config.json")
    encoded = _plain_backend(tokenizer).encode(*("a" * (1 + pair)))
    sides = encoded.sequence_ids
    if 0 not in sides or (pair and 1 not in sides):
        raise UserError(name, "tokenizer", "gives no token for 'a'", "train it with an unknown token")
    query, passage = sides.index(0), sides.index(1) if pair else len(sides)
    cuts = [query, query + sides.count(0), passage, passage + sides.count(1)]
    ids, types = (np.split(np.array(values, dtype=np.int64), cuts) for values in (encoded.ids, encoded.type_ids))
    types[1::2] = types[1][:1], types[3][:1]
    typed = "token_type_ids" in tokenizer.model_input_names
    pad_type = int(getattr(tokenizer, "pad_token_type_id", 0))
    return Template(ids[::2], types if typed else None, int(tokenizer.pad_token_id), pad_type)


def truncated(queries: Texts, passages: Texts, *, room: int, truncation: str) -> tuple[Texts, Texts]:
    """The texts of pairs with the lengths that are kept when ``room`` tokens are left for both.

    ``longest_first`` shortens the longer side to what the shorter leaves, and both to half (the longer gets an odd
    token, the passage if equal) when that is not enough. ``only_second`` shortens the passage, to one token at least.
    """
    query, passage = queries.lengths, passages.lengths
    if truncation == "only_second":
        kept = np.minimum(query, room - 1)
        return replace(queries, lengths=kept), replace(passages, lengths=np.minimum(passage, room - kept))
    short = np.minimum(np.minimum(query, passage), room // 2)
    long = np.minimum(np.maximum(query, passage), room - short)
    swapped = query > passage
    query, passage = np.where(swapped, long, short), np.where(swapped, short, long)
    return replace(queries, lengths=query), replace(passages, lengths=passage)


def by_length(lengths: Numbers, token_budget: int, sizes: Numbers | None = None) -> Iterator[Numbers]:
    """Numbers of pairs in batches of similar length, at most ``token_budget`` padded tokens each.

    The longest come first, so that a batch that does not fit in memory fails at once; equal lengths keep their order.

    Args:
        lengths: tokens of each pair, int64.
        token_budget: pairs times tokens of the longest; a single pair or group that has more still is one batch.
        sizes: how many pairs that follow one another stay together, int64; ``None``: each pair alone.
    """
    if sizes is None:
        sizes = np.ones(len(lengths), np.int64)
    starts = np.cumsum(sizes) - sizes
    longest = np.maximum.reduceat(lengths, starts) if len(starts) else starts
    order = np.argsort(-longest, kind="stable")
    ends = np.cumsum(sizes[order])
    first = 0
    while first < len(order):
        taken = int(ends[first - 1]) if first else 0
        room = token_budget // int(longest[order[first]])
        last = max(first + 1, int(np.searchsorted(ends, taken + room, side="right")))
        some = order[first:last]
        yield spans(starts[some], sizes[some])
        first = last


def assemble(template: Template, queries: Texts, passages: Texts) -> dict[str, Numbers]:
    """The padded inputs of a batch of :func:`truncated` pairs, int64 arrays of shape ``(pairs, longest pair)``.

    They are ``input_ids``, ``attention_mask`` and, where used, ``token_type_ids``.
    """
    pairs = len(queries.starts)
    zero = np.zeros(pairs, dtype=np.int64)
    prefix, middle, suffix = ((ids, zero, zero + len(ids)) for ids in template.around)
    query, passage = ((side.ids, side.starts, side.lengths) for side in (queries, passages))
    parts: list[tuple[NDArray[Any], Numbers, Numbers]] = [prefix, query, middle, passage, suffix]
    ends = np.cumsum(np.stack([kept for _, _, kept in parts]), axis=0)
    columns = np.arange(int(ends[-1].max()))
    inputs = {
        "input_ids": np.full((pairs, len(columns)), template.pad, dtype=np.int64),
        "attention_mask": (columns < ends[-1][:, None]).astype(np.int64),
    }
    if template.types is not None:
        inputs["token_type_ids"] = np.full((pairs, len(columns)), template.pad_type, dtype=np.int64)
    for number, (source, starts, kept) in enumerate(parts):
        here = (columns >= (ends[number] - kept)[:, None]) & (columns < ends[number][:, None])
        inputs["input_ids"][here] = source[spans(starts, kept)]
        if template.types is not None:
            types = template.types[number]
            inputs["token_type_ids"][here] = types[0] if len(types) == 1 else types[spans(zero, kept)]
    return inputs


def text_batches(template: Template, texts: Texts, token_budget: int) -> Iterator[tuple[Numbers, dict[str, Numbers]]]:
    """Numbers of single texts in batches, as :func:`by_length` makes them, and their padded inputs.

    ``template`` is that of a single text (:func:`read_template`); the texts have the lengths that are kept.
    """
    for some in by_length(texts.lengths + template.specials, token_budget):
        yield some, assemble(template, texts.take(some), texts.take(some).cut(0))
