"""The depthwise convolution of the first release of this project on maps above 8×8: torch's grouped convolution.

Kept so that search_step.py can compare the present plain-torch form with it in one run.
"""

import torch.nn.functional as F

from edgenes_core import wide

present = wide.depthwise


def earlier(x, weight, stride, dilation):
    """As `wide.depthwise`: (C, B, H, W, 1) by (R·C, 1, k, k)."""
    if x.shape[2] * x.shape[3] <= wide.PLANE_PIXELS:
        return present(x, weight, stride, dilation)
    images = x.squeeze(-1).repeat(len(weight) // len(x), 1, 1, 1).transpose(0, 1)
    side, groups = weight.shape[-1], len(weight)
    b, c, h, w = images.shape
    if dilation == 1 or (stride == 1 and (h % 2 or w % 2)):
        y = F.conv2d(images, weight, None, stride, dilation * (side // 2), dilation, groups)
    elif stride == 2:
        y = F.conv2d(images[..., ::2, ::2], weight, padding=side // 2, groups=groups)
    else:
        phases = images.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(4 * b, c, h // 2, w // 2)
        y = F.conv2d(phases, weight, padding=side // 2, groups=groups)
        y = y.view(b, 2, 2, c, h // 2, w // 2).permute(0, 3, 4, 1, 5, 2).reshape(b, c, h, w)
    return y.transpose(0, 1).unsqueeze(-1)
