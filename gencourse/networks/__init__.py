"""Topologies that several families share."""

from gencourse.networks.transformer import Transformer as Transformer
from gencourse.networks.unet import build_unet as build_unet
