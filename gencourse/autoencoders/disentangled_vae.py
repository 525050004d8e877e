"""The beta-TCVAE: a VAE that pays extra for dependence between its latent dimensions, and for nothing else."""

import keras
from keras import ops

from gencourse.autoencoders.total_correlation import (
    aggregate_log_density,
    gaussian_log_density,
    stratified_log_weights,
)
from gencourse.autoencoders.vae import VAE


@keras.saving.register_keras_serializable(package="gencourse")
class DisentangledVAE(VAE):
    """A VAE whose total correlation counts beta times; the other two parts of its divergence count once.

        E[KL(q(z|x) || p(z))] =   E[log q(z|x) - log q(z)]            mutual information of x and z
                                + E[log q(z) - Σ_j log q(z_j)]        total correlation
                                + E[Σ_j (log q(z_j) - log p(z_j))]    dimension-wise KL

        loss = reconstruction + mutual_information + beta · total_correlation + dimension_wise_kl

    q(z) is the mixture of the posteriors of the whole data set, estimated from the batch by stratified sampling. Each
    term is taken at the one sample z of each item; `kl` is the sum of the three. With beta = 1 the expected loss is the
    VAE's. The estimates say the more the larger the batch: on a batch of one item, mutual information and total
    correlation are 0.

    Args:
        encoder: as in `VAE`.
        decoder: as in `VAE`.
        dataset_size: N, the number of training images, at least 1.
        beta: at least 0; above 1 it makes the aggregated q(z) closer to a product of its marginals.
        likelihood: as in `VAE`.

    Source: Chen et al., "Isolating Sources of Disentanglement in VAEs", 2018, section 3.
    """

    def __init__(self, encoder, decoder, dataset_size: int, beta: float = 4.0, likelihood=None, **kwargs):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        if not dataset_size >= 1:
            raise ValueError(f"dataset_size is {dataset_size}; accepted is a whole number >= 1.")
        if not beta >= 0:
            raise ValueError(f"beta is {beta}; accepted is a number >= 0.")
        self.dataset_size = dataset_size
        self.beta = beta
        self.mutual_information_tracker = keras.metrics.Mean(name="mutual_information")
        self.total_correlation_tracker = keras.metrics.Mean(name="total_correlation")
        self.dimension_wise_kl_tracker = keras.metrics.Mean(name="dimension_wise_kl")

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the mean over the batch of the loss, and track its four terms and `kl`."""
        parameters, *codes = y_pred
        mean, log_var, z = (ops.cast(value, "float32") for value in codes)  # (n, d) each
        reconstruction = -self.likelihood.log_prob(x, parameters)  # (n,)
        log_weights = stratified_log_weights(ops.shape(z)[0], self.dataset_size)
        log_q, log_q_each = aggregate_log_density(z, mean, log_var, log_weights)  # (n,), (n, d)
        log_q_product = ops.sum(log_q_each, axis=-1)
        log_posterior = ops.sum(gaussian_log_density(z, mean, log_var), axis=-1)
        log_prior = ops.sum(gaussian_log_density(z, 0.0, 0.0), axis=-1)
        mutual_information = log_posterior - log_q
        total_correlation = log_q - log_q_product
        dimension_wise_kl = log_q_product - log_prior
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(log_posterior - log_prior)
        self.mutual_information_tracker.update_state(mutual_information)
        self.total_correlation_tracker.update_state(total_correlation)
        self.dimension_wise_kl_tracker.update_state(dimension_wise_kl)
        divergence = mutual_information + self.beta * total_correlation + dimension_wise_kl
        return ops.mean(reconstruction + divergence) + sum(self.losses)
