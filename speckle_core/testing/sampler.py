"""Checks of samplers: n bodies in the box without overlap, drawn from the given rng only."""

# ruff: noqa: D401 - a check's docstring is its requirement, shown to users

from __future__ import annotations

import itertools
import random

import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.geometry import Configuration, Particles
from speckle_core.contracts.roles import Sampler
from speckle_core.errors import PackingError
from speckle_core.testing.check import Check, Subject, require
from speckle_core.testing.particles import overlap, particle_checks, reaches_outside

#: Numbers of bodies to try, from the paper's largest down, until they can be placed.
_COUNTS = (20, 10, 5, 3, 2, 1)
#: Number of configurations to look at, for rare faults.
_DRAWS = 8


def _draw(sampler: Sampler, count: int, seed: int) -> Configuration:
    found = sampler.sample(count, np.random.default_rng(seed))
    require(isinstance(found, Configuration), f"sample returned {type(found).__name__}")
    return found


def _largest_count(subject: Subject) -> int:
    """Return the largest of `_COUNTS` that the sampler can place in every draw."""
    if "count" not in subject.cache:
        subject.cache["count"] = next((n for n in _COUNTS if _can_place(subject.make(), n)), 0)
    count: int = subject.cache["count"]
    require(count, "not a single body can be placed")
    return count


def _can_place(sampler: Sampler, count: int) -> bool:
    try:
        for seed in range(_DRAWS):
            _draw(sampler, count, seed)
    except PackingError:
        return False
    return True


def _content(configuration: Configuration) -> list[NDArray[np.generic]]:
    """Return everything that distinguishes two configurations, for any shape."""
    k = np.array([0.0, 0.003, -0.011, 0.02])
    found: list[NDArray[np.generic]] = [np.array(configuration.box)]
    for p in configuration.particles:
        found += [np.array(type(p).__qualname__), np.asarray(p.centers), np.asarray(p.contrast)]
        found += [np.asarray(p.bounding_radii), np.asarray(p.form_factors(k, k[::-1]))]
    return found


def _same(first: Configuration, second: Configuration) -> bool:
    a, b = _content(first), _content(second)
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def same_rng_same_configuration(subject: Subject) -> None:
    """The same rng gives the same configuration, again and from a new sampler."""
    sampler, count = subject.make(), _largest_count(subject)
    first = _draw(sampler, count, 5)
    require(_same(first, _draw(sampler, count, 5)), "a second call gave another configuration")
    again = _draw(subject.make(), count, 5)
    require(_same(first, again), "a new sampler gave another configuration")


def other_rng_other_configuration(subject: Subject) -> None:
    """Another rng gives another configuration."""
    sampler, count = subject.make(), _largest_count(subject)
    require(
        not _same(_draw(sampler, count, 5), _draw(sampler, count, 6)),
        "two seeds gave the same configuration",
    )


def the_count_asked_for(subject: Subject) -> None:
    """A configuration contains exactly the requested number of bodies."""
    sampler, most = subject.make(), _largest_count(subject)
    for count in sorted({min(c, most) for c in (1, 2, 3, 7, 20)}):
        found = len(_draw(sampler, count, count))
        require(found == count, f"asked for {count} bodies, got {found}")


def inside_the_box(subject: Subject) -> None:
    """No body extends beyond the box."""
    for configuration in _several(subject):
        for particles, i in _bodies(configuration):
            require(
                not reaches_outside(particles, i, configuration.box),
                f"a body at {particles.centers[i]} extends beyond the box of side "
                f"{configuration.box:g}",
            )


def no_overlap(subject: Subject) -> None:
    """No two bodies overlap."""
    for configuration in _several(subject):
        for (first, i), (second, j) in itertools.combinations(_bodies(configuration), 2):
            require(
                not overlap(first, i, second, j),
                f"the bodies at {first.centers[i]} and {second.centers[j]} overlap",
            )


def global_random_state_untouched(subject: Subject) -> None:
    """The global random states of NumPy and Python are not used."""
    sampler, count = subject.make(), _largest_count(subject)
    of_numpy = np.random.get_state(legacy=False)  # noqa: NPY002
    of_python = random.getstate()
    _draw(sampler, count, 0)
    now = np.random.get_state(legacy=False)  # noqa: NPY002
    require(
        str(of_numpy) == str(now) and _keys(of_numpy) == _keys(now), "NumPy's state has changed"
    )
    require(of_python == random.getstate(), "the state of Python's random has changed")


def _keys(state: object) -> bytes:
    assert isinstance(state, dict)
    return bytes(np.asarray(state["state"]["key"]).tobytes())


def _several(subject: Subject) -> list[Configuration]:
    sampler, count = subject.make(), _largest_count(subject)
    return [_draw(sampler, count, seed) for seed in range(_DRAWS)]


def _bodies(configuration: Configuration) -> list[tuple[Particles, int]]:
    return [(p, i) for p in configuration.particles for i in range(len(p))]


def _sampled(subject: Subject) -> tuple[Particles, ...]:
    return _draw(subject.make(), _largest_count(subject), 0).particles


CHECKS = (
    Check("sampler.same-rng-same-configuration", same_rng_same_configuration),
    Check("sampler.other-rng-other-configuration", other_rng_other_configuration),
    Check("sampler.the-count-asked-for", the_count_asked_for),
    Check("sampler.inside-the-box", inside_the_box),
    Check("sampler.no-overlap", no_overlap),
    Check("sampler.global-random-state-untouched", global_random_state_untouched),
    *particle_checks(_sampled),
)
