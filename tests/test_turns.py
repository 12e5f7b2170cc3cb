"""Scripts take turns: few at once, none twice, and a long one holds up nobody."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pages.widgets import turns
from pages.widgets.turns import AT_ONCE, turn


@pytest.fixture(autouse=True)
def _places(monkeypatch):
    """Places of this test's own."""
    monkeypatch.setattr(turns, "_places", threading.BoundedSemaphore(AT_ONCE))


def test_no_more_than_two_are_at_it(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 60.0)
    inside, most, lock = [], [], threading.Lock()

    def script(number: int) -> None:
        with turn(), turn():
            with lock:
                inside.append(number)
                most.append(len(inside))
            with lock:
                inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(script, range(200)))
    assert len(most) == 200
    assert max(most) <= AT_ONCE


def test_a_script_that_fails_gives_its_place_back(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 60.0)

    @turn()
    def script() -> None:
        raise KeyError

    for _ in range(3 * AT_ONCE):
        with pytest.raises(KeyError):
            script()
    assert not turns._mine.taken


def test_long_ones_hold_up_nobody(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    over, begun = threading.Event(), threading.Barrier(AT_ONCE + 1)

    def long() -> None:
        with turn():
            begun.wait(60)
            over.wait(60)

    threads = [threading.Thread(target=long) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    begun.wait(60)
    for _ in range(3):
        with turn():  # it would wait for ever
            assert not over.is_set()
    over.set()
    for thread in threads:
        thread.join()
    for _ in range(AT_ONCE):
        assert turns._places.acquire(blocking=False), "each place was given back once"
    assert not turns._places.acquire(blocking=False)
