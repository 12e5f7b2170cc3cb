"""Images one by one: the filters part them, counts are those of a plain loop, and the script says what the page says."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import diversity, instances
from edgenes_core.catalogue import DataError
from edgenes_core.data import load_dataset
from edgenes_core.figures.confused import plot_confusion
from edgenes_core.figures.together import PatternBar, plot_patterns
from edgenes_core.instances import SHOWS, SORTS, Ask, Votes, chosen, confusion, confusions, patterns, votes
from edgenes_core.run_folder import Run
from edgenes_core.run_images import validation_pictures
from edgenes_core.snippets import BUNDLED


@st.composite
def votings(draw) -> tuple[Votes, np.ndarray, np.ndarray]:
    """Few classes and coarse probabilities, so that all kinds of agreement and ties occur."""
    members, images, classes = draw(st.tuples(st.integers(1, 4), st.integers(1, 30), st.integers(2, 5)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    probs = rng.integers(1, 5, (members, images, classes)).astype(float)
    probs /= probs.sum(-1, keepdims=True)
    y = rng.integers(classes, size=images)
    return votes(probs, probs.mean(0), y), probs, y


@given(votings())
def test_the_filters_part_the_images(made):
    found, probs, _ = made
    parts = ["split_right", "split_wrong", "agree_right", "agree_wrong"]
    assert (sum(SHOWS[name](found).astype(int) for name in parts) == 1).all()
    assert SHOWS["all"](found).all()
    np.testing.assert_array_equal(SHOWS["wrong"](found), SHOWS["split_wrong"](found) | SHOWS["agree_wrong"](found))
    assert not (SHOWS["agree_wrong"](found) & ~SHOWS["all_wrong"](found)).any(), (
        "who agree with a wrong mean are all wrong"
    )
    named = probs.argmax(-1)
    for image in range(len(found.y)):
        assert SHOWS["split_right"](found)[image] == (
            len(set(named[:, image])) > 1 and probs.mean(0)[image].argmax() == found.y[image]
        )


@given(votings())
def test_votes_say_what_a_loop_says(made):
    found, probs, y = made
    for image, true in enumerate(y):
        mean = probs[:, image].mean(0)
        assert found.team[image] == mean.argmax()
        assert found.team_chance[image] == pytest.approx(mean.max())
        assert found.loss[image] == pytest.approx(-np.log(mean[true]))
        own = np.mean([-(p * np.log(p)).sum() for p in probs[:, image]])
        assert found.aleatoric[image] == pytest.approx(own)
        assert found.aleatoric[image] + found.epistemic[image] == pytest.approx(-(mean * np.log(mean)).sum())
        assert found.chance[:, image].tolist() == probs[:, image].max(-1).tolist()
    assert found.epistemic.mean() == pytest.approx(diversity.mutual_information(probs), abs=1e-12)
    assert (1 - found.wrong.mean(1)).tolist() == pytest.approx(diversity.right(probs, y).mean(1).tolist())


@given(votings())
def test_patterns_add_up_and_are_counted_right(made):
    found, *_ = made
    seen = patterns(found.wrong)
    wanted = Counter(tuple(np.flatnonzero(column).tolist()) for column in found.wrong.T)
    assert {p.wrong: p.count for p in seen} == dict(wanted)
    assert sum(p.count for p in seen) == len(found.y)
    assert [p.count for p in seen] == sorted((p.count for p in seen), reverse=True)
    rows = [chosen(found, Ask(pattern=p.wrong)) for p in seen]
    assert [len(r) for r in rows] == [p.count for p in seen]
    assert sorted(np.concatenate(rows).tolist()) == list(range(len(found.y)))


@given(votings(), st.sampled_from(sorted(SHOWS)), st.sampled_from(sorted(SORTS)))
def test_the_images_asked_for_are_the_masked_ones_in_their_order(made, show, sort):
    found, _, y = made
    ask = Ask(show, None, int(y[0]), int(found.team[0]))
    rows = chosen(found, ask, sort)
    mask = SHOWS[show](found) & (y == y[0]) & (found.team == found.team[0])
    assert sorted(rows.tolist()) == np.flatnonzero(mask).tolist()
    keys = [(float(SORTS[sort](found)[r]), 0.0 if sort == "image" else -float(found.loss[r]), int(r)) for r in rows]
    assert keys == sorted(keys)


@given(votings())
def test_the_confusion_is_that_of_a_loop(made):
    found, probs, y = made
    counts = confusion(y, found.team, probs.shape[2])
    wanted = np.zeros_like(counts)
    for true, named in zip(y, found.team, strict=True):
        wanted[true, named] += 1
    np.testing.assert_array_equal(counts, wanted)
    assert sum(c.count for c in confusions(counts)) == found.team_wrong.sum()
    for c in confusions(counts):
        assert (c.count, c.of) == (wanted[c.true, c.named], (y == c.true).sum())
        assert len(chosen(found, Ask(true=c.true, named=c.named))) == c.count
    share = instances.rates(counts)
    np.testing.assert_array_equal(np.isnan(share).all(1), np.bincount(y, minlength=len(counts)) == 0)
    np.testing.assert_allclose(np.nansum(share, 1), (np.bincount(y, minlength=len(counts)) > 0).astype(float))
    table = instances.confusion_table(counts)
    assert sum(row["images"] for row in table) == len(y)


@given(votings())
def test_columns_are_the_votes(made):
    found, probs, y = made
    names = [f"m{m}" for m in range(len(probs))]
    rows = chosen(found, Ask(), "loss")
    records = instances.as_records(instances.columns(found, rows, names))
    assert [r["image"] for r in records] == rows.tolist()
    for r in records:
        assert r["true"] == y[r["image"]]
        assert [r[name] for name in names] == probs[:, r["image"]].argmax(-1).tolist()
        assert r["team_right"] == (r["team"] == r["true"])


@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("by", ["counts", "rates"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_cell_with_images_can_be_clicked_once(rng, classes, by, dark):
    y, named = rng.integers(classes, size=400), rng.integers(classes, size=400)
    counts = confusion(y, named, classes)
    fig = plot_confusion(counts, [f"c{k}" for k in range(classes)], by, dark=dark, marked="0,1")
    ids = list(fig.data[-1].customdata)
    assert ids == [f"{i},{j}" for i, j in zip(*counts.nonzero(), strict=True)]
    assert np.isfinite(fig.data[0].z).sum() == len(confusions(counts)), "only mistakes are coloured"


def test_a_team_without_mistakes_draws():
    assert len(plot_confusion(np.eye(3, dtype=int) * 4, "abc", "rates", dark=True).data) == 2


@pytest.mark.parametrize("dark", [False, True])
def test_every_pattern_is_a_row_that_can_be_clicked(dark):
    bars = [PatternBar("a", (True, False), 5), PatternBar("a,b", (True, True), 2)]
    fig = plot_patterns(bars, ["A", "B"], 20, dark=dark, marked="a,b")
    assert list(fig.data[-1].customdata) == ["a", "a,b"]
    assert sorted(fig.data[1].customdata) == ["a", "a,b", "a,b"], "a cross for each wrong member"
    assert list(fig.data[-1].marker.line.width) == [0, 3]
    assert "No member is wrong" in str(plot_patterns([], ["A"], 20, dark=dark).layout.annotations)


def test_the_pictures_are_the_validation_images():
    run = Run(BUNDLED)
    shown, loaded = validation_pictures(run), load_dataset(run.config.dataset)
    assert shown.pixels.shape == (len(run.targets("val")), *loaded.val.images.shape[2:], 1)
    assert shown.classes == loaded.classes
    flat = shown.pixels.reshape(len(shown.pixels), -1).astype(float)
    same = loaded.val.images.numpy().reshape(len(flat), -1)
    assert np.corrcoef(flat.ravel(), same.ravel())[0, 1] > 0.9999


def test_pictures_of_other_images_are_refused(tmp_path):
    import sample_runs

    with pytest.raises(DataError, match="not those that run"):
        validation_pictures(sample_runs.finished(tmp_path))
