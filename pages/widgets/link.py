"""A link that was opened becomes the present view; what it says is checked first, and what had to be changed is said."""

from __future__ import annotations

import streamlit as st

from edgenes_core import EdgeNESError
from edgenes_core.permalink import Known, from_query, to_query
from edgenes_core.run_folder import Run
from pages.widgets import address, session, studies
from pages.widgets.answers import RULE, keep
from pages.widgets.choices import CHOICES
from pages.widgets.history import Chosen
from pages.widgets.known import cells_of


def adopt(run: Run) -> None:
    """Take over what the address bar says and this session did not write there; what it does not mention stays."""
    news = address.news()
    if session.just_chosen() or not news:
        return
    view, notices = from_query(known(run), news)
    for sentence in notices:
        session.notify(sentence)
    if view.lam is not None:
        session.ask_lam(run, view.lam)
    now = session.history().now
    answered = dict(view.choices)
    rule = answered.pop(RULE, now.rule)
    linked = Chosen(view.selection or now.selection, view.pin or now.pin, now.basket, now.weights, rule)
    linked = linked.with_basket(view.basket or now.basket)
    session.set_history(session.history().step(linked.with_weights(view.weights) if view.weights else linked))
    session.just_chosen()  # by the link, which is no reason not to follow the next one
    studies.ask(*(new or old for new, old in zip((view.study, view.against), studies.asked(), strict=True)))
    for name, value in answered.items():
        keep(name, value, CHOICES[name].default)


def known(run: Run) -> Known:
    """What a link may refer to in this run."""
    answers = {name: choice.options for name, choice in CHOICES.items()}
    try:
        networks = [training.id for training in run.trainings() if run.is_trained(training)]
    except EdgeNESError:  # a damaged plan is said on the page that needs it
        networks = []
    return Known(run.space, run.config.seed, cells_of(run), networks, answers, studies.arms_by_study())


def full_link(run: Run, page: str) -> str:
    """Address of the present view, theme included, from the address the browser opened."""
    from urllib.parse import urlencode, urlsplit

    opened = urlsplit(str(st.context.url or ""))
    root = f"{opened.scheme}://{opened.netloc}" if opened.netloc else ""
    return f"{root}/{page}?{urlencode(to_query(run.space, address.view_state(run)))}"
