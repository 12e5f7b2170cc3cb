"""The README says only what works: its Python runs, its commands parse, its files exist."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from edgenes_core.cli import parser

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)


def test_the_python_example_runs():
    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line]) == 5
    out = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[0].startswith("λ 0.00 to")
    assert "shares 4 edges" in out.splitlines()[-1]


COMMANDS = [shlex.split(line, comments=True) for line in blocks("sh")[1].splitlines()]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_parse(command):
    assert command[:3] == ["python", "-m", "edgenes_core"]
    parser().parse_args(command[3:])


def test_every_command_is_mentioned():
    names = parser()._subparsers._group_actions[0].choices
    assert [name for name in names if not re.search(rf"\b{name}\b", TEXT)] == []


def test_make_targets_and_links_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", "\n".join(blocks("sh")), re.M):
        assert re.search(rf"^{target}:", makefile, re.M)
    for link in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / link).exists(), link
