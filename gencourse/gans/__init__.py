"""Generative adversarial networks."""

from gencourse.gans.conditional_gan import ConditionalGAN as ConditionalGAN
from gencourse.gans.dcgan import DCGAN as DCGAN
from gencourse.gans.wgan import WGAN as WGAN
