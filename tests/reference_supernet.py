"""The supernet as the field writes it: one module per operation and edge, summed one by one. Slow and plain.

Weights come from `edgenes_core.supernet.Supernet` by slicing, so both compute the same function.
"""

import torch
import torch.nn.functional as F

from edgenes_core.supernet import Source, Supernet


def norm(x):
    return F.batch_norm(x, None, None, training=True)


def apply_operation(name, x, source: Source, edge: int):
    """One operation of one edge on (B, C, H, W), written out with ordinary convolutions."""
    stride, c = source.stride, source.channels
    rows = slice(edge * c, (edge + 1) * c)
    if name == "maxpool":
        return norm(F.max_pool2d(x, 3, stride, 1))
    if name == "avgpool":
        return norm(F.avg_pool2d(x, 3, stride, 1, count_include_pad=False))
    if name == "skipconnect":
        if stride == 1:
            return x
        half = c // 2
        weights = [w[edge * half : (edge + 1) * half, :, None, None] for w in source.reduce.chunk(2)]
        x = F.relu(x)
        return norm(torch.cat([F.conv2d(x, weights[0], stride=2), F.conv2d(x[..., 1:, 1:], weights[1], stride=2)], 1))
    side = 5 if name.endswith("5x5") else 3
    dilation = 2 if name.startswith("dil") else 1
    for stage, s in (("1", stride), ("2", 1)) if name.startswith("sep") else (("1", stride),):
        taps = source.depthwise[f"{name}_{stage}"][rows]
        mix = source.pointwise[f"{name}_{stage}"][rows][:, :, None, None]
        x = F.conv2d(F.relu(x), taps, stride=s, padding=dilation * (side // 2), dilation=dilation, groups=c)
        x = norm(F.conv2d(x, mix))
    return x


def reference_forward(net: Supernet, x, mixing):
    """Class logits of `net` for one mixing (E, O), edge by edge."""
    s0 = s1 = net.stem(x, 1)
    for before, cell in zip(net.before, net.cells, strict=True):
        states = [s.squeeze(-1).transpose(0, 1) for s in before(s0, s1)]
        for node in range(2, len(cell.sources) + 1):
            total = 0
            for parent in range(node):
                source, ids = cell.sources[parent], cell.edge_ids[parent]
                edge = node - (len(cell.sources) + 1 - len(ids))
                for o, name in enumerate(source.operations):
                    total = total + mixing[ids[edge], o] * apply_operation(name, states[parent], source, edge)
            states.append(total)
        s0, s1 = s1, torch.cat(states[2:], 1).transpose(0, 1).unsqueeze(-1)
    return net.classifier(s1.mean((2, 3)).flatten(1).T)
