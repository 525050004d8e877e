"""Autoencoders, plain and variational."""

from gencourse.autoencoders.vae import VAE as VAE
from gencourse.autoencoders.vae import BetaVAE as BetaVAE
