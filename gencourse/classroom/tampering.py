"""Finds what in a submission reaches for the checkers or the machinery below them, by reading its code.

This reports to a person; it proves nothing and stops nothing. Student code is not sandboxed.
"""

import ast
from collections.abc import Iterable, Iterator

from IPython.core.inputtransformer2 import TransformerManager

MACHINERY = {
    "__builtins__", "__import__", "builtins", "ctypes", "delattr", "eval", "exec", "gc", "get_ipython", "globals",
    "harness", "importlib", "inspect", "NotYet", "setattr", "subprocess", "_getframe", "__globals__", "__code__",
    "__dict__", "__subclasses__", "settrace", "meta_path", "vars", "_exit",
}  # fmt: skip


def suspicious(source: str, imported: Iterable[str] = ()) -> list[str]:
    """Return what a reader should look at in one code cell, in words; an empty list for ordinary code.

    Reported are the names through which Python replaces code at run time (`sys.modules`, `importlib`, `setattr`, ...),
    any mention of `gencourse.exercises`, and an assignment to an attribute of something imported (`np.abs = ...`).
    A cell that does not parse is not reported: it cannot run either.

    Args:
        source: the cell.
        imported: the names that other cells import.
    """
    tree = _parse(source)
    return list(dict.fromkeys([*_mentions(tree), *_assignments(tree, {*imported, *imported_names(source)})]))


def imported_names(source: str) -> set[str]:
    """Return the names that a code cell's import statements bind."""
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(_parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _parse(source: str) -> ast.AST:
    try:
        return ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


def _mentions(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _named(alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield from _named(f"{node.module or ''}.{alias.name}")
        elif isinstance(node, ast.Attribute):
            yield from _named(ast.unparse(node))
        elif isinstance(node, ast.Name):
            yield from _named(node.id)
        elif isinstance(node, ast.Constant) and node.value in MACHINERY | {"modules"}:  # getattr(sys, "modules")
            yield f'mentions "{node.value}"'


def _assignments(tree: ast.AST, imported: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            dotted = ast.unparse(node)
            if dotted.partition(".")[0] in imported:
                yield f"assigns to {dotted}"


def _named(dotted: str) -> Iterator[str]:
    """What is suspicious in a dotted name."""
    parts = dotted.split(".")
    if "gencourse.exercises" in dotted or parts[-1] == "exercises":
        yield "mentions gencourse.exercises"
    if "sys.modules" in dotted:
        yield "mentions sys.modules"
    yield from (f"mentions {part}" for part in parts if part in MACHINERY)
