#!/usr/bin/env python3
"""kill -9 of slipwayd, the worker, the runner and PostgreSQL at random moments.

Checked after every kill: what was acknowledged is there, once; nothing is half there; every job ends
once. Prints its seed; --seed repeats a run. The closing line is "N passed, N failed".
"""

import argparse
import hashlib
import http.client
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from stack import ApiError, Stack  # noqa: E402

CHUNK = 256 * 1024
TUS = {"Tus-Resumable": "1.0.0"}
GONE = (OSError, http.client.HTTPException)


class Checks:
    passed = failed = 0

    def that(self, truth, sentence):
        if truth:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {sentence}", flush=True)


def retry(what, seconds=60):
    """Calls what() until it is answered with something else than an outage."""
    end = time.monotonic() + seconds
    while True:
        try:
            return what()
        except GONE as e:
            last = e
        except ApiError as e:
            if e.status not in (408, 429, 500, 502, 503, 504):
                raise
            last = e
        if time.monotonic() > end:
            raise last
        time.sleep(0.1)


def strike(s, victim):
    """Kills the victim as a machine would, and brings it back as its supervisor would. Tells how many
    processes were hit: a runner may have ended already."""
    if victim == "slipwayd":
        s.kill("slipwayd")
        s.start_server()
    elif victim == "postgres":
        s.kill_database()
        s.start_database()
    elif victim == "worker":
        s.kill("worker")
        s.start_worker()
    else:
        return kill_runners(s)
    return 1


def children_of(pid):
    out = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
    return [int(child) for child in out.stdout.split()]


def kill_runners(s, seconds=10):
    """Kills what this stack's worker started and nothing else; how many there were. Waits for one."""
    end = time.monotonic() + seconds
    while not (victims := children_of(s.pid("worker"))) and time.monotonic() < end:
        time.sleep(0.02)
    for victim in [grandchild for child in victims for grandchild in children_of(child)] + victims:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return len(victims)


def strike_later(s, victim, seconds):
    thread = threading.Thread(target=lambda: (time.sleep(seconds), strike(s, victim)))
    thread.start()
    return thread


# ---- uploads ----

def upload_round(s, check, rng, victim):
    data = rng.randbytes(CHUNK * rng.randint(4, 12) + rng.randint(0, 999))
    client = s.new_client()
    thread = strike_later(s, victim, rng.uniform(0.0, 0.25))
    location = retry(lambda: create_upload(client, len(data)))
    acknowledged = 0
    while acknowledged < len(data):
        try:
            reply, body = client.request(
                "PATCH", location, data[acknowledged:acknowledged + CHUNK],
                {**TUS, "Upload-Offset": str(acknowledged),
                 "Content-Type": "application/offset+octet-stream"})
            if reply.status == 204:
                acknowledged = int(reply.getheader("Upload-Offset"))
                continue
        except GONE:
            pass
        offset = retry(lambda: upload_offset(client, location))
        check.that(offset >= acknowledged, f"offset {offset} fell behind the acknowledged {acknowledged}")
        acknowledged = offset
    thread.join()
    state = retry(lambda: client.api("GET", location))
    check.that(state["state"] == "complete", "the upload is complete")
    check.that(state["sha256"] == hashlib.sha256(data).hexdigest(), "the server's hash is the data's")
    blob = s.dir / "data/blobs" / state["sha256"][:2] / state["sha256"]
    check.that(blob.exists() and blob.read_bytes() == data, "the blob holds the data")
    client.close()


def create_upload(client, size):
    reply, body = client.request("POST", "/api/v1/uploads", None,
                                 {**TUS, "Upload-Length": str(size), "Content-Length": "0",
                                  "Upload-Metadata": "filename YS5iaW4="})
    if reply.status != 201:
        raise ApiError(reply.status, body)
    return reply.getheader("Location")


def upload_offset(client, location):
    reply, body = client.request("HEAD", location, None, TUS)
    if reply.status != 200:
        raise ApiError(reply.status, body)
    return int(reply.getheader("Upload-Offset"))


# ---- training ----

def idx_digits(rng, rows=800, side=8):
    """Pictures whose bright quarter is their class: easy to learn, four classes."""
    images, labels = bytearray(), bytearray()
    for _ in range(rows):
        label = rng.randrange(4)
        for y in range(side):
            for x in range(side):
                lit = (y >= side // 2) == (label >= 2) and (x >= side // 2) == (label % 2 == 1)
                images.append(rng.randrange(120, 256) if lit else rng.randrange(0, 120))
        labels.append(label)
    return (struct.pack(">IIII", 0x803, rows, side, side) + bytes(images),
            struct.pack(">II", 0x801, rows) + bytes(labels))


def import_digits(s, rng):
    images, labels = idx_digits(rng)
    uploads = [s.api("PUT", f"/api/v1/uploads?file_name={name}", data)["id"]
               for name, data in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels))]
    dataset = s.api("POST", "/api/v1/projects/default/datasets", {"name": "quarters"})
    version = s.api("POST", f"/api/v1/datasets/{dataset['id']}/versions", {"upload_ids": uploads})
    done = s.wait(f"/api/v1/dataset-versions/{version['id']}", lambda v: v["state"] != "importing")
    if done["state"] != "ready":
        raise RuntimeError(f"the import failed: {done['error']}")
    return version["id"]


SPEC = {"model": {"layers": [{"type": "conv2d", "out": 8, "kernel": 3, "padding": "same"},
                             {"type": "relu"}, {"type": "flatten"},
                             {"type": "linear", "out": 32}, {"type": "relu"},
                             {"type": "dropout", "p": 0.2}, {"type": "linear", "out": "classes"}],
                  "loss": "cross_entropy"},
        "optimizer": {"type": "adamw", "lr": 0.001}, "schedule": {"type": "one_cycle"},
        "batch_size": 16, "epochs": 4, "seed": 7, "device": "cpu", "checkpoint_seconds": 1}


def start_run(s, version, name, key):
    return retry(lambda: s.new_client().api(
        "POST", "/api/v1/projects/default/training",
        {"dataset_version_id": version, "name": name, "spec": SPEC}, **{"Idempotency-Key": key}))


def finish_run(s, run_id):
    return s.wait(f"/api/v1/runs/{run_id}",
                  lambda r: r["state"] in ("succeeded", "failed", "cancelled"), seconds=180)


def check_run(s, check, run, expected, victim):
    name = f"{victim}: run {run['id']}"
    check.that(run["state"] == "succeeded", f"{name} is {run['state']}: {run['message']}")
    ends = s.psql("select count(*) from job_events where state in ('succeeded', 'failed', 'cancelled') "
                  f"and job_id = '{run['job_id']}'")
    check.that(ends == "1", f"{name} ended {ends} times")
    jobs = s.psql(f"select count(*) from jobs where subject_id = '{run['id']}'")
    check.that(jobs == "1", f"{name} has {jobs} jobs")
    got = {k: v for k, v in run["metrics"].items() if k.startswith("test/")}
    check.that(got == expected, f"{name} gave {got}, an undisturbed run {expected}")


def training_round(s, check, rng, version, victim, seconds, expected):
    run = start_run(s, version, f"crash {victim}", str(uuid.uuid4()))
    time.sleep(rng.uniform(0.05, 0.5 * seconds))
    hit = strike(s, victim)
    check_run(s, check, finish_run(s, run["id"]), expected, victim)
    return run["id"], hit


# ---- registration ----

def registration_round(s, check, rng, run_id, victim, known):
    key = str(uuid.uuid4())
    thread = strike_later(s, victim, rng.uniform(0.0, 0.03))
    body = {"model": "quarters", "run_id": run_id, "description": key}
    client = s.new_client()
    made = retry(lambda: client.api("POST", "/api/v1/projects/default/model-versions", body,
                                    **{"Idempotency-Key": key}))
    thread.join()
    again = retry(lambda: client.api("POST", "/api/v1/projects/default/model-versions", body,
                                     **{"Idempotency-Key": key}))
    check.that(again["id"] == made["id"], "the same key gives the same version")
    known.append(made["version"])
    client.close()


def check_versions(s, check, known):
    stored = s.psql("select string_agg(version::text, ',' order by version) from model_versions")
    check.that(stored == ",".join(map(str, sorted(known))), f"versions {stored}, acknowledged {known}")
    check.that(sorted(known) == list(range(1, len(known) + 1)), f"no gaps, no doubles: {known}")


def check_store(s, check):
    """Every row's blob is there whole; nothing unfinished lies under a blob's name."""
    for path in (s.dir / "data/blobs").glob("??/*"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        check.that(digest == path.name, f"blob {path.name} holds other bytes")
    for sha256 in s.psql("select sha256 from blobs").split():
        check.that((s.dir / "data/blobs" / sha256[:2] / sha256).exists(), f"blob {sha256} is missing")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--rounds", type=int, default=20, help="kills of each victim in each part")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    args = parser.parse_args()
    rng, check = random.Random(args.seed), Checks()
    print(f"seed {args.seed}", flush=True)
    kills = {}

    def note(part, victim, hit=1):
        kills[(part, victim)] = kills.get((part, victim), 0) + (hit > 0)

    with Stack(build=args.build) as s:
        for victim in ("slipwayd", "postgres"):
            for _ in range(args.rounds):
                upload_round(s, check, rng, victim)
                note("upload", victim)
        version = import_digits(s, rng)
        started = time.monotonic()
        calm = finish_run(s, start_run(s, version, "undisturbed", str(uuid.uuid4()))["id"])
        seconds = time.monotonic() - started
        expected = {k: v for k, v in calm["metrics"].items() if k.startswith("test/")}
        print(f"undisturbed run: {seconds:.1f} s, {expected}", flush=True)
        check.that(calm["state"] == "succeeded" and expected, "the undisturbed run works")
        run_id = calm["id"]
        for victim in ("slipwayd", "postgres", "worker", "runner"):
            for _ in range(args.rounds):
                run_id, hit = training_round(s, check, rng, version, victim, seconds, expected)
                note("training", victim, hit)
        known = []
        for victim in ("slipwayd", "postgres"):
            for _ in range(args.rounds):
                registration_round(s, check, rng, run_id, victim, known)
                note("registration", victim)
        check_versions(s, check, known)
        check_store(s, check)
    for (part, victim), n in kills.items():
        print(f"{part}: {n} kills of {victim}")
        check.that(n >= args.rounds / 2, f"{part}: only {n} of {args.rounds} kills hit a {victim}")
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
