"""A smaller model out of a larger one: some of its layers, trained on text to give the token vectors of the whole."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from switchrank.train.method import Data
from switchrank.train.training import train_model


def repair_layers(
    *,
    model: str | Path,
    layers: Sequence[int],
    texts: Sequence[str | Path],
    out: str | Path,
    settings: Mapping[str, Any] | None = None,
    work: str | Path | None = None,
    seed: int = 1,
    device: str = "cpu",
    processes: int = 1,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write a model with some layers of another, repaired (:mod:`switchrank.train.methods.distil`).

    Args:
        model: folder of a BERT, RoBERTa or XLM-R model.
        layers: numbers of those that are kept, in order, counted from 0.
        texts: .txt, .gz or .parquet, in the languages that the model is for.
        out: folder to write. ``train.json`` tells the error on texts set aside as ``before`` and, in training, ``dev``.
        settings: KEY=VALUE, see below; what is left out has its default.
        work: folder for checkpoints (default: .work beside --out).
        seed: of the texts that are drawn and set aside, and of their order.
        device: cpu, cuda or cuda:N[,cuda:M].
        processes: that share each step.
        overwrite: replace the folder whatever it holds.

    Returns:
        As :func:`switchrank.train.training.train_model`.

    Raises:
        UserError: the model has no such layers, or bad settings or texts; and as train_model.
        SystemExit: code 143, after SIGTERM or SIGUSR1 and saving.

    Example:
        >>> repair_layers(model="e5", layers=[1, 3, 5, 7, 9, 11], texts=["en.txt", "de.txt"], out="e5-6")
    """
    return train_model(
        Data({"start": model, "texts": texts}),
        method="distil",
        out=out,
        work=work,
        settings={**(settings or {}), "layers": layers},
        seed=seed,
        device=device,
        processes=processes,
        overwrite=overwrite,
    )
