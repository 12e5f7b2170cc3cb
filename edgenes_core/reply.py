"""What a command answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reply:
    """A command's answer: JSON data and the same in words."""

    data: dict[str, Any]
    text: str
    status: int = 0

    def as_json(self) -> str:
        return json.dumps(self.data, allow_nan=False, ensure_ascii=False)
