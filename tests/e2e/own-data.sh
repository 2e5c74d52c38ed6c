# A data loop of one's own: a plan, the data, whether they are whole, a training, a judgement.
set -euo pipefail
speckle run "$EXPERIMENT" --dry-run
speckle generate "$EXPERIMENT" --output data --workers 1
speckle verify data
speckle audit data
speckle train "$EXPERIMENT" --data data --output model
speckle generate "$EXPERIMENT" --output other --workers 1 --set seed=8
speckle evaluate model --data other --split all --output judged
python - <<'PYTHON'
from sklearn.linear_model import LogisticRegression

from speckle_core import Experiment, Pipeline, load_data

data = load_data("data")
steps = Experiment.load("quickstart").build(only=("prepare",)).prepare
mine = Pipeline(grid=data.grid, prepare=steps, classifier=LogisticRegression(max_iter=500))
_, test = mine.fit(data.patterns(), seed=1)
print("my own reads", round(mine.evaluate(test)["classifier"].accuracy, 3))
PYTHON
