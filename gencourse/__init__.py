"""gencourse: the tested package behind a generative-AI course in Keras notebooks."""

__version__ = "0.1.0"
