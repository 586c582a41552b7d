#!/usr/bin/env python3
"""The surface of tracking as an attacker with a token would try it: filters, numbers, names, files,
floods and the ids of other teams. Prints, for each set, how many attacks were made and how many came
through.

    tracking.py BUILD [name …]

Whatever is sent, the answer is not a 5xx (but a 504 or 503 that was made for it), it comes within
SLOW seconds, and slipwayd's memory stays under MEMORY_KB.
"""

import base64
import csv
import gzip
import io
import json
import pathlib
import sys
import threading
import time
import urllib.parse
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from sets import Attacks, other_team  # noqa: E402
from stack import Client, Stack  # noqa: E402

P = "/api/v1/projects/default"
M = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts/"
SLOW = 5
MEMORY_KB = 600_000
OUTAGES = (0, 500, 501, 502)


def quote(text):
    return urllib.parse.quote(text, safe="")


def memory_kb(stack, line="VmHWM"):
    with open(f"/proc/{stack.pid('slipwayd')}/status") as f:
        return next(int(row.split()[1]) for row in f if row.startswith(line))


class Session(Attacks):
    """One token's attacks."""

    def __init__(self, stack, world):
        super().__init__(stack)
        self.world, self.note = world, ""

    def send(self, method, path, body=None, wanted=None, token=None, **headers):
        """(status, reply, body). wanted = the statuses it may have; else anything but an outage."""
        client, started = self.client(token or self.stack.token), time.monotonic()
        try:
            reply, data = client.request(method, path, body, headers)
        except Exception as e:
            self.check(False, f"{method} {path[:90]}: the line was cut: {e!r}")
            return 0, None, b""
        finally:
            client.close()
        spent, status = time.monotonic() - started, reply.status
        what = f"{method} {path[:90]} {json.dumps(body)[:90] if isinstance(body, dict) else ''}"
        good = status in wanted if wanted else status not in OUTAGES
        self.check(good, f"{what}: {status} {data[:160]!r}")
        self.check(spent < SLOW, f"{what}: took {spent:.1f} s")
        return status, reply, data

    def make_run(self, **more):
        body = {"experiment_id": "0", "start_time": 1700000000000, **more}
        _, _, data = self.send("POST", M + "runs/create", body, (200,))
        return json.loads(data)["run"]["info"]["run_id"]


# ---- filters ----

def filters(a):
    """Every list that takes a filter, given text that is long, deep, catastrophic or plain wrong."""
    deep = lambda n: "(" * n + "params.a = 'x'" + ")" * n  # noqa: E731
    texts = [deep(10), deep(25), deep(5000), deep(200000), "NOT " * 5000 + "params.a = 'x'",
             " AND ".join(["params.a = 'x'"] * 5000), " OR ".join(["metrics.loss > 1"] * 90),
             " AND ".join(f"params.p{i} LIKE '%a%b%c%'" for i in range(60)),
             "params.a IN (" + ",".join(["'x'"] * 100000) + ")", "x" * (1 << 20), "'" * 100000, "`" * 100001,
             "params.`" + "a" * 100000 + "` = 'x'", "metrics.loss > 1e99999", "metrics.loss > -1e99999",
             "metrics.loss = nan", "metrics.loss > 99999999999999999999999999", "attributes.start_time > 1e400",
             "attributes.start_time > 99999999999999999999", "attributes.start_time = 'x'", "tags.a = '\x00'",
             "tags.\x00 = 'x'", "tags.a = '\ud83d'".encode("utf-8", "replace").decode(), "params.a = 'x'; drop table runs",
             "params.a = 'x' -- c", "params.a = 'x' /* c */", "params.\"a\"\"b\" = 'x'", "params.a = $1", "params.a = '\\'",
             "params.a LIKE '\\'", "params.a LIKE '%\\'", "params.a LIKE ''", "params.a ILIKE '%İ%'",
             "params.a LIKE '" + "%a" * 2000 + "b'", "params.a LIKE '" + "%_" * 2000 + "b'",
             "params.a ILIKE '" + "%a_" * 1500 + "b'", "tags.note LIKE '%" + "ab" * 2000 + "c%'",
             "tags.note RLIKE '(a+)+b'", "tags.note RLIKE '(a|a)*$b'", "tags.note RLIKE '(.*)(.*)(.*)(.*)(.*)b\\1\\2'",
             "tags.note RLIKE '(((((a{1,200}){1,200}){1,200}))))'", "tags.note RLIKE '['", "tags.note RLIKE '" + "(" * 2000 + "'",
             "tags.note RLIKE 'a{1,255}{1,255}{1,255}'", "tags.note RLIKE '(?=" + "(" * 300 + "a" + ")" * 300 + ")'"]
    targets = [("POST", M + "runs/search", lambda t: {"experiment_ids": ["0"], "filter": t}),
               ("POST", M + "experiments/search", lambda t: {"filter": t.replace("params.a", "name").replace("tags.note", "name"), "max_results": 5}),
               ("POST", M + "logged-models/search", lambda t: {"experiment_ids": ["0"], "filter": t.replace("tags.note", "name")}),
               ("POST", "/api/3.0/mlflow/traces/search", lambda t: {"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}], "filter": t.replace("params.a", "tags.a")}),
               ("POST", P + "/runs/aggregate", lambda t: {"filter": t, "group_by": ["params.a"]})]
    for text in texts:
        for method, path, body in targets:
            a.send(method, path, body(text))
        for path in (P + "/runs?filter=", M + "registered-models/search?filter=", M + "model-versions/search?filter=",
                     P + "/traces?filter=", P + "/logged-models?filter=", P + "/runs/export?filter="):
            if len(text) < 3000:
                a.send("GET", path + quote(text.replace("params.a", "name") if "search" in path else text))


def orders_and_pages(a):
    """Sort keys, page sizes and page tokens."""
    search = lambda **more: a.send("POST", M + "runs/search", {"experiment_ids": ["0"], **more})  # noqa: E731
    for order in (["metrics.a"] * 10000, ["x" * 100000], [""], ["metrics.`a` DESC ASC"], ["params.a; drop"],
                  ["metrics.a DESC"] * 30, [None], [5], "metrics.a", ["attributes.start_time\x00"]):
        search(order_by=order)
    for size in (0, -1, 1, 50000, 50001, 1 << 31, 1 << 63, 1 << 64, -(1 << 63), 1e308, "7", "x", None, 1.5, True, [], {}):
        search(max_results=size)
        a.send("POST", M + "experiments/search", {"max_results": size})
        for path in ("registered-models/search", "model-versions/search", "metrics/get-history-bulk-interval",
                     "artifacts/list", "experiments/search"):
            a.send("GET", f"{M}{path}?max_results={quote(str(size))}&run_id={a.world['run']}&run_ids={a.world['run']}"
                          "&metric_key=loss")
        a.send("GET", f"{M}metrics/get-history?run_id={a.world['run']}&metric_key=loss&max_results={quote(str(size))}")
    _, _, data = search(max_results=1)
    token = json.loads(data).get("next_page_token") or ""
    a.check(token, "there is a next page")
    plain = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)) if token else b""
    flips = [base64.urlsafe_b64encode(plain[:i] + bytes([plain[i] ^ 1]) + plain[i + 1:]).decode().rstrip("=")
             for i in range(0, len(plain), 3)]
    for forged in [token[:-1], token[1:], token + "A", token * 2, token[::-1], "x", "=" * 50, "\x00", "A" * 100000,
                   "../..", base64.b64encode(b'{"offset": 5}').decode(), *flips]:
        status, _, _ = search(max_results=1, page_token=forged)
        a.check(status == 400, f"a forged page token {forged[:40]!r}: {status}")
    for method, path, body in (("POST", M + "experiments/search", {"max_results": 1, "page_token": token}),
                               ("POST", M + "logged-models/search", {"experiment_ids": ["0"], "page_token": token}),
                               ("GET", M + f"model-versions/search?page_token={token}", None),
                               ("GET", M + f"metrics/get-history?run_id={a.world['run']}&metric_key=loss&max_results=5&page_token={token}", None),
                               ("GET", P + f"/runs?cursor={token}", None), ("GET", P + f"/traces?cursor={token}", None)):
        status, _, _ = a.send(method, path, body)
        a.check(status == 400, f"the token of another list in {path[:60]}: {status}")


# ---- numbers ----

def numbers(a):
    """Steps, times and values at and beyond the ends of their types."""
    run, accepted = a.make_run(), 0
    extremes = [0, -1, 1 << 31, 1 << 53, (1 << 62) - 1, 1 << 62, (1 << 63) - 1, 1 << 63, -(1 << 63), -(1 << 63) - 1,
                1 << 64, 10 ** 30, 1.5, 1e308, "5", "x", "", None, True, [], {}]
    for value in extremes:
        for body in ({"key": "loss", "value": 1, "timestamp": value, "step": 1},
                     {"key": "loss", "value": 1, "timestamp": 1, "step": value},
                     {"key": "loss", "value": value, "timestamp": 1, "step": 1}):
            accepted += a.send("POST", M + "runs/log-metric", {"run_id": run, **body})[0] == 200
            a.send("POST", M + "runs/log-batch", {"run_id": run, "metrics": [body]})
        a.send("POST", M + "runs/create", {"experiment_id": "0", "start_time": value})
        a.send("POST", M + "runs/update", {"run_id": run, "end_time": value})
        a.send("POST", f"/api/v1/runs/{run}/metrics", {"points": [{"key": "x", "step": value, "value": 1}]})
        for name in ("start_step", "end_step"):
            a.send("GET", f"{M}metrics/get-history-bulk-interval?run_ids={run}&metric_key=loss&{name}={quote(str(value))}")
        for name in ("from_step", "to_step", "buckets"):
            a.send("GET", f"/api/v1/runs/{run}/metrics?keys=loss&{name}={quote(str(value))}")
    for text in ("1e400", "-1e400", "NaN", "Infinity", "1" * 5000, "1e", "0x10", "--1", "1_0", "٣"):
        a.send("POST", M + "runs/log-metric",
               f'{{"run_id": "{run}", "key": "loss", "value": {text}, "timestamp": 1, "step": 1}}'.encode(),
               **{"Content-Type": "application/json"})
    a.check(accepted > 5, "good extremes are taken")
    for path in (f"metrics/get-history?run_id={run}&metric_key=loss", f"runs/get?run_id={run}",
                 f"metrics/get-history-bulk-interval?run_ids={run}&metric_key=loss&max_results=10"):
        a.send("GET", M + path, None, (200,))
    a.send("GET", f"/api/v1/runs/{run}/metrics?keys=loss", None, (200,))
    a.send("POST", M + "runs/search", {"experiment_ids": ["0"], "order_by": ["metrics.loss DESC"]}, (200,))


# ---- names and files ----

STRANGE = ["../../etc/passwd", "..%2f..%2fetc", "%2e%2e/%2e%2e/x", "a/../../b", "/etc/passwd", "a//b", "a/./b", ".", "..",
           "a\\..\\b", "C:\\x", "a\x00b", "a\nb", "a\r\nSet-Cookie: x=1", "\x1b[31m", "a\u202egpj.exe", "\u2066a",
           "\ufeffa", "ａ／ｂ", "a\u0000", "é" * 600, "a" * 1025, "a" * 5000, "a/" * 600 + "b", "con", "a ", " a", "a.",
           "\"; filename=\"evil.html", "a\";x=\"b", "x;y=z", "😀", "\U0010ffff", "%00", "%0d%0aX: y", "~root", "$(id)", "-rf",
           "a?b", "a#b", "a%", "a%zz", "\ud7ff", "‮txt.exe"]


def artifact_names(a):
    """Names that are paths, headers or markup to somebody; each is refused or comes back as it was."""
    run, before = a.make_run(), set((a.stack.dir / "data").rglob("*"))
    taken = 0
    for name in STRANGE:
        for spelled in {urllib.parse.quote(name, safe="/"), urllib.parse.quote(name, safe=""),
                        urllib.parse.quote(urllib.parse.quote(name, safe=""), safe="")}:
            for path in (f"{FILES}0/{run}/artifacts/{spelled}", f"/api/v1/runs/{run}/artifacts/{spelled}"):
                status, _, _ = a.send("PUT", path, b"<script>alert(1)</script>")
                if status not in (200, 201, 204):
                    continue
                taken += 1
                status, reply, data = a.send("GET", path)
                a.check(status == 200 and b"script" in data, f"{name!r} was taken and is {status}")
                check_headers(a, name, reply)
        for path in (f"{M}artifacts/list?run_id={run}&path=", f"/get-artifact?run_uuid={run}&path=",
                     f"{FILES.rstrip('/')}?path=", f"/api/v1/runs/{run}/artifacts?path="):
            a.send("GET", path + quote(name))
        a.send("POST", f"/api/2.0/mlflow-artifacts/mpu/create/0/{run}/artifacts", {"path": name, "num_parts": 2})
        a.send("DELETE", f"{FILES}0/{run}/artifacts/{quote(name)}", None)
    after = set((a.stack.dir / "data").rglob("*"))
    strange = [str(p) for p in after - before if len(p.name) not in (2, 64)]
    a.check(not strange, f"files by other names than their hash: {strange[:3]}")
    a.check(taken > 5, "good names are taken")


def check_headers(a, name, reply):
    headers = {k.lower(): v for k, v in reply.getheaders()}
    a.check("set-cookie" not in headers and "x" not in headers, f"{name!r} became a header")
    policy = headers.get("content-security-policy", "")
    a.check(headers.get("x-content-type-options") == "nosniff", f"{name!r}: sniffing allowed")
    a.check("sandbox" in policy or headers.get("content-disposition", "").startswith("attachment"),
            f"{name!r}: {policy} {headers.get('content-disposition')}")
    a.check(not any(ord(c) < 32 or ord(c) > 126 for c in headers.get("content-disposition", "")),
            f"{name!r}: {headers.get('content-disposition')!r}")


def previews(a):
    """Markup in every guise is never a page of our origin."""
    run = a.make_run()
    for name in ("x.html", "x.HTM", "x.svg", "x.xhtml", "x.xml", "x.pdf", "x.js", "x.mjs", "x.css", "x.html.png", "x.png", "x",
                 "x.txt", "x.md", "x.swf", "x.wasm", "x.mht", "x.json", "x.svgz", "x.jpg", "x.webp", "x.html ", "x.shtml"):
        for data in (b"<script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"%PDF-1.4"):
            path = f"/api/v1/runs/{run}/artifacts/{quote(name)}"
            for kind in ("text/html", "image/svg+xml", "text/html; charset=utf-7", "application/javascript"):
                a.send("PUT", path, data, (200, 201, 204, 400, 409), **{"Content-Type": kind})
            for read in (path, path + "?preview=true", path + "?inline=1", f"{FILES}0/{run}/artifacts/{quote(name)}",
                         f"/get-artifact?run_uuid={run}&path={quote(name)}"):
                status, reply, _ = a.send("GET", read)
                if status == 200:
                    check_headers(a, read, reply)


def wide_directories(a):
    """100,000 files in one directory, and as many directories."""
    run = a.make_run()
    a.send("PUT", f"{FILES}0/{run}/artifacts/seed", b"seed", (200, 201, 204))
    for name in ("'wide/' || n", "'dirs/' || n || '/file'"):
        a.stack.psql("insert into run_artifacts (id, team_id, run_id, name, media_type, sha256, size_bytes, uploaded)"
                     f" select gen_random_uuid(), team_id, run_id, {name}, media_type, sha256, size_bytes, true"
                     f" from run_artifacts, generate_series(1, 100000) n where run_id = '{uuid.UUID(run)}' and name = 'seed'")
    a.stack.psql("analyze run_artifacts")  # as PostgreSQL itself does within the minute
    for path in ("", "wide", "dirs", "dirs/7", "wi", "wide/1"):
        for address in (f"{M}artifacts/list?run_id={run}&path=", f"/api/v1/runs/{run}/artifacts?path=",
                        f"{FILES.rstrip('/')}?path=0/{run}/artifacts/"):
            _, _, data = a.send("GET", address + quote(path))
            a.check(len(data) < 64 << 20, f"{len(data)} bytes in one reply")
    a.send("GET", f"/api/v1/runs/{run}/artifacts?limit=100", None, (200,))
    a.send("GET", f"{M}runs/get?run_id={run}", None, (200,))
    a.send("DELETE", f"{FILES}0/{run}/artifacts/wide", None, (200, 204))
    a.send("GET", f"{FILES}0/{run}/artifacts/dirs/100000/file", None, (200,))


def strange_names(a):
    """Names of experiments, runs, models, params and tags: kept as they are or refused, and harmless
    in the export that a spreadsheet opens."""
    for name in STRANGE + ["=cmd|'/c calc'!A1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=1\"&\"2"]:
        a.send("POST", M + "experiments/create", {"name": name})
        a.send("POST", M + "registered-models/create", {"name": name})
        a.send("POST", M + "runs/create", {"experiment_id": "0", "run_name": name, "user_id": name,
                                           "tags": [{"key": name[:200], "value": name}]})
        run = a.make_run()
        for path, body in (("runs/log-parameter", {"key": name, "value": name}), ("runs/set-tag", {"key": name, "value": name}),
                           ("runs/log-metric", {"key": name, "value": 1, "timestamp": 1, "step": 1}),
                           ("runs/update", {"run_name": name})):
            a.send("POST", M + path, {"run_id": run, **body})
        a.send("GET", f"{M}metrics/get-history?run_id={run}&metric_key={quote(name)}")
        a.send("GET", f"{M}experiments/get-by-name?experiment_name={quote(name)}")
        a.send("GET", f"{M}registered-models/get?name={quote(name)}")
        for id_ in (name, name * 50)[:1 + (len(name) < 40)]:
            a.send("GET", f"{M}runs/get?run_id={quote(id_)}")
            a.send("GET", f"{M}experiments/get?experiment_id={quote(id_)}")
            a.send("GET", f"/api/v1/runs/{quote(id_)}")
            a.send("GET", f"/api/3.0/mlflow/traces/{quote(id_)}")
    _, _, data = a.send("GET", f"{P}/runs/export?format=csv", None, (200,))
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    a.check(len(rows) > 20, "the export has rows")
    bad = {cell for row in rows for cell in row if cell[:1] in "=+@\t\r" and cell or
           cell[:1] == "-" and not cell[1:2].isdigit() and len(cell) > 1}
    a.check(not bad, f"cells that a spreadsheet would run: {sorted(bad)[:5]}")


# ---- floods ----

def floods(a):
    """Bodies that are large, packed or nested, several at once: memory stays bounded."""
    run = a.make_run()
    schema, profile = "s" * (1 << 20), "p" * (16 << 20)
    body = json.dumps({"run_id": run, "datasets": [{"tags": [], "dataset": {
        "name": "d", "digest": "1", "source_type": "x", "source": "y", "schema": schema, "profile": profile}}]}).encode()
    many = json.dumps({"run_id": run, "datasets": [{"tags": [], "dataset": {
        "name": f"d{i}", "digest": str(i), "source_type": "x", "source": "y" * 60000, "schema": schema}} for i in range(15)]}).encode()
    bomb = gzip.compress(bytes(1 << 30), 9)
    nested = gzip.compress(gzip.compress(bytes(1 << 28), 9), 9)
    spans = gzip.compress(b"\x0a\x80\x01" + b"\x12\x7e" * 64 * 4096, 9)
    deep = b"\x0a" + bytes([120, 10]) * 60000
    requests = [(M + "runs/log-inputs", body, {"Content-Type": "application/json"}),
                (M + "runs/log-inputs", many, {"Content-Type": "application/json"})] + [
        ("/v1/traces", data, {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": "0", **more})
        for data, more in ((bomb, {"Content-Encoding": "gzip"}), (nested, {"Content-Encoding": "gzip"}),
                           (nested, {"Content-Encoding": "gzip, gzip"}), (spans, {"Content-Encoding": "gzip"}),
                           (deep, {}), (bomb[:1000], {"Content-Encoding": "gzip"}), (b"x" * 1000, {"Content-Encoding": "gzip"}),
                           (b"x" * 1000, {"Content-Encoding": "deflate"}), (b"x" * 1000, {"Content-Encoding": "br"}),
                           (bytes(20 << 20), {}))]
    json_bodies = [b"[" * 1_000_000, b'{"a":' * 200_000, b'{"run_id":"' + b"\\u0000" * 100_000 + b'"}',
                   b'{"metrics":[' + b'{},' * 300_000 + b'{}]}', b'{"a":1,' * 100_000, b"\xff" * 1_000_000, b"9" * 1_000_000]
    requests += [(M + path, data, {"Content-Type": "application/json"})
                 for data in json_bodies for path in ("runs/log-batch", "runs/search", "logged-models")]

    def hit(one):
        path, data, headers = one
        try:
            reply, answer = a.client(a.stack.token).request("POST", path, data, headers)
            a.check(reply.status not in OUTAGES, f"{path} with {data[:20]!r}: {reply.status} {answer[:160]}")
        except OSError as e:  # told too early that it is too large to send the rest
            a.check(len(data) > 8 << 20, f"{path} with {data[:20]!r}: {e!r}")
    for one in requests:
        hit(one)
    threads = [threading.Thread(target=hit, args=(requests[i % 4],)) for i in range(32)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    a.check(memory_kb(a.stack) < MEMORY_KB, f"memory rose to {memory_kb(a.stack)} kB")
    a.note = f"peak {memory_kb(a.stack) // 1024} MiB, now {memory_kb(a.stack, 'VmRSS') // 1024}"


# ---- other teams ----

def foreign_ids(a):
    """What team A owns, named by team B inside a body: as an id that nobody has, and nothing is tied to it."""
    beta = a.world["beta"]
    theirs = a.world
    mine = {}
    for name, path, body, read in (
            ("run", "runs/create", {"experiment_id": "0"}, lambda d: d["run"]["info"]["run_id"]),
            ("experiment", "experiments/create", {"name": f"mine {uuid.uuid4()}"}, lambda d: d["experiment_id"]),
            ("model", "logged-models", {"experiment_id": "0", "name": "mine"}, lambda d: d["model"]["info"]["model_id"])):
        _, _, data = a.send("POST", M + path, body, (200,), token=beta)
        mine[name] = read(json.loads(data))
    a.send("POST", M + "registered-models/create", {"name": "mine"}, (200,), token=beta)
    nobody = {"run": uuid.uuid4().hex, "model": "m-" + uuid.uuid4().hex, "experiment": "4711",
              "native": str(uuid.uuid4()), "artifact": str(uuid.uuid4()), "native_experiment": str(uuid.uuid4()),
              "trace": "tr-" + uuid.uuid4().hex}

    def both(method, path, body):
        """The same reply for theirs and for nobody's."""
        def fill(value, ids):
            text = json.dumps(value)
            for name in ids:
                text = text.replace(f"<{name}>", ids[name])
            return json.loads(text)
        answers = []
        for ids in (theirs, nobody):
            sent = {k: v for k, v in ids.items() if k in nobody}
            status, _, data = a.send(method, fill(path, sent), fill(body, sent), token=beta)
            text = data.decode()
            for value in sent.values():
                if len(value) > 30:
                    text = text.replace(value, "ID").replace(value.removeprefix("m-"), "ID")
                    if len(value) < 36:
                        text = text.replace(str(uuid.UUID(value.removeprefix("m-").removeprefix("tr-"))), "ID")
            try:
                parsed = json.loads(text)
                for volatile in ("request_id", "run", "model", "model_version", "id"):
                    parsed.pop(volatile, None) if isinstance(parsed, dict) else None
                text = json.dumps(parsed, sort_keys=True)
            except ValueError:
                pass
            answers.append((status, text))
        a.check(answers[0] == answers[1], f"{method} {path} {json.dumps(body)[:100]}: {answers}")
        return answers[0][0]

    bodies = [
        ("runs/set-tag", {"run_id": mine["run"], "key": "mlflow.parentRunId", "value": "<run>"}),
        ("runs/log-batch", {"run_id": mine["run"], "tags": [{"key": "mlflow.parentRunId", "value": "<run>"}]}),
        ("runs/log-inputs", {"run_id": mine["run"], "models": [{"model_id": "<model>"}]}),
        ("runs/outputs", {"run_id": mine["run"], "models": [{"model_id": "<model>", "step": 0}]}),
        ("runs/log-metric", {"run_id": mine["run"], "key": "a", "value": 1, "timestamp": 1, "step": 1, "model_id": "<model>"}),
        ("runs/log-batch", {"run_id": mine["run"], "metrics": [{"key": "a", "value": 1, "timestamp": 1, "model_id": "<model>"}]}),
        ("logged-models", {"experiment_id": "0", "name": "x", "source_run_id": "<run>"}),
        ("model-versions/create", {"name": "mine", "source": "models:/<model>", "run_id": "<run>"}),
        ("model-versions/create", {"name": "mine", "source": "mlflow-artifacts:/0/<run>/artifacts/x", "run_id": "<run>"}),
        ("model-versions/create", {"name": "mine", "source": "models:/<model>", "model_id": "<model>"}),
        ("runs/search", {"experiment_ids": ["0"], "filter": "attributes.run_id = '<run>'"}),
        ("runs/search", {"experiment_ids": ["0"], "filter": "attributes.run_id IN ('<run>')"}),
        ("logged-models/search", {"experiment_ids": ["0"], "filter": "source_run_id = '<run>'"}),
        ("logged-models/search", {"experiment_ids": ["0"], "datasets": [{"dataset_name": "walled"}]}),
        ("experiments/search-datasets", {"experiment_ids": ["0", "1"]}),
        ("traces/link-to-run", {"trace_ids": ["<trace>"], "run_id": mine["run"]}),
        ("traces/link-to-run", {"trace_ids": ["tr-1"], "run_id": "<run>"}),
        ("runs/log-batch", {"run_id": "<run>", "metrics": [{"key": "a", "value": 1, "timestamp": 1}]}),
        ("runs/update", {"run_id": "<run>", "status": "FINISHED"}), ("runs/delete", {"run_id": "<run>"}),
        ("runs/log-model", {"run_id": "<run>", "model_json": "{}"}),
    ]
    a.send("POST", M + "runs/create", {"experiment_id": "0", "tags": [{"key": "mlflow.parentRunId", "value": theirs["run"]}]}, token=beta)
    for path, body in bodies:
        both("POST", M + path, body)
    for method, path, body in (
            ("POST", f"/api/v1/runs/{mine['run']}/inputs", {"logged_model_ids": ["<model>"]}),
            ("POST", f"/api/v1/runs/{mine['run']}/outputs", {"models": [{"id": "<model>", "step": 1}]}),
            ("POST", P + "/runs", {"name": "x", "parent_id": "<native>"}),
            ("PATCH", f"/api/v1/runs/{mine['run']}", {"parent_id": "<native>"}),
            ("POST", P + "/runs/bulk", {"ids": ["<native>"], "action": "archive"}),
            ("POST", P + "/runs/bulk", {"ids": ["<native>"], "action": "delete"}),
            ("POST", P + "/runs/bulk", {"ids": ["<native>"], "action": "tag", "key": "a", "value": "b"}),
            ("POST", P + "/model-versions", {"model": "mine", "run_id": "<native>"}),
            ("GET", M + "metrics/get-history-bulk?run_id=<run>&metric_key=loss", None),
            ("GET", M + "metrics/get-history-bulk-interval?run_ids=<run>&metric_key=loss&max_results=5", None),
            ("GET", M + "artifacts/list?run_id=<run>", None), ("GET", FILES + "0/<run>/artifacts/walled.txt", None),
            ("PUT", FILES + "0/<run>/artifacts/walled.txt", {"x": 1}), ("DELETE", FILES + "0/<run>/artifacts/walled.txt", None),
            ("GET", "/get-artifact?run_uuid=<run>&path=walled.txt", None), ("GET", "/api/v1/artifacts/<artifact>/content", None),
            ("GET", P + "/runs?experiment=<native_experiment>", None), ("GET", P + "/runs?ids=<native>", None),
            ("GET", "/api/v1/runs/<native>/children", None)):
        both(method, path, body)
    tied = a.stack.psql(
        "select (select count(*) from runs r join runs p on p.id = r.parent_id where r.team_id <> p.team_id),"
        " (select count(*) from run_model_inputs i join logged_models m on m.id = i.logged_model_id where i.team_id <> m.team_id),"
        " (select count(*) from run_model_outputs i join logged_models m on m.id = i.logged_model_id where i.team_id <> m.team_id),"
        " (select count(*) from logged_models m join runs r on r.id = m.source_run_id where m.team_id <> r.team_id),"
        " (select count(*) from model_versions v join runs r on r.id = v.run_id where v.team_id <> r.team_id)")
    a.check(tied == "0|0|0|0|0", f"rows of two teams tied together: {tied}")


SETS = [filters, orders_and_pages, numbers, artifact_names, previews, strange_names, foreign_ids, wide_directories, floods]


def make_world(stack):
    """What there is to attack: two teams, runs with long tags, a model, a file."""
    setup = Session(stack, {})
    run = setup.make_run(run_name="walled")
    world = {"run": run, "native": str(uuid.UUID(run)), "beta": other_team(setup), "trace": "tr-" + uuid.uuid4().hex}
    for path, body in (("runs/log-metric", {"key": "loss", "value": 1, "timestamp": 1, "step": 1}),
                       ("runs/set-tag", {"key": "note", "value": "a" * 4900}), ("runs/log-parameter", {"key": "a", "value": "a" * 400})):
        setup.send("POST", M + path, {"run_id": run, **body}, (200,))
    setup.send("PUT", f"{FILES}0/{run}/artifacts/walled.txt", b"walled", (200,))
    _, _, data = setup.send("POST", M + "logged-models", {"experiment_id": "0", "name": "walled", "source_run_id": run}, (200,))
    world["model"] = json.loads(data)["model"]["info"]["model_id"]
    _, _, data = setup.send("POST", M + "experiments/create", {"name": "walled"}, (200,))
    world["experiment"] = json.loads(data)["experiment_id"]
    world["native_experiment"] = stack.psql("select id from experiments where name = 'walled'")
    world["artifact"] = stack.psql("select id from run_artifacts limit 1")
    stack.psql("insert into runs (id, team_id, project_id, experiment_id, name, state, source, created_by)"
               " select gen_random_uuid(), team_id, project_id, experiment_id, 'bulk ' || n, state, source, created_by"
               f" from runs, generate_series(1, 5000) n where id = '{world['native']}';"
               " insert into run_tags (team_id, run_id, key, value) select team_id, id, 'note', repeat('a', 4900)"
               " from runs where name like 'bulk %';"
               " insert into run_params (team_id, run_id, key, value) select team_id, id, 'a', repeat('a', 2000)"
               " from runs where name like 'bulk %'; analyze")
    if setup.through:
        raise RuntimeError(f"the world was not made: {setup.through}")
    return world


def main():
    wanted, failed = sys.argv[2:], 0
    with Stack(build=sys.argv[1], worker=False) as stack:
        world = make_world(stack)
        for attack in SETS:
            if wanted and attack.__name__ not in wanted:
                continue
            a, started = Session(stack, world), time.monotonic()
            attack(a)
            print(f"{attack.__name__.replace('_', ' '):<18} {a.tried:>5} checks, {len(a.through)} came through  "
                  f"{time.monotonic() - started:.0f} s {a.note}", flush=True)
            for sentence in a.through[:10]:
                print(f"    FAILED: {sentence}")
            failed += len(a.through)
        alive = Client(stack.port, stack.ca, stack.token).request("GET", "/readyz")[0].status == 200
        print("the server is up" if alive else "FAILED: the server is gone")
    return 1 if failed or not alive else 0


if __name__ == "__main__":
    sys.exit(main())
