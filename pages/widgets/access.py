"""What this session may change: asked before a control is drawn, required by each function that writes; and signing in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from edgenes_core.access import Access, AccessError, Action, Mode, Role, may, read_access, refusal, role_of
from edgenes_core.sign_in import DEFAULT, SignIn, read_secrets, read_sign_in

HERE = ("127.0.0.1", "localhost", "::1")
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")


def settings() -> Access:
    """How this instance was started."""
    return read_access(os.environ)


def role() -> Role:
    """Of whoever looks at this session; a classroom need not ask, it has one rule for all."""
    access = settings()
    return Role.VIEWER if access.mode is Mode.CLASSROOM else role_of(access, identity(), local=is_local())


def allowed(action: Action) -> bool:
    """Whether this session may do it."""
    return may(role(), settings().mode, action)


def require(action: Action) -> None:
    """First line of a function that writes or starts something; AccessError unless this session may."""
    if not allowed(action):
        raise AccessError(why_not(action))


def why_not(action: Action) -> str:
    """The sentence for a control that is left out or disabled; empty if it is not."""
    if allowed(action):
        return ""
    access = settings()
    return refusal(access, action, sign_in=access.mode is Mode.OPEN and identity() is not None)


def refused(action: Action) -> bool:
    """Draw the sentence in the place of controls that this session may not use; False, and nothing, if it may."""
    if sentence := why_not(action):
        st.caption(f":material/lock: {sentence}")
    return bool(sentence)


def identity() -> Mapping[str, Any] | None:
    """What the provider says about the visitor, `is_logged_in` False before signing in; None where there is no sign-in."""
    claims = st.user.to_dict()
    return claims if "is_logged_in" in claims or torn() else None


def is_local() -> bool:
    """Whether the visitor sits at this machine: the server listens here alone, was asked by a name of this machine (another
    site's name that points here is none), and by no proxy.
    """
    headers = st.context.headers
    asked = urlsplit(f"//{headers.get('Host', 'localhost')}").hostname
    return st.get_option("server.address") in HERE and asked in HERE and not any(name in headers for name in FORWARDED)


def sign_in() -> SignIn:
    """How this instance's visitors sign in."""
    return SignIn((), torn()) if torn() else read_sign_in(st.secrets["auth"])


@st.cache_resource(show_spinner=False)
def torn() -> str:
    """Secrets that this instance was started with and that cannot be read: there may be a sign-in in them."""
    found = read_secrets(*map(Path, st.get_option("secrets.files")))
    return "" if found.providers else found.fault


def access_panel() -> None:
    """Who one is here, and the way in or out; nothing where whoever sits at the machine may do everything."""
    if settings().mode is Mode.CLASSROOM:
        st.badge("classroom, read-only", icon=":material/school:", color="gray", help=why_not(Action.TRAIN))
        return
    visitor = identity()
    if visitor is None:
        if role() is Role.VIEWER:
            st.badge("viewer", icon=":material/visibility:", color="gray", help=why_not(Action.TRAIN))
    elif visitor.get("is_logged_in"):
        _signed_in(str(visitor.get("email") or visitor.get("name") or "somebody"))
    else:
        _signed_out(sign_in())


def fault_banner() -> None:
    """What is wrong with the settings that this instance was started with, above every page."""
    if fault := settings().fault:
        st.error(fault, icon=":material/lock:")


def _signed_in(name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="frame_access"):
        st.caption(f"{role().value}: {_plain(name)}", help=why_not(Action.TRAIN) or None)
        st.button("Sign out", key="frame_sign_out", type="tertiary", icon=":material/logout:", on_click=st.logout)


def _signed_out(way: SignIn) -> None:
    if way.fault:
        st.error(way.fault, icon=":material/error:")
        return
    for name in way.providers:
        label = "Sign in" if name == DEFAULT else f"Sign in with {_plain(name)}"
        provider = None if name == DEFAULT else name
        st.button(label, key=f"frame_sign_in_{name}", icon=":material/login:", on_click=st.login, args=(provider,))


def _plain(text: str) -> str:
    from pages.widgets.markdown import plain

    return plain(text[:80])
