"""A form drawn from a config's own description: each field's range, choices and meaning become its widget."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any, TypeVar

import streamlit as st

from edgenes_core.schema import Range

T = TypeVar("T")
COLUMNS = 3
WORDS = {"lr": "learning rate", "umap": "UMAP map of the cells", "darts": "base search", "hypernet": "hypernetwork"}


def config_form(config: T, *, key: str, skip: Collection[str] = ()) -> T:
    """Draw every ranged, chosen and yes-or-no field of a config, records inside it as folded groups; return the new config.

    The values shown first are those of `config`; `key` starts each widget's key. ConfigError if the values do not fit
    together.
    """
    changed: dict[str, Any] = {}
    fields = [f for f in dataclasses.fields(config) if f.name not in skip]  # type: ignore[arg-type]
    plain = [f for f in fields if "range" in f.metadata or f.type == "bool"]
    for start in range(0, len(plain), COLUMNS):
        for column, f in zip(st.columns(COLUMNS), plain[start : start + COLUMNS], strict=False):
            with column:
                changed[f.name] = _widget(f, getattr(config, f.name), f"{key}_{f.name}")
    for f in fields:
        if "record" in f.metadata:
            with st.expander(f"**{_words(f.name)}** · {_about(f.metadata['record'])}"):
                changed[f.name] = config_form(getattr(config, f.name), key=f"{key}_{f.name}")
    return dataclasses.replace(config, **changed)  # type: ignore[type-var]


def _widget(f: dataclasses.Field[Any], value: Any, key: str) -> Any:
    if f.type == "bool":
        return st.toggle(_words(f.name), value, key=key)
    limits: Range = f.metadata["range"]
    if limits.choices:
        return st.selectbox(
            _words(f.name), limits.choices, limits.choices.index(value), help=limits.about, key=key, format_func=str
        )
    if f.type == "int":
        return st.number_input(
            _words(f.name), int(limits.lo), int(limits.hi), int(value), step=1, help=limits.about, key=key
        )
    step = 10.0 ** (len(f"{int(value)}") - 2) if value >= 1 else _step(float(value))
    return st.number_input(
        _words(f.name),
        float(limits.lo),
        float(limits.hi),
        float(value),
        step=step,
        format="%g",
        help=limits.about,
        key=key,
    )


def _step(value: float) -> float:
    """A tenth of a value's leading digit: 0.05 is changed by 0.001, 0.2 by 0.01."""
    return float(f"{value or 1:.0e}".replace(f"{value or 1:.0e}"[0], "1", 1)) / 10


def _words(name: str) -> str:
    return " ".join(WORDS.get(word, word) for word in name.split("_"))


def _about(record: type) -> str:
    """First line of a config's docstring."""
    return (record.__doc__ or "").split("\n")[0].rstrip(".")
