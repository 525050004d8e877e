"""The beta-TCVAE: its loss is the sum of its parts, and each part is what the equation says."""

from math import log, sqrt

import keras
import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from gencourse.autoencoders import VAE, DisentangledVAE
from gencourse.autoencoders.networks import build_decoder, build_encoder
from gencourse.layers import GaussianHead

PARTS = ("reconstruction", "mutual_information", "total_correlation", "dimension_wise_kl")


def images(n):
    return np.random.default_rng(0).integers(0, 2, (n, 8, 8, 1)).astype("float32")


def build(cls=DisentangledVAE, **arguments):
    keras.utils.set_random_seed(0)
    model = cls(build_encoder((8, 8, 1), GaussianHead(3), (16,)), build_decoder((8, 8, 1), 3, (16,)), **arguments)
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    return model


def evaluate(model, x, batch_size=32):
    return model.evaluate(x, batch_size=batch_size, verbose=0, return_dict=True)


@pytest.mark.parametrize("beta", [0.0, 6.0])
def test_total_is_the_sum_of_the_tracked_parts(beta):
    """70 images in batches of 32, 32 and 6."""
    scores = evaluate(build(dataset_size=70, beta=beta), images(70))
    reconstruction, information, correlation, dimension_wise = (scores[part] for part in PARTS)
    assert scores["loss"] == pytest.approx(reconstruction + information + beta * correlation + dimension_wise, abs=1e-5)
    assert scores["kl"] == pytest.approx(information + correlation + dimension_wise, abs=1e-5)
    assert abs(correlation) > 1e-3, "a sum is no test where the part is 0"


def test_parts_of_a_batch_that_is_the_whole_data_set_are_exact():
    x = images(20)
    model = build(dataset_size=20)
    parameters, mean, log_var, z = (np.array(value) for value in model(x))
    model.compute_loss(x=x, y_pred=(parameters, mean, log_var, z))
    posterior = stats.norm(mean, np.exp(log_var / 2))
    each = posterior.logpdf(z[:, None])  # (n, m, d): log q(z_ij | x_m)
    joint, product = logsumexp(each.sum(-1), axis=1) - log(20), (logsumexp(each, axis=1) - log(20)).sum(-1)
    own, prior = posterior.logpdf(z).sum(-1), stats.norm.logpdf(z).sum(-1)
    tracked = [float(metric.result()) for metric in model.metrics if metric.name in PARTS[1:]]
    np.testing.assert_allclose(
        tracked, [np.mean(own - joint), np.mean(joint - product), np.mean(product - prior)], atol=1e-5
    )


def test_kl_is_the_closed_form_within_the_noise_of_one_sample_an_image():
    x = images(2000)
    model = build(dataset_size=2000)
    for layer in (model.encoder.layers[-1].mean, model.encoder.layers[-1].log_var):
        layer.kernel.assign(3 * layer.kernel)  # posteriors far from the prior
    _, mean, log_var, z = (np.array(value) for value in model(x))
    ratio = stats.norm(mean, np.exp(log_var / 2)).logpdf(z).sum(-1) - stats.norm.logpdf(z).sum(-1)
    wanted = np.sum(mean**2 + np.exp(log_var) - 1 - log_var, axis=-1).mean() / 2
    assert wanted > 1
    assert evaluate(model, x, 500)["kl"] == pytest.approx(wanted, abs=4 * ratio.std() / sqrt(2000))


def test_with_beta_one_the_loss_is_the_vaes():
    """The same weights and the same noise: the two differ by the noise of the sampled kl alone."""
    x = images(500)
    model, plain = build(dataset_size=500, beta=1.0), build(VAE)
    plain.set_weights(model.get_weights())
    ours, theirs = evaluate(model, x), evaluate(plain, x)
    assert ours["loss"] - ours["kl"] == pytest.approx(theirs["loss"] - theirs["kl"], abs=1e-3)
    assert ours["reconstruction"] == pytest.approx(theirs["reconstruction"], abs=1e-3)


def test_one_image_has_no_mutual_information_and_no_total_correlation():
    scores = evaluate(build(dataset_size=70), images(1))
    assert scores["mutual_information"] == pytest.approx(0, abs=1e-5)
    assert scores["total_correlation"] == pytest.approx(0, abs=1e-5)
    assert scores["dimension_wise_kl"] == pytest.approx(scores["kl"], abs=1e-5)


def test_training_with_a_large_beta_makes_the_dimensions_less_dependent():
    """Both corners of the image show the same bit of four grey squares, which two dimensions could share."""
    bits = np.random.default_rng(0).integers(0, 2, (256, 2, 2)).astype("float32")
    x = np.zeros((256, 8, 8, 1), "float32")
    x[:, :4, :4, 0] = np.kron(bits, np.ones((2, 2)))
    x[:, 4:, 4:, 0] = x[:, :4, :4, 0]
    correlation = {}
    for beta in (0.0, 10.0):
        model = build(dataset_size=256, beta=beta)
        model.fit(x, batch_size=64, epochs=20, verbose=0)
        correlation[beta] = evaluate(model, x, batch_size=256)["total_correlation"]
    assert correlation[10.0] < correlation[0.0] - 0.1


@pytest.mark.parametrize("arguments", [{"dataset_size": 0}, {"dataset_size": 10, "beta": -1.0}])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="accepted is"):
        build(**arguments)
