"""Glow: actnorm, an invertible 1x1 convolution and a coupling, many times."""

import keras

from gencourse.flows.flow import Flow
from gencourse.flows.networks import build_conv_network, build_split_network, check_sides
from gencourse.guard import check_whole
from gencourse.layers import ActNorm, AffineCoupling, Dequantization, InvertibleConv1x1, Split, Squeeze


@keras.saving.register_keras_serializable(package="gencourse")
class Glow(Flow):
    """A flow of images: at each scale a squeeze, then steps of actnorm, an invertible 1x1 convolution and a coupling.

    Between two scales half of the channels leave, as Gaussians that the other half predicts.

    Args:
        shape: (height, width, channels), the sides multiples of 2^scales.
        scales: at least 1.
        steps: at each scale, at least 1.
        width: channels of the hidden layers of the couplings' networks.
        levels: of the pixels, 2 to 256.
        margin: of the logit that stretches the pixels, in (0, 0.5); the paper has none.

    Raises:
        ValueError: a shape that cannot be halved so.

    Source: Kingma and Dhariwal, "Glow", 2018, section 3 and figure 2.
    """

    def __init__(
        self, shape, scales: int = 2, steps: int = 8, width: int = 64, levels: int = 256, margin=0.05, **kwargs
    ):
        check_sides(shape, scales)
        check_whole(steps, "steps", least=1)
        super().__init__(shape, glow_steps(shape, scales, steps, width), Dequantization(levels), margin, **kwargs)
        self.levels = levels
        self.scales = scales
        self.steps = steps
        self.width = width


def glow_steps(shape, scales, steps, width):
    """Return the squeezes, steps and splits of images (height, width, channels)."""
    h, w, c = shape
    transforms = []
    for scale in range(scales):
        h, w, c = h // 2, w // 2, 4 * c
        transforms.append(Squeeze())
        for _ in range(steps):
            coupling = AffineCoupling(build_conv_network((h, w, c // 2), c, width))
            transforms += [ActNorm(c), InvertibleConv1x1(c), coupling]
        if scale < scales - 1:
            c //= 2
            transforms.append(Split(build_split_network((h, w, c))))
    return transforms
