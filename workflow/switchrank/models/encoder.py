"""Vectors of single texts from a pretrained encoder: the mean of its states over all layers and the pieces of a text.

For words the mean over layers is nearer to that of translations than the last layer alone (Vulic et al. 2020, arXiv
2010.05731; our figures are in docs/results.md). Special tokens and the embeddings below the first layer are left out.

A batch holds texts of exactly one length, so nothing is padded, and what a text is encoded beside changes its vector by
rounding at most.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from switchrank.models.pretrained import open_encoder

LONGEST = 64
"""Tokens of a text that are looked at, special ones included."""
_TOKENS = 2048
"""Tokens of a batch at most."""


class Encoder:
    """A pretrained model that turns each text into one vector, on the CPU. Sets torch's number of CPU threads.

    >>> Encoder("results/xquad/starts/e5")(["dog", "Hund"]).shape  # doctest: +SKIP
    (2, 384)

    Attributes:
        tokenizer: its fast tokenizer.
        dimensions: of a vector.

    Args:
        model: folder or hub name of a BERT, ModernBERT, RoBERTa or XLM-R encoder.
        threads: CPU threads; vectors are byte-identical for equal threads.

    Raises:
        UserError: it cannot be had, is damaged, or is no encoder but a cross-encoder or a decoder.
    """

    def __init__(self, model: str | Path, *, threads: int = 1) -> None:
        torch.set_num_threads(max(1, threads))
        whole, self.tokenizer = open_encoder(model)
        self._model = getattr(whole, whole.base_model_prefix).eval()
        self.dimensions = int(whole.config.hidden_size)

    @torch.inference_mode()
    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts, float32 ``(texts, dimensions)``; their own lengths are left as they are."""
        backend = self.tokenizer.backend_tokenizer
        backend.no_padding()
        backend.enable_truncation(LONGEST)
        cut = backend.encode_batch_fast(list(texts))
        ids, special = [one.ids for one in cut], [one.special_tokens_mask for one in cut]
        found = np.empty((len(ids), self.dimensions), np.float32)
        for places in _equally_long(ids):
            batch = torch.tensor([ids[place] for place in places])
            mask, inner = torch.ones_like(batch), torch.tensor(special[places[0]]) == 0
            _, *layers = self._model(input_ids=batch, attention_mask=mask, output_hidden_states=True).hidden_states
            states = torch.stack(layers).mean(0)
            found[places] = (states[:, inner] if inner.any() else states).mean(1).numpy()
        return found


def _equally_long(ids: Sequence[Sequence[int]]) -> Iterator[NDArray[np.int64]]:
    """Numbers of texts in batches of one length each, the longest first."""
    lengths = np.array([len(one) for one in ids], dtype=np.int64)
    for length in sorted(set(lengths.tolist()), reverse=True):
        places, most = np.flatnonzero(lengths == length), max(1, _TOKENS // max(1, length))
        yield from (places[start : start + most] for start in range(0, len(places), most))
