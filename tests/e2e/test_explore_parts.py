"""Explore beyond the handle: cell B, linked edges, traces, the editor and feature maps, all against the backend."""

from __future__ import annotations

import numpy as np
import pytest
from browsing import settled, visit
from playwright.sync_api import Page, expect
from test_explore import lam_drawn, part

from edgenes_core.architecture import edit_distance, shared_edges
from edgenes_core.cell_number import number_of
from edgenes_core.figures.cells import OPERATION, change_sentence, counts_sentence, marks
from edgenes_core.figures.curves import edge_name
from edgenes_core.lambda_path import split_logits
from edgenes_core.run_folder import Run


def why(page: Page, name: str):
    return page.locator(f'.why [data-part="{name}"]')


def drawn_edges(page: Page) -> list[tuple[int, str, str]]:
    """(edge, state, label) of every edge in the drawing."""
    pills = """(svg) => [...svg.querySelectorAll('.pill')].map((pill, edge) => [edge, pill.dataset.state, pill.querySelector('text').textContent])
        .filter(([edge, state]) => state)"""
    return [tuple(found) for found in part(page, "cell").evaluate(pills)]


def test_a_pinned_cell_is_what_all_others_are_compared_with(page: Page, server: str, run: Run):
    path = run.lambda_path()
    first, last = path.intervals[0].architecture, path.intervals[-1].architecture
    visit(page, server, "explore", lam=0)
    page.get_by_role("button", name="Pin this cell as B").click()
    expect(part(page, "counts")).to_contain_text(f"Beside B ({first.key})")
    part(page, "range").focus()
    page.keyboard.press("End")
    expect(part(page, "key")).to_have_text(last.key)
    wanted = marks(run.space, last, first)
    expect(part(page, "counts")).to_contain_text(counts_sentence(wanted, "B"))
    expect(part(page, "sentence")).to_have_text(change_sentence(last, first, "B"))
    assert drawn_edges(page) == [(m.edge, m.state, m.label) for m in wanted]
    page.wait_for_function(
        "(pin) => new URLSearchParams(location.search).get('pin') === pin", arg=str(number_of(run.space, first))
    )
    page.get_by_role("button", name="Undo").click()
    expect(part(page, "counts")).to_contain_text("Beside α*:")
    assert lam_drawn(page) == path.lambda_max, "the handle stays where it was"
    page.get_by_role("button", name="Redo").click()
    expect(part(page, "counts")).to_contain_text(f"Beside B ({first.key})")
    page.get_by_role("button", name="Unpin B").click()
    expect(part(page, "counts")).to_contain_text("Beside α*:")


def test_the_states_of_edges_differ_in_more_than_colour(page: Page, server: str, run: Run):
    visit(page, server, "explore", lam=0)
    dash = """(svg) => Object.fromEntries([...svg.querySelectorAll('.edge')].map((edge) => [edge.dataset.state,
        getComputedStyle(edge.querySelector('path')).strokeDasharray]))"""
    found = part(page, "cell").evaluate(dash)
    states = {
        mark.state for mark in marks(run.space, run.lambda_path().intervals[0].architecture, run.base().architecture)
    }
    assert states <= found.keys()
    assert all(found[state] != "none" for state in states - {"shared"})
    glyphs = {"added": "+", "gone": "−", "changed": "→"}
    assert all(glyphs[state] in label for _, state, label in drawn_edges(page) if state in glyphs)


def test_an_edge_pointed_at_lights_up_in_every_view_and_is_explained(page: Page, server: str, run: Run):
    visit(page, server, "explore", lam=run.space.lambda_max)
    mark = marks(run.space, run.base().architecture, run.base().architecture)[0]
    page.locator(".scrubber .pill").nth(mark.edge).hover()
    expect(part(page, "about")).to_contain_text(OPERATION[mark.operation].about)
    expect(part(page, "about")).to_contain_text(edge_name(run.space, mark.edge))
    expect(page.locator(".scrubber .pill.lit")).to_have_count(1)
    expect(page.locator(".why .panel.lit")).to_have_count(1)
    expect(why(page, "alphaTitle")).to_contain_text(edge_name(run.space, mark.edge))
    other = (mark.edge + 1) % len(run.space.edges)
    page.locator(".why .panel").nth(other).hover()
    expect(why(page, "alphaTitle")).to_contain_text(edge_name(run.space, other))
    page.mouse.move(5, 5)
    expect(page.locator(".scrubber .pill.lit, .why .panel.lit")).to_have_count(0)


def shown_weights(page: Page, name: str) -> list[float]:
    return [float(text) for text in page.locator(f'.why [data-part="{name}"] .value').all_text_contents()]


@pytest.mark.parametrize("form", ["continuous", "published"])
def test_the_traces_show_the_backends_weights(page: Page, server: str, run: Run, form: str):
    """At several λ, in our form and the release's, whose two knot weights are swapped."""
    visit(page, server, "explore", lam=0, interpolation=form)
    knots, edge = run.knots(), len(run.space.edges) - 1
    why(page, "edge").select_option(str(edge))
    for lam in (0.0, 0.3, 1.7, 2.0, 3.9):
        part(page, "number").fill(str(lam))
        page.wait_for_function("(lam) => window['edgenes-lam'] === lam", arg=lam)
        left = min(int(np.searchsorted(knots.positions, lam, side="right")) - 1, len(knots.positions) - 2)
        lo, hi = knots.positions[left : left + 2]
        logits = (
            knots.at(lam) if form == "continuous" else knots.at(lo + hi - lam)
        )  # swapped: the stretch runs backwards
        alpha, beta = split_logits(run.space, logits)
        softmax = np.exp(alpha[edge]) / np.exp(alpha[edge]).sum()
        inputs = np.exp(beta[run.space.slices[-1]]) / np.exp(beta[run.space.slices[-1]]).sum()
        assert shown_weights(page, "alpha") == pytest.approx(softmax.tolist(), abs=6e-4)
        assert shown_weights(page, "beta") == pytest.approx(inputs.tolist(), abs=6e-4)


def test_the_published_form_is_drawn_with_its_jumps(page: Page, server: str, run: Run):
    inner = [r for r in run.knots().positions if 0 < r < run.space.lambda_max]
    pieces = "(box) => box.querySelector('.line path').getAttribute('d').split('M').length - 1"
    visit(page, server, "explore")
    assert why(page, "alpha").evaluate(pieces) == 1, "one unbroken line"
    page.get_by_role("radio", name="as published").click()
    expect(page.get_by_text(f"jumps at all {len(inner)} inner")).to_be_visible()
    assert why(page, "alpha").evaluate(pieces) == len(inner) + 1


def test_the_editor_judges_a_cell_as_the_backend_does(page: Page, server: str, run: Run):
    from edgenes_core.inspect_cell import network_parameters
    from edgenes_core.one_shot import load_probe, one_shot

    base = run.base().architecture
    visit(page, server, "explore", lam=run.space.lambda_max)
    page.get_by_text("Edit a cell by hand").click()
    expect(page.locator(".st-key-explore_editor")).to_contain_text("one-shot accuracy")
    settled(page)
    gene = base.genes[-1]
    other = next(name for name in run.space.operations if name != gene.operation)
    box = page.get_by_role(
        "combobox", name=f"Operation from {'input' if gene.parent < 2 else 'node'} {gene.parent} to node {gene.node}"
    )
    box.click()
    page.get_by_role("option", name=OPERATION[other].word, exact=True).click()
    edited = type(base)((*base.genes[:-1], gene._replace(operation=other)))
    section = page.locator(".st-key-explore_editor")
    expect(section).to_contain_text(edited.key)
    expect(section).to_contain_text(f"{shared_edges(edited, base)} of {run.space.lambda_max}")
    expect(section.get_by_test_id("stMetric").nth(1)).to_contain_text(str(edit_distance(edited, base)))
    score = one_shot(load_probe(run), edited)
    expect(section).to_contain_text(f"{network_parameters(run, edited):,}")
    expect(section).to_contain_text(f"{100 * score.accuracy:.2f} %")
    expect(section).to_contain_text(f"{score.nll:.4f}")
    expect(section).to_contain_text(f"n = {score.n} validation images")
    section.get_by_role("button", name="Pin this cell as B").click()
    expect(part(page, "counts")).to_contain_text(f"Beside B ({edited.key})")


def test_an_image_flows_through_the_cell(page: Page, server: str, run: Run):
    trained = next(n for n in run.networks().values() if n.training.lam is not None)
    visit(page, server, "explore", lam=trained.training.lam)
    page.get_by_text("Images flowing").click()
    section = page.locator(".st-key-explore_flow")
    picture = section.locator(".picture svg")
    expect(picture).to_contain_text(trained.training.id)
    assert picture.locator("image").count() > 4 * (run.space.nodes + 2)
    row = trained.val[0]
    expect(section).to_contain_text(f"{100 * row.max():.1f} %")
    section.get_by_role("radio", name="the supernet").click()
    expect(picture).to_contain_text("supernet weights")
