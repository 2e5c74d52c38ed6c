"""What is found of the distributions on the path, in folders made for it."""

import pytest

from speckle_core import KGrid
from speckle_core.errors import ExperimentError
from speckle_core.plugins.discovery import ALLOW, allowed, owner_of, provider_of, scan


def distribution(site, folder, entry_points, metadata="Name: some-package\nVersion: 2.0\n"):
    info = site / folder
    info.mkdir(parents=True)
    (info / "METADATA").write_text(metadata)
    (info / "entry_points.txt").write_bytes(entry_points)


def ours(site):
    """Return the entry points and the damaged distributions below `site`."""
    found, damaged = scan()
    return [e for e in found if str(site) in str(e.dist._path)], damaged


def test_what_comes_first_on_the_path_hides_what_comes_later(tmp_path, monkeypatch):
    for site, folder, module in (
        ("second", "some_package-1.0.dist-info", b"old"),
        ("first", "Some_Package-2.0.dist-info", b"new"),
    ):
        distribution(tmp_path / site, folder, b"[speckle.plugins]\ntwin = " + module + b"\n")
        monkeypatch.syspath_prepend(tmp_path / site)
    (entry,), _ = ours(tmp_path)
    assert (entry.name, entry.value) == ("twin", "new")
    provider = provider_of(entry)
    assert (provider.distribution, provider.version) == ("some-package", "2.0")


def test_a_damaged_distribution_is_told_and_hides_no_other(tmp_path, monkeypatch):
    distribution(tmp_path, "broken_one-1.0.dist-info", b"[speckle.plugins]\n\xff\xfe = x\n")
    distribution(tmp_path, "large_one-1.0.dist-info", b"#" * (2**20 + 1))
    distribution(tmp_path, "whole_one-1.0.dist-info", b"[speckle.plugins]\nwhole = there\n", "")
    monkeypatch.syspath_prepend(tmp_path)
    (entry,), damaged = ours(tmp_path)
    assert entry.name == "whole"
    # Without METADATA the folder's name says whose it is.
    assert (provider_of(entry).distribution, provider_of(entry).version) == ("whole_one", "?")
    told = {failure.provider.distribution: failure.cause for failure in damaged}
    assert told.keys() == {"broken_one", "large_one"}
    assert all("entry_points.txt cannot be read" in cause for cause in told.values())
    assert "not a small regular file" in told["large_one"]


@pytest.mark.parametrize(
    ("names", "found"), [(" disks, scatter,,", {"disks", "scatter"}), ("", set()), (None, None)]
)
def test_plugins_that_the_environment_allows_stand_between_commas(names, found, monkeypatch):
    if names is None:
        monkeypatch.delenv(ALLOW, raising=False)
    else:
        monkeypatch.setenv(ALLOW, names)
    assert allowed() == found


def test_the_innermost_frame_of_a_plugin_owns_an_error(tmp_path, monkeypatch):
    (tmp_path / "owned_module.py").write_text("def fail(inner):\n    inner()\n")
    distribution(tmp_path, "some_package-2.0.dist-info", b"[speckle.plugins]\none = owned_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    import owned_module

    def owner(function, *arguments):
        with pytest.raises((ZeroDivisionError, ExperimentError)) as caught:
            function(*arguments)
        return owner_of(caught.value.__traceback__)

    assert owner(owned_module.fail, lambda: 1 / 0) == "some-package 2.0"
    # The plugin called us.
    assert owner(owned_module.fail, lambda: KGrid.centered(-1, 1.0)).startswith("speckle-core ")
    assert owner(lambda: 1 / 0).startswith("speckle-core ")
