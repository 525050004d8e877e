"""Autoencoders, plain and variational."""

from gencourse.autoencoders.autoencoder import Autoencoder as Autoencoder
from gencourse.autoencoders.autoencoder import DenoisingAutoencoder as DenoisingAutoencoder
from gencourse.autoencoders.autoencoder import SparseAutoencoder as SparseAutoencoder
from gencourse.autoencoders.conditional_vae import ConditionalVAE as ConditionalVAE
from gencourse.autoencoders.disentangled_vae import DisentangledVAE as DisentangledVAE
from gencourse.autoencoders.vae import VAE as VAE
from gencourse.autoencoders.vae import BetaVAE as BetaVAE
