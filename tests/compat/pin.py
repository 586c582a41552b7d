#!/usr/bin/env python3
"""Writes requirements.txt and requirements-deep.txt anew: the newest mlflow and what it needs, each
with version and hash.

    pin.py MLFLOW_VERSION      needs pip 23 or newer; look at the difference before you commit it
    pin.py --upstream 3.11.1   requirements-3.11.txt: what MLflow's own test files of that version need

mlflow's wheel holds all of mlflow-skinny and mlflow-tracing, so these two are left out, and their
requirements are taken from the newest release that the registry has: a registry which is a little
behind has mlflow days before the other two. For the same reason nothing resolves at installation
(--no-deps): the files are complete.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
CORE = ["pandas", "scikit-learn", "matplotlib", "pillow", "pytest", "pytest-timeout", "psycopg2-binary"]
DEEP = ["torch", "tensorboard", "lightning", "tensorflow-cpu", "keras"]
WHEELS = ["--only-binary", ":all:"]
INSIDE = ("mlflow-skinny", "mlflow-tracing")
# Of MLflow's test-requirements.txt, what the files in upstream.py import.
UPSTREAM = ["pytest==9.0.2", "pytest-asyncio", "pytest-timeout", "pytest-repeat", "pytest-cov", "psutil", "pillow",
            "plotly", "polars", "uv", "opentelemetry-exporter-otlp-proto-http",
            "opentelemetry-exporter-otlp-proto-grpc", "moto>=4.2.0,<5,!=4.2.5", "boto3", "litellm", "jinja2",
            "httpx", "Flask-WTF<2", "tqdm", "psycopg2-binary"]
# PyTorch on a CPU does without it, and its LLVM aborts a process that has TensorFlow's.
OMITTED = ("triton",)
HEAD = """# Written by pin.py. Wheels for CPython 3.11 on x86-64, as in Debian 12.
# pip install --no-deps --require-hashes --only-binary :all: -r this file
"""


def pip(*words):
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, stdout=sys.stderr)


def requirements_of(wheel):
    with zipfile.ZipFile(wheel) as z:
        name = next(n for n in z.namelist() if n.endswith(".dist-info/METADATA"))
        rows = z.read(name).decode().splitlines()
    wanted = [row.partition(": ")[2] for row in rows if row.startswith("Requires-Dist: ")]
    return [w for w in wanted if "extra ==" not in w and not w.startswith(INSIDE)]


def needed(version, scratch):
    pip("download", "-q", "--no-deps", *WHEELS, "-d", scratch, f"mlflow=={version}", *INSIDE)
    return sorted({row for wheel in scratch.glob("*.whl") for row in requirements_of(wheel)})


def resolve(wanted, scratch):
    """{name: (version, hash)} of everything that these requirements bring."""
    (scratch / "wanted.txt").write_text("\n".join(wanted))
    pip("install", "-q", "--dry-run", "--ignore-installed", *WHEELS, "--report", str(scratch / "report.json"),
        "-r", str(scratch / "wanted.txt"))
    report = json.loads((scratch / "report.json").read_text())
    return {i["metadata"]["name"].lower().replace("_", "-"):
            (i["metadata"]["version"], i["download_info"]["archive_info"]["hashes"]["sha256"])
            for i in report["install"] if i["metadata"]["name"] not in OMITTED}


def write(path, pins):
    rows = [f"{name}=={version} --hash=sha256:{digest}\n" for name, (version, digest) in sorted(pins.items())]
    path.write_text(HEAD + "".join(rows))


def upstream(version, scratch):
    pins = resolve([f"mlflow=={version}", *UPSTREAM], scratch)
    write(HERE / "requirements-3.11.txt", {n: p for n, p in pins.items() if n not in INSIDE})


def main():
    with tempfile.TemporaryDirectory() as place:
        scratch = pathlib.Path(place)
        if sys.argv[1] == "--upstream":
            return upstream(sys.argv[2], scratch)
        wanted = needed(sys.argv[1], scratch) + CORE
        everything = resolve(wanted + DEEP, scratch)
        core = set(resolve([*wanted, *(f"{n}=={v}" for n, (v, _) in everything.items() if n in CORE)], scratch))
        wheel = next(scratch.glob(f"mlflow-{sys.argv[1]}-*.whl"))
        digest = subprocess.run(["sha256sum", wheel], check=True, capture_output=True, text=True).stdout.split()[0]
        everything["mlflow"] = (sys.argv[1], digest)
        core.add("mlflow")
        write(HERE / "requirements.txt", {n: p for n, p in everything.items() if n in core})
        write(HERE / "requirements-deep.txt", {n: p for n, p in everything.items() if n not in core})


if __name__ == "__main__":
    main()
