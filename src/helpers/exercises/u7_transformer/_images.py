"""Held-out digits that nobody has a label for: each turned, moved and paled by so little that no eye would mind."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

# At most: degrees, pixels, and the share of the ink that goes.
DEGREES, PIXELS, PALER = 3.0, 0.1, 0.1


def slightly_changed(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Return images, float32 (n, 8, 8), each turned by at most `DEGREES` about its middle, moved by at most `PIXELS`
    along both axes, and with at most `PALER` of its ink taken away; between pixels it is interpolated, beyond the edge
    is paper.
    """
    count, side = len(images), images.shape[-1]
    angle = torch.from_numpy(np.radians(rng.uniform(-DEGREES, DEGREES, size=count)))
    # The grid's unit is half a side.
    moved = torch.from_numpy(rng.uniform(-PIXELS, PIXELS, size=(count, 2)) * 2 / side)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=-1).reshape(count, 2, 2)
    grid = F.affine_grid(torch.cat([turn, moved[..., None]], dim=-1), [count, 1, side, side], align_corners=False)
    sheets = torch.from_numpy(images.astype(float))[:, None]
    changed = F.grid_sample(sheets, grid, align_corners=False)[:, 0].numpy()  # (n, 8, 8)
    ink = rng.uniform(1 - PALER, 1, size=(count, 1, 1))
    result: np.ndarray = (changed * ink).astype(np.float32)
    return result
