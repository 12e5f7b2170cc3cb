"""How EdgeNES works, in three panels drawn from the open run itself: α*, the path α(λ), the chosen team."""

from __future__ import annotations

from html import escape

from edgenes_core.architecture import CELL_INPUTS, Architecture
from edgenes_core.figures.theme import OKABE_ITO, Ink, ink
from edgenes_core.lambda_path import LambdaPath
from edgenes_core.space import SearchSpace

WIDTH, HEIGHT, PANEL = 960, 190, 290
TEAM = "#007a58"  # the palette's green, darker: white letters on it reach 4.5 : 1
STEPS = ("1  Search one cell, α*", "2  Learn a path of cells, α(λ)", "3  Retrain some, keep the best team")


def story_svg(
    space: SearchSpace,
    base: Architecture | None,
    path: LambdaPath | None,
    pool: tuple[tuple[float, int], ...],
    chosen: tuple[tuple[float, int], ...],
    *,
    dark: bool,
) -> str:
    """Inline SVG; `pool` and `chosen` are (λ, shared edges) of retrained cells. A missing stage leaves its panel faint."""
    tone = ink(dark=dark)
    blue = OKABE_ITO["sky" if dark else "blue"]
    panels = (_cell(space, base, tone), _path(path, blue), _team(path, pool, chosen, tone))
    said = "; ".join(STEPS)
    body = "".join(
        f'<g transform="translate({index * 335},0)"><text x="0" y="18" font-weight="600" fill="{tone.text}">{title}</text>'
        f"{panel or _missing(tone)}</g>"
        for index, (title, panel) in enumerate(zip(STEPS, panels, strict=True))
    )
    arrows = "".join(_arrow(x, tone) for x in (306, 641))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="Source Sans Pro, Helvetica, Arial, sans-serif" font-size="15" role="img" aria-label="{escape(said)}">'
        f"{body}{arrows}</svg>"
    )


def _missing(tone: Ink) -> str:
    return (
        f'<rect x="0" y="36" width="{PANEL}" height="120" rx="6" fill="none" stroke="{tone.muted}" stroke-dasharray="3 5"/>'
        f'<text x="{PANEL / 2}" y="101" text-anchor="middle" fill="{tone.muted}">not done in this run yet</text>'
    )


def _arrow(x: float, tone: Ink) -> str:
    return f'<path d="M{x},96h14m-6,-6l6,6l-6,6" fill="none" stroke="{tone.muted}" stroke-width="2"/>'


def _cell(space: SearchSpace, base: Architecture | None, tone: Ink) -> str:
    """α* as small arcs; of two cells the last."""
    if base is None:
        return ""
    cell, count, floor = base.cells[-1], space.nodes + CELL_INPUTS, 140
    xs = [14 + i * (PANEL - 28) / (count - 1) for i in range(count)]
    arcs = "".join(
        f'<path d="M{xs[g.parent]:.0f},{floor}C{xs[g.parent]:.0f},{floor - 30 * (g.node - g.parent)},'
        f'{xs[g.node]:.0f},{floor - 30 * (g.node - g.parent)},{xs[g.node]:.0f},{floor}" fill="none" '
        f'stroke="{OKABE_ITO["vermillion"]}" stroke-width="2.5"/>'
        for g in base.genes
        if g.cell == cell
    )
    dots = "".join(
        f'<rect x="{x - 11:.0f}" y="{floor - 11}" width="22" height="22" rx="{4 if i < CELL_INPUTS else 11}" '
        f'fill="{tone.paper}" stroke="{tone.muted}" stroke-width="1.5"/>'
        f'<text x="{x:.0f}" y="{floor + 5}" text-anchor="middle" fill="{tone.text}">{i}</text>'
        for i, x in enumerate(xs)
    )
    return arcs + dots + _under(f"{len(base.genes)} edges kept of {len(space.edges)}, one operation each", tone)


def _path(path: LambdaPath | None, color: str) -> str:
    if path is None:
        return ""
    scale = PANEL / path.lambda_max
    bars = "".join(
        f'<rect x="{i.lo * scale + 0.5:.1f}" y="{150 - _height(i.shared, path):.1f}" '
        f'width="{max(i.width * scale - 1, 0.6):.1f}" height="{_height(i.shared, path):.1f}" fill="{color}" '
        f'opacity="{0.45 + 0.5 * i.shared / path.lambda_max:.2f}"/>'
        for i in path.intervals
    )
    cells = len({interval.architecture.key for interval in path.intervals})
    return bars + _ends(path) + f"<title>{cells} different cells along λ</title>"


def _height(shared: float, path: LambdaPath) -> float:
    return 8 + 98 * shared / path.lambda_max


def _ends(path: LambdaPath) -> str:
    style = 'y="168" fill="currentColor" opacity="0.75" font-size="14"'
    return (
        f'<text x="0" {style}>λ = 0: most different</text>'
        f'<text x="{PANEL}" {style} text-anchor="end">λ = {path.lambda_max}: α* itself</text>'
    )


def _team(
    path: LambdaPath | None, pool: tuple[tuple[float, int], ...], chosen: tuple[tuple[float, int], ...], tone: Ink
) -> str:
    """Pool cells as rings at (λ, shared edges), the team filled and joined to its average."""
    if path is None or not pool:
        return ""
    at = [(10 + (PANEL - 70) * lam / path.lambda_max, 150 - _height(shared, path)) for lam, shared in pool]
    rings = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6.5" fill="{tone.paper}" stroke="{tone.muted}" stroke-width="1.8"/>'
        for x, y in at
    )
    team = "".join(
        f'<path d="M{x:.1f},{y:.1f}L{PANEL - 14},96" stroke="{TEAM}" stroke-width="1.5"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6.5" fill="{TEAM}" stroke="{tone.paper}"/>'
        for member, (x, y) in zip(pool, at, strict=True)
        if member in chosen
    )
    mean = (
        f'<rect x="{PANEL - 28}" y="82" width="28" height="28" rx="6" fill="{TEAM}"/>'
        f'<text x="{PANEL - 14}" y="101" text-anchor="middle" fill="#ffffff" font-weight="600" data-on-fill="{TEAM}">ø</text>'
    )
    said = f"{len(chosen)} of {len(pool)} chosen, probabilities averaged" if chosen else f"{len(pool)} retrained"
    return f"<g>{rings}{team}{mean if chosen else ''}</g>" + _under(said, tone)


def _under(text: str, tone: Ink) -> str:
    return f'<text x="0" y="182" fill="{tone.muted}" font-size="14">{escape(text)}</text>'
