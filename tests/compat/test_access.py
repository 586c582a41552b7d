"""Who may see what: Bearer and Basic, two projects of a team under /p/{slug}, two teams. All of it is
Slipway's: MLflow's own server has no access control as it is started here."""

import os

import mlflow
import pytest
import requests
from conftest import SLOWEST_REFUSAL

pytestmark = pytest.mark.slipway
URL = os.environ["MLFLOW_TRACKING_URI"]
ANNEX = f"{URL}/p/annex"


@pytest.fixture
def annex():
    """The client with the project annex in its address."""
    return mlflow.MlflowClient(tracking_uri=ANNEX, registry_uri=ANNEX)


def test_nobody_comes_in_without_a_token(monkeypatch, client):
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    with pytest.raises(mlflow.MlflowException) as refusal:
        client.search_experiments()
    assert "401" in str(refusal.value) or "UNAUTHENTICATED" in str(refusal.value)


def test_a_wrong_token_is_no_token(monkeypatch, client):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", os.environ["MLFLOW_TRACKING_TOKEN"][:-4] + "AAAA")
    with pytest.raises(mlflow.MlflowException):
        client.search_experiments()


def test_a_token_is_also_a_password(monkeypatch, client, name):
    token = os.environ["MLFLOW_TRACKING_TOKEN"]
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", os.environ["COMPAT_EMAIL"])
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", token)
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    id = client.create_experiment(name)
    run = client.create_run(id).info.run_id
    client.log_text(run, "words", "a.txt")
    assert client.get_run(run).info.experiment_id == id


def test_a_wrong_password_is_refused(monkeypatch, client):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", os.environ["COMPAT_EMAIL"])
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a guess")
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    with pytest.raises(mlflow.MlflowException):
        client.search_experiments()


def test_a_refusal_says_how_to_sign_in():
    reply = requests.get(f"{URL}/api/2.0/mlflow/experiments/get?experiment_id=0", timeout=SLOWEST_REFUSAL,
                         verify=os.environ["MLFLOW_TRACKING_SERVER_CERT_PATH"])
    assert reply.status_code == 401 and "WWW-Authenticate" in reply.headers
    assert reply.json()["error_code"] == "UNAUTHENTICATED"


def test_projects_do_not_see_each_other(client, annex, name):
    here, there = client.create_experiment(name), annex.create_experiment(name)
    run_here, run_there = client.create_run(here).info.run_id, annex.create_run(there).info.run_id
    client.log_text(run_here, "here", "a.txt")
    assert annex.get_experiment_by_name(name).experiment_id == there
    assert annex.get_experiment("0").name == client.get_experiment("0").name == "Default"
    for other, run in ((annex, run_here), (client, run_there)):
        with pytest.raises(mlflow.MlflowException, match=f"Run with id={run} not found"):
            other.get_run(run)
        with pytest.raises(mlflow.MlflowException, match="not found"):
            other.log_metric(run, "a", 1)
    assert run_here not in [r.info.run_id for r in annex.search_runs([there, "0"])]


def test_projects_keep_their_own_files_and_models(client, annex, name):
    run = annex.create_run("0").info.run_id
    mlflow.set_tracking_uri(ANNEX)
    try:
        annex.log_text(run, "there", "a/b.txt")
        assert [f.path for f in annex.list_artifacts(run, "a")] == ["a/b.txt"]
        assert mlflow.artifacts.load_text(f"runs:/{run}/a/b.txt") == "there"
    finally:
        mlflow.set_tracking_uri(URL)
    annex.create_registered_model(name)
    assert [m.name for m in annex.search_registered_models(f"name = '{name}'")] == [name]
    with pytest.raises(mlflow.MlflowException, match="not found"):
        client.get_registered_model(name)


def test_a_fluent_script_works_under_a_project(name):
    mlflow.set_tracking_uri(ANNEX)
    try:
        mlflow.set_experiment(name)
        with mlflow.start_run() as run:
            mlflow.log_metric("a", 1)
            mlflow.log_dict({"a": 1}, "a.json")
        assert mlflow.get_run(run.info.run_id).data.metrics == {"a": 1}
        assert mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/a.json") == {"a": 1}
        assert list(mlflow.search_runs(experiment_names=[name]).run_id) == [run.info.run_id]
    finally:
        mlflow.set_tracking_uri(URL)


def test_a_project_that_is_not_there(name):
    nowhere = mlflow.MlflowClient(tracking_uri=f"{URL}/p/nowhere")
    with pytest.raises(mlflow.MlflowException):
        nowhere.search_experiments()


def test_teams_do_not_see_each_other(monkeypatch, client, name):
    experiment = client.create_experiment(name)
    run = client.create_run(experiment).info.run_id
    client.log_text(run, "secret", "a.txt")
    client.create_registered_model(name)
    version = client.create_model_version(name, f"runs:/{run}/a", run).version
    artifact_uri = client.get_run(run).info.artifact_uri
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", os.environ["COMPAT_OUTSIDER"])
    other = mlflow.MlflowClient()
    assert other.get_experiment_by_name(name) is None
    for call in (lambda: other.get_run(run), lambda: other.log_metric(run, "a", 1), lambda: other.set_tag(run, "a", "b"),
                 lambda: other.delete_run(run), lambda: other.get_registered_model(name),
                 lambda: other.get_model_version(name, version), lambda: other.delete_registered_model(name),
                 lambda: other.create_model_version(name, f"runs:/{run}/a", run)):
        with pytest.raises(mlflow.MlflowException) as refusal:
            call()
        assert refusal.value.error_code == "RESOURCE_DOES_NOT_EXIST", refusal.value
    assert other.search_registered_models(f"name = '{name}'") == []
    assert other.create_registered_model(name).name == name
    with pytest.raises(mlflow.MlflowException):
        mlflow.artifacts.load_text(artifact_uri + "/a.txt")


def test_a_foreign_runs_files_are_not_found(api):
    client = mlflow.MlflowClient()
    run = client.create_run("0").info
    client.log_text(run.run_id, "secret", "a.txt")
    path = "/api/2.0/mlflow-artifacts/artifacts" + run.artifact_uri.removeprefix("mlflow-artifacts:") + "/a.txt"
    assert api.send("GET", path).text == "secret"
    api.session.headers["Authorization"] = f"Bearer {os.environ['COMPAT_OUTSIDER']}"
    for method in ("GET", "PUT", "DELETE"):
        assert api.send(method, path, data=b"x" if method == "PUT" else None).status_code in (403, 404), method
    assert api.send("GET", "/get-artifact", params={"run_id": run.run_id, "path": "a.txt"}).status_code == 404
