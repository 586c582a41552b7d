#!/usr/bin/env python3
"""Slipway beside MLflow's own server: the same requests, the same client and concurrency, the same
PostgreSQL cluster (durable, a database each), on the same machine in one run. Prints a line a row and
the ratio; never fails on time.

    cmake --preset release -B build/bench && ninja -C build/bench slipwayd
    tests/bench/tracking/bench.py                  # seconds a row, all rows but the large ones
    tests/bench/tracking/bench.py --full           # 100,000 runs x 50 metrics, 512 MiB, longer rows
    tests/bench/tracking/bench.py --rows rates     # rates flood keys search history artifact memory; chart

Slipway is asked over HTTPS with an API token; MLflow's server over plain HTTP and without access
control, because that is what `mlflow server` gives, with its default of four workers. The client is wrk
with one thread, on the same cores: it slows the faster server more, so ratios are rather too small.
Bars: 20 times each rate; 512 MB in 5 s; a search of 100,000 runs p95 150 ms; a chart of a million
points 100 ms.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "compat")]
import fill  # noqa: E402
from servers import PG, Peer, Slipway, find_environment  # noqa: E402

MIB = 1 << 20


class DurableSlipway(Slipway):
    """A test's cluster forgets to sync; a bench's must not, and has memory of its own."""

    def _start_database(self):
        super()._start_database()
        for setting in ("fsync = on", "full_page_writes = on", "shared_buffers = '512MB'", "max_wal_size = '2GB'",
                        "autovacuum_naptime = '10s'"):  # as the launcher has it
            self.psql(f"alter system set {setting}", database="postgres")
        self.kill_database()
        subprocess.run([PG, "revive", self.pg_dir], check=True, stdout=subprocess.DEVNULL)


class Server:
    """What is measured: where it is, how to speak to it, whose memory counts."""

    def __init__(self, name, server, database):
        self.name, self.server, self.database = name, server, database
        self.url = server.url
        self.authorization = f"Bearer {server.token}" if name == "slipway" else "-"
        self.connection = None

    def connect(self):
        place = urllib.parse.urlsplit(self.url)
        if place.scheme == "http":
            return http.client.HTTPConnection(place.netloc, timeout=900)
        return http.client.HTTPSConnection(
            place.netloc, timeout=900, context=ssl.create_default_context(cafile=str(self.server.ca)))

    def headers(self, **more):
        return more if self.authorization == "-" else {"Authorization": self.authorization, **more}

    def send(self, method, path, body=None, **headers):
        """One request on the kept connection; the reply's bytes."""
        for last in (False, True):
            self.connection = self.connection or self.connect()
            try:
                self.connection.request(method, path, body, self.headers(**headers))
                reply = self.connection.getresponse()
                data = reply.read()
                break
            except (http.client.RemoteDisconnected, OSError):
                self.connection = None  # closed while it was idle
                if last or not isinstance(body, str | None):
                    raise
        if reply.status >= 400:
            raise RuntimeError(f"{self.name}: {method} {path}: {reply.status} {data[:300]}")
        return data

    def mlflow(self, path, body):
        return json.loads(self.send("POST", f"/api/2.0/mlflow/{path}", json.dumps(body),
                                    **{"Content-Type": "application/json"}))

    def sql(self, statement):
        out = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.database, "-c", statement],
                             capture_output=True, text=True)
        if out.returncode:
            raise RuntimeError(f"{self.name}: {out.stderr[:500]}")
        return out.stdout.strip()

    def memory_mib(self):
        """Proportional set size of the process and all under it: shared pages count once."""
        return sum(pss_mib(pid) for pid in tree(self.server.root_pid))


def tree(pid):
    found = [pid]
    for parent in found:
        out = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True)
        found += map(int, out.stdout.split())
    return found


def pss_mib(pid):
    try:
        rows = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return int(re.search(r"^Pss:\s+(\d+)", rows, re.M)[1]) / 1024


class PeakMemory:
    def __init__(self, server):
        self.server, self.done = server, False
        self.before = self.peak = server.memory_mib()

    def __enter__(self):
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self):
        while not self.done:
            self.peak = max(self.peak, self.server.memory_mib())
            time.sleep(0.1)

    def __exit__(self, *_):
        self.done = True
        self.thread.join()


def processor_seconds(server):
    total = 0
    for pid in tree(server.server.root_pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def wait_until_idle(server, seconds=90):
    """MLflow's server answers while most of its workers are still importing."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = processor_seconds(server)
        time.sleep(2)
        if processor_seconds(server) - before < 0.3:
            return


# ---- printing ----

def show(what, ours, theirs, unit, better="higher", note=""):
    """theirs None: a row of ours alone."""
    if theirs is None:
        print(f"{what:<34} {ours:>12.1f} {'-':>12} {unit:<8} {'':>8}  {note}", flush=True)
        return
    more, less = (ours, theirs) if better == "higher" else (theirs, ours)
    ratio = more / less if less else float("inf")
    print(f"{what:<34} {ours:>12.1f} {theirs:>12.1f} {unit:<8} {ratio:>7.1f}x  {note}", flush=True)


# ---- rates ----

SHAPES = (("metrics.m1 > 0.25 OR NOT params.p1 IN ('1', '2')", "metrics.m2"),
          ("max(metrics.m1) > 0.5", "min(metrics.m2)"),
          ("metrics.m1 > 0.999", "metrics.m2"),
          ("metrics.m1 > 0.25", "name"),
          ("", "params.p2"))


class Bench:
    def __init__(self, ours, theirs, args):
        self.ours, self.theirs, self.args = ours, theirs, args
        self.both = (ours, theirs)
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="slipway-bench"))
        for server in self.both:
            server.runs = [self.new_run(server) for _ in range(16)]
            for _ in range(200):
                self.new_run(server)
            server.sql("vacuum analyze")  # as autovacuum does within a minute: before, foreign keys are
            # checked by whichever index was made last (runs/create 1,000/s instead of 2,500/s)
            server.ids = self.place / server.name
            server.ids.write_text("\n".join(server.runs) + "\n")

    @staticmethod
    def new_run(server):
        return server.mlflow("runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]

    def wrk(self, server, kind, size=0, experiment="0", connections=None, seconds=None):
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections or self.args.connections}", f"-d{seconds or self.args.seconds}s", "--timeout", "120s",
             "-s", HERE / "requests.lua", server.url, "--", kind, str(size), server.ids, experiment,
             server.authorization], capture_output=True, text=True)
        found = re.search(r"^result (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", out.stdout, re.M)
        if not found:
            raise RuntimeError(f"wrk: {out.stdout} {out.stderr}")
        count, microseconds, errors, *percentiles = map(int, found.groups())
        return (count - errors) / microseconds * 1e6, [p / 1000 for p in percentiles], errors

    def rate(self, what, kind, size=0, experiment=("0", "0"), unit="req/s", times=1):
        results = [self.wrk(s, kind, size, e) for s, e in zip(self.both, experiment)]
        notes = "; ".join(f"p50 {p[0]:.1f} p95 {p[1]:.1f} p99 {p[2]:.1f} ms" + (f", {errors} FAILED" * bool(errors))
                          for _, p, errors in results)
        show(what, results[0][0] * times, results[1][0] * times, unit, note=notes)

    def rates(self):
        self.rate("get run, nothing in it", "get-run")
        self.rate("create run", "create-run")
        self.rate("log-metric", "log-metric")
        self.rate("log-batch of 100: metrics", "log-batch", 100, unit="points/s", times=100)
        self.rate("log-batch of 1,000: metrics", "log-batch", 1000, unit="points/s", times=1000)
        self.rate("get run, while that is folded", "get-run")
        time.sleep(10)
        self.rate("get run, 10 metrics", "get-run")

    # ---- beside a flood ----

    def flood(self):
        """Reading runs while points come into the same runs as fast as the server takes them."""
        points, reads = [], []
        for server in self.both:
            with PeakMemory(server) as memory, ThreadPoolExecutor() as pool:
                flood = pool.submit(self.wrk, server, "log-batch", 1000, connections=16, seconds=self.args.seconds + 3)
                time.sleep(2)
                reads.append(self.wrk(server, "get-run"))
                points.append(flood.result()[0] * 1000)
            if server is self.ours:
                ours_memory = memory.peak - memory.before
        show("beside reading: flood of points", *points, "points/s", note="batches of 1,000, 16 connections")
        show("get run beside the flood", reads[0][0], reads[1][0], "req/s",
             note="; ".join(f"p50 {p[0]:.1f} p95 {p[1]:.1f} p99 {p[2]:.1f} ms" for _, p, _ in reads))
        show("  memory above that before it", ours_memory, None, "MiB")
        self.until_folded()

    def until_folded(self):
        started = time.perf_counter()
        while self.ours.sql("select count(*) from metric_inbox") != "0":
            time.sleep(0.2)
        show("  until all of it is folded", time.perf_counter() - started, None, "s")

    # ---- keys ----

    def keys(self):
        """100,000 metrics of one run, from 16 connections; then the run with all of them."""
        seconds, reads, count = [], [], self.args.keys
        for server in self.both:
            run = self.new_run(server)
            bodies = [json.dumps({"run_id": run, "metrics": [
                {"key": f"layer/{n}/norm", "value": n / 7, "timestamp": 1700000000000, "step": 1}
                for n in range(start, start + 1000)]}) for start in range(0, count, 1000)]
            with PeakMemory(server) as memory:
                started = time.perf_counter()
                self.send_all(server, bodies)
                seconds.append(time.perf_counter() - started)
                started = time.perf_counter()
                assert server.send("GET", f"/api/2.0/mlflow/runs/get?run_id={run}").count(b"/norm") == count
                reads.append(time.perf_counter() - started)
                if server is self.ours:
                    self.until_folded()
                    started = time.perf_counter()
                    assert server.send("GET", f"/api/2.0/mlflow/runs/get?run_id={run}").count(b"/norm") == count
                    folded = time.perf_counter() - started
            if server is self.ours:
                ours_memory = memory.peak - memory.before
        show(f"{count:,} keys into one run", *(count / s for s in seconds), "points/s",
             note="batches of 1,000, 16 connections")
        show("  get run at once", *reads, "s", "lower")
        show("  get run when folded", folded, reads[1], "s", "lower")
        show("  memory above that before it", ours_memory, None, "MiB")

    @staticmethod
    def send_all(server, bodies):
        rest, lock = list(bodies), threading.Lock()

        def work():
            mine = Server(server.name, server.server, server.database)
            while True:
                with lock:
                    if not rest:
                        return
                    body = rest.pop()
                mine.send("POST", "/api/2.0/mlflow/runs/log-batch", body, **{"Content-Type": "application/json"})

        with ThreadPoolExecutor(16) as pool:
            for done in [pool.submit(work) for _ in range(16)]:
                done.result()

    # ---- search ----

    def filled(self, runs, metrics):
        name = f"{runs} runs x {metrics} metrics"
        number = int(self.ours.sql("select max(number) + 1 from experiments"))
        for server, text in zip(self.both, (fill.SLIPWAY, fill.MLFLOW)):
            server.sql(text.format(name=name, number=number, runs=runs, metrics=metrics))
            server.sql("vacuum analyze")
        theirs = self.theirs.sql(f"select experiment_id from experiments where name = '{name}'")
        return str(number), theirs

    def search(self):
        self.search_in("2,000 runs", self.filled(2000, 10))
        if self.args.full:
            self.search_in("100,000 runs", self.filled(100000, 50))

    def search_in(self, what, experiment):
        self.rate(f"search 100 of {what}", "search", experiment=experiment)
        self.rate("  with filter and order", "search-filter", experiment=experiment)
        times = []
        body = json.dumps({"experiment_ids": [experiment[0]], "max_results": 100, "order_by": ["metrics.m2 DESC"],
                           "filter": "metrics.m1 > 0.25 and params.p1 = '3'"})
        for _ in range(40):
            started = time.perf_counter()
            self.ours.send("POST", "/api/2.0/mlflow/runs/search", body, **{"Content-Type": "application/json"})
            times.append((time.perf_counter() - started) * 1000)
        show("    one at a time, p95", sorted(times)[-2], None, "ms", note=f"median {statistics.median(times):.1f} ms")
        self.search_shapes(experiment[0])

    def search_shapes(self, number):
        """What only we can be asked, and what no index has the order of."""
        id = self.ours.sql(f"select id from experiments where number = {number} and name like '% runs x %'")
        for filter, order in SHAPES:
            query = urllib.parse.urlencode({"experiment": id, "filter": filter, "order_by": order, "limit": 100})
            times = []
            for _ in range(20):
                started = time.perf_counter()
                self.ours.send("GET", f"/api/v1/projects/default/runs?{query}")
                times.append((time.perf_counter() - started) * 1000)
            show(f"    p95 by {order}", sorted(times)[-2], None, "ms", note=filter or "no filter")

    # ---- history ----

    def history(self):
        points = self.args.points
        ours, theirs = (self.new_run(s) for s in self.both)
        before = self.stored()
        seconds = self.ingest(ours, points)
        show(f"ingest of {points:,} points", points / seconds, None, "points/s", note="one connection, batches of 1,000")
        self.theirs.sql(fill.MLFLOW_HISTORY.format(run=theirs, points=points))
        ours_bytes = (self.stored() - before) / points
        self.theirs.sql("vacuum full metrics")
        theirs_bytes = int(self.theirs.sql("select pg_total_relation_size('metrics')")) / int(
            self.theirs.sql("select count(*) from metrics"))
        show("bytes per stored point", ours_bytes, theirs_bytes, "bytes", "lower", "indexes included, vacuumed")
        times = [self.read_history(s, run, points) for s, run in ((self.ours, ours), (self.theirs, theirs))]
        show(f"history of {points:,} points", *times, "s", "lower", "pages of 25,000, as the client reads it")
        self.read_chart(ours, points)

    def stored(self):
        """Bytes of all that holds points, without what deleted rows have left."""
        tables = ("metric_chunks", "metric_inbox", "run_metrics")
        for table in tables:
            self.ours.sql(f"vacuum full {table}")
        return sum(int(self.ours.sql(f"select pg_total_relation_size('{t}')")) for t in tables)

    def ingest(self, run, points):
        rng = random.Random(5)
        bodies = (json.dumps({"run_id": run, "metrics": [
            {"key": "loss", "value": 2 / (1 + n / 1000) + rng.random() / 10, "timestamp": 1700000000000 + n * 50, "step": n}
            for n in range(start, start + 1000)]}) for start in range(0, points, 1000))
        seconds = 0.0
        for body in bodies:
            started = time.perf_counter()
            self.ours.send("POST", "/api/2.0/mlflow/runs/log-batch", body, **{"Content-Type": "application/json"})
            seconds += time.perf_counter() - started
        return seconds

    @staticmethod
    def read_history(server, run, points):
        started, token, seen = time.perf_counter(), "", 0
        while token is not None:
            data = server.send("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=loss"
                                      f"&max_results=25000" + (f"&page_token={urllib.parse.quote(token)}" * bool(token)))
            seen += data.count(b'"step"')
            found = re.search(rb'"next_page_token": ?"([^"]+)"', data)
            token = found[1].decode() if found else None
        assert seen == points, (server.name, seen)
        return time.perf_counter() - started

    def read_chart(self, run, points):
        id = f"{run[:8]}-{run[8:12]}-{run[12:16]}-{run[16:20]}-{run[20:]}"
        for what, first, last in (("all of it", 0, points), ("a tenth of it", points // 3, points // 3 + points // 10),
                                  ("a hundredth of it", points // 3, points // 3 + points // 100)):
            times = []
            for _ in range(11):
                started = time.perf_counter()
                self.ours.send("GET", f"/api/v1/runs/{id}/metrics?keys=loss&buckets=1000&from_step={first}&to_step={last}")
                times.append((time.perf_counter() - started) * 1000)
            show(f"chart of {what}, 1,000 buckets", statistics.median(times), None, "ms",
                 note=f"first {times[0]:.1f} ms, slowest other {max(times[1:]):.1f} ms")

    def chart(self):
        """A long series of ours alone."""
        run = self.new_run(self.ours)
        seconds = self.ingest(run, self.args.points)
        show(f"ingest of {self.args.points:,} points", self.args.points / seconds, None, "points/s",
             note="one connection, batches of 1,000")
        self.until_folded()
        self.ours.sql("vacuum analyze metric_chunks")
        self.read_chart(run, self.args.points)

    # ---- artifacts ----

    def artifact(self):
        size = self.args.artifact_mib
        up, down, peaks = [], [], []
        for server in self.both:
            run = self.new_run(server)
            path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/big.bin"
            block = os.urandom(MIB)
            server.connection = None
            with PeakMemory(server) as memory:
                started = time.perf_counter()
                server.send("PUT", path, (block for _ in range(size)),
                            **{"Content-Length": str(size * MIB), "Content-Type": "application/octet-stream"})
                up.append(time.perf_counter() - started)
                started = time.perf_counter()
                assert self.drain(server, path) == size * MIB
                down.append(time.perf_counter() - started)
            peaks.append(memory.peak - memory.before)
        show(f"artifact of {size} MiB up", *up, "s", "lower", "from one connection")
        show(f"artifact of {size} MiB down", *down, "s", "lower")
        show("  memory above that before it", *peaks, "MiB", "lower")

    @staticmethod
    def drain(server, path):
        connection = server.connect()
        connection.request("GET", path, headers=server.headers())
        reply, total = connection.getresponse(), 0
        while block := reply.read(MIB):
            total += len(block)
        connection.close()
        return total

    def memory(self, when):
        show(f"memory, {when}", self.ours.memory_mib(), self.theirs.memory_mib(), "MiB", "lower",
             "all processes of the server, PostgreSQL not counted")


ROWS = ("rates", "flood", "keys", "search", "history", "artifact", "memory")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--points", type=int)
    parser.add_argument("--keys", type=int)
    parser.add_argument("--artifact-mib", type=int)
    parser.add_argument("--rows", nargs="*", default=ROWS, choices=(*ROWS, "chart"))
    args = parser.parse_args()
    args.seconds = args.seconds or (15 if args.full else 5)
    args.points = args.points or (1000000 if args.full else 100000)
    args.keys = args.keys or (100000 if args.full else 10000)
    args.artifact_mib = args.artifact_mib or (512 if args.full else 64)
    venv = find_environment()
    if venv is None:
        return 77
    with DurableSlipway(args.build, people=False) as slipway, Peer(venv, slipway.pg_dir) as peer:
        bench = Bench(Server("slipway", slipway, slipway.database), Server("mlflow", peer, peer.database), args)
        print(f"{'':<34} {'slipway':>12} {'mlflow':>12} {'':<8} {'ratio':>8}  slipway; mlflow")
        for server in bench.both:
            wait_until_idle(server)
        if "memory" in args.rows:
            bench.memory("idle")
        for server in bench.both:
            bench.wrk(server, "get-run")  # every worker has served once
        for row in args.rows:
            if row != "memory":
                getattr(bench, row)()
        if "memory" in args.rows:
            bench.memory("after all that")
    return 0


if __name__ == "__main__":
    sys.exit(main())
