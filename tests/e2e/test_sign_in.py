"""Signing in for real: an OpenID Connect provider on loopback, the app's own server and a browser."""

from __future__ import annotations

import secrets
from pathlib import Path

from browsing import turn_to
from conftest import free_port, served
from oidc import CLIENT, provider
from playwright.sync_api import expect

LISTED = {"email": "Ada@Example.org", "email_verified": True}


def test_an_operator_signs_in_and_out_and_others_only_look(runs_folder: Path, tmp_path: Path, open_context):
    port = free_port()
    with provider() as oidc:
        file = tmp_path / "secrets.toml"
        file.write_text(
            f"""[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "{secrets.token_urlsafe(32)}"
client_id = "{CLIENT}"
client_secret = "not asked for"
server_metadata_url = "{oidc.address}/.well-known/openid-configuration"
"""
        )
        page = open_context().new_page()
        with served(
            runs_folder, tmp_path / "log.txt", f"--secrets.files={file}", port=port, EDGENES_OPERATORS="ada@example.org"
        ) as address:
            page.goto(f"{address}/train")
            expect(page.get_by_role("button", name="Sign in")).to_be_visible()
            expect(page.get_by_role("button", name="Launch")).to_have_count(0)
            for visitor, role in ((LISTED, "operator"), ({**LISTED, "email_verified": False}, "viewer")):
                oidc.visitor = visitor
                page.get_by_role("button", name="Sign in").click()
                expect(page.get_by_text(f"{role}: {LISTED['email']}")).to_be_visible()
                turn_to(page, "train")
                expect(page.get_by_role("button", name="Launch")).to_have_count(1 if role == "operator" else 0)
                page.get_by_role("button", name="Sign out").click()
                expect(page.get_by_role("button", name="Sign in")).to_be_visible()
            page.close()
