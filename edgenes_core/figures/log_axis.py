"""A logarithmic axis of costs: ticks at 1, 2, 5, 10, …, or evenly spaced ones where a short axis would hold fewer than three."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgenes_core.figures.build import Literal

FEWEST = 3  # ticks by which a scale can be read


def log_axis(costs: Sequence[float]) -> Literal:
    """For all that is drawn; what is not positive has no place on such an axis."""
    positive = [float(cost) for cost in costs if cost > 0]
    if not positive:
        return {"type": "log"}
    low, high = min(positive), max(positive)
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    if high > low and sum(low <= tick <= high for tick in ticks) < FEWEST:
        ticks = even_ticks(low, high)
    return {"type": "log", "tickvals": ticks, "ticktext": [words(tick) for tick in ticks]}


def even_ticks(low: float, high: float) -> list[float]:
    """Three at least, at multiples of 1, 2 or 5 of a power of ten."""
    power = 10.0 ** np.floor(np.log10((high - low) / FEWEST))
    step = max(digit * power for digit in (1, 2, 5) if digit * power * FEWEST <= high - low)
    return [float(round(k * step, 12)) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def words(tick: float) -> str:
    """Short enough to stand beside its neighbours."""
    return f"{tick:,.6g}" if tick < 1e6 else f"{tick:.3g}"
