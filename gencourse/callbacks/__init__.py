"""Watchers of a training."""

from gencourse.callbacks.checkpoint import Checkpoint as Checkpoint
