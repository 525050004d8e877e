"""The committed notebooks keep the course's form; what is in them is run by nbval, not here."""

import base64
import importlib
import json
import re
import shutil
import subprocess
import warnings
from pathlib import Path

import nbformat
import pytest

from gencourse.course import PARTS, catalogue
from tools import documents
from tools.notebooks import canonical, code_hash, linked

ROOT = Path(__file__).resolve().parents[1]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST = 400_000  # bytes
LONGEST_CELL = 40  # lines
SLOWEST = 600  # seconds of a full run on two cores
STRAY_PATH = re.compile(r"/(home|root|Users|tmp|work)/|site-packages|[A-Z]:\\Users")

topic_ids = {row["id"] for row in documents.rows(ROOT, "topics.csv")}


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_course_has_notebooks():
    assert {path.stem[:2] for path in PATHS} >= {"00", "10", "11", "12", "13", "14"}


def test_form_is_canonical_and_valid(path, notebook):
    assert re.fullmatch(r"\d\d_[a-z0-9_]+", path.stem)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nbformat.validate(json.loads(path.read_text(encoding="utf-8")))
    assert path.read_text(encoding="utf-8") == canonical(notebook), "run `make format`"
    assert path.stat().st_size <= LARGEST
    assert notebook.metadata.language_info.name == "python"  # ruff passes any other notebook unread


def test_metadata_is_complete(path, notebook):
    facts = notebook.metadata["gencourse"]
    assert set(facts) == {
        "number", "title", "part", "objectives", "prerequisites", "topics", "sources", "execution",
    }  # fmt: skip
    assert facts["number"] == path.stem[:2]
    assert facts["part"] == PARTS[int(facts["number"][0])]
    assert 2 <= len(facts["objectives"]) <= 6
    assert facts["sources"]
    assert set(facts["topics"]) <= topic_ids
    assert set(facts["prerequisites"]) <= {notebook.number for notebook in catalogue()}


def test_cell_ids_are_names_given_by_hand(notebook):
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", cell_id) for cell_id in ids)
    assert ids[:4] == ["title", "at-a-glance", "colab", "setup"]
    assert ids[-1] == "navigation"


def test_outputs_are_of_a_full_run_of_this_code(notebook):
    """Every code cell ran, in order, without an error, in the full profile, and has not changed since."""
    execution = notebook.metadata["gencourse"]["execution"]
    assert execution["profile"] == "full"
    assert execution["code_hash"] == code_hash(notebook), "the code changed since: run `make execute`"
    assert 0 < execution["seconds"] <= SLOWEST
    ran = [cell for cell in code_cells(notebook) if cell.source.strip()]
    assert [cell.execution_count for cell in ran] == list(range(1, len(ran) + 1))
    assert not [output for cell in ran for output in cell.outputs if output.output_type == "error"]
    assert not [output for cell in ran for output in cell.outputs if output.get("name") == "stderr"]


def test_nothing_of_a_machine_in_source_or_output(notebook):
    for cell in notebook.cells:
        texts = [cell.source]
        for output in cell.get("outputs", []):
            texts += [output.get("text", ""), *(v for k, v in output.get("data", {}).items() if k.startswith("text"))]
        for text in texts:
            assert not STRAY_PATH.search(text), f"{cell.id}: {STRAY_PATH.search(text)[0]}"


def test_cells_are_short_and_pictures_frequent(notebook):
    since_figure = 0
    for cell in code_cells(notebook):
        assert len(cell.source.splitlines()) <= LONGEST_CELL, cell.id
        if cell.id == "colab" or "nbgrader" in cell.metadata:
            continue
        has_figure = any(key.startswith("image/") for output in cell.outputs for key in output.get("data", {}))
        since_figure = 0 if has_figure else since_figure + 1
        assert since_figure <= 6, f"no figure in the six code cells up to {cell.id}"


def test_every_figure_has_alternative_text(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for key in output.get("data", {}):
                if key.startswith("image/"):
                    assert output.metadata.get(key, {}).get("alt", "").strip(), f"{cell.id}: use plots.show"
                    assert len(base64.b64decode(output.data[key])) <= 100_000, f"{cell.id} shows over 100 KB"


def test_house_shape(notebook):
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert prose.count("Predict, then run") >= 2 or notebook.metadata["gencourse"]["number"] == "00"
    assert re.search(r"^## (What the printed version got wrong|A common mistake)", prose, re.M)
    assert re.search(r"^## Summary", prose, re.M)
    assert re.search(r"^## Limits", prose, re.M)
    assert re.search(r"^## Further reading", prose, re.M)
    assert not re.findall(r"\b(?:simply|just|easily)\b", prose, re.I)


def test_exercises_come_last_with_solution_and_check(notebook):
    graded = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    solutions = [cell for cell in graded if cell.metadata.nbgrader.solution]
    checks = [cell for cell in graded if cell.metadata.nbgrader.grade]
    assert len(solutions) == len(checks) >= 3
    for cell in solutions:
        assert "### BEGIN SOLUTION" in cell.source
        assert "### END SOLUTION" in cell.source
        assert cell.metadata.jupyter.source_hidden
    for cell in checks:
        assert cell.metadata.nbgrader.locked
        assert cell.metadata.nbgrader.points >= 1
    first = notebook.cells.index(graded[0])
    assert not [cell.id for cell in notebook.cells[first:] if cell.cell_type == "code" and cell not in graded]


def test_links_lead_somewhere(path, notebook):
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", cell.source):
            if not target.startswith("http"):
                assert (path.parent / target).exists(), f"{cell.id} links to {target}"


def test_generated_cells_are_in_step(path, notebook):
    assert canonical(linked(path)) == canonical(notebook), "run `make format`"


def test_pages_are_in_step():
    for name, text in documents.linked_pages(ROOT).items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, f"{name}: run `make format`"
    for name, picture in documents.gallery_pictures(ROOT).items():
        assert (ROOT / name).read_bytes() == picture, f"{name}: run `make format`"
    assert (ROOT / "RESULTS.md").read_text(encoding="utf-8") == documents.results_page(PATHS), "run `make format`"


def test_quick_results_are_never_recorded(tmp_path):
    result = {"id": "a-b", "profile": "quick", "value": 1.0}
    output = {"output_type": "execute_result", "data": {documents.MIME_TYPE: result}}
    path = tmp_path / "12_topic.ipynb"
    path.write_text(json.dumps({"cells": [{"outputs": [output]}]}))
    with pytest.raises(ValueError, match="not from a full run"):
        documents.results_page([path])


def test_links_in_pages_lead_somewhere():
    for page in [*ROOT.glob("*.md"), ROOT / "data" / "README.md"]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_printed_symbols_map_to_what_exists():
    for row in documents.rows(ROOT, "printed_symbols.csv"):
        if row["fixed"]:
            module, _, name = row["fixed"].rpartition(".")
            assert hasattr(importlib.import_module(module), name), row
            path, _, function = row["test"].partition("::")
            assert f"def {function}(" in (ROOT / path).read_text(encoding="utf-8"), row


@pytest.mark.skipif(shutil.which("git") is None, reason="no git on the path")
def test_tracked_tree_is_small():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sizes = [(ROOT / name).stat().st_size for name in names.split("\0") if name and (ROOT / name).is_file()]
    assert sum(sizes) < 60e6
