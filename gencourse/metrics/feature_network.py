"""The network through whose eyes generated images are compared with real ones."""

import functools

import keras
import numpy as np

from gencourse import weights
from gencourse.guard import check_images

JUDGE_FEATURES = "features"  # the judge's layer of 64 numbers before its logits


@functools.cache
def judge_features() -> keras.Model:
    """Return the judge's feature network, one for all: digits (n, 28, 28, 1) in [0, 1] → (n, 64).

    Scores with it are not comparable with published ones, which use an Inception network.
    """
    judge = weights.load("judge")
    return keras.Model(judge.input, judge.get_layer(JUDGE_FEATURES).output, name="judge_features")


@functools.cache
def judge_probabilities() -> keras.Model:
    """Return the judge as a network of probabilities, one for all: digits (n, 28, 28, 1) in [0, 1] → (n, 10)."""
    judge = weights.load("judge")
    return keras.Model(judge.input, keras.layers.Softmax(dtype="float32")(judge.output), name="judge_probabilities")


def apply(network: keras.Model, images) -> np.ndarray:
    """Return what a network makes of a batch of images, as float64 (n, d).

    Raises:
        ValueError: the images have another size than the network takes, or leave [0, 1]; or the network's output is
            not one vector an image.
    """
    check_images(images, network.inputs[0].shape[1:])
    if len(network.outputs[0].shape) != 2:
        raise ValueError(f"The network gives {network.outputs[0].shape}; accepted is one vector an image, (n, d).")
    return np.asarray(keras.ops.convert_to_numpy(network.predict_on_batch(np.asarray(images))), "float64")
