# One file to an answer: somebody gives me a pattern; what is in it, and can I believe that?
set -euo pipefail
speckle run "$EXPERIMENT" -o run --workers 1
speckle generate "$EXPERIMENT" -o others --workers 1 --set seed=99
python - <<'PYTHON'
import numpy as np
import speckle_core

patterns = speckle_core.load_data("others").patterns()
np.save("mine.npy", patterns.raw([40]))
print("there are", patterns.labels[40])
PYTHON
speckle show mine.npy -o mine.png
speckle moments mine.npy
speckle predict run mine.npy
