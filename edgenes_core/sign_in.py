"""The sign-in of an instance, as the part [auth] of .streamlit/secrets.toml sets it up: whole, and with what it needs?"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from edgenes_core import EdgeNESError

NEEDED = ("client_id", "client_secret", "server_metadata_url")
PACKAGES = ("authlib", "httpx")
LEAST_SECRET = 32  # characters of the secret that cookies are signed with
DEFAULT = "default"


class SignInError(EdgeNESError):
    """A sign-in that cannot work as it is set up."""


class SignIn(NamedTuple):
    """Names of the providers that can be chosen, and what keeps them from working; both empty where there is no sign-in."""

    providers: tuple[str, ...] = ()
    fault: str = ""


def read_sign_in(auth: Mapping[str, Any] | None) -> SignIn:
    """What [auth] sets up; None where there is no such part."""
    if auth is None:
        return SignIn()
    named = tuple(name for name, part in auth.items() if isinstance(part, Mapping) and "client_id" in part)
    providers = ((DEFAULT,) if "client_id" in auth or not named else ()) + named
    try:
        _check(auth, providers)
    except SignInError as error:
        return SignIn(providers, str(error))
    return SignIn(providers)


def read_secrets(*files: Path) -> SignIn:
    """The same from secrets files, as Streamlit merges them: what a later one says replaces an earlier one's."""
    merged: dict[str, Any] = {}
    for file in files:
        try:
            merged |= tomllib.loads(file.read_text()) if file.exists() else {}
        except (OSError, ValueError) as error:
            return SignIn((), f"{file} cannot be read, so there is no sign-in: {error}.")
    auth = merged.get("auth")
    return read_sign_in(auth if isinstance(auth, Mapping) else None)


def _check(auth: Mapping[str, Any], providers: tuple[str, ...]) -> None:
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise SignInError(f"Sign-in needs {missing[0]}, which is not installed: pip install -r requirements-auth.txt")
    if not str(auth.get("redirect_uri", "")).endswith("/oauth2callback"):
        raise SignInError("Sign-in needs redirect_uri in [auth]: the app's address followed by /oauth2callback.")
    if len(str(auth.get("cookie_secret", ""))) < LEAST_SECRET:
        raise SignInError(
            f"Sign-in needs cookie_secret in [auth], at least {LEAST_SECRET} random characters: "
            'python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    for name in providers:
        part = auth if name == DEFAULT and DEFAULT not in auth else auth[name]
        if lacking := [key for key in NEEDED if not part.get(key)]:
            raise SignInError(f"Sign-in by {name} needs {lacking[0]} in secrets.toml.")
