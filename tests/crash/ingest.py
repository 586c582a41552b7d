#!/usr/bin/env python3
"""What a training logs through outages, as the client of any language sends it: again until answered.

    ingest.py --rounds 50      kill -9 of slipwayd and of PostgreSQL, --rounds times each, during ingest
    ingest.py --cuts 200       the reply of COMMIT is lost between PostgreSQL and slipwayd, and the
                               reply of a request between slipwayd and its client, --cuts times each

Checked through the API after each part: every acknowledged point is there once, and none that was never
sent; every run, param and tag likewise. Prints its seed. The closing line is "N passed, N failed".
"""

import argparse
import json
import pathlib
import random
import socket
import ssl
import sys
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from crash import GONE, Checks, retry, strike  # noqa: E402
from stack import ApiError, Client, Stack, free_port  # noqa: E402

WRITERS = 4
MLFLOW = "/api/2.0/mlflow/"
START = 1700000000000


# ---- the client ----

class Logger:
    """One writer: a connection, and what it was told has happened."""

    def __init__(self, client):
        self.client, self.resent = client, 0
        self.acknowledged = {}  # run → {step: value}

    def call(self, path, body):
        """Sends until it is answered. A refusal is the server's word: it ends the test."""
        def once():
            try:
                return self.client.api("POST", MLFLOW + path, body)
            except (*GONE, ApiError):
                self.resent += 1
                raise
        return retry(once)

    def new_run(self):
        run = self.call("runs/create", {"experiment_id": "0", "start_time": START})["run"]["info"]["run_id"]
        self.acknowledged[run] = {}
        return run

    def log(self, run, first, count, rng):
        points = {step: rng.random() for step in range(first, first + count)}
        metrics = [{"key": "loss", "value": v, "timestamp": START + s, "step": s} for s, v in points.items()]
        if count == 1:
            self.call("runs/log-metric", {"run_id": run, **metrics[0]})
        else:
            # With a param and a tag it cannot share its commit with others: the other path of ingest.
            more = {"params": [{"key": f"p{first}", "value": "1"}], "tags": [{"key": "at", "value": str(first)}]}
            self.call("runs/log-batch", {"run_id": run, "metrics": metrics, **(more if first % 2 else {})})
        self.acknowledged[run].update(points)


def write_until(logger, stop, rng):
    run, step = logger.new_run(), 0
    while not stop.is_set():
        count = rng.choice((1, 1, 3, 100))
        logger.log(run, step, count, rng)
        step += count


def history(client, run):
    """Every point of the run's series as the client reads it."""
    points, token = [], ""
    while token is not None:
        query = urllib.parse.urlencode({"run_id": run, "metric_key": "loss", "max_results": 25000, "page_token": token})
        page = retry(lambda: client.api("GET", f"{MLFLOW}metrics/get-history?{query}"))
        points += [(m["step"], m["value"]) for m in page.get("metrics", [])]
        token = page.get("next_page_token") or None
    return points


def check_run(check, client, run, expected, what):
    points = history(client, run)
    steps = [step for step, _ in points]
    check.that(len(steps) == len(set(steps)), f"{what}: run {run} holds a point twice")
    check.that(dict(points) == expected,
               f"{what}: run {run} holds {len(points)} points, {len(expected)} were acknowledged")
    last = retry(lambda: client.api("GET", f"{MLFLOW}runs/get?run_id={run}"))["run"]["data"]
    shown = {m["key"]: m["value"] for m in last.get("metrics", [])}
    check.that(not expected or shown.get("loss") == expected[max(expected)], f"{what}: run {run} shows {shown}")
    return last


# ---- kill -9 ----

def kill_round(s, check, rng, victim, seconds):
    loggers = [Logger(s.new_client()) for _ in range(WRITERS)]
    stop, failures = threading.Event(), []

    def work(logger, seed):
        try:
            write_until(logger, stop, random.Random(seed))
        except Exception as e:  # told at the end of the round, by the main thread
            failures.append(e)
    threads = [threading.Thread(target=work, args=(logger, rng.random())) for logger in loggers]
    for thread in threads:
        thread.start()
    time.sleep(rng.uniform(0.1, seconds))
    strike(s, victim)
    time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    check.that(not failures, f"{victim}: a writer ended with {failures[:1]}")
    client = s.new_client()
    for logger in loggers:
        for run, expected in logger.acknowledged.items():
            check_run(check, client, run, expected, victim)
        logger.client.close()
    client.close()
    return sum(logger.resent for logger in loggers), sum(
        len(points) for logger in loggers for points in logger.acknowledged.values())


def kills(s, check, rng, rounds):
    for victim in ("slipwayd", "postgres"):
        results = [kill_round(s, check, rng, victim, 0.8) for _ in range(rounds)]
        hit = sum(resent > 0 for resent, _ in results)
        print(f"{victim}: {rounds} kills, {hit} during a request; {sum(p for _, p in results)} points acknowledged",
              flush=True)
        check.that(hit >= rounds / 2, f"only {hit} of {rounds} kills of {victim} cut a request off")


# ---- replies that get lost ----

class Cutter:
    """Stands between two programs. When armed, it lets one wanted request through, waits for its reply,
    and closes both connections in place of handing the reply on."""

    def __init__(self, listen, connect, wanted):
        self.listener, self.connect, self.wanted = listen, connect, wanted
        self.armed, self.cuts = threading.Event(), 0
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = self.connect()
            except OSError:
                return
            pair = Pair(self, near, far)
            threading.Thread(target=pair.forward, daemon=True).start()
            threading.Thread(target=pair.backward, daemon=True).start()

    def fire(self):
        with self.lock:
            if not self.armed.is_set():
                return False
            self.armed.clear()
            self.cuts += 1
            return True


class Pair:
    def __init__(self, cutter, near, far):
        self.cutter, self.near, self.far, self.asked = cutter, near, far, False

    def close(self):
        for end in (self.near, self.far):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def forward(self):
        try:
            while data := self.near.recv(1 << 16):
                self.asked = self.asked or self.cutter.wanted(data)
                self.far.sendall(data)
        except OSError:
            pass
        self.close()

    def backward(self):
        try:
            while data := self.far.recv(1 << 16):
                if self.asked and self.cutter.fire():
                    break
                self.asked = False
                self.near.sendall(data)
        except OSError:
            pass
        self.close()


def one_effect(s, check, client, cutter, what, rng, cuts):
    """Requests of every kind, each with its reply lost once: each has one effect. A cut that hits
    slipwayd's own work (it folds metrics meanwhile) counts for nothing and is made again."""
    logger = Logger(client)
    run = logger.new_run()
    params, names, lost = set(), [], 0
    for number in range(3 * cuts):
        if lost == cuts:
            break
        # A new connection begins with a talk of its own: that is over when this is answered.
        retry(lambda: client.api("GET", f"{MLFLOW}experiments/get?experiment_id=0"))
        resent = logger.resent
        cutter.armed.set()
        first = 1000 * number + (number % 4 == 2)
        if number % 4 < 3:
            logger.log(run, first, (1, 50, 50)[number % 4], rng)
            params |= {f"p{first}"} if first % 2 else set()
        else:
            names.append(f"{what} {number}")
            make_once(logger, names[-1])
        cutter.armed.clear()
        lost += logger.resent > resent
    check.that(lost == cuts, f"{what}: only {lost} replies were lost")
    expected = logger.acknowledged[run]
    data = check_run(check, s.new_client(), run, expected, what)
    check.that({p["key"] for p in data.get("params", [])} == params, f"{what}: params {data.get('params')}")
    body = {"max_results": 1000, "filter": f"name LIKE '{what} %'"}
    found = sorted(e["name"] for e in s.new_client().api("POST", MLFLOW + "experiments/search", body)["experiments"])
    check.that(found == sorted(names), f"{what}: experiments {found}")
    print(f"{what}: {lost} replies lost, {logger.resent} requests sent again, {len(expected)} points", flush=True)


def make_once(logger, name):
    """A resent creation is refused because the first one took place: that is its one effect."""
    try:
        logger.call("experiments/create", {"name": name})
    except ApiError as e:
        if json.loads(e.body).get("error_code") != "RESOURCE_ALREADY_EXISTS":
            raise


class BehindCutter(Stack):
    """slipwayd reaches PostgreSQL through a socket of ours."""

    def database_url(self, user):
        return f"postgresql://{user}@/slipway?host={self.dir / 'cut'}"

    def _write_config(self):
        (self.dir / "cut").mkdir()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.dir / "cut/.s.PGSQL.5432"))
        listener.listen(64)

        def connect():
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(self.pg_dir / ".s.PGSQL.5432"))
            return far
        # Every reply to something with "commit" in it, be it a query of its own or the end of a pipeline.
        self.cutter = Cutter(listener, connect, lambda data: b"commit" in data.lower())
        super()._write_config()


def lost_commits(check, rng, args):
    with BehindCutter(build=args.build, worker=False) as s:
        one_effect(s, check, s.new_client(), s.cutter, "COMMIT", rng, args.cuts)


class Resender(Client):
    """Reaches slipwayd through the cutter's port."""

    def __init__(self, stack, port):
        super().__init__(port, stack.ca, stack.token)
        self.tls = ssl.create_default_context(cafile=str(stack.ca))


def lost_replies(s, check, rng, args):
    listener = socket.create_server(("127.0.0.1", free_port()))
    client = Resender(s, listener.getsockname()[1])

    def connect():
        return socket.create_connection(("127.0.0.1", s.port))
    # Under TLS a request cannot be told from the handshake but by its size.
    cutter = Cutter(listener, connect, lambda data: data[0] == 23 and len(data) > 150)
    one_effect(s, check, client, cutter, "HTTP", rng, args.cuts)
    listener.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    args = parser.parse_args()
    rng, check = random.Random(args.seed), Checks()
    print(f"seed {args.seed}", flush=True)
    with Stack(build=args.build, worker=False) as s:
        kills(s, check, rng, args.rounds)
        lost_replies(s, check, rng, args)
    lost_commits(check, rng, args)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
