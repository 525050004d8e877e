"""The recipes that build data/: one module a set, each with `build(target, cache)`."""
