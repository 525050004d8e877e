"""The anomaly AUROC against its meaning: the chance that an anomaly outscores a normal item."""

import numpy as np
import pytest

from gencourse.metrics import AnomalyAUROC


def scores() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    normal, anomalous = generator.normal(0, 1, 60), generator.normal(1, 2, 40)
    return normal.round(1), anomalous.round(1)  # rounded, so that there are ties


def chance(normal: np.ndarray, anomalous: np.ndarray) -> float:
    """P(anomalous > normal) + ½ P(equal), over all pairs."""
    return float(np.mean(np.sign(anomalous[:, None] - normal) / 2 + 0.5))


def test_the_area_is_the_chance_that_an_anomaly_scores_higher():
    normal, anomalous = scores()
    metric = AnomalyAUROC()
    metric.update_state(False, normal[:25])
    metric.update_state(np.ones(len(anomalous), "int32"), anomalous)
    metric.update_state(np.zeros(35, bool), normal[25:])
    assert np.isclose(metric.result(), chance(normal, anomalous))


@pytest.mark.parametrize(
    ("normal", "anomalous", "area"),
    [([1.0, 2.0], [3.0, 4.0], 1.0), ([3.0, 4.0], [1.0, 2.0], 0.0), ([1.0, 1.0], [1.0], 0.5), ([1.0, 3.0], [2.0], 0.5)],
)
def test_areas_known_by_hand(normal, anomalous, area):
    metric = AnomalyAUROC()
    metric.update_state(0, normal)
    metric.update_state(1, anomalous)
    assert metric.result() == area


def test_reset_forgets():
    normal, anomalous = scores()
    metric = AnomalyAUROC()
    metric.update_state(True, normal)
    metric.reset_state()
    metric.update_state(False, normal)
    metric.update_state(True, anomalous)
    assert np.isclose(metric.result(), chance(normal, anomalous))


@pytest.mark.parametrize(
    ("labels", "values", "sentence"),
    [
        ([0, 1], [0.5], "as many labels"),
        (0, [[0.5]], "one score an item"),
        ([0, 2], [0.5, 0.5], "accepted are 0"),
        ([0, 1], [0.5, np.nan], "not finite"),
    ],
)
def test_bad_batches_are_refused(labels, values, sentence):
    metric = AnomalyAUROC()
    with pytest.raises(ValueError, match=sentence):
        metric.update_state(labels, values)
    assert not metric.scores


@pytest.mark.parametrize("labels", [None, 0, 1])
def test_one_kind_alone_has_no_area(labels):
    metric = AnomalyAUROC()
    if labels is not None:
        metric.update_state(labels, [1.0, 2.0])
    with pytest.raises(ValueError, match="scores of both"):
        metric.result()
