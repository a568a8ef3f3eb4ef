"""Sentence boundaries for paragraphs that bring none: Wikimedia's ``sentencex`` rules, which need no model."""

from __future__ import annotations

from sentencex import segment


def sentence_spans(text: str, language: str) -> list[tuple[int, int]]:
    """Character spans ``[start, end)`` of the sentences of ``text``, without the white space around them.

    The spans are in order, do not overlap, hold no empty sentence, and only white space lies between them. Languages
    without rules of their own are split by the rules ``sentencex`` falls back to.
    """
    spans = []
    start = 0
    for piece in segment(language, text):
        end = start + len(piece)
        left = start + len(piece) - len(piece.lstrip())
        if piece.strip():
            spans.append((left, start + len(piece.rstrip())))
        start = end
    return spans
