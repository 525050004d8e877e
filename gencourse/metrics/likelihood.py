"""The likelihood of a latent-variable model, by importance weighting."""

import math

import keras
from keras import ops


def importance_weighted_log_prob(log_weights):
    """Estimate log p(x) from k samples of the posterior approximation.

        log p(x) ≈ log (1/k) Σ_i w_i,   w_i = p(x, z_i) / q(z_i | x),   z_i ~ q(z | x)

    In expectation a lower bound that rises with k, from the ELBO at k = 1 towards log p(x).

    Args:
        log_weights: (k, n), log w_i in nats.

    Returns:
        (n,), nats an item.

    Source: Burda, Grosse and Salakhutdinov, "Importance Weighted Autoencoders", 2016, equation 8.
    """
    return ops.logsumexp(log_weights, axis=0) - math.log(log_weights.shape[0])


@keras.saving.register_keras_serializable(package="gencourse")
class ImportanceWeightedNLL(keras.metrics.Mean):
    """The mean of -log p(x) over all items seen, in nats, each estimated from k posterior samples."""

    def __init__(self, name: str = "nll", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, log_weights, sample_weight=None):
        """Add a batch.

        Args:
            log_weights: (k, n), log p(x, z_i) - log q(z_i | x).
            sample_weight: (n,), or None.
        """
        return super().update_state(-importance_weighted_log_prob(log_weights), sample_weight)
