#!/usr/bin/env python3
"""A whole Slipway for tests: PostgreSQL, slipwayd, one worker, in a temporary directory.

    with Stack(build="build/dev") as s:
        s.api("GET", "/api/v1/projects")          # with an owner's API token
        s.kill("slipwayd"); s.start_server()      # kill -9 and start again

or  stack.py --build build/dev -- COMMAND…        runs COMMAND with SLIPWAY_URL, SLIPWAY_CA,
                                                  SLIPWAY_EMAIL, SLIPWAY_PASSWORD, SLIPWAY_TOKEN

Everything listens on loopback or on Unix sockets, and is stopped and removed at the end. Unlike the
unit tests' cluster, this one commits synchronously: the crash tests kill PostgreSQL.
"""

import argparse
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PG = ROOT / "tests/support/pg"
EMAIL = "owner@example.test"
PASSWORD = "a quiet harbour at 5 in the morning"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class ApiError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Client:
    """One keep-alive connection with a token. Not for several threads at once."""

    def __init__(self, port, ca, token):
        self.port, self.token = port, token
        self.tls = ssl.create_default_context(cafile=str(ca))
        self.connection = None

    def request(self, method, path, body=None, headers=None, timeout=60):
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(
                "localhost", self.port, context=self.tls, timeout=timeout)
        try:
            self.connection.request(method, path, body, headers)
            reply = self.connection.getresponse()
            data = reply.read()
        except Exception:
            self.close()
            raise
        if reply.will_close:
            self.close()
        return reply, data

    def api(self, method, path, body=None, **headers):
        reply, data = self.request(method, path, body, headers)
        if reply.status >= 400:
            raise ApiError(reply.status, data.decode(errors="replace"))
        return json.loads(data) if data else None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Stack:
    def __init__(self, build="build/dev", worker=True, static=None, options=None, slots=1,
                 fresh=False):
        self.bin = (ROOT / build / "bin").resolve()
        self.want_worker, self.static, self.slots = worker and not fresh, static, slots
        self.fresh = fresh
        self.options = options or {}
        self.children = {}

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="slipway-stack"))
        self.pg_dir = pathlib.Path(tempfile.mkdtemp(prefix="slipway-pg"))
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        try:
            self._start_database()
            self._make_keys()
            self._write_config()
            self._command("migrate")
            if not self.fresh:
                self._create_people()
            self.start_server()
            if self.want_worker:
                self.start_worker()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in reversed(list(self.children)):
            self.stop(name)
        subprocess.run([PG, "stop", self.pg_dir], check=False)
        if os.environ.get("SLIPWAY_KEEP"):
            print(f"kept: {self.dir}", file=sys.stderr)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    # ---- parts ----

    def _start_database(self):
        subprocess.run([PG, "start", self.pg_dir], check=True, stdout=subprocess.DEVNULL)
        for statement in ("create role slipway_owner login", "create role slipway_app login",
                          "create database slipway owner slipway_owner",
                          "alter system set synchronous_commit = on", "select pg_reload_conf()"):
            self.psql(statement, user="postgres", database="postgres")

    def psql(self, statement, user="postgres", database="slipway"):
        out = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.pg_dir, "-U", user, "-d", database,
             "-c", statement], check=True, capture_output=True, text=True)
        return out.stdout.strip()

    def database_url(self, user):
        return f"postgresql://{user}@/slipway?host={self.pg_dir}"

    def _make_keys(self):
        (self.dir / "keys").mkdir(mode=0o700)
        self.ca = self.dir / "keys/tls.crt"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "30", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.dir / "keys/tls.key",
             "-out", self.ca], check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.dir / "keys/tls.key", 0o600)
        subprocess.run([self.bin / "slipwayd", "keys", "create", self.dir / "keys"], check=True,
                       stdout=subprocess.DEVNULL)

    def _write_config(self):
        for name in ("data", "serve", "work"):
            (self.dir / name).mkdir(mode=0o700)
        settings = {
            "listen": f"127.0.0.1:{self.port}", "database_url": self.database_url("slipway_app"),
            "migrate_url": self.database_url("slipway_owner"), "data_dir": self.dir / "data",
            "serve_dir": self.dir / "serve", "key_dir": self.dir / "keys", **self.options}
        if self.static:
            settings["static_dir"] = (ROOT / self.static).resolve()
        self.config = self.dir / "slipwayd.conf"
        self.config.write_text("".join(f"{k} = {v}\n" for k, v in settings.items()))

    def _command(self, *words, input=None):
        out = subprocess.run([self.bin / "slipwayd", *words, "--config", self.config], input=input,
                             capture_output=True, text=True)
        if out.returncode:
            raise RuntimeError(f"slipwayd {' '.join(words)}: {out.stderr or out.stdout}")
        return out.stdout

    def _create_people(self):
        self._command("user", "create", "--email", EMAIL, "--name", "Olive Owner", "--team", "acme",
                      "--team-name", "Acme", "--role", "owner", "--password-stdin",
                      input=PASSWORD + "\n")
        made = json.loads(self._command("worker-token", "create", "--name", "test", "--json"))
        token = self.dir / "worker.token"
        token.write_text(made["token"])
        os.chmod(token, 0o600)

    def _spawn(self, name, argv):
        log = open(self.dir / f"{name}.log", "ab")
        self.children[name] = subprocess.Popen(argv, stdout=log, stderr=log,
                                               stdin=subprocess.DEVNULL)

    def start_server(self):
        self._spawn("slipwayd", [self.bin / "slipwayd", "serve", "--config", self.config])
        self.wait_ready()
        if self.fresh:
            return
        if not hasattr(self, "token"):
            self.token = self._login()
        self.client = self.new_client()

    def start_worker(self):
        self._spawn("worker", [
            self.bin / "slipway-worker", "--server", self.url, "--ca-file", self.ca,
            "--token-file", self.dir / "worker.token", "--work-dir", self.dir / "work",
            "--serve-dir", self.dir / "serve", "--runner-dir", self.bin, "--name", "test",
            "--slots", str(self.slots), "--runner-paths", runner_paths()])

    def start_database(self):
        subprocess.run([PG, "revive", self.pg_dir], check=True, stdout=subprocess.DEVNULL)

    def _login(self):
        """Signs in as a browser does and makes an API token."""
        anonymous = Client(self.port, self.ca, None)
        same_origin = {"Origin": self.url, "X-Slipway-Request": "1"}
        reply, data = anonymous.request("POST", "/api/v1/session",
                                        {"email": EMAIL, "password": PASSWORD}, same_origin)
        if reply.status != 200:
            raise ApiError(reply.status, data.decode())
        cookies = "; ".join(v.split(";")[0] for k, v in reply.getheaders() if k.lower() == "set-cookie")
        reply, data = anonymous.request(
            "POST", "/api/v1/tokens", {"name": "tests", "scopes": ["read", "write", "admin"]},
            {**same_origin, "Cookie": cookies})
        if reply.status != 201:
            raise ApiError(reply.status, data.decode())
        return json.loads(data)["token"]

    # ---- use ----

    def new_client(self):
        return Client(self.port, self.ca, self.token)

    def api(self, method, path, body=None, **headers):
        return self.client.api(method, path, body, **headers)

    def wait_ready(self, seconds=30):
        probe = Client(self.port, self.ca, None)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            child = self.children["slipwayd"]
            if child.poll() is not None:
                raise RuntimeError(f"slipwayd ended: {self.log('slipwayd')}")
            try:
                if probe.request("GET", "/readyz", timeout=5)[0].status == 200:
                    return
            except OSError:
                pass
            except http.client.HTTPException:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"slipwayd was not ready in {seconds} s: {self.log('slipwayd')}")

    def log(self, name, lines=15):
        path = self.dir / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])

    def pid(self, name):
        return self.children[name].pid

    def kill(self, name, how=signal.SIGKILL):
        child = self.children.pop(name)
        child.send_signal(how)
        child.wait()

    def kill_database(self):
        """kill -9 of the postmaster and of every backend."""
        pid = int((self.pg_dir / "data/postmaster.pid").read_text().split()[0])
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
        for victim in [pid, *map(int, children.stdout.split())]:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.2)

    def stop(self, name):
        child = self.children.pop(name, None)
        if child is None:
            return
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def wait(self, path, done, seconds=120, every=0.2):
        """Polls path until done(reply) is true, through restarts of the server."""
        end = time.monotonic() + seconds
        last = None
        while time.monotonic() < end:
            try:
                last = self.api("GET", path)
                if done(last):
                    return last
            except (OSError, http.client.HTTPException):
                pass
            except ApiError as e:
                if e.status not in (429, 500, 502, 503):
                    raise
            time.sleep(every)
        raise RuntimeError(f"{path} after {seconds} s: {last}")


def runner_paths():
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    return os.environ.get("SLIPWAY_THIRD_PARTY", f"{cache}/slipway/third_party")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--static", help="directory of the built UI")
    parser.add_argument("--fresh", action="store_true",
                        help="no owner, no worker; SLIPWAY_SETUP_SECRET in place of SLIPWAY_TOKEN")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    with Stack(build=args.build, static=args.static, fresh=args.fresh) as s:
        env = {**os.environ, "SLIPWAY_URL": s.url, "SLIPWAY_CA": str(s.ca), "SLIPWAY_EMAIL": EMAIL,
               "SLIPWAY_PASSWORD": PASSWORD}
        if args.fresh:
            env["SLIPWAY_SETUP_SECRET"] = (s.dir / "keys/setup.secret").read_text()
        else:
            env["SLIPWAY_TOKEN"] = s.token
        status = subprocess.run(command, env=env).returncode
        if status:
            for name in s.children:
                print(f"--- {name}\n{s.log(name, 40)}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
