"""Pruning: a pretrained model keeps the pieces that the texts of a run use, and their embeddings."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from switchrank.core.atomic import atomic_folder, scratch_folder
from switchrank.core.cache import cache_folder
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.core.progress import progress
from switchrank.models.folder import ORIGIN_RECORD, TOKENIZER_FILES, check_model, is_folder, read_object
from switchrank.models.origin import origin_of
from switchrank.train.vocabulary import load_weights, write_tokenizer, write_weights

_BATCH = 4096


@contextmanager
def pruned(model: str, texts: Sequence[str | Path]) -> Iterator[str]:
    """A model, a folder or hub name, as a folder pruned to the texts; as it is where there are none."""
    if not texts:
        yield model
        return
    from switchrank.models.import_model import fetch_repository

    folder = model if is_folder(model) else fetch_repository(model, None, "model.safetensors")
    with scratch_folder(cache_folder() / "models" / "pruned") as scratch:
        prune_vocabulary(model=folder, texts=texts, out=scratch / Path(model).name)
        yield str(scratch / Path(model).name)


def prune_vocabulary(
    *, model: str | Path, texts: Iterable[str | Path], out: str | Path, overwrite: bool = False
) -> dict[str, Any]:
    """Write a model without the pieces that no text uses, so that the texts are cut as before.

    Kept are the pieces of the texts, special tokens, every single character that occurs in these pieces, and of a
    Unigram vocabulary the piece of the lowest score, which the score of unknown characters goes by. Other text may be
    cut otherwise, or have unknown pieces.

    Args:
        model: folder of a BERT or XLM-R model with ``tokenizer.json``, its vocabulary WordPiece or Unigram.
        texts: tables of texts (column ``text``) or of lexicons (``source``, ``target``).
        out: folder to write.
        overwrite: replace the folder whatever it holds.

    Returns:
        The pieces ``kept`` and ``used``, and ``of`` how many rows.

    Raises:
        UserError: it is no such model; ``out`` holds other things.
    """
    check_model(model)
    folder = Path(model)
    tokenizer = read_object(folder / TOKENIZER_FILES[0])
    if tokenizer["model"].get("type") not in {"Unigram", "WordPiece"}:
        problem = f"a vocabulary of type {tokenizer['model'].get('type')} cannot be pruned"
        raise UserError(folder, TOKENIZER_FILES[0], problem, "write vocabulary: whole")
    used = _used(folder, texts)
    kept = sorted(used | _needed(tokenizer, used))
    numbers = {old: new for new, old in enumerate(kept)}
    with atomic_folder(out, "an imported model", overwrite=overwrite) as made:
        weights, name = load_weights(folder, kept[-1] + 1, "write vocabulary: whole")
        rows = len(weights[name])
        write_weights(weights | {name: weights[name][kept].contiguous()}, made)
        config = read_object(folder / "config.json") | {"vocab_size": len(kept)}
        ids = {key: numbers[value] for key, value in config.items() if key.endswith("_token_id") and value in numbers}
        write_json(made / "config.json", config | ids)
        write_tokenizer(_renumbered(tokenizer, numbers), folder, made)
        record = {"kept": len(kept), "used": len(used), "of": rows}
        write_json(made / ORIGIN_RECORD, origin_of(folder) | {"vocabulary": record})
    return record


def _used(folder: Path, texts: Iterable[str | Path]) -> set[int]:
    """The numbers of the pieces that the texts are cut into."""
    from tokenizers import Tokenizer

    backend = Tokenizer.from_file(str(folder / TOKENIZER_FILES[0]))
    backend.no_truncation()
    backend.no_padding()
    found: set[int] = set()
    for file in progress(list(texts), what="pieces of the run's texts", unit="files"):
        for batch in _batches(file):
            encoded = backend.encode_batch_fast(batch, add_special_tokens=False)
            found.update(itertools.chain.from_iterable(set(one.ids) for one in encoded))
    return found


def _batches(file: str | Path) -> Iterator[list[str]]:
    frame = pl.scan_parquet(file)
    names = [name for name in ("text", "source", "target") if name in frame.collect_schema().names()]
    for name in names:
        column = frame.select(pl.col(name).drop_nulls().unique()).collect()[name]
        for start in range(0, len(column), _BATCH):
            yield column[start : start + _BATCH].to_list()


def _needed(tokenizer: Mapping[str, Any], used: set[int]) -> set[int]:
    """The pieces that stay though no text may use them."""
    model = tokenizer["model"]
    if model["type"] == "Unigram":
        pieces = [piece for piece, _ in model["vocab"]]
        special = {int(model["unk_id"]), int(np.argmin([score for _, score in model["vocab"]]))}
    else:
        ordered = sorted(model["vocab"].items(), key=lambda one: int(one[1]))
        pieces = [piece for piece, _ in ordered]
        special = {model["vocab"][model["unk_token"]]}
    special |= {token["id"] for token in tokenizer["added_tokens"] if token["special"]}
    characters = {letter for number in used if number < len(pieces) for letter in pieces[number]}
    single = {number for number, piece in enumerate(pieces) if _bare(piece) in characters}
    return special | single


def _bare(piece: str) -> str:
    return piece.removeprefix("##") if len(piece) > len("##") else piece


def _renumbered(tokenizer: dict[str, Any], numbers: Mapping[int, int]) -> dict[str, Any]:
    """The ``tokenizer.json`` with the pieces that have new numbers alone."""
    model = tokenizer["model"]
    if model["type"] == "Unigram":
        model["vocab"] = [model["vocab"][old] for old in numbers if old < len(model["vocab"])]
        model["unk_id"] = numbers[model["unk_id"]]
    else:
        model["vocab"] = {piece: numbers[old] for piece, old in model["vocab"].items() if old in numbers}
    tokenizer["added_tokens"] = [
        token | {"id": numbers[token["id"]]} for token in tokenizer["added_tokens"] if token["id"] in numbers
    ]
    tokenizer["padding"] = tokenizer["truncation"] = None
    _renumber(tokenizer["post_processor"] or {}, numbers)
    return tokenizer


def _renumber(processor: dict[str, Any], numbers: Mapping[int, int]) -> None:
    """Give the special tokens that a post-processor puts around texts their new numbers."""
    for token in processor.get("special_tokens", {}).values():
        token["ids"] = [numbers[number] for number in token["ids"]]
    for name in ("cls", "sep"):
        if name in processor:
            processor[name][1] = numbers[processor[name][1]]
    for part in processor.get("processors", []):
        _renumber(part, numbers)
