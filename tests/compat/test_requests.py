"""Every request that the client of requirements.txt makes, feature by feature: requests.txt is what
these calls are known to send. A new client that sends something else fails here first and by name;
`COMPAT_RECORD=FILE run.py …` then writes the list anew."""

import os
import pathlib
import threading

import matplotlib.pyplot
import mlflow
import numpy
import pandas
import pytest
from sklearn.linear_model import LogisticRegression

KNOWN = pathlib.Path(__file__).with_name("requests.txt")


def known_requests():
    rows = {}
    for line in KNOWN.read_text().splitlines():
        if line.startswith("["):
            rows[name := line.strip("[]")] = []
        elif line and not line.startswith("#"):
            rows[name].append(line)
    return rows


class Row:
    """One row: `before` is done unseen and leaves what `act` needs."""

    def __init__(self, act, before=lambda name: None):
        self.act, self.before = act, before


def in_run(act):
    """The acting takes place in a run that is already there."""
    def before(name):
        mlflow.set_experiment(name)
        return mlflow.start_run()
    return Row(lambda name, run: act(), before)


def wait_for_the_clients_threads():
    for thread in threading.enumerate():
        if thread.name.startswith("link_prompt"):
            thread.join()


def figure():
    drawn, axes = matplotlib.pyplot.subplots()
    axes.plot([1, 2])
    matplotlib.pyplot.close(drawn)
    return drawn


def log_image():
    mlflow.log_image(numpy.zeros((4, 4, 3), dtype=numpy.uint8), key="dogs", step=3)
    mlflow.flush_artifact_async_logging()


def digits():
    x = numpy.arange(40.0).reshape(20, 2)
    return x, (x[:, 0] > 19).astype(int)


def fit():
    return LogisticRegression().fit(*digits())


def start_and_end(name, _):
    mlflow.start_run()
    mlflow.end_run()


def autolog(name, _):
    mlflow.sklearn.autolog(log_datasets=True)
    try:
        with mlflow.start_run():
            fit()
    finally:
        mlflow.sklearn.autolog(disable=True)


def registered(name):
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(fit(), name="model", registered_model_name=name)
    mlflow.MlflowClient().set_registered_model_alias(name, "champion", 1)
    return info


def with_experiment(before):
    def both(name):
        mlflow.set_experiment(name)
        return before(name)
    return both


def log_files(name, run):
    path = pathlib.Path(mlflow.artifacts.tempfile.mkdtemp()) / "notes.txt"
    path.write_text("notes")
    mlflow.log_artifact(str(path))


def three_artifacts(name):
    with mlflow.start_run() as run:
        mlflow.log_text("a", "a.txt")
        mlflow.log_text("b", "folder/b.txt")
    return run.info.run_id


def stages(name, _):
    client = mlflow.MlflowClient()
    client.transition_model_version_stage(name, 1, "Staging")
    client.get_latest_versions(name, ["Staging"])
    client.get_registered_model(name)


def aliases(name, _):
    client = mlflow.MlflowClient()
    client.set_registered_model_alias(name, "other", 1)
    client.get_model_version_by_alias(name, "other")
    client.delete_registered_model_alias(name, "other")


def webhooks(name, _):
    client = mlflow.MlflowClient()
    id = client.create_webhook("ci", "https://hooks.example.com/", ["prompt.created"]).webhook_id
    client.get_webhook(id)
    client.list_webhooks(max_results=10)
    client.update_webhook(id, url="https://nobody.invalid/", status="DISABLED")
    client.test_webhook(id, "prompt.created")
    client.delete_webhook(id)


def register_prompt(name):
    prompt = mlflow.genai.register_prompt(name.replace(" ", "-"), "Say {{word}}")
    wait_for_the_clients_threads()
    return prompt


def searches(name, _):
    mlflow.search_runs(experiment_names=[name])
    mlflow.search_experiments(filter_string=f"name = '{name}'")
    mlflow.search_registered_models(filter_string=f"name = '{name}'")
    mlflow.search_model_versions(filter_string=f"name = '{name}'")
    mlflow.search_logged_models(filter_string=f"name = '{name}'")


def a_trace(name, _):
    with mlflow.start_span("work") as span:
        span.set_inputs({"q": 1})
    mlflow.flush_trace_async_logging()


def one_trace(name):
    a_trace(name, None)


ROWS = {
    "set_experiment": Row(lambda name, _: mlflow.set_experiment(name)),
    "start_run and end_run": Row(start_and_end, with_experiment(lambda name: None)),
    "log_param": in_run(lambda: mlflow.log_param("depth", 3)),
    "log_params": in_run(lambda: mlflow.log_params({"depth": 3, "rate": 0.1})),
    "log_metric": in_run(lambda: mlflow.log_metric("loss", float("nan"), step=1)),
    "log_metrics": in_run(lambda: mlflow.log_metrics({"loss": 1.0, "accuracy": 0.5}, step=1)),
    "set_tag": in_run(lambda: mlflow.set_tag("colour", "red")),
    "set_tags": in_run(lambda: mlflow.set_tags({"colour": "red", "size": "L"})),
    "delete_tag": Row(lambda name, _: mlflow.delete_tag("colour"),
                      with_experiment(lambda name: (mlflow.start_run(), mlflow.set_tag("colour", "red")))),
    "log_text": in_run(lambda: mlflow.log_text("words", "notes/words.txt")),
    "log_dict": in_run(lambda: mlflow.log_dict({"a": 1}, "a.json")),
    "log_figure": in_run(lambda: mlflow.log_figure(figure(), "figure.png")),
    "log_artifact": Row(log_files, with_experiment(lambda name: mlflow.start_run())),
    "log_image with a key and a step": in_run(log_image),
    "log_table": in_run(lambda: mlflow.log_table({"q": ["a"], "a": ["b"]}, "answers.json")),
    "log_input": in_run(lambda: mlflow.log_input(
        mlflow.data.from_pandas(pandas.DataFrame({"a": [1]}), name="rows"), context="training")),
    "sklearn.autolog": Row(autolog, with_experiment(lambda name: None)),
    "log_model with a registered name": Row(lambda name, _: registered(name), with_experiment(lambda name: None)),
    "aliases": Row(aliases, with_experiment(registered)),
    "stages": Row(stages, with_experiment(registered)),
    "load_model by alias": Row(lambda name, _: mlflow.sklearn.load_model(f"models:/{name}@champion"),
                               with_experiment(registered)),
    "load_model by model id": Row(lambda name, info: mlflow.pyfunc.load_model(info.model_uri),
                                  with_experiment(registered)),
    "searches": Row(searches, with_experiment(lambda name: None)),
    "get_metric_history": Row(
        lambda name, run: mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss"),
        with_experiment(lambda name: mlflow.start_run())),
    "list_artifacts": Row(lambda name, run: mlflow.MlflowClient().list_artifacts(run),
                          with_experiment(three_artifacts)),
    "download_artifacts": Row(lambda name, run: mlflow.artifacts.download_artifacts(run_id=run),
                              with_experiment(three_artifacts)),
    "webhooks": Row(webhooks),
    "register_prompt": Row(lambda name, _: register_prompt(name), with_experiment(lambda name: None)),
    "load_prompt": Row(lambda name, prompt: mlflow.genai.load_prompt(prompt.name, version=1),
                       with_experiment(register_prompt)),
    "trace": Row(a_trace, with_experiment(lambda name: None)),
    "search_traces": Row(lambda name, _: mlflow.search_traces(), with_experiment(one_trace)),
}
# Part of these is sent by threads of the client's own: the order means nothing.
UNORDERED = {"log_image with a key and a step", "sklearn.autolog", "register_prompt", "load_prompt"}


@pytest.mark.parametrize("row", ROWS)
def test_the_client_sends_what_is_known(row, recorder, monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")
    name = "requests " + row[:30].replace("_", " ") + " " + os.environ["COMPAT_RUN"]
    try:
        made = ROWS[row].before(name)
        recorder.seen.clear()
        ROWS[row].act(name, made)
        wait_for_the_clients_threads()
        sent = recorder.lines()
    finally:
        while mlflow.active_run():
            mlflow.end_run()
    if record := os.environ.get("COMPAT_RECORD"):
        with open(record, "a") as file:
            file.write("\n".join([f"[{row}]", *sent, "", ""]))
        return
    known = known_requests()[row]
    if row in UNORDERED:
        sent, known = sorted(sent), sorted(known)
    assert sent == known
