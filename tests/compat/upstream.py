#!/usr/bin/env python3
"""MLflow's own test files against a running Slipway: passes per file beside the ceiling, which is what
MLflow's own server of that version passes when it, too, runs in another process.

    upstream.py BUILD [--file PART]… [-- PYTEST WORDS…]

The files are MLflow's and are not here: SLIPWAY_MLFLOW_SOURCE names a source tree of 3.11 (mlflow/ and
tests/). Without it, or without the environment (requirements-3.11.txt), it says so and ends 77. worlds.py
is the plugin that leads the files here.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from servers import Slipway, client_environment  # noqa: E402
from stack import ROOT  # noqa: E402

# file → what MLflow's own server 3.11.1.dev0 passes from another process; None = not counted there.
CEILING = {
    "tracking/test_rest_tracking.py": 140,
    "tracking/test_model_registry.py": 48,
    "tracking/fluent/test_fluent.py": 125,
    "tracking/test_tracking.py": 82,
    "tracking/test_log_image.py": 50,
    "tracking/test_log_figure.py": 6,
    "tracking/test_artifact_utils.py": 7,
    "tracking/_model_registry/test_model_registry_fluent.py": 14,
}


def source():
    named = os.environ.get("SLIPWAY_MLFLOW_SOURCE")
    if not named or not (pathlib.Path(named) / "tests/conftest.py").exists():
        print("compat: SLIPWAY_MLFLOW_SOURCE names no source tree of mlflow 3.11: its own tests are left out",
              file=sys.stderr)
        return None
    return pathlib.Path(named).resolve()


def environment():
    made = subprocess.run([HERE / "environment", "--upstream"], stdout=subprocess.PIPE, text=True)
    return pathlib.Path(made.stdout.strip()) if made.returncode == 0 else None


def copy_of(tree, place):
    """The tests write where they stand: they get a copy."""
    for name in ("mlflow", "tests", "pyproject.toml"):
        subprocess.run(["cp", "-r", tree / name, place], check=True)
    return place


def variables(server, venv, tree, place):
    words = client_environment(server, venv)
    del words["MLFLOW_TRACKING_URI"], words["MLFLOW_TRACKING_TOKEN"]
    return {**words, "PYTHONPATH": f"{tree}:{HERE}", "PYTHONDONTWRITEBYTECODE": "1", "REQUESTS_CA_BUNDLE": str(server.ca),
            "_MLFLOW_GO_STORE_TESTING": "true", "UPSTREAM_URL": server.url, "UPSTREAM_SLIPWAYD": str(server.bin / "slipwayd"),
            "UPSTREAM_CONFIG": str(server.config), "UPSTREAM_REPORT": str(place / "status-500")}


def file_root(build, place):
    """The option that a build with SLIPWAY_FILE_ROOT=ON knows: artifacts on the tests' own disk."""
    said = subprocess.run([ROOT / build / "bin/slipwayd", "config"], capture_output=True, text=True).stdout
    return {"file_root": f"file://{place}/tmp/"} if "file_root" in said else {}


def run_file(venv, tree, env, file, place, words):
    report = place / "report.xml"
    report.unlink(missing_ok=True)
    (place / "tmp").mkdir(exist_ok=True)
    subprocess.run([venv / "bin/python", "-m", "pytest", "-p", "worlds", "-p", "no:cacheprovider", "-q", "-rfE",
                    "--tb=short", "--showlocals" if "-v" in words else "--no-showlocals", "--basetemp", place / "tmp/pytest", "--timeout=120", "--color=no", "--junit-xml", report, f"tests/{file}", *words],
                   cwd=tree, env=env)
    if not report.exists():
        return None
    cases = list(xml.etree.ElementTree.parse(report).getroot().iter("testcase"))
    bad = {case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None}
    skipped = {case.get("name") for case in cases if case.find("skipped") is not None}
    return len({case.get("name") for case in cases} - bad - skipped), len(bad), len(skipped)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--file", action="append", default=[])
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    tree, venv = source(), environment()
    if tree is None or venv is None:
        return 77
    files = [f for f in CEILING if not args.file or any(part in f for part in args.file)]
    with tempfile.TemporaryDirectory(prefix="slipway-upstream") as name, Slipway(args.build, file_root(args.build, name), people=False) as server:
        place = pathlib.Path(name)
        copy = copy_of(tree, place)
        env = variables(server, venv, copy, place)
        rows = [(file, run_file(venv, copy, env, file, place, args.words)) for file in files]
        for file, counts in rows:
            print(file, counts, CEILING[file])
        report = place / "status-500"
        print(report.read_text() if report.exists() else "no 500")


if __name__ == "__main__":
    sys.exit(main())
