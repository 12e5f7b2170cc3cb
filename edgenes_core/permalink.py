"""One link for what a user sees: run, seed, λ, pinned cell, selected cells, basket, the pages' choices, study and theme.

    ?run=…&seed=0&lam=1.5&pin=4711&cells=<key>.<key>&basket=<id>.<id>&weights=2.1&map_method=umap&embed_options=dark_theme
    &study=…&against=<arm>

A run is named by its id, cells by their keys, the pinned cell by its number in the space (it need not belong to the run).
What a link says is checked: what cannot be used is left out or moved into range, with a sentence for each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from edgenes_core.architecture import Architecture
from edgenes_core.cell_number import cell_of, number_of
from edgenes_core.space import SearchSpace

SEPARATOR = "."
LONGEST_LIST = 1000  # cells or networks in one link
THEMES = {"light": "light_theme", "dark": "dark_theme"}
WEIGHT = re.compile(r"[0-9]{1,2}")
KEY = re.compile(r"[0-9a-f]{12}(-\d{1,6})?")


@dataclass(frozen=True)
class ViewState:
    """What a link holds; None, empty or '' where it says nothing. `choices` are pairs of a choice's name and its answer;
    `weights` whole parts, one for each network of the basket; `against` is the arm that a study's others are compared with."""

    run: str = ""
    seed: int | None = None
    lam: float | None = None
    pin: Architecture | None = None
    selection: tuple[str, ...] = ()
    basket: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    theme: str = ""
    weights: tuple[int, ...] = ()
    study: str = ""
    against: str = ""


@dataclass(frozen=True)
class Known:
    """What a link may refer to: the open run's space and seed, keys of its cells, ids of its networks, answers by choice, and
    the arms of each study."""

    space: SearchSpace
    seed: int
    cells: Collection[str]
    networks: Collection[str]
    choices: Mapping[str, Collection[str]]
    studies: Mapping[str, Collection[str]] = field(default_factory=dict)


def to_query(space: SearchSpace, view: ViewState) -> dict[str, str]:
    """Query parameters by name, without those that say nothing; λ to 10 digits."""
    query = {
        "run": view.run,
        "seed": "" if view.seed is None else str(view.seed),
        "lam": "" if view.lam is None else f"{view.lam:.10g}",
        "pin": "" if view.pin is None else str(number_of(space, view.pin)),
        "cells": SEPARATOR.join(view.selection),
        "basket": SEPARATOR.join(view.basket),
        "weights": SEPARATOR.join(map(str, view.weights)),
        **dict(view.choices),
        "study": view.study,
        "against": view.against,
        "embed_options": THEMES.get(view.theme, ""),
    }
    return {name: text for name, text in query.items() if text}


def from_query(known: Known, query: Mapping[str, str]) -> tuple[ViewState, tuple[str, ...]]:
    """What the parameters say about the open run, and a sentence for each that had to be changed or left out.

    Parameters of other programs are ignored. Never raises on what a link says.
    """
    notices: list[str] = []
    if (seed := query.get("seed")) is not None and seed != str(known.seed):
        notices.append(
            f"The link was made for a run with seed {_short(seed)}, the open run has seed {known.seed}: its numbers differ."
        )
    theme = next((name for name, option in THEMES.items() if option in query.get("embed_options", "")), "")
    basket = _listed("network in the basket", query.get("basket"), known.networks, notices)
    view = ViewState(
        query.get("run", ""),
        known.seed if seed is not None else None,
        _lam(known.space.lambda_max, query.get("lam"), notices),
        _pin(known.space, query.get("pin"), notices),
        _listed("selected cell", query.get("cells"), known.cells, notices),
        basket,
        _answers(known.choices, query, notices),
        theme,
        _weights(query.get("weights"), len(basket), notices),
        *_study(known.studies, query.get("study", ""), query.get("against", ""), notices),
    )
    return view, tuple(notices)


def _lam(lambda_max: int, text: str | None, notices: list[str]) -> float | None:
    if text is None:
        return None
    try:
        lam = float(text)
    except ValueError:
        lam = math.nan
    if not math.isfinite(lam):
        notices.append(f"λ in the link must be a number from 0 to Λ = {lambda_max}, got {_short(text)}; it is ignored.")
        return None
    if not 0 <= lam <= lambda_max:
        notices.append(f"λ lies between 0 and Λ = {lambda_max}, the link asked for {lam:g}; the nearest is shown.")
    return min(max(lam, 0.0), float(lambda_max))


def _pin(space: SearchSpace, text: str | None, notices: list[str]) -> Architecture | None:
    if text is None:
        return None
    number = int(text) if re.fullmatch(r"[0-9]{1,30}", text) else -1
    if not 0 <= number < space.size:
        notices.append(
            f"The pinned cell in the link must be a number from 0 to {space.size - 1}, got {_short(text)}; no cell is pinned."
        )
        return None
    return cell_of(space, number)


def _listed(what: str, text: str | None, known: Collection[str], notices: list[str]) -> tuple[str, ...]:
    if not text:
        return ()
    listed = list(dict.fromkeys(text.split(SEPARATOR, LONGEST_LIST)[:LONGEST_LIST]))
    kept = tuple(name for name in listed if KEY.fullmatch(name) and name in known)
    if missing := len(listed) - len(kept):
        first = next(name for name in listed if name not in kept)
        notices.append(
            f"{missing} {what}{'' if missing == 1 else 's'} of the link {'is' if missing == 1 else 'are'} not in this run "
            f"and left out (the first is {_short(first)})."
        )
    return kept


def _weights(text: str | None, count: int, notices: list[str]) -> tuple[int, ...]:
    if not text:
        return ()
    parts = text.split(SEPARATOR, LONGEST_LIST)
    if len(parts) != count or not all(WEIGHT.fullmatch(part) for part in parts) or not any(map(int, parts)):
        notices.append(
            f"Weights in the link must be whole numbers from 0 to 99, not all 0, one for each of the {count} networks of its "
            f"basket, got {_short(text)}; all networks count alike."
        )
        return ()
    return tuple(map(int, parts))


def _answers(
    choices: Mapping[str, Collection[str]], query: Mapping[str, str], notices: list[str]
) -> tuple[tuple[str, str], ...]:
    found = []
    for name, answers in choices.items():
        if (answer := query.get(name)) is None:
            continue
        if answer in answers:
            found.append((name, answer))
        else:
            notices.append(
                f"{name} in the link must be one of {', '.join(answers)}, got {_short(answer)}; it is ignored."
            )
    return tuple(found)


def _study(studies: Mapping[str, Collection[str]], study: str, against: str, notices: list[str]) -> tuple[str, str]:
    if study and study not in studies:
        notices.append(f"The study {_short(study)} of the link is not here; another is shown.")
        return "", ""
    if against and not any(against in arms for name, arms in studies.items() if study in ("", name)):
        notices.append(f"The link compares with {_short(against)}, which is no method of the study; it is ignored.")
        return study, ""
    return study, against


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
