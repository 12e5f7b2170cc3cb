"""Frozen values with a declared range and one JSON form.

A field declares its range once, in `ranged(...)` or `chosen(...)`; the range validates the value, documents it, and draws
the form of the Train page.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, TypeVar

from edgenes_core import EdgeNESError

T = TypeVar("T")


class ConfigError(EdgeNESError):
    """A setting outside its range, or a record that does not fit its schema."""


class UnknownFieldError(ConfigError):
    """A record with a field that this version does not have, so probably of a later one."""


@dataclass(frozen=True)
class Range:
    """Limits and meaning of a config field; `choices` for a field that is one of a few values."""

    lo: float
    hi: float
    about: str
    choices: tuple[Any, ...] = ()


def ranged(default: Any, lo: float, hi: float, about: str) -> Any:
    """A number field with inclusive limits."""
    return field(default=default, metadata={"range": Range(lo, hi, about)})


def chosen(default: Any, choices: tuple[Any, ...], about: str) -> Any:
    """A field that takes one of `choices`."""
    return field(default=default, metadata={"range": Range(0, 0, about, choices)})


def validate(config: Any) -> None:
    """Check each ranged field of a dataclass; ConfigError names field, limits and value."""
    for f in dataclasses.fields(config):
        limits: Range | None = f.metadata.get("range")
        value = getattr(config, f.name)
        if limits is None:
            continue
        if limits.choices:
            if not any(value == choice and type(value) is type(choice) for choice in limits.choices):
                raise ConfigError(f"{f.name} must be one of {', '.join(map(str, limits.choices))}, got {value!r}.")
            continue
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or (f.type == "int" and not isinstance(value, int)) or not limits.lo <= value <= limits.hi:
            raise ConfigError(
                f"{f.name} must lie between {limits.lo:g} and {limits.hi:g} ({limits.about}), got {value!r}."
            )


def to_dict(record: Any) -> dict[str, Any]:
    """Plain JSON values of a record, nested records included."""
    return dataclasses.asdict(record)


def from_dict(cls: type[T], data: Any) -> T:
    """Rebuild a record; unknown or missing fields and wrong types give one ConfigError sentence."""
    if not isinstance(data, dict):
        raise ConfigError(f"{cls.__name__} must be a JSON object, got {type(data).__name__}.")
    known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(data) - set(known)):
        raise UnknownFieldError(f"{cls.__name__} has no field {unknown[0]!r}; known are {', '.join(known)}.")
    values = {}
    for name, value in data.items():
        nested = known[name].metadata.get("record")
        values[name] = from_dict(nested, value) if nested else _frozen(value)
        if not nested and "range" not in known[name].metadata and not _is(str(known[name].type), values[name]):
            raise ConfigError(f"{cls.__name__}.{name} must be of type {known[name].type}, got {str(value)[:40]!r}.")
    try:
        return cls(**values)
    except TypeError as error:
        raise ConfigError(f"{cls.__name__} does not fit its schema: {error}.") from None


def assign(data: dict[str, Any], name: str, value: Any) -> None:
    """Change one field of a record's plain values, by its dotted name (darts.steps); ConfigError if there is no such field."""
    *parents, leaf = name.split(".")
    place: Any = data
    for parent in parents:
        place = place.get(parent) if isinstance(place, dict) else None
    if not isinstance(place, dict) or leaf not in place or isinstance(place[leaf], dict):
        raise ConfigError(f"{name[:60]!r} is no setting; give a known name such as darts.steps.")
    place[leaf] = value


def _is(declared: str, value: Any) -> bool:
    """Whether a value is of a declared type, as far as JSON and our records use types; a number is finite, a bool is none."""
    match declared:
        case "str":
            return (
                isinstance(value, str) and value.encode(errors="ignore").decode() == value
            )  # JSON can hold half a letter
        case "bool":
            return type(value) is bool
        case "int":
            return type(value) is int
        case "float":
            return type(value) in (int, float) and abs(value) < math.inf
        case "float | None":
            return value is None or _is("float", value)
        case "tuple[str, ...]":
            return isinstance(value, tuple) and all(isinstance(part, str) for part in value)
        case _:
            return isinstance(value, dict) or not declared.startswith("dict")


def _frozen(value: Any) -> Any:
    """JSON lists back as tuples, at any depth."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def nested(cls: type[T]) -> T:
    """A field that is itself a record, its default the record's default."""
    return field(default_factory=cls, metadata={"record": cls})  # type: ignore[return-value]
