"""EdgeNES Explorer: differentiable neural ensemble search made visible.

Axis letters, used in every docstring:
B batch (images), C classes, M members of an ensemble, N nodes of a cell, E candidate edges,
O operations, K knots of the hypernetwork, S logits (E·O operation logits, then E edge logits).

Symbols: λ requested shared edges, Λ the most there can be, α* the base cell; λ = Λ is α* itself
and λ = 0 asks for the most different cell.
"""

__version__ = "0.1.0"


HEAD, TAIL = 400, 150  # letters of a long sentence: the rule stands at its start, the way out at its end


def one_line(text: str) -> str:
    """The text with a space for each sign that cannot be printed: control characters, line ends, halves of surrogate pairs."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


class EdgeNESError(Exception):
    """Root of every error a user can cause or mend: one sentence with rule, value and way out.

    What it quotes may come from anyone's file, so here it becomes one line that can be printed, and the middle of a long one is
    left out.
    """

    def __init__(self, sentence: str = "") -> None:
        line = one_line(sentence)
        super().__init__(line if len(line) <= HEAD + TAIL else f"{line[:HEAD]} … {line[-TAIL:]}")
