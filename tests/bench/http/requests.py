#!/usr/bin/env python3
"""Requests a second over HTTPS with keep-alive, their 99th percentile, and slipwayd's memory, idle and
after them. The client (wrk) runs on the same machine and shares its cores.

    cmake --preset release -B build/bench && ninja -C build/bench && tests/bench/http/requests.py

Prints and never fails on time. Bars: 4000 requests/s of an authenticated route on 2 cores, 30 MiB idle.
"""

import argparse
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from stack import Stack  # noqa: E402

ROUTES = [
    ("livez", "/livez", False),
    ("who am I", "/api/v1/session", True),
    ("one project", "/api/v1/projects/{project}", True),
    ("list of datasets", "/api/v1/projects/{project}/datasets", True),
]


def line(name, value, unit, note=""):
    print(f"{name:<44} {value:>12.2f} {unit:<10} {note}", flush=True)


def rss_mib(pid):
    for row in open(f"/proc/{pid}/status"):
        if row.startswith("VmRSS:"):
            return int(row.split()[1]) / 1024
    return 0.0


def milliseconds(text):
    found = re.fullmatch(r"([\d.]+)(us|ms|s)", text)
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]] if found else float("nan")


def run_wrk(url, token, connections, seconds):
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    if token:
        argv += ["-H", f"Authorization: Bearer {token}"]
    text = subprocess.run(argv + [url], capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
            milliseconds(re.search(r"99%\s+(\S+)", text).group(1)),
            int(failed.group(1)) if failed else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=16)
    args = parser.parse_args()
    with Stack(build=args.build, worker=False) as s:
        pid = s.pid("slipwayd")
        line("slipwayd, idle after start", rss_mib(pid), "MiB")
        project = s.api("GET", "/api/v1/projects")["items"][0]["slug"]
        for name, path, signed_in in ROUTES:
            url = f"https://localhost:{s.port}" + path.format(project=project)
            rate, p99, failed = run_wrk(url, s.token if signed_in else None, args.connections,
                                        args.seconds)
            note = f"p99 {p99:.1f} ms, {args.connections} connections"
            line(name, rate, "requests/s", note + (f", {failed} FAILED" if failed else ""))
        line("slipwayd, after all that", rss_mib(pid), "MiB")


if __name__ == "__main__":
    main()
