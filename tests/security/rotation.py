#!/usr/bin/env python3
"""The TLS certificate is exchanged under load: no request fails, new connections see the new one, and
a pair that does not fit is refused while the old one goes on.

    rotation.py BUILD
"""

import hashlib
import http.client
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from stack import Stack  # noqa: E402

ROTATIONS = 5


class Load(threading.Thread):
    """New connections, a few requests on each, until told to stop."""

    def __init__(self, stack):
        super().__init__()
        self.stack, self.stopping, self.asked, self.failures = stack, False, 0, []

    def run(self):
        trusting = ssl._create_unverified_context()  # certificates change: who signed is not the point
        while not self.stopping:
            try:
                connection = http.client.HTTPSConnection("localhost", self.stack.port,
                                                         context=trusting, timeout=10)
                for _ in range(3):
                    connection.request("GET", "/livez")
                    reply = connection.getresponse()
                    reply.read()
                    self.asked += 1
                    if reply.status != 200:
                        self.failures.append(reply.status)
                connection.close()
            except (OSError, http.client.HTTPException) as e:
                self.failures.append(repr(e))


def make_pair(folder, name):
    folder.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                    "-keyout", folder / "tls.key", "-out", folder / "tls.crt"],
                   check=True, stderr=subprocess.DEVNULL)
    os.chmod(folder / "tls.key", 0o600)
    return folder


def install(stack, pair, names=("tls.crt", "tls.key")):
    for name in names:
        os.replace(pair / name, stack.dir / "keys" / name)
    os.kill(stack.pid("slipwayd"), signal.SIGHUP)


def served(stack):
    pem = ssl.get_server_certificate(("localhost", stack.port))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def on_disk(stack):
    pem = (stack.dir / "keys/tls.crt").read_text()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def wait_until(what, seconds=10):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return what()


def main():
    passed = failed = 0

    def check(truth, sentence):
        nonlocal passed, failed
        passed, failed = passed + bool(truth), failed + (not truth)
        if not truth:
            print(f"FAILED: {sentence}")

    with Stack(build=sys.argv[1], worker=False) as stack:
        load = [Load(stack) for _ in range(4)]
        for thread in load:
            thread.start()
        for number in range(ROTATIONS):
            install(stack, make_pair(stack.dir / f"pair{number}", "localhost"))
            check(wait_until(lambda: served(stack) == on_disk(stack)), f"exchange {number} is served")
            time.sleep(0.3)
        before = served(stack)
        install(stack, make_pair(stack.dir / "stranger", "localhost"), names=("tls.key",))
        check(wait_until(lambda: "certificate.not_reloaded" in stack.log("slipwayd", 1000)),
              "a key of another certificate is refused with a line in the log")
        check(served(stack) == before, "the old certificate goes on")
        for thread in load:
            thread.stopping = True
        for thread in load:
            thread.join()
        asked = sum(t.asked for t in load)
        failures = [f for t in load for f in t.failures]
        check(asked > 100 and not failures, f"{len(failures)} of {asked} requests failed: {failures[:3]}")
        print(f"{ROTATIONS} exchanges under {asked} requests, {len(failures)} failures")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
