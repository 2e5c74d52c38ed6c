"""Closed-form 95 % confidence intervals of a proportion and of a paired difference."""

from __future__ import annotations

import math

Interval = tuple[float, float]

_Z = 1.959964  # the normal distribution's 97.5 % point: two-sided 95 %


def wilson(successes: float, total: int) -> Interval:
    """Return the 95 % Wilson score interval of a proportion.

    E. B. Wilson, J. Am. Stat. Assoc. 22, 209 (1927); recommended for small samples and proportions
    near 0 or 1 by Brown, Cai and DasGupta, Stat. Sci. 16, 101 (2001).
    """
    p, z2 = successes / total, _Z**2
    middle = p + z2 / (2 * total)
    half = _Z * math.sqrt(p * (1 - p) / total + z2 / (4 * total**2))
    scale = 1 + z2 / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def paired_interval(both: int, first: int, second: int, neither: int) -> Interval:
    """Return the 95 % interval of the difference of two proportions on the same patterns.

    Method 10 of R. G. Newcombe, Stat. Med. 17, 2635 (1998): combines the Wilson intervals of both
    with their correlation. Unlike McNemar's test it gives the size of the difference.

    Parameters
    ----------
    both, first, second, neither : int
        Numbers of patterns that both classify correctly, only the first, only the second, neither.
    """
    total = both + first + second + neither
    p, q = (both + first) / total, (both + second) / total
    p_low, p_high = wilson(both + first, total)
    q_low, q_high = wilson(both + second, total)
    product = (both + first) * (second + neither) * (both + second) * (first + neither)
    excess = float(both * neither - first * second)
    if excess > 0:
        excess = max(excess - total / 2, 0.0)
    phi = excess / math.sqrt(product) if product else 0.0

    def joined(a: float, b: float) -> float:
        return math.sqrt(max(a * a - 2 * phi * a * b + b * b, 0.0))

    low = p - q - joined(p - p_low, q_high - q)
    high = p - q + joined(p_high - p, q - q_low)
    return max(low, -1.0), min(high, 1.0)
