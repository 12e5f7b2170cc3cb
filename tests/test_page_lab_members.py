"""The Members and Images tabs without a browser: numbers are numpy's, buttons change the basket, filters meet in both tabs."""

from __future__ import annotations

import numpy as np
import pytest
import sample_runs
from page_runs import shown, whole
from streamlit.testing.v1 import AppTest
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import instances, metrics, one_shot, overlaps
from edgenes_core.instances import Ask
from edgenes_core.run_folder import Run
from edgenes_core.scored import score_networks
from pages.widgets import lab_images, session
from pages.widgets.choices import CHOICES
from pages.widgets.markdown import plain
from pages.widgets.vote_grid import Names, grid_html


def opened(run: Run, tab: str, basket: list[str] | None = None) -> AppTest:
    app = shown("ensembles.py", run)
    if basket is not None:
        app.multiselect(key="ensembles_members").set_value(basket).run()
    app.session_state["ensembles_tab"] = tab
    app.run()
    assert not app.exception, [e.value for e in app.exception]
    assert not app.error
    return app


def basket(app: AppTest) -> list[str]:
    return app.multiselect(key="ensembles_members").value


def grid(app: AppTest) -> str:
    """The HTML of the votes."""
    (found,) = [e for e in app.get("bidi_component") if e.proto.component_name == "edgenes_vote_grid"]
    return str(found.proto)


def ids_of(run: Run) -> list[str]:
    return [training.id for training in run.plan()]


def test_the_changes_are_numpys(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)
    app = opened(run, "Members", ids[:2])
    probs, y = np.stack([run.val_probabilities([name])[0] for name in ids]), run.targets("val")

    def nll(rows: list[int]) -> float:
        return float(-np.log(probs[rows].mean(0)[np.arange(len(y)), y]).mean())

    said = {f"add {name}": nll([0, 1, row]) - nll([0, 1]) for row, name in enumerate(ids) if row > 1}
    said |= {f"leave out {ids[0]}": nll([1]) - nll([0, 1]), f"leave out {ids[1]}": nll([0]) - nll([0, 1])}
    options = app.selectbox(key="members_swap").options
    assert len(options) == len(ids)
    scored = score_networks(run)
    for swap, change in said.items():
        kind, name = swap.rsplit(" ", 1)
        (option,) = [o for o in options if o.startswith(f"{kind} {scored.name(name)}:")]
        assert f"{change:+.4f}".replace("-", "−") in option
    best = min((change, name) for name, change in said.items() if name.startswith("add"))[1].split()[1]
    assert f"Best next member: {plain(scored.name(best))}" in words(app)
    assert "max-T" in words(app)
    app.button(key="members_add_best").click().run()
    assert basket(app) == [*ids[:2], best]


def test_any_swap_is_one_step_that_can_be_undone(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)
    app = opened(run, "Members", ids[:3])
    app.selectbox(key="members_swap").set_value(ids[1]).run()
    assert app.button(key="members_apply").label == "Leave out"
    app.button(key="members_apply").click().run()
    assert basket(app) == [ids[0], ids[2]]


def test_an_empty_basket_shows_the_selected_and_a_swap_starts_from_it(runs):  # noqa: F811
    run = whole(runs)
    members = run.ensembles()["selected"]["members"]
    app = opened(run, "Members")
    assert "Your basket is empty, so this is selected." in words(app)
    app.button(key="members_add_best").click().run()
    assert basket(app)[:-1] == members
    assert basket(app)[-1] not in members


def test_the_ladder_says_its_identity(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)[:3]
    app = opened(run, "Members", ids)
    app.segmented_control(key="choice_member_score").set_value("brier").run()
    probs, y = run.val_probabilities(ids), run.targets("val")
    team, mean = metrics.brier(probs.mean(0), y), np.mean([metrics.brier(p, y) for p in probs])
    said = f"Brier score of the team {team:.4f} = mean member {mean:.4f} − ambiguity {mean - team:.4f}, exactly."
    assert said in words(app)


def test_a_rule_that_takes_long_is_started_by_hand(runs):  # noqa: F811
    run = whole(runs)
    app = opened(run, "Members", ids_of(run)[:2])
    app.segmented_control(key="choice_combine").set_value("stacking").run()
    assert "These numbers combine by the **mean**" in words(app)
    before = app.selectbox(key="members_swap").options
    app.button(key="members_judge").click().run()
    assert "These numbers combine by the **mean**" not in words(app)
    assert app.selectbox(key="members_swap").options != before


@pytest.mark.parametrize("measure", overlaps.OVERLAPS)
def test_every_measure_of_pairs_is_said(runs, measure):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)[:3]
    app = opened(run, "Members", ids)
    app.segmented_control(key="choice_overlap").set_value(measure).run()
    assert not app.exception
    assert "3 pairs: " in words(app)


def test_one_member_has_neither_pairs_nor_anyone_to_leave(runs):  # noqa: F811
    run = whole(runs)
    app = opened(run, "Members", ids_of(run)[:1])
    assert "One member alone makes no pair." in words(app)
    assert all(option.startswith("add") for option in app.selectbox(key="members_swap").options)


def test_a_pattern_filters_the_images_until_it_is_taken_back(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)[:3]
    app = opened(run, "Members", ids)
    wrong = run.val_probabilities(ids).argmax(-1) != run.targets("val")
    pattern = next(p for p in instances.patterns(wrong) if 0 < len(p.wrong) < 3)
    app.selectbox(key="members_pattern").set_value(",".join(ids[m] for m in pattern.wrong)).run()
    app.button(key="members_open_images").click().run()
    assert f"**{pattern.count}** of n = {sample_runs.IMAGES}" in words(app)
    assert "Only images on which these members are wrong and no others" in words(app)
    app.button(key="images_all_patterns").click().run()
    assert f"**{sample_runs.IMAGES}** of n = {sample_runs.IMAGES}" in words(app)


def test_a_pattern_of_another_team_filters_nothing(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)
    app = opened(run, "Members", ids[:3])
    app.selectbox(key="members_pattern").set_value(app.session_state["members_pattern"] or ids[0]).run()
    app.multiselect(key="ensembles_members").set_value(ids[:2]).run()
    app.session_state["ensembles_tab"] = "Images"
    app.run()
    assert f"**{sample_runs.IMAGES}** of n = {sample_runs.IMAGES}" in words(app)


@pytest.mark.parametrize("name", CHOICES["images_show"].options)
def test_the_filters_show_the_counts_of_the_core(runs, name):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)[:3]
    app = opened(run, "Images", ids)
    app.segmented_control(key="choice_images_show").set_value(name).run()
    app.selectbox(key="images_true").set_value(1).run()
    probs, y = run.val_probabilities(ids), run.targets("val")
    found = instances.votes(probs, probs.mean(0), y)
    rows = instances.chosen(found, Ask(name, true=1), "apart")
    assert f"**{len(rows)}** of n = {len(y)}" in words(app)
    if len(rows):
        assert f"data-image='{rows[0]}'" in grid(app).replace("\\'", "'")


def test_pages_turn_and_a_new_filter_starts_at_the_first(runs):  # noqa: F811
    run = whole(runs)
    app = opened(run, "Images", ids_of(run)[:2])
    app.segmented_control(key="choice_images_sort").set_value("image").run()
    app.number_input(key="images_page").set_value(3).run()
    text = grid(app)
    assert "validation image 40," in text
    assert "validation image 39," not in text
    app.selectbox(key="images_true").set_value(0).run()
    app.selectbox(key="images_true").set_value(lab_images.ANY).run()
    assert app.number_input(key="images_page").value == 1


def test_images_that_are_not_there_leave_the_votes(runs):  # noqa: F811
    """A sample run's classes are random, so the digits are not its images."""
    app = opened(whole(runs), "Images")
    assert "The votes are here, but not the pictures." in words(app)
    assert "<img" not in grid(app)


def test_an_image_looked_at_is_the_one_that_explore_opens(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)[:2]
    app = opened(run, "Images", ids)
    assert "Look inside on Explore" not in str(app.get("page_link"))
    app.session_state[lab_images.KEPT] = 7
    app.run()
    assert f"Image **7**, true class **{run.targets('val')[7]}**" in words(app)
    first = run.val_probabilities(ids)[0, 7]
    assert f"**{first.argmax()}** {first.max():.3f}" in words(app)
    assert "Look inside on Explore" in str([e.proto.label for e in app.get("page_link")])
    assert lab_images.INSIDE == one_shot.MOST_IMAGES


def test_the_bundled_run_has_its_pictures(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGENES_RUNS", str(tmp_path))
    app = opened(Run(session.DEMO), "Images")
    assert grid(app).count("<img") == lab_images.PER_PAGE
    assert "not the pictures" not in words(app)


def test_names_from_a_file_are_text_only():
    probs = np.full((1, 1, 2), 0.5)
    found = instances.votes(probs, probs.mean(0), np.array([1]))
    html = grid_html(found, np.array([0]), Names(["<b>m</b>"], ["<script>", "'onload='x"]), None)
    assert "<script>" not in html
    assert "<b>m</b>" not in html
    assert "'onload" not in html
