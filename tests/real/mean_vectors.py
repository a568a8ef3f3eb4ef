"""Texts as the means of their token vectors, by transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertModel

from switchrank.models.pretrained import open_tokenizer


@torch.inference_mode()
def vectors(folder: Path, texts: list[str]) -> np.ndarray[Any, Any]:
    """Mean vectors of texts, of norm 1."""
    model, tokenizer = BertModel.from_pretrained(folder, add_pooling_layer=False).eval(), open_tokenizer(folder)
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.enable_truncation(256)
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    means = torch.zeros(len(texts), model.config.hidden_size)
    for start in range(0, len(order), 64):
        places = order[start : start + 64]
        ids = [torch.tensor(one.ids) for one in backend.encode_batch([texts[place] for place in places])]
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(one)) for one in ids], batch_first=True)
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
        states = model(input_ids=padded, attention_mask=mask).last_hidden_state
        means[places] = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return torch.nn.functional.normalize(means).numpy()
