"""Checks of the settings of trainings, by what a training itself would refuse, on the device it is for."""

from collections.abc import Iterator

from switchrank.config.models import Config
from switchrank.config.sections import Finding, refused
from switchrank.config.systems import RUN_KEYS, Training, settings_of
from switchrank.core.errors import UserError
from switchrank.train.settings import check_dev, check_precision, parse_settings

_DEFAULT = " (its default)"


def training_findings(config: Config, device: str) -> Iterator[Finding]:
    """What the trainings of systems, starts and rows of the ablation would refuse on a device."""
    sections: list[tuple[str, Training, bool]] = [(key, getattr(config, key), True) for key in RUN_KEYS.values()]
    if config.start.first:
        sections.append(("start.first", config.start.first, True))
    if config.ablation:
        sections.append(("ablation.train", config.ablation.train, config.ablation.held_out > 0))
    sections += [(f"{place}.repair", one.repair, True) for place, one in config.every_start.items() if one.repair]
    told = [finding for section in sections for finding in _training(config, *section, device)]
    yield from told
    known = {(place, problem) for place, problem, _ in told}
    changed = {f"systems.{name}.train": (one.train, one.architecture) for name, one in config.systems.items()}
    changed |= {f"starts.{name}.train": (one.train, one.method) for name, one in config.starts.items()}
    for place, (changes, architecture) in changed.items():
        if not changes.model_fields_set or changes.others(architecture):
            continue
        run = RUN_KEYS[architecture]
        for where, problem, todo in _training(config, place, config.training(changes, architecture), True, device):
            key = where.rpartition(".")[2]
            if (f"{run}.{key}", problem) not in known:
                inherited = key not in changes.model_fields_set and not problem.endswith(_DEFAULT)
                yield where, problem + (f" (as in {run})" if inherited else ""), todo


def _training(config: Config, place: str, section: Training, has_dev: bool, device: str) -> Iterator[Finding]:
    settings = config.training_settings(section) | {"checkpoint_every": section.checkpoint_every}
    while True:
        try:
            parsed = parse_settings(settings, settings_of(section))
        except UserError as error:
            unwritten = error.place not in section.model_fields_set
            yield f"{place}.{error.place}", error.problem + (_DEFAULT if unwritten else ""), error.todo
            if settings.pop(error.place, None) is None:
                return
            if error.place == "warmup":  # its default too may be more than the steps
                settings["warmup"] = 0
        else:
            break
    if parsed.epochs and parsed.warmup >= 1:
        todo = "write a share of them, such as 0.1: few labels take few steps"
        yield f"{place}.warmup", f"{parsed.warmup:g} steps of those that epochs take", todo
    if parsed.epochs and parsed.schedule_steps is not None:
        problem = f"{parsed.schedule_steps} steps beside epochs, whose steps depend on the data"
        yield f"{place}.schedule_steps", problem, "leave it out, or give steps in place of epochs"
    yield from refused(place, check_dev, parsed, given=has_dev)
    yield from refused(place, check_precision, parsed.precision, device)
