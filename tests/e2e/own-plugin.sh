# A plugin of one's own: the package that is written for me holds in all that its role demands.
set -euo pipefail
speckle plugins show monodisperse
speckle plugins new my-step --role preprocessor
cd my-step
python - <<'PYTHON'
import importlib
import sys
from pathlib import Path

from speckle_core.testing import run_checks

sys.path.insert(0, str(Path.cwd()))
(package,) = [path.name for path in Path().iterdir() if (path / "plugin.py").exists()]
(component,) = importlib.import_module(f"{package}.plugin").speckle_preprocessors()
print(sum(result.ok for result in run_checks("preprocessor", component)), "checks hold")
PYTHON
