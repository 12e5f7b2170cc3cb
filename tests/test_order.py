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
    assert {*order.MAPS, *order.WALKS} < set(order.LONG)
    assert len(set(order.LONG)) == len(order.LONG)


def test_browsers_are_two_groups_and_other_files_are_their_own():
    groups = {file: order.group(f"{file}::test_x[a::b]") for file in FILES}
    browsers = {group for file, group in groups.items() if "/e2e/" in file}
    maps = {groups[f"tests/{name}"] for name in order.MAPS}
    assert (len(browsers), len(maps)) == (2, 1)
    assert len({groups[f"tests/{name}"] for name in order.WALKS}) == 1
    others = [groups[file] for file in FILES if "/e2e/" not in file and Path(file).name not in order.MAPS]
    assert len(set(others) | browsers | maps) == len(others) + 3


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
