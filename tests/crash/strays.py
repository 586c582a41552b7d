#!/usr/bin/env python3
"""kill -9 between a file and its row: what is left over goes by itself, and nothing else does.

A lock in the database holds a request exactly there. Afterwards the files are made two days old, and
the sweep that every slipwayd runs once a minute must take those that no row names. The closing line is
"N passed, N failed".
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from crash import GONE, TUS, Checks  # noqa: E402
from ingest import MLFLOW  # noqa: E402
from stack import Stack  # noqa: E402

FILES = "/api/2.0/mlflow-artifacts/artifacts/0/"
TWO_DAYS = 2 * 86400


def files(s):
    return {p for part in ("blobs", "uploads", "tmp") for p in (s.dir / "data" / part).rglob("*") if p.is_file()}


def kill_before_the_row(s, check, table, what, request):
    """The file that request() leaves when slipwayd is killed while it waits to write its row."""
    before = files(s)
    lock = subprocess.Popen(["psql", "-XAtq", "-h", s.pg_dir, "-U", "postgres", "-d", "slipway", "-c",
                             f"begin; lock table {table} in share mode; select pg_sleep(600)"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    waiting = f"select count(*) from pg_locks where not granted and relation = '{table}'::regclass"
    while s.psql(f"select count(*) from pg_locks where granted and mode = 'ShareLock'"
                 f" and relation = '{table}'::regclass") == "0":
        time.sleep(0.02)

    def ask():
        try:
            request(s.new_client())
        except GONE:
            pass
    thread = threading.Thread(target=ask)
    thread.start()
    end = time.monotonic() + 1.8  # below the server's own patience
    while s.psql(waiting) == "0" and time.monotonic() < end:
        time.sleep(0.02)
    check.that(s.psql(waiting) != "0", f"{what}: the request does not wait for its row")
    s.kill("slipwayd")
    lock.kill()
    lock.wait()
    s.psql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%'"
           " and pid <> pg_backend_pid()")
    thread.join()
    left = files(s) - before
    check.that(left, f"{what}: no file was left over")
    s.start_server()
    return left


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/dev")
    args, check = parser.parse_args(), Checks()
    with Stack(build=args.build, worker=False) as s:
        reply, data = s.client.request("POST", MLFLOW + "runs/create", {"experiment_id": "0"})
        run = json.loads(data)["run"]["info"]["run_id"]
        home = f"{FILES}{run}/artifacts/"
        s.client.request("PUT", home + "kept.txt", b"kept")
        upload = s.client.request("POST", "/api/v1/uploads", None, {
            **TUS, "Upload-Length": "4", "Content-Length": "0", "Upload-Metadata": "filename YS5iaW4="})[0]
        kept = files(s)
        left = kill_before_the_row(s, check, "run_artifacts", "artifact",
                                   lambda client: client.request("PUT", home + "lost.txt", b"lost"))
        left |= kill_before_the_row(s, check, "uploads", "upload", lambda client: client.request(
            "PUT", "/api/v1/uploads?file_name=x", b"an upload"))
        left |= kill_before_the_row(s, check, "uploads", "resumable upload", lambda client: client.request(
            "POST", "/api/v1/uploads", None, {**TUS, "Upload-Length": "4", "Content-Length": "0",
                                              "Upload-Metadata": "filename YS5iaW4="}))
        check.that(len(left) == 3, f"three files were left over: {left}")
        young = next(iter(sorted(left)))
        for path in kept | left - {young}:
            os.utime(path, (time.time() - TWO_DAYS,) * 2)
        end = time.monotonic() + 150
        while files(s) & left != {young} and time.monotonic() < end:
            time.sleep(0.5)
        check.that(files(s) & left == {young}, f"still there: {files(s) & left}, {young} is young")
        check.that(kept <= files(s), f"gone: {kept - files(s)}")
        reply, data = s.client.request("GET", home + "kept.txt")
        check.that((reply.status, data) == (200, b"kept"), f"the stored file is {reply.status}")
        location = upload.getheader("Location")
        reply, _ = s.client.request("PATCH", location, b"four", {
            **TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"})
        check.that(reply.status == 204, f"the upload goes on: {reply.status}")
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
