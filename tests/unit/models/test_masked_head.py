"""The masked-language head: logits of the stock classes, kept beside an encoder, and what is wrong with one."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertForMaskedLM,
    ModernBertConfig,
    ModernBertModel,
    RobertaConfig,
    RobertaForMaskedLM,
)

from switchrank.core.errors import UserError
from switchrank.models.masked_head import MASKED_HEAD, open_masked_head

SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 40,
    "initializer_range": 0.3,
}
STOCK = {"bert": (BertConfig, BertForMaskedLM), "roberta": (RobertaConfig, RobertaForMaskedLM)}


@pytest.fixture(params=STOCK)
def stock(request, tmp_path):
    """A stock masked language model with biases that matter, and its folder."""
    config, kind = STOCK[request.param]
    torch.manual_seed(1)
    model = kind(config(**SIZES)).eval()
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    model.save_pretrained(tmp_path)
    return model, tmp_path


def logits_of(head, model, ids):
    """By our head, of the states of the stock encoder."""
    states = model.base_model(input_ids=ids).last_hidden_state
    return head(states, model.get_input_embeddings().weight)


def test_logits_are_those_of_the_stock_class(stock):
    model, folder = stock
    ids = torch.arange(5, 25).view(2, 10)
    head = open_masked_head(folder, model)
    torch.testing.assert_close(logits_of(head, model, ids), model(input_ids=ids).logits, rtol=1e-5, atol=1e-5)


def test_a_head_that_is_kept_beside_an_encoder_is_found_again(stock, tmp_path):
    model, folder = stock
    head = open_masked_head(folder, model)
    (tmp_path / "kept").mkdir()
    head.save(tmp_path / "kept")
    again = open_masked_head(tmp_path / "kept", model)
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in head.state_dict().items())


def test_a_model_without_a_head_gets_one_that_is_drawn_or_has_none(stock, tmp_path):
    model, _ = stock
    assert open_masked_head(tmp_path / "nowhere", model, new=False) is None
    torch.manual_seed(2)
    head = open_masked_head(tmp_path / "nowhere", model)
    assert 0.2 < head.dense.weight.std() < 0.4  # initializer_range
    assert not head.bias.any()


def test_an_encoder_of_another_family_gets_a_head_too(tmp_path):
    model = ModernBertModel(ModernBertConfig(**SIZES, pad_token_id=0))
    head = open_masked_head(tmp_path / "nowhere", model)
    assert logits_of(head, model, torch.arange(5, 15)[None]).shape == (1, 10, 50)
    assert head.norm.eps == model.config.norm_eps


def test_the_head_of_another_model_is_one_line(stock, tmp_path):
    model, folder = stock
    open_masked_head(folder, model).save(tmp_path)
    tensors = load_file(tmp_path / MASKED_HEAD)
    save_file(tensors | {"bias": torch.zeros(51)}, tmp_path / MASKED_HEAD)
    with pytest.raises(UserError, match=f"{MASKED_HEAD}: a masked-language head of another model: delete it") as told:
        open_masked_head(tmp_path, model)
    assert "\n" not in str(told.value)
