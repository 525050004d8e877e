"""The PixelRNN: what lies above and to the left of a pixel, remembered by LSTMs."""

import keras
from keras import layers, ops

from gencourse.autoregressive.pixel_model import PixelModel, rows_above
from gencourse.autoregressive.spatial_lstm import DiagonalBiLSTM, RowLSTM
from gencourse.guard import check_whole
from gencourse.layers import MaskedConv2D
from gencourse.layers.pixel_levels import check_levels


def build_row_lstm(levels: int = 2, depth: int = 3, units: int = 16):
    """Return the stem, the recurrent layers and the head of a PixelRNN with row LSTMs.

    Args:
        levels: of a pixel, 2 to 256.
        depth: the number of recurrent layers, at least 1.
        units: of each; the features have twice as many channels.

    Returns:
        stem: a 7x7 convolution with mask "A", images (n, h, w, 1) → features (n, h, w, 2 · units).
        recurrent: the layers, features → features.
        head: two 1x1 convolutions, features → logits (n, h, w, levels).

    Source: van den Oord, Kalchbrenner and Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, table 1.
    """
    return _build(RowLSTM, levels, depth, units)


def build_diagonal_bilstm(levels: int = 2, depth: int = 3, units: int = 16):
    """Return what `build_row_lstm` does, with diagonal BiLSTMs."""
    return _build(DiagonalBiLSTM, levels, depth, units)


def _build(recurrent_layer, levels, depth, units):
    check_levels(levels)
    check_whole(depth, "depth", least=1)
    image = keras.Input((None, None, 1), name="image")
    stem = keras.Model(image, MaskedConv2D(2 * units, 7, "A")(layers.Rescaling(2.0, -1.0)(image)), name="stem")
    recurrent = [recurrent_layer(units) for _ in range(depth)]
    for layer in recurrent:
        layer.build((None, None, None, 2 * units))
    features = keras.Input((None, None, 2 * units), name="features")
    x = layers.Conv2D(2 * units, 1, activation="relu")(layers.ReLU()(features))
    head = keras.Model(features, layers.Conv2D(levels, 1, dtype="float32")(x), name="head")
    return stem, recurrent, head


@keras.saving.register_keras_serializable(package="gencourse")
class PixelRNN(PixelModel):
    """An autoregressive model of images whose memory is recurrent; see `PixelModel`.

    Args:
        image_shape: (height, width, 1).
        stem: images → features; the only part that looks at a pixel's surroundings directly.
        recurrent: layers such as `RowLSTM` or `DiagonalBiLSTM`.
        head: features → logits.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016.
    """

    def __init__(self, image_shape, stem: keras.Model, recurrent: list[layers.Layer], head: keras.Model, **kwargs):
        super().__init__(image_shape, head.output.shape[-1], **kwargs)
        self.stem = stem
        self.recurrent = recurrent
        self.head = head

    def logits(self, x, training=False):
        """Return the logits (n, h, w, levels)."""
        features = self.stem(x, training=training)
        for layer in self.recurrent:
            features = layer(features)
        return self.head(features, training=training)

    @property
    def _reach(self):
        return rows_above(self.stem)

    def _first_state(self, image):
        return tuple(layer.first_state(image) for layer in self.recurrent)

    def _begin_row(self, window, i, state):
        return window, i, state

    def _row(self, row, context):
        """Run the stem on the window with this row in it, and each recurrent layer on by one row."""
        window, i, state = context
        here = ops.reshape(ops.arange(window.shape[1]) == i, (1, -1, 1, 1))
        features = ops.take(self.stem(ops.where(here, ops.expand_dims(row, 1), window)), i, axis=1)
        after = []
        for layer, above in zip(self.recurrent, state, strict=True):
            features, new = layer.row(features, above)
            after.append(new)
        return ops.squeeze(self.head(ops.expand_dims(features, 1)), axis=1), tuple(after)
