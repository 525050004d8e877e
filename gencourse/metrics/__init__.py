"""Scores of generative models."""

from gencourse.metrics.likelihood import ImportanceWeightedNLL as ImportanceWeightedNLL
from gencourse.metrics.likelihood import importance_weighted_log_prob as importance_weighted_log_prob
