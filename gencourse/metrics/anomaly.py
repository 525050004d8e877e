"""How well a score tells anomalies from normal items."""

import numpy as np


class AnomalyAUROC:
    """The area under the ROC curve: the chance that an anomaly scores above a normal item, both drawn at random.

        AUROC = P(s(anomaly) > s(normal)) + ½ P(s(anomaly) = s(normal))

    A useless score has ½, a perfect one 1. The area needs all scores at once, so this keeps them, outside of any
    compiled graph; otherwise it is used as a Keras metric is.
    """

    def __init__(self):
        self.reset_state()

    def update_state(self, is_anomaly, scores) -> None:
        """Add a batch.

        Args:
            is_anomaly: (n,), booleans, or 0 and 1; or one of these for the whole batch.
            scores: (n,), finite; the higher, the stranger.

        Raises:
            ValueError: another shape, another label, or a score that is not finite.
        """
        scores = np.asarray(scores, "float64")
        labels = np.asarray(is_anomaly)
        if scores.ndim != 1 or labels.shape not in ((), scores.shape):
            raise ValueError(
                f"Labels {labels.shape} and scores {scores.shape}; accepted is one score an item and as many labels."
            )
        if not np.isin(labels, (0, 1)).all():
            raise ValueError(f"Labels are {np.unique(labels)}; accepted are 0 (normal) and 1 (anomaly).")
        if not np.isfinite(scores).all():
            raise ValueError("A score is not finite; accepted are finite numbers.")
        self.labels.append(np.broadcast_to(labels, scores.shape).astype(bool))
        self.scores.append(scores)

    def result(self) -> float:
        """Return the area, in [0, 1].

        Raises:
            ValueError: no anomaly, or nothing but anomalies, was added.
        """
        from sklearn.metrics import roc_auc_score  # here, since it takes a second to import

        labels = np.concatenate([[], *self.labels])
        if len(np.unique(labels)) < 2:
            raise ValueError("AUROC compares anomalies with normal items; accepted are scores of both.")
        return float(roc_auc_score(labels, np.concatenate(self.scores)))

    def reset_state(self) -> None:
        """Forget all scores."""
        self.labels: list[np.ndarray] = []
        self.scores: list[np.ndarray] = []
