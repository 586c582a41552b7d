#!/usr/bin/env python3
"""MLflow's own test files against a running Slipway: passes per file beside the ceiling, which is what
MLflow's own server of that version passes when it, too, runs in another process.

    upstream.py [--file PART]… [--all] BUILD [-- PYTEST WORDS…]

The files are MLflow's and are not here: SLIPWAY_MLFLOW_SOURCE names a source tree of 3.11 (mlflow/ and
tests/). Without it, or without the environment (requirements-3.11.txt), it says so and ends 77. worlds.py
is the plugin that leads the files here. --all: the files without a ceiling, too.

Some files read their artifacts from the disk. Only a build with SLIPWAY_FILE_ROOT=ON names locations
there (cmake -B build/file-root -DSLIPWAY_FILE_ROOT=ON -DSLIPWAY_TESTS=OFF); with another one they are
left out. The others use the artifact proxy in both.

Ends 1 when a file is below its floor, which is what passed when it was committed, and when anything was
answered with status 500.
"""

import argparse
import collections
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

# file → what MLflow's own server 3.11.1.dev0 passes, what is asked for here, and whether it reads the disk.
CEILING = {
    "tracking/test_rest_tracking.py": (140, 97, False),
    "tracking/test_model_registry.py": (48, 48, False),
    "tracking/fluent/test_fluent.py": (125, 125, False),
    "tracking/test_tracking.py": (82, 82, True),
    "tracking/test_log_image.py": (50, 50, True),
    "tracking/test_log_figure.py": (6, 6, True),
    "tracking/test_artifact_utils.py": (7, 7, True),
    "tracking/_model_registry/test_model_registry_fluent.py": (14, 14, False),
}
OUTCOMES = ("passed", "skipped", "failed")
FURTHER = (
    "tracking/test_client_webhooks.py", "server/test_otel_api.py", "tracing/test_fluent.py",
    "tracing/test_assessment.py", "genai/datasets/test_fluent.py", "genai/prompts/test_prompts.py",
    "sklearn/test_sklearn_autolog.py", "store/model_registry/test_sqlalchemy_store.py",
    "store/tracking/test_sqlalchemy_store_issues.py")


def source():
    named = os.environ.get("SLIPWAY_MLFLOW_SOURCE")
    if named and (pathlib.Path(named) / "tests/conftest.py").exists():
        return pathlib.Path(named).resolve()
    print("compat: SLIPWAY_MLFLOW_SOURCE names no source tree of mlflow 3.11: its own tests are left out",
          file=sys.stderr)
    return None


def environment():
    made = subprocess.run([HERE / "environment", "--upstream"], stdout=subprocess.PIPE, text=True)
    return pathlib.Path(made.stdout.strip()) if made.returncode == 0 else None


def knows_file_root(build):
    return "file_root" in subprocess.run([ROOT / build / "bin/slipwayd", "config"], capture_output=True, text=True).stdout


def outcome(case):
    said = {child.tag for child in case}
    return "failed" if said & {"failure", "error"} else "skipped" if "skipped" in said else "passed"


class Run:
    """One server, one copy of the tree: the tests write where they stand."""

    def __init__(self, server, venv, tree, place, words):
        self.server, self.venv, self.place, self.words = server, venv, place, words
        self.report, self.errors = place / "report.xml", place / "status-500"
        (place / "tmp").mkdir()
        for name in ("mlflow", "tests", "pyproject.toml"):
            subprocess.run(["cp", "-r", tree / name, place], check=True)

    def environment(self):
        words = client_environment(self.server, self.venv)
        del words["MLFLOW_TRACKING_URI"], words["MLFLOW_TRACKING_TOKEN"]
        return {**words, "PYTHONPATH": f"{self.place}:{HERE}", "REQUESTS_CA_BUNDLE": str(self.server.ca),
                "_MLFLOW_GO_STORE_TESTING": "true", "UPSTREAM_URL": self.server.url,
                "UPSTREAM_SLIPWAYD": str(self.server.bin / "slipwayd"),
                "UPSTREAM_CONFIG": str(self.server.config), "UPSTREAM_REPORT": str(self.errors)}

    def file(self, name):
        """How many of the file's tests passed, failed and were skipped."""
        self.report.unlink(missing_ok=True)
        subprocess.run(
            [self.venv / "bin/python", "-m", "pytest", "-p", "worlds", "-p", "no:cacheprovider", "-q",
             "--tb=short", "--no-showlocals", "--timeout=120", "--color=no", "--basetemp", self.place / "tmp/pytest",
             "--junit-xml", self.report, f"tests/{name}", *self.words], cwd=self.place, env=self.environment())
        # A test that fails and then fails to tidy up has two entries.
        worst = collections.defaultdict(lambda: "passed")
        for case in xml.etree.ElementTree.parse(self.report).getroot().iter("testcase") if self.report.exists() else ():
            key = case.get("classname"), case.get("name")
            worst[key] = max(worst[key], outcome(case), key=OUTCOMES.index)
        return collections.Counter(worst.values())


def table(rows):
    print(f"{'passed':>7}{'ceiling':>9}{'failed':>8}{'skipped':>9}  file")
    for name, count in rows.items():
        ceiling = CEILING[name][0] if name in CEILING else ""
        print(f"{count['passed']:>7}{ceiling:>9}{count['failed']:>8}{count['skipped']:>9}  {name}")
    counted = [name for name in rows if name in CEILING]
    print(f"{sum(rows[n]['passed'] for n in counted):>7}{sum(CEILING[n][0] for n in counted):>9}  in all")


def run_group(args, venv, tree, files, disk):
    """{file: counts}, and a line for each answer of status 500."""
    with tempfile.TemporaryDirectory(prefix="slipway-upstream") as name:
        options = {"file_root": f"file://{name}/tmp/"} if disk else {}
        with Slipway(args.build, options, people=False) as server:
            run = Run(server, venv, tree, pathlib.Path(name), args.words)
            rows = {file: run.file(file) for file in files}
        return rows, run.errors.read_text() if run.errors.exists() else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--file", action="append", default=[])
    parser.add_argument("--all", action="store_true")
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    tree, venv = source(), None
    if tree is None or (venv := environment()) is None:
        return 77
    files = [f for f in (*CEILING, *(FURTHER if args.all or args.file else ()))
             if not args.file or any(part in f for part in args.file)]
    rows, errors = {}, ""
    for disk in (False, True):
        group = [f for f in files if CEILING.get(f, (0, 0, False))[2] == disk]
        if group:
            if disk and not knows_file_root(args.build):
                print(f"compat: {args.build} knows no file_root: {len(group)} files are left out", file=sys.stderr)
                continue
            found, said = run_group(args, venv, tree, group, disk)
            rows, errors = {**rows, **found}, errors + said
    table(rows)
    print(f"answers of status 500: {len(errors.splitlines())}\n{errors}", end="")
    low = [n for n in rows if n in CEILING and rows[n]["passed"] < CEILING[n][1] and not args.words]
    return 1 if low or errors else 0


if __name__ == "__main__":
    sys.exit(main())
