"""The import contracts of pyproject.toml catch what they are for: each is broken once, in a copy.

That the code itself keeps them is checked by ``make lint``. About 4 s.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

LAYERS = "Packages stand on the packages below them"
#: Contract, file, and the line added there that breaks it.
VIOLATIONS = [
    ("Only the command line imports typer", "speckle_core/models/train.py", "import typer"),
    (
        "Built-in plugins use the public names of speckle_core, as any plugin must",
        "plugins/speckle_disks/disks.py",
        "from speckle_core.data.dataset import Dataset",
    ),
    (
        "No circles",
        "speckle_core/contracts/arrays.py",
        "from speckle_core.contracts.geometry import Configuration",
    ),
    (LAYERS, "speckle_core/analysis/azimuthal.py", "from speckle_core.plugins import records"),
    (LAYERS, "speckle_core/in_no_layer.py", ""),
    ("The core imports no plugin", "speckle_core/files.py", "import speckle_disks.plugin"),
    (
        "Plugins know one another only through the core",
        "plugins/speckle_explain/saliency.py",
        "import speckle_baselines",
    ),
    (
        "What networks share depends on none of them, nor on a framework",
        "plugins/speckle_networks/framework.py",
        "import speckle_resnet.architecture",
    ),
    (
        "What two networks share depends on neither, nor on a framework",
        "plugins/speckle_resnet/architecture.py",
        "import torch",
    ),
    (
        "The core imports no machine-learning framework",
        "speckle_core/data/generate.py",
        "import tensorflow",
    ),
]


def broken(copy: Path) -> list[str]:
    """Return the contracts that import-linter finds broken in a copy."""
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", script, "--no-cache"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{copy / 'plugins'}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^(.+?) (KEPT|BROKEN)\b", done.stdout, flags=re.MULTILINE)
    assert len(found) == 9, done.stdout + done.stderr
    return [contract for contract, state in found if state == "BROKEN"]


def test_every_import_contract_catches_its_violation(tmp_path: Path) -> None:
    for name in ("speckle_core", "plugins"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert broken(tmp_path) == []

    for contract, place, line in VIOLATIONS:
        file = tmp_path / place
        before = file.read_text("utf-8") if file.exists() else None
        file.write_text(f"{before or ''}\n{line}\n", "utf-8")
        assert contract in broken(tmp_path), place
        file.unlink() if before is None else file.write_text(before, "utf-8")


def test_what_reads_one_pattern_does_not_import_what_few_patterns_need() -> None:
    modules = (
        "speckle_core.models.trained, speckle_core.data.measured, speckle_baselines.radial_lda"
    )
    script = f"""if True:
        import sys, {modules}
        assert "scipy" not in sys.modules
        import speckle_specklenet.evidence
        assert not {{"scipy.optimize", "scipy.ndimage"}} & set(sys.modules)
        """
    subprocess.run([sys.executable, "-c", script], check=True)
