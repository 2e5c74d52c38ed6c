from __future__ import annotations

import concurrent.futures
import importlib
import json
import os
import subprocess
import sys
import textwrap
import threading
import warnings
from pathlib import Path

import pytest

from speckle_core import (
    AmbiguousComponentError,
    Component,
    MissingDependencyError,
    OptionError,
    PluginError,
    PluginManager,
    UnknownComponentError,
    create,
    hookimpl,
)
from speckle_core.plugins.isolation import isolated
from speckle_core.plugins.records import PluginWarning
from tests.plugins.fakes import BROKEN, GOOD, distribution


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on sys.path to install fake distributions in."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("SPECKLE_PLUGINS", raising=False)
    before = set(sys.modules)
    importlib.invalidate_caches()
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def manager(**settings: object) -> PluginManager:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = PluginManager(**settings)
        made.components()
    return made


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_recorded_and_costs_only_itself(kind: str, site: Path) -> None:
    source, cause = BROKEN[kind]
    distribution(site, "broken-thing", source, version="0.7")
    distribution(site, "good-thing", GOOD)

    found = manager()

    (failure,) = [f for f in found.failures if f.provider.distribution == "broken-thing"]
    assert (failure.provider.plugin, failure.provider.version) == ("broken-thing", "0.7")
    assert cause in failure.cause
    assert found.find("preprocessor", "root").provider.distribution == "good-thing"
    assert found.find("sampler", "monodisperse").provider.distribution == "speckle-core"
    assert not any(r.provider.distribution == "broken-thing" for r in found.components())


def test_a_broken_plugin_warns_in_one_line(site: Path) -> None:
    distribution(site, "broken-thing", "raise ImportError('first\\nsecond')")
    with pytest.warns(UserWarning, match="broken-thing==1.0") as caught:
        PluginManager().components()
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)


def test_what_a_plugin_prints_at_import_does_not_reach_stdout(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    distribution(
        site,
        "chatty",
        "print('hello')\n" + "\n".join(line.removeprefix("    ") for line in GOOD.splitlines()),
    )
    assert manager().find("preprocessor", "root")
    assert capsys.readouterr().out == ""


def test_a_slow_component_is_not_imported_to_be_listed(site: Path) -> None:
    (site / "slow_part.py").write_text("import time\ntime.sleep(30)\nclass Slow: ...\n")
    distribution(
        site,
        "slow",
        """
        from speckle_core import Component, hookimpl
        @hookimpl
        def speckle_samplers():
            return [Component("slow", "slow_part:Slow", "Sleeps when imported.")]
        """,
    )
    assert manager().find("sampler", "slow")
    assert "slow_part" not in sys.modules


def test_two_components_of_one_name_clash_only_when_that_name_is_used(site: Path) -> None:
    distribution(site, "first-thing", GOOD, version="1.1")
    distribution(site, "second-thing", GOOD, version="2.2")
    found = manager()

    assert found.create("preprocessor", "standardize")
    with pytest.raises(AmbiguousComponentError) as caught:
        found.create("preprocessor", "root")
    for text in ("first-thing==1.1", "second-thing==2.2", "'second-thing/root'"):
        assert text in str(caught.value)
    made = found.create("preprocessor", "second-thing/root")
    assert type(made).__module__ == "second_thing_plugin"
    assert found.recipe("preprocessor", made)["name"] == "second-thing/root"


def test_two_distributions_may_use_one_entry_point_name(site: Path) -> None:
    distribution(site, "first-thing", GOOD, entry="optics")
    distribution(site, "second-thing", GOOD.replace('"root"', '"other-root"'), entry="optics")
    found = manager()
    assert found.find("preprocessor", "root").provider.distribution == "first-thing"
    assert found.find("preprocessor", "other-root").provider.distribution == "second-thing"
    assert not [f for f in found.failures if f.provider.plugin == "optics"]


def test_an_unknown_name_is_answered_with_the_nearest_and_with_what_was_left_out(
    site: Path,
) -> None:
    distribution(site, "broken-thing", "raise ImportError('no such thing')")
    with pytest.raises(UnknownComponentError) as caught:
        manager().create("sampler", "monodispers")
    assert "Did you mean 'monodisperse'" in str(caught.value)
    assert "broken-thing==1.0" in str(caught.value)


def test_a_missing_package_is_answered_with_the_line_to_install_it(site: Path) -> None:
    distribution(
        site,
        "needy",
        """
        import attrs
        from speckle_core import Component, hookimpl
        @attrs.frozen(kw_only=True)
        class Needy:
            size: int = 1
        @hookimpl
        def speckle_classifiers():
            yield Component("needy", Needy, "Needs.", requires=("no_such_pkg",), extra="gpu")
        """,
    )
    with pytest.raises(MissingDependencyError) as caught:
        manager().create("classifier", "needy")
    assert "needs no_such_pkg" in str(caught.value)
    assert "pip install 'needy[gpu]'" in str(caught.value)


def test_a_component_whose_module_is_broken_is_a_plugin_error_naming_its_provider(
    site: Path,
) -> None:
    distribution(
        site,
        "hollow",
        """
        from speckle_core import Component, hookimpl
        @hookimpl
        def speckle_samplers():
            yield Component("hollow", "no_such_module:Thing", "Points nowhere.")
        """,
        version="3.0",
    )
    with pytest.raises(PluginError, match=r"hollow==3\.0") as caught:
        manager().create("sampler", "hollow")
    assert "no_such_module" in str(caught.value)


@pytest.mark.parametrize(("value", "expected"), [("good-thing", {"root"}), ("", set())])
def test_the_environment_variable_allows_only_what_it_names(
    value: str, expected: set[str], site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(site, "good-thing", GOOD)
    module = distribution(site, "other-thing", GOOD.replace('"root"', '"other-root"'))
    monkeypatch.setenv("SPECKLE_PLUGINS", value)
    assert {r.component.name for r in manager().components()} == expected
    assert module not in sys.modules


def test_a_plugin_named_in_the_environment_but_not_installed_is_a_failure(site: Path) -> None:
    (failure,) = manager(allow=["nobody"]).failures
    assert failure.provider.plugin == "nobody"


def test_a_plugin_of_this_process_is_kept_whole_or_not_at_all(site: Path) -> None:
    class Half:
        @hookimpl
        def speckle_samplers(self):
            yield Component("half-sampler", dict, "Would be fine.")

        @hookimpl
        def speckle_scatterers(self, oops):
            return []

    found = manager()
    before = found.components()
    with pytest.raises(PluginError):
        found.register(Half(), "half")
    assert found.components() == before


def test_a_plugin_whose_second_hook_raises_leaves_nothing_and_may_come_back_repaired() -> None:
    class Repairable:
        broken = True

        @hookimpl
        def speckle_samplers(self):
            return [Component("early", "mine:Early", "Given before the fault.")]

        @hookimpl
        def speckle_scatterers(self):
            if self.broken:
                raise RuntimeError("not yet")
            return [Component("late", "mine:Late", "Given once it is repaired.")]

    found = manager()
    before = found.components()
    plugin = Repairable()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not yet"):
            found.register(plugin, "repairable")
        assert found.components() == before
        with pytest.raises(UnknownComponentError):
            found.find("sampler", "early")

    plugin.broken = False
    found.register(plugin, "repairable")
    new = [r.component.name for r in found.components() if r not in before]
    assert sorted(new) == ["early", "late"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"radus": 3.0}, "Did you mean 'radius'?"),
        ({"radius": "wide"}, "'wide' is not a number or none"),
        ({"radius": True}, "True is not a number or none"),
        ({"radius": float("nan")}, "nan is not a number or none"),
        ({"exclusion": "owm"}, "Did you mean 'own'?"),
    ],
)
def test_a_wrong_option_is_named_with_what_would_be_right(options: dict, text: str) -> None:
    with pytest.raises(OptionError) as caught:
        manager().create("sampler", "monodisperse", options)
    assert text in str(caught.value)


def test_listing_imports_no_framework() -> None:
    code = (
        "import sys, json; from speckle_core import plugin_manager; plugin_manager().components();"
        "print(json.dumps(sorted(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    heavy = {"torch", "tensorflow", "keras", "sklearn", "matplotlib", "h5py", "skops"}
    assert not heavy & set(json.loads(out))


@pytest.mark.parametrize(
    "left_out",
    [
        "disks",
        "scatter",
        "prepare",
        "baselines",
        "torch",
        "keras",
        "explain",
        "readers",
        "detectors",
    ],
)
def test_the_core_works_without_any_one_of_its_built_in_plugins(left_out: str) -> None:
    everything = ["disks", "scatter", "prepare", "baselines", "torch", "keras", "explain"]
    everything += ["readers", "detectors"]
    kept = [name for name in everything if name != left_out]
    code = (
        "from speckle_core import plugin_manager as p, Experiment; "
        "from speckle_core.experiment.presets import presets; "
        "[Experiment.load(n) for n in presets()]; "
        "print(len(p().components()) > 0, p().failures)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"SPECKLE_PLUGINS": ",".join(kept)},
    )
    assert out.stdout == "True ()\n"


class Root:
    def __init__(self, *, power: float = 0.5, label_of: str = "x") -> None:
        self.power, self.label_of = power, label_of


class RootPlugin:
    @hookimpl
    def speckle_preprocessors(self):
        return [Component("root", Root, "A power of the intensity.")]


def test_the_recipe_of_a_component_makes_it_again() -> None:
    found = manager(entry_points=tuple)
    found.register(RootPlugin(), "one")
    recipe = found.recipe("preprocessor", Root(power=0.25))
    assert recipe == {"name": "root", "power": 0.25, "label_of": "x"}
    again = found.create("preprocessor", recipe.pop("name"), recipe)
    assert (type(again), again.power) == (Root, 0.25)


def test_a_recipe_names_the_distribution_only_where_a_name_is_ambiguous() -> None:
    class Other:
        @hookimpl
        def speckle_preprocessors(self):
            return [Component("root", "somewhere:Else", "Another one.")]

        @hookimpl
        def speckle_samplers(self):
            return [Component("root", Root, "The same class in another role.")]

    found = manager(entry_points=tuple)
    found.register(RootPlugin(), "one")
    found.register(Other(), "two")
    assert found.recipe("preprocessor", Root())["name"] == "in-process/root"
    assert found.recipe("sampler", Root())["name"] == "root"


def test_an_object_that_no_plugin_offers_has_no_recipe() -> None:
    with pytest.raises(UnknownComponentError, match="Path") as refused:
        manager(entry_points=tuple).recipe("sampler", Path("x"))
    assert "register" in str(refused.value)


def test_a_plugin_left_out_is_warned_of_by_a_category_of_its_own(site: Path) -> None:
    distribution(site, "broken-thing", "SPECKLE_API = 99")
    with pytest.warns(PluginWarning, match="broken-thing") as caught:
        PluginManager().components()
    (failure,) = [f for f in manager().failures if "broken" in str(f.provider)]
    assert failure.cause in str(caught[0].message)
    assert not failure.cause.startswith("PluginError")


def test_a_name_is_looked_for_in_its_role_alone() -> None:
    assert type(create("sampler", "monodisperse", radius=90.0)).__name__ == "Monodisperse"
    with pytest.raises(UnknownComponentError):
        create("scatterer", "monodisperse")


def test_threads_that_ask_at_once_all_see_every_plugin(site: Path) -> None:
    distribution(site, "slow-thing", f"import time; time.sleep(0.05)\n{textwrap.dedent(GOOD)}")
    found = PluginManager(allow=("slow-thing",))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(found.find, "preprocessor", "root") for _ in range(4)]
    assert {task.result().component.name for task in asked} == {"root"}


def test_output_is_back_after_two_threads_ran_plugins_code(capfd: pytest.CaptureFixture) -> None:
    entered, left = threading.Event(), threading.Event()

    def first() -> None:
        with isolated():
            entered.set()
            left.wait(0.05)

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait()
    with isolated():
        left.set()
        thread.join()
    os.write(1, b"heard")
    assert capfd.readouterr().out == "heard"
