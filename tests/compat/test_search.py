"""Every form of the filter language, on runs whose answers are known by heart.

    run   loss  acc   depth  model   colour  dataset
    r0    0.5   0.9   3      cnn     red     rows/train
    r1    0.25  NaN   5      CNN     blue    rows/test
    r2    0.125 0.7   5      mlp     -       -
    r3    -     -     -      -       red     other/train      FAILED
"""

import mlflow
import pytest
from conftest import unique
from mlflow.entities import DatasetInput, Dataset, InputTag, Metric, Param, RunTag, ViewType

ROWS = [
    {"metrics": {"loss": 0.5, "acc": 0.9}, "params": {"depth": "3", "model": "cnn"}, "tags": {"colour": "red"},
     "dataset": ("rows", "d1", "train")},
    {"metrics": {"loss": 0.25, "acc": float("nan")}, "params": {"depth": "5", "model": "CNN"},
     "tags": {"colour": "blue"}, "dataset": ("rows", "d1", "test")},
    {"metrics": {"loss": 0.125, "acc": 0.7, "val loss": 2, "a.b": -3e2}, "params": {"depth": "5", "model": "mlp"},
     "tags": {"a-b": "it's"}},
    {"tags": {"colour": "red", "grosse": "übergroß"}, "dataset": ("other", "d2", "train"), "status": "FAILED"},
]


@pytest.fixture(scope="module")
def runs():
    """The ids of r0 … r3; their experiment is runs.experiment."""
    client = mlflow.MlflowClient()
    experiment = client.create_experiment(unique("search"))
    ids = []
    for number, row in enumerate(ROWS):
        run = client.create_run(experiment, start_time=1000 * (number + 1), run_name=f"r{number} Zug",
                                tags={"mlflow.user": "ada" if number < 2 else "bob"}).info.run_id
        client.log_batch(run, metrics=[Metric(k, 99.0, 1, 0) for k in row.get("metrics", {})])
        client.log_batch(run, metrics=[Metric(k, v, 5, 1) for k, v in row.get("metrics", {}).items()],
                         params=[Param(k, v) for k, v in row.get("params", {}).items()],
                         tags=[RunTag(k, v) for k, v in row["tags"].items()])
        if "dataset" in row:
            name, digest, context = row["dataset"]
            client.log_inputs(run, [DatasetInput(Dataset(name, digest, "http", "{}"),
                                                 [InputTag("mlflow.data.context", context)])])
        client.set_terminated(run, row.get("status", "FINISHED"), end_time=1000 * (number + 1) + 500)
        ids.append(run)
    return Runs(ids, experiment)


class Runs(list):
    def __init__(self, ids, experiment):
        super().__init__(ids)
        self.experiment = experiment

    def find(self, filter="", order_by=None, view=ViewType.ACTIVE_ONLY):
        """The numbers of the runs found, in the order of the reply."""
        found = mlflow.MlflowClient().search_runs([self.experiment], filter, view, order_by=order_by)
        return [self.index(r.info.run_id) for r in found]


FILTERS = [
    ("", {0, 1, 2, 3}),
    # metrics: the latest value, and only runs that have one
    ("metrics.loss < 0.5", {1, 2}), ("metrics.loss <= 0.5", {0, 1, 2}), ("metrics.loss > 0.2", {0, 1}),
    ("metrics.loss >= .5", {0}), ("metrics.loss = 0.25", {1}), ("metrics.loss != 0.25", {0, 2}),
    ("metric.loss < 2.5e-1", {2}), ("metrics.`val loss` = 2", {2}),
    ('metrics."val loss" > 1', {2}), ("metrics.`a.b` < -299", {2}), ("metrics.`a.b` = -3e2", {2}),
    ("metrics.nothing > 0", set()), ("metrics.acc > 0", {0, 2}),
    # params are text
    ("params.depth = '5'", {1, 2}), ('params.depth != "5"', {0}), ("param.depth = '3'", {0}),
    ("parameters.depth = '3'", {0}), ("parameter.depth = '3'", {0}), ("params.model LIKE 'c%'", {0}),
    ("params.model ILIKE 'c%'", {0, 1}), ("params.model like 'c_n'", {0}), ("params.model ilike '%N%'", {0, 1}),
    ("params.depth IS NULL", {3}), ("params.depth IS NOT NULL", {0, 1, 2}), ("params.depth is not null", {0, 1, 2}),
    # tags
    ("tags.colour = 'red'", {0, 3}), ("tag.colour != 'red'", {1}), ("tags.`a-b` = \"it's\"", {2}),
    ('tags."a-b" LIKE "it%"', {2}), ("tags.`grosse` = 'übergroß'", {3}), ("tags.`grosse` ILIKE 'Über%'", {3}),
    ("tags.colour IS NULL", {2}), ("tags.colour IS NOT NULL", {0, 1, 3}), ("tags.mlflow.user = 'ada'", {0, 1}),
    # attributes, with and without the word
    ("attributes.status = 'FAILED'", {3}), ("status = 'FINISHED'", {0, 1, 2}), ("attribute.status != 'FINISHED'", {3}),
    ("attr.status LIKE 'FIN%'", {0, 1, 2}), ("run.status = 'FAILED'", {3}), ("run_name = 'r1 Zug'", {1}),
    ("attributes.run_name LIKE 'r% Zug'", {0, 1, 2, 3}), ("attributes.`Run name` = 'r2 Zug'", {2}),
    ("run_name ILIKE 'R3%'", {3}), ("run_name != 'r0 Zug'", {1, 2, 3}), ("user_id = 'nobody'", set()),
    ("start_time > 1000", {1, 2, 3}), ("attributes.start_time <= 2000", {0, 1}), ("end_time = 3500", {2}),
    ("attributes.end_time != 3500", {0, 1, 3}), ("created >= 4000", {3}),
    ("artifact_uri LIKE '%artifacts'", {0, 1, 2, 3}),
    # datasets
    ("datasets.name = 'rows'", {0, 1}), ("dataset.name != 'rows'", {3}), ("dataset.digest = 'd2'", {3}),
    ("dataset.context = 'train'", {0, 3}), ("dataset.name LIKE 'ro%'", {0, 1}), ("dataset.name ILIKE 'RO%'", {0, 1}),
    ("dataset.name IN ('rows', 'other')", {0, 1, 3}), ("dataset.context NOT IN ('test')", {0, 3}),
    # together
    ("metrics.loss < 1 AND params.depth = '5'", {1, 2}), ("metrics.loss < 1 and params.depth = '5' AND tags.colour = 'blue'", {1}),
    ("tags.colour = 'red' AND attributes.status = 'FINISHED' AND dataset.name = 'rows'", {0}),
    ("metrics.loss > 0.1 AND metrics.loss < 0.3", {1, 2}), ("params.model LIKE '%' AND params.depth LIKE '_'", {0, 1, 2}),
]


@pytest.mark.parametrize(("filter", "expected"), FILTERS, ids=[f for f, _ in FILTERS])
def test_runs_are_found(runs, filter, expected):
    assert set(runs.find(filter)) == expected


def test_runs_are_found_by_their_ids(runs):
    assert runs.find(f"attributes.run_id = '{runs[1]}'") == [1]
    assert set(runs.find(f"run_id IN ('{runs[1]}', '{runs[3]}')")) == {1, 3}
    assert set(runs.find(f"attributes.run_id NOT IN ('{runs[1]}','{runs[3]}')")) == {0, 2}
    assert set(runs.find(f"attributes.run_id != '{runs[1]}'")) == {0, 2, 3}
    assert runs.find(f"attributes.run_id LIKE '{runs[2][:20]}%'") == [2]


ORDERS = [
    (["metrics.loss"], [2, 1, 0, 3]), (["metrics.loss ASC"], [2, 1, 0, 3]), (["metrics.loss DESC"], [0, 1, 2, 3]),
    (["metrics.acc"], [2, 0, 1, 3]), (["metrics.acc DESC"], [0, 2, 1, 3]), (["metric.loss desc"], [0, 1, 2, 3]),
    (["params.depth", "metrics.loss DESC"], [0, 1, 2, 3]), (["params.depth DESC", "start_time ASC"], [1, 2, 0, 3]),
    (["tags.colour", "start_time DESC"], [1, 3, 0, 2]), (["tags.colour DESC", "attributes.start_time"], [0, 3, 1, 2]),
    (["start_time"], [0, 1, 2, 3]), (["attributes.start_time DESC"], [3, 2, 1, 0]), (["end_time DESC"], [3, 2, 1, 0]),
    (["attribute.run_name DESC"], [3, 2, 1, 0]), (["attributes.status", "start_time"], [3, 0, 1, 2]),
    (["metrics.`val loss`", "start_time"], [2, 0, 1, 3]), (None, [3, 2, 1, 0]), (["Created"], [0, 1, 2, 3]),
]


@pytest.mark.parametrize(("order", "expected"), ORDERS, ids=[str(o) for o, _ in ORDERS])
def test_runs_are_ordered(runs, order, expected):
    assert runs.find(order_by=order) == expected


REFUSED = [
    "metrics.loss < 1 OR metrics.loss > 2", "(metrics.loss < 1)", "NOT metrics.loss < 1", "metrics.loss << 1",
    "metrics.loss", "metrics.loss < 'a'", "params.depth > '3'", "params.depth = 3", "params.depth = 'a", "tags.colour",
    "nothing.x = 'y'", "attributes.nothing = 'y'", "metrics.loss < 1; SELECT 1", "start_time LIKE 'a'", "tags.colour IN ('red')", "'; DROP TABLE runs", "metrics.loss = ",
    "status > 'A'", "dataset.nothing = 'a'", "metrics.loss IS NULL",
]


@pytest.mark.parametrize("filter", REFUSED)
def test_what_is_no_filter_is_refused(runs, filter):
    with pytest.raises(mlflow.MlflowException) as refusal:
        runs.find(filter)
    assert refusal.value.error_code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"), refusal.value


# MLflow's own server answers a field said twice with 500, at which its client tries again for minutes.
@pytest.mark.parametrize("order", [pytest.param(["metrics.loss", "metrics.loss DESC"], marks=pytest.mark.slipway),
                                   ["nothing.x"], ["metrics.loss SIDEWAYS"], ["attributes.nothing"],
                                   ["dataset.name"]])
def test_what_is_no_order_is_refused(runs, order):
    with pytest.raises(mlflow.MlflowException) as refusal:
        runs.find(order_by=order)
    assert refusal.value.error_code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"), refusal.value


def test_pages_hold_every_run_once(client, name):
    experiment = client.create_experiment(name)
    made = [client.create_run(experiment, start_time=5).info.run_id for _ in range(11)]
    seen, token = [], None
    while True:
        page = client.search_runs([experiment], max_results=3, page_token=token, order_by=["metrics.none"])
        seen += [r.info.run_id for r in page]
        token = page.token
        if not token:
            break
        assert len(page) == 3
    assert seen == sorted(made)


def test_several_experiments_are_searched_at_once(client, name):
    experiments = [client.create_experiment(f"{name} {i}") for i in range(3)]
    runs = [client.create_run(e, start_time=i + 1).info.run_id for i, e in enumerate(experiments)]
    assert [r.info.run_id for r in client.search_runs(experiments, order_by=["start_time"])] == runs
    assert [r.info.run_id for r in client.search_runs(experiments[1:2])] == runs[1:2]


def test_a_found_run_is_whole(runs, client):
    found = client.search_runs([runs.experiment], "tags.colour = 'red' AND metrics.loss > 0")[0]
    assert found.to_dictionary() == client.get_run(runs[0]).to_dictionary()


def test_a_table_of_runs_has_a_column_for_everything(runs):
    table = mlflow.search_runs([runs.experiment], order_by=["start_time"])
    assert list(table["params.depth"])[:3] == ["3", "5", "5"]
    assert table["metrics.loss"][0] == 0.5 and table["tags.colour"][3] == "red"


def test_experiments_are_found(client):
    mark = unique("e").replace(" ", "_")
    ids = {letter: client.create_experiment(f"{mark}_{letter}", tags={"mark": mark, "letter": letter})
           for letter in ("a", "B", "c")}
    client.delete_experiment(ids["c"])

    def find(filter, view=ViewType.ACTIVE_ONLY, **words):
        found = client.search_experiments(view, filter_string=filter, **words)
        return [e.name.rpartition("_")[2] for e in found]

    assert find(f"tags.mark = '{mark}'") == ["B", "a"]
    assert find(f"name = '{mark}_a'") == ["a"] and find(f"attribute.name = '{mark}_a'") == ["a"]
    assert find(f"name LIKE '{mark}_b'") == [] and find(f"name ILIKE '{mark}_b'") == ["B"]
    assert find(f"name != '{mark}_a' AND tags.mark = '{mark}'") == ["B"]
    assert find(f"tags.mark = '{mark}'", ViewType.ALL) == ["c", "B", "a"]
    assert find(f"tags.mark = '{mark}'", ViewType.DELETED_ONLY) == ["c"]
    assert find(f"tags.mark = '{mark}' AND tags.letter != 'a'") == ["B"]
    assert find(f"tags.mark = '{mark}' AND creation_time > 0") == ["B", "a"]
    assert find(f"tags.mark = '{mark}' AND last_update_time < 0") == []
    assert find(f"tags.mark = '{mark}'", order_by=["name DESC"]) == ["a", "B"]
    assert find(f"tags.mark = '{mark}'", order_by=["experiment_id"]) == ["a", "B"]
    assert find(f"tags.mark = '{mark}'", order_by=["creation_time ASC"]) == ["a", "B"]
    page = client.search_experiments(filter_string=f"tags.mark = '{mark}'", max_results=1)
    assert len(page) == 1 and page.token
    rest = client.search_experiments(filter_string=f"tags.mark = '{mark}'", max_results=1, page_token=page.token)
    assert [e.experiment_id for e in rest] == [ids["a"]]
