"""Who may change what: modes, roles and operators as laws; what the page offers to whom."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_runs import shown, whole
from streamlit.testing.v1 import AppTest
from test_pages_explore import FRAME, runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import access, doctor_access
from edgenes_core.access import RULES, Access, Action, Mode, Role, may, read_access, role_of
from edgenes_core.findings import Check, Place
from edgenes_core.sign_in import SignIn, read_secrets, read_sign_in

LETTERS = st.text("abcdefg0._-", min_size=1, max_size=8)
ADDRESS = st.builds("{}@{}.org".format, LETTERS, LETTERS)
AUTH = {
    "redirect_uri": "http://127.0.0.1:8501/oauth2callback",
    "cookie_secret": "x" * 32,
    "client_id": "a",
    "client_secret": "b",
    "server_metadata_url": "https://id.example.org/.well-known/openid-configuration",
}


def signed_in(address: str, **claims: object) -> dict[str, object]:
    return {"is_logged_in": True, "email": address, "email_verified": True, **claims}


def test_the_rules_speak_of_every_mode_and_role_and_only_operators_of_an_open_instance_change_anything():
    assert RULES.keys() == set(product(Mode, Role))
    for (mode, role), action in product(RULES, Action):
        assert may(role, mode, action) == ((mode, role) == (Mode.OPEN, Role.OPERATOR))


@pytest.mark.parametrize("environment", [{}, {"EDGENES_MODE": ""}, {"EDGENES_MODE": " Open "}])
def test_an_instance_is_open_until_told(environment):
    assert read_access(environment) == Access()
    assert role_of(Access(), None, local=True) is Role.OPERATOR
    assert role_of(Access(), None, local=False) is Role.VIEWER


@given(st.text(max_size=12).filter(lambda text: text.strip().lower() not in ("", "open", "classroom")))
def test_any_other_mode_is_a_sentence_and_closes_the_instance(text):
    found = read_access({"EDGENES_MODE": text})
    assert found.mode is Mode.CLASSROOM
    assert found.fault.startswith("EDGENES_MODE is open or classroom, got ")
    assert access.refusal(found, Action.TRAIN, sign_in=False) == found.fault


@pytest.mark.parametrize("text", ["ada", "ada@", "@example.org", "a b@example.org", "ada@*", "a@b@c", "*@*", "**"])
def test_an_operator_that_is_no_address_closes_the_instance(text):
    found = read_access({"EDGENES_OPERATORS": f"eve@example.org, {text}"})
    assert found.mode is Mode.CLASSROOM
    assert "EDGENES_OPERATORS" in found.fault
    assert found.operators == ()


@given(ADDRESS, st.lists(ADDRESS, max_size=3), st.booleans())
def test_operators_are_those_listed_by_address_or_exact_domain(address, others, local):
    domain = address.split("@")[1]
    for operators, expected in (
        ([*others, address.upper()], True),
        ([*others, f"*@{domain}"], True),
        ([f"*@x{domain}", f"*@{domain}x", f"x{address}"], False),
        ([f"*@sub.{domain}", f"*@{domain.partition('.')[2]}"], False),
        (others, address in others),
        ([], False),
    ):
        found = read_access({"EDGENES_OPERATORS": ",".join(operators)})
        assert found.fault == ""
        assert (role_of(found, signed_in(address), local=local) is Role.OPERATOR) == expected


@pytest.mark.parametrize(
    "identity",
    [
        {},
        {"is_logged_in": False},
        signed_in("ada@example.org", is_logged_in=False),
        signed_in("ada@example.org", is_logged_in="true"),
        signed_in("ada@example.org", email_verified=False),
        signed_in("ada@example.org", email_verified="true"),
        {"is_logged_in": True, "email": "ada@example.org"},
        signed_in("*@example.org"),
        signed_in("ada@example.org@evil.org"),
        signed_in("ada@example.org,eve@evil.org"),
        {"is_logged_in": True, "email_verified": True, "email": None},
    ],
)
def test_only_a_verified_address_counts(identity):
    found = read_access({"EDGENES_OPERATORS": "ada@example.org, *@example.org"})
    assert role_of(found, identity, local=True) is Role.VIEWER


def test_a_star_is_everybody_but_no_rule_opens_a_classroom():
    found = read_access({"EDGENES_OPERATORS": "*"})
    assert role_of(found, None, local=False) is Role.OPERATOR
    assert role_of(found, {}, local=False) is Role.OPERATOR
    closed = read_access({"EDGENES_MODE": "classroom", "EDGENES_OPERATORS": "*"})
    assert not any(may(Role.OPERATOR, closed.mode, action) for action in Action)


@pytest.mark.parametrize("action", Action)
def test_a_refusal_is_one_sentence_with_the_way_out(action):
    for found, sign_in in ((Access(), True), (Access(), False), (Access(Mode.CLASSROOM), False)):
        sentence = access.refusal(found, action, sign_in=sign_in)
        assert action.value in sentence
        assert any(way in sentence for way in ("sign in with", "docs/classroom.md", "machine of your own"))


def test_a_sign_in_is_whole_or_says_what_it_lacks(monkeypatch, tmp_path):
    assert read_sign_in(None) == SignIn()
    assert read_sign_in(AUTH) == SignIn(("default",))
    shared = {"redirect_uri": AUTH["redirect_uri"], "cookie_secret": AUTH["cookie_secret"]}
    own = {key: AUTH[key] for key in AUTH.keys() - shared.keys()}
    assert read_sign_in({**shared, "google": own, "school": own}) == SignIn(("google", "school"))
    for key in AUTH:
        assert key in read_sign_in({**AUTH, key: ""}).fault
    assert "cookie_secret" in read_sign_in({**AUTH, "cookie_secret": "short"}).fault
    file = tmp_path / "secrets.toml"
    assert read_secrets(file) == SignIn()
    file.write_text("[auth\n")
    assert "cannot be read" in read_secrets(file).fault
    monkeypatch.setattr("edgenes_core.sign_in.find_spec", lambda name: None)
    assert "pip install -r requirements-auth.txt" in read_sign_in(AUTH).fault


def visit(run, user: dict[str, object] | None, **auth: str) -> AppTest:
    app = AppTest.from_file(FRAME, default_timeout=30)
    app.secrets["auth"] = {**AUTH, **auth}
    app.user = user or {"is_logged_in": False}
    app.query_params["run"] = run.id
    app.run()
    app.switch_page("train.py")
    app.run()
    app.segmented_control(key="train_view").set_value("new").run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def test_where_there_is_a_sign_in_only_operators_get_the_form(runs, monkeypatch):  # noqa: F811
    run = whole(runs)
    monkeypatch.setenv("EDGENES_OPERATORS", "*@example.org")
    for user, button, launch in (
        (None, "frame_sign_in_default", False),
        (signed_in("ada@example.org"), "frame_sign_out", True),
        (signed_in("ada@example.org", email_verified=False), "frame_sign_out", False),
        (signed_in("eve@evil.org"), "frame_sign_out", False),
    ):
        app = visit(run, user)
        keys = {b.key for b in app.button}
        assert button in keys
        assert ("train_launch" in keys) == launch
        assert ("Only operators may train: sign in" in words(app)) != launch
    assert "cookie_secret" in visit(run, None, cookie_secret="short").error[0].value  # noqa: S106
    assert "frame_sign_in_default" not in {b.key for b in shown("train.py", run).button}, "no sign-in without [auth]"


def test_the_doctor_says_what_is_wrong_with_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (look,) = doctor_access.LOOKS
    assert look.check(Place(tmp_path)) == Check("access", True, "open, no sign-in")
    (tmp_path / ".streamlit").mkdir()
    file = tmp_path / ".streamlit" / "secrets.toml"
    file.write_text("[auth]\n" + "".join(f'{key} = "{value}"\n' for key, value in AUTH.items()))
    assert "lists nobody" in look.check(Place(tmp_path)).finding
    monkeypatch.setenv("EDGENES_OPERATORS", "ada@example.org")
    assert look.check(Place(tmp_path)).finding == "open, sign-in by default"
    monkeypatch.setattr("edgenes_core.sign_in.find_spec", lambda name: None)
    assert not look.check(Place(tmp_path)).ok
    monkeypatch.setenv("EDGENES_MODE", "clasroom")
    assert "EDGENES_MODE" in look.check(Place(tmp_path)).finding
