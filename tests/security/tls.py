#!/usr/bin/env python3
"""The line to the server as an attacker would try it: which versions and suites are taken, which
headers stand on every kind of reply, and which keys and certificates the server refuses to start with.

    tls.py BUILD

Suites are offered one by one in a ClientHello of our own, since no library still offers the old ones:
a suite is accepted where the server answers with a ServerHello that names it.
"""

import os
import pathlib
import random
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import time
import warnings

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "crash")]
from crash import Checks  # noqa: E402
from stack import Client, Stack, free_port  # noqa: E402

TLS10, TLS11, TLS12 = 0x0301, 0x0302, 0x0303
ALLOWED = {
    "ecdsa": {0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384",
              0xCCA9: "ECDHE-ECDSA-CHACHA20-POLY1305"},
    "rsa": {0xC02F: "ECDHE-RSA-AES128-GCM-SHA256", 0xC030: "ECDHE-RSA-AES256-GCM-SHA384",
            0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305"}}
REFUSED = {0x0001: "NULL with MD5", 0x0003: "export RC4", 0x0005: "RC4", 0x0008: "export DES",
           0x0009: "DES", 0x000A: "3DES", 0x002F: "RSA key exchange with CBC", 0x0034: "anonymous",
           0x009C: "RSA key exchange with GCM", 0x009E: "DHE with GCM", 0xC009: "ECDHE-ECDSA with CBC",
           0xC013: "ECDHE-RSA with CBC", 0xC027: "ECDHE-RSA with CBC and SHA-256"}
EVERY_SUITE = [n for high in (0x00, 0x13, 0xC0, 0xCC) for n in range(high << 8, (high << 8) + 256)
               if n != 0x00FF]  # that one is a signal, not a suite

HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
           "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
           "strict-transport-security": "max-age=63072000; includeSubDomains"}


# ---- S1: versions and suites ----

def extension(number, data):
    return struct.pack(">HH", number, len(data)) + data


def client_hello(version, suites, compressions=b"\0"):
    listed = b"".join(struct.pack(">H", suite) for suite in suites)
    extensions = (extension(10, bytes.fromhex("0008001d001700180019"))
                  + extension(11, bytes.fromhex("0100"))
                  + extension(13, bytes.fromhex("0016040308040401050308050501080606010603"
                                                "02010203"))
                  + extension(0xFF01, b"\0"))
    body = (struct.pack(">H", version) + random.randbytes(32) + b"\0"
            + struct.pack(">H", len(listed)) + listed
            + bytes([len(compressions)]) + compressions
            + struct.pack(">H", len(extensions)) + extensions)
    message = b"\1" + struct.pack(">I", len(body))[1:] + body
    return b"\x16" + struct.pack(">HH", TLS10, len(message)) + message


def server_hello(port, hello):
    """(version, suite, compression, extensions) of the ServerHello, or None where the answer is none."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        s.sendall(hello)
        stream = s.makefile("rb")
        try:
            head = stream.read(5)
            if len(head) < 5 or head[0] != 0x16:
                return None
            message = stream.read(struct.unpack(">H", head[3:])[0])
        except ConnectionResetError:
            return None
    assert message[0] == 2, message
    message = message[:4 + int.from_bytes(message[1:4], "big")]
    version = struct.unpack(">H", message[4:6])[0]
    at = 39 + message[38]
    suite, compression = struct.unpack(">HB", message[at:at + 3])
    return version, suite, compression, message[at + 5:]


def python_speaks(stack, version):
    """Whether the ssl module, told to speak just this version, gets through."""
    tls = ssl.create_default_context(cafile=str(stack.ca))
    tls.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old versions are deprecated: that is why they are tried
        tls.minimum_version = tls.maximum_version = version
    try:
        with socket.create_connection(("localhost", stack.port), timeout=10) as s, \
                tls.wrap_socket(s, server_hostname="localhost") as line:
            return line.version(), line.compression()
    except (ssl.SSLError, ConnectionResetError):
        return None


def check_versions(stack, check):
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        check.that(python_speaks(stack, version) is None, f"{version.name} is accepted")
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        check.that(python_speaks(stack, version) == (name, None), f"{name} is refused, or compresses")
    check.that(server_hello(stack.port, client_hello(TLS12, EVERY_SUITE)) is not None,
               "all suites together are refused")
    for version in (0x0300, TLS10, TLS11):
        check.that(server_hello(stack.port, client_hello(version, EVERY_SUITE)) is None,
                   f"version {version:#06x} is accepted")


def check_suites(stack, check, kind):
    allowed = ALLOWED[kind]
    accepted = set()
    for suite in EVERY_SUITE:
        answer = server_hello(stack.port, client_hello(TLS12, [suite]))
        if answer:
            accepted.add(suite)
            check.that(answer[:3] == (TLS12, suite, 0), f"{suite:#06x} is answered with {answer[:3]}")
    for suite, name in allowed.items():
        print(f"TLS 1.2, {kind} certificate: {name} {'accepted' if suite in accepted else 'refused'}")
    check.that(accepted == set(allowed), f"accepted are {sorted(map(hex, accepted))}")
    for suite, name in REFUSED.items():
        check.that(suite not in accepted, f"{name} ({suite:#06x}) is accepted")
    print(f"TLS 1.2, {kind} certificate: {len(EVERY_SUITE) - len(accepted)} of {len(EVERY_SUITE)} "
          "suites refused", flush=True)


def s_client(stack, *options, keys=""):
    out = subprocess.run(["openssl", "s_client", "-connect", f"localhost:{stack.port}", "-CAfile",
                          stack.ca, *options], input=keys, capture_output=True, text=True, timeout=30)
    return out.stdout + out.stderr


def check_line(stack, check):
    suites = list(ALLOWED["ecdsa"])
    answer = server_hello(stack.port, client_hello(TLS12, suites, compressions=b"\1\0"))
    check.that(answer is not None and answer[2] == 0, f"compression was offered and taken: {answer}")
    check.that(answer is not None and extension(0xFF01, b"\0") in answer[3],
               "the server does not know secure renegotiation")
    for version in ("-tls1_2", "-tls1_3"):
        said = s_client(stack, version)
        check.that("Compression: NONE" in said and "Verify return code: 0" in said,
                   f"s_client {version} says {said[-400:]}")
    said = s_client(stack, "-tls1_2", keys="R\n")
    check.that("RENEGOTIATING" in said and "no renegotiation" in said,
               f"a renegotiation was not refused: {said[-400:]}")
    with socket.create_connection(("localhost", stack.port), timeout=10) as s:
        s.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            said = s.recv(4096)
        except ConnectionResetError:
            said = b""
    check.that(b"HTTP/" not in said, f"plain HTTP is answered: {said[:80]}")


# ---- S2: headers ----

def raw_reply(stack, request):
    """Status and headers of the answer to bytes that no HTTP library would send."""
    tls = ssl.create_default_context(cafile=str(stack.ca))
    with socket.create_connection(("localhost", stack.port), timeout=10) as s, \
            tls.wrap_socket(s, server_hostname="localhost") as line:
        line.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            piece = line.recv(4096)
            if not piece:
                break
            data += piece
    status, *rows = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    words = status.split()
    pairs = (row.partition(": ") for row in rows)
    return int(words[1]) if len(words) > 1 else 0, {k.lower(): v for k, _, v in pairs}


def check_headers(check, name, status, headers, expected, cache="no-store"):
    check.that(status == expected, f"{name}: {status} in place of {expected}")
    for header, value in HEADERS.items():
        check.that(headers.get(header) == value, f"{name}: {header} is {headers.get(header)}")
    policy = headers.get("content-security-policy", "")
    for rule in ("default-src 'none'", "frame-ancestors 'none'"):
        check.that(rule in policy, f"{name}: the policy lacks {rule}")
    check.that("unsafe" not in policy, f"{name}: the policy is {policy}")
    check.that("server" not in headers, f"{name}: Server is {headers.get('server')}")
    if cache:
        check.that(headers.get("cache-control") == cache,
                   f"{name}: Cache-Control is {headers.get('cache-control')}")


def check_call(check, client, name, expected, method, path, body=None, cache="no-store", **headers):
    reply, _ = client.request(method, path, body, headers)
    check_headers(check, name, reply.status, {k.lower(): v for k, v in reply.getheaders()}, expected,
                  cache)
    return reply


def check_replies(stack, check):
    client, stranger = stack.client, Client(stack.port, stack.ca, None)
    check_call(check, client, "200", 200, "GET", "/api/v1/projects")
    check_call(check, client, "201", 201, "PUT", "/api/v1/uploads?file_name=a.csv", b"a,b\n1,2\n")
    check_call(check, stranger, "401", 401, "GET", "/api/v1/projects")
    check_call(check, client, "404", 404, "GET", "/api/v1/nothing")
    check_call(check, client, "405", 405, "DELETE", "/api/v1/projects")
    check_call(check, client, "a wrong body", 400, "POST", "/api/v1/projects", {"slug": 7})
    check_call(check, stranger, "a sign-on's end", 302, "GET", "/api/v1/sso/callback?state=x&code=y")
    check_call(check, stranger, "no static file", 404, "GET", "/none.svg")
    reply = check_call(check, stranger, "static file", 200, "GET", "/icon.svg", cache=None)
    check_call(check, stranger, "static file, unchanged", 304, "GET", "/icon.svg", cache=None,
               **{"If-None-Match": reply.getheader("ETag")})


MAKE_ARTIFACT = """
with project as (select team_id, id from projects limit 1),
experiment as (
    insert into experiments (id, team_id, project_id, name)
    select gen_random_uuid(), team_id, id, 'tls' from project returning team_id, project_id, id),
run as (
    insert into runs (id, team_id, project_id, experiment_id, name, created_by)
    select gen_random_uuid(), team_id, project_id, id, 'tls', 'test' from experiment
    returning team_id, id)
select id from run"""


def make_artifact(stack):
    """An artifact whose bytes would be a page with a script; put there without a run's work."""
    page = b"<script>alert(1)</script>"
    upload = stack.api("PUT", "/api/v1/uploads?file_name=page.html", page)
    run = stack.psql(MAKE_ARTIFACT, user="postgres")
    return stack.psql("insert into run_artifacts (id, team_id, run_id, name, media_type, sha256, "
                      "size_bytes) select gen_random_uuid(), team_id, id, 'page.html', 'text/html', "
                      f"'{upload['sha256']}', {len(page)} from runs where id = '{run}' returning id",
                      user="postgres")


def check_download(stack, check):
    path = f"/api/v1/artifacts/{make_artifact(stack)}/content"
    for name, status, headers in (("download", 200, {}), ("part of one", 206, {"Range": "bytes=0-9"}),
                                  ("a range outside", 416, {"Range": "bytes=999-"})):
        reply = check_call(check, stack.client, name, status, "GET", path, **headers)
        check.that("sandbox" in reply.getheader("Content-Security-Policy", ""),
                   f"{name}: the policy has no sandbox")
        if status < 400:
            check.that(reply.getheader("Content-Disposition", "").startswith("attachment"),
                       f"{name}: Content-Disposition is {reply.getheader('Content-Disposition')}")


def check_unparsable(stack, check):
    for name, request, expected in (
            ("garbage", b"\x01\x02\x03\r\n\r\n", 400),
            ("no method", b" / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("HTTP of another day", b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 505),
            ("two lengths", b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                            b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400),
            ("a length that is none", b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                                      b"Content-Length: many\r\n\r\n", 411),
            ("a head without end", b"GET / HTTP/1.1\r\nX: " + b"x" * 17000 + b"\r\n\r\n", 400),
            ("no host", b"GET / HTTP/1.1\r\n\r\n", 400)):
        status, headers = raw_reply(stack, request)
        check_headers(check, name, status, headers, expected)


def check_outage(stack, check):
    stack.kill_database()
    check_call(check, Client(stack.port, stack.ca, None), "not ready", 503, "GET", "/readyz")
    check_call(check, stack.new_client(), "no database", 503, "GET", "/api/v1/projects")
    stack.start_database()
    stack.wait_ready()


# ---- S3: starts that must fail ----

def make_pair(folder, name, algorithm, *options):
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-days", "30", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                    key, "-out", certificate, *options], check=True, stderr=subprocess.DEVNULL)
    os.chmod(key, 0o600)
    return key, certificate


def make_expired(folder, key):
    """A certificate of the key's whose last day was yesterday."""
    request, certificate = folder / "expired.csr", folder / "expired.crt"
    subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=localhost", "-out", request],
                   check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-signkey", key, "-days", "-1", "-out",
                    certificate], check=True, stderr=subprocess.DEVNULL)
    return certificate


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def refused_start(stack, check, name, sentence, **options):
    """Starts the server on a port of its own, and watches that port until the server has ended."""
    port = free_port()
    words = [f"--{option.replace('_', '-')}={value}" for option, value in options.items()]
    server = subprocess.Popen([stack.bin / "slipwayd", "serve", "--config", stack.config,
                               f"--listen=127.0.0.1:{port}", *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
    heard, end = False, time.monotonic() + 15
    while server.poll() is None and time.monotonic() < end:
        heard = heard or listens(port)
        time.sleep(0.01)
    ended = server.poll()
    server.kill()
    said = server.communicate()[0]
    check.that(ended not in (None, 0), f"{name}: the server ended with {ended}")
    check.that(not heard, f"{name}: the server listened")
    check.that(sentence in said, f"{name}: the server said {said}")
    lines = [line for line in said.splitlines() if sentence in line]
    print(f"{name}: {lines[0][:200] if lines else 'nothing of it'}", flush=True)


def check_starts(stack, check):
    stack.stop("slipwayd")
    keys = stack.dir / "keys"
    open_key = stack.dir / "open.key"
    shutil.copy(keys / "tls.key", open_key)
    os.chmod(open_key, 0o644)
    other, _ = make_pair(stack.dir, "other", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
    refused_start(stack, check, "a key that others can read", "is accessible to others",
                  tls_key=open_key)
    refused_start(stack, check, "another certificate's key", "could not use the key", tls_key=other)
    refused_start(stack, check, "no key", "could not read the TLS key", tls_key=stack.dir / "none.key")
    refused_start(stack, check, "no certificate", "could not use the certificate",
                  tls_cert=stack.dir / "none.crt")
    broken = stack.dir / "broken.crt"
    broken.write_text("-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n")
    refused_start(stack, check, "a certificate that is none", "could not use the certificate",
                  tls_cert=broken)
    refused_start(stack, check, "a certificate of yesterday", "has expired",
                  tls_cert=make_expired(stack.dir, keys / "tls.key"))


def with_rsa(stack, check):
    """The same server with an RSA certificate: the other half of the suites."""
    key, certificate = make_pair(stack.dir, "rsa", ["rsa:2048"])
    shutil.copy(key, stack.dir / "keys/tls.key")
    shutil.copy(certificate, stack.ca)
    stack.start_server()
    check_suites(stack, check, "rsa")


def main():
    check = Checks()
    with Stack(build=sys.argv[1], worker=False, static="static") as stack:
        check_versions(stack, check)
        check_suites(stack, check, "ecdsa")
        check_line(stack, check)
        check_replies(stack, check)
        check_download(stack, check)
        check_unparsable(stack, check)
        check_outage(stack, check)
        check_starts(stack, check)
        with_rsa(stack, check)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
