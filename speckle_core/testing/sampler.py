"""What a sampler is held to: n bodies in the box, apart, drawn from its rng and nothing else."""

# ruff: noqa: D401 - a check's docstring is the demand it makes, as users are shown it

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

#: Bodies asked for, from the paper's largest number down, until they can be placed.
_COUNTS = (20, 10, 5, 3, 2, 1)
#: Configurations looked at for what shows only now and then.
_DRAWS = 8


def _draw(sampler: Sampler, count: int, seed: int) -> Configuration:
    found = sampler.sample(count, np.random.default_rng(seed))
    require(isinstance(found, Configuration), f"sample gave {type(found).__name__}")
    return found


def _most(subject: Subject) -> int:
    """Return the largest of `_COUNTS` that the sampler can place in every draw."""
    if "count" not in subject.kept:
        subject.kept["count"] = next((n for n in _COUNTS if _places(subject.make(), n)), 0)
    count: int = subject.kept["count"]
    require(count, "not a single body can be placed")
    return count


def _places(sampler: Sampler, count: int) -> bool:
    try:
        for seed in range(_DRAWS):
            _draw(sampler, count, seed)
    except PackingError:
        return False
    return True


def _content(configuration: Configuration) -> list[NDArray[np.generic]]:
    """Return all that tells two configurations apart, whatever the shapes."""
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
    sampler, count = subject.make(), _most(subject)
    first = _draw(sampler, count, 5)
    require(_same(first, _draw(sampler, count, 5)), "a second call gave another configuration")
    again = _draw(subject.make(), count, 5)
    require(_same(first, again), "a new sampler gave another configuration")


def other_rng_other_configuration(subject: Subject) -> None:
    """Another rng gives another configuration."""
    sampler, count = subject.make(), _most(subject)
    require(
        not _same(_draw(sampler, count, 5), _draw(sampler, count, 6)),
        "two seeds gave one configuration",
    )


def the_count_asked_for(subject: Subject) -> None:
    """A configuration holds exactly as many bodies as were asked for."""
    sampler, most = subject.make(), _most(subject)
    for count in sorted({min(c, most) for c in (1, 2, 3, 7, 20)}):
        found = len(_draw(sampler, count, count))
        require(found == count, f"{count} bodies were asked for, {found} came")


def inside_the_box(subject: Subject) -> None:
    """No body reaches out of the box."""
    for configuration in _several(subject):
        for particles, i in _bodies(configuration):
            require(
                not reaches_outside(particles, i, configuration.box),
                f"a body about {particles.centers[i]} reaches out of the box of side "
                f"{configuration.box:g}",
            )


def no_overlap(subject: Subject) -> None:
    """No two bodies lie on one another."""
    for configuration in _several(subject):
        for (first, i), (second, j) in itertools.combinations(_bodies(configuration), 2):
            require(
                not overlap(first, i, second, j),
                f"the bodies about {first.centers[i]} and {second.centers[j]} overlap",
            )


def global_random_state_untouched(subject: Subject) -> None:
    """Neither numpy's nor Python's global random state is used."""
    sampler, count = subject.make(), _most(subject)
    # The legacy state is what is looked at, not drawn from.
    numpys = np.random.get_state(legacy=False)  # noqa: NPY002
    pythons = random.getstate()
    _draw(sampler, count, 0)
    now = np.random.get_state(legacy=False)  # noqa: NPY002
    require(str(numpys) == str(now) and _keys(numpys) == _keys(now), "numpy's state has changed")
    require(pythons == random.getstate(), "the state of Python's random has changed")


def _keys(state: object) -> bytes:
    assert isinstance(state, dict)
    return bytes(np.asarray(state["state"]["key"]).tobytes())


def _several(subject: Subject) -> list[Configuration]:
    sampler, count = subject.make(), _most(subject)
    return [_draw(sampler, count, seed) for seed in range(_DRAWS)]


def _bodies(configuration: Configuration) -> list[tuple[Particles, int]]:
    return [(p, i) for p in configuration.particles for i in range(len(p))]


def _sampled(subject: Subject) -> tuple[Particles, ...]:
    return _draw(subject.make(), _most(subject), 0).particles


CHECKS = (
    Check("sampler.same-rng-same-configuration", same_rng_same_configuration),
    Check("sampler.other-rng-other-configuration", other_rng_other_configuration),
    Check("sampler.the-count-asked-for", the_count_asked_for),
    Check("sampler.inside-the-box", inside_the_box),
    Check("sampler.no-overlap", no_overlap),
    Check("sampler.global-random-state-untouched", global_random_state_untouched),
    *particle_checks(_sampled),
)
