"""What goes wrong when members are combined."""

from edgenes_core import EdgeNESError


class CombiningError(EdgeNESError):
    """A rule that is unknown, or cannot be fitted or judged on these images."""
