"""Many writers at once: threads of one process, several processes, one run or many."""

import concurrent.futures
import os
import subprocess
import sys

import mlflow
from mlflow.entities import Metric

WRITERS = 8


def test_threads_write_into_one_run(client, run):
    def write(writer):
        for step in range(25):
            client.log_metric(run, f"loss{writer}", step / 2, step=step, timestamp=1000 + step)
            client.log_metric(run, "shared", writer, step=writer * 100 + step, timestamp=1000)
        client.log_param(run, f"p{writer}", writer)
        client.set_tag(run, "last", str(writer))
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    data = client.get_run(run).data
    assert data.params == {f"p{w}": str(w) for w in range(WRITERS)}
    assert len(client.get_metric_history(run, "shared")) == 25 * WRITERS
    for writer in range(WRITERS):
        assert [m.step for m in client.get_metric_history(run, f"loss{writer}")] == list(range(25))
        assert data.metrics[f"loss{writer}"] == 12.0


def test_threads_log_the_same_batch_once(client, run):
    batch = [Metric("loss", i / 3, 1000 + i, i) for i in range(500)]
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda _: client.log_batch(run, batch), range(WRITERS)))
    assert [m.step for m in client.get_metric_history(run, "loss")] == list(range(500))


def test_threads_start_runs_of_their_own(client, experiment):
    def whole_run(number):
        with mlflow.start_run(run_name=f"r{number}") as active:
            mlflow.log_params({"n": number})
            mlflow.log_metrics({"a": number, "b": -number}, step=1)
            mlflow.log_text(str(number), "n.txt")
        return active.info.run_id
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        ids = list(pool.map(whole_run, range(24)))
    runs = {r.info.run_id: r for r in client.search_runs([experiment])}
    assert set(runs) == set(ids)
    for number, id in enumerate(ids):
        assert runs[id].data.params == {"n": str(number)} and runs[id].data.metrics == {"a": number, "b": -number}
        assert mlflow.artifacts.load_text(f"runs:/{id}/n.txt") == str(number)


def test_the_same_experiment_is_made_once(client, name):
    def make(_):
        try:
            return client.create_experiment(name)
        except mlflow.MlflowException as refusal:
            assert refusal.error_code == "RESOURCE_ALREADY_EXISTS", refusal
            return None
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        made = [id for id in pool.map(make, range(WRITERS)) if id]
    assert made == [client.get_experiment_by_name(name).experiment_id]


def test_versions_made_at_once_are_numbered_without_gaps(client, name):
    client.create_registered_model(name)
    run = client.create_run("0").info.run_id
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        made = list(pool.map(lambda _: client.create_model_version(name, f"runs:/{run}/m", run), range(20)))
    assert sorted(int(v.version) for v in made) == list(range(1, 21))


def test_a_param_said_differently_at_once_has_one_value(client, run):
    def say(value):
        try:
            client.log_param(run, "p", value)
            return str(value)
        except mlflow.MlflowException as refusal:
            assert refusal.error_code == "INVALID_PARAMETER_VALUE", refusal
            return None
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        said = [value for value in pool.map(say, range(WRITERS)) if value]
    assert said == [client.get_run(run).data.params["p"]]


PROCESS = """
import sys, mlflow
run, rank = sys.argv[1], int(sys.argv[2])
with mlflow.start_run(run_id=run):
    for step in range(20):
        mlflow.log_metrics({"loss": step + rank / 10, f"loss/{rank}": float(step)}, step=step * 10 + rank)
    mlflow.log_text(str(rank), f"rank/{rank}.txt")
"""


def test_processes_write_into_one_run(client, experiment):
    """As the ranks of a distributed training do."""
    run = client.create_run(experiment).info.run_id
    ranks = [subprocess.Popen([sys.executable, "-c", PROCESS, run, str(rank)], env=os.environ) for rank in range(3)]
    assert [rank.wait(120) for rank in ranks] == [0, 0, 0]
    assert len(client.get_metric_history(run, "loss")) == 60
    assert client.get_run(run).data.metrics["loss/2"] == 19.0
    assert [f.path for f in client.list_artifacts(run, "rank")] == [f"rank/{r}.txt" for r in range(3)]
