"""What the training loop of keras-resnet50 costs beside a bare TensorFlow loop over the same model.

Graphs are made before the clock starts, on both sides. See `paired_loops` for how. Prints one JSON
document::

    python benchmarks/training_loop_keras.py --size 65 --patterns 160 --rounds 7
"""

import os

import numpy as np
from paired_loops import arguments, compare, new_network, pattern_sets, timed

os.environ["KERAS_BACKEND"] = "tensorflow"

from speckle_keras.backend import keras
from speckle_keras.framework import KerasFramework
from speckle_keras.layers import computing_in
from speckle_keras.resnet50 import KerasResNet50
from speckle_networks.training import Training


def main():
    import tensorflow as tf

    given = arguments(__doc__.splitlines()[0])
    framework = KerasFramework.chosen(given.device, given.precision)
    train, nothing = pattern_sets(given)
    options = KerasResNet50(channels=1, epochs=1, batch_size=given.batch_size)

    network = new_network(framework, options, train)
    model, precision = network.model, network.precision
    adam = keras.optimizers.Adam(1e-3)
    adam.build(model.trainable_variables)
    patterns, labels = train.batch(range(len(train)))

    @tf.function(reduce_retracing=True)
    def step(x, y):
        with tf.GradientTape() as tape, computing_in(model.coarse_layers, precision):
            scores = model(x, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(y, scores, from_logits=True)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        decayed = [
            g + 2e-4 * v if len(v.shape) > 1 else g
            for g, v in zip(gradients, model.trainable_variables, strict=True)
        ]
        adam.apply(decayed, model.trainable_variables)
        return loss

    def bare():
        """Train one epoch as anyone would write it."""

        def work():
            order = np.random.default_rng(0).permutation(len(labels))
            for first in range(0, len(order), options.batch_size):
                batch = order[first : first + options.batch_size]
                step(tf.constant(patterns[batch]), tf.constant(labels[batch]))

        return timed(work)

    other = new_network(framework, options, train)
    with framework.training(other, options, 0, None) as trainer:

        def ours():
            """Train one epoch with the classifier's own loop."""
            training = Training(options, other, trainer, train, nothing, seed=0)
            return timed(lambda: training.run(None, None))

        compare(
            ours,
            bare,
            given,
            precision=precision,
            device=framework.device,
            threads=tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count(),
            tensorflow=tf.__version__,
            keras=keras.__version__,
        )


if __name__ == "__main__":
    main()
