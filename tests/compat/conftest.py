"""Fixtures of the compatibility tests. The client is MLflow's, the server whatever MLFLOW_TRACKING_URI
names: names are unique per test, so that no test needs an empty server."""

import itertools
import os
import re
import urllib.parse

import matplotlib
import mlflow
import pytest
import requests

matplotlib.use("Agg")

SLIPWAY = os.environ["COMPAT_SERVER"] == "slipway"
SLOWEST_REFUSAL = 5  # seconds: a client that retries takes longer
_number = itertools.count(1)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("slipway") and not SLIPWAY:
            item.add_marker(pytest.mark.skip(reason="says something that only Slipway does"))


def unique(name):
    return f"{name} {os.environ['COMPAT_RUN']} {next(_number)}"


@pytest.fixture
def name(request):
    """A name that nobody else has."""
    return unique(request.node.name[:100].replace("/", "-").replace(":", "-"))


@pytest.fixture
def client():
    return mlflow.MlflowClient()


@pytest.fixture
def experiment(name):
    """The active experiment of the fluent interface; nothing stays active after the test."""
    yield mlflow.set_experiment(name).experiment_id
    while mlflow.active_run():
        mlflow.end_run()


@pytest.fixture
def run(experiment):
    """An active run."""
    with mlflow.start_run() as active:
        yield active.info.run_id


class Api:
    """The wire itself, with the client's own credentials."""

    def __init__(self):
        self.session = requests.Session()
        self.session.trust_env = False  # else REQUESTS_CA_BUNDLE would win over the next line
        self.session.verify = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH", True)
        if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
            self.session.headers["Authorization"] = f"Bearer {token}"

    def send(self, method, path, timeout=60, **words):
        return self.session.request(method, os.environ["MLFLOW_TRACKING_URI"] + path, timeout=timeout, **words)

    def get(self, path, **query):
        return self.send("GET", f"/api/2.0/mlflow/{path}", params=query)

    def post(self, path, body):
        return self.send("POST", f"/api/2.0/mlflow/{path}", json=body)


@pytest.fixture
def api():
    return Api()


IDENTIFIERS = [(re.compile(pattern), word) for pattern, word in (
    (r"m-[0-9a-f]{32}", "{model}"), (r"tr-[0-9a-f]{32}", "{trace}"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "{uuid}"),
    (r"\b[0-9a-f]{32}\b", "{run}"), (r"\d{13,}", "{time}"),
    (r"(?<=artifacts/)\d+(?=/)", "{experiment}"))]


# Asked once in a process, by whichever call comes first: before the first artifact, before the first span.
PROBES = ("GET /api/3.0/mlflow/server-info", "GET /version")


class Recorder:
    """What the client sends, in order, without what differs from run to run."""

    def __init__(self, monkeypatch):
        self.seen = []
        send = requests.adapters.HTTPAdapter.send

        def recording(adapter, request, **words):
            reply = send(adapter, request, **words)
            self.seen.append((request, reply.status_code))
            return reply

        monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", recording)

    def lines(self):
        """Files go over several connections at once: their order among themselves means nothing."""
        lines = [self.line(request, status) for request, status in self.seen]
        grouped = itertools.groupby((x for x in lines if x not in PROBES), key=lambda x: "mlflow-artifacts" in x)
        return [line for files, group in grouped for line in (sorted(group) if files else group)]

    @staticmethod
    def line(request, status):
        url = urllib.parse.urlsplit(request.url)
        text = url.path
        for pattern, word in IDENTIFIERS:
            text = pattern.sub(word, text)
        fields = "&".join(dict.fromkeys(k for k, _ in urllib.parse.parse_qsl(url.query, keep_blank_values=True)))
        return f"{request.method} {text}{'?' * bool(fields)}{fields}{'' if status == 200 else f' {status}'}"


@pytest.fixture
def recorder(monkeypatch):
    return Recorder(monkeypatch)
