"""From pixels of a few levels to a density on the whole space, and back."""

import math

import keras
from keras import ops

from gencourse.guard import check_whole
from gencourse.layers.flow_layer import FlowLayer, for_each_item, standard_normal_log_prob
from gencourse.layers.noise_source import NoiseSource
from gencourse.layers.pixel_levels import check_levels, level_of

LARGEST = 1 - 2.0**-24  # float32 below 1


@keras.saving.register_keras_serializable(package="gencourse")
class Dequantization(FlowLayer):
    """Spreads each pixel level uniformly over its interval of [0, 1), so that a density can be fitted.

        v = (k + u) / levels,   u ~ U[0, 1)
        log P(x) = log E_u[p(v)] - D log levels >= E_u[log p(v)] - D log levels

    So the term -D log levels, returned where other layers return their log-determinant, makes a density of v a bound
    of the probability of the D pixel values x = k / (levels - 1).

    Args:
        levels: 2 to 256.

    Source: Theis, van den Oord and Bethge, "A note on the evaluation of generative models", 2016, section 3.1.
    """

    middle = 0.5  # the noise that stands for none

    def __init__(self, levels: int = 256, **kwargs):
        super().__init__(**kwargs)
        check_levels(levels)
        self.levels = levels
        self.noise = NoiseSource(dtype="float32")

    def forward(self, x, noise=None):
        """Return v, and -D log levels (n,).

        Args:
            x: images (n, h, w, c) of values k / (levels - 1).
            noise: u, of the shape of x, in [0, 1); None draws it anew.
        """
        noise = self.noise.uniform(x) if noise is None else noise
        v = (ops.cast(level_of(x, self.levels), "float32") + noise) / self.levels
        return v, for_each_item(-self._log_volume(x), x)

    def inverse(self, y):
        """Return the images whose intervals hold v, the nearest levels outside [0, 1), and D log levels (n,)."""
        k = ops.clip(ops.floor(y * self.levels), 0, self.levels - 1)
        return k / (self.levels - 1), for_each_item(self._log_volume(y), y)

    def draw(self, shape: tuple[int, ...], seed: int):
        """Return noise u of this shape, eagerly: the same for the same seed, an int >= 0."""
        check_whole(seed, "seed", least=0)
        return keras.random.uniform(shape, dtype="float32", seed=int(seed))

    def _log_volume(self, x):
        return math.prod(x.shape[1:]) * math.log(self.levels)


@keras.saving.register_keras_serializable(package="gencourse")
class VariationalDequantization(Dequantization):
    """Spreads each pixel level over its interval as a flow has learnt to, where `Dequantization` does it evenly.

        u = Φ(g(ε; x)),   ε ~ N(0, I),   log q(u | x) = log N(ε; 0, I) - log |det du/dε|
        log P(x) >= E_q[log p(v) - log q(u | x)] - D log levels

    g is a chain of couplings that see x, Φ the normal distribution's cumulative: before training q is uniform. The
    bound is tighter the closer q(u | x) is to what the density p makes of u given x.

    Args:
        couplings: `CheckerboardCoupling` layers whose networks see twice the channels of x: of ε, and of x in [-1, 1].
        levels: 2 to 256.

    Source: Ho et al., "Flow++", 2019, section 3.1, equation 12.
    """

    middle = 0.0

    def __init__(self, couplings: list[FlowLayer], levels: int = 256, **kwargs):
        super().__init__(levels, **kwargs)
        self.couplings = couplings

    def forward(self, x, noise=None):
        """Return v, and -log q(u | x) - D log levels (n,).

        Args:
            x: images (n, h, w, c) of values k / (levels - 1).
            noise: ε, of the shape of x; None draws it anew.
        """
        y = self.noise(x) if noise is None else noise
        log_q = standard_normal_log_prob(y)
        for coupling in self.couplings:
            y, log_det = coupling.forward(y, 2 * x - 1)
            log_q = log_q - log_det
        u = ops.minimum((1 + ops.erf(y / math.sqrt(2))) / 2, LARGEST)
        v, log_det = super().forward(x, u)
        return v, log_det - (log_q - standard_normal_log_prob(y))  # dΦ/dy is the normal density

    def draw(self, shape: tuple[int, ...], seed: int):
        """Return noise ε of this shape, eagerly: the same for the same seed, an int >= 0."""
        return self.noise.draw(shape, seed)
