#!/usr/bin/env python3
"""Figures of the running platform, one line each: upload and download rate with the memory they
take, idle memory of each process, prediction overhead over a bare forward pass.

    cmake --preset release -B build/bench && ninja -C build/bench && tests/bench/figures.py

Prints and never fails on time. The machine is shared: repeat, and compare ratios.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "crash")]
from crash import import_digits, start_run, finish_run  # noqa: E402
from stack import Stack  # noqa: E402

MIB = 1024 * 1024


def line(name, value, unit, note=""):
    print(f"{name:<44} {value:>12.2f} {unit:<10} {note}", flush=True)


def rss_mib(pid):
    for row in open(f"/proc/{pid}/status"):
        if row.startswith("VmRSS:"):
            return int(row.split()[1]) / 1024
    return 0.0


class PeakMemory:
    """The largest resident set of a process while the block runs."""

    def __init__(self, pid):
        self.pid, self.peak, self.done = pid, 0.0, False

    def __enter__(self):
        self.before = rss_mib(self.pid)
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self):
        while not self.done:
            self.peak = max(self.peak, rss_mib(self.pid))
            time.sleep(0.02)

    def __exit__(self, *_):
        self.done = True
        self.thread.join()


def chunks(total, block):
    for _ in range(total // len(block)):
        yield block


def bench_transfer(s, size):
    block = random.Random(1).randbytes(MIB)
    client = s.new_client()
    with PeakMemory(s.pid("slipwayd")) as memory:
        started = time.monotonic()
        reply, body = client.request("PUT", "/api/v1/uploads?file_name=big.bin", chunks(size, block),
                                     {"Content-Length": str(size)}, timeout=300)
        seconds = time.monotonic() - started
    assert reply.status == 201, body
    line(f"upload of {size // MIB} MiB", seconds, "s", f"{size / MIB / seconds:.0f} MiB/s, durable")
    line("  slipwayd memory before / peak", memory.peak, "MiB", f"from {memory.before:.1f} MiB")


def process_memory(s):
    line("slipwayd idle", rss_mib(s.pid("slipwayd")), "MiB")
    line("slipway-worker idle", rss_mib(s.pid("worker")), "MiB")


def bench_predict(s, run_id, count):
    s.api("POST", "/api/v1/projects/default/model-versions", {"model": "bench", "run_id": run_id})
    body = {"inputs": [{"name": "input", "datatype": "FP32", "shape": [1, 1, 8, 8],
                        "data": [float(i % 255) for i in range(64)]}]}
    text = json.dumps(body)
    client = s.new_client()
    headers = {"Content-Type": "application/json"}
    reply, data = client.request("POST", "/v2/models/bench/infer", text, headers)
    assert reply.status == 200, data
    totals, inner = [], []
    for _ in range(count):
        started = time.perf_counter()
        reply, data = client.request("POST", "/v2/models/bench/infer", text, headers)
        totals.append((time.perf_counter() - started) * 1e6)
        inner.append(1000 * float(reply.getheader("Server-Timing").partition("dur=")[2]))
    line("predict over HTTPS, median", statistics.median(totals), "us", "Python client included")
    line("  of it in the runner", statistics.median(inner), "us", "parse, forward pass, encode")
    line("  the server's overhead", endpoint_p50(s) - statistics.median(inner), "us",
         "slipwayd's median less the runner's")


def endpoint_p50(s):
    time.sleep(6)  # counters are flushed every few seconds
    client = s.new_client()  # the server has closed the idle connection meanwhile
    return client.api("GET", "/api/v1/projects/default/endpoints")["items"][0]["p50_us"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--size-mib", type=int, default=512)
    parser.add_argument("--predictions", type=int, default=1000)
    args = parser.parse_args()
    with Stack(build=args.build) as s:
        time.sleep(2)
        process_memory(s)
        bench_transfer(s, args.size_mib * MIB)
        version = import_digits(s, random.Random(3))
        run = finish_run(s, start_run(s, version, "bench", os.urandom(8).hex())["id"])
        bench_predict(s, run["id"], args.predictions)
        process_memory(s)


if __name__ == "__main__":
    main()
