#!/usr/bin/env python3
"""No usable secret outside its place: makes one of each kind, uses it, and looks for it in a dump of
the database, in every log and in the environment and command line of every process.

    exposure.py BUILD
"""

import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from stack import EMAIL, PASSWORD, Client, Stack  # noqa: E402


class Browser:
    """Signed in with cookies, as a person is."""

    def __init__(self, stack, password=PASSWORD):
        self.client = Client(stack.port, stack.ca, None)
        self.headers = {"Origin": stack.url, "X-Slipway-Request": "1"}
        reply, body = self.call("POST", "/api/v1/session", {"email": EMAIL, "password": password})
        assert reply.status == 200, body
        self.cookies = [v.split(";")[0] for k, v in reply.getheaders() if k.lower() == "set-cookie"]
        self.headers["Cookie"] = "; ".join(self.cookies)

    def call(self, method, path, body=None):
        return self.client.request(method, path, body, self.headers)

    def made(self, method, path, body=None):
        reply, data = self.call(method, path, body)
        assert reply.status in (200, 201), data
        return json.loads(data)


def secret_of(token):
    """The middle of slp_<id, 8 characters>_<secret, 43>_<checksum>; the secret may hold a "_" too."""
    return token[13:56]


def make_secrets(stack):
    """One of each kind: name → the text that would be usable by whoever reads it."""
    browser = Browser(stack)
    token = browser.made("POST", "/api/v1/tokens", {"name": "seen", "scopes": ["read"]})["token"]
    invitation = browser.made("POST", "/api/v1/invitations",
                              {"email": "new@example.test", "role": "viewer"})
    factor = browser.made("POST", "/api/v1/me/totp")
    secrets = {
        "password": PASSWORD,
        "API token": secret_of(token),
        "worker token": secret_of((stack.dir / "worker.token").read_text()),
        "invitation": invitation["link"].rsplit("/", 1)[1],
        "second factor": factor["secret"],
    }
    for number, cookie in enumerate(browser.cookies):
        secrets[f"cookie {number}"] = cookie.split("=", 1)[1]
    for key in (stack.dir / "keys").glob("*.key"):
        if key.name != "tls.key":
            raw = key.read_bytes().strip()
            secrets[f"key {key.name}"] = raw.decode() if raw.isalnum() else raw.hex()
    reader = Client(stack.port, stack.ca, token)
    assert reader.request("GET", "/api/v1/session")[0].status == 200
    assert Client(stack.port, stack.ca, "slp_" + "x" * 60).request("GET", "/api/v1/session")[0].status == 401
    wrong = Client(stack.port, stack.ca, None)
    wrong.request("POST", "/api/v1/session", {"email": EMAIL, "password": "wrong " + PASSWORD},
                  {"Origin": stack.url, "X-Slipway-Request": "1"})
    reader.request("GET", f"/api/v1/invite/{secrets['invitation']}")
    return secrets


def places(stack):
    """name → text of every place an outsider may come to read."""
    dump = subprocess.run(["pg_dump", "-h", stack.pg_dir, "-U", "postgres", "slipway"],
                          capture_output=True, text=True, check=True).stdout
    yield "database dump", dump
    for name in ("slipwayd", "worker"):
        yield f"log of {name}", stack.log(name, 100000)
        proc = pathlib.Path("/proc") / str(stack.pid(name))
        yield f"environment of {name}", (proc / "environ").read_text(errors="replace")
        yield f"command line of {name}", (proc / "cmdline").read_text(errors="replace")
    yield "log of PostgreSQL", (stack.pg_dir / "server.log").read_text(errors="replace")


def main():
    found = 0
    looked = 0
    with Stack(build=sys.argv[1]) as stack:
        secrets = make_secrets(stack)
        while "worker.started" not in stack.log("worker"):
            time.sleep(0.1)  # ctest's time limit ends this
        lengths = {name: len(secret) for name, secret in secrets.items()}
        assert len(lengths) >= 8 and min(lengths.values()) >= 16, lengths
        for place, text in places(stack):
            assert text, f"{place} is empty: nothing was looked at"
            for name, secret in secrets.items():
                looked += 1
                if secret in text:
                    found += 1
                    print(f"FAILED: {name} stands in the {place}")
    print(f"{looked - found} passed, {found} failed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
