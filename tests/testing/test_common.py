"""Each check that all roles share passes a good component and fails one that is broken just so."""

import importlib.metadata
from typing import Any, Literal

import attrs
import pytest

from speckle_core import Component, MissingDependencyError, OptionError, PluginError
from speckle_core.testing import CheckFailed, CheckSkipped, checks_for


@attrs.frozen(kw_only=True)
class Root:
    """A good preprocessor with options of every kind."""

    power: float = 0.5
    times: int = 1
    mirrored: bool = False
    mode: Literal["plain", "fancy"] = "plain"
    title: str = ""
    floor: float | None = None
    _learned: Any = attrs.field(init=False, default=None, repr=False)

    def __call__(self, patterns, grid):
        return patterns**self.power


@attrs.frozen(kw_only=True)
class Demanding(Root):
    exponent: float


class Unfinished:
    def prepare(self, patterns):
        return patterns


class WithoutGrid:
    def __call__(self, patterns):
        return patterns


class NeedsMore:
    def __call__(self, patterns, grid, mask):
        return patterns


class Positional:
    def __init__(self, power=0.5):
        self.power = power

    def __call__(self, patterns, grid):
        return patterns


class AnyOptions(Positional):
    def __init__(self, **options):
        self.options = options


class TakesName(Positional):
    def __init__(self, *, name: str = "a"):
        self.name = name


class TakesLabel(Positional):
    def __init__(self, *, label: str = "a"):
        self.label = label


class Untyped(Positional):
    def __init__(self, *, power=0.5):
        self.power = power


class WrongDefault(Positional):
    def __init__(self, *, power: float = "half"):
        self.power = power


class Renames(Positional):
    def __init__(self, *, power: float = 0.5):
        self.exponent = power


class Rounds(Positional):
    def __init__(self, *, power: float = 0.5):
        self.power = round(power, 1)


class BareRepr(Positional):
    def __init__(self, *, power: float = 0.5):
        self.power = power


class ForgetfulRepr(BareRepr):
    def __repr__(self):
        return "ForgetfulRepr()"


@attrs.define(kw_only=True)
class ShowsWhatItLearned:
    power: float = 0.5
    mean_: Any = attrs.field(init=False, default=None)

    def __call__(self, patterns, grid):
        return patterns


ALL = "component."
BROKEN = [
    (ALL + "constructible-with-defaults", Demanding, "exponent have no default"),
    (ALL + "fills-its-role", Unfinished, "no method '__call__'"),
    (ALL + "fills-its-role", WithoutGrid, "cannot be called as the role requires"),
    (ALL + "fills-its-role", NeedsMore, "cannot be called as the role requires"),
    (ALL + "options-explicit", Positional, "not keyword-only"),
    (ALL + "options-explicit", AnyOptions, "not keyword-only"),
    (ALL + "options-explicit", TakesName, "a meaning of its own"),
    (ALL + "options-explicit", TakesLabel, "a meaning of its own"),
    (ALL + "options-explicit", Untyped, "'power' has no type hint"),
    (ALL + "options-explicit", WrongDefault, "'half' of 'power' is not a number"),
    (ALL + "constructor-only-stores", Renames, "'power' cannot be read back"),
    (ALL + "constructor-only-stores", Rounds, "'power' was set to 0.123 but is 0.1"),
    (ALL + "repr-round-trips", BareRepr, "cannot be evaluated"),
    (ALL + "repr-round-trips", ForgetfulRepr, "'power' was 0.123, after the repr 0.5"),
    (ALL + "repr-round-trips", ShowsWhatItLearned, "cannot be evaluated"),
]
OPTIONS = {Rounds: {"power": 0.123}, ForgetfulRepr: {"power": 0.123}}
CHECKS = {check.id: check for check in checks_for("preprocessor") if check.id.startswith(ALL)}
LISTING = CHECKS[ALL + "listing-imports-nothing-heavy"]


@pytest.mark.parametrize("check", CHECKS.values(), ids=str)
def test_a_good_component_passes(check):
    check.run(Root)


@pytest.mark.parametrize(("name", "broken", "message"), BROKEN)
def test_a_broken_component_fails_the_check_of_its_fault(name, broken, message):
    with pytest.raises((CheckFailed, PluginError), match=message):
        CHECKS[name].run(broken, options=OPTIONS.get(broken))


def test_every_shared_check_has_been_seen_to_fail():
    assert {name for name, *_ in BROKEN} | {LISTING.id} == set(CHECKS)


def test_every_role_shares_these_checks():
    for role in ("sampler", "scatterer", "classifier", "explainer", "solver", "reader", "detector"):
        assert set(CHECKS) <= {check.id for check in checks_for(role)}


def test_a_repr_that_forgets_options_is_found_out_by_changing_them():
    with pytest.raises(CheckFailed, match=r"'power' was 0.375, after the repr 0.5"):
        CHECKS[ALL + "repr-round-trips"].run(ForgetfulRepr)


def test_an_option_that_is_renamed_is_found_out_without_giving_it():
    with pytest.raises(CheckFailed, match="cannot be read back"):
        CHECKS[ALL + "constructor-only-stores"].run(Renames)


def test_a_required_option_may_be_given():
    CHECKS[ALL + "constructible-with-defaults"].run(Demanding, options={"exponent": 2.0})


def test_an_unknown_option_is_refused_by_name():
    with pytest.raises(OptionError, match="Did you mean 'power'"):
        CHECKS[ALL + "constructible-with-defaults"].run(Root, options={"powr": 2.0})


def test_an_unfitted_classifier_is_not_asked_for_its_classes():
    class Shy:
        @property
        def classes(self):
            raise RuntimeError("not fitted")

        def fit(self, train, valid, *, seed, on_epoch=None): ...
        def predict_proba(self, patterns): ...
        def save(self, folder): ...
        def load(self, folder): ...

    class Classless(Shy):
        classes = property()

    fills = {check.id: check for check in checks_for("classifier")}[ALL + "fills-its-role"]
    fills.run(Shy)
    del Shy.classes
    with pytest.raises(CheckFailed, match="no attribute 'classes'"):
        fills.run(Shy)


def test_what_a_component_requires_and_is_missing_is_named():
    component = Component("root", Root, "Root.", requires=("no_such_package",))
    with pytest.raises(MissingDependencyError, match="'root' needs no_such_package"):
        CHECKS[ALL + "constructible-with-defaults"].run(component)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An importable package whose component module imports a file library at its top."""
    folder = tmp_path / "kit_example"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "step.py").write_text(
        "import h5py\n\n"
        "class Step:\n    def __call__(self, patterns, grid):\n        return patterns\n"
    )
    (folder / "plugin.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def listed_by(monkeypatch, *modules):
    found = [importlib.metadata.EntryPoint("x", m, "speckle.plugins") for m in modules]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found)


def test_a_class_whose_module_imports_a_library_makes_listing_heavy(package):
    from kit_example.step import Step

    with pytest.raises(CheckFailed, match=r"listing it imports h5py[\s\S]*package.module:Class"):
        LISTING.run(Step)
    with pytest.raises(CheckFailed, match="listing it imports h5py"):
        LISTING.run(Component("step", Step, "A step."))


def test_a_path_makes_listing_light_unless_the_listing_itself_imports_a_library(
    package, monkeypatch
):
    component = Component("step", "kit_example.step:Step", "A step.")
    with pytest.raises(CheckSkipped, match="no installed entry point belongs to kit_example"):
        LISTING.run(component)
    listed_by(monkeypatch, "kit_example.plugin", "another.plugin")
    LISTING.run(component)
    (package / "plugin.py").write_text("import h5py\n")
    with pytest.raises(CheckFailed, match="listing it imports h5py"):
        LISTING.run(component)


def test_a_listing_that_cannot_be_imported_fails_with_the_cause(package, monkeypatch):
    listed_by(monkeypatch, "kit_example.plugin")
    (package / "plugin.py").write_text("raise RuntimeError('no licence found')\n")
    with pytest.raises(CheckFailed, match="no licence found"):
        LISTING.run(Component("step", "kit_example.step:Step", "A step."))


def test_a_listing_may_print_what_it_likes(package, monkeypatch):
    listed_by(monkeypatch, "kit_example.plugin")
    (package / "plugin.py").write_text("print('{hello}')\n")
    LISTING.run(Component("step", "kit_example.step:Step", "A step."))
