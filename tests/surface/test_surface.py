from __future__ import annotations

import pytest

import speckle_core
from tests.surface import surface as s


def test_what_plugins_rely_on_is_as_it_was_frozen() -> None:
    path = s.stored(speckle_core.API_VERSION)
    assert path.exists(), "API_VERSION is new; run: python tests/surface/surface.py"
    advice = s.advice(path.read_text("utf-8").splitlines(), s.surface())
    assert not advice, advice


def test_every_hook_role_and_optional_power_is_frozen() -> None:
    text = "\n".join(s.surface())
    for role, hook in speckle_core.plugins.hookspecs.HOOKS.items():
        assert f"  {hook}() -> Iterable[Component]" in text
        assert f"\n  {role.capitalize()}." in text
    for power in [name for name in speckle_core.__all__ if name.startswith("Supports")]:
        assert f"\n  {power}." in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Sampler.sample(count: int, rng: np.random.Generator)", "Sampler.sample(count: int)"),
        ("  Explainer.explain(", "  Explainer.explained("),
        ("speckle_samplers()", "speckle_samplers(box: float)"),
        ("Component(extra: str | None = None, by keyword)", "Component(extra: str | None = None)"),
        ("\n  create\n", "\n"),
    ],
)
def test_a_break_asks_for_a_new_version_of_the_api(old: str, new: str) -> None:
    before = "\n".join(s.surface())
    assert old in before
    advice = s.advice(before.splitlines(), before.replace(old, new).splitlines())
    assert "raise API_VERSION" in advice
    assert "python tests/surface/surface.py" in advice
    assert f"- {old.strip().split('(')[0]}" in advice


def test_one_more_method_of_a_role_is_a_break_too() -> None:
    before = [line for line in s.surface() if "Classifier.load" not in line]
    assert "raise API_VERSION" in s.advice(before, s.surface())


def test_a_new_role_is_an_addition() -> None:
    before = [line for line in s.surface() if "Solver." not in line]
    assert "API_VERSION" not in s.advice(before, s.surface())


def test_an_addition_asks_for_a_line_in_the_changelog_only() -> None:
    before = [line for line in s.surface() if "SupportsGradients" not in line]
    advice = s.advice(before, s.surface())
    assert "CHANGELOG.md" in advice
    assert "API_VERSION" not in advice


def test_the_script_does_not_take_away_what_is_frozen(
    tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s, "FOLDER", tmp_path)
    frozen = s.stored(speckle_core.API_VERSION)
    s.main()
    assert frozen.read_text("utf-8").splitlines() == s.surface()
    more = frozen.read_text("utf-8") + "  a_name_that_is_gone\n"
    frozen.write_text(more, "utf-8")
    with pytest.raises(SystemExit, match=r"(?s)a_name_that_is_gone.*raise API_VERSION"):
        s.main()
    assert frozen.read_text("utf-8") == more
