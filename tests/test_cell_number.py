"""Numbers of cells: a bijection between a space and 0 … |space| − 1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.architecture import ArchitectureError
from edgenes_core.cell_number import cell_of, number_of
from edgenes_core.space import SearchSpace

SPACES = [
    SearchSpace(),
    SearchSpace(inputs_per_node=2),
    SearchSpace(cells=("normal", "reduce")),
    SearchSpace(inputs_per_node=2, cells=("normal", "reduce")),
    SearchSpace(nodes=2, operations=("skipconnect", "maxpool")),
]


@pytest.mark.parametrize("space", SPACES)
@given(data=st.data())
def test_a_number_and_its_cell_are_each_others_inverse(space, data):
    number = data.draw(st.integers(0, space.size - 1))
    cell = cell_of(space, number)
    assert space.contains(cell)
    assert number_of(space, cell) == number
    drawn = space.sample(np.random.default_rng(data.draw(st.integers(0, 2**32 - 1))))
    assert cell_of(space, number_of(space, drawn)) == drawn


def test_a_small_space_is_numbered_without_gaps():
    space = SPACES[-1]
    keys = {cell_of(space, number).key for number in range(space.size)}
    assert len(keys) == space.size == 24


@pytest.mark.parametrize("number", [-1, 288_120])
def test_a_number_outside_is_refused(number):
    with pytest.raises(ArchitectureError, match="288119"):
        cell_of(SearchSpace(), number)


def test_a_cell_of_another_space_has_no_number():
    with pytest.raises(ArchitectureError, match="not in the space"):
        number_of(SPACES[1], cell_of(SPACES[0], 7))
