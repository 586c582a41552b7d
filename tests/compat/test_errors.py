"""Refusals: their codes, their texts where scripts look at them, and that the client gives up at once.
The client tries 429 and 5xx again for minutes: no mistake of a user's may be answered with one."""

import time

import mlflow
import pytest
from conftest import SLOWEST_REFUSAL
from mlflow.entities import Metric, Param, RunTag

NOBODY = "0" * 32
NOTHING = "m-" + NOBODY


@pytest.fixture
def refused():
    """refused(call, code, text): the call is refused with this code and text, and at once."""
    def check(call, code, text=""):
        started = time.monotonic()
        with pytest.raises(mlflow.MlflowException) as refusal:
            call()
        assert refusal.value.error_code == code, refusal.value
        assert text in refusal.value.message, refusal.value
        assert time.monotonic() - started < SLOWEST_REFUSAL
    return check


def test_unknown_things_are_not_found(client, refused):
    missing = "RESOURCE_DOES_NOT_EXIST"
    refused(lambda: client.get_experiment("987654321"), missing, "No Experiment with id=987654321 exists")
    refused(lambda: client.get_run(NOBODY), missing, f"Run with id={NOBODY} not found")
    refused(lambda: client.log_metric(NOBODY, "a", 1), missing, f"Run with id={NOBODY} not found")
    refused(lambda: client.log_param(NOBODY, "a", 1), missing, f"Run with id={NOBODY} not found")
    refused(lambda: client.set_tag(NOBODY, "a", "b"), missing, f"Run with id={NOBODY} not found")
    refused(lambda: client.log_batch(NOBODY, [Metric("a", 1, 1, 1)]), missing, f"Run with id={NOBODY} not found")
    refused(lambda: client.delete_run(NOBODY), missing, f"Run with id={NOBODY} not found")
    refused(lambda: client.delete_experiment("987654321"), missing, "No Experiment with id=987654321 exists")
    refused(lambda: client.create_run("987654321"), missing, "No Experiment with id=987654321 exists")
    refused(lambda: client.get_registered_model("no such model"), missing,
            "Registered Model with name=no such model not found")
    refused(lambda: client.get_logged_model(NOTHING), missing, f"Logged model with ID '{NOTHING}' not found.")
    assert client.get_experiment_by_name("no such experiment") is None


def test_an_experiments_name_is_taken(client, name, refused):
    client.create_experiment(name)
    refused(lambda: client.create_experiment(name), "RESOURCE_ALREADY_EXISTS",
            f"Experiment(name={name}) already exists")


def test_an_unknown_name_tells_the_name(api, name):
    reply = api.get("experiments/get-by-name", experiment_name=name)
    assert reply.status_code == 404
    assert reply.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert reply.json()["message"] == f"Could not find experiment with name '{name}'"


def test_a_changed_param_tells_both_values(client, run, refused):
    client.log_param(run, "p", 1)
    refused(lambda: client.log_param(run, "p", 2), "INVALID_PARAMETER_VALUE",
            f"Changing param values is not allowed. Param with key='p' was already logged with value='1' for "
            f"run ID='{run}'. Attempted logging new value '2'.")
    refused(lambda: client.log_batch(run, params=[Param("p", "2"), Param("q", "1")]), "INVALID_PARAMETER_VALUE",
            "Changing param values is not allowed. Params were already logged='[")


def test_a_deleted_run_takes_nothing(client, experiment, refused):
    run = client.create_run(experiment).info.run_id
    client.delete_run(run)
    text = f"The run {run} must be in the 'active' state. Current state is deleted."
    refused(lambda: client.log_metric(run, "a", 1), "INVALID_PARAMETER_VALUE", text)
    refused(lambda: client.log_param(run, "a", 1), "INVALID_PARAMETER_VALUE", text)
    refused(lambda: client.set_tag(run, "a", "b"), "INVALID_PARAMETER_VALUE", text)
    refused(lambda: client.log_batch(run, [Metric("a", 1, 1, 1)]), "INVALID_PARAMETER_VALUE", text)
    refused(lambda: client.set_terminated(run), "INVALID_PARAMETER_VALUE", text)


def test_a_tag_that_is_not_there_cannot_go(client, run, refused):
    refused(lambda: client.delete_tag(run, "colour"), "RESOURCE_DOES_NOT_EXIST",
            f"No tag with name: colour in run with id {run}")


def test_registry_refusals(client, name, refused):
    client.create_registered_model(name)
    refused(lambda: client.create_registered_model(name), "RESOURCE_ALREADY_EXISTS",
            f"Registered Model (name={name}) already exists.")
    refused(lambda: client.get_model_version_by_alias(name, "champion"), "INVALID_PARAMETER_VALUE",
            "Registered model alias champion not found.")
    refused(lambda: client.get_model_version(name, "7"), "RESOURCE_DOES_NOT_EXIST",
            f"Model Version (name={name}, version=7) not found")
    refused(lambda: client.set_registered_model_alias(name, "latest", "1"), "INVALID_PARAMETER_VALUE")
    refused(lambda: client.set_registered_model_alias(name, "v1", "1"), "INVALID_PARAMETER_VALUE")
    refused(lambda: client.set_registered_model_alias(name, "champion", "1"), "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("name", ["a/b", "a:b", "", "..", "a/../b"])
def test_a_model_may_not_be_called_so(client, refused, name):
    refused(lambda: client.create_registered_model(name), "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("source", ["file:///etc", "/etc/passwd", "mlflow-artifacts:/../../x", "..\\..\\x"])
def test_a_model_may_not_come_from_there(client, name, refused, source):
    client.create_registered_model(name)
    refused(lambda: client.create_model_version(name, source), "INVALID_PARAMETER_VALUE")


# ---- the wire ----

WIRE = [
    ("runs/create", {"experiment_id": 7}, "Invalid value 7 for parameter 'experiment_id' supplied"),
    ("runs/get", None, "Missing value for required parameter 'run_id'"),
    ("runs/log-metric", {"key": "a", "value": 1, "timestamp": 1}, "Missing value for required parameter 'run_id'"),
    ("runs/log-metric", {"run_id": NOBODY, "key": "a", "value": 1}, "Missing value for required parameter 'timestamp'"),
    ("runs/log-batch", {"run_id": 31}, "Invalid value 31 for parameter 'run_id' supplied:  Hint: Value was of type 'int'."),
    ("runs/log-batch", {"run_id": NOBODY, "metrics": [{"key": "a", "value": 1, "step": 1}]},
     "Missing value for required parameter 'metrics[0].timestamp'"),
    ("runs/log-batch", {"run_id": NOBODY, "metrics": "a"}, "Invalid value \"a\" for parameter 'metrics' supplied"),
    ("runs/log-metric", {"run_id": NOBODY, "key": "a", "value": "x", "timestamp": 1},
     "Invalid value \"x\" for parameter 'value' supplied:  Hint: Value was of type 'str'."),
    ("experiments/search", {}, "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"),
    ("experiments/create", {"name": ""}, "Missing value for required parameter 'name'"),
    ("experiments/create", {"name": 7}, "Invalid value 7 for parameter 'name' supplied"),
    ("runs/search", {"experiment_ids": ["0"], "max_results": 100000}, "max_results"),
    ("registered-models/create", {}, "Missing value for required parameter 'name'"),
    ("model-versions/create", {"name": "a"}, "Missing value for required parameter 'source'"),
]


@pytest.mark.parametrize(("path", "body", "text"), WIRE, ids=[f"{p} {b}" for p, b, _ in WIRE])
def test_a_wrong_message_is_told_where(api, path, body, text):
    reply = api.get(path) if body is None else api.post(path, body)
    assert reply.status_code == 400, reply.text
    assert reply.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert text in reply.json()["message"]


def test_a_post_names_its_type(api):
    reply = api.send("POST", "/api/2.0/mlflow/runs/create", data=b"{}")
    assert reply.status_code == 400 and "Bad Request. Content-Type header is missing." in reply.json()["message"]
    reply = api.send("POST", "/api/2.0/mlflow/runs/create", data=b"{}", headers={"Content-Type": "text/plain"})
    assert reply.status_code == 400 and "must be one of ['application/json']" in reply.json()["message"]
    reply = api.send("POST", "/api/2.0/mlflow/experiments/search", data=b'{"max_results": 1}',
                     headers={"Content-Type": "application/json; charset=utf-8"})
    assert reply.status_code == 200


def test_what_is_not_json_counts_as_empty(api):
    reply = api.send("POST", "/api/2.0/mlflow/experiments/create", data=b"{",
                     headers={"Content-Type": "application/json"})
    assert reply.status_code == 400
    assert reply.json()["message"].startswith("Missing value for required parameter 'name'.")


def test_unknown_fields_are_passed_over(api):
    assert api.post("experiments/search", {"max_results": 1, "no_such_field": {"a": [1]}}).status_code == 200


def test_whole_numbers_may_be_text(api, client, run):
    body = {"run_id": run, "key": "a", "value": "NaN", "timestamp": "1500", "step": "7"}
    assert api.post("runs/log-metric", body).json() == {}
    metric = api.get("metrics/get-history", run_id=run, metric_key="a").json()["metrics"][0]
    assert {k: metric[k] for k in ("key", "value", "timestamp", "step")} == {
        "key": "a", "value": "NaN", "timestamp": 1500, "step": 7}


def test_an_unknown_path_is_no_endpoint(api):
    assert api.send("POST", "/api/2.0/mlflow/no/such/thing", json={}).status_code == 404
    assert api.send("GET", "/api/2.0/mlflow/runs/create").status_code == 405


def test_the_older_prefixes_work(api):
    for path in ("/ajax-api/2.0/mlflow/experiments/get", "/api/2.0/mlflow/experiments/get",
                 "/api//2.0/mlflow//experiments/get"):
        reply = api.send("GET", path, params={"experiment_id": "0"})
        assert reply.status_code == 200 and reply.json()["experiment"]["name"] == "Default", path


def test_health_and_version(api):
    assert (api.send("GET", "/health").status_code, api.send("GET", "/health").text) == (200, "OK")
    assert [int(n) for n in api.send("GET", "/version").text.split(".")[:2]] >= [3, 4]
    assert api.send("GET", "/api/3.0/mlflow/server-info").json()["store_type"] == "SqlStore"


# ---- limits ----

def rows(count, **fields):
    return [{"key": f"k{i}", **fields} for i in range(count)]


POINT = {"value": 1, "timestamp": 1, "step": 1}
TOO_MANY = {
    "metrics": ({"metrics": rows(1001, **POINT)}, "at most 1000 metrics. Got 1001 metrics"),
    "params": ({"params": rows(101, value="1")}, "at most 100 params. Got 101 params"),
    "tags": ({"tags": rows(101, value="1")}, "at most 100 tags. Got 101 tags"),
    "all together": ({"metrics": rows(950, **POINT), "params": rows(51, value="1")}, "at most 1000"),
    "a param twice": ({"params": [{"key": "p", "value": "1"}, {"key": "p", "value": "2"}]}, "Duplicate parameter keys"),
}


@pytest.mark.parametrize("what", TOO_MANY)
def test_a_batch_has_limits(api, client, run, what):
    """The client would split it."""
    body, text = TOO_MANY[what]
    before = client.get_run(run).data.to_dictionary()
    reply = api.post("runs/log-batch", {"run_id": run, **body})
    assert reply.status_code == 400 and reply.json()["error_code"] == "INVALID_PARAMETER_VALUE", reply.text
    assert text in reply.json()["message"]
    assert client.get_run(run).data.to_dictionary() == before


WRONG_KEYS = ["k" * 251, "/a", "a/../b", "a*b", "a//b", "./a", "a/", "..", "größe?"]


@pytest.mark.parametrize("key", WRONG_KEYS)
def test_a_key_may_not_be_called_so(client, run, refused, key):
    refused(lambda: client.log_param(run, key, 1), "INVALID_PARAMETER_VALUE")
    refused(lambda: client.log_metric(run, key, 1), "INVALID_PARAMETER_VALUE")
    refused(lambda: client.set_tag(run, key, 1), "INVALID_PARAMETER_VALUE")


def test_an_experiments_name_has_a_limit(client, refused):
    refused(lambda: client.create_experiment("e" * 501), "INVALID_PARAMETER_VALUE")


def test_a_long_value_is_cut(client, run):
    client.log_param(run, "p", "v" * 6001)
    client.set_tag(run, "t", "w" * 8001)
    data = client.get_run(run).data
    assert (len(data.params["p"]), len(data.tags["t"])) == (6000, 8000)


def test_limits_count_characters(client, run):
    client.log_param(run, "p", "界" * 6000)
    assert client.get_run(run).data.params["p"] == "界" * 6000


@pytest.mark.slipway
def test_a_refused_batch_leaves_nothing(client, run, refused):
    """MLflow's own server keeps the metrics of such a batch."""
    client.log_param(run, "p", "1")
    refused(lambda: client.log_batch(run, [Metric("a", 1, 1, 1)], [Param("p", "2")], [RunTag("t", "1")]),
            "INVALID_PARAMETER_VALUE")
    data = client.get_run(run).data
    assert data.metrics == {} and "t" not in data.tags


@pytest.mark.slipway
@pytest.mark.parametrize("location", ["file:///etc", "/etc", "../../etc", "s3://bucket/x", "ftp://x/",
                                      "mlflow-artifacts:/../../x", "http:///#/../../../etc/"])
def test_artifacts_may_not_lie_there(client, name, refused, location):
    refused(lambda: client.create_experiment(name, artifact_location=location), "INVALID_PARAMETER_VALUE")
    assert client.get_experiment_by_name(name) is None
