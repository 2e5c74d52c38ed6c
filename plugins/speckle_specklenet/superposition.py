"""Structures from Patterson maps by superposition (Buerger, Vector Space, 1959), in batches.

A Patterson map shows the structure from every body at once. The minimum of the map and of copies
shifted by the vectors to bodies already found keeps the places that all of them see.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from speckle_specklenet.patterson import max3

#: Distances in radii of the bodies: of a peak from the origin, of two bodies of a chain, and of two
#: bodies of a structure.
_ORIGIN, _APART, _CLEAR = 1.2, 0.8, 1.5
#: Most bodies whose views are combined, the least height of one as a share of the third body's.
_VIEWS, _LOWEST = 12, 0.15
_NOWHERE = -1.0


def top(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the `count` highest of (B, n) and their indices, filled up if there are fewer."""
    found, index = values.topk(min(count, values.shape[1]), dim=1)
    missing = count - found.shape[1]
    return functional.pad(found, (0, missing), value=_NOWHERE), functional.pad(index, (0, missing))


def peaks(maps: Tensor, count: int, radius: Tensor) -> tuple[Tensor, Tensor]:
    """Return the highest local maxima of maps (B, h, h) away from r = 0, one of each pair r, -r.

    Returns
    -------
    heights : Tensor, (B, count)
        Descending; -1 where there are fewer.
    vectors : Tensor of int, (B, count, 2)
        (y, x) from r = 0 [pixels].
    """
    middle = maps.shape[1] // 2
    axis = torch.arange(-middle, middle + 1, device=maps.device)
    y, x = axis[:, None], axis[None]
    one = (x > 0) | ((x == 0) & (y > 0))
    counted = one & (y**2 + x**2 > (_ORIGIN * radius[:, None, None]) ** 2)
    highest = torch.where(counted & (maps == max3(maps)), maps, _NOWHERE)
    heights, index = top(highest.flatten(1), count)
    side = maps.shape[2]
    return heights, torch.stack([index // side - middle, index % side - middle], 2)


def looked_up(maps: Tensor, differences: Tensor) -> Tensor:
    """Return the values of maps (B, h, h) at vectors (B, …, 2); -1 outside."""
    side = maps.shape[1]
    middle = side // 2
    inside = (differences.abs() <= middle).all(-1)
    place = differences.clamp(-middle, middle) + middle
    index = place[..., 0] * side + place[..., 1]
    found = maps.flatten(1).gather(1, index.flatten(1)).view(index.shape)
    return torch.where(inside, found, _NOWHERE)


def chains(
    maps: Tensor, vectors: Tensor, radius: Tensor, starts: int, steps: int
) -> tuple[Tensor, Tensor]:
    """Build a structure from each of the highest peaks, from places that are peaks themselves.

    The first body is at 0, the second at the peak; every further one at the place that all the
    bodies before it see best.

    Returns
    -------
    heights : Tensor, (B, starts, steps)
        What the worst of them sees there.
    places : Tensor of int, (B, starts, steps + 2, 2)
        (y, x) of the bodies [pixels].
    """
    nodes = torch.cat([torch.zeros_like(vectors[:, :1]), vectors, -vectors], 1)
    apart = nodes[:, :, None] - nodes[:, None]
    seen = looked_up(max3(maps), apart)
    near = (apart**2).sum(-1) < (_APART * radius[:, None, None]) ** 2
    seen = torch.where(near, _NOWHERE, seen)
    count = seen.shape[1]
    last = torch.arange(1, starts + 1, device=maps.device).expand(len(maps), starts)
    least = seen[:, :1].expand(-1, starts, -1)
    heights, chosen = [], [torch.zeros_like(last), last]
    for _ in range(steps):
        row = seen.gather(1, last[:, :, None].expand(-1, -1, count))
        least = torch.minimum(least, row)
        height, last = least.max(2)
        heights.append(height)
        chosen.append(last)
    index = torch.stack(chosen, 2).flatten(1)
    places = nodes.gather(1, index[:, :, None].expand(-1, -1, 2))
    return torch.stack(heights, 2), places.view(len(maps), starts, steps + 2, 2)


def structure(map_: Tensor, chain: Tensor, heights: Tensor, radius: float, count: int) -> Tensor:
    """Return the places that most bodies of one chain see, rows (height, y, x), (count, 3).

    All of the map is searched, not only its peaks. Of many bodies the lowest view may be spoiled by
    the side lobes of a stronger peak, so the second or third lowest counts.
    """
    middle = map_.shape[0] // 2
    good = int((heights > _LOWEST * heights[0]).sum().clamp(min=1))
    bodies = chain[: 2 + min(good, _VIEWS - 2)]
    low = (bodies.amax(0) - middle).clamp(min=-middle).tolist()
    high = (bodies.amin(0) + middle).clamp(max=middle).tolist()
    size = [h - first + 1 for first, h in zip(low, high, strict=True)]
    lowest: list[Tensor] = []
    level = 0 if len(bodies) <= 4 else 1 if len(bodies) <= 8 else 2
    for y, x in bodies.tolist():
        top_, left = low[0] - y + middle, low[1] - x + middle
        view = map_[top_ : top_ + size[0], left : left + size[1]]
        for i, before in enumerate(lowest):
            lowest[i], view = torch.minimum(before, view), torch.maximum(before, view)
        if len(lowest) <= level:
            lowest.append(view)
    found, places = separate(lowest[level][None], count, _CLEAR * map_.new_tensor([radius]))
    return torch.cat([found[0, :, None], places[0] + map_.new_tensor(low)], 1)


def separate(maps: Tensor, count: int, distance: Tensor) -> tuple[Tensor, Tensor]:
    """Return local maxima of maps (B, h, w) that are the highest within a `distance` (B,) [pixels].

    Returns
    -------
    heights : Tensor, (B, count)
        Descending; -1 where there are fewer.
    places : Tensor, (B, count, 2)
        (y, x) [pixels].
    """
    inner = torch.zeros_like(maps[0], dtype=torch.bool)
    inner[1:-1, 1:-1] = True
    highest = torch.where(inner & (maps == max3(maps)), maps, _NOWHERE)
    heights, index = top(highest.flatten(1), 2 * count)
    places = torch.stack([index // maps.shape[2], index % maps.shape[2]], 2).float()
    near = torch.cdist(places, places) < distance[:, None, None]
    second = (near & torch.ones_like(near).tril(-1)).any(2)
    heights, order = top(torch.where(second, _NOWHERE, heights), count)
    return heights, places.gather(1, order[:, :, None].expand(-1, -1, 2))
