"""The order of test files: all that is named exists, and every test stays in one group whatever the order."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import order
from hypothesis import given
from hypothesis import strategies as st

FOLDER = Path(__file__).parent
FILES = sorted(f"tests/{path.relative_to(FOLDER)}" for path in FOLDER.glob("**/test_*.py"))


def test_what_is_named_exists():
    assert all((FOLDER / name).exists() for name in order.LONG)
    assert set(order.MAPS) < set(order.LONG)
    assert len(set(order.LONG)) == len(order.LONG)


def test_the_browser_is_one_group_and_other_files_are_their_own():
    groups = {file: order.group(f"{file}::test_x[a::b]") for file in FILES}
    browser = {group for file, group in groups.items() if "/e2e/" in file}
    maps = {groups[f"tests/{name}"] for name in order.MAPS}
    assert len(browser) == len(maps) == 1
    others = [groups[file] for file in FILES if "/e2e/" not in file and Path(file).name not in order.MAPS]
    assert len(set(others) | browser | maps) == len(others) + 2


@given(st.permutations([f"{file}::test_{k}" for file in FILES for k in range(2)]))
def test_none_is_lost_and_long_ones_come_first(names):
    items = [SimpleNamespace(nodeid=name) for name in names]
    found = order.in_order(items)
    assert sorted(map(id, found)) == sorted(map(id, items))
    ranks = [order.rank(item.nodeid.split("::")[0]) for item in found]
    assert ranks == sorted(ranks)
    assert ranks[0] == 0
    short = [item.nodeid for item in found if order.rank(item.nodeid.split("::")[0]) == len(order.LONG)]
    assert short == [name for name in names if name in set(short)], "those that are short keep their order"
