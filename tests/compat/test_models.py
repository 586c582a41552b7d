"""Models: autologging, logged models, loading back with equal predictions, the registry, prompts."""

import json
import time

import mlflow
import numpy
import pandas
import pytest
from mlflow.entities import LoggedModelStatus
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True, as_frame=True)


@pytest.fixture
def fitted(iris):
    return LogisticRegression(max_iter=200).fit(*iris)


@pytest.fixture
def autologging():
    mlflow.sklearn.autolog(log_datasets=True, registered_model_name=None)
    yield
    mlflow.sklearn.autolog(disable=True)


# ---- autologging ----

def test_a_training_script_needs_one_line(client, experiment, iris, autologging):
    with mlflow.start_run() as active:
        model = LogisticRegression(C=0.5, max_iter=300).fit(*iris)
        score = model.score(*iris)
    run = client.get_run(active.info.run_id)
    assert (run.data.params["C"], run.data.params["max_iter"]) == ("0.5", "300")
    assert run.data.metrics["training_score"] == pytest.approx(score)
    assert run.data.tags["estimator_name"] == "LogisticRegression"
    assert [i.dataset.name for i in run.inputs.dataset_inputs]
    files = [f.path for f in client.list_artifacts(run.info.run_id)]
    assert "training_confusion_matrix.png" in files and "estimator.html" in files
    models = mlflow.search_logged_models(experiment_ids=[experiment], output_format="list")
    assert [m.source_run_id for m in models] == [run.info.run_id]
    assert [o.model_id for o in run.outputs.model_outputs] == [models[0].model_id]
    loaded = mlflow.sklearn.load_model(models[0].model_uri)
    assert (loaded.predict_proba(iris[0]) == model.predict_proba(iris[0])).all()


def test_a_grid_search_makes_child_runs(client, experiment, iris, autologging):
    with mlflow.start_run() as active:
        GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1.0, 10.0]}, cv=2).fit(*iris)
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{active.info.run_id}'")
    assert sorted(c.data.params["C"] for c in children) == ["0.1", "1.0", "10.0"]
    parent = client.get_run(active.info.run_id)
    assert parent.data.params["best_C"] in ("0.1", "1.0", "10.0") and "best_cv_score" in parent.data.metrics


def test_an_evaluation_is_logged(client, run, iris, fitted):
    frame = iris[0].assign(target=iris[1])
    info = mlflow.sklearn.log_model(fitted, name="model")
    result = mlflow.models.evaluate(info.model_uri, frame, targets="target", model_type="classifier",
                                    evaluator_config={"log_explainer": False})
    stored = client.get_run(run).data.metrics
    assert stored["accuracy_score"] == pytest.approx(result.metrics["accuracy_score"])


# ---- logged models ----

def test_a_model_is_loaded_back_in_every_way(client, experiment, name, iris, fitted):
    with mlflow.start_run() as active:
        info = mlflow.sklearn.log_model(fitted, name="iris", input_example=iris[0][:3],
                                        signature=mlflow.models.infer_signature(*iris), registered_model_name=name,
                                        params={"C": 1}, tags={"stage": "try"})
    client.set_registered_model_alias(name, "champion", 1)
    expected = fitted.predict(iris[0])
    for uri in (info.model_uri, f"models:/{info.model_id}", f"models:/{name}/1", f"models:/{name}@champion",
                f"models:/{name}/latest", f"runs:/{active.info.run_id}/iris"):
        assert (mlflow.pyfunc.load_model(uri).predict(iris[0]) == expected).all(), uri
    assert (mlflow.sklearn.load_model(info.model_uri).coef_ == fitted.coef_).all()
    model = client.get_logged_model(info.model_id)
    assert (model.name, model.status, model.params["C"], model.tags["stage"]) == (
        "iris", LoggedModelStatus.READY, "1", "try")
    assert mlflow.models.get_model_info(info.model_uri).signature == info.signature


def test_a_pipeline_of_ones_own(client, run, iris):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(*iris)
    info = mlflow.sklearn.log_model(model, name="pipeline", serialization_format="cloudpickle")
    assert (mlflow.pyfunc.load_model(info.model_uri).predict(iris[0]) == model.predict(iris[0])).all()


class Doubler(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        with open(context.artifacts["factor"]) as file:
            self.factor = json.load(file)

    def predict(self, context, model_input: list[float]) -> list[float]:
        return [x * self.factor for x in model_input]


def test_a_model_in_python_with_files(run, tmp_path):
    (tmp_path / "factor.json").write_text("2.5")
    info = mlflow.pyfunc.log_model(name="double", python_model=Doubler(),
                                   artifacts={"factor": str(tmp_path / "factor.json")})
    assert mlflow.pyfunc.load_model(info.model_uri).predict([2.0, 4.0]) == [5.0, 10.0]


def test_a_models_life(client, experiment):
    model = mlflow.initialize_logged_model(name="long", model_type="torch", params={f"p{i}": "x" for i in range(250)})
    assert client.get_logged_model(model.model_id).status == LoggedModelStatus.PENDING
    mlflow.set_logged_model_tags(model.model_id, {"a": "größe", "b": "2"})
    mlflow.delete_logged_model_tag(model.model_id, "b")
    mlflow.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)
    got = client.get_logged_model(model.model_id)
    assert (got.status, got.tags["a"], "b" in got.tags, len(got.params)) == (
        LoggedModelStatus.FAILED, "größe", False, 250)
    client.delete_logged_model(model.model_id)
    with pytest.raises(mlflow.MlflowException, match="not found"):
        client.get_logged_model(model.model_id)


def test_metrics_belong_to_a_model_and_a_dataset(client, experiment):
    rows = mlflow.data.from_numpy(numpy.zeros(3), name="rows")
    with mlflow.start_run() as active:
        model = mlflow.initialize_logged_model(name="scored")
        mlflow.log_metric("accuracy", 0.5, step=1, model_id=model.model_id, dataset=rows)
        mlflow.log_metric("accuracy", 0.75, step=2, model_id=model.model_id, dataset=rows)
        mlflow.log_metrics({"f1": 0.25}, model_id=model.model_id)
    got = {(m.key, m.step): (m.value, m.dataset_name, m.run_id) for m in client.get_logged_model(model.model_id).metrics}
    run = active.info.run_id
    assert got[("accuracy", 2)] == (0.75, "rows", run) and got[("f1", 0)][0] == 0.25
    assert client.get_run(run).data.metrics == {"accuracy": 0.75, "f1": 0.25}


@pytest.fixture(scope="module")
def three_models():
    client = mlflow.MlflowClient()
    experiment = client.create_experiment(f"logged models {time.time_ns()}")
    run = client.create_run(experiment).info.run_id
    data = mlflow.data.from_numpy(numpy.zeros(3), name="rows")
    for name, kind, score, depth in (("one", "a", 0.1, "1"), ("two", "b", 0.5, "2"), ("three", "b", None, "2")):
        model = client.create_logged_model(experiment, name, run if kind == "a" else None, {"kind": kind},
                                           {"depth": depth}, kind)
        if score is not None:
            client.log_metric(run, "score", score, model_id=model.model_id, dataset_name=data.name,
                              dataset_digest=data.digest)
        client.finalize_logged_model(model.model_id, "READY" if name != "three" else "FAILED")
    return experiment, run, data


MODEL_FILTERS = [
    ("", {"one", "two", "three"}), ("name = 'one'", {"one"}), ("name != 'one'", {"two", "three"}),
    ("name LIKE 't%'", {"two", "three"}), ("name ILIKE 'T%'", {"two", "three"}),
    ("attributes.name IN ('one', 'two')", {"one", "two"}), ("name NOT IN ('one')", {"two", "three"}),
    ("model_type = 'b'", {"two", "three"}), ("status = 'READY'", {"one", "two"}), ("params.depth = '2'", {"two", "three"}),
    ("params.depth != '2'", {"one"}), ("tags.kind = 'b'", {"two", "three"}), ("metrics.score > 0.2", {"two"}),
    ("metrics.score <= 0.5", {"one", "two"}), ("creation_timestamp > 0", {"one", "two", "three"}),
    ("creation_time > 0 AND params.depth = '2'", {"two", "three"}), ("last_updated_timestamp < 0", set()),
]


@pytest.mark.parametrize(("filter", "expected"), MODEL_FILTERS, ids=[f for f, _ in MODEL_FILTERS])
def test_logged_models_are_found(three_models, filter, expected):
    experiment, _, _ = three_models
    found = mlflow.search_logged_models([experiment], filter_string=filter, output_format="list")
    assert {m.name for m in found} == expected


def test_logged_models_are_found_by_run_and_dataset(three_models):
    experiment, run, data = three_models
    found = mlflow.search_logged_models([experiment], filter_string=f"source_run_id = '{run}'", output_format="list")
    assert [m.name for m in found] == ["one"]
    found = mlflow.search_logged_models(
        [experiment], "metrics.score > 0.2", [{"dataset_name": "rows", "dataset_digest": data.digest}],
        output_format="list")
    assert [m.name for m in found] == ["two"]
    other = [{"dataset_name": "others", "dataset_digest": "x"}]
    assert mlflow.search_logged_models([experiment], "metrics.score > 0", other, output_format="list") == []


def test_logged_models_are_ordered_and_paged(three_models, client):
    experiment, _, _ = three_models

    def ordered(*order):
        return [m.name for m in mlflow.search_logged_models([experiment], order_by=list(order), output_format="list")]
    assert ordered({"field_name": "metrics.score", "ascending": False}) == ["two", "one", "three"]
    assert ordered({"field_name": "metrics.score", "ascending": True}) == ["one", "two", "three"]
    assert ordered({"field_name": "name"}) == ["one", "three", "two"]
    assert ordered({"field_name": "creation_timestamp", "ascending": False}) == ["three", "two", "one"]
    seen, token = [], None
    while True:
        page = client.search_logged_models([experiment], max_results=1, page_token=token)
        seen += [m.name for m in page]
        token = page.token
        if not token:
            break
    assert seen == ["three", "two", "one"]
    first = client.search_logged_models([experiment], max_results=1)
    with pytest.raises(mlflow.MlflowException):
        client.search_logged_models([experiment], "name = 'one'", max_results=1, page_token=first.token)


# ---- registry ----

@pytest.fixture
def registered(client, name):
    """A registered model with three versions."""
    client.create_registered_model(name, tags={"team": "vision"}, description="größe")
    run = client.create_run("0").info.run_id
    for number in range(3):
        client.create_model_version(name, f"runs:/{run}/model", run, tags={"n": str(number)},
                                    description=f"number {number}")
    return name


def test_a_registered_model_keeps_what_it_is_given(client, registered):
    model = client.get_registered_model(registered)
    assert (model.name, model.description, model.tags) == (registered, "größe", {"team": "vision"})
    assert [int(v.version) for v in model.latest_versions] == [3]
    client.update_registered_model(registered, "another")
    client.set_registered_model_tag(registered, "team", "audio")
    client.set_registered_model_tag(registered, "x", "1" * 5000)
    client.delete_registered_model_tag(registered, "x")
    model = client.get_registered_model(registered)
    assert (model.description, model.tags) == ("another", {"team": "audio"})


def test_versions_count_up_and_numbers_do_not_return(client, registered):
    client.delete_model_version(registered, "3")
    with pytest.raises(mlflow.MlflowException, match="not found"):
        client.get_model_version(registered, "3")
    run = client.get_model_version(registered, "1").run_id
    made = client.create_model_version(registered, f"runs:/{run}/model", run)
    assert int(made.version) == 4
    assert sorted(int(v.version) for v in client.search_model_versions(f"name = '{registered}'")) == [1, 2, 4]


def test_a_version_keeps_what_it_is_given(client, registered):
    client.update_model_version(registered, "2", "better")
    client.set_model_version_tag(registered, "2", "größe", "ü")
    client.set_model_version_tag(registered, "2", "n", "two")
    client.delete_model_version_tag(registered, "2", "größe")
    got = client.get_model_version(registered, "2")
    assert (got.description, got.tags, got.status, got.current_stage) == ("better", {"n": "two"}, "READY", "None")
    assert got.source.startswith("runs:/") or got.source.startswith("mlflow-artifacts:/")
    assert client.get_model_version_download_uri(registered, "2").startswith(("mlflow-artifacts:/", "runs:/"))


def test_aliases_move(client, registered):
    client.set_registered_model_alias(registered, "Champion", "1")
    client.set_registered_model_alias(registered, "next", "2")
    assert int(client.get_model_version_by_alias(registered, "Champion").version) == 1
    client.set_registered_model_alias(registered, "Champion", "3")
    assert {k: int(v) for k, v in client.get_registered_model(registered).aliases.items()} == {"Champion": 3, "next": 2}
    assert client.get_model_version(registered, "3").aliases == ["Champion"]
    client.delete_registered_model_alias(registered, "next")
    with pytest.raises(mlflow.MlflowException, match="Registered model alias next not found."):
        client.get_model_version_by_alias(registered, "next")
    client.delete_model_version(registered, "3")
    with pytest.raises(mlflow.MlflowException):
        client.get_model_version_by_alias(registered, "Champion")


def test_stages_are_kept_for_older_scripts(client, registered):
    client.transition_model_version_stage(registered, "1", "Production")
    client.transition_model_version_stage(registered, "2", "staging")
    latest = {v.current_stage: int(v.version) for v in client.get_latest_versions(registered)}
    assert latest == {"Production": 1, "Staging": 2, "None": 3}
    client.transition_model_version_stage(registered, "3", "Production", archive_existing_versions=True)
    assert client.get_model_version(registered, "1").current_stage == "Archived"
    assert [int(v.version) for v in client.get_latest_versions(registered, ["Production"])] == [3]
    with pytest.raises(mlflow.MlflowException, match="Invalid Model Version stage"):
        client.transition_model_version_stage(registered, "1", "Anywhere")


def test_a_model_can_be_renamed_and_deleted(client, registered):
    client.rename_registered_model(registered, registered + " again")
    assert len(client.search_model_versions(f"name = '{registered} again'")) == 3
    with pytest.raises(mlflow.MlflowException, match="not found"):
        client.get_registered_model(registered)
    client.delete_registered_model(registered + " again")
    with pytest.raises(mlflow.MlflowException, match="not found"):
        client.get_registered_model(registered + " again")
    client.create_registered_model(registered + " again")
    run = client.create_run("0").info.run_id
    assert int(client.create_model_version(registered + " again", f"runs:/{run}/m", run).version) == 1


def test_registered_models_are_found(client):
    mark = f"r{time.time_ns()}"
    for letter in ("a", "B", "c"):
        client.create_registered_model(f"{mark}-{letter}", tags={"mark": mark, "letter": letter})

    def find(filter, **words):
        return [m.name.rpartition("-")[2] for m in client.search_registered_models(filter, **words)]
    assert sorted(find(f"name LIKE '{mark}-%'")) == ["B", "a", "c"]
    assert find(f"name = '{mark}-a'") == ["a"] and find(f"name ILIKE '{mark}-b'") == ["B"]
    assert find(f"name LIKE '{mark}-b'") == []
    assert find(f"name LIKE '{mark}%' AND tags.letter = 'c'") == ["c"]
    assert find(f"tags.mark = '{mark}' AND tags.letter != 'c'", order_by=["name DESC"]) == ["a", "B"]
    assert find(f"tags.mark = '{mark}'", order_by=["last_updated_timestamp DESC"]) == ["c", "B", "a"]
    assert find(f"tags.mark = '{mark}'", order_by=["timestamp ASC"]) == ["a", "B", "c"]
    page = client.search_registered_models(f"tags.mark = '{mark}'", max_results=2)
    rest = client.search_registered_models(f"tags.mark = '{mark}'", max_results=2, page_token=page.token)
    assert len(page) == 2 and len(rest) == 1 and not rest.token


def test_versions_are_found(client, registered):
    run = client.get_model_version(registered, "1").run_id

    def find(filter, **words):
        return [int(v.version) for v in client.search_model_versions(f"name = '{registered}'{filter}", **words)]
    assert find("") == [3, 2, 1]
    assert find(" AND version_number = 2") == [2] and find(" AND version_number > 1") == [3, 2]
    assert find(" AND tags.n = '0'") == [1] and find(" AND tags.n != '0'") == [3, 2]
    assert find(f" AND run_id = '{run}'") == [3, 2, 1] and find(f" AND run_id IN ('{run}','x')") == [3, 2, 1]
    assert find("", order_by=["version_number ASC"]) == [1, 2, 3]
    assert find("", order_by=["creation_timestamp ASC"]) == [1, 2, 3]
    assert find("", max_results=2) == [3, 2]


def test_a_version_can_be_copied(client, registered):
    copied = client.copy_model_version(f"models:/{registered}/1", registered + " copy")
    assert int(copied.version) == 1
    assert client.get_model_version(registered + " copy", "1").source


# ---- prompts ----

def test_prompts_ride_on_the_registry(client, name):
    name = name.replace(" ", "-")
    first = mlflow.genai.register_prompt(name, "Say {{word}}", commit_message="one", tags={"a": "b"})
    mlflow.genai.register_prompt(name, "Shout {{word}}")
    mlflow.genai.set_prompt_alias(name, "loud", 2)
    assert (first.version, mlflow.genai.load_prompt(name, version=1).template) == (1, "Say {{word}}")
    assert mlflow.genai.load_prompt(f"prompts:/{name}@loud").format(word="hey") == "Shout hey"
    assert [m.name for m in client.search_registered_models(f"name = '{name}'")] == []
    assert [p.name for p in mlflow.genai.search_prompts(f"name = '{name}'")] == [name]
    with pytest.raises(mlflow.MlflowException):
        client.create_registered_model(name)


def test_predictions_on_a_frame_with_a_signature(run, iris, fitted):
    signature = mlflow.models.infer_signature(*iris)
    info = mlflow.sklearn.log_model(fitted, name="strict", signature=signature)
    loaded = mlflow.pyfunc.load_model(info.model_uri)
    with pytest.raises(mlflow.MlflowException):
        loaded.predict(pandas.DataFrame({"wrong": [1.0]}))
    assert len(loaded.predict(iris[0][:5])) == 5
