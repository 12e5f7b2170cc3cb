"""Every reader of what others wrote: whatever the bytes, it loads or says one sentence, in bounded time and memory."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
from fuzzing import LONGEST, Parser, attempt, inputs
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import ODD, bombs
from parsers import parsers

from edgenes_core import EdgeNESError

EACH = 40  # inputs for each reader; benchmarks/fuzz.py tries more
SLOW = {"run zip": 20}
NEEDS_A_RUN = "any import"  # one of its seeds is predictions, which are refused without --into
FOUND = (  # inputs that got through once, by reader
    ("events.jsonl", b'{"stage": "darts", "step": "1", "steps": 3}\n{"stage": "darts", "step": 2, "steps": 3}\n'),
    ("events.jsonl", b'{"stage": "darts", "step": 1, "steps": 3, "seconds": NaN}\n'),
    ("config", b"[" * 100_000),
    ("config", json.dumps({"config": {"umap": "\ud800"}}).encode()),
    ("setting", b"preset=" + b"[" * 3000),
    ("setting", b"darts.steps=" + b"9" * 5000),
)


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Parser]:
    return {parser.name: parser for parser in parsers(tmp_path_factory.mktemp("fuzz"))}


def test_whole_files_are_read_and_changed_ones_are_read_or_refused(readers):
    for parser in readers.values():
        tried = [(data, attempt(parser, data)) for data in islice(inputs(parser, 0), SLOW.get(parser.name, EACH))]
        failed = [(data[:200], found.said) for data, found in tried if found.outcome == "failed"]
        assert not failed, parser.name
        whole = {found.outcome for _, found in tried[: len(parser.seeds)]}
        assert whole == {"accepted"} | ({"refused"} if parser.name == NEEDS_A_RUN else set()), parser.name


def test_no_bomb_goes_off(readers):
    for name, bomb in bombs().items():
        for parser in readers.values():
            assert (attempt(parser, bomb).outcome, parser.name, name) != ("failed", parser.name, name)


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_got_through_once_does_not_again(readers, name, data):
    assert attempt(readers[name], data).outcome != "failed"


values = st.recursive(
    st.sampled_from(ODD[:-12]) | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.data(), values, st.binary(max_size=200))
def test_any_json_and_any_bytes_are_read_or_refused(readers, data, value, noise):
    parser = readers[data.draw(st.sampled_from(sorted(readers)))]
    with_schema = {"schema": 1, **value} if isinstance(value, dict) else value
    for content in (json.dumps(with_schema).encode(), noise):
        assert attempt(parser, content).outcome != "failed"


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (lambda data: 1 / 0, "ZeroDivisionError"),
        (lambda data: bytes(2 << 30), "MemoryError"),
        (lambda data: refuse("no"), "2 letters"),
        (lambda data: refuse("Traceback (most recent call last): the worker fell over."), "a traceback"),
    ],
)
def test_the_law_can_fail(read, wrong):
    if wrong == "MemoryError" and not Path("/proc/self/statm").exists():
        pytest.skip("memory is limited on Linux only")
    found = attempt(Parser("bad", read, (b"",)), b"")
    assert found.outcome == "failed"
    assert wrong in found.said


@given(st.text(max_size=2000))
def test_every_refusal_is_one_printable_line(text):
    line = str(EdgeNESError(text))
    assert line.isprintable()
    assert len(line) <= LONGEST
    assert line[:400].split() == "".join(c if c.isprintable() else " " for c in text)[:400].split()


def refuse(sentence: str) -> None:
    raise EdgeNESError(sentence)
