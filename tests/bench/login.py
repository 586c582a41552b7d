#!/usr/bin/env python3
"""What signing in costs others and tells strangers: the 99th percentile of an ordinary request during
a flood of wrong passwords, and the difference in time between a known and an unknown address.

    cmake --preset release -B build/bench && ninja -C build/bench && tests/bench/login.py [--tries 1000]

Prints and never fails on time. Bars: p99 under 500 ms during the flood; medians within 10 %.
"""

import argparse
import http.client
import pathlib
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from stack import EMAIL, Client, Stack  # noqa: E402


def line(name, value, unit, note=""):
    print(f"{name:<44} {value:>12.2f} {unit:<10} {note}", flush=True)


def sign_in(stack, client, email):
    headers = {"Origin": stack.url, "X-Slipway-Request": "1"}
    return client.request("POST", "/api/v1/session", {"email": email, "password": "a wrong password"},
                          headers)[0].status


def flood(stack, stop, counts):
    client = Client(stack.port, stack.ca, None)
    while not stop.is_set():
        try:
            status = sign_in(stack, client, f"stranger{threading.get_ident()}@example.test")
        except (OSError, http.client.HTTPException):
            status = 0
        counts[status] = counts.get(status, 0) + 1


def bench_flood(stack, seconds, attackers):
    stop, counts = threading.Event(), {}
    threads = [threading.Thread(target=flood, args=(stack, stop, counts)) for _ in range(attackers)]
    for thread in threads:
        thread.start()
    client, times = stack.new_client(), []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        stack.psql("delete from login_failures")  # or the limit would end the flood at once
        for _ in range(10):
            started = time.perf_counter()
            client.api("GET", "/api/v1/projects")
            times.append((time.perf_counter() - started) * 1000)
    stop.set()
    for thread in threads:
        thread.join()
    times.sort()
    line("an ordinary request during the flood, p99", times[int(len(times) * 0.99)], "ms",
         f"{len(times)} requests, {attackers} attackers: {counts}")


def one_try(stack, client, email):
    stack.psql("delete from login_failures")
    started = time.perf_counter()
    assert sign_in(stack, client, email) == 401
    return (time.perf_counter() - started) * 1000


def bench_difference(stack, tries):
    client = Client(stack.port, stack.ca, None)
    known, unknown = [], []
    for i in range(tries // 2):
        known.append(one_try(stack, client, EMAIL))
        unknown.append(one_try(stack, client, f"nobody{i}@example.test"))
    a, b = statistics.median(known), statistics.median(unknown)
    line("wrong password, known address, median", a, "ms")
    line("wrong password, unknown address, median", b, "ms", f"{abs(a - b) / a * 100:.1f} % apart")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    with Stack(build=args.build, worker=False) as stack:
        bench_difference(stack, args.tries)
        bench_flood(stack, args.seconds, attackers=20)


if __name__ == "__main__":
    main()
