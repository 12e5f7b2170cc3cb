"""What a changed member costs on the Ensembles page: new numbers in the headline and the open tab Compare, on a large stored run.

A run of N networks with random predictions of B images in C classes is stored in a temporary folder. Three things are timed over
changes to teams not seen before, warm: the numbers alone, as the page makes them; the same numbers as the first release made them
(average, metrics and a bootstrap for each measure); and the page itself, run as a server runs it, without the browser. Both ways of
making the numbers must agree.

    python benchmarks/lab.py --json                    # 10 000 images, 100 classes, 20 networks
    python benchmarks/lab.py --bundled --json          # the bundled run
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
import sample_runs  # noqa: E402
from evaluation import predictions  # noqa: E402

from edgenes_core import ensembles, side_by_side  # noqa: E402
from edgenes_core.metrics import ece  # noqa: E402
from edgenes_core.run_folder import Run  # noqa: E402
from edgenes_core.run_records import Training  # noqa: E402
from edgenes_core.scored import Scored, score_networks  # noqa: E402
from edgenes_core.statistics import image_scores, paired_bootstrap  # noqa: E402
from edgenes_core.team import Team, combined, evaluation  # noqa: E402

BUDGET_MS = 200.0
PAIRED = ("accuracy", "nll", "brier")


def stored(root: Path, images: int, classes: int, networks: int) -> Run:
    """A finished run whose pool has this many networks of different cells."""
    run, rng = sample_runs.finished(root), np.random.default_rng(0)
    base = run.base().architecture
    cells = {base.key: base}
    while len(cells) < networks:
        cell = run.space.sample(rng)
        cells[cell.key] = cell
    plan = [Training(cell, 0, ("pool",), 0, float(k % 4)) for k, cell in enumerate(cells.values())]
    run.save_plan(plan)
    probs, y = predictions(networks, images, classes)
    run.save_targets(y, y[:1])
    for training, val in zip(plan, probs, strict=True):
        run.save_network(training, {"w": np.zeros(1, np.float32)}, val, val[:1], {"val_accuracy": [0.5]})
    sample_runs.choose(run, run.base())
    return run


def now(scored: Scored, members: Sequence[str], reference: Sequence[str]) -> list[float]:
    """Measures of a team and its four differences to the reference, which was resampled before."""
    team = Team("", tuple(members))
    drawn = side_by_side.resampled(combined(scored, team), scored.y)
    val = evaluation(scored, team, drawn.whole)
    gaps = side_by_side.differences(drawn, _reference(scored, tuple(reference)))
    return [val.accuracy, val.nll, val.brier, val.ece, val.disagreement, *(x for g in gaps[:3] for x in g[:3])]


def before(scored: Scored, members: Sequence[str], reference: Sequence[str]) -> list[float]:
    """The same (without an interval for ECE, which there was not), both sides anew for each measure."""
    val = ensembles.evaluate(scored.probs[scored.rows(members)], scored.y, "val")
    ours, theirs = (
        image_scores(ensembles.combine(scored.probs[scored.rows(ids)]), scored.y) for ids in (members, reference)
    )
    gaps = [paired_bootstrap(getattr(ours, metric), getattr(theirs, metric)) for metric in PAIRED]
    return [val.accuracy, val.nll, val.brier, val.ece, val.disagreement, *(x for g in gaps for x in g[:3])]


_KEPT: dict[tuple[str, ...], side_by_side.Resampled] = {}


def _reference(scored: Scored, members: tuple[str, ...]) -> side_by_side.Resampled:
    if members not in _KEPT:
        _KEPT[members] = side_by_side.resampled(combined(scored, Team("", members)), scored.y)
    return _KEPT[members]


def page_changes(run: Run, teams: Sequence[tuple[str, ...]]) -> list[float]:
    """Seconds of each rerun of the whole page after a change of members, with what the test runner adds to it."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "pages" / "frame.py"), default_timeout=300)
    app.query_params["run"] = run.id
    app.run()
    app.switch_page("ensembles.py")
    app.run()
    took = []
    for members in teams:
        box = app.multiselect(key="ensembles_members")
        box.set_value(list(members))
        start = time.perf_counter()
        app.run()
        took.append(time.perf_counter() - start)
        assert not app.exception
        assert f"{_accuracy(run, members):.2%}".replace("%", " %") in [metric.value for metric in app.metric]
    return took


def _accuracy(run: Run, members: Sequence[str]) -> float:
    return ensembles.evaluate(run.val_probabilities(members), run.targets("val"), "val").accuracy


def teams_of(ids: Sequence[str], size: int, changes: int) -> list[tuple[str, ...]]:
    """Different teams, each a swap of one member of the one before."""
    rng = np.random.default_rng(1)
    team, found = list(ids[:size]), []
    while len(found) < changes + 1:
        free = [name for name in ids if name not in team]
        team[int(rng.integers(size))] = free[int(rng.integers(len(free)))]
        if tuple(sorted(team)) not in {tuple(sorted(each)) for each in found}:
            found.append(tuple(team))
    return found


def timed(work: Callable[[tuple[str, ...]], object], teams: Sequence[tuple[str, ...]]) -> list[float]:
    took = []
    for team in teams:
        start = time.perf_counter()
        work(team)
        took.append(time.perf_counter() - start)
    return took


def summary(name: str, seconds: Sequence[float]) -> dict[str, object]:
    """The first change warms up."""
    p50, p95 = np.quantile(np.array(seconds[1:]) * 1e3, [0.5, 0.95])
    return {"name": name, "p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1), "changes": len(seconds) - 1}


def measure(run: Run, size: int, changes: int) -> list[dict[str, object]]:
    scored = score_networks(run)
    reference = run.ensembles()["selected"]["members"]
    teams = teams_of(scored.ids, size, changes)
    for team in teams[:3]:
        np.testing.assert_allclose(now(scored, team, reference), before(scored, team, reference), atol=1e-9)
        says = combined(scored, Team("", team))
        np.testing.assert_allclose(evaluation(scored, Team("", team)).ece, ece(says, scored.y), atol=1e-9)
    return [
        summary("numbers, now", timed(lambda team: now(scored, team, reference), teams)),
        summary("numbers, before", timed(lambda team: before(scored, team, reference), teams)),
        summary("page", page_changes(run, teams)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--bundled", action="store_true", help="a copy of the bundled run instead")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EDGENES_RUNS"] = folder
        if options.bundled:
            import shutil

            run = Run(Path(shutil.copytree(ROOT / "assets" / "demo", Path(folder) / "bundled")))
        else:
            run = stored(Path(folder), options.images, options.classes, options.networks)
        rows = measure(run, options.members, options.changes)
    print(
        f"numpy {np.__version__}, {os.cpu_count()} cores, load {load:.1f}, budget {BUDGET_MS:.0f} ms", file=sys.stderr
    )
    for row in rows:
        print(row, file=sys.stderr)
    if options.json:
        print(json.dumps({"load": round(load, 1), "budget_ms": BUDGET_MS, "cases": rows}))


if __name__ == "__main__":
    main()
