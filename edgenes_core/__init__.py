"""EdgeNES Explorer: differentiable neural ensemble search made visible.

Axis letters, used in every docstring:
B batch (images), C classes, M members of an ensemble, N nodes of a cell, E candidate edges,
O operations, K knots of the hypernetwork, S logits (E·O operation logits, then E edge logits).

Symbols: λ requested shared edges, Λ the most there can be, α* the base cell; λ = Λ is α* itself
and λ = 0 asks for the most different cell.
"""

__version__ = "0.1.0"


class EdgeNESError(Exception):
    """Root of every error a user can cause or mend: one sentence with rule, value and way out."""
