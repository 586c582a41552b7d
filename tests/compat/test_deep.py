"""Training scripts of PyTorch (Lightning), Keras and TensorFlow with one line of autologging each."""

import keras
import lightning
import mlflow
import numpy
import pytest
import torch


@pytest.fixture(autouse=True)
def quiet():
    yield
    mlflow.pytorch.autolog(disable=True)
    mlflow.tensorflow.autolog(disable=True)


def rows(count=64):
    rng = numpy.random.default_rng(3)
    x = rng.normal(size=(count, 4)).astype("float32")
    return x, (x.sum(axis=1) > 0).astype("int64")


class Net(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch, _):
        loss = torch.nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss, on_epoch=True)
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


def test_lightning_logs_itself(client, experiment, tmp_path):
    mlflow.pytorch.autolog(checkpoint=False)
    x, y = rows()
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y)), 16)
    net = Net()
    with mlflow.start_run() as active:
        lightning.Trainer(max_epochs=3, accelerator="cpu", enable_progress_bar=False, enable_checkpointing=False,
                          logger=False, default_root_dir=tmp_path).fit(net, data)
    run = client.get_run(active.info.run_id)
    assert run.data.params["optimizer_name"] == "Adam" and run.data.params["epochs"] == "3"
    assert [m.step for m in client.get_metric_history(run.info.run_id, "train_loss_epoch")] == [0, 1, 2]
    models = mlflow.search_logged_models([experiment], output_format="list")
    assert len(models) == 1
    net.eval()
    loaded = mlflow.pytorch.load_model(models[0].model_uri)
    loaded.eval()
    with torch.no_grad():
        assert torch.equal(loaded(torch.tensor(x)), net(torch.tensor(x)))


def test_a_plain_torch_model_comes_back(run):
    x, _ = rows()
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh())
    info = mlflow.pytorch.log_model(net, name="net", input_example=x[:2])
    with torch.no_grad():
        expected = net(torch.tensor(x)).numpy()
    assert (mlflow.pyfunc.load_model(info.model_uri).predict(x) == expected).all()


def small_keras():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(2)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


def test_keras_logs_itself(client, experiment):
    mlflow.tensorflow.autolog()
    model = small_keras()
    with mlflow.start_run() as active:
        model.fit(*rows(), epochs=3, verbose=0, validation_split=0.25)
    run = client.get_run(active.info.run_id)
    assert run.data.params["epochs"] == "3" and run.data.params["opt_name"].lower() == "adam"
    for key in ("loss", "accuracy", "val_loss"):
        assert len(client.get_metric_history(run.info.run_id, key)) == 3, key
    assert "model_summary.txt" in [f.path for f in client.list_artifacts(run.info.run_id)]
    models = mlflow.search_logged_models([experiment], output_format="list")
    loaded = mlflow.tensorflow.load_model(models[0].model_uri)
    x, _ = rows()
    assert (loaded.predict(x, verbose=0) == model.predict(x, verbose=0)).all()


def test_a_keras_callback_logs(client, experiment):
    with mlflow.start_run() as active:
        small_keras().fit(*rows(), epochs=2, verbose=0, callbacks=[mlflow.keras.MlflowCallback()])
    assert len(client.get_metric_history(active.info.run_id, "loss")) == 2


def test_checkpoints_are_kept(client, experiment, tmp_path):
    mlflow.pytorch.autolog(checkpoint=True, checkpoint_monitor="train_loss", checkpoint_save_best_only=False,
                           checkpoint_save_weights_only=True, log_models=False)
    x, y = rows()
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y)), 16)
    with mlflow.start_run() as active:
        lightning.Trainer(max_epochs=2, accelerator="cpu", enable_progress_bar=False, logger=False,
                          default_root_dir=tmp_path).fit(Net(), data)
    assert client.list_artifacts(active.info.run_id, "checkpoints")
