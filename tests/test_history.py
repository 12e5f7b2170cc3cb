"""Undo and redo: every step can be taken back and brought again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pages.widgets.history import LONGEST, Chosen, History

chosen = st.builds(Chosen, selection=st.lists(st.sampled_from("abc"), unique=True).map(tuple))


@given(st.lists(chosen, max_size=20))
def test_as_many_undos_as_steps_lead_back_and_redos_forward(steps):
    history = History()
    seen = [history.now]
    for step in steps:
        history = history.step(step)
        if seen[-1] != step:
            seen.append(step)
    for before in reversed(seen[:-1]):
        history = history.undo()
        assert history.now == before
    assert history.undo() == history
    for after in seen[1:]:
        history = history.redo()
        assert history.now == after
    assert history.redo() == history


def test_a_new_step_forgets_what_was_undone_and_no_change_is_no_step():
    a, b = Chosen(("a",)), Chosen(("b",))
    history = History().step(a).undo().step(b)
    assert history.future == ()
    assert history.step(b) is history


def test_the_past_is_bounded():
    history = History()
    for i in range(3 * LONGEST):
        history = history.step(Chosen((str(i),)))
    assert len(history.past) == LONGEST
