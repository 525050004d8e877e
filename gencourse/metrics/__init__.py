"""Scores of generative models."""

from gencourse.metrics.anomaly import AnomalyAUROC as AnomalyAUROC
from gencourse.metrics.bits_per_dimension import BitsPerDimension as BitsPerDimension
from gencourse.metrics.bits_per_dimension import bits_per_dimension as bits_per_dimension
from gencourse.metrics.digit_scores import score_digits as score_digits
from gencourse.metrics.frechet import FrechetDistance as FrechetDistance
from gencourse.metrics.inception_score import InceptionScore as InceptionScore
from gencourse.metrics.kernel_distance import KernelDistance as KernelDistance
from gencourse.metrics.likelihood import ImportanceWeightedNLL as ImportanceWeightedNLL
from gencourse.metrics.likelihood import importance_weighted_log_prob as importance_weighted_log_prob
from gencourse.metrics.mode_coverage import ModeCoverage as ModeCoverage
from gencourse.metrics.mutual_information_gap import mutual_information_gap as mutual_information_gap
from gencourse.metrics.precision_recall import PrecisionRecall as PrecisionRecall
from gencourse.metrics.psnr import PSNR as PSNR
from gencourse.metrics.psnr import psnr as psnr
