"""LSTMs that run over an image: row by row, or along its diagonals."""

import keras
from keras import layers, ops

from gencourse.layers import MaskedConv2D


def lstm_step(gates, cell):
    """One step of an LSTM: c ← σ(f) · c + σ(i) · tanh(g), h = σ(o) · tanh(c).

    Args:
        gates: (n, ..., 4 units): o, f, i and g before their nonlinearities.
        cell: c (n, ..., units).

    Returns:
        h and c.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, equation 3.
    """
    o, f, i, g = ops.split(gates, 4, axis=-1)
    cell = ops.sigmoid(f) * cell + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(cell), cell


def skew(x):
    """Shift row i of an image by i places to the right: (n, h, w, c) → (n, h, w + h - 1, c), zeros elsewhere.

    Then each column holds a diagonal, whose pixels are computed together.
    """
    _, h, w, c = x.shape
    flat = ops.reshape(ops.pad(x, [(0, 0), (0, 0), (0, h), (0, 0)]), (-1, h * (w + h), c))
    return ops.reshape(flat[:, : h * (w + h - 1)], (-1, h, w + h - 1, c))  # each row begins one place earlier


def unskew(x):
    """Undo `skew`: (n, h, w + h - 1, c) → (n, h, w, c)."""
    _, h, skewed, c = x.shape
    flat = ops.pad(ops.reshape(x, (-1, h * skewed, c)), [(0, 0), (0, h), (0, 0)])
    return ops.reshape(flat, (-1, h, skewed + 1, c))[:, :, : skewed - h + 1]


class _SpatialLSTM(layers.Layer):
    """A layer of LSTMs with `units` numbers of h and of c at each pixel, whose output has its input's shape."""

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def first_state(self, x):
        """Return the state above the first row of images x (n, h, w, ...): two of zeros."""
        zeros = ops.zeros((ops.shape(x)[0], x.shape[2], self.units), self.compute_dtype)
        return zeros, zeros

    def compute_output_shape(self, input_shape):
        """Return the shape of `call`'s result."""
        return input_shape

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="gencourse")
class RowLSTM(_SpatialLSTM):
    """An LSTM over the rows of an image, from the top; a whole row is one step.

        gates_i = K_is ∗ x_i + K_ss ∗ h_{i-1},   (h_i, c_i) = lstm_step(gates_i, c_{i-1}),   y_i = x_i + W h_i

    K_is is a masked, K_ss a plain one-dimensional convolution, 3 wide. So a pixel sees a triangle above it.

    Args:
        units: of h and c, at each pixel.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, section 3.1.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(units, **kwargs)
        self.input_to_state = MaskedConv2D(4 * units, (1, 3), "B")
        self.state_to_state = layers.Conv1D(4 * units, 3, padding="same", use_bias=False)

    def build(self, input_shape):
        """Make the kernels for images (n, h, w, input_shape[-1])."""
        self.project = layers.Dense(input_shape[-1])
        self.input_to_state.build(input_shape)
        self.state_to_state.build((None, None, self.units))
        self.project.build((None, self.units))

    def call(self, x):
        """Return y (n, h, w, c)."""
        gates = ops.transpose(self.input_to_state(x), (1, 0, 2, 3))  # (h, n, w, 4 units)

        def step(state, row):
            state = lstm_step(row + self.state_to_state(state[0]), state[1])
            return state, state

        _, (h, _) = ops.scan(step, self.first_state(x), gates)
        return x + self.project(ops.transpose(h, (1, 0, 2, 3)))

    def row(self, x, state):
        """Go on by one row.

        Args:
            x: (n, w, c).
            state: h and c of the row above, (n, w, units) each.

        Returns:
            y (n, w, c), and the state of this row.
        """
        gates = ops.squeeze(self.input_to_state(ops.expand_dims(x, 1)), axis=1) + self.state_to_state(state[0])
        state = lstm_step(gates, state[1])
        return x + self.project(state[0]), state


@keras.saving.register_keras_serializable(package="gencourse")
class DiagonalLSTM(layers.Layer):
    """An LSTM whose step goes to a pixel from the one to its left and the one above.

        gates[i, j] = W_is x[i, j] + b + W_left h[i, j-1] + W_above h[i-1, j],   c from [i, j-1]

    So a pixel sees the whole rectangle above and to its left, itself included. The pixels of a diagonal do not depend
    on each other: `skew` makes them a column, and the columns are the steps.

    Args:
        units: of h and c, at each pixel.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, section 3.2.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.input_to_state = layers.Dense(4 * units)
        self.left_to_state = layers.Dense(4 * units, use_bias=False)
        self.above_to_state = layers.Dense(4 * units, use_bias=False)

    def build(self, input_shape):
        """Make the matrices for images (n, h, w, input_shape[-1])."""
        self.input_to_state.build(input_shape)
        self.left_to_state.build((None, self.units))
        self.above_to_state.build((None, self.units))

    def call(self, x):
        """Return h (n, h, w, units)."""
        columns = ops.transpose(skew(self.input_to_state(x)), (2, 0, 1, 3))  # (w + h - 1, n, h, 4 units)

        def step(state, column):
            above = ops.pad(state[0][:, :-1], [(0, 0), (1, 0), (0, 0)])
            state = lstm_step(column + self.left_to_state(state[0]) + self.above_to_state(above), state[1])
            return state, state

        # outside the image gates are 0 until a pixel has been passed, hence so are h and c: the zeros of a first state
        zeros = ops.zeros((ops.shape(x)[0], x.shape[1], self.units), self.compute_dtype)
        _, (h, _) = ops.scan(step, (zeros, zeros), columns)
        return unskew(ops.transpose(h, (1, 2, 0, 3)))

    def row(self, x, above):
        """Return h (n, w, units) of one row x (n, w, c) from the h of the row above."""
        gates = ops.transpose(self.input_to_state(x) + self.above_to_state(above), (1, 0, 2))  # (w, n, 4 units)

        def step(state, pixel):
            state = lstm_step(pixel + self.left_to_state(state[0]), state[1])
            return state, state

        zeros = ops.zeros((ops.shape(x)[0], self.units), self.compute_dtype)
        _, (h, _) = ops.scan(step, (zeros, zeros), gates)
        return ops.transpose(h, (1, 0, 2))

    def compute_output_shape(self, input_shape):
        """Return the shape of `call`'s result."""
        return (*input_shape[:-1], self.units)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="gencourse")
class DiagonalBiLSTM(_SpatialLSTM):
    """Two diagonal LSTMs, from the top left and from the top right, that together see what lies before a pixel.

        y[i, j] = x[i, j] + W (h_left[i, j] + h_right[i-1, j])

    The one from the right has seen what lies to the right in its row, so it counts one row later. Where the features x
    at a pixel tell of the pixels before it but not of itself, as a PixelRNN's do, the last pixel of the row above is
    thereby missed, except near it.

    Args:
        units: of each of the two.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, section 3.2.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(units, **kwargs)
        self.left = DiagonalLSTM(units)
        self.right = DiagonalLSTM(units)

    def build(self, input_shape):
        """Make both for images (n, h, w, input_shape[-1])."""
        self.project = layers.Dense(input_shape[-1])
        self.left.build(input_shape)
        self.right.build(input_shape)
        self.project.build((None, self.units))

    def call(self, x):
        """Return y (n, h, w, c)."""
        right = ops.flip(self.right(ops.flip(x, axis=2)), axis=2)
        right = ops.pad(right[:, :-1], [(0, 0), (1, 0), (0, 0), (0, 0)])
        return x + self.project(self.left(x) + right)

    def row(self, x, state):
        """Go on by one row.

        Args:
            x: (n, w, c).
            state: h_left and h_right of the row above, (n, w, units) each.

        Returns:
            y (n, w, c), and the state of this row.
        """
        left = self.left.row(x, state[0])
        right = ops.flip(self.right.row(ops.flip(x, axis=1), ops.flip(state[1], axis=1)), axis=1)
        return x + self.project(left + state[1]), (left, right)
