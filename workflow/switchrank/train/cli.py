"""``switchrank train``: tokenizer, starting checkpoint, ranker."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from switchrank.core.command import ANY_NUMBER, Command, Group, print_json
from switchrank.core.errors import UserError
from switchrank.train.methods.cross_encoder import CrossEncoderSettings
from switchrank.train.settings import describe_settings

_RANKER = """\
Training can be ended at any time (SIGTERM, SIGUSR1: saves and exits with 143); the same command goes on where it was.
The folder it writes opens with sentence_transformers.CrossEncoder.

settings are KEY=VALUE, for example: steps=1000 warmup=0.1 lr=1.0e-3 eval_every=250 keep=best precision=auto
With epochs=N there are as many steps as they take, and warmup=0.1 eval_every=0 are the defaults.
"""


def tokenizer(
    *,
    out: str,
    texts: Mapping[str, str] | None = None,
    vectors: Mapping[str, str] | None = None,
    unspaced: Sequence[str] = (),
    segmenters: Mapping[str, str] | None = None,
    size: int = 16_000,
    alpha: float = 0.3,
    max_length: int = 512,
    overwrite: bool = False,
) -> dict[str, Any]:
    """One subword tokenizer for all languages.

    The text of a language, or, where it has none, the words of its vectors. Languages are balanced, so that a small one
    is not cut into letters. Equal inputs give equal bytes.

    Args:
        out: folder to write.
        texts: .txt, .gz or .parquet.
        vectors: vector stores.
        unspaced: written without spaces.
        segmenters: what cuts its text.
        size: pieces.
        alpha: 0 = languages weigh the same, 1 = as their text.
        max_length: pieces per pair.
        overwrite: replace the folder whatever it holds.
    """
    from switchrank.train.tokenizer import build_tokenizer

    return build_tokenizer(
        texts={language: paths.split(",") for language, paths in (texts or {}).items()},
        vectors=dict(vectors or {}),
        unspaced=list(unspaced),
        segmenters=dict(segmenters or {}),
        size=size,
        alpha=alpha,
        max_length=max_length,
        out=out,
        overwrite=overwrite,
    )


def start(
    *,
    out: str,
    tokenizer: str | None = None,
    model: str | None = None,
    preset: str = "tiny",
    init: Sequence[str] | None = None,
    vectors: Mapping[str, str] | None = None,
    vectors_share: float = 1.0,
    seed: int = 1,
    overwrite: bool = False,
) -> None:
    """The checkpoint every system starts from.

    A small BERT over a tokenizer of yours, or an existing model.

      mimetic   query and key weights start equal, value times output near minus identity (arXiv 2305.09828):
                without it a small model from scratch hardly learns to match words
      vectors   word embeddings start from aligned word vectors: translations start close together

    Args:
        out: folder to write.
        tokenizer: folder of a tokenizer: make a small model over it.
        model: folder or hub name of a model to start from.
        preset: tiny or small.
        init: mimetic, vectors (default: both that can be had).
        vectors: aligned vector stores.
        vectors_share: their share of the norm.
        seed: of the weights.
        overwrite: replace the folder whatever it holds.
    """
    from switchrank.train.start import build_start

    if (tokenizer is None) == (model is None):
        problem = "none of them given" if model is None else "both given"
        raise UserError("switchrank train start", "--tokenizer, --model", problem, "choose one; see --help")
    known = ["mimetic", "vectors"] if vectors else ["mimetic"]
    build_start(
        tokenizer=tokenizer,
        model=model,
        preset=preset,
        init=known if init is None else list(init),
        vectors=dict(vectors or {}),
        vectors_share=vectors_share,
        seed=seed,
        out=out,
        overwrite=overwrite,
    )


def transplant(*, model: str, lexicons: Mapping[str, str], out: str, overwrite: bool = False) -> dict[str, Any]:
    """Start target-language pieces from their translations.

    Args:
        model: folder of a model trained on the source language.
        lexicons: source-to-target lexicons.
        out: folder to write.
        overwrite: replace the folder whatever it holds.
    """
    from switchrank.train.transplant import transplant_embeddings

    return transplant_embeddings(model=model, lexicons=dict(lexicons), out=out, overwrite=overwrite)


def ranker(
    *,
    settings: Mapping[str, str],
    corpus: Sequence[str],
    start: str,
    out: str,
    dev: str | None = None,
    work: str | None = None,
    seed: int = 1,
    device: str = "cpu",
    processes: int = 1,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Train a cross-encoder.

    Args:
        settings: see below.
        corpus: training tables, in order.
        start: folder of the starting checkpoint.
        out: folder to write.
        dev: table of the development set.
        work: folder for checkpoints (default: .work beside --out).
        seed: of the order of instances, of dropout, and of a head the start lacks.
        device: cpu, cuda or cuda:N[,cuda:M]; exit code 75 without one.
        processes: that share each step, on a GPU each.
        overwrite: replace the folder whatever it holds.
    """
    from switchrank.train.loop import train_model
    from switchrank.train.method import Data

    for path in corpus:
        if path.endswith(".json"):
            problem = "the record of a corpus whose texts are not written"
            raise UserError(path, "--corpus", problem, "write it (switchrank corpus switch), or train it by Snakemake")
    return train_model(
        "cross-encoder",
        Data({"corpus": corpus, "dev": dev, "start": start}),
        out=out,
        work=work or Path(out).parent / ".work",
        settings={name: _setting(value) for name, value in settings.items()},
        seed=seed,
        device=device,
        processes=processes,
        overwrite=overwrite,
    )


def _setting(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


COMMANDS = Group(
    {
        "tokenizer": Command(
            tokenizer,
            folder="a tokenizer",
            forms={
                "texts": "LANG=FILE[,FILE]",
                "vectors": "LANG=PREFIX",
                "unspaced": "LANG",
                "segmenters": "LANG=segmenter:NAME",
            },
            shown=print_json,
        ),
        "start": Command(
            start,
            folder="a starting model",
            forms={"vectors": "LANG=PREFIX"},
            counts={"init": ANY_NUMBER},
        ),
        "transplant": Command(
            transplant, folder="a transplanted model", forms={"lexicons": "LANG=FILE"}, shown=print_json
        ),
        "ranker": Command(
            ranker,
            about=_RANKER + describe_settings(CrossEncoderSettings),
            folder="a trained model",
            places=["settings"],
            forms={"settings": "KEY=VALUE", "corpus": "FILE"},
            shown=print_json,
        ),
    }
)
