"""A pytest plugin (-p worlds) that leads MLflow's own test files to a running Slipway. No test file is
changed: what they would start or open in their own process is replaced before they are imported.

    db_uri                               a SQLite file for each test → an empty world for each test
    store, of tests/store                a SQL store → the client's store, of an empty world
    initialize_backend_stores()          says which world the next server shows
    ServerThread, _init_server()         a server of MLflow's → Slipway's address
    parameters that ask for a file store → left out

An empty world is a team of its own, with its project "default" and its experiment 0, reached with a token
of its own: slipwayd needs no switch that empties it. MLflow's client takes the token from its environment;
the tests' own calls of requests, which know of no tokens, get it at the adapter.

The environment: UPSTREAM_SLIPWAYD and UPSTREAM_CONFIG (the program and its configuration make teams),
UPSTREAM_URL, UPSTREAM_REPORT (a file: one line of JSON for each answer of status 500)."""

import contextlib
import functools
import itertools
import json
import os
import queue
import secrets
import subprocess
import threading

import mlflow.server.handlers
import pytest
import requests
from mlflow.store.model_registry.rest_store import RestStore as RegistryStore
from mlflow.store.tracking.rest_store import RestStore
from mlflow.utils.credentials import get_default_host_creds

import tests.tracking.integration_test_utils as servers

URL = os.environ["UPSTREAM_URL"]
STORES = (RestStore, RegistryStore)
AHEAD = 4  # worlds made while a test runs: each takes a password's hash


def command(*words, typed=None):
    done = subprocess.run([os.environ["UPSTREAM_SLIPWAYD"], *words, "--config", os.environ["UPSTREAM_CONFIG"]],
                          input=typed, capture_output=True, text=True, check=True)
    return done.stdout


def make_world(number):
    """The token of a new team."""
    team, email = f"world{number}", f"world{number}@example.test"
    command("user", "create", "--email", email, "--name", "Upstream", "--team", team, "--team-name", team,
            "--role", "owner", "--password-stdin", typed=secrets.token_hex(16) + "\n")
    return json.loads(command("token", "create", "--team", team, "--owner", email, "--name", "upstream",
                              "--scopes", "read,write,admin", "--json"))["token"]


class Worlds:
    """Fresh worlds, some of them made ahead by a thread. token is the one of the test that runs."""

    def __init__(self):
        self.ready = queue.Queue(AHEAD)
        self.token = None
        threading.Thread(target=self._make, daemon=True).start()

    def _make(self):
        for number in itertools.count(int.from_bytes(secrets.token_bytes(4), "big") << 16):
            try:
                self.ready.put(make_world(number))
            except BaseException as e:
                self.ready.put(e)
                return

    def fresh(self):
        made = self.ready.get(timeout=120)
        if isinstance(made, BaseException):
            raise made
        self.token = os.environ["MLFLOW_TRACKING_TOKEN"] = made
        return URL


WORLDS = Worlds()


# ---- what the test files start ----


def initialize_backend_stores(backend_store_uri=None, *_, **__):
    """The world of db_uri is this test's already; any other store is an empty one."""
    if backend_store_uri != URL:
        WORLDS.fresh()


class ServerThread:
    def __init__(self, app, port):
        self.url = URL

    def __enter__(self):
        return self.url

    def __exit__(self, *_):
        return None

    def shutdown(self):
        pass


@contextlib.contextmanager
def init_server(*_, **__):
    yield URL


mlflow.server.handlers.initialize_backend_stores = initialize_backend_stores
servers.ServerThread = ServerThread
servers._init_server = init_server


# ---- what they ask ----

send = requests.adapters.HTTPAdapter.send


def send_with_token(adapter, request, **words):
    if request.url.startswith(URL):
        request.headers.setdefault("Authorization", f"Bearer {WORLDS.token}")
    reply = send(adapter, request, **words)
    if request.url.startswith(URL) and reply.status_code == 500:
        with open(os.environ["UPSTREAM_REPORT"], "a") as out:
            print(json.dumps([os.environ.get("PYTEST_CURRENT_TEST"), request.method, request.url]), file=out)
    return reply


requests.adapters.HTTPAdapter.send = send_with_token


# ---- hooks ----


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    if fixturedef.argname == "db_uri":
        made = WORLDS.fresh()
    elif fixturedef.argname == "store" and "/store/" in str(request.path):
        made = STORES["model_registry" in str(request.path)](functools.partial(get_default_host_creds, WORLDS.fresh()))
    else:
        return None
    fixturedef.cached_result = (made, fixturedef.cache_key(request), None)
    return made


def asks_for_files(item):
    return "file" in getattr(item, "callspec", None).params.values() if hasattr(item, "callspec") else False


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if asks_for_files(item)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
