#!/usr/bin/env python3
"""Artifacts over real connections: names as clients write them, bodies with a length and without one,
ranges, transfers that break off, parts sent at once, and a large file in flat memory.

    files.py BUILD
"""

import concurrent.futures
import hashlib
import http.client
import json
import os
import pathlib
import socket
import ssl
import sys
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "crash")]
from crash import Checks  # noqa: E402
from stack import Stack  # noqa: E402

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
NAMES = ["plain.txt", "with space.txt", "a+b.png", "100% sure!.txt", "a%2Fb", "größe/模型.bin", "q?x=1&y=2",
         "it's (one) *more* ~.txt", "images/k+step+0+timestamp+17+u.png", "images/k%step%0%timestamp%17%u.png"]
RAW = ["a%2Fb", "a%2fb", "a%5Cb", "a%00b", "%2e%2e/x", "..%2fx", "%252e%252e%252fx", "..%c0%afx", "/x", "a/", "./x"]
BIG = 96 << 20


def memory_of(pid):
    """The most it ever held, in MiB."""
    line = next(s for s in open(f"/proc/{pid}/status") if s.startswith("VmHWM"))
    return int(line.split()[1]) >> 10


class Files:
    """One run's files over one keep-alive connection."""

    def __init__(self, stack):
        self.stack, self.checks = stack, Checks()
        self.tls = ssl.create_default_context(cafile=str(stack.ca))
        self.headers = {"Authorization": f"Bearer {stack.token}"}
        self.connect()
        reply, data = self.send("POST", "/api/2.0/mlflow/runs/create", json.dumps({"experiment_id": "0"}),
                                {"Content-Type": "application/json"})
        self.root = PROXY + json.loads(data)["run"]["info"]["artifact_uri"].removeprefix("mlflow-artifacts:")

    def connect(self):
        self.connection = http.client.HTTPSConnection("localhost", self.stack.port, context=self.tls, timeout=60)

    def send(self, method, path, body=None, headers=None, **how):
        try:
            self.connection.request(method, path, body, {**self.headers, **(headers or {})}, **how)
            reply = self.connection.getresponse()
            data = reply.read()
        except (http.client.RemoteDisconnected, BrokenPipeError):
            # The server ends a connection that was idle for a while.
            self.connect()
            if not isinstance(body, (bytes, str, type(None))):
                raise
            self.connection.request(method, path, body, {**self.headers, **(headers or {})}, **how)
            reply = self.connection.getresponse()
            data = reply.read()
        if reply.will_close:
            self.connect()
        return reply, data

    def path(self, name):
        return f"{self.root}/{urllib.parse.quote(name)}"

    def names_survive(self):
        for name in NAMES:
            reply, _ = self.send("PUT", self.path(name), name.encode())
            self.checks.that(reply.status == 200, f"put {name}: {reply.status}")
            reply, data = self.send("GET", self.path(name))
            self.checks.that((reply.status, data) == (200, name.encode()), f"get {name}: {reply.status}")
        listed = json.loads(self.send("GET", f"{PROXY}?path={self.root[len(PROXY) + 1:]}/images")[1])["files"]
        self.checks.that([f["path"] for f in listed] == sorted(n[7:] for n in NAMES if n.startswith("images/")),
                         "the level of the images")

    def bad_names_are_refused(self):
        for raw in RAW:
            for method, body in (("GET", None), ("PUT", b"intruder"), ("DELETE", None)):
                reply, data = self.send(method, f"{self.root}/{raw}", body)
                refused = reply.status in (400, 404) or raw in ("/x",) and reply.status == 200
                self.checks.that(refused and b"root:" not in data, f"{method} {raw}: {reply.status}")

    def bodies_come_either_way(self):
        pieces = [b"first, ", b"second, ", b"third"]
        self.connect()
        self.send("PUT", self.path("chunked"), iter(pieces), encode_chunked=True,
                  headers={"Transfer-Encoding": "chunked"})
        reply, data = self.send("GET", self.path("chunked"))
        self.checks.that(data == b"".join(pieces), "a body without a length")
        self.checks.that(reply.headers["Content-Length"] == "20", "the length of a download is told")
        reply, data = self.send("GET", self.path("chunked"), headers={"Range": "bytes=7-12"})
        self.checks.that((reply.status, data, reply.headers["Content-Range"]) == (206, b"second", "bytes 7-12/20"),
                         "a range")
        reply, data = self.send("HEAD", self.path("chunked"))
        self.checks.that((reply.status, reply.headers["Content-Length"]) == (200, "20"), "the head alone")
        reply, _ = self.send("GET", self.path("chunked"), headers={"Range": "bytes=99-"})
        self.checks.that(reply.status == 416, "a range behind the end")

    def broken_uploads_leave_nothing(self):
        blobs = self.stack.dir / "data/blobs"
        before = sorted(p.name for p in blobs.rglob("*"))
        for head in ("Content-Length: 100000", "Transfer-Encoding: chunked"):
            with socket.create_connection(("localhost", self.stack.port)) as plain:
                with self.tls.wrap_socket(plain, server_hostname="localhost") as line:
                    line.sendall((f"PUT {self.path('broken')} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n"
                                  f"Authorization: Bearer {self.stack.token}\r\n\r\n").encode())
                    line.sendall(b"5\r\nhello\r\n")
        time.sleep(0.5)
        self.checks.that(self.send("GET", self.path("broken"))[0].status == 404, "half a file is no file")
        self.checks.that(sorted(p.name for p in blobs.rglob("*")) == before, "half a file leaves no blob")
        self.checks.that(not list((self.stack.dir / "data/tmp").iterdir()), "half a file leaves nothing begun")

    def parts_come_at_once(self):
        parts = [os.urandom(300_000) for _ in range(12)]
        message = json.dumps({"path": "joined.bin", "num_parts": len(parts)})
        kind = {"Content-Type": "application/json"}
        where = self.root.removeprefix(PROXY)
        _, data = self.send("POST", f"/api/2.0/mlflow-artifacts/mpu/create{where}/in", message, kind)
        begun = json.loads(data)

        def put(credential):
            url = urllib.parse.urlsplit(credential["url"])
            line = http.client.HTTPSConnection(url.hostname, url.port, context=self.tls, timeout=60)
            line.request("PUT", url.path, parts[credential["part_number"] - 1], credential["headers"])
            reply = line.getresponse()
            reply.read()
            line.close()
            return {"part_number": credential["part_number"], "etag": reply.headers["ETag"], "url": credential["url"]}

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            done = list(pool.map(put, reversed(begun["credentials"])))
        message = json.dumps({"path": "joined.bin", "upload_id": begun["upload_id"], "parts": done})
        reply, _ = self.send("POST", f"/api/2.0/mlflow-artifacts/mpu/complete{where}/in", message, kind)
        self.checks.that(reply.status == 200, f"the parts are joined: {reply.status}")
        self.checks.that(self.send("GET", self.path("in/joined.bin"))[1] == b"".join(parts), "the parts in order")
        self.checks.that(not list((self.stack.dir / "data/uploads").iterdir()), "no part stays")

    def large_files_take_no_memory(self):
        block = os.urandom(1 << 20)
        pid = self.stack.pid("slipwayd")
        self.connect()
        before, started = memory_of(pid), time.monotonic()
        reply, _ = self.send("PUT", self.path("large.bin"), (block for _ in range(BIG >> 20)),
                             {"Content-Length": str(BIG)})
        put_s, started = time.monotonic() - started, time.monotonic()
        self.checks.that(reply.status == 200, f"put of a large file: {reply.status}")
        self.connect()
        self.connection.request("GET", self.path("large.bin"), headers=self.headers)
        reply, digest = self.connection.getresponse(), hashlib.sha256()
        while piece := reply.read(1 << 20):
            digest.update(piece)
        get_s = time.monotonic() - started
        self.checks.that(digest.digest() == hashlib.sha256(block * (BIG >> 20)).digest(), "a large file comes back")
        grown = memory_of(pid) - before
        self.checks.that(grown < 24, f"the server grew by {grown} MiB")
        print(f"{BIG >> 20} MiB: up {put_s:.2f} s, down {get_s:.2f} s, server +{grown} MiB")


def main():
    with Stack(build=sys.argv[1], worker=False) as stack:
        files = Files(stack)
        files.names_survive()
        files.bad_names_are_refused()
        files.bodies_come_either_way()
        files.broken_uploads_leave_nothing()
        files.parts_come_at_once()
        files.large_files_take_no_memory()
        print(f"[  PASSED  ] {files.checks.passed} test(s).")
        return files.checks.failed > 0


if __name__ == "__main__":
    sys.exit(main())
