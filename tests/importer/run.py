#!/usr/bin/env python3
"""slipway-import against a running Slipway: an mlruns directory, event files, and another server over
MLflow's REST API (the first project of the same Slipway serves as that). Each is imported twice, and
once more after being killed in the middle: nothing may be missing, nothing may come twice.

    run.py BUILD
"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "crash")]
from crash import Checks as Plain  # noqa: E402
from stack import Stack  # noqa: E402

NOW = 1_760_000_000_000
RUNS = [f"{n:032x}" for n in range(1, 5)]
MODEL = "m-" + "7" * 32


# ---- sources made by hand, as the formats are documented ----

def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def make_run(root, experiment, number, lifecycle="active"):
    run = root / experiment / RUNS[number]
    write(run / "meta.yaml", f"artifact_uri: file:///elsewhere/{RUNS[number]}/artifacts\n"
          f"end_time: {NOW + 60000 + number}\nentry_point_name: ''\nexperiment_id: '{experiment}'\n"
          f"lifecycle_stage: {lifecycle}\nrun_id: {RUNS[number]}\nrun_name: brave-{number}\n"
          f"run_uuid: {RUNS[number]}\nsource_name: ''\nsource_type: 4\nsource_version: ''\n"
          f"start_time: {NOW + number}\nstatus: {3 if number % 2 == 0 else 4}\ntags: []\nuser_id: ada\n")
    write(run / "params/lr", f"0.{number + 1}")
    write(run / "params/model/depth", "12")
    write(run / "tags/mlflow.runName", f"brave-{number}")
    write(run / "tags/ünïcode tag", "wert mit\nzeile")
    steps = "".join(f"{NOW + s} {1 / (s + 1)!r} {s}\n" for s in range(1500))
    write(run / "metrics/train/loss", steps)
    write(run / "metrics/odd", f"{NOW} nan 0\n{NOW} inf 1\n{NOW} -inf 2\nnot a metric\n")
    write(run / "artifacts/model/MLmodel", "flavors: {}\n")
    write(run / "artifacts/plots/a file with spaces + 100%.txt", f"picture {number}\n")
    return run


def make_mlruns(root):
    for experiment, name in (("0", "Default"), ("421", "digits / ünïcode")):
        write(root / experiment / "meta.yaml", f"artifact_location: file:///elsewhere\ncreation_time: {NOW}\n"
              f"experiment_id: '{experiment}'\nlast_update_time: {NOW}\nlifecycle_stage: active\nname: {name}\n")
    write(root / "421/tags/owner", "ada")
    make_run(root, "421", 0)
    child = make_run(root, "421", 1)
    write(child / "tags/mlflow.parentRunId", RUNS[2])  # a parent that began later than its child
    make_run(root, "421", 2)
    make_run(root, "421", 3, lifecycle="deleted")
    logged = root / "421/models" / MODEL
    write(logged / "meta.yaml", f"artifact_location: file:///elsewhere\ncreation_timestamp: {NOW}\n"
          f"experiment_id: '421'\nmodel_id: {MODEL}\nmodel_type: ''\nname: net\nsource_run_id: {RUNS[0]}\nstatus: 2\n")
    write(logged / "params/width", "64")
    write(logged / "artifacts/MLmodel", "flavors: {}\n")
    model = root / "models/classifier"
    write(model / "meta.yaml", f"aliases: {{}}\ncreation_timestamp: {NOW}\ndescription: of digits\n"
          f"last_updated_timestamp: {NOW}\nlatest_versions: []\nname: classifier\n")
    write(model / "aliases/champion", "2")
    for version, source in ((1, f"file:///elsewhere/421/{RUNS[0]}/artifacts/model"),
                            (2, f"models:/{MODEL}"), (3, "s3://bucket/unknown/model")):
        write(model / f"version-{version}/meta.yaml", f"creation_timestamp: {NOW}\ncurrent_stage: "
              f"{'Production' if version == 1 else 'None'}\ndescription: number {version}\nname: classifier\n"
              f"source: {source}\nversion: {version}\n")
        write(model / f"version-{version}/tags/checked", "yes")


def crc(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def part(number, data):
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def event(wall, step, *values):
    summary = b"".join(part(1, value) for value in values)
    return b"\x09" + struct.pack("<d", wall) + b"\x10" + varint(step) + (part(5, summary) if values else b"")


def scalar(tag, value):
    return part(1, tag.encode()) + b"\x15" + struct.pack("<f", value)


def tensor(tag, value):
    return part(1, tag.encode()) + part(8, b"\x08\x01" + part(4, struct.pack("<f", value)))


def record(data):
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", crc(length)) + data + struct.pack("<I", crc(data))


def make_events(root):
    picture = part(1, b"image") + part(4, b"\x08\x02")
    for run, count in (("train", 700), ("eval/best", 20)):
        (root / run).mkdir(parents=True)
        with open(root / run / "events.out.tfevents.1760000000.host", "wb") as f:
            f.write(record(event(NOW / 1000, 0)))
            for s in range(count):
                f.write(record(event(NOW / 1000 + s, s, scalar("loss", 1 / (s + 1)), tensor("acc", s / 1000))))
            f.write(record(event(NOW / 1000 + count, count, picture)))
            f.write(record(event(NOW / 1000, count, scalar("loss", 9)))[:-7])  # its writer was cut off


# ---- the imports ----

class Checks(Plain):
    def equal(self, what, seen, expected):
        self.that(seen == expected, f"{what}: {str(seen)[:300]}, not {str(expected)[:300]}")

class Target:
    def __init__(self, stack, build, project):
        self.stack, self.project = stack, project
        self.program = pathlib.Path(build).resolve() / "bin/slipway-import"
        self.environment = {**os.environ, "SLIPWAY_TOKEN": stack.token,
                            "SLIPWAY_IMPORT_SOURCE_TOKEN": stack.token}
        stack.new_client().api("POST", "/api/v1/projects", {"slug": project, "name": project})

    def command(self, kind, source, *words):
        return [self.program, kind, str(source), "--server", self.stack.url, "--ca-file", self.stack.ca,
                "--project", self.project, "--json", *words]

    def run(self, kind, source, *words):
        out = subprocess.run(self.command(kind, source, *words), env=self.environment, capture_output=True,
                             text=True, timeout=120)
        if out.returncode:
            raise RuntimeError(f"{out.stderr}\n{out.stdout}")
        return json.loads(out.stdout)

    def kill_early(self, seconds, kind, source, *words):
        child = subprocess.Popen(self.command(kind, source, *words), env=self.environment,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        child.kill()
        child.wait()

    def mlflow(self, method, path, body=None):
        reply, data = self.stack.new_client().request(method, f"/p/{self.project}/api/2.0/{path}", body)
        return reply.status, data

    def ask(self, method, path, body=None):
        status, data = self.mlflow(method, f"mlflow/{path}", body)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {data[:300]}")
        return json.loads(data)

    def everything(self):
        """All that there is, without ids and times of this side: for comparing."""
        out = {}
        for experiment in self.ask("POST", "experiments/search", {"max_results": 1000, "view_type": "ALL"})["experiments"]:
            found = self.ask("POST", "runs/search", {"experiment_ids": [experiment["experiment_id"]],
                                                     "run_view_type": "ALL", "max_results": 1000})
            out[experiment["name"]] = {run["info"]["run_name"]: run for run in found.get("runs", [])}
        return out

    def points(self, run, key):
        found = self.ask("GET", f"metrics/get-history?run_id={run['info']['run_id']}&metric_key="
                         f"{urllib.parse.quote(key, safe='')}&max_results=25000")
        return found.get("metrics", [])

    def file(self, run, path):
        experiment = run["info"]["experiment_id"]
        return self.mlflow("GET", f"mlflow-artifacts/artifacts/{experiment}/{run['info']['run_id']}/artifacts/"
                           + urllib.parse.quote(path))


def tags_of(run):
    return {tag["key"]: tag["value"] for tag in run["data"].get("tags", [])}


def check_mlruns(checks, target, report):
    everything = target.everything()
    runs = everything["digits / ünïcode"]
    checks.equal("runs", sorted(runs), [f"brave-{n}" for n in range(4)])
    run = runs["brave-1"]
    checks.equal("state", run["info"]["status"], "FAILED")
    checks.equal("times", (run["info"]["start_time"], run["info"]["end_time"]), (NOW + 1, NOW + 60001))
    checks.equal("user", run["info"]["user_id"], "ada")
    checks.equal("params", {p["key"]: p["value"] for p in run["data"]["params"]}, {"lr": "0.2", "model/depth": "12"})
    checks.equal("tag", tags_of(run)["ünïcode tag"], "wert mit\nzeile")
    checks.equal("parent", tags_of(run)["mlflow.parentRunId"], runs["brave-2"]["info"]["run_id"])
    checks.equal("deleted run", runs["brave-3"]["info"]["lifecycle_stage"], "deleted")
    loss = target.points(run, "train/loss")
    checks.equal("points", [p["step"] for p in loss], list(range(1500)))
    checks.equal("values", [p["value"] for p in loss], [1 / (s + 1) for s in range(1500)])
    checks.equal("points that are no numbers", len(target.points(run, "odd")), 3)
    checks.equal("file", target.file(run, "plots/a file with spaces + 100%.txt"), (200, b"picture 1\n"))
    model = target.ask("GET", "registered-models/get?name=classifier")["registered_model"]
    checks.equal("description", model["description"], "of digits")
    champion = target.ask("GET", "registered-models/alias?name=classifier&alias=champion")["model_version"]
    checks.equal("alias", champion["description"], "number 2")
    versions = target.ask("GET", "model-versions/search?filter=" + urllib.parse.quote("name='classifier'"))
    checks.equal("versions", sorted((v["version"], v["current_stage"]) for v in versions["model_versions"]),
                 [("1", "Production"), ("2", "None")])
    checks.that(any("s3://bucket" in s for s in report["left_out"]), f"what was left out is told: {report['left_out']}")


def import_mlruns(checks, stack, build, root):
    target = Target(stack, build, "from-mlruns")
    for seconds in (0.1, 0.3, 0.6):
        target.kill_early(seconds, "mlflow", root)
    report = target.run("mlflow", root)
    check_mlruns(checks, target, report)
    again = target.run("mlflow", root)
    checks.equal("again: nothing new", (again["runs"], again["versions"], again["files"], again["points"]), (0, 0, 0, 0))
    checks.equal("again: all known", (again["runs_kept"], again["versions_kept"]), (4, 2))
    check_mlruns(checks, target, again)
    child = child_of(target)  # as if the import had been killed between this run and its parent
    target.mlflow("POST", "mlflow/runs/delete-tag", {"run_id": child, "key": "mlflow.parentRunId"})
    check_mlruns(checks, target, target.run("mlflow", root))
    return target


def child_of(target):
    return target.everything()["digits / ünïcode"]["brave-1"]["info"]["run_id"]


def import_server(checks, stack, build):
    target = Target(stack, build, "from-server")
    source = f"{stack.url}/p/from-mlruns"
    words = ["--source-ca-file", stack.ca]
    stack.new_client().api("PATCH", "/api/v1/models/" + model_id(stack), {"name": "classifier-there"})
    target.run("mlflow", source, *words)
    mine, theirs = target.everything(), Target.everything(checks.first)
    checks.equal("experiments", sorted(mine), sorted(theirs))
    for name, run in theirs["digits / ünïcode"].items():
        copy = mine["digits / ünïcode"][name]
        for what in ("params", "metrics"):
            order = (lambda pairs: sorted(map(json.dumps, pairs)))
            checks.equal(f"{what} of {name}", order(copy["data"][what]), order(run["data"][what]))
        checks.equal(f"history of {name}", target.points(copy, "train/loss"), checks.first.points(run, "train/loss"))
        checks.equal(f"file of {name}", target.file(copy, "model/MLmodel"), (200, b"flavors: {}\n"))
    again = target.run("mlflow", source, *words)
    checks.equal("again: nothing new", (again["runs"], again["points"], again["files"]), (0, 0, 0))


def model_id(stack):
    return next(m["id"] for m in stack.new_client().api("GET", "/api/v1/projects/from-mlruns/models")["items"]
                if m["name"] == "classifier")


def import_events(checks, stack, build, root):
    target = Target(stack, build, "from-events")
    report = target.run("tensorboard", root, "--experiment", "boards")
    runs = target.everything()["boards"]
    checks.equal("runs", sorted(runs), ["eval/best", "train"])
    loss = target.points(runs["train"], "loss")
    checks.equal("steps", [p["step"] for p in loss], list(range(700)))
    checks.that(all(abs(p["value"] - 1 / (p["step"] + 1)) < 1e-6 for p in loss), "values")
    checks.equal("tensors", len(target.points(runs["train"], "acc")), 700)
    checks.that(any("no scalars" in s for s in report["left_out"]), "pictures are told")
    again = target.run("tensorboard", root, "--experiment", "boards")
    checks.equal("again: nothing new", (again["runs"], again["points"]), (0, 0))


def import_odd_runs(checks, stack, build, root):
    """What is not taken of one run costs that run; a name that its tag contradicts costs nothing."""
    write(root / "0/meta.yaml", f"artifact_location: file:///elsewhere\ncreation_time: {NOW}\n"
          f"experiment_id: '0'\nlast_update_time: {NOW}\nlifecycle_stage: active\nname: odd\n")
    for number in range(3):
        make_run(root, "0", number)
    write(root / f"0/{RUNS[0]}/tags/mlflow.runName", "of another time")
    write(root / f"0/{RUNS[1]}/params/{'k' * 251}", "longer than a name may be")
    target = Target(stack, build, "odd-runs")
    for what in ("first", "again"):
        report = target.run("mlflow", root)
        told = [s for s in report["left_out"] if s.startswith(f"run {RUNS[1]}: ")]
        checks.that(what == "again" or any("is no metric" in s for s in report["left_out"]), "lines that are no metric are told")
        checks.that(len(told) == 1, f"{what}: the refused run is told: {report['left_out']}")
    runs = target.everything()["odd"]
    checks.equal("name", tags_of(runs["brave-0"])["mlflow.runName"], "brave-0")
    for name in ("brave-0", "brave-2"):
        checks.equal(f"points of {name}", len(target.points(runs[name], "train/loss")), 1500)
    checks.equal("the refused run is not ended", runs["brave-1"]["info"]["status"], "RUNNING")


def refusals(checks, stack, build, root):
    target = Target(stack, build, "refused")
    nothing = {**target.environment, "SLIPWAY_TOKEN": ""}
    for words, environment, expected in (
            (["mlflow", root], nothing, "no API token"),
            (["mlflow", root], {**nothing, "SLIPWAY_TOKEN": "slp_wrong"}, ""),
            (["mlflow", root / "missing"], target.environment, "not a directory"),
            (["wandb", root], target.environment, "neither mlflow nor tensorboard"),
            (["tensorboard", root / "0"], target.environment, "no event files")):
        out = subprocess.run(target.command(*words), env=environment, capture_output=True, text=True)
        checks.that(out.returncode == 1 and expected in out.stderr and out.stderr.strip(),
                    f"{words[0]} ends with a sentence: {out.stderr.strip()}")


def main():
    build = sys.argv[1]
    checks = Checks()
    with Stack(build=build, worker=False) as stack, tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        make_mlruns(root / "mlruns")
        make_events(root / "events")
        checks.first = import_mlruns(checks, stack, build, root / "mlruns")
        import_server(checks, stack, build)
        import_events(checks, stack, build, root / "events")
        import_odd_runs(checks, stack, build, root / "odd")
        refusals(checks, stack, build, root / "mlruns")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
