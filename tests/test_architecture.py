"""The design's arrows and sizes, checked by reading the source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "gencourse"

FAMILIES = {
    "foundations", "autoencoders", "gans", "flows", "autoregressive", "diffusion",
    "language", "images", "music", "video", "multimodal", "control",
}  # fmt: skip
TIERS = (
    {
        "course",
        "results",
        "weights",
        "guard",
        "generative_model",
        "layers",
        "metrics",
        "callbacks",
        "plots",
        "datasets",
    },
    {"networks"},
    FAMILIES,
    {"recipes", "practice", "studio", "exercises"},
    {"execution", "classroom", "grading", "health", "cli"},
)
OPEN_TIERS = (0, 4)  # within these a module may import its neighbours
LONGEST_FILE = 400
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "common.py", "misc.py"}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def tier_of(module: str) -> int:
    """The tier of a top-level module of the package; a module the design does not name fails here."""
    found = [index for index, modules in enumerate(TIERS) if module in modules]
    assert found, f"gencourse/{module} is in no tier: name it in tests/test_architecture.py and in the design"
    return found[0]


def imported_modules(path: Path) -> Iterator[str]:
    """The top-level modules of the package that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "gencourse" else [module]
        for name in names:
            parts = name.split(".")
            if parts[0] == "gencourse" and len(parts) > 1 and parts[1] != "__version__":
                yield parts[1]


def may_import(importer: str, imported: str) -> bool:
    """Whether the arrow importer → imported points the design's way."""
    low, high = tier_of(imported), tier_of(importer)
    return importer == imported or low < high or (low == high and high in OPEN_TIERS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    importer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if importer == "__init__":
        assert not list(imported_modules(path)), "gencourse/__init__.py stays empty, so that the import is quick"
        return
    wrong = [imported for imported in imported_modules(path) if not may_import(importer, imported)]
    assert not wrong, f"{importer} must not import {wrong}"


def test_rule_knows_wrong_arrows():
    assert not may_import("plots", "autoencoders")
    assert not may_import("gans", "flows")
    assert not may_import("recipes", "exercises")
    assert may_import("recipes", "gans")
    assert may_import("gans", "networks")


@pytest.mark.parametrize("folder", ["gencourse", "tests", "tools"])
def test_files_are_short_and_named_by_what_they_hold(folder):
    for path in (ROOT / folder).rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= LONGEST_FILE, f"{path.relative_to(ROOT)} has {lines} lines"
        assert path.name not in FORBIDDEN_NAMES, path


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "__init__.py"], ids=str)
def test_init_files_only_reexport(path):
    body = ast.parse(path.read_text(encoding="utf-8")).body
    allowed = (ast.ImportFrom, ast.Assign)
    extra = [node for node in body[1:] if not isinstance(node, allowed)]
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path} has no docstring"
    assert not extra, f"{path} holds more than imports"


def public_definitions(tree: ast.Module) -> Iterator[ast.AST]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    item for item in node.body if isinstance(item, ast.FunctionDef) and not item.name.startswith("_")
                )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_definitions_have_docstrings(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{path} has no docstring"
    bare = [node.name for node in public_definitions(tree) if not ast.get_docstring(node)]
    assert not bare, f"{path.relative_to(ROOT)}: {bare} lack a docstring"


def test_plots_and_toy_densities_do_not_import_tensorflow():
    for path in [*PACKAGE.glob("plots/*.py"), PACKAGE / "datasets" / "toy.py"]:
        assert not re.search(r"^\s*(import|from) (tensorflow|keras)", path.read_text(encoding="utf-8"), re.M), path
