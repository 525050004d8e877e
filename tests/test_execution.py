"""A notebook runs in this Python, its failures name the cell, and no kernel outlives it."""

import signal
import subprocess
import sys

import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from gencourse.execution import NotebookError, execute

FOREVER = "import threading; threading.Event().wait()"


def notebook_of(*sources):
    cells = [new_code_cell(source, id=f"cell-{index}") for index, source in enumerate(sources)]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "elsewhere", "display_name": "Elsewhere"}})


def run(notebook, tmp_path, **options):
    return execute(notebook, folder=tmp_path, **{"profile": "quick", "timeout": 30, **options})


def test_runs_in_this_python_whatever_the_notebook_names(tmp_path):
    notebook = notebook_of(
        "import os, sys\nprint(sys.executable)\nprint(os.getcwd())\nprint(os.environ['GENCOURSE_PROFILE'])"
    )
    notebook.cells.insert(0, new_markdown_cell("text"))
    seen = []
    seconds = run(notebook, tmp_path, on_cell=lambda done, total: seen.append((done, total)))
    assert notebook.cells[1].outputs[0].text.split() == [sys.executable, str(tmp_path), "quick"]
    assert notebook.cells[1].execution_count == 1
    assert seen == [(0, 2), (1, 2), (2, 2)]
    assert seconds > 0


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("raise ValueError('too small')", "Cell 'cell-1' stopped with ValueError: too small"),
        (FOREVER, "Cell 'cell-1' did not stop within 4 seconds"),
        ("import os; os._exit(1)", "Cell 'cell-1' ended its kernel"),
    ],
)
def test_failure_names_the_cell(tmp_path, source, sentence):
    notebook = notebook_of("1", source, "2")
    with pytest.raises(NotebookError, match=sentence) as caught:
        run(notebook, tmp_path, timeout=4)
    assert caught.value.cell_id == "cell-1"
    assert notebook.cells[2].execution_count is None


def test_keep_going_runs_what_follows_a_failure(tmp_path):
    notebook = notebook_of("1 / 0", FOREVER, "print('reached')")
    run(notebook, tmp_path, timeout=4, keep_going=True)
    assert notebook.cells[0].outputs[0].ename == "ZeroDivisionError"
    assert notebook.cells[1].outputs[-1].ename == "CellTimeoutError"
    assert notebook.cells[2].outputs[0].text == "reached\n"


INTERRUPTED = """
import signal, sys
from pathlib import Path
from nbformat.v4 import new_code_cell, new_notebook
from gencourse.execution import execute

signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background ignores it
endless = new_code_cell("import threading; threading.Event().wait()", id="b")
endless = new_notebook(cells=[new_code_cell("1", id="a"), endless])
try:
    execute(endless, folder=Path(), profile="quick", timeout=600, on_cell=lambda done, total: print(done, flush=True))
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to another process")
def test_interrupt_leaves_no_kernel_behind(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "0\n"
    assert process.stdout.readline() == "1\n"  # the second cell is under way
    kernels = psutil.Process(process.pid).children(recursive=True)
    assert kernels
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert said == "interrupted\n"
    _, alive = psutil.wait_procs(kernels, timeout=10)
    assert not alive
