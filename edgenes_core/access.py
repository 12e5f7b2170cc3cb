"""Who may change what is stored: the mode of this instance (EDGENES_MODE) and the role of whoever looks at it.

Looking, λ, selections, baskets and teams are everybody's: they live in the session and change nothing that others see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from edgenes_core import EdgeNESError

MODE, OPERATORS = "EDGENES_MODE", "EDGENES_OPERATORS"
EVERYBODY = "*"
_ADDRESS = re.compile(r"(\*|[^\s@*,]+)@[^\s@*,]+")


class AccessError(EdgeNESError):
    """Something that this instance or this role does not allow, or a setting about it that cannot be read."""


class Mode(Enum):
    """What the instance is for."""

    OPEN = "open"
    CLASSROOM = "classroom"


class Role(Enum):
    """Who looks at it."""

    VIEWER = "viewer"
    OPERATOR = "operator"


class Action(Enum):
    """What changes a folder or takes the machine's time; the value is how a sentence says it."""

    TRAIN = "train"
    CANCEL = "stop a job"
    PREDICT = "make predictions"
    IMPORT = "import"
    KEEP = "keep an ensemble"
    REVEAL = "look at the test set"
    NOTE = "note a team that was tried"
    REMOVE = "remove what is stored"


RULES: dict[tuple[Mode, Role], frozenset[Action]] = {
    (Mode.OPEN, Role.OPERATOR): frozenset(Action),
    (Mode.OPEN, Role.VIEWER): frozenset(),
    (Mode.CLASSROOM, Role.OPERATOR): frozenset(),  # read-only is meant without exceptions
    (Mode.CLASSROOM, Role.VIEWER): frozenset(),
}


class Access(NamedTuple):
    """The settings of an instance. `operators`: e-mail addresses, `*@domain`, or `*` for everybody, in lower case.

    `fault` says what cannot be read; such an instance is read-only until it is mended.
    """

    mode: Mode = Mode.OPEN
    operators: tuple[str, ...] = ()
    fault: str = ""


def may(role: Role, mode: Mode, action: Action) -> bool:
    """Whether a role may do this in an instance of this mode."""
    return action in RULES[mode, role]


def read_access(environment: Mapping[str, str]) -> Access:
    """The settings in an environment; a fault makes it a classroom."""
    try:
        return Access(read_mode(environment.get(MODE, "")), read_operators(environment.get(OPERATORS, "")))
    except AccessError as error:
        return Access(Mode.CLASSROOM, (), f"{error} Until then nothing can be changed here.")


def read_mode(text: str) -> Mode:
    """A mode by its name, open if there is none."""
    name = text.strip().lower() or Mode.OPEN.value
    if name not in {mode.value for mode in Mode}:
        raise AccessError(
            f"{MODE} is {' or '.join(mode.value for mode in Mode)}, got {text[:40]!r}; mend it and restart."
        )
    return Mode(name)


def read_operators(text: str) -> tuple[str, ...]:
    """Addresses between commas, in lower case; AccessError names one that is none."""
    parts = tuple(part for each in text.split(",") if (part := each.strip().lower()))
    if wrong := [part for part in parts if part != EVERYBODY and not _ADDRESS.fullmatch(part)]:
        raise AccessError(
            f"{OPERATORS} lists e-mail addresses or *@domain between commas, got {wrong[0][:60]!r}; mend it and restart."
        )
    return parts


def role_of(access: Access, identity: Mapping[str, Any] | None, *, local: bool) -> Role:
    """The role of a visitor. `identity`: the claims of an OIDC provider, empty before signing in; None if this instance has
    no sign-in, where whoever sits at this machine (`local`) is an operator.
    """
    if EVERYBODY in access.operators or (identity is None and local):
        return Role.OPERATOR
    return Role.OPERATOR if is_listed(verified_address(identity or {}), access.operators) else Role.VIEWER


def verified_address(identity: Mapping[str, Any]) -> str:
    """The e-mail address of a visitor who is signed in, in lower case; empty unless the provider says that it is verified."""
    address, known = identity.get("email"), identity.get("is_logged_in") is True
    if not known or identity.get("email_verified") is not True or not isinstance(address, str):
        return ""
    found = address.strip().lower()
    return found if _ADDRESS.fullmatch(found) and not found.startswith("*") else ""


def is_listed(address: str, operators: tuple[str, ...]) -> bool:
    """Whether an address, or its exact domain, is one of the operators."""
    return bool(address) and bool({address, f"*@{address.partition('@')[2]}"} & set(operators))


def refusal(access: Access, action: Action, *, sign_in: bool) -> str:
    """Why a visitor may not do this, in one sentence with the way out. `sign_in`: whether this instance has one."""
    if access.fault:
        return access.fault
    if access.mode is Mode.CLASSROOM:
        return (
            f"This classroom is read-only: you cannot {action.value} here, and what you choose stays in this tab. "
            "Run the app on a machine of your own for that."
        )
    if sign_in:
        return f"Only operators may {action.value}: sign in with an address that {OPERATORS} lists."
    return (
        f"Only operators may {action.value}, and a visitor over the network is none without sign-in: set it up, or set "
        f"{OPERATORS}={EVERYBODY} if all who can reach this address may (docs/classroom.md)."
    )
