"""Word vectors: text with and without a header (fastText, word2vec, MUSE, GloVe), word2vec binary, fastText binary."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

from switchrank.inspect import languages
from switchrank.inspect.found import Found, Problems, shorten
from switchrank.inspect.rows import Identities, closed, is_utf8
from switchrank.inspect.source import Source

FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")
MOST_DIMENSIONS = 10_000
_FEWEST = 8
"""Numbers that a line must have to be taken for a vector where no header says so."""
_HEADER = re.compile(rb"\s*(\d{1,12})[ \t]+(\d{1,6})[ \t]*\r?\n")
_NUMBER = re.compile(rb"[-+]?(\d++(\.\d*+)?|\.\d++)([eE][-+]?\d++)?|[-+]?(nan|inf(inity)?)", re.IGNORECASE)
_OF_NUMBERS = b"0123456789+-.eE \t\r"
_LONGEST_WORD = 4096
_FASTTEXT_START = struct.Struct("<ii12id")
_DICTIONARY_START = struct.Struct("<iiiqq")


def inspect(source: Source) -> Found | None:
    """What a file of word vectors is; nothing where it is none."""
    if source.head.startswith(FASTTEXT_MAGIC):
        return _fasttext(source)
    header = _HEADER.match(source.head)
    if header and not source.is_text and 0 < int(header[2]) <= MOST_DIMENSIONS:
        return _word2vec_binary(source, int(header[1]), int(header[2]))
    return _text(source, header) if source.is_text else None


def _values(line: bytes) -> int:
    """Numbers at the end of a line; all fields but the first must be such."""
    _, *numbers = line.split()
    return len(numbers) if numbers and all(map(_NUMBER.fullmatch, numbers)) else 0


def _text(source: Source, header: re.Match[bytes] | None) -> Found | None:
    lines = source.head_lines(50)[1 if header else 0 :]
    widths = [_values(line) for line in lines if line.strip()]
    if header:
        dimensions = int(header[2])
        good = sum(width == dimensions for width in widths)
        if not 0 < dimensions <= MOST_DIMENSIONS or not widths or good < 0.5 * len(widths):
            return None
        return _rows(source, dimensions, int(header[1]))
    if not widths or max(set(widths), key=widths.count) < _FEWEST:
        return None
    dimensions = max(set(widths), key=widths.count)
    return _rows(source, dimensions, None) if widths.count(dimensions) >= 0.9 * len(widths) else None


def _rows(source: Source, dimensions: int, promised: int | None) -> Found:
    kind = "with a header (fastText .vec, word2vec text, MUSE)" if promised is not None else "without a header (GloVe)"
    found = Found("vectors-text", f"word vectors as text, {kind}", "words")
    problems, identities = Problems(), Identities()
    sample: list[str] = []
    for number, line in source.lines():
        if (number == 1 and promised is not None) or not line.strip():
            continue
        word = _word(line, dimensions, number, problems)
        if word is None:
            continue
        found.rows += 1
        identities.add(word, number)
        if len(sample) < 500:
            sample.append(word.decode("utf-8", "replace"))
    again, lines = identities.repeats()
    found.problems += problems.told()
    if again:
        found.notes.append(f"{again:,} words come again (line {', '.join(map(str, lines))}): the first is kept")
    if promised is not None and promised != found.rows and not source.stopped:
        found.problems.append(f"the header promises {promised:,} words, and there are {found.rows:,}")
    found.samples = [shorten(", ".join(sample[:12]))] if sample else []
    return _finished(found, source, dimensions, sample)


def _finished(found: Found, source: Source, dimensions: int, words: list[str]) -> Found:
    found = closed(found, source)
    found.counts["dimensions"] = dimensions
    found.languages = languages.from_name(source.path)
    found.scripts = languages.scripts(words)
    return found


def _word(line: bytes, dimensions: int, number: int, problems: Problems) -> bytes | None:
    """The word of a row that has as many numbers as it should; others are told as a problem."""
    line = line.rstrip(b" \t\r")
    word, _, rest = line.partition(b" " if b" " in line else b"\t")
    width = rest.count(b" ") + 1 if b" " in line else rest.count(b"\t") + 1
    if width != dimensions or rest.translate(None, _OF_NUMBERS):
        fields = line.rsplit(None, dimensions)
        if len(fields) != dimensions + 1 or not all(map(_NUMBER.fullmatch, fields[1:])):
            problems.add(f"lines without a word and {dimensions} numbers", number)
            return None
        word = fields[0]
        if any(b"n" in field.lower() for field in fields[1:]):
            problems.add("lines with a number that is NaN or infinite", number)
            return None
    if not word.isascii() and not is_utf8(word):
        problems.add("lines whose word is not UTF-8", number)
    return word


class _Bytes:
    """Reads a stream of chunks by count or up to a delimiter."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._waiting, self._at = chunks, b"", 0
        self.taken = 0

    def _more(self) -> bool:
        chunk = next(self._chunks, b"")
        self._waiting, self._at = self._waiting[self._at :] + chunk, 0
        return bool(chunk)

    def exactly(self, count: int) -> bytes | None:
        """``count`` bytes, or nothing where the stream has fewer."""
        while len(self._waiting) - self._at < count:
            if not self._more():
                return None
        piece = self._waiting[self._at : self._at + count]
        self._at += count
        self.taken += count
        return piece

    def until(self, mark: bytes, most: int) -> bytes | None:
        """Bytes up to ``mark``, which is passed over; nothing where it is not within ``most`` bytes."""
        while (found := self._waiting.find(mark, self._at, self._at + most)) < 0:
            if len(self._waiting) - self._at >= most or not self._more():
                return None
        piece = self._waiting[self._at : found]
        self.taken += found + 1 - self._at
        self._at = found + 1
        return piece

    def rest(self) -> int:
        """How many bytes are left; they are read and dropped."""
        left = len(self._waiting) - self._at
        self._waiting, self._at = b"", 0
        return left + sum(map(len, self._chunks))


def _words_of(found: Found, problems: Problems, promised: int, read: Callable[[], bytes | None]) -> list[str]:
    """Read as many words as are promised, or as there are whole ones; returns the first of them."""
    sample: list[str] = []
    for number in range(promised):
        word = read()
        if word is None:
            break
        if not is_utf8(word):
            problems.add("words that are not UTF-8", number + 1)
        found.rows += 1
        if len(sample) < 500:
            sample.append(word.decode("utf-8", "replace"))
    found.samples = [shorten(", ".join(sample[:12]))] if sample else []
    return sample


def _word2vec_binary(source: Source, promised: int, dimensions: int) -> Found:
    found = Found("vectors-word2vec", "word vectors in the binary format of word2vec", "words")
    stream, problems = _Bytes(source.chunks()), Problems()
    stream.until(b"\n", 64)

    def read() -> bytes | None:
        word = stream.until(b" ", _LONGEST_WORD)
        return word.lstrip(b"\n") if word is not None and stream.exactly(4 * dimensions) is not None else None

    sample = _words_of(found, problems, promised, read)
    found.problems += problems.told()
    if found.rows < promised and not source.stopped:
        found.problems.append(f"the header promises {promised:,} words, and there are {found.rows:,} whole ones")
    elif not source.stopped and (left := stream.rest()) > 1:
        found.problems.append(f"{left:,} bytes stand behind the last word")
    return _finished(found, source, dimensions, sample)


def _fasttext(source: Source) -> Found:
    """fastText's ``.bin``: magic, version, arguments, dictionary, input and output matrix (``src/fasttext.cc``)."""
    found = Found("vectors-fasttext", "a fastText model (.bin)", "words")
    stream = _Bytes(source.chunks())
    start = stream.exactly(_FASTTEXT_START.size)
    head = stream.exactly(_DICTIONARY_START.size) if start else None
    if start is None or head is None:
        found.problems.append("ends within its header")
        return _finished(found, source, 0, [])
    _, version, *arguments, _ = _FASTTEXT_START.unpack(start)
    dimensions, buckets, shortest, longest = arguments[0], arguments[8], arguments[9], arguments[10]
    size, words, labels, _, pruned = _DICTIONARY_START.unpack(head)
    problems = Problems()
    if not 0 < dimensions <= MOST_DIMENSIONS or words < 0 or labels < 0 or size != words + labels:
        found.problems.append(f"version {version} with a header that cannot be ({words} words, {dimensions} numbers)")
        return _finished(found, source, max(0, dimensions), [])

    def read() -> bytes | None:
        word = stream.until(b"\0", _LONGEST_WORD)
        return word if word is not None and stream.exactly(9) is not None else None

    sample = _words_of(found, problems, words, read)
    found.problems += problems.told()
    if found.rows < words or any(read() is None for _ in range(labels)):
        if not source.stopped:
            found.problems.append(f"the header promises {size:,} words and labels, and there are fewer")
    elif not source.stopped:
        _matrices(found, stream, dimensions, pruned)
    found.counts |= {"buckets": buckets}
    if buckets > 0 and longest > 0:
        found.notes.append(f"letter n-grams of {shortest} to {longest}: words that it lacks get vectors too")
    else:
        found.notes.append("no letter n-grams: words that it lacks get no vectors")
    return _finished(found, source, dimensions, sample)


def _matrices(found: Found, stream: _Bytes, dimensions: int, pruned: int) -> None:
    """Check that both matrices are there as their headers say."""
    for _ in range(max(0, pruned)):
        if stream.exactly(8) is None:
            break
    for name in ("input", "output"):
        start = stream.exactly(17)
        quantised, rows, columns = struct.unpack("<?qq", start) if start else (False, -1, -1)
        if quantised:
            found.problems.append("a quantised model (.ftz): its vectors are not exact; give the .bin")
            return
        if columns != dimensions or rows < 0:
            found.problems.append(f"the {name} matrix is missing or damaged")
            return
        left = rows * columns * 4
        while left > 0 and stream.exactly(min(left, 1 << 20)) is not None:
            left -= min(left, 1 << 20)
        if left > 0:
            found.problems.append(f"ends within the {name} matrix")
            return
