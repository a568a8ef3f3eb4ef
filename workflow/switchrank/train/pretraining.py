"""An encoder that goes on learning from text before it learns to rank, from the files of a person."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from switchrank.train.method import Data
from switchrank.train.training import train_model


def pretrain_encoder(
    *,
    model: str | Path,
    out: str | Path,
    texts: Sequence[str | Path] | None = None,
    bitext: Sequence[str | Path] | None = None,
    lexicons: Sequence[str | Path] | None = None,
    settings: Mapping[str, Any],
    work: str | Path | None = None,
    seed: int = 1,
    device: str = "cpu",
    processes: int = 1,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Train an encoder further by masked or contrastive objectives (:mod:`switchrank.train.methods.pretrain`).

    Args:
        model: folder of a BERT, RoBERTa or XLM-R model.
        out: folder to write. ``train.json`` tells the losses on lines set aside, ``before`` and, in training, ``dev``.
        texts: files of one language each, LANG.txt or LANG/train.parquet, packed or not.
        bitext: tables of lines that translate each other, SRC-TGT/train.parquet.
        lexicons: lexicons that texts are switched by, SRC-TGT.parquet.
        settings: KEY=VALUE, see below; a budget (tokens, steps or epochs) must be given.
        work: folder for checkpoints (default: .work beside --out).
        seed: of the lines that are set aside, of their order, and of all that is drawn.
        device: cpu, cuda or cuda:N[,cuda:M].
        processes: that share each step.
        overwrite: replace the folder whatever it holds.

    Returns:
        As :func:`switchrank.train.training.train_model`.

    Raises:
        UserError: no budget, an unknown objective, or one whose data are not given; a layer that the model lacks; a
            lexicon without any of the texts' words; and as train_model.
        SystemExit: code 143, after SIGTERM or SIGUSR1 and saving.

    Example:
        >>> pretrain_encoder(
        ...     model="start",
        ...     texts=["texts/en/train.parquet", "texts/de/train.parquet"],
        ...     lexicons=["lexicons/clwe/en-de.parquet"],
        ...     settings={"objectives": {"cs": 1.0, "mlm": 0.1}, "tokens": 3_000_000},
        ...     out="cs",
        ... )
    """
    return train_model(
        Data({"start": model, "texts": texts, "bitext": bitext, "lexicon": lexicons}),
        method="pretrain",
        out=out,
        work=work,
        settings=settings,
        seed=seed,
        device=device,
        processes=processes,
        overwrite=overwrite,
    )
