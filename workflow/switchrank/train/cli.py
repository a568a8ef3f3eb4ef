"""``switchrank train``: tokenizer, starting checkpoint and what is learned before ranking, ranker, encoders."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchrank.core.command import ANY_NUMBER, Command, Group, named, print_json
from switchrank.core.errors import UserError
from switchrank.train.method import Data
from switchrank.train.methods.contrastive import ContrastiveSettings
from switchrank.train.methods.cross_encoder import CrossEncoderSettings
from switchrank.train.methods.distil import DistilSettings, RepairSettings
from switchrank.train.methods.inject import InjectSettings
from switchrank.train.methods.late_interaction import LateInteractionSettings
from switchrank.train.methods.pretrain import PretrainSettings
from switchrank.train.settings import Settings, describe_settings

_RESUMED = """\
Training can be ended at any time (SIGTERM, SIGUSR1: saves and exits with 143); the same command goes on where it was.
"""
_RANKER = f"""\
{_RESUMED.strip()}
The folder it writes opens with sentence_transformers.CrossEncoder.

settings are KEY=VALUE, for example: steps=1000 warmup=0.1 lr=1.0e-3 eval_every=250 keep=best precision=auto
With epochs=N there are as many steps as they take, and warmup=0.1 eval_every=0 are the defaults.
"""
_ENCODER = f"""\
{_RESUMED.strip()}
The folder it writes opens with sentence_transformers.SentenceTransformer.

settings are KEY=VALUE, for example: steps=600 warmup=0.1 batch_size=64 batches=hybrid mono=0.5
"""
_PRETRAINED = f"""\
{_RESUMED.strip()}
The folder it writes is a start for rankers and encoders.

settings are KEY=VALUE, for example: objectives='{{"cs": 1, "mlm": 0.1}}' tokens=3000000 lr=1.0e-4 p=0.5
"""
_STARTS = f"""\
{_RESUMED.strip()}
The folder it writes is a start: rankers and encoders are trained from it.

settings are KEY=VALUE:
"""
_LATE = f"""\
{_RESUMED.strip()}
The folder it writes opens with sentence_transformers.MultiVectorEncoder.

settings are KEY=VALUE, for example: steps=600 warmup=0.1 batch_size=32 negatives=4 dim=128
"""
_TEXTS = "LANG=FILE[,FILE]"


@dataclass(frozen=True)
class Files:
    """What a ranker is trained from.

    Attributes:
        corpus: training tables, in order.
        start: folder of the starting checkpoint.
        dev: table of the development set.
    """

    corpus: Sequence[str]
    start: str
    dev: str | None = None


@dataclass(frozen=True)
class EncoderFiles(Files):
    """What a dual encoder or late interaction is trained from.

    Attributes:
        corpus: training tables, in order; equal ids in several languages are the same text.
        start: folder of the starting model.
        dev: table of the development set.
        scores: table of a teacher's scores, qid, pid and score, for teacher=WEIGHT.
    """

    scores: str | None = None


@dataclass(frozen=True)
class DistilFiles:
    """What an encoder learns from another by.

    Attributes:
        start: folder of the encoder that learns.
        teacher: folder of the other (default: the start itself).
        texts: .txt, .gz or .parquet, for loss=tokens.
        bitext: tables of lines that translate each other, in folders such as en-de, for the other losses.
        dev: such tables to judge by, whose texts are not trained on (default: lines that are set aside).
    """

    start: str
    teacher: str | None = None
    texts: Sequence[str] | None = None
    bitext: Sequence[str] | None = None
    dev: Sequence[str] | None = None


@dataclass(frozen=True)
class InjectFiles:
    """What an encoder learns words by.

    Attributes:
        lexicon: tables of words and their translations.
        start: folder of the encoder.
    """

    lexicon: Sequence[str]
    start: str


def _trained_by(method: str) -> Callable[..., dict[str, Any]]:
    def train(
        *,
        data: Data,
        out: str | Path,
        settings: dict[str, Any],
        work: str | Path | None = None,
        seed: int = 1,
        device: str = "cpu",
        processes: int = 1,
        overwrite: bool = False,
    ) -> dict[str, Any]:
        """Train a model.

        Args:
            data: the files it is trained from.
            out: folder to write. Equal arguments give equal bytes, except for ``timing`` in ``train.json``.
            settings: KEY=VALUE, see below; what is left out has its default.
            work: folder for checkpoints (default: .work beside --out).
            seed: of batches and of dropout.
            device: cpu, cuda or cuda:N[,cuda:M].
            processes: that share each step.
            overwrite: replace the folder whatever it holds.
        """
        from switchrank.train.training import train_model

        more: dict[str, Any] = {"work": work, "seed": seed, "device": device, "processes": processes}
        return train_model(data, method=method, out=out, settings=settings, overwrite=overwrite, **more)

    return train


def _encoder_data(files: EncoderFiles) -> Data:
    return _data(files)


def _distil_data(files: DistilFiles) -> Data:
    return Data(vars(files))


def _inject_data(files: InjectFiles) -> Data:
    return Data(vars(files))


def _data(files: Files) -> Data:
    for path in files.corpus:
        if path.endswith(".json"):
            problem = "the record of a corpus whose texts are not written"
            raise UserError(path, "--corpus", problem, "write it (switchrank corpus switch), or train it by Snakemake")
    return Data(vars(files))


def _settings(words: Sequence[str]) -> dict[str, Any]:
    settings: dict[str, Any] = {**named(words, "SETTINGS", "KEY=VALUE")}
    for name, text in settings.items():
        with suppress(json.JSONDecodeError):
            settings[name] = json.loads(text)
    return settings


def _preset(name: str) -> str:
    return name


def _texts(words: Sequence[str]) -> dict[str, list[str]]:
    return {language: paths.split(",") for language, paths in named(words, "--texts", _TEXTS).items()}


def _learning(
    method: str, title: str, about: str, settings: type[Settings], data: Callable[..., Data], *several: str
) -> Command:
    """The command of a method: how its data are read from what is typed, and which options take several files."""
    return Command(
        _trained_by(method),
        title,
        about=about + describe_settings(settings),
        folder="a trained model",
        places=["settings"],
        forms={"settings": "KEY=VALUE", **dict.fromkeys(several, "FILE")},
        reads={"data": data, "settings": _settings},
        shown=print_json,
    )


COMMANDS = Group(
    {
        "tokenizer": Command(
            "train.tokenizer:build_tokenizer",
            "one subword tokenizer for all languages",
            folder="a tokenizer",
            forms={
                "texts": _TEXTS,
                "vectors": "LANG=PREFIX",
                "unspaced": "LANG",
                "segmenters": "LANG=segmenter:NAME",
            },
            reads={"texts": _texts},
            unasked={"word_share", "max_characters"},
            shown=print_json,
        ),
        "start": Command(
            "train.start:build_start",
            "the checkpoint every system starts from",
            folder="a starting model",
            forms={"vectors": "LANG=PREFIX"},
            reads={"preset": _preset},
            counts={"init": ANY_NUMBER},
        ),
        "transplant": Command(
            "train.transplant:transplant_embeddings",
            "start target-language pieces from their translations",
            folder="a transplanted model",
            forms={"lexicons": "LANG=FILE"},
            shown=print_json,
        ),
        "extend": Command(
            "train.extending:extend_vocabulary",
            "give a pretrained model pieces for further languages",
            folder="an extended model",
            forms={"texts": _TEXTS, "lexicons": "LANG=FILE", "vectors": "LANG=PREFIX"},
            reads={"texts": _texts},
            shown=print_json,
        ),
        "prune": Command(
            "train.pruning:prune_vocabulary",
            "leave out pieces of a pretrained model that no text uses",
            folder="an imported model",
            forms={"texts": "FILE"},
            shown=print_json,
        ),
        "repair": Command(
            "train.repair:repair_layers",
            "make a smaller model of some layers of another",
            about=_RESUMED + "\nsettings are KEY=VALUE:\n" + describe_settings(RepairSettings),
            folder="a trained model",
            places=["settings"],
            forms={"settings": "KEY=VALUE", "texts": "FILE", "layers": "N"},
            reads={"settings": _settings},
            shown=print_json,
        ),
        "pretrain": Command(
            "train.pretraining:pretrain_encoder",
            "train an encoder further on text, before it learns to rank",
            about=_PRETRAINED + describe_settings(PretrainSettings),
            folder="a trained model",
            places=["settings"],
            forms={"settings": "KEY=VALUE", "texts": "FILE", "bitext": "FILE", "lexicons": "FILE"},
            reads={"settings": _settings},
            shown=print_json,
        ),
        "ranker": Command(
            "train.training:train_model",
            "train a cross-encoder",
            about=_RANKER + describe_settings(CrossEncoderSettings),
            folder="a trained model",
            places=["settings"],
            forms={"settings": "KEY=VALUE", "corpus": "FILE"},
            reads={"data": _data, "settings": _settings},
            unasked={"method", "record"},
            shown=print_json,
        ),
        "encoder": _learning(
            "contrastive", "train a dual encoder", _ENCODER, ContrastiveSettings, _encoder_data, "corpus"
        ),
        "late": _learning(
            "late-interaction",
            "train late interaction: a vector for each token, compared by MaxSim",
            _LATE,
            LateInteractionSettings,
            _encoder_data,
            "corpus",
        ),
        "distil": _learning(
            "distil",
            "make an encoder give the vectors of another, on texts or on bitext",
            _STARTS,
            DistilSettings,
            _distil_data,
            *("texts", "bitext", "dev"),
        ),
        "inject": _learning(
            "inject",
            "bring words and their translations together in a layer of an encoder",
            _STARTS,
            InjectSettings,
            _inject_data,
            "lexicon",
        ),
    }
)
