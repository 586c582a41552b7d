#!/usr/bin/env python3
"""Webhooks of a whole Slipway, told to an HTTPS receiver on this machine.

    run.py BUILD

First with no private network allowed: nothing on this machine is ever connected to. Then with
127.0.0.0/8: signatures, retries, kill -9 between the claim and the mark, two processes that share
the work.
"""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from stack import ApiError, Stack, free_port  # noqa: E402

HOOKS = "/api/v1/projects/default/webhooks"
MODELS = "/api/v1/projects/default/models"
SECRET = "between us"


class Receiver(http.server.ThreadingHTTPServer):
    """Answers as `script` says, request by request and path by path, then 200. `came` has every
    request, `connections` counts what only knocked."""

    daemon_threads = True

    def __init__(self, stack, address="127.0.0.1"):
        if ":" in address:
            self.address_family = socket.AF_INET6
        super().__init__((address, 0), Handler)
        self.port, self.came, self.connections = self.server_address[1], [], 0
        self.script = collections.defaultdict(list)
        self.changed = threading.Condition()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(stack.ca, stack.dir / "keys/tls.key")
        self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def verify_request(self, request, client_address):
        self.connections += 1
        return True

    def handle_error(self, request, client_address):
        pass  # a client that was killed

    def url(self, path, host="localhost"):
        return f"https://{host}:{self.port}{path}"

    def of(self, path):
        return [r for r in self.came if r["path"] == path]

    def wait(self, path, count, seconds=30):
        end = time.monotonic() + seconds
        with self.changed:
            while len(self.of(path)) < count:
                if not self.changed.wait(end - time.monotonic()):
                    raise AssertionError(f"{path}: {len(self.of(path))} of {count} in {seconds} s")
        return self.of(path)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        with server.changed:
            steps = server.script[self.path]
            step = steps.pop(0) if steps else {}
            server.came.append({"path": self.path, "headers": self.headers, "body": body,
                                "at": time.monotonic()})
            server.changed.notify_all()
        time.sleep(step.get("delay", 0))
        self.send_response(step.get("status", 200))
        for name, value in step.get("headers", {}).items():
            self.send_header(name, value)
        answer = step.get("answer", b"ok")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def hook(stack, url, **more):
    return stack.new_client().api("POST", HOOKS, {
        "name": "test", "url": url, "events": ["registered_model.created"], "secret": SECRET, **more})


def model(stack, name):
    stack.new_client().api("POST", MODELS, {"name": name})


def deliveries(stack, hook):
    return stack.new_client().api("GET", f"{HOOKS}/{hook['id']}/deliveries")["items"]


def wait_for(stack, hook, done, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        items = deliveries(stack, hook)
        if items and all(map(done, items)):
            return items
        time.sleep(0.2)
    raise AssertionError(f"after {seconds} s: {items}")


def due_now(stack):
    stack.psql("update webhook_deliveries set due_at = now() where state = 'waiting'")


def drop(stack, hook):
    stack.new_client().api("DELETE", f"{HOOKS}/{hook['id']}")


# ---- nothing is allowed ----

def test_names_of_private_addresses_are_not_connected_to(stack, v4, v6):
    """What a literal would be refused for is refused of a name when it is used."""
    named = socket.gethostname()
    for host in ("localhost", "LOCALHOST", "localhost.", named):
        made = hook(stack, v4.url("/x", host))
        result = stack.new_client().api("POST", f"{HOOKS}/{made['id']}/test", {})
        assert not result["ok"] and result["status"] is None, (host, result)
        model(stack, f"told to {host}")
        last = wait_for(stack, made, lambda d: d["attempts"] > 0)[0]
        assert last["log"][0]["status"] is None, last
        drop(stack, made)
    for address in ("127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", "0", "[::1]",
                    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]", "169.254.169.254",
                    "127.0.0.1.", "10.0.0.1", "[fd00::1]", "[fe80::1]", "①②⑦.0.0.1"):
        try:
            made = hook(stack, v4.url("/x", address))
        except ApiError as refusal:
            assert refusal.status == 400 and '"field":"url"' in refusal.body, (address, refusal)
            continue
        result = stack.new_client().api("POST", f"{HOOKS}/{made['id']}/test", {})
        assert not result["ok"], (address, result)
        drop(stack, made)
    assert v4.connections == 0 and v6.connections == 0, (v4.connections, v6.connections)


# ---- 127.0.0.0/8 is allowed, ::1 is not ----

def test_what_is_told_is_signed(stack, receiver, _):
    made = hook(stack, receiver.url("/signed"))
    model(stack, "signed 雪")
    [came] = receiver.wait("/signed", 1)
    assert came["at"] and json.loads(came["body"])["data"]["name"] == "signed 雪"
    parts = (came["headers"]["X-MLflow-Delivery-Id"], came["headers"]["X-MLflow-Timestamp"])
    mac = hmac.new(SECRET.encode(), b".".join([p.encode() for p in parts] + [came["body"]]),
                   hashlib.sha256).digest()
    assert came["headers"]["X-MLflow-Signature"] == "v1," + base64.b64encode(mac).decode()
    assert abs(int(parts[1]) - time.time()) < 60
    [told] = wait_for(stack, made, lambda d: d["state"] == "delivered")
    assert told["id"] == parts[0] and told["body"].encode() == came["body"]
    drop(stack, made)


def test_busy_receivers_are_asked_again(stack, receiver, _):
    receiver.script["/busy"] = [{"status": 503}, {"status": 429, "headers": {"Retry-After": "1"}}]
    made = hook(stack, receiver.url("/busy"))
    model(stack, "busy")
    receiver.wait("/busy", 1)
    for count in (2, 3):
        wait_for(stack, made, lambda d: d["attempts"] == count - 1)
        due_now(stack)
        receiver.wait("/busy", count)
    [told] = wait_for(stack, made, lambda d: d["state"] == "delivered")
    assert [a["status"] for a in told["log"]] == [503, 429, 200], told
    assert len({r["headers"]["X-MLflow-Delivery-Id"] for r in receiver.of("/busy")}) == 1
    drop(stack, made)


def test_retries_come_by_themselves(stack, receiver, _):
    receiver.script["/later"] = [{"status": 500}]
    made = hook(stack, receiver.url("/later"))
    model(stack, "later")
    first, second = receiver.wait("/later", 2, 20)
    assert 3 < second["at"] - first["at"] < 12, second["at"] - first["at"]
    drop(stack, made)


def test_refusals_are_final(stack, receiver, _):
    receiver.script["/no"] = [{"status": 400}]
    made = hook(stack, receiver.url("/no"))
    model(stack, "no")
    [told] = wait_for(stack, made, lambda d: d["state"] == "failed")
    assert told["attempts"] == 1 and told["log"][0]["status"] == 400
    drop(stack, made)


def test_redirects_lead_nowhere(stack, receiver, v6):
    for status in (301, 302, 307, 308):
        receiver.script["/away"] = [
            {"status": status, "headers": {"Location": v6.url("/secret", "[::1]")}},
            {"status": status, "headers": {"Location": receiver.url("/secret")}}]
        made = hook(stack, receiver.url("/away"))
        for name in ("one", "two"):
            model(stack, f"away {status} {name}")
        wait_for(stack, made, lambda d: d["state"] == "failed")
        drop(stack, made)
    assert v6.connections == 0 and not receiver.of("/secret")


def test_long_answers_are_cut(stack, receiver, _):
    receiver.script["/long"] = [{"answer": "é".encode() * 3_000_000}]
    made = hook(stack, receiver.url("/long"))
    result = stack.new_client().api("POST", f"{HOOKS}/{made['id']}/test", {})
    assert result["ok"] and len(result["answer"].encode()) <= 2000, result
    drop(stack, made)


def test_slow_receivers_do_not_stop_the_others(stack, receiver, _):
    """One that takes 9 s for each, 20 things to tell it; meanwhile the other hears at once."""
    receiver.script["/slow"] = [{"delay": 9}] * 20
    slow, quick = hook(stack, receiver.url("/slow")), hook(stack, receiver.url("/quick"))
    for i in range(20):
        model(stack, f"slow {i}")
    receiver.wait("/quick", 20, 6)
    assert len(receiver.of("/slow")) <= 4, len(receiver.of("/slow"))
    drop(stack, slow)
    drop(stack, quick)


def test_kill_between_claim_and_mark(stack, receiver, _):
    """What was accepted is told, if need be twice, under one id."""
    receiver.script["/killed"] = [{"delay": 5}]
    made = hook(stack, receiver.url("/killed"))
    model(stack, "killed")
    receiver.wait("/killed", 1)
    model(stack, "accepted just before")
    stack.kill("slipwayd")
    before = len(receiver.of("/killed"))
    stack.start_server()
    told = wait_for(stack, made, lambda d: d["state"] == "delivered", 60)
    ids = collections.Counter(r["headers"]["X-MLflow-Delivery-Id"] for r in receiver.of("/killed"))
    assert len(told) == 2 and set(ids) == {d["id"] for d in told}, (told, ids)
    assert len(receiver.of("/killed")) > before and max(ids.values()) == 2, ids
    drop(stack, made)


def test_two_processes_share_the_work(stack, receiver, _):
    port = free_port()
    other = stack.dir / "other.conf"
    other.write_text(stack.config.read_text().replace(f":{stack.port}", f":{port}"))
    second = subprocess.Popen([stack.bin / "slipwayd", "serve", "--config", other],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        made = hook(stack, receiver.url("/shared"))
        client = stack.new_client()
        for i in range(100):
            client.api("POST", MODELS, {"name": f"shared {i}"})
        came = receiver.wait("/shared", 100)
        wait_for(stack, made, lambda d: d["state"] == "delivered")
        ids = [r["headers"]["X-MLflow-Delivery-Id"] for r in came]
        assert len(ids) == len(set(ids)) == 100
        drop(stack, made)
    finally:
        second.terminate()
        second.wait()


def test_nothing_shows_the_secret(stack, *_):
    assert SECRET not in stack.psql("select string_agg(w::text, ' ') from webhooks w")
    assert SECRET not in stack.psql("select string_agg(a::text, ' ') from audit_events a")
    assert SECRET not in (stack.dir / "slipwayd.log").read_text(errors="replace")


CLOSED = (test_names_of_private_addresses_are_not_connected_to,)
OPEN = (test_what_is_told_is_signed, test_busy_receivers_are_asked_again,
        test_retries_come_by_themselves, test_refusals_are_final, test_redirects_lead_nowhere,
        test_long_answers_are_cut, test_slow_receivers_do_not_stop_the_others,
        test_kill_between_claim_and_mark, test_two_processes_share_the_work,
        test_nothing_shows_the_secret)


def main():
    with Stack(build=sys.argv[1], worker=False) as stack:
        v4, v6 = Receiver(stack), Receiver(stack, "::1")
        for test in CLOSED:
            test(stack, v4, v6)
        stack.stop("slipwayd")
        with stack.config.open("a") as config:
            config.write(f"allowed_private_networks = 127.0.0.0/8\noutbound_ca_file = {stack.ca}\n")
        stack.start_server()
        for test in OPEN:
            started = time.monotonic()
            test(stack, v4, v6)
            print(f"{test.__name__}: {time.monotonic() - started:.1f} s", flush=True)
    print(f"[  PASSED  ] {len(CLOSED + OPEN)} test(s).")


if __name__ == "__main__":
    main()
