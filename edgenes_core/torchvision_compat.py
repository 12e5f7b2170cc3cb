"""Import torchvision beside a CPU-only torch.

PyPI's torchvision is a CUDA build: next to a CPU torch its compiled operators do not load and its import stops at fake
implementations of `nms` and `qnms` (pytorch/vision#9337). On exactly that error the two schemas are declared and the
import is repeated; transforms, datasets and models then work, the two operators themselves do not.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_library: Any = None  # must stay alive, or torch forgets the declared schemas


def import_torchvision() -> ModuleType:
    """The torchvision module; any other import error passes through."""
    global _library
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
    import torch

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        _library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("torchvision")
