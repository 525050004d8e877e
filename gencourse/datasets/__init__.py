"""The course's data sets, one module each; `load` gives a `tf.data.Dataset`."""
