"""What a model was trained from, and under what licence, in words for its card."""

from collections.abc import Mapping
from typing import Any


def describe_start(start: Mapping[str, Any]) -> str:
    """What ``start.json`` says of a starting model, as a phrase."""
    if "model" in start:
        earlier = "an earlier checkpoint of " if "trained" in start else ""
        more = f" with {start['extend']['pieces']} further pieces" if "extend" in start else ""
        told = f"{earlier}the weights of {start['model']}{more}"
    elif "preset" in start and "trained" not in start:
        named = start["preset"] if isinstance(start["preset"], str) else "own shape"
        told = f"scratch ({named}; initialisation: {', '.join(start['init']) or 'usual'})"
    else:
        told = "an earlier checkpoint"
    if layers := start.get("layers"):
        told += f", {len(layers['kept'])} of its {layers['of']} layers"
    for one in start.get("learned", ()):
        told += f", further trained on {one['data']} ({one['method']})"
    return told


def describe_licence(start: Mapping[str, Any]) -> str:
    """What a card says of the licence of weights from elsewhere: a line, or nothing."""
    from switchrank.models.origin import caution

    if "licence" not in start:
        return ""
    kind = caution(start["licence"])
    if kind == "unknown":
        todo = "ask their makers before you use or share this model"
        return f"The licence of these weights is not known ({start['licence']}): {todo}.\n"
    more = ", which forbids commercial use, of this model too" if kind else ""
    return f"These weights are under the licence {start['licence']}{more}.\n"
