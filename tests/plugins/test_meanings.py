from __future__ import annotations

import pytest

from speckle_core.plugins.component import options_of
from speckle_core.plugins.manager import plugin_manager
from speckle_core.plugins.meanings import meanings_of


class Base:
    """A base.

    Parameters
    ----------
    box : float
        Side of the box
        [length].
    low, high : float
        Bounds.
    """


class Own(Base):
    """Its own.

    Parameters
    ----------
    seed : int
        Decides all.

    Notes
    -----
    box
        Not an option's meaning.
    """


def test_meanings_are_those_of_the_docstring_and_of_its_bases() -> None:
    assert meanings_of(Own) == {
        "box": "Side of the box [length].",
        "low": "Bounds.",
        "high": "Bounds.",
        "seed": "Decides all.",
    }
    assert meanings_of(type("Bare", (), {})) == {}


@pytest.mark.parametrize(
    "entry", plugin_manager().components(), ids=lambda e: f"{e.role}-{e.component.name}"
)
def test_every_option_of_every_built_in_component_says_what_it_means(entry) -> None:
    if entry.provider.distribution != "speckle-core":
        pytest.skip("not ours")
    if entry.component.name.startswith("keras"):
        pytest.skip("its options are those of the network in PyTorch")
    factory = plugin_manager().factory(entry.role, entry.qualified)
    told = meanings_of(factory)
    assert [o.name for o in options_of(factory) if not told.get(o.name)] == []
