"""A study's table against numbers worked out by hand: who is chosen, means, differences, classes, LaTeX and CSV."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from sample_studies import ARMS, CLASSES, IMAGES, named, stored
from scipy import stats

from edgenes_core import metrics
from edgenes_core.cli import main
from edgenes_core.selecting import MOST_SUBSETS
from edgenes_core.study import STUDIES
from edgenes_core.study.chosen import ALL, POOL, SAMPLES, SECONDS, Mode, choose, combined, paid
from edgenes_core.study.classes import class_differences, class_rows
from edgenes_core.study.folder import Study
from edgenes_core.study.latex import booktabs
from edgenes_core.study.table import METRICS, differences, judge, mode_of, over_seeds, rows
from edgenes_core.study.worth import DEEP

EVERYTHING = Mode(ALL)


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    return stored(tmp_path_factory.mktemp("runs"))


def test_members_are_chosen_by_the_method_s_own_rule(study):
    probs, y = named(study, "edgenes-s0").val, study.y
    pairs = [(i, j) for i in range(4) for j in range(i)]
    best = min(pairs, key=lambda pair: metrics.nll(probs[list(pair)].mean(0), y))
    assert set(choose("exhaustive", probs, y, 2)) == set(best)
    alone = min(range(4), key=lambda i: metrics.nll(probs[i], y))
    assert choose("forward", probs, y, 2)[0] == alone
    assert choose("first", probs, y, 2) == (0, 1)
    assert set(choose("exhaustive", probs, y, 9)) == {0, 1, 2, 3}
    np.testing.assert_allclose(combined(probs, (0, 2)), (probs[0].astype(float) + probs[2]) / 2)


def test_a_row_is_the_mean_of_the_seeds_ensembles(study):
    seen = judge(study, EVERYTHING)
    table = {(row.arm, row.metric): row for row in rows(study, seen, "deepens")}
    by_hand = []
    for seed in range(3):
        repeat = named(study, f"random-s{seed}")
        by_hand.append(metrics.nll(repeat.val[:2].mean(0, dtype=float), study.y))
    row = table["random", "nll"]
    assert row.value == pytest.approx(np.mean(by_hand))
    assert row.sd == pytest.approx(np.std(by_hand, ddof=1))
    assert (row.lo, row.hi) == pytest.approx(
        stats.t.interval(0.95, 2, np.mean(by_hand), np.std(by_hand, ddof=1) / 3**0.5)
    )
    assert (row.n, row.images, row.members, row.networks) == (3, IMAGES, 2, 5)
    repeats = [named(study, f"random-s{seed}") for seed in range(3)]
    assert row.train_seconds == pytest.approx(np.mean([sum(r.seconds) for r in repeats]))
    assert row.samples == 5 * 1000 + 5 * IMAGES
    assert row.seconds == pytest.approx(row.search_seconds + row.train_seconds + row.select_seconds)
    assert list(dict.fromkeys(row.arm for row in rows(study, seen, "deepens"))) == [
        arm.name for arm in study.config.arms
    ]


def test_differences_hold_for_all_arms_together(study):
    seen = judge(study, EVERYTHING)
    found = differences(seen, "deepens")
    assert set(found) == {"darts", "edgenes", "random", DEEP}
    table = {(row.arm, row.metric): row.value for row in rows(study, seen, "deepens")}
    for arm, each in found.items():
        for metric, gap in zip(METRICS, each, strict=True):
            assert gap.mean == pytest.approx(table[arm, metric] - table["deepens", metric])
    two = seen._replace(judged=tuple(j for j in seen.judged if j.arm in ("random", "deepens")))
    alone = differences(two, "deepens")["random"]
    wide = [gap.hi - gap.lo for gap in found["random"]]
    assert all(gap.hi - gap.lo < width for gap, width in zip(alone, wide, strict=True))
    assert not found["random"][1].tie, "far worse"
    swapped = differences(two, "random")["deepens"]
    assert [g.mean for g in swapped] == pytest.approx([-g.mean for g in alone])
    assert differences(seen, "nobody") == {}
    said = {row.metric: row for row in rows(study, seen, "deepens") if row.arm == "random"}
    assert said["nll"].verdict == said["accuracy"].verdict == "worse"
    assert said["nll"][9:12] == found["random"][1][:3]


def test_one_seed_has_no_spread(tmp_path):
    study = stored(tmp_path, 1)
    row = rows(study, judge(study, EVERYTHING), "darts")[0]
    assert np.isnan([row.sd, row.lo, row.hi]).all()
    assert row.n == 1


def test_equal_pool_and_equal_cost(study):
    bill = named(study, "edgenes-s0").bill
    assert paid(bill, Mode(POOL, 2), 2) == 2
    assert paid(bill, Mode(POOL, 2), 3) == 3, "an ensemble of three needs three"
    assert paid(bill, Mode(POOL, 99), 2) == 4
    for k in range(4):
        assert paid(bill, Mode(SECONDS, bill.seconds[k]), 2) == k + 1
        assert paid(bill, Mode(SAMPLES, bill.images[k] - 1), 2) == k
    mode = mode_of(study, SECONDS, "random")
    assert mode.limit == max(named(study, f"random-s{seed}").bill.seconds[-1] for seed in range(3))
    seen = judge(study, mode)
    for each in seen.judged:
        assert each.search_seconds + each.train_seconds <= mode.limit + 1e-9
    assert {each.networks for each in seen.of("random")} == {5}
    assert {each.networks for each in seen.of("edgenes")} < {1, 2, 3}
    assert mode.words.startswith("equal cost")
    poor = judge(study, Mode(SECONDS, 6.0))
    assert {arm for arm, _ in poor.unpaid} == {arm.name for arm in ARMS} - {"random"}
    assert poor.arms == ("random",)
    assert mode_of(study, POOL, "random").limit == 4


def test_class_differences_are_of_their_images_and_wider_for_more_classes(study):
    seen = judge(study, EVERYTHING)
    found = class_differences(seen, "random", "deepens")
    assert set(found) == set(range(CLASSES))
    for label, gap in found.items():
        rows_of = study.y == label
        mine, theirs = (
            np.mean([(j.said[rows_of].argmax(-1) == label).mean() for j in seen.of(arm)])
            for arm in ("random", "deepens")
        )
        assert gap.mean == pytest.approx(mine - theirs)
        assert gap.n == rows_of.sum()
    weights = [gap.n for gap in found.values()]
    whole = differences(seen, "deepens")["random"][0].mean
    assert np.average([gap.mean for gap in found.values()], weights=weights) == pytest.approx(whole)
    few = seen._replace(
        y=np.where(seen.y == 0, 0, 1),
        judged=tuple(j._replace(said=np.c_[j.said[:, 0], j.said[:, 1:].sum(1)]) for j in seen.judged),
    )
    narrower = class_differences(few, "random", "deepens")[0]
    assert narrower.hi - narrower.lo < 1.2 * (found[0].hi - found[0].lo)
    assert [row.name for row in class_rows(study, seen, "random", "deepens")] == [f"class {k}" for k in range(CLASSES)]


def test_over_seeds_of_one_value():
    assert over_seeds([2.0])[0] == 2
    assert np.isnan(over_seeds([2.0])[1:]).all()


def test_every_choice_of_the_named_studies_can_be_made():
    from math import comb

    for config in STUDIES.values():
        for arm in config.arms:
            wanted = config.config(arm, 0).ensemble
            assert comb(wanted.pool, wanted.size) <= MOST_SUBSETS


def test_latex_is_a_table_and_marks_ties(study):
    seen = judge(study, EVERYTHING)
    text = booktabs(study, seen, rows(study, seen, "deepens"), "deepens")
    lines = text.splitlines()
    body = [line for line in lines if line.endswith(r"\\")]
    columns = lines[2].count("r", lines[2].index("{l"))
    assert all(line.count(" & ") == columns for line in body)
    assert len(body) == len(ARMS)
    assert text.count("{") == text.count("}")
    assert text.count("$") % 2 == 0
    assert any(r"\,\approx" in line for line in body)
    assert "unequal" in text
    assert "DeepEns" in text


def test_compare_prints_the_same_numbers_as_text_csv_and_json(tmp_path, capsys):
    study = stored(tmp_path, 2, missing=[("random", 1)])

    def said(*words: str) -> str:
        assert main(["compare", study.id, "--runs", str(tmp_path), *words]) == 0
        return capsys.readouterr().out

    data = json.loads(said("--json", "--mode", "all", "--reference", "edgenes"))
    assert data["missing"] == ["random-s1"]
    assert (data["split"], data["looks"], data["reference"]) == ("val", 0, "edgenes")
    assert data["mode"]["words"].startswith("unequal")
    lines = list(csv.DictReader(io.StringIO(said("--csv", "--mode", "all", "--reference", "edgenes"))))
    assert [float(line["value"]) for line in lines] == [row["value"] for row in data["rows"]]
    assert all(line["mode"] == data["mode"]["words"] for line in lines)
    for line, row in zip(lines, data["rows"], strict=True):
        assert line["verdict"] == row["verdict"]
        assert (
            (line["difference"] == "nan")
            if row["difference"] is None
            else float(line["difference"]) == row["difference"]
        )
    text = said()
    assert "missing: random-s1" in text
    assert "equal pool" in text
    assert text.splitlines()[-1] == study.id
    assert r"\toprule" in said("--latex")
    one = json.loads(said("--reveal", "--json"))
    two = json.loads(said("--reveal", "--json"))
    assert (one["split"], one["looks"], two["looks"]) == ("test", 1, 2)
    assert one["rows"] == two["rows"] != data["rows"]
    assert json.loads(said("--json"))["looks"] == 2, "validation is no look"
    budget = json.loads(said("--json", "--mode", "seconds", "--limit", "6"))
    assert "edgenes-s0" in budget["unpaid"]
