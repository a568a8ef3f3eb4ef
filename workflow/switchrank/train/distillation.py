"""A student and its teacher: what either makes of texts, and whether they go together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchrank.core.errors import UserError

if TYPE_CHECKING:
    import torch

    from switchrank.models.dropout import Draw
    from switchrank.models.pretrained import Model


class Distillation:
    """A student and its frozen teacher; what they read need not be the same text."""

    def __init__(self, student: Model, teacher: Model) -> None:
        from switchrank.models.packed import encoding_forward

        self._student = encoding_forward(student)
        self._teacher = encoding_forward(teacher.eval().requires_grad_(False))

    def ours(self, read: Mapping[str, torch.Tensor], draw: Draw | None = None) -> torch.Tensor:
        """The token vectors of what the student reads, with gradients, float32.

        Padded inputs of n texts on the CPU become ``(n, longest, width)``, zeros at padding.
        """
        return self._student(read, draw).float()

    def theirs(self, shown: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The same of what the teacher is shown, without gradients."""
        import torch

        with torch.no_grad():
            return self._teacher(shown).float()


def check_teacher(student: Model, teacher: Model, source: str | Path) -> None:
    """Raise UserError where vectors of the teacher, whose folder is ``source``, are of another width."""
    ours, theirs = student.config.hidden_size, teacher.config.hidden_size
    if ours != theirs:
        problem = f"vectors of {theirs} numbers, where those of the student have {ours}"
        raise UserError(source, "teacher", problem, f"give a teacher of width {ours}")


def same_pieces(one: Any, other: Any) -> bool:
    """Whether two tokenizers number the same pieces alike."""
    alike: bool = one is other or one.get_vocab() == other.get_vocab()
    return alike
