"""Autoregressive models: exact likelihoods by the chain rule."""

from gencourse.autoregressive.pixel_cnn import PixelCNN as PixelCNN
from gencourse.autoregressive.pixel_rnn import PixelRNN as PixelRNN
