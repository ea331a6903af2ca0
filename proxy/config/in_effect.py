"""What holds now, key by key: value, default, and whether anybody asked for it. Shows no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic.fields import FieldInfo

from .effect import effect_of
from .explain import default_of, shape_of
from .models import Config
from .section import Section

_NUMBER: Final = re.compile(r"\[\d+\]")
# A password inside an address, as in redis://user:password@host.
_PASSWORD: Final = re.compile(r"(?<=://)[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class Setting:
    """One key as it holds; values are written as they would stand in the file."""

    key: str  # items of a list are numbered: clients[0].name
    value: str
    default: str
    is_given: bool  # by the file or the command line
    reload: str  # from when on a reload changes it


def in_effect(config: Config) -> Iterator[Setting]:
    """List every key that takes a value, in the order of the complete example."""
    yield from _settings(config, "", is_given=True)


def _settings(section: Section, prefix: str, *, is_given: bool) -> Iterator[Setting]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        given = is_given and name in section.model_fields_set
        key = prefix + name
        if isinstance(value, Section):
            yield from _settings(value, f"{key}.", is_given=given)
        elif isinstance(value, tuple) and value and isinstance(value[0], Section):
            for at, item in enumerate(value):
                yield from _settings(item, f"{key}[{at}].", is_given=given)
        else:
            yield _setting(key, field, value, is_given=given)


def _setting(key: str, field: FieldInfo, value: Any, *, is_given: bool) -> Setting:
    effect = effect_of(_NUMBER.sub("", key)).value
    try:
        shape = shape_of(field)
    except StopIteration:  # a section that is not there has no shape of its own
        if value == ():
            return Setting(key, "[]", "[]", is_given, effect)
        return Setting(key, "none", "a section", is_given, effect)
    shown = _PASSWORD.sub("***@", shape.show(value))
    return Setting(key, shown, default_of(field), is_given, effect)
