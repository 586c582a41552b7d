#!/usr/bin/env python3
"""A disk that is really full, under the files first and under PostgreSQL then.

Each play gives slipwayd a small disk of its own (a tmpfs: this needs root and a kernel that lets us
mount), fills it while clients upload, train and log, and makes room again. Checked: every refusal is
503, says why and when to come back; what was acknowledged is there, whole, once; nothing is half
there; slipwayd never ends and needs no help afterwards. Prints its seed. The closing line is
"N passed, N failed".
"""

import argparse
import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from crash import (GONE, SPEC, TUS, Checks, check_run, check_store, create_upload, finish_run,  # noqa: E402
                   import_digits, retry, start_run, upload_offset)
from ingest import MLFLOW, START, Logger, check_run as check_points  # noqa: E402
from stack import ApiError, Stack  # noqa: E402

MIB = 1 << 20
PROXY = "/api/2.0/mlflow-artifacts/"


class SmallDisk:
    """A disk of so many bytes mounted at a directory, and a file on it that takes what nobody shall have."""

    def __init__(self, directory, size, mode="0700"):
        self.dir, self.ballast = pathlib.Path(directory), pathlib.Path(directory) / "ballast"
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode={mode}", "tmpfs", directory],
                       check=True, capture_output=True, text=True)

    def unmount(self):
        subprocess.run(["umount", "-l", self.dir], check=True)

    def free(self):
        fs = os.statvfs(self.dir)
        return fs.f_bavail * fs.f_frsize

    def fill(self, leave=0):
        with open(self.ballast, "ab") as f:
            while (more := self.free() - leave) > 0:
                try:
                    f.write(bytes(min(more, MIB)))
                    f.flush()
                except OSError:
                    break

    def make_room(self):
        self.ballast.unlink()


def mounts_are_allowed():
    with tempfile.TemporaryDirectory(prefix="slipway-disk") as directory:
        try:
            SmallDisk(directory, MIB).unmount()
        except (OSError, subprocess.CalledProcessError) as e:
            print(f"SKIPPED: a full disk cannot be played here: {getattr(e, 'stderr', None) or e}")
            return False
    return True


def check_refusal(check, what, reply, body, sentence):
    check.that(reply.status == 503, f"{what}: refused with {reply.status} {body[:200]}")
    check.that(sentence in body.decode(errors="replace"), f"{what}: the reason reads {body[:200]}")
    check.that((reply.getheader("Retry-After") or "0") > "0", f"{what}: no Retry-After")


# ---- the disk of the files ----

class Uploader:
    """Sends files one after the other in one way, and notes which were taken."""

    def __init__(self, s, check, rng, run):
        self.s, self.check, self.run = s, check, run
        self.rng = random.Random(rng.random())
        self.client, self.taken, self.refused, self.number = s.new_client(), {}, 0, 0
        self.stop, self.failure = threading.Event(), None
        self.thread = threading.Thread(target=self._work)

    def _work(self):
        try:
            while not self.stop.is_set():
                self.number += 1
                data = self.rng.randbytes(self.rng.randint(1, 2 * MIB))
                if address := self.send(data):
                    self.taken[address] = hashlib.sha256(data).hexdigest()
        except Exception as e:  # told at the end of the play, by the main thread
            self.failure = e

    def call(self, method, path, body=None, headers=None):
        """The reply; None after a refusal that is as it should be."""
        reply, answer = self.client.request(method, path, body, headers)
        if reply.status < 400:
            return reply, answer
        self.refused += 1
        check_refusal(self.check, type(self).__name__, reply, answer, "the server's disk is")
        time.sleep(0.1)
        return None

    def address(self):
        return f"{PROXY}artifacts/0/{self.run}/artifacts/{type(self).__name__}/{self.number}"


class Put(Uploader):
    def send(self, data):
        done = self.call("PUT", self.address(), data)
        return done and self.address()


class Plain(Uploader):
    """Nobody can read an upload back but who makes a dataset of it: its hash is compared."""

    def send(self, data):
        done = self.call("PUT", f"/api/v1/uploads?file_name=f{self.number}", data)
        if done:
            self.check.that(json.loads(done[1])["sha256"] == hashlib.sha256(data).hexdigest(),
                            "the server's hash is the data's")


class Resumable(Uploader):
    """Goes on where the server says, however often it is refused."""

    def send(self, data):
        try:
            location = create_upload(self.client, len(data))
        except ApiError as e:
            self.refused += 1
            self.check.that(e.status == 503, f"an upload is not begun: {e}")
            return time.sleep(0.1)
        at = 0
        while at < len(data):
            done = self.call("PATCH", location, data[at:at + MIB],
                             {**TUS, "Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"})
            offset = upload_offset(self.client, location)
            self.check.that(offset >= (at + len(data[at:at + MIB]) if done else at),
                            f"{offset} bytes of an upload are there, {at} were acknowledged")
            at = offset
            if self.stop.is_set() and not done:
                return None
        state = self.client.api("GET", location)
        while state["state"] != "complete" and not self.stop.is_set():
            time.sleep(0.1)
            state = self.client.api("GET", location) if self.call("HEAD", location, None, TUS) else state
        self.check.that(state["sha256"] in (None, hashlib.sha256(data).hexdigest()), "the upload's hash is the data's")


class Parts(Uploader):
    def send(self, data):
        directory, name = self.address().removeprefix(f"{PROXY}artifacts/").rsplit("/", 1)
        begun = self.call("POST", f"{PROXY}mpu/create/{directory}", {"path": name, "num_parts": 3})
        if not begun:
            return None
        upload, parts = json.loads(begun[1]), []
        for part in upload["credentials"]:
            i, third = part["part_number"], len(data) // 3 + 1
            path = part["url"].split(f":{self.s.port}", 1)[1]
            if not (stored := self.call("PUT", path, data[(i - 1) * third:i * third])):
                return None
            parts.append({"part_number": i, "etag": stored[0].getheader("ETag")})
        body = {"path": name, "upload_id": upload["upload_id"], "parts": parts}
        done = self.call("POST", f"{PROXY}mpu/complete/{directory}", body)
        return done and self.address()


def wait_for(check, what, truth, seconds=60):
    end = time.monotonic() + seconds
    while not truth() and time.monotonic() < end:
        time.sleep(0.05)
    check.that(truth(), f"after {seconds} s not yet: {what}")


def check_uploads(s, check, uploaders):
    client = s.new_client()
    for u in uploaders:
        name = type(u).__name__
        check.that(not u.failure, f"{name} ended with {u.failure!r}")
        for address, sha256 in u.taken.items():
            reply, body = client.request("GET", address)
            check.that(reply.status == 200 and hashlib.sha256(body).hexdigest() == sha256,
                       f"{name}: {address} was acknowledged and is {reply.status}")
        print(f"{name}: {u.number} files, {u.refused} refusals", flush=True)


class SmallStore(Stack):
    """Its files, the worker's and the logs are on a small disk, which uploads may fill to the last
    byte; the database is elsewhere."""

    def __init__(self, build):
        super().__init__(build, options={"min_free_bytes": "0"})

    def _start_database(self):
        self.disk = SmallDisk(self.dir, 192 * MIB)
        super()._start_database()

    def __exit__(self, *_):
        super().__exit__()
        self.disk.unmount()
        self.disk.dir.rmdir()


def fill_and_free(s, check, uploaders, training, run):
    """Until everybody was refused, and until everybody goes on; metrics meanwhile."""
    s.disk.fill(leave=12 * MIB)
    wait_for(check, "everybody is refused", lambda: all(u.refused >= 3 or u.failure for u in uploaders))
    logger = Logger(s.new_client())
    logger.acknowledged[run] = {}
    rng = random.Random(1)
    for step in range(20):
        logger.log(run, 1000 * step + 1, 10, rng)
    check.that(logger.resent == 0, "metrics are taken while files are not")
    wait_for(check, "the training meets the full disk or ends before it", lambda: s.psql(
        f"select attempt > 1 or state = 'succeeded' from jobs where subject_id = '{training}'") == "t")
    s.disk.make_room()
    before = {u: u.number for u in uploaders}
    wait_for(check, "everybody goes on", lambda: all(u.number > before[u] + 2 or u.failure for u in uploaders))
    return logger.acknowledged[run]


def files_play(check, rng, build):
    with SmallStore(build) as s:
        version = import_digits(s, rng)
        calm = finish_run(s, start_run(s, version, "undisturbed", str(uuid.uuid4()))["id"])
        expected = {k: v for k, v in calm["metrics"].items() if k.startswith("test/")}
        run, other = (Logger(s.new_client()).new_run() for _ in range(2))
        uploaders = [kind(s, check, rng, run) for kind in (Put, Plain, Resumable, Parts)]
        for u in uploaders:
            u.thread.start()
        training = start_run(s, version, "on a full disk", str(uuid.uuid4()))
        points = fill_and_free(s, check, uploaders, training["id"], other)
        for u in uploaders:
            u.stop.set()
            u.thread.join()
        check_run(s, check, finish_run(s, training["id"]), expected, "full disk")
        check_uploads(s, check, uploaders)
        check_points(check, s.new_client(), other, points, "full disk")
        check_store(s, check)
        check.that(not list((s.dir / "data/tmp").iterdir()), "nothing half written is left")
        check.that(s.children["slipwayd"].poll() is None, "slipwayd never ended")


# ---- the disk of the database ----

class SmallDatabase(Stack):
    """Its PostgreSQL is on a small disk."""

    def _start_database(self):
        self.disk = SmallDisk(self.pg_dir, 320 * MIB, "0755")
        self.pg_dir = self.pg_dir / "slipway-pg"
        super()._start_database()

    def __exit__(self, *_):
        super().__exit__()
        self.disk.unmount()
        self.disk.dir.rmdir()


class Trainer:
    """Logs runs until told to stop, and sends again what was refused, as the client's own retries do."""

    def __init__(self, s, check, number):
        self.check, self.client, self.rng = check, s.new_client(), random.Random(number)
        self.acknowledged, self.refused, self.reasons = {}, 0, set()
        self.stop, self.failure = threading.Event(), None
        self.thread = threading.Thread(target=self._work)

    def _work(self):
        try:
            while not self.stop.is_set():
                self._log_run()
        except Exception as e:  # told at the end of the play, by the main thread
            self.failure = e

    def _log_run(self):
        run = self._call("runs/create", {"experiment_id": "0", "start_time": START})["run"]["info"]["run_id"]
        self.acknowledged[run] = {}
        for first in range(0, 40000, 1000):
            points = {step: self.rng.random() for step in range(first, first + 1000)}
            metrics = [{"key": "loss", "value": v, "timestamp": START + s, "step": s} for s, v in points.items()]
            self._call("runs/log-batch", {"run_id": run, "metrics": metrics})
            self.acknowledged[run].update(points)
            if self.stop.is_set():
                break

    def _call(self, path, body):
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                reply, answer = self.client.request("POST", MLFLOW + path, body)
                if reply.status < 400:
                    return json.loads(answer)
                check_refusal(self.check, path, reply, answer, "the database")
                self.reasons.add(json.loads(answer)["message"])
            except GONE as e:
                self.reasons.add(type(e).__name__)
            self.refused += 1
            time.sleep(0.1)
        raise TimeoutError(f"{path} was refused for too long")


def wait_until_all(check, trainers, what, count):
    """Until the figure has grown for each of them."""
    before = {t: count(t) for t in trainers}
    wait_for(check, what, lambda: all(count(t) > before[t] or t.failure for t in trainers))


def run_out_of_log(s):
    """Until PostgreSQL finds no room for the next 16 MiB of its log: it ends itself then, and cannot
    start before there is room."""
    for _ in range(200):
        try:
            s.psql("create table if not exists more (); drop table more; select pg_switch_wal()")
        except subprocess.CalledProcessError as e:
            if "could not extend" not in e.stderr and "No space" not in e.stderr:
                return
        time.sleep(0.05)


def database_is_up(s):
    try:
        return s.psql("select 1") == "1"
    except subprocess.CalledProcessError:
        return False


def database_play(check, build):
    def points(t):
        return sum(map(len, t.acknowledged.values()))
    with SmallDatabase(build, worker=False) as s:
        trainers = [Trainer(s, check, number) for number in range(3)]
        for t in trainers:
            t.thread.start()
        wait_until_all(check, trainers, "everybody logs", points)
        for part, ruin in (("tables", lambda: None), ("log", lambda: run_out_of_log(s))):
            s.disk.fill()
            ruin()
            wait_until_all(check, trainers, f"{part}: everybody is refused", lambda t: t.refused)
            client = s.new_client()
            check.that(client.request("GET", "/livez")[0].status == 200, f"{part}: slipwayd lives")
            ready, up = client.request("GET", "/readyz")[0].status, database_is_up(s)
            check.that(up == (part == "tables"), f"{part}: PostgreSQL is {'up' if up else 'down'}")
            check.that(ready == (200 if up else 503), f"{part}: /readyz is {ready}")
            s.disk.make_room()
            if not up:
                s.start_database()
            wait_until_all(check, trainers, f"{part}: everybody goes on", points)
        for t in trainers:
            t.stop.set()
        client = s.new_client()
        for t in trainers:
            t.thread.join()
            check.that(not t.failure, f"a trainer ended with {t.failure!r}")
            for run, expected in t.acknowledged.items():
                check_points(check, client, run, expected, "full database")
        check.that(s.children["slipwayd"].poll() is None, "slipwayd never ended")
        reasons = set().union(*(t.reasons for t in trainers))
        check.that("the database's disk is full" in reasons, f"the reasons were {reasons}")
        print(f"database: {sum(map(points, trainers))} points, {sum(t.refused for t in trainers)} refusals: "
              f"{', '.join(sorted(reasons))}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--play", choices=("files", "database"), help="this one alone")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    args = parser.parse_args()
    if not mounts_are_allowed():
        return 77
    rng, check = random.Random(args.seed), Checks()
    print(f"seed {args.seed}", flush=True)
    if args.play != "database":
        files_play(check, rng, args.build)
    if args.play != "files":
        database_play(check, args.build)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
