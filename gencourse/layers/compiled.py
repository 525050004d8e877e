"""One trace for every call: compile a method of a model on whichever backend runs."""

import functools

import keras


def compiled(method):
    """Compile a method of a layer or model whose arguments are tensors and which only reads the model's variables.

    The method is traced once for each model, and again where the sizes of its arguments change: read them by
    `ops.shape`. It must not draw random numbers: draw them before, and pass them in.

    Args:
        method: (self, *tensors) → tensors, in `keras.ops`.
    """
    cache = f"_{method.__name__}_compiled"

    @functools.wraps(method)
    def call(self, *tensors):
        if cache not in self.__dict__:
            object.__setattr__(self, cache, _compile(functools.partial(method, self), self))
        return self.__dict__[cache](*tensors)

    return call


def _compile(function, model):
    if keras.backend.backend() == "jax":
        return _compile_for_jax(function, model)
    import tensorflow as tf

    return tf.function(function, autograph=False, reduce_retracing=True)


def _compile_for_jax(function, model):
    import jax

    @jax.jit
    def stateless(values, *tensors):
        with keras.StatelessScope(state_mapping=list(zip(model.variables, values, strict=True))):
            return function(*tensors)

    return lambda *tensors: stateless([variable.value for variable in model.variables], *tensors)
