"""``switchrank import-model``: weights that exist only as a pickle become safetensors."""

from __future__ import annotations

import argparse
import json

from switchrank.core.outputs import writes

_TEXT = """\
Convert a model whose weights exist only as a pickle (pytorch_model.bin) into a new folder with safetensors. The pickle
is read in a process of its own that can do nothing else; a file that holds more than weights is refused.

example:
  switchrank import-model --model xlm-roberta-base --out models/xlm-roberta-base
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = _TEXT
    parser.add_argument("--model", required=True, help="folder or hub name")
    parser.add_argument("--revision", help="branch, tag or commit of a hub name")
    parser.add_argument("--out", required=True, help="folder to write")
    writes(parser, folder="an imported model")
    parser.set_defaults(run=_import)


def _import(arguments: argparse.Namespace) -> None:
    from switchrank.models.import_model import import_model

    made = import_model(
        model=arguments.model, out=arguments.out, revision=arguments.revision, overwrite=arguments.overwrite
    )
    print(json.dumps(made))
