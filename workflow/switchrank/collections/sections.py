"""The collection sections of a config file, one per format, told apart by the key ``format``."""

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from switchrank.collections.section import CollectionSection
from switchrank.collections.spec import folders, module_of


def _section(folder: str) -> type[CollectionSection]:
    """The section that a folder declares: the one class of its module that has a tag."""
    module = import_module(module_of(folder, "section"))
    section: type[CollectionSection]
    (section,) = (value for value in vars(module).values() if "format" in getattr(value, "model_fields", {}))
    return section


FORMATS: dict[str, type[CollectionSection]] = {name: _section(folder) for name, folder in folders().items()}
"""The section of each format, by the first of its tags."""

if TYPE_CHECKING:
    Collection = CollectionSection
else:
    Collection = Annotated[Union[tuple(FORMATS.values())], Field(discriminator="format")]  # noqa: UP007
