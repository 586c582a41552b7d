"""Experiments, runs, params, metrics, tags and dataset inputs, as a training script uses them."""

import json
import math
import time

import mlflow
import pandas
import pytest
from mlflow.entities import Metric, Param, RunStatus, RunTag, ViewType

UNICODE = "größe 模型 🚢 \u202etxet é"


def now():
    return int(time.time() * 1000)


# ---- experiments ----

def test_the_default_experiment_is_there(client):
    default = client.get_experiment("0")
    assert (default.name, default.lifecycle_stage) == ("Default", "active")


def test_an_experiment_keeps_its_name_and_tags(client, name):
    id = client.create_experiment(name, tags={"team": "vision", "mlflow.note.content": UNICODE})
    client.set_experiment_tag(id, "team", "audio")
    got = client.get_experiment(id)
    assert dict(got) == dict(client.get_experiment_by_name(name))
    assert got.tags == {"team": "audio", "mlflow.note.content": UNICODE}
    assert got.artifact_location == f"mlflow-artifacts:/{id}"
    assert 0 <= now() - got.creation_time < 60000
    client.delete_experiment_tag(id, "team")
    assert client.get_experiment(id).tags == {"mlflow.note.content": UNICODE}


def test_an_experiment_can_be_renamed_deleted_and_restored(client, name):
    id = client.create_experiment(name)
    run = client.create_run(id).info.run_id
    client.rename_experiment(id, name + " again")
    client.delete_experiment(id)
    assert client.get_experiment(id).lifecycle_stage == "deleted"
    assert client.get_run(run).info.lifecycle_stage == "deleted"
    assert client.get_experiment_by_name(name + " again").experiment_id == id
    client.restore_experiment(id)
    assert client.get_experiment(id).lifecycle_stage == "active"
    assert client.get_run(run).info.lifecycle_stage == "active"


def test_names_may_hold_any_script(client, name):
    id = client.create_experiment(f"{name} {UNICODE}")
    assert client.get_experiment_by_name(f"{name} {UNICODE}").experiment_id == id


# ---- runs ----

def test_a_run_tells_who_when_and_where(client, experiment):
    before = now()
    with mlflow.start_run(run_name="first", description="a *note*") as active:
        pass
    run = client.get_run(active.info.run_id)
    assert run.info.run_name == run.data.tags["mlflow.runName"] == "first"
    assert run.data.tags["mlflow.note.content"] == "a *note*"
    assert run.data.tags["mlflow.source.type"] == "LOCAL"
    assert run.info.status == "FINISHED"
    assert run.info.experiment_id == experiment
    assert before <= run.info.start_time <= run.info.end_time <= now()
    assert run.info.artifact_uri == f"mlflow-artifacts:/{experiment}/{run.info.run_id}/artifacts"


def test_a_run_without_a_name_gets_one(client, experiment):
    run = client.create_run(experiment)
    assert run.info.run_name and run.data.tags["mlflow.runName"] == run.info.run_name


def test_the_name_and_its_tag_are_one_thing(client, run):
    client.update_run(run, name="by update")
    assert client.get_run(run).data.tags["mlflow.runName"] == "by update"
    client.set_tag(run, "mlflow.runName", "by tag")
    assert client.get_run(run).info.run_name == "by tag"


def test_a_failing_script_leaves_a_failed_run(client, experiment):
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as active:
        1 / 0
    assert client.get_run(active.info.run_id).info.status == "FAILED"


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED", "SCHEDULED", "RUNNING"])
def test_a_run_can_be_set_to_every_status(client, experiment, status):
    run = client.create_run(experiment).info.run_id
    client.set_terminated(run, status)
    assert client.get_run(run).info.status == status


def test_a_finished_run_can_be_taken_up_again(client, experiment):
    with mlflow.start_run() as first:
        mlflow.log_metric("loss", 1.0, step=0)
    with mlflow.start_run(run_id=first.info.run_id):
        assert client.get_run(first.info.run_id).info.status == "RUNNING"
        mlflow.log_metric("loss", 0.5, step=1)
    assert [m.value for m in client.get_metric_history(first.info.run_id, "loss")] == [1.0, 0.5]
    assert client.get_run(first.info.run_id).info.status == "FINISHED"


def test_nested_runs_know_their_parent(client, experiment):
    with mlflow.start_run() as parent, mlflow.start_run(nested=True) as child:
        with mlflow.start_run(nested=True) as grandchild:
            pass
    assert client.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id
    assert client.get_parent_run(grandchild.info.run_id).info.run_id == child.info.run_id
    assert client.get_parent_run(parent.info.run_id) is None
    children = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert list(children.run_id) == [child.info.run_id]


def test_a_deleted_run_can_be_restored(client, experiment):
    run = client.create_run(experiment).info.run_id
    client.delete_run(run)
    assert [r.info.run_id for r in client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)] == [run]
    assert client.search_runs([experiment]) == []
    client.restore_run(run)
    assert [r.info.run_id for r in client.search_runs([experiment])] == [run]


def test_a_run_may_start_when_its_script_says(client, experiment):
    run = client.create_run(experiment, start_time=1234567890123, tags={"mlflow.user": "ada"})
    client.set_terminated(run.info.run_id, end_time=1234567899999)
    got = client.get_run(run.info.run_id).info
    assert (got.start_time, got.end_time) == (1234567890123, 1234567899999)


# ---- params and tags ----

def test_params_and_tags_come_back_as_text(client, run):
    mlflow.log_params({"rate": 0.1, "layers": [1, 2], "none": None, "a/b c.d-e": UNICODE})
    mlflow.set_tags({"note": UNICODE, "empty": ""})
    data = client.get_run(run).data
    assert data.params == {"rate": "0.1", "layers": "[1, 2]", "none": "None", "a/b c.d-e": UNICODE}
    assert data.tags["note"] == UNICODE and data.tags["empty"] == ""


def test_a_param_may_be_said_twice_but_not_changed(client, run):
    mlflow.log_param("depth", 3)
    mlflow.log_param("depth", 3)
    with pytest.raises(mlflow.MlflowException, match="Changing param values is not allowed"):
        mlflow.log_param("depth", 4)
    assert client.get_run(run).data.params == {"depth": "3"}


def test_a_tag_may_be_changed_and_deleted(client, run):
    mlflow.set_tag("colour", "red")
    mlflow.set_tag("colour", "blue")
    assert client.get_run(run).data.tags["colour"] == "blue"
    mlflow.delete_tag("colour")
    assert "colour" not in client.get_run(run).data.tags


def test_a_hundred_params_and_tags_go_in_one_batch(client, run):
    client.log_batch(run, params=[Param(f"p{i}", "v" * 6000) for i in range(100)],
                     tags=[RunTag(f"t{i}", "w" * 5000) for i in range(100)])
    data = client.get_run(run).data
    assert len(data.params) == 100 and set(map(len, data.params.values())) == {6000}
    assert sum(len(v) == 5000 for v in data.tags.values()) == 100


def test_more_params_than_a_batch_holds_are_split_by_the_client(client, run):
    mlflow.log_params({f"p{i:03}": i for i in range(250)})
    assert len(client.get_run(run).data.params) == 250


# ---- metrics ----

def test_the_latest_metric_is_that_of_the_greatest_step(client, run):
    for step, value in ((1, 0.5), (3, 0.1), (2, 0.9)):
        mlflow.log_metric("loss", value, step=step)
    assert client.get_run(run).data.metrics["loss"] == 0.1


def test_at_one_step_the_latest_time_wins_and_then_the_greatest_value(client, run):
    for time_ms, value in ((5, 9.0), (7, 1.0), (7, 2.0), (6, 8.0)):
        client.log_metric(run, "loss", value, timestamp=time_ms, step=4)
    assert client.get_run(run).data.metrics["loss"] == 2.0


def test_history_is_ordered_by_time_step_and_value(client, run):
    points = [(3.0, 30, 1), (1.0, 10, 5), (2.0, 10, 2), (0.5, 10, 2)]
    for value, at, step in points:
        client.log_metric(run, "loss", value, timestamp=at, step=step)
    got = [(m.value, m.timestamp, m.step) for m in client.get_metric_history(run, "loss")]
    assert got == [(0.5, 10, 2), (2.0, 10, 2), (1.0, 10, 5), (3.0, 30, 1)]


def test_the_same_point_is_kept_once(client, run):
    for _ in range(3):
        client.log_batch(run, metrics=[Metric("loss", 1.0, 5, 1), Metric("loss", float("nan"), 5, 1)])
    assert len(client.get_metric_history(run, "loss")) == 2


def test_numbers_that_are_none_survive(client, run):
    mlflow.log_metric("nan", math.nan)
    mlflow.log_metric("up", math.inf)
    mlflow.log_metrics({"down": -math.inf, "tiny": 5e-324, "huge": 1.7976931348623157e308, "zero": -0.0})
    got = client.get_run(run).data.metrics
    assert math.isnan(got["nan"]) and math.isnan(client.get_metric_history(run, "nan")[0].value)
    assert got["up"] >= 1.7976931348623157e308 and got["down"] <= -1.7976931348623157e308
    assert (got["tiny"], got["huge"], got["zero"]) == (5e-324, 1.7976931348623157e308, 0.0)


def test_a_double_comes_back_bit_for_bit(client, run):
    values = [0.1, 1 / 3, 2 ** 53 + 1.0, 1e-300, -123456.789e77]
    client.log_batch(run, metrics=[Metric("x", v, 1, i) for i, v in enumerate(values)])
    assert [m.value for m in client.get_metric_history(run, "x")] == values


def test_steps_may_be_negative_and_large(client, run):
    for step in (-5, 0, 2 ** 62 - 1):
        client.log_metric(run, "loss", float(step), timestamp=1, step=step)
    assert sorted(m.step for m in client.get_metric_history(run, "loss")) == [-5, 0, 2 ** 62 - 1]


def test_a_thousand_metrics_go_in_one_batch(client, run):
    client.log_batch(run, metrics=[Metric(f"m{i % 500}", i / 7, 1000 + i, i) for i in range(1000)])
    assert len(client.get_run(run).data.metrics) == 500
    assert [m.step for m in client.get_metric_history(run, "m3")] == [3, 503]


def test_a_long_history_is_read_page_by_page(client, run):
    for start in range(0, 30000, 1000):
        client.log_batch(run, metrics=[Metric("loss", float(i), i, i) for i in range(start, start + 1000)])
    history = client.get_metric_history(run, "loss")
    assert [m.step for m in history] == list(range(30000))


def test_a_metric_that_was_never_logged_has_no_history(client, run):
    assert client.get_metric_history(run, "nothing") == []


def test_what_was_logged_is_seen_at_once(client, run):
    for step in range(20):
        mlflow.log_metric("loss", float(step), step=step)
        assert client.get_run(run).data.metrics["loss"] == step
        assert len(client.get_metric_history(run, "loss")) == step + 1


def test_logging_in_the_background_loses_nothing(client, run):
    for step in range(200):
        mlflow.log_metric("loss", float(step), step=step, synchronous=False)
    mlflow.log_params({"a": 1, "b": 2}, synchronous=False)
    mlflow.flush_async_logging()
    assert [m.step for m in client.get_metric_history(run, "loss")] == list(range(200))
    assert client.get_run(run).data.params == {"a": "1", "b": "2"}


def test_system_metrics_are_ordinary_metrics(client, run):
    mlflow.log_metrics({"system/cpu_utilization_percentage": 55.5, "system/gpu_0_memory": 1.0}, step=0)
    assert client.get_run(run).data.metrics["system/cpu_utilization_percentage"] == 55.5


def test_a_chart_of_many_runs_keeps_the_ends(client, experiment, api):
    runs = [client.create_run(experiment).info.run_id for _ in range(2)]
    for run in runs:
        client.log_batch(run, metrics=[Metric("loss", float(i), i, i) for i in range(1000)])
    reply = api.get("metrics/get-history-bulk-interval", run_ids=runs, metric_key="loss", max_results=50)
    assert reply.status_code == 200, reply.text
    for run in runs:
        steps = [m["step"] for m in reply.json()["metrics"] if m["run_id"] == run]
        assert steps[0] == 0 and steps[-1] == 999 and steps == sorted(set(steps)) and 20 <= len(steps) <= 60


# ---- inputs ----

def test_a_dataset_input_comes_back_whole(client, run):
    frame = pandas.DataFrame({"größe": [1.5, 2.5], "label": [0, 1]})
    dataset = mlflow.data.from_pandas(frame, source="https://example.test/rows.csv", name="rows", targets="label")
    mlflow.log_input(dataset, context="training", tags={"fold": "1"})
    mlflow.log_input(dataset, context="training")
    inputs = client.get_run(run).inputs.dataset_inputs
    assert len(inputs) == 1
    assert {t.key: t.value for t in inputs[0].tags} == {"mlflow.data.context": "training", "fold": "1"}
    got = inputs[0].dataset
    assert (got.name, got.digest, got.source_type) == ("rows", dataset.digest, dataset.source._get_source_type())
    assert json.loads(got.schema)["mlflow_colspec"][0]["name"] == "größe"
    assert '"num_rows": 2' in got.profile


def test_every_status_has_a_name():
    """The list above is complete: a new status of the client's is noticed here."""
    assert set(RunStatus.all_status()) == set(map(RunStatus.from_string, (
        "FINISHED", "FAILED", "KILLED", "SCHEDULED", "RUNNING")))
