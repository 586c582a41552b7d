#!/usr/bin/env python3
"""The sets of bad input about people, tokens and walls, tried against a running server one after the
other; each prints how many attacks were made and how many came through. The numbers are those of the
project's list of attacks.

    sets.py BUILD [B09 …]

Every attack is one request: what it may be answered with stands beside it, and whatever else comes
back counts as "came through".
"""

import base64
import hashlib
import hmac
import http.client
import json
import pathlib
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from stack import EMAIL, PASSWORD, Client, Stack  # noqa: E402

P = "/api/v1/projects/default"
SAME = {"X-Slipway-Request": "1"}


class Attacks:
    """Counts what was tried and what came through; knows the server."""

    def __init__(self, stack):
        self.stack, self.tried, self.through = stack, 0, []

    def check(self, truth, sentence):
        self.tried += 1
        if not truth:
            self.through.append(sentence)

    def client(self, token=None):
        return Client(self.stack.port, self.stack.ca, token)

    def raw(self, data):
        """Bytes over TLS; (status, head and body in lower case), 0 when the line is cut."""
        context = ssl.create_default_context(cafile=str(self.stack.ca))
        with socket.create_connection(("127.0.0.1", self.stack.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as s:
                reply = b""
                try:
                    s.sendall(data)
                    while piece := s.recv(65536):
                        reply += piece
                except (ConnectionError, ssl.SSLError, TimeoutError):
                    pass
        text = reply.decode("latin1").lower()
        return (int(text.split(" ", 2)[1]) if text.startswith("http/") else 0), text

    def request(self, method, path, body=None, headers=None, token=None):
        client = self.client(token)
        try:
            reply, data = client.request(method, path, body, headers)
            return reply, data
        finally:
            client.close()


class Browser:
    """Somebody signed in with cookies; not following anything, as an attack page would not."""

    def __init__(self, attacks, email=EMAIL, password=PASSWORD):
        self.a = attacks
        self.origin = {"Origin": attacks.stack.url, **SAME}
        reply, data = attacks.request("POST", "/api/v1/session", {"email": email, "password": password},
                                      self.origin)
        assert reply.status == 200, data
        pairs = [v.split(";")[0] for k, v in reply.getheaders() if k.lower() == "set-cookie"]
        self.cookies = dict(p.split("=", 1) for p in pairs)
        self.cookie = "; ".join(pairs)

    def call(self, method, path, body=None, headers=None):
        return self.a.request(method, path, body, {"Cookie": self.cookie, **(headers or self.origin)})


def project_count(stack):
    return int(stack.psql("select count(*) from projects"))


# ---- B09, B10: whose site is this ----

def b09_hosts(a):
    port = a.stack.port
    for host, allowed in [("evil.example", False), (f"evil.example:{port}", False), (None, False),
                          ("localhost:1@evil.example", False), ("localhost.evil.example", False),
                          ("[::1", False), ("local host", False), ("", False), ("localhost,evil", False),
                          (f"localhost:{port}", True), ("LOCALHOST", True), ("localhost:1", True),
                          (f"127.0.0.1:{port}", True)]:
        line = f"Host: {host}\r\n" if host is not None else ""
        status, _ = a.raw(f"GET /livez HTTP/1.1\r\n{line}Connection: close\r\n\r\n".encode())
        a.check(status == 200 if allowed else status in (0, 400, 421), f"Host {host!r}: {status}")
    for two in (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
                b"GET https://evil.example/livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
                b"GET http://localhost/livez HTTP/1.1\r\nHost: evil.example\r\n\r\n"):
        status, _ = a.raw(two)
        a.check(status in (0, 400, 421), f"{two[:40]!r}: {status}")


def b10_origins(a):
    browser, before = Browser(a), project_count(a.stack)
    body = json.dumps({"name": "Forged", "slug": "forged"})
    for origin in ("https://evil.example", "null", "https://localhost.evil.example", "http://localhost",
                   f"https://localhost:{a.stack.port + 1}", "file://", ""):
        for method, path in (("POST", "/api/v1/projects"), ("PATCH", "/api/v1/me"),
                             ("PUT", "/api/v1/me/password"), ("DELETE", "/api/v1/session")):
            sent = None if method == "DELETE" else body
            reply, _ = browser.call(method, path, sent, {"Origin": origin, **SAME,
                                                         "Content-Type": "application/json"})
            a.check(reply.status == 403, f"{method} {path} from {origin!r}: {reply.status}")
            a.check(reply.getheader("Access-Control-Allow-Origin") is None, "CORS header")
    for headers in ({}, {"Content-Type": "text/plain"}, {"Sec-Fetch-Site": "cross-site"},
                    {"Sec-Fetch-Site": "same-site"},
                    {"Content-Type": "application/x-www-form-urlencoded"},
                    {"Content-Type": "multipart/form-data; boundary=x"}):
        reply, _ = browser.call("POST", "/api/v1/projects", body, headers or {"Accept": "*/*"})
        a.check(reply.status in (400, 403, 415), f"cookie alone with {headers}: {reply.status}")
    for origin in ("https://evil.example", "null"):
        reply, _ = browser.call("GET", "/api/v1/projects", None, {"Origin": origin})
        a.check(reply.getheader("Access-Control-Allow-Origin") is None, "GET answers with CORS leave")
        reply, _ = browser.call("OPTIONS", "/api/v1/projects", None,
                                {"Origin": origin, "Access-Control-Request-Method": "POST"})
        a.check(not [k for k, _ in reply.getheaders() if k.lower().startswith("access-control")],
                "preflight answers with leave")
    a.check(project_count(a.stack) == before, "a forged request made a project")
    a.check(browser.call("GET", "/api/v1/session")[0].status == 200, "a forged request signed out")


# ---- B11: every route in odd spellings ----

def routes(a):
    out = subprocess.run([a.stack.bin / "slipwayd", "routes"], capture_output=True, text=True, check=True)
    for line in out.stdout.splitlines():
        method, path, scope = line.split()[:3]
        if scope != "public":
            yield method, path


def filled(path):
    parts = [str(uuid.UUID(int=7)) if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


def b11_paths(a):
    client = a.client()
    for method, pattern in routes(a):
        path = filled(pattern)
        head, tail = path.rsplit("/", 1)
        for variant in (path, "/" + path, path + "/", path.upper(), path + ";a", f"{head}%2f{tail}",
                        f"{head}/./{tail}", f"{head}/%2e/{tail}", f"{head}/x/../{tail}", f"{head}//{tail}"):
            reply, _ = client.request(method, variant, None, {"X-HTTP-Method-Override": "GET"})
            a.check(reply.status in (400, 401, 403, 404, 405), f"{method} {variant}: {reply.status}")
        for verb in ("TRACE", "CONNECT", "PROPFIND", "GET\t"):
            status, _ = a.raw(f"{verb} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                              .encode()) if pattern.count("{") == 0 else (405, "")
            a.check(status in (0, 400, 401, 404, 405, 501), f"{verb} {path}: {status}")
    client.close()


# ---- B12: tokens ----

def b64(data):
    if isinstance(data, (dict, list)):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged_tokens(a, good):
    head, body, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    certificate = pathlib.Path(a.stack.ca).read_bytes()

    def mac(header_, claims_, key, digest=hashlib.sha256):
        text = f"{b64(header_)}.{b64(claims_)}"
        return f"{text}.{b64(hmac.new(key, text.encode(), digest).digest())}"

    for none in ("none", "None", "nOnE", "NONE", ""):
        yield f"{b64({**header, 'alg': none})}.{body}."
        yield f"{b64({**header, 'alg': none})}.{body}.{signature}"
    for key in (b"", b"secret", certificate, b"\0" * 32):
        for alg, digest in (("HS256", hashlib.sha256), ("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
            yield mac({**header, "alg": alg}, claims, key, digest)
    for kid in ("../../../../dev/null", "' or 1=1 --", "keys/tls.key", "\0", "x" * 10000, 7, None):
        yield mac({**header, "kid": kid}, claims, b"")
    for extra in ({"jku": "https://evil.example/jwks"}, {"x5u": "https://evil.example/x"},
                  {"jwk": {"kty": "oct", "k": "AAAA"}}, {"crit": ["exp"]}, {"x5c": ["AAAA"]}):
        yield f"{b64({**header, **extra})}.{body}.{signature}"
    for change in ({"exp": None}, {"exp": "9999999999"}, {"exp": 9e99}, {"exp": -1}, {"nbf": 9999999999},
                   {"aud": "other"}, {"iss": "other"}, {"sub": str(uuid.uuid4())}, {"role": "owner"}):
        yield f"{head}.{b64({**claims, **change})}.{signature}"
    flipped = bytearray(base64.urlsafe_b64decode(signature + "=="))
    flipped[0] ^= 1
    yield f"{head}.{body}.{b64(bytes(flipped))}"
    yield from (f"{head}.{body}", f"{head}.{body}.", f"{good}.x", f"{good}=", f"{good}==", f".{body}.{signature}",
                f"{head}..{signature}", good + "\t", good.replace(".", ".."), good[:-1], good + "A")
    yield f"{b64(b'{' * 5000)}.{body}.{signature}"
    yield f"{b64(b'[' * 2000 + b']' * 2000)}.{body}.{signature}"
    yield f"""{head}.{b64(b'{"sub":"a","sub":"b"}')}.{signature}"""
    yield "x" * 15000


def b12_tokens(a):
    browser, texts = Browser(a), set()
    access = max(browser.cookies, key=lambda name: browser.cookies[name].count("."))
    good = browser.cookies[access]
    assert good.count(".") == 2
    client = a.client()
    reply, _ = client.request("GET", "/api/v1/session", None, {"Cookie": f"{access}={good}"})
    assert reply.status == 200
    spent = []
    for token in forged_tokens(a, good):
        for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"{access}={token}"}):
            started = time.perf_counter()
            try:
                reply, data = client.request("GET", "/api/v1/session", None, headers)
            except (http.client.HTTPException, ValueError):
                client.close()  # never left this side, or the line was cut
                continue
            spent.append(time.perf_counter() - started)
            a.check(reply.status in (400, 401, 431), f"{headers}"[:120] + f": {reply.status}")
            if reply.status == 401:
                texts.add(json.loads(data)["detail"])
    others = [v for k, v in browser.cookies.items() if k != access]
    for other in others:
        reply, _ = client.request("GET", "/api/v1/session", None, {"Cookie": f"{access}={other}"})
        a.check(reply.status == 401, "the refresh secret used as access token")
    a.check(len(texts) == 1, f"one text for all: {texts}")
    a.note = f"median {statistics.median(spent) * 1000:.1f} ms"


# ---- B13, B14: passwords and guessing ----

def b13_passwords(a):
    browser = Browser(a)
    accepted = ["correct harbour battery staple", "x" * 64 + " and more", " leading space and trailing ",
                "schräg über den Hof ⚓⚓", "\U0001f980" * 20, "z" * 200 + "9 quay"]
    refused = ["", "x", "sevench", "shortshort1", "password1234", "123456789012",
               "iloveyou1234", "y" * 257, "y" * 20000, "nul\0inside the text", EMAIL]
    current = PASSWORD
    for password in refused:
        reply, _ = browser.call("PUT", "/api/v1/me/password", {"current": current, "password": password})
        a.check(reply.status in (400, 422), f"{password[:30]!r} of {len(password)}: {reply.status}")
        current = current if reply.status >= 400 else password
    status, _ = a.raw(f"PUT /api/v1/me/password HTTP/1.1\r\nHost: localhost\r\nCookie: {browser.cookie}\r\n"
                      f"Origin: {a.stack.url}\r\nX-Slipway-Request: 1\r\nContent-Type: application/json\r\n"
                      "Content-Length: 2000000\r\n\r\n".encode())
    a.check(status == 413, f"2 MB: {status}")
    for password in accepted:
        reply, data = browser.call("PUT", "/api/v1/me/password", {"current": current, "password": password})
        a.check(reply.status in (200, 204), f"good {password[:20]!r} refused: {data}")
        current = password if reply.status in (200, 204) else current
        browser = Browser(a, password=current)  # verbatim: not trimmed, not folded
    reply, _ = browser.call("PUT", "/api/v1/me/password", {"current": current, "password": PASSWORD})
    a.check(reply.status in (200, 204), "the old password set again")


def sign_in(a, email, password="wrong but long enough"):
    return a.request("POST", "/api/v1/session", {"email": email, "password": password},
                     {"Origin": a.stack.url, **SAME})


def b14_guessing(a):
    """The account is the last thing guessed at: it rests afterwards. e2e.guessing does it from 200
    addresses."""
    session, seen, lock = Browser(a), [], threading.Lock()

    def guess(number):
        reply, _ = sign_in(a, EMAIL, f"guess number {number}")
        with lock:
            seen.append((reply.status, reply.getheader("Retry-After")))

    for start in range(0, 1000, 50):
        threads = [threading.Thread(target=guess, args=(n,)) for n in range(start, start + 50)]
        [t.start() for t in threads]
        [t.join() for t in threads]
    tried = sum(status == 401 for status, _ in seen)
    a.tried += len(seen)
    a.check(tried <= 10, f"{tried} guesses were tried")
    a.check({s for s, _ in seen} <= {401, 429, 503}, f"{set(s for s, _ in seen)}")
    a.check(all(hint for s, hint in seen if s in (429, 503)), "a refusal without Retry-After")
    a.check(session.call("GET", "/api/v1/session")[0].status == 200, "the open session ended")
    peak = next(int(line.split()[1]) for line in
                open(f"/proc/{a.stack.pid('slipwayd')}/status") if line.startswith("VmHWM"))
    a.check(peak < 330_000, f"memory rose to {peak} kB")
    a.note = f"{tried} of 1000 tried, peak {peak // 1024} MiB"


# ---- B15, B16: members that are not asked for, ids of others ----

def b15_mass_assignment(a):
    token = a.stack.token
    extras = ({"role": "owner"}, {"team_id": str(uuid.uuid4())}, {"tenant_id": 2}, {"id": str(uuid.uuid4())},
              {"is_active": True}, {"created_by": "root"}, {"created_at": "2020-01-01T00:00:00Z"},
              {"__proto__": {"admin": True}}, {"unheard_of": 1})
    bodies = (("POST", "/api/v1/projects", {"name": "Extra", "slug": "extra"}),
              ("POST", f"{P}/experiments", {"name": "extra"}), ("POST", f"{P}/datasets", {"name": "extra"}),
              ("POST", "/api/v1/groups", {"name": "extra"}))
    before = a.stack.psql("select (select count(*) from projects), (select count(*) from experiments),"
                          " (select count(*) from datasets), (select count(*) from groups)")
    for method, path, body in bodies:
        for extra in extras:
            if set(extra) & set(body):
                continue
            reply, data = a.request(method, path, {**body, **extra}, token=token)
            name = next(iter(extra))
            a.check(reply.status in (400, 422) and name in data.decode(), f"{path} with {name}: {reply.status}")
    browser = Browser(a)
    for extra in extras:
        reply, _ = browser.call("PATCH", "/api/v1/me", {"name": "Olive Owner", **extra})
        a.check(reply.status in (400, 422), f"me with {extra}: {reply.status}")
    after = a.stack.psql("select (select count(*) from projects), (select count(*) from experiments),"
                         " (select count(*) from datasets), (select count(*) from groups)")
    a.check(before == after, "a refused body left a row")


def other_team(a):
    a.stack._command("user", "create", "--email", "bea@example.test", "--name", "Bea", "--team", "beta",
                     "--team-name", "Beta", "--role", "owner", "--password-stdin",
                     input="another quiet harbour at 6\n")
    made = a.stack._command("token", "create", "--team", "beta", "--owner", "bea@example.test", "--name",
                            "sets", "--scopes", "read,write,admin", "--json")
    return json.loads(made)["token"]


def b16_foreign_ids(a):
    """What team A owns, named by team B in every place an id can stand: the reply is that for an id
    nobody has, to the byte but for the id itself and the request's number."""
    beta = a.client(other_team(a))
    acme = a.stack.new_client()
    dataset = acme.api("POST", f"{P}/datasets", {"name": "walled"})["id"]
    upload = acme.api("PUT", "/api/v1/uploads?file_name=w.csv", b"a,b\n1,2\n")["id"]
    experiment = acme.api("POST", f"{P}/experiments", {"name": "walled"})["id"]
    group = acme.api("POST", "/api/v1/groups", {"name": "walled"})["id"]
    theirs = {"dataset": dataset, "upload": upload, "experiment": experiment, "group": group}
    cursor = acme.api("GET", "/api/v1/audit?limit=1")["next_cursor"]

    def shape(reply, data, id_):
        text = data.decode().replace(id_, "ID")
        try:
            parsed = json.loads(text)
            parsed.pop("request_id", None)
            return reply.status, json.dumps(parsed, sort_keys=True)
        except ValueError:
            return reply.status, text

    def same(method, path, body, id_):
        nobody = str(uuid.uuid4())
        swap = (lambda v, to: json.loads(json.dumps(v).replace(id_, to)) if v is not None else None)
        real = beta.request(method, path, body)
        void = beta.request(method, path.replace(id_, nobody), swap(body, nobody))
        a.check(real[0].status not in (200, 201, 204) or shape(*real, id_) == shape(*void, nobody),
                f"{method} {path}: {real[0].status} {real[1][:100]}")
        a.check(shape(*real, id_) == shape(*void, nobody), f"{method} {path} tells that it exists")

    for method, pattern in routes(a):
        for name, id_ in theirs.items():
            if pattern.count("{") == 1 and "{project}" not in pattern and method != "PUT":
                same(method, "/".join(id_ if p.startswith("{") else p for p in pattern.split("/")), None, id_)
    for body, id_ in (({"upload_ids": [upload]}, upload),):
        mine = beta.api("POST", f"{P}/datasets", {"name": "mine"})["id"]
        same("POST", f"/api/v1/datasets/{mine}/versions", body, id_)
        own = beta.api("PUT", "/api/v1/uploads?file_name=w.csv", b"a,b\n1,2\n")["id"]
        same("POST", f"/api/v1/datasets/{mine}/versions", {"upload_ids": [own, upload]}, upload)
    same("POST", f"{P}/training", {"name": "x", "dataset_version_id": dataset,
                                   "spec": {"layers": []}}, dataset)
    same("GET", f"{P}/runs?experiment={experiment}", None, experiment)
    same("GET", f"/api/v1/lineage?kind=dataset_version&id={dataset}", None, dataset)
    reply, _ = beta.request("GET", f"/api/v1/audit?cursor={cursor}")
    a.check(reply.status == 400, f"another team's page token: {reply.status}")
    beta.close()


# ---- B24, B26, B28 ----

def b24_log_injection(a):
    canary = "canary-" + uuid.uuid4().hex
    for text in ("line\nbreak", "carriage\rreturn", "esc\x1b[31mred", '{"event":"forged"}', "x" * 5000,
                 "tab\tand\x00nul", "\u2028separator"):
        sign_in(a, f"{text}@example.test", canary)
        a.request("GET", "/api/v1/runs/" + base64.b16encode(text.encode()[:200]).decode(), token=a.stack.token)
        a.request("POST", f"{P}/experiments", {"name": text[:190]}, token=a.stack.token)
    a.request("GET", "/livez", headers={"User-Agent": "x" * 7000})
    a.raw(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nUser-Agent: " + b"y" * 1_000_000 + b"\r\n\r\n")
    a.raw(b"GET /li\x1bvez\r\nforged: 1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    log = (a.stack.dir / "slipwayd.log").read_bytes()
    for line in log.splitlines():
        try:
            json.loads(line)
            readable = True
        except ValueError:
            readable = False
        a.check(readable and len(line) <= 8192 and b"\x1b" not in line, f"log line {line[:80]!r}")
    a.check(b'"event":"forged"' not in log, "a forged event stands in the log")
    a.check(canary.encode() not in log, "a password stands in the log")
    a.check(a.stack.token.encode() not in log, "a token stands in the log")


def b26_abuse(a):
    client = a.client(a.stack.token)
    browser = Browser(a)
    for limit in ("0", "-1", "1000000000", "9" * 40, "1e9", "", "x"):
        for path in ("/api/v1/projects", f"{P}/runs", "/api/v1/audit", f"{P}/jobs"):
            reply, _ = client.request("GET", f"{path}?limit={limit}")
            a.check(reply.status in (400, 422), f"{path}?limit={limit}: {reply.status}")
    upload = client.api("PUT", "/api/v1/uploads?file_name=r.csv", b"a,label\n" + b"1,x\n" * 2000)
    ranges = ",".join(["bytes=0-0"] + ["0-0"] * 1500)
    reply, data = client.request("GET", "/", None, {"Range": ranges})
    a.check(reply.status in (200, 404, 416, 431) and len(data) < 1 << 20, f"1,500 ranges: {reply.status}")
    limits = {"tokens": 5, "runs": 0, "queued_jobs": 1}
    for name, limit in limits.items():
        reply, data = browser.call("PUT", "/api/v1/quotas", {"name": name, "limit": limit})
        a.check(reply.status in (200, 204), f"quota {name}: {data}")
    made = [browser.call("POST", "/api/v1/tokens", {"name": f"t{n}", "scopes": ["read"]})[0].status
            for n in range(12)]
    a.check(set(made) <= {201, 403, 429} and made.count(201) <= 5, f"tokens over the quota: {made}")
    dataset = client.api("POST", f"{P}/datasets", {"name": "abused"})["id"]
    jobs = []
    for _ in range(8):
        reply, _ = client.request("POST", f"/api/v1/datasets/{dataset}/versions", {"upload_ids": [upload["id"]]})
        jobs.append(reply.status)
    a.check(set(jobs) <= {201, 202, 403, 429} and jobs.count(429) + jobs.count(403) >= 6,
            f"jobs over the quota of one: {jobs}")


def b28_redirects(a):
    for next_ in ("//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)",
                  "https://evil.example", "%2f%2fevil.example", "/%09/evil.example", "\\\\evil"):
        for path in ("/sign-in", "/api/v1/sso/none/start", "/api/v1/sso/callback", "/"):
            escaped = "".join(f"%{byte:02x}" for byte in next_.encode())
            reply, _ = a.request("GET", f"{path}?next={escaped}")
            place = reply.getheader("Location") or ""
            a.check("evil" not in place and not place.lower().startswith("javascript"), f"{path} → {place}")
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example",
                 "X-Forwarded-Proto": "http", "Forwarded": "for=203.0.113.9;host=evil.example",
                 "X-Real-IP": "203.0.113.9"}
    a.request("GET", "/api/v1/projects", headers=forwarded, token=a.stack.token)
    reply, data = a.request("POST", "/api/v1/invitations", {"email": "f@example.test", "role": "viewer"},
                            {**forwarded}, token=a.stack.token)
    a.check(b"evil" not in data, f"an invitation's link leads away: {data}")
    a.check("203.0.113.9" not in (a.stack.dir / "slipwayd.log").read_text(), "a spoofed address in the log")
    a.check(a.stack.psql("select count(*) from audit_events where remote like '203.0.113%'") == "0",
            "a spoofed address in the audit log")


# ---- A9: the audit log ----

def a9_audit(a):
    """One changed row is named, and so is a newest row that was cut off, against an earlier end."""
    def verify(*words):
        out = subprocess.run([a.stack.bin / "slipwayd", "audit", "verify", *words, "--config",
                              a.stack.config], capture_output=True, text=True)
        return out.returncode, out.stdout + out.stderr

    def as_owner(statement):
        return a.stack.psql(f"set session_replication_role = replica; {statement}")

    a.stack.new_client().api("POST", f"{P}/experiments", {"name": "audited"})
    a.check(verify()[0] == 0, "an untouched log")
    kept = a.stack.dir / "audit.end"
    kept.write_text(verify("--json")[1])
    a.check(verify("--against", kept)[0] == 0, "an untouched log against its own end")
    last = as_owner("select seq from audit_events e join teams t on t.id = e.team_id and t.slug = 'acme'"
                    " order by seq desc limit 1")
    where = f"seq = {last} and team_id = (select id from teams where slug = 'acme')"
    as_owner(f"create table cut as select * from audit_events where {where};"
             f" delete from audit_events where {where}")
    a.check(verify()[0] == 0, "a log without its newest row looks whole")
    status, text = verify("--against", kept)
    a.check(status != 0 and last in text, f"the cut is seen against the earlier end: {text}")
    as_owner("insert into audit_events select * from cut; drop table cut")
    a.check(verify("--against", kept)[0] == 0, "the row put back")
    as_owner(f"update audit_events set actor_name = 'somebody else' where {where}")
    status, text = verify()
    a.check(status != 0 and last in text, f"the changed row is named: {text}")


SETS = [b09_hosts, b10_origins, b11_paths, b12_tokens, b13_passwords, b15_mass_assignment, b16_foreign_ids,
        b24_log_injection, b28_redirects, b26_abuse, b14_guessing,
        a9_audit]


def main():
    wanted, failed = sys.argv[2:], 0
    with Stack(build=sys.argv[1], worker=False) as stack:
        for attack in SETS:
            name, _, title = attack.__name__.partition("_")
            name = name.upper()
            if wanted and name not in wanted:
                continue
            a = Attacks(stack)
            a.note = ""
            attack(a)
            print(f"{name} {title.replace('_', ' '):<16} {a.tried:>5} checks, "
                  f"{len(a.through)} came through  {a.note}", flush=True)
            for sentence in a.through[:10]:
                print(f"    FAILED: {sentence}")
            failed += len(a.through)
        alive = Client(stack.port, stack.ca, stack.token).request("GET", "/readyz")[0].status == 200
        print("the server is up" if alive else "FAILED: the server is gone")
    return 1 if failed or not alive else 0


if __name__ == "__main__":
    sys.exit(main())
