"""The mutual information gap: does one latent dimension, and only one, know each factor?"""

import numpy as np

ROWS_AT_ONCE = 256  # samples whose density under all posteriors is computed together; bounds the memory


def mutual_information_gap(mean, log_var, factors, seed: int = 0) -> tuple[float, np.ndarray]:
    """Score a code against known factors: how much more its best dimension knows of a factor than its second best.

        MIG = (1/K) Σ_k (I(z_a; v_k) - I(z_b; v_k)) / H(v_k),   a and b the best and second best dimension for v_k
        I(z_j; v_k) = E[log q(z_j | v_k) - log q(z_j)],   z_j ~ q(z_j | x)

    q(z_j) is the mixture of all posteriors, q(z_j | v_k) that of the items with the same value of factor k. The
    expectation is a mean over one sample z for each item; its error is the log ratio's standard deviation over √n.

    Args:
        mean: (n, d) of the posteriors of all n items of the data set, d >= 2.
        log_var: (n, d).
        factors: (n, K) integers from 0, the value of each factor.
        seed: of the samples, an int >= 0.

    Returns:
        MIG, from about 0 to 1, and I (d, K) in nats.

    Raises:
        ValueError: the shapes do not fit, a number is not finite, or a factor has only one value.

    Source: Chen et al., "Isolating Sources of Disentanglement in VAEs", 2018, section 4.
    """
    mean, log_var, factors = np.asarray(mean, "float32"), np.asarray(log_var, "float32"), np.asarray(factors)
    if mean.ndim != 2 or mean.shape[1] < 2 or log_var.shape != mean.shape:
        raise ValueError(f"mean and log_var have shapes {mean.shape} and {log_var.shape}; accepted is (n, d), d >= 2.")
    if not (np.isfinite(mean).all() and np.isfinite(log_var).all()):
        raise ValueError("mean or log_var holds NaN or infinity; accepted are finite numbers.")
    if factors.ndim != 2 or len(factors) != len(mean) or not np.issubdtype(factors.dtype, np.integer):
        raise ValueError(f"factors are {factors.dtype} {factors.shape}; accepted are integers ({len(mean)}, K).")
    shares = [np.bincount(column) / len(column) for column in factors.T]  # p(v_k), one array a factor
    entropies = np.array([-np.sum(p[p > 0] * np.log(p[p > 0])) for p in shares])
    if not entropies.all():
        raise ValueError(f"Factor {entropies.argmin()} has one value only: there is nothing to know of it.")
    std = np.exp(log_var / 2)
    z = mean + std * np.random.default_rng(seed).standard_normal(mean.shape, "float32")
    information = np.stack([_information(*column, factors, shares) for column in zip(z.T, mean.T, std.T, strict=True)])
    second, best = np.sort(information, axis=0)[-2:]
    return float(np.mean((best - second) / entropies)), information


def _information(z, mean, std, factors, shares):
    """I(z_j; v_k) for one dimension: z, mean and std (n,) → (K,).

    z_j lies near the mean of its own posterior, so that none of the sums is 0 in float32.
    """
    ends = np.cumsum([0, *map(len, shares)])
    member = np.zeros((len(z), ends[-1]), "float32")  # one column a value of a factor, its items' shares in it
    for k, p in enumerate(shares):
        member[np.arange(len(z)), ends[k] + factors[:, k]] = 1 / (len(z) * p[factors[:, k]])
    total = np.zeros(len(shares))
    for start in range(0, len(z), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        density = np.exp(-(((z[rows, None] - mean) / std) ** 2) / 2) / std  # (rows, n), times √2π
        given = np.take_along_axis(density @ member, ends[:-1] + factors[rows], axis=1)  # q(z_j | v_k), (rows, K)
        total += np.log(given / density.mean(axis=1, keepdims=True)).sum(axis=0)
    return total / len(z)
