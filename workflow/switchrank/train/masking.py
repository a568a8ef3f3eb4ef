"""Masked language modelling: which tokens of a text are covered, and by what (Devlin et al. 2019, section 3.1).

Of the tokens to be predicted 80% become the mask, 10% another piece, and 10% stay; special tokens are never among them.
What is drawn is a function of seed, step, row and position alone, however a step is split.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.ragged import Numbers, spans
from switchrank.core.seeds import counter_state, derive_seed, uniform_after
from switchrank.models.encode import Template, Texts, assemble

IGNORED = -100
"""What stands in labels where nothing is to be predicted, as torch's cross-entropy has it."""
_MASKED, _REPLACED = 0.8, 0.9


@dataclass(frozen=True)
class MaskedTexts:
    """Texts as they are read, and their labels: token ids where one is to be predicted, else :data:`IGNORED`."""

    inputs: Texts
    labels: Texts

    def take(self, numbers: Numbers) -> "MaskedTexts":
        return MaskedTexts(self.inputs.take(numbers), self.labels.take(numbers))


class Masking:
    """Covers a ``share`` of the tokens of texts; raises UserError for a tokenizer without a mask token."""

    def __init__(self, tokenizer: Any, share: float, seed: int) -> None:
        if tokenizer.mask_token_id is None:
            problem, todo = "no mask token, so that nothing can be masked", "start from a model that has one"
            raise UserError(str(tokenizer.name_or_path), "tokenizer", problem, todo)
        self._mask, self._share, self._seed = int(tokenizer.mask_token_id), share, seed
        added = tokenizer.backend_tokenizer.get_added_tokens_decoder()
        special = [number for number, token in added.items() if token.special]
        self._pieces: Numbers = np.setdiff1d(np.arange(len(tokenizer)), special)

    def __call__(self, texts: Texts, purpose: str, step: int, rows: Numbers) -> MaskedTexts:
        """The texts, masked; ``purpose``, ``step`` and the number of each of the ``rows`` decide what is drawn."""
        ids = texts.ids[spans(texts.starts, texts.lengths)]
        row, position = np.repeat(rows, texts.lengths), spans(np.zeros_like(texts.lengths), texts.lengths)
        state = counter_state(derive_seed(self._seed, "masking", purpose), step)
        chosen, kind, piece = (uniform_after(state, row, position, number) for number in range(3))
        predicted = chosen < self._share
        read = np.where(predicted & (kind < _MASKED), self._mask, ids)
        other = self._pieces[(piece * len(self._pieces)).astype(np.int64)]
        read = np.where(predicted & (kind >= _MASKED) & (kind < _REPLACED), other, read)
        return MaskedTexts(_again(read, texts), _again(np.where(predicted, ids, IGNORED), texts))


def _again(ids: NDArray[Any], texts: Texts) -> Texts:
    """Other ids in place of those of texts."""
    return Texts(ids.astype(np.int32), np.cumsum(texts.lengths) - texts.lengths, texts.lengths)


def labels_of(template: Template, first: Texts, second: Texts) -> Numbers:
    """The labels of a batch as :func:`switchrank.models.encode.assemble` lays out its inputs, int64."""
    hidden = [np.full_like(part, IGNORED) for part in template.around]
    return assemble(Template(hidden, None, IGNORED, 0), first, second)["input_ids"]
