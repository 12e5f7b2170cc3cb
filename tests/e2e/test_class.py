"""A small class over websockets: nobody sees an error, every number is right; and who comes over the network only looks."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from conftest import ROOT, served

sys.path.append(str(ROOT / "benchmarks"))
import load
from tabs import Tab

T = TypeVar("T")
CLASS = argparse.Namespace(sessions=4, seconds=5, think=0.3, browsers=0)


def test_a_class_sees_right_numbers_and_no_error(runs_folder: Path, tmp_path: Path):
    log = load.Log()
    with served(runs_folder, tmp_path / "log.txt", EDGENES_MODE="classroom") as address:
        apart(load.load(address, CLASS, log, None))
    assert log.errors == []
    assert log.seconds.keys() >= {"first page", "page switch", "evaluation", "λ let go"}
    assert load.wrong_numbers(log) == []
    log.shown[0][1][0] = "12.34 %"
    assert len(load.wrong_numbers(log)) == 1
    assert "Traceback" not in (tmp_path / "log.txt").read_text()


def apart(work: Coroutine[object, object, T]) -> T:
    """In a thread, as Playwright's own loop may run in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.mark.parametrize(
    ("headers", "name", "looks"),
    [
        ({}, "", False),
        ({}, "localhost", False),
        ({"X-Forwarded-For": "203.0.113.7"}, "", True),
        ({"Forwarded": "for=203.0.113.7"}, "", True),
        ({}, "rebound.example", True),
    ],
)
def test_who_comes_through_a_proxy_or_by_another_name_only_looks(
    server: str, headers: dict[str, str], name: str, looks: bool
):
    async def seen() -> list[str]:
        tab = await Tab.open(server, headers, name)
        await tab.close()
        return tab.texts("Markdown")

    assert any("viewer" in text for text in apart(seen())) == looks
