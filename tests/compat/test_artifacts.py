"""Files of runs: everything the client can write and how it comes back."""

import hashlib
import json
import os
import time

import matplotlib.pyplot
import mlflow
import numpy
import pandas
import pytest
from conftest import SLOWEST_REFUSAL

NAMES = ["plain.txt", "with space.txt", "100% sure.txt", "a+b&c=d.txt", "größe 模型.txt", "quote'.txt",
         "deep/er/est.txt", "trailing dot..txt", "~tilde!.bin", "MLmodel"]


def paths(client, run, path=None):
    return [(f.path, f.is_dir, None if f.is_dir else f.file_size or 0) for f in client.list_artifacts(run, path)]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_may_be_called(client, run, tmp_path, name):
    content = os.urandom(1000)
    path = tmp_path / os.path.basename(name)
    path.write_bytes(content)
    folder = os.path.dirname(name) or None
    client.log_artifact(run, str(path), folder)
    assert paths(client, run, folder) == [(name, False, 1000)]
    got = client.download_artifacts(run, name)
    with open(got, "rb") as file:
        assert file.read() == content


def test_text_and_dictionaries(client, run):
    mlflow.log_text("größe\n", "notes/a.txt")
    mlflow.log_text("", "empty.txt")
    mlflow.log_dict({"a": [1, "ü"]}, "d.json")
    mlflow.log_dict({"a": [1]}, "d.yaml")
    root = client.get_run(run).info.artifact_uri
    assert mlflow.artifacts.load_text(root + "/notes/a.txt") == "größe\n"
    assert mlflow.artifacts.load_text(root + "/empty.txt") == ""
    assert mlflow.artifacts.load_dict(root + "/d.json") == {"a": [1, "ü"]}
    assert paths(client, run) == [("d.json", False, 36), ("d.yaml", False, 7), ("empty.txt", False, 0),
                                  ("notes", True, None)]


def test_a_tree_comes_back_whole(client, run, tmp_path):
    for name in ("a.txt", "b/c.txt", "b/d e/f.bin", "b/d e/g%.bin"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    client.log_artifacts(run, str(tmp_path / "tree"), "kept")
    assert paths(client, run, "kept/b") == [("kept/b/c.txt", False, 7), ("kept/b/d e", True, None)]
    back = mlflow.artifacts.download_artifacts(run_id=run, artifact_path="kept", dst_path=str(tmp_path / "back"))
    found = {os.path.relpath(os.path.join(d, f), back): open(os.path.join(d, f)).read()
             for d, _, files in os.walk(back) for f in files}
    assert found == {n: n for n in ("a.txt", "b/c.txt", "b/d e/f.bin", "b/d e/g%.bin")}


def test_a_file_written_twice_is_the_second(client, run):
    mlflow.log_text("first, and longer", "a.txt")
    mlflow.log_text("second", "a.txt")
    assert mlflow.artifacts.load_text(f"runs:/{run}/a.txt") == "second"
    assert paths(client, run) == [("a.txt", False, 6)]


def test_images_of_a_step(client, run):
    picture = numpy.random.default_rng(1).integers(0, 255, (20, 30, 3), dtype=numpy.uint8)
    mlflow.log_image(picture, "one.png")
    mlflow.log_image(picture, key="dogs/big", step=3, timestamp=1234567890123, synchronous=True)
    back = mlflow.artifacts.load_image(client.get_run(run).info.artifact_uri + "/one.png")
    assert (numpy.asarray(back) == picture).all()
    names = [p for p, _, _ in paths(client, run, "images")]
    assert len(names) == 2 and all(n.startswith("images/dogs~big+step+3+timestamp+1234567890123+") for n in names)
    assert client.get_run(run).data.tags["mlflow.loggedImages"] == "True"


def test_a_figure(client, run):
    figure, axes = matplotlib.pyplot.subplots()
    axes.plot([1, 2, 3])
    mlflow.log_figure(figure, "plots/figure.png")
    matplotlib.pyplot.close(figure)
    picture = mlflow.artifacts.load_image(client.get_run(run).info.artifact_uri + "/plots/figure.png")
    assert picture.size[0] > 100


def test_a_table_grows(client, run):
    mlflow.log_table({"question": ["a?", "b?"], "answer": ["ü", None]}, "answers.json")
    mlflow.log_table(pandas.DataFrame({"question": ["c?"], "answer": ["d"]}), "answers.json")
    table = mlflow.load_table("answers.json", run_ids=[run])
    assert list(table["question"]) == ["a?", "b?", "c?"]
    assert json.loads(client.get_run(run).data.tags["mlflow.loggedArtifacts"]) == [
        {"path": "answers.json", "type": "table"}]


def test_a_large_file_streams_both_ways(client, run, tmp_path):
    path = tmp_path / "big.bin"
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        for _ in range(40):
            file.write(block)
    client.log_artifact(run, str(path))
    back = client.download_artifacts(run, "big.bin")
    with open(back, "rb") as file:
        assert hashlib.file_digest(file, "sha256").digest() == hashlib.sha256(block * 40).digest()


def test_a_folder_that_is_not_there_is_empty(client, run):
    assert client.list_artifacts(run, "no/such/folder") == []


def artifacts_of(run_info):
    return "/api/2.0/mlflow-artifacts/artifacts" + run_info.artifact_uri.removeprefix("mlflow-artifacts:")


def test_files_say_what_they_are(client, api, run):
    mlflow.log_text("<script>alert(1)</script>", "page.html")
    mlflow.log_text("a: 1", "MLmodel")
    root = artifacts_of(client.get_run(run).info)
    page = api.send("GET", root + "/page.html")
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert api.send("GET", root + "/MLmodel").headers["Content-Type"].startswith("text/plain")


def test_the_older_addresses_give_the_same_bytes(client, api, run):
    mlflow.log_text("words", "a b/c.txt")
    reply = api.send("GET", "/get-artifact", params={"run_id": run, "path": "a b/c.txt"})
    assert (reply.status_code, reply.text) == (200, "words")
    listed = api.get("artifacts/list", run_id=run).json()
    assert listed["files"] == [{"path": "a b", "is_dir": True}]
    assert listed["root_uri"] == client.get_run(run).info.artifact_uri


def test_files_can_be_deleted(client, api, run):
    mlflow.log_text("words", "a/b.txt")
    mlflow.log_text("words", "a/c.txt")
    root = artifacts_of(client.get_run(run).info)
    assert api.send("DELETE", root + "/a/b.txt").status_code == 200
    assert paths(client, run, "a") == [("a/c.txt", False, 5)]
    assert api.send("DELETE", root + "/a").status_code == 200
    assert paths(client, run) == []


CLIMBING = ["../../etc/passwd", "..%2f..%2fetc/passwd", "%252e%252e%252fetc%252fpasswd", "..%5c..%5cetc%5cpasswd",
            "%2fetc%2fpasswd", "a%00b", "..%c0%afetc"]


@pytest.mark.slipway
@pytest.mark.parametrize("path", CLIMBING)
def test_a_path_may_not_climb(client, api, run, path):
    root = artifacts_of(client.get_run(run).info)
    started = time.monotonic()
    for method in ("GET", "PUT", "DELETE"):
        # "requests" would tidy the path up; a prepared one is sent as it is.
        request = api.session.prepare_request(mlflow.utils.rest_utils.requests.Request(
            method, os.environ["MLFLOW_TRACKING_URI"] + root, data=b"x" if method == "PUT" else None))
        request.url += "/" + path
        reply = api.session.send(request, timeout=60)
        assert reply.status_code in (400, 404), (method, reply.status_code, reply.text)
        assert "root:" not in reply.text
    assert time.monotonic() - started < SLOWEST_REFUSAL


@pytest.mark.slipway
def test_a_missing_file_is_not_found_at_once(client, run):
    """MLflow's own server answers 500 or hangs its client in retries."""
    started = time.monotonic()
    with pytest.raises(mlflow.MlflowException):
        client.download_artifacts(run, "no/such/file.txt")
    assert time.monotonic() - started < SLOWEST_REFUSAL


@pytest.mark.slipway
def test_a_part_of_a_file_can_be_read(client, api, run):
    mlflow.log_text("0123456789", "digits.txt")
    path = artifacts_of(client.get_run(run).info) + "/digits.txt"
    reply = api.send("GET", path, headers={"Range": "bytes=3-5"})
    assert (reply.status_code, reply.text) == (206, "345")
    assert reply.headers["Content-Range"] == "bytes 3-5/10"
    whole = api.send("GET", path, headers={"Accept-Encoding": "identity"})
    assert whole.headers["Content-Length"] == "10"


def test_a_file_in_parts(client, run, tmp_path, monkeypatch):
    """Above 500 MB the client asks for an upload in parts; here above 10 MB already. Parts are sent to
    the addresses it was given with no word about a certificate: only `requests` itself knows one."""
    if certificate := os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH"):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate)
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(10 << 20))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(5 << 20))
    content = os.urandom(1 << 20) * 17 + b"end"
    (tmp_path / "parts.bin").write_bytes(content)
    client.log_artifact(run, str(tmp_path / "parts.bin"), "in/parts")
    assert paths(client, run, "in/parts") == [("in/parts/parts.bin", False, len(content))]
    with open(client.download_artifacts(run, "in/parts/parts.bin"), "rb") as file:
        assert file.read() == content
