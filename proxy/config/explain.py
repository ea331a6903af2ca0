"""What each key means, from the models themselves. Reads no configuration."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import get_args

from pydantic.fields import FieldInfo

from .effect import effect_of
from .models import Config
from .section import Section
from .servers import OVERLAY
from .shapes import Several, Shape


def keys() -> list[str]:
    """List every key that takes a value, in the order of the complete example."""
    return [key for key, field in _fields() if _section_of(field) is None]


def keys_of(section: str) -> list[str]:
    """List the last words of the keys directly in a section; "" is the top of the file."""
    return [key.rpartition(".")[2] for key, _ in _fields() if key.rpartition(".")[0] == section]


def explain(key: str) -> str | None:
    """Tell what a key or section is for; None means there is no such key."""
    field = dict(_fields()).get(key)
    if field is None:
        return None
    section = _section_of(field)
    return _value_told(key, field) if section is None else _section_told(key, field, section)


def _value_told(key: str, field: FieldInfo) -> str:
    shape = shape_of(field)
    lines = [f"{key}: {shape.words}", f"Default: {default_of(field)}", f"{field.description}"]
    lines.append(f"A new value counts {effect_of(key)}.")
    return "\n".join(lines)


def _section_told(key: str, field: FieldInfo, section: type[Section]) -> str:
    told = field.description or (section.__doc__ or "").partition("\n")[0]
    return "\n".join([f"{key}: {told}", f"Keys: {', '.join(section.model_fields)}"])


def default_of(field: FieldInfo) -> str:
    """Write a key's default as it would stand in the file."""
    if field.is_required():
        return "none, the key is required"
    return shape_of(field).show(field.default)


def shape_of(field: FieldInfo) -> Shape | Several:
    """Find the kind of value a key takes."""
    return next(meta for meta in field.metadata if isinstance(meta, Shape | Several))


@cache
def _fields() -> tuple[tuple[str, FieldInfo], ...]:
    return tuple(_walk(Config, ""))


def _walk(section: type[Section], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in section.model_fields.items():
        yield prefix + name, field
        below = _section_of(field)
        if below and OVERLAY not in field.metadata:
            yield from _walk(below, f"{prefix}{name}.")


def _section_of(field: FieldInfo) -> type[Section] | None:
    """Return the section behind a field, be it one or a list of them."""
    inside = get_args(field.annotation) or (field.annotation,)
    return next(
        (kind for kind in inside if isinstance(kind, type) and issubclass(kind, Section)), None
    )
