"""The density of the codes of a whole data set, estimated from one batch, and what it takes of the KL divergence."""

import math

from keras import ops


def gaussian_log_density(z, mean, log_var):
    """log N(z; mean, exp(log_var)) = -½ (log 2π + log_var + (z - mean)² exp(-log_var)), in nats.

    Args:
        z: any shape.
        mean: a shape that broadcasts with it.
        log_var: likewise.

    Returns:
        the broadcast shape.
    """
    return -(math.log(2 * math.pi) + log_var + ops.square(z - mean) * ops.exp(-log_var)) / 2


def aggregate_log_density(z, mean, log_var, log_weights):
    """The log density of z under the mixture q(z) = Σ_m w_m q(z | x_m), and under each of its marginals q(z_j).

        log q(z_i) = log Σ_m w_im Π_j q(z_ij | x_m),   log q(z_ij) = log Σ_m w_im q(z_ij | x_m)

    With w = 1/N and all N items of a data set this is exact; the functions below weigh the items of a batch.

    Args:
        z: (n, d).
        mean: (m, d), of the posteriors q(z | x_m).
        log_var: (m, d).
        log_weights: log w, (n, m) or what broadcasts to it.

    Returns:
        (n,) and (n, d), nats. The first minus the sum of the second over j is, on average over z ~ q(z), the total
        correlation.
    """
    each = gaussian_log_density(z[:, None], mean, log_var)  # (n, m, d)
    log_weights = ops.convert_to_tensor(log_weights, each.dtype)
    joint = ops.logsumexp(ops.sum(each, axis=-1) + log_weights, axis=1)
    return joint, ops.logsumexp(each + log_weights[..., None], axis=1)


def stratified_log_weights(n, dataset_size: int):
    """Weights under which a batch gives an unbiased estimate of q(z): minibatch stratified sampling.

        w_ii = 1/N,   w_im = (1 - 1/N) / (n - 1) for m ≠ i

    z_i comes from the posterior of item i, which is 1 of the N items; the other n - 1 items of the batch stand for the
    other N - 1. The paper gives one of these the weight (N - n + 1) / (N (n - 1)) and the rest 1 / (n - 1); the mean of
    its weights over the order of the batch are these, which have the same expectation and less variance, and with
    n = N are exact. A batch of one item says nothing of the others: its weight is 1.

    Args:
        n: the number of items in the batch; an int, or a scalar tensor of unknown value.
        dataset_size: N.

    Returns:
        (n, n), log w_im.

    Source: Chen et al., "Isolating Sources of Disentanglement in VAEs", 2018, appendix (minibatch stratified sampling).
    """
    others = (1 - 1 / dataset_size) / ops.maximum(ops.cast(n, "float32") - 1, 1.0)
    own = ops.where(ops.equal(n, 1), 1.0, 1 / dataset_size)
    return ops.log(ops.where(ops.eye(n, dtype="bool"), own, others))


def weighted_log_weights(n: int, dataset_size: int) -> float:
    """The weight of every pair in minibatch weighted sampling, which is simpler and biased: log w = -log(n N).

    The weights sum to 1/N, so each log density is too small by about log N, and the total correlation of d dimensions
    too large by about (d - 1) log N. The gradient does not notice a constant; whoever reads the number must.

    Args:
        n: the number of items in the batch.
        dataset_size: N.

    Source: Chen et al., "Isolating Sources of Disentanglement in VAEs", 2018, section 3.
    """
    return -math.log(n * dataset_size)
