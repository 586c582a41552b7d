#!/usr/bin/env python3
"""What a noisy team costs its neighbour: team A searches, uploads and queues imports as fast as it
may, while team B does ordinary things and then wants its first job.

    cmake --preset release -B build/bench && ninja -C build/bench && tests/bench/neighbour.py

Prints and never fails on time. Bars: B's p99 at most twice its quiet value; B's job starts within 5 s.
The flood runs in processes of its own at the lowest priority: they stand for other machines.
"""

import argparse
import http.client
import itertools
import json
import multiprocessing
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from stack import Client, Stack  # noqa: E402

DEFAULT = "/api/v1/projects/default"
TABLE = b"a,b,label\n" + b"".join(b"%d,%d,%d\n" % (i, i * 7 % 13, i % 2) for i in range(500))
REFUSED = (429, 503)


def line(name, value, unit, note=""):
    print(f"{name:<44} {value:>12.2f} {unit:<10} {note}", flush=True)


# ---- team A ----

MANY_RUNS = """
with project as (
    select p.team_id, p.id from projects p join teams t on t.id = p.team_id where t.slug = 'acme'),
experiment as (
    insert into experiments (id, team_id, project_id, name)
    select gen_random_uuid(), team_id, id, 'flood' from project returning team_id, project_id, id)
insert into runs (id, team_id, project_id, experiment_id, name, created_by)
select gen_random_uuid(), team_id, project_id, id, 'run ' || n, 'bench'
from experiment, generate_series(1, 5000) n"""


def search(client, number):
    return client.request("GET", f"{DEFAULT}/runs?q={number % 1000}&sort=name&limit=200")


def upload(client, number):
    return client.request("PUT", f"/api/v1/uploads?file_name=flood{number}.bin", os.urandom(1 << 20))


def flood(what, port, ca, token, stop, counts):
    """One attacker: again and again, without a pause, until told to stop. Its own processor time is
    not the server's: it stands for another machine and takes what is left."""
    os.nice(19)
    client = Client(port, ca, token)
    seen = {}
    for number in itertools.count():
        if stop.is_set():
            break
        try:
            status = what(client, number)[0].status
        except (OSError, http.client.HTTPException):
            status = 0
        seen[status] = seen.get(status, 0) + 1
    counts.put((what.__name__, seen))


def start_import(client, dataset):
    made = client.api("PUT", "/api/v1/uploads?file_name=table.csv", TABLE)
    return client.api("POST", f"/api/v1/datasets/{dataset}/versions", {"upload_ids": [made["id"]]})


def make_dataset(client):
    return client.api("POST", f"{DEFAULT}/datasets", {"name": "table"})["id"]


# ---- team B ----

def make_neighbour(stack):
    stack._command("user", "create", "--email", "bea@example.test", "--name", "Bea", "--team", "beta",
                   "--team-name", "Beta", "--role", "owner", "--password-stdin",
                   input="another quiet harbour at 6\n")
    made = stack._command("token", "create", "--team", "beta", "--owner", "bea@example.test", "--name",
                          "bench", "--scopes", "read,write", "--json")
    return Client(stack.port, stack.ca, json.loads(made)["token"])


def ordinary_requests(client, seconds):
    """Milliseconds of each request of a person at work, sorted, and how many were refused."""
    paths = itertools.cycle(["/api/v1/projects", f"{DEFAULT}/datasets", f"{DEFAULT}/runs",
                             f"{DEFAULT}/jobs", "/api/v1/quotas"])
    times, refused, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.perf_counter()
        status = client.request("GET", next(paths))[0].status
        times.append((time.perf_counter() - started) * 1000)
        assert status == 200 or status in REFUSED, status
        refused += status in REFUSED
        time.sleep(0.005)
    return sorted(times), refused


def p99(times):
    return times[int(len(times) * 0.99)]


def wait_for_job(stack, client, dataset):
    """Seconds from the request for an import until its job starts, by the server's own clock, and
    whether it did start: after 30 s we have seen enough."""
    job = start_import(client, dataset)["job_id"]
    end = time.monotonic() + 30
    started = False
    while not started and time.monotonic() < end:
        time.sleep(0.1)
        started = client.api("GET", f"/api/v1/jobs/{job}")["started_at"] is not None
    waited = float(stack.psql("select extract(epoch from coalesce(started_at, now()) - created_at) "
                              f"from jobs where id = '{job}'", user="postgres"))
    return waited, started


# ---- the bench ----

def bench(stack, args):
    stack.psql(MANY_RUNS, user="postgres")
    bea = make_neighbour(stack)
    ours, theirs = make_dataset(stack.client), make_dataset(bea)
    quiet, _ = ordinary_requests(bea, args.seconds)
    stop, counts = multiprocessing.Event(), multiprocessing.Queue()
    attackers = [multiprocessing.Process(target=flood, args=(
        what, stack.port, stack.ca, stack.token, stop, counts)) for what in [search, upload] * args.pairs]
    bea.close()  # the server has closed idle connections by the time the queue is full
    queue = stack.new_client()
    for _ in range(args.jobs):
        start_import(queue, ours)
    for attacker in attackers:
        attacker.start()
    loud, refused = ordinary_requests(bea, args.seconds)
    waited, started = wait_for_job(stack, bea, theirs)
    left = stack.psql("select count(*) from jobs j join teams t on t.id = j.team_id "
                      "where t.slug = 'acme' and j.state = 'queued'", user="postgres")
    stop.set()
    seen = [counts.get() for _ in attackers]
    for attacker in attackers:
        attacker.join()
    line("B's requests, quiet, p99", p99(quiet), "ms", f"{len(quiet)} requests")
    line("B's requests, during A's flood, p99", p99(loud), "ms", f"{len(loud)} requests, {refused} refused")
    line("  ratio", p99(loud) / p99(quiet), "", f"median {loud[len(loud) // 2] / quiet[len(quiet) // 2]:.2f}")
    line("B's first job waits" if started else "B's first job waits, and had not started", waited, "s",
         f"slots: {args.slots}; {left} of A's {args.jobs} still queued")
    for name, statuses in seen:
        print(f"  A's {name}: {statuses}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pairs", type=int, default=2, help="attackers that search and that upload")
    parser.add_argument("--jobs", type=int, default=60, help="imports that team A queues")
    parser.add_argument("--slots", type=int, default=2)
    args = parser.parse_args()
    with Stack(build=args.build, slots=args.slots) as stack:
        bench(stack, args)


if __name__ == "__main__":
    main()
