"""The theorem's three forms agree: closed form, exact sum, and counting edges in simulated searches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.theory import TheoryError, theorem


@given(st.integers(1, 10), st.integers(1, 40), st.integers(0, 1), st.integers(0, 2**32))
def test_three_forms_agree(n, lambda_max, lowest, seed):
    result = theorem(n, lambda_max, lowest, draws=4000, seed=seed)
    assert result.closed_form == pytest.approx(result.exact_sum, rel=1e-12)
    assert abs(result.simulated - result.closed_form) <= 5 * result.simulated_se
    assert result.ratio == result.closed_form / lambda_max


@pytest.mark.parametrize(
    ("n", "lambda_max", "published", "with_zero"), [(3, 4, 1.17, 0.75), (3, 8, 0.95, 0.75), (3, 16, 0.85, 0.75), (5, 4, 1.95, 1.25)]
)  # fmt: skip
def test_ratio_with_and_without_lambda_zero(n, lambda_max, published, with_zero):
    """The speed-up of the theorem needs λ = 0 left out: with it the ratio is n/4 for every Λ."""
    assert theorem(n, lambda_max, 1, draws=2).ratio == pytest.approx(published, abs=0.005)
    assert theorem(n, lambda_max, 0, draws=2).ratio == with_zero == n / 4


def test_simulation_is_within_one_percent_and_repeats():
    result = theorem(3, 4)
    assert result.simulated == pytest.approx(4.6875, rel=0.01)
    assert result == theorem(3, 4)
    assert result.simulated != theorem(3, 4, seed=1).simulated


@pytest.mark.parametrize("wrong", [{"n": 0}, {"lambda_max": 0}, {"lowest": 2}, {"draws": 1}, {"n": 1001}])
def test_outside_its_domain_is_refused(wrong):
    with pytest.raises(TheoryError, match="got n ="):
        theorem(**{"n": 3, "lambda_max": 4, **wrong})
