"""What a CUDA device computes is what the CPU computes, in every stage; skipped where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import TINY

from edgenes_core.executors import local_executor
from edgenes_core.pipeline import run_pipeline
from edgenes_core.runs import RunStore
from edgenes_core.session import Session
from edgenes_core.space import SearchSpace
from edgenes_core.study import Arm
from edgenes_core.study.arm import run_repeat
from edgenes_core.supernet import Supernet

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")


@pytest.mark.parametrize("side", [8, 32])
@pytest.mark.parametrize("inputs", [1, 2])
def test_supernet_and_its_gradients_are_those_of_the_cpu(inputs, side):
    """In float64; the CPU has a compiled form of its own, so these are two implementations."""
    space, found = SearchSpace(inputs_per_node=inputs), {}
    draw = torch.Generator().manual_seed(1)
    rows = torch.rand(len(space.edges), len(space.operations), generator=draw, dtype=torch.float64)
    images = torch.randn(16, 1, side, side, generator=draw, dtype=torch.float64)
    for device in ("cpu", "cuda"):
        net = Supernet(space, 1, 10, 4, 1, torch.Generator().manual_seed(0)).double().to(device)
        mixing = rows.to(device).requires_grad_()
        logits = net(images.to(device), mixing)
        grads = torch.autograd.grad(logits.square().mean(), [mixing, *net.parameters()])
        found[device] = [each.detach().cpu() for each in (logits, *grads)]
    for ours, theirs in zip(found["cuda"], found["cpu"], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


def test_a_whole_run(tmp_path):
    run = RunStore(tmp_path).create(TINY)
    with local_executor(2) as executor:
        run_pipeline(Session(run, executor, "cuda"))
    assert all(run.manifest.cost(stage) for stage in run.manifest.stages)
    probs = run.val_probabilities([training.id for training in run.plan()])
    assert np.isfinite(probs).all()
    assert np.allclose(probs.sum(-1), 1, atol=1e-3)


@pytest.mark.parametrize("searcher", ["edgenes", "nesbs_svgd", "multi_head", "darts2", "pc_darts"])
def test_a_repeat_of_a_study(searcher):
    config = replace(TINY, ensemble=replace(TINY.ensemble, controls=2))
    repeat = run_repeat(Arm("a", searcher), config, "cuda")
    assert np.isfinite(repeat.val).all()
    assert np.allclose(repeat.val.sum(-1), 1, atol=1e-3)
    assert min(repeat.seconds) > 0
