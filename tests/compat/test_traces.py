"""Traces of GenAI programs: logged, found, tagged, judged, linked to a run, deleted."""

import mlflow
import pytest
from mlflow.entities import AssessmentSource, SpanType
from mlflow.entities.trace_state import TraceState


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")


@mlflow.trace(span_type=SpanType.LLM, attributes={"model": "größe"})
def answer(question):
    return f"{question} 42"


@mlflow.trace(name="chain")
def chain(question):
    return answer(question)


def ask(question, **tags):
    """One trace of two spans; its id."""
    chain(question)
    id = mlflow.get_last_active_trace_id()
    mlflow.flush_trace_async_logging()
    for key, value in tags.items():
        mlflow.set_trace_tag(id, key, value)
    return id


def test_a_trace_comes_back_whole(experiment):
    trace = mlflow.get_trace(ask("why? ü"))
    assert trace.info.experiment_id == experiment and trace.info.state == TraceState.OK
    assert [s.name for s in trace.data.spans] == ["chain", "answer"]
    root, inner = trace.data.spans
    assert inner.parent_id == root.span_id and inner.span_type == "LLM"
    assert (inner.inputs, inner.outputs) == ({"question": "why? ü"}, "why? ü 42")
    assert inner.get_attribute("model") == "größe"
    assert root.start_time_ns <= inner.start_time_ns <= inner.end_time_ns <= root.end_time_ns
    assert "why? ü" in trace.info.request_preview and trace.info.execution_duration >= 0


def test_a_failing_program_leaves_a_failed_trace(experiment):
    @mlflow.trace
    def fails():
        raise ValueError("broken")
    with pytest.raises(ValueError):
        fails()
    mlflow.flush_trace_async_logging()
    trace = mlflow.get_trace(mlflow.get_last_active_trace_id())
    assert trace.info.state == TraceState.ERROR
    assert "broken" in str(trace.data.spans[0].events[0].attributes)


def test_traces_are_found(experiment):
    first, second = ask("one", colour="red"), ask("two", colour="blue")

    def find(filter=None, **words):
        found = mlflow.search_traces(locations=[experiment], filter_string=filter, return_type="list", **words)
        return [t.info.trace_id for t in found]
    assert find() == [second, first] and find(order_by=["timestamp_ms ASC"]) == [first, second]
    assert find("tags.colour = 'red'") == [first] and find("tag.colour != 'red'") == [second]
    assert find("attributes.status = 'OK'") == [second, first] and find("status = 'ERROR'") == []
    assert find("timestamp_ms > 0 AND tags.colour LIKE 'b%'") == [second]
    assert find("attributes.name = 'chain'") == [second, first]
    assert find(max_results=1) == [second]


def test_tags_come_and_go(experiment):
    id = ask("why?", colour="red")
    assert mlflow.get_trace(id).info.tags["colour"] == "red"
    mlflow.delete_trace_tag(id, "colour")
    assert "colour" not in mlflow.get_trace(id).info.tags


def test_a_trace_knows_its_run(client, experiment):
    with mlflow.start_run() as run:
        id = ask("in a run")
    other = ask("alone")
    found = mlflow.search_traces(locations=[experiment], run_id=run.info.run_id, return_type="list")
    assert [t.info.trace_id for t in found] == [id]
    client.link_traces_to_run([other], run.info.run_id)
    found = mlflow.search_traces(locations=[experiment], run_id=run.info.run_id, return_type="list")
    assert {t.info.trace_id for t in found} == {id, other}


def test_judgements_are_kept(experiment):
    id = ask("why?")
    person = AssessmentSource(source_type="HUMAN", source_id="ada")
    made = mlflow.log_feedback(trace_id=id, name="right", value=True, source=person, rationale="größe")
    mlflow.log_expectation(trace_id=id, name="wanted", value={"a": [1]}, source=person)
    got = {a.name: a for a in mlflow.get_trace(id).info.assessments}
    assert (got["right"].feedback.value, got["right"].rationale) == (True, "größe")
    assert got["wanted"].expectation.value == {"a": [1]}
    assert mlflow.get_assessment(id, made.assessment_id).name == "right"
    mlflow.delete_assessment(id, made.assessment_id)
    assert [a.name for a in mlflow.get_trace(id).info.assessments] == ["wanted"]


def test_traces_can_be_deleted(client, experiment):
    first, second = ask("one"), ask("two")
    assert client.delete_traces(experiment, trace_ids=[first]) == 1
    left = mlflow.search_traces(locations=[experiment], return_type="list")
    assert [t.info.trace_id for t in left] == [second]
