"""What the compatibility tests and the bench talk to: a whole Slipway, or MLflow's own server from the
same environment, on a PostgreSQL of the same kind. Both say where they are in the same words:

    url, environment (for the client), database (a URL), root_pid
"""

import contextlib
import http.client
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from stack import EMAIL, PG, Stack, free_port  # noqa: E402

# The client must not phone home, ask git, or retry for minutes where a test expects a refusal.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet",
         "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1"}


def find_environment(deep=False, only_if_there=False):
    """The virtual environment's folder; None with a sentence on stderr where there can be none."""
    words = ["--deep"] * deep + ["--have"] * only_if_there
    made = subprocess.run([HERE / "environment", *words], stdout=subprocess.PIPE, text=True)
    return pathlib.Path(made.stdout.strip()) if made.returncode == 0 else None


class Slipway(Stack):
    """A stack with two teams: acme with the projects default and annex, beta with default."""

    def __init__(self, build, options=None, people=True):
        super().__init__(build=build, worker=False, options=options)
        self.people = people

    def __enter__(self):
        super().__enter__()
        try:
            if self.people:
                self.api("POST", "/api/v1/projects", {"name": "Annex", "slug": "annex"})
                self.outsider = self._second_team()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _second_team(self):
        self._command("user", "create", "--email", "bea@example.test", "--name", "Bea", "--team", "beta",
                      "--team-name", "Beta", "--role", "owner", "--password-stdin",
                      input="another quiet harbour at 6\n")
        return json.loads(self._command(
            "token", "create", "--team", "beta", "--owner", "bea@example.test", "--name", "compat",
            "--scopes", "read,write", "--json"))["token"]

    @property
    def environment(self):
        env = {"MLFLOW_TRACKING_URI": self.url, "MLFLOW_TRACKING_TOKEN": self.token,
               "MLFLOW_TRACKING_SERVER_CERT_PATH": str(self.ca), "COMPAT_SERVER": "slipway"}
        if self.people:
            env["COMPAT_OUTSIDER"] = self.outsider
            env["COMPAT_EMAIL"] = EMAIL
        return env

    @property
    def database(self):
        return f"postgresql://postgres@/slipway?host={self.pg_dir}"

    @property
    def root_pid(self):
        return self.pid("slipwayd")


class Peer:
    """MLflow's own server as its documentation starts it: default workers, plain HTTP, artifacts
    through the server. With pg_dir in another database of that cluster, else with one of its own."""

    def __init__(self, venv, pg_dir=None):
        self.python, self.pg_dir, self.own = venv / "bin/python", pg_dir, pg_dir is None

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="slipway-peer"))
        self.url = f"http://127.0.0.1:{free_port()}"
        self.server = None
        try:
            if self.own:
                self.pg_dir = pathlib.Path(tempfile.mkdtemp(prefix="slipway-pg"))
                subprocess.run([PG, "start", self.pg_dir], check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["psql", "-XAtq", "-h", self.pg_dir, "-U", "postgres", "-c",
                            "create database mlflow"], check=True)
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        store = f"postgresql+psycopg2://postgres@/mlflow?host={self.pg_dir}"
        log = open(self.dir / "log", "ab")
        # A session of its own: its workers are stopped with it, whatever it does.
        self.server = subprocess.Popen(
            [self.python, "-m", "mlflow", "server", "--backend-store-uri", store, "--host", "127.0.0.1",
             "--port", self.url.rpartition(":")[2], "--artifacts-destination", self.dir / "artifacts"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.dir, start_new_session=True,
            env={**os.environ, **QUIET, "PATH": f"{self.python.parent}:{os.environ['PATH']}"})
        self.wait_ready()

    def wait_ready(self, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.server.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                probe = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=5)
                probe.request("GET", "/health")
                if probe.getresponse().status == 200:
                    return
            time.sleep(0.2)
        raise RuntimeError(f"mlflow server is not ready: {(self.dir / 'log').read_text()[-2000:]}")

    def __exit__(self, *_):
        if self.server:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.server.pid, 15)
            try:
                self.server.wait(20)
            except subprocess.TimeoutExpired:
                pass
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.server.pid, 9)
        if self.own:
            subprocess.run([PG, "stop", self.pg_dir], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def environment(self):
        return {"MLFLOW_TRACKING_URI": self.url, "COMPAT_SERVER": "mlflow"}

    @property
    def database(self):
        return f"postgresql://postgres@/mlflow?host={self.pg_dir}"

    @property
    def root_pid(self):
        return self.server.pid


def client_environment(server, venv):
    """For a process that uses the client: nothing of the caller's own MLflow settings."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "OTEL_"))}
    return {**clean, **QUIET, **server.environment, "COMPAT_RUN": secrets.token_hex(4),
            "PATH": f"{venv / 'bin'}:{os.environ['PATH']}", "CUDA_VISIBLE_DEVICES": "",
            "TF_CPP_MIN_LOG_LEVEL": "3"}
