#!/usr/bin/env python3
"""The unmodified mlflow of PyPI against a running Slipway: its certificate, a token, every request the
client makes. The pins are requirements.txt; the tests are test_*.py, run by pytest inside the environment.

    run.py BUILD [--only-deep | --deep] [--peer] [-- PYTEST WORDS…]

--peer runs the same tests against MLflow's own server: a test that passes there and fails here names
a difference of ours, and one that fails there expects the wrong thing. --only-deep runs the training
scripts of PyTorch and Keras alone, where their environment is there (SLIPWAY_COMPAT_DEEP=1 makes it).
Ends 77 where the environment cannot be made, with the reason.
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
from servers import Peer, Slipway, client_environment, find_environment  # noqa: E402

DEEP = "test_deep.py"


def counts(report):
    """The closing lines in cmocka's words: the launcher adds up the cases of every kind of test."""
    suite = xml.etree.ElementTree.parse(report).getroot().find("testsuite")
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    skipped = int(suite.get("skipped"))
    print(f"[  PASSED  ] {int(suite.get('tests')) - failed - skipped} test(s).")
    for word, count in (("FAILED ", failed), ("SKIPPED", skipped)):
        if count:
            print(f"[  {word} ] {count} test(s).")


def run_pytest(venv, server, args):
    with tempfile.TemporaryDirectory(prefix="slipway-compat") as place:
        report = pathlib.Path(place) / "report.xml"
        files = [HERE / DEEP] if args.only_deep else [HERE]
        if not args.deep and not args.only_deep:
            files.append(f"--ignore={HERE / DEEP}")
        status = subprocess.run(
            [venv / "bin/python", "-m", "pytest", "-c", HERE / "pytest.ini", "-p", "no:cacheprovider",
             "--junit-xml", report, *files, *args.words], cwd=place,
            env=client_environment(server, venv)).returncode
        if report.exists():
            counts(report)
        return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--only-deep", action="store_true")
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    deep = args.deep or args.only_deep
    venv = find_environment(deep, only_if_there=deep and not os.environ.get("SLIPWAY_COMPAT_DEEP"))
    if venv is None:
        return 77
    with Peer(venv) if args.peer else Slipway(args.build) as server:
        status = run_pytest(venv, server, args)
        if status and not args.peer:
            print(f"--- slipwayd\n{server.log('slipwayd', 40)}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
