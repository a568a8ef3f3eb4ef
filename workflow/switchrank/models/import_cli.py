"""``switchrank import-model``: weights that exist only as a pickle become safetensors."""

from __future__ import annotations

from switchrank.core.command import Command, print_json

COMMANDS = Command("models.import_model:import_model", folder="an imported model", shown=print_json)
