"""Set up and drive the course on Linux, macOS and Windows.

    python tools/make.py lab | test | quick | execute NB | format | data

Every verb first makes sure that .venv holds the locked packages, then runs there. Like installation.py, this
file keeps to Python 3.6.
"""

import argparse
import os
import socket
import subprocess
import sys

from installation import ROOT, environment, prepare, say

WORKERS = ["-n", "2"]  # a TensorFlow notebook takes about 640 MB
NOTEBOOKS = ["pytest", "notebooks", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120"]
NOTEBOOKS += [*WORKERS, "--dist", "loadscope"]  # one worker runs a whole notebook
STAGES = {  # verb: {stage: module and arguments}
    "test": {
        "lint": ["ruff", "check"],
        "layout": ["ruff", "format", "--check"],
        "package": ["pytest", "tests", *WORKERS],
        "notebooks": NOTEBOOKS,
    },
    "quick": {"notebooks": NOTEBOOKS},
    "execute": {"execute": ["tools.notebooks", "execute"]},
    "format": {
        "lint": ["ruff", "check", "--fix"],
        "layout": ["ruff", "format"],
        "cells": ["tools.notebooks", "format"],
        "links": ["tools.notebooks", "link"],
        "results": ["tools.notebooks", "harvest"],
    },
    "data": {"data": ["tools.build_data"]},
}


def refuse_port(port):
    """Exit with one line where JupyterLab could not listen on this port."""
    if not 1 <= port <= 65535:
        sys.exit(f"make: port {port} does not exist; choose one from 1 to 65535")
    with socket.socket() as listener:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as JupyterLab does
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            sys.exit(f"make: port {port} is taken; choose another, or leave --port out and a free one is found")


def lab_command(python, port=None, browser=True):
    """Return the command that serves JupyterLab, on this machine only, with the first notebook open."""
    command = [python, "-m", "jupyterlab", "notebooks/00_start_here.ipynb", "--ServerApp.root_dir=."]
    command.append("--ip=127.0.0.1")
    if port is not None:
        command += [f"--port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        command.append("--no-browser")
    if os.name == "posix" and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def lab(port, browser, gpu):
    if port is not None:
        refuse_port(port)
    command = lab_command(prepare(["lab"], gpu), port, browser)
    if "--allow-root" in command:
        say("running as root: JupyterLab is started with --allow-root")
    if os.name == "posix":
        os.chdir(str(ROOT))
        os.execve(command[0], command, environment())  # signals then reach JupyterLab itself
    return subprocess.call(command, cwd=str(ROOT), env=environment())


def run(verb, *extra):
    """Run every stage of a verb, report each, and return the exit code of the first that failed."""
    python = prepare(["lab", "dev"])
    report = {}
    for stage, arguments in STAGES[verb].items():
        say(stage)
        settings = {"GENCOURSE_PROFILE": "quick"} if stage == "notebooks" else {}
        if WORKERS[0] in arguments:  # two workers whose threads fight are slower than two that do not
            settings.update(OMP_NUM_THREADS="1", TF_NUM_INTRAOP_THREADS="1")
        env = environment(TF_CPP_MIN_LOG_LEVEL="3", **settings)
        report[stage] = subprocess.call([python, "-m", *arguments, *extra], cwd=str(ROOT), env=env)
    say(", ".join(f"{stage}: {f'FAILED ({code})' if code else 'passed'}" for stage, code in report.items()))
    return next((code for code in report.values() if code), 0)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="make", description="Set up and drive the course.")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    lab_parser = verbs.add_parser("lab", help="open JupyterLab on the first notebook")
    lab_parser.add_argument("--gpu", action="store_true", help="install TensorFlow with CUDA (Linux)")
    lab_parser.add_argument("--port", type=int, help="serve on this port (default: the first free one from 8888)")
    lab_parser.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    verbs.add_parser("test", help="lint, run the package tests, then every notebook in the quick profile")
    verbs.add_parser("quick", help="run every notebook in the quick profile")
    execute = verbs.add_parser("execute", help="run one notebook in the full profile and keep its outputs")
    execute.add_argument("notebook", metavar="NB", help="its number, for example 21")
    verbs.add_parser("format", help="format code and notebooks, renew links and RESULTS.md")
    verbs.add_parser("data", help="rebuild the data sets")
    options = parser.parse_args(arguments)
    if options.verb is None:
        parser.print_help()
        return 0
    if options.verb == "lab":
        return lab(options.port, not options.no_browser, options.gpu)
    return run(options.verb, *([options.notebook] if options.verb == "execute" else []))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("make: interrupted; the same command starts again from a sound state")
