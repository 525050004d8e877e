"""Reusable layers, one idea a file."""

from gencourse.layers.compiled import compiled as compiled
from gencourse.layers.gaussian_head import GaussianHead as GaussianHead
from gencourse.layers.gaussian_sampling import GaussianSampling as GaussianSampling
from gencourse.layers.noise_source import NoiseSource as NoiseSource
from gencourse.layers.pixel_likelihood import BernoulliPixels as BernoulliPixels
from gencourse.layers.pixel_likelihood import DiscretizedLogisticPixels as DiscretizedLogisticPixels
