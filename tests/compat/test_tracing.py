"""Traces: what @mlflow.trace sends comes back whole, is found, judged, linked to runs and deleted."""

import gzip
import time

import mlflow
import pytest
from mlflow.entities import AssessmentSource, SpanType
from mlflow.entities.trace_status import TraceStatus
from mlflow.exceptions import MlflowException

pytestmark = pytest.mark.traces


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")


@mlflow.trace(span_type=SpanType.RETRIEVER)
def look_up(question):
    return [f"page about {question}"]


@mlflow.trace(span_type=SpanType.AGENT, attributes={"depth": 2})
def answer(question, fail=False):
    pages = look_up(question)
    with mlflow.start_span("model", span_type=SpanType.LLM) as span:
        span.set_inputs({"pages": pages, "quote": 'a "b" \u4f60\u597d\U0001f600'})
        span.set_attribute("temperature", 0.25)
        span.add_event(mlflow.entities.SpanEvent("token", attributes={"n": 1}))
        if fail:
            raise ValueError("no answer")
        span.set_outputs({"text": "because"})
    return "because"


def asked(question="why", **words):
    answer(question, **words)
    return mlflow.get_last_active_trace_id()


def found(experiment, filter_string=None, **words):
    return [t.info.trace_id for t in mlflow.search_traces(
        locations=[experiment], filter_string=filter_string, return_type="list", **words)]


# ---- telling and reading ----

def test_nested_spans_come_back_whole(experiment):
    trace = mlflow.get_trace(asked())
    root, looked_up, model = sorted(trace.data.spans, key=lambda s: s.start_time_ns)
    assert (root.name, looked_up.name, model.name) == ("answer", "look_up", "model")
    assert (root.parent_id, looked_up.parent_id, model.parent_id) == (None, root.span_id, root.span_id)
    assert (root.span_type, model.span_type) == (SpanType.AGENT, SpanType.LLM)
    assert root.inputs == {"question": "why", "fail": False} and root.outputs == "because"
    assert model.inputs == {"pages": ["page about why"], "quote": 'a "b" \u4f60\u597d\U0001f600'}
    assert model.get_attribute("temperature") == 0.25
    assert [(e.name, e.attributes) for e in model.events] == [("token", {"n": 1})]
    assert root.start_time_ns <= model.start_time_ns < model.end_time_ns <= root.end_time_ns
    assert trace.info.state == "OK" and trace.info.experiment_id == experiment
    assert trace.info.execution_duration is not None
    assert "why" in trace.info.request_preview and "because" in trace.info.response_preview


def test_an_error_is_told(experiment):
    with pytest.raises(ValueError):
        asked(fail=True)
    trace = mlflow.get_trace(mlflow.get_last_active_trace_id())
    assert trace.info.state == "ERROR"
    model = next(s for s in trace.data.spans if s.name == "model")
    assert model.status.status_code == "ERROR" and "no answer" in model.status.description
    assert [e.name for e in model.events] == ["token", "exception"]


def test_a_trace_that_is_not_there(experiment, client):
    with pytest.raises(MlflowException) as refused:
        client.get_trace("tr-" + "0" * 32)
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"


# ---- searching ----

def test_traces_are_found(experiment):
    first = asked("first")
    mlflow.set_trace_tag(first, "stage", "live")
    middle = int(time.time() * 1000)
    time.sleep(0.01)
    with pytest.raises(ValueError):
        asked("second", fail=True)
    second = mlflow.get_last_active_trace_id()
    assert found(experiment) == [second, first]
    assert found(experiment, order_by=["timestamp_ms ASC"]) == [first, second]
    assert found(experiment, "tag.stage = 'live'") == [first]
    assert found(experiment, "tags.stage LIKE 'li%'") == [first]
    assert found(experiment, "trace.status = 'ERROR'") == [second]
    assert found(experiment, "status = 'OK' AND name = 'answer'") == [first]
    assert found(experiment, f"timestamp_ms > {middle}") == [second]
    assert found(experiment, "execution_time_ms >= 0 AND name LIKE 'ans%'") == [second, first]
    assert found(experiment, f"request_id = '{first}'") == [first]
    assert found(experiment, "span.type = 'RETRIEVER' AND span.name = 'look_up'") == [second, first]
    assert found(experiment, "span.content LIKE '%page about first%'") == [first]
    assert found(experiment, "name = 'other'") == []
    with pytest.raises(MlflowException):
        found(experiment, "nonsense ~ 1")


def test_spans_are_found_by_what_they_hold(experiment):
    calm = asked("calm")
    with pytest.raises(ValueError):
        asked("broken", fail=True)
    broken = mlflow.get_last_active_trace_id()
    assert found(experiment, "span.attributes.temperature = '0.25'") == [broken, calm]
    assert found(experiment, "span.attributes.depth LIKE '%2%'") == [broken, calm]
    assert found(experiment, "span.attributes.depth = '3'") == []
    assert found(experiment, "span.status = 'ERROR'") == [broken]
    assert found(experiment, "span.type = 'LLM' AND span.status = 'ERROR'") == [broken]
    assert found(experiment, "span.type = 'RETRIEVER' AND span.status = 'ERROR'") == []
    assert found(experiment, "span.name IN ('model', 'other') AND span.type RLIKE '^L'") == [broken, calm]
    assert found(experiment, "text LIKE '%page about calm%'") == [calm]


def test_judgements_compare_as_numbers(experiment):
    low, high = asked("low"), asked("high")
    for trace, score in ((low, 0.5), (high, 10)):
        mlflow.log_feedback(trace_id=trace, name="score", value=score)
    assert found(experiment, "feedback.score > 0.75") == [high]
    assert found(experiment, "feedback.score <= 0.5") == [low]


def test_prompts_are_linked_to_the_traces_that_used_them(experiment, client):
    name = f"greet-{experiment}"
    mlflow.genai.register_prompt(name=name, template="Hello {{name}}")
    prompt = mlflow.genai.load_prompt(f"prompts:/{name}/1")
    linked, other = asked("linked"), asked("other")
    client.link_prompt_versions_to_trace(prompt_versions=[prompt], trace_id=linked)
    assert found(experiment, f"prompt = '{name}/1'") == [linked]
    assert found(experiment, f"prompt = '{name}/2'") == []
    assert name in mlflow.get_trace(linked).info.tags["mlflow.linkedPrompts"]


def test_filters_that_go_together(experiment):
    tracing = mlflow.tracing.client.TracingClient()
    for question in "abc":
        asked(question)
    with pytest.raises(ValueError):
        asked("d", fail=True)
    result = tracing.calculate_trace_filter_correlation(
        [experiment], "span.type = 'LLM'", "span.status = 'ERROR'")
    assert (result.total_count, result.filter1_count, result.filter2_count, result.joint_count) == (4, 4, 1, 1)
    assert result.npmi == 0
    both = tracing.calculate_trace_filter_correlation(
        [experiment], "status = 'ERROR'", "span.status = 'ERROR'", base_filter="name = 'answer'")
    assert both.npmi == 1 and 0 < both.npmi_smoothed < 1


def test_pages(experiment, client):
    made = [asked(str(i)) for i in range(3)][::-1]
    page = client.search_traces(locations=[experiment], max_results=2, include_spans=False)
    rest = client.search_traces(locations=[experiment], max_results=2, page_token=page.token,
                                include_spans=False)
    assert [t.info.trace_id for t in [*page, *rest]] == made and not rest.token


# ---- tags, assessments ----

def test_tags_are_set_and_deleted(experiment, client):
    trace = asked()
    client.set_trace_tag(trace, "a.b c", "x")
    client.set_trace_tag(trace, "a.b c", "y")
    assert mlflow.get_trace(trace).info.tags["a.b c"] == "y"
    client.delete_trace_tag(trace, "a.b c")
    assert "a.b c" not in mlflow.get_trace(trace).info.tags
    with pytest.raises(MlflowException):
        client.delete_trace_tag(trace, "a.b c")


def test_feedback_and_expectations(experiment):
    trace = asked()
    human = AssessmentSource("HUMAN", "ada@example.test")
    judged = mlflow.log_feedback(trace_id=trace, name="good", value=True, rationale="it is", source=human)
    wanted = mlflow.log_expectation(trace_id=trace, name="answer", value={"text": "because"}, source=human)
    assessments = {a.name: a for a in mlflow.get_trace(trace).info.assessments}
    assert assessments["good"].value is True and assessments["good"].rationale == "it is"
    assert assessments["answer"].value == {"text": "because"}
    assert mlflow.get_assessment(trace, judged.assessment_id).source == human
    assert found(experiment, "feedback.good = 'true'") == [trace]
    assert found(experiment, "feedback.good = 'false'") == []
    better = mlflow.override_feedback(trace_id=trace, assessment_id=judged.assessment_id, value=False, source=human)
    assert mlflow.get_assessment(trace, judged.assessment_id).valid is False
    mlflow.delete_assessment(trace_id=trace, assessment_id=better.assessment_id)
    assert mlflow.get_assessment(trace, judged.assessment_id).valid is True
    mlflow.update_assessment(trace, wanted.assessment_id, mlflow.entities.Expectation("answer", "why not"))
    assert mlflow.get_assessment(trace, wanted.assessment_id).value == "why not"
    mlflow.delete_assessment(trace_id=trace, assessment_id=wanted.assessment_id)
    with pytest.raises(MlflowException):
        mlflow.get_assessment(trace, wanted.assessment_id)


# ---- runs, deletion ----

def test_a_trace_within_a_run_belongs_to_it(experiment, client):
    outside = asked()
    with mlflow.start_run() as run:
        inside = asked()
    assert found(experiment, f"run_id = '{run.info.run_id}'") == [inside]
    assert [t.info.trace_id for t in mlflow.search_traces(run_id=run.info.run_id, return_type="list")] == [inside]
    client.link_traces_to_run([outside], run.info.run_id)
    assert set(found(experiment, f"run_id = '{run.info.run_id}'")) == {inside, outside}
    with pytest.raises(MlflowException):
        client.link_traces_to_run([outside], "0" * 32)


def test_traces_are_deleted(experiment, client):
    made = [asked(str(i)) for i in range(3)]
    assert client.delete_traces(experiment, trace_ids=[made[0]]) == 1
    assert found(experiment) == [made[2], made[1]]
    assert client.delete_traces(experiment, max_timestamp_millis=int(time.time() * 1000), max_traces=1) == 1
    assert found(experiment) == [made[2]]
    assert client.delete_traces(experiment, max_timestamp_millis=int(time.time() * 1000)) == 1
    assert found(experiment) == []


def test_older_clients(experiment):
    store = mlflow.tracking._tracking_service.utils._get_store()
    begun = store.deprecated_start_trace_v2(experiment, 1000, {"a": "b"}, {"c": "d"})
    ended = store.deprecated_end_trace_v2(begun.request_id, 1500, TraceStatus.OK, {"e": "f"}, {})
    assert (ended.execution_time_ms, ended.tags["c"], ended.request_metadata) == (500, "d", {"a": "b", "e": "f"})


# ---- the wire ----

def otlp(api, experiment, body, **headers):
    return api.send("POST", "/v1/traces", data=body, headers={
        "Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": experiment, **headers})


def test_any_exporter_of_opentelemetry_may_send_spans(experiment, api):
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = bytes(range(16)), bytes(range(8)), "plain"
    span.start_time_unix_nano, span.end_time_unix_nano = 10**18, 10**18 + 5_000_000
    value = span.attributes.add(key="list").value.array_value.values
    value.add().int_value, value.add().bool_value = -3, True
    value.add().kvlist_value.values.add(key="deep").value.bytes_value = b"\x00\xff"
    body = request.SerializeToString()
    for reply in (otlp(api, experiment, body),
                  otlp(api, experiment, gzip.compress(body), **{"Content-Encoding": "gzip"})):
        assert reply.status_code == 200 and reply.content == b""
    trace = mlflow.get_trace("tr-" + bytes(range(16)).hex())
    assert [s.name for s in trace.data.spans] == ["plain"]
    assert trace.data.spans[0].get_attribute("list")[:2] == [-3, True]
    assert (trace.info.state, trace.info.execution_duration) == ("OK", 5)
    assert found(experiment, "name = 'plain'") == [trace.info.trace_id]
    assert otlp(api, experiment, body[:-1]).status_code == 400
    assert otlp(api, experiment, body, **{"Content-Encoding": "gzip"}).status_code == 400
    assert otlp(api, "987654", body).status_code == 404
    assert otlp(api, experiment, body, **{"Content-Type": "text/plain"}).status_code == 400


def test_what_is_not_there_says_so(api):
    for path in ("traces/metrics", "scorers/list", "gateway/endpoints/list"):
        assert api.send("POST", f"/api/3.0/mlflow/{path}", json={}).json()["error_code"] == "ENDPOINT_NOT_FOUND"
