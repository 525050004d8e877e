"""A learner's first minute: JupyterLab opens notebook 00 in Chromium, runs it to its end and shows a picture."""

import os
import shutil
import socket
import subprocess
import sys

import nbformat
import pytest
import requests
from installation import ROOT
from make import lab_command
from playwright.sync_api import expect, sync_playwright
from urllib3.util import Retry

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
MINUTE = 60_000  # milliseconds
ERROR = '[data-mime-type="application/vnd.jupyter.error"]'
FINISHED = """error => {
    const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];  // a collapsed cell's is empty
    return document.querySelector(error) || /\\[\\d+\\]/.test(prompts.at(-1).textContent);
}"""
PICTURES = "images => images.filter(image => image.naturalWidth > 100).length"


def wait_for_server(port):
    """Return as soon as the server answers; connections are retried at growing intervals for about a minute."""
    session = requests.Session()
    session.mount(
        "http://", requests.adapters.HTTPAdapter(max_retries=Retry(total=16, backoff_factor=0.1, backoff_max=5))
    )
    session.get(f"http://127.0.0.1:{port}/api").raise_for_status()


@pytest.fixture
def lab_address(tmp_path):
    """Serve a copy of the notebooks, first one without outputs, and return the address that opens it."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    first = tmp_path / "notebooks" / "00_start_here.ipynb"
    notebook = nbformat.read(first, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, first)

    config = tmp_path / "config"
    settings = config / "lab" / "user-settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # Off-screen cells stay in the page, so that the test can read them all.
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    environment = {
        "GENCOURSE_PROFILE": "quick",
        "GENCOURSE_DATA": str(ROOT / "data"),
        "JUPYTER_TOKEN": "test",
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }
    command = lab_command(sys.executable, port, browser=False)
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, cwd=tmp_path, env={**os.environ, **environment}, stderr=log) as server,
    ):
        try:
            wait_for_server(port)
            yield f"http://127.0.0.1:{port}/lab/tree/notebooks/00_start_here.ipynb?token=test"
        finally:
            server.terminate()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path")
def test_the_first_notebook_runs_to_its_end_and_shows_a_picture(lab_address):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(3 * MINUTE)
        page.goto(lab_address)
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=2 * MINUTE)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.wait_for_function(FINISHED, arg=ERROR)

        errors = page.locator(ERROR)
        assert errors.count() == 0, errors.first.inner_text()
        pictures = page.locator(".jp-OutputArea-output img")
        assert pictures.evaluate_all(PICTURES) > 0
        pictures.first.scroll_into_view_if_needed()
        expect(pictures.first).to_be_visible()
        browser.close()
