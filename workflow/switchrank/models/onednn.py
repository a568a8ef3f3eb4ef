"""Products of float32 and bfloat16 matrices by oneDNN on a CPU, which torch has without a public name for them.

``torch.nn.functional.linear`` takes MKL, which is slower on some machines, and offers no layout of weights that is
chosen once. torch's own compiler calls these operators; nobody else here names them.
"""

from __future__ import annotations

import torch
from torch import Tensor

_SMALLEST = 256
"""Below this width oneDNN's products are slower than MKL's."""
_ROWS = 2048
"""Tokens that the layout of weights is chosen for; other numbers work too."""


def suits(weight: Tensor) -> bool:
    """Has this build of torch oneDNN's product, and is the matrix large enough for it?"""
    there = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return there and weight.device.type == "cpu" and min(weight.shape) >= _SMALLEST


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None, activation: str = "none") -> Tensor:
    """``inputs @ weight.T + bias``, and perhaps an activation such as ``gelu`` within the product."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, activation, [], "none")
    return product


def laid_out(weight: Tensor) -> Tensor:
    """A copy of a weight, laid out for :func:`linear`."""
    copy: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)
    return copy
