"""Webhooks through the client: made, listed, changed, tried and deleted. What is sent, and when, is
shown by tests/webhooks, against a receiver that checks signatures."""

import os

import mlflow
import pytest
from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent, WebhookStatus

CREATED = WebhookEvent(WebhookEntity.MODEL_VERSION, WebhookAction.CREATED)
EVERY_EVENT = [
    "registered_model.created", "model_version.created", "model_version_tag.set",
    "model_version_tag.deleted", "model_version_alias.created", "model_version_alias.deleted",
    "prompt.created", "prompt_version.created", "prompt_tag.set", "prompt_tag.deleted",
    "prompt_version_tag.set", "prompt_version_tag.deleted", "prompt_alias.created",
    "prompt_alias.deleted", "budget_policy.exceeded"]


@pytest.fixture
def webhook(client):
    """No name server is asked for this address when it is written down."""
    made = client.create_webhook(name="ci.hook_1", url="https://hooks.example.com/in?a=b",
                                 events=EVERY_EVENT, description="Tells CI", secret="between us")
    yield made
    try:
        client.delete_webhook(made.webhook_id)
    except mlflow.MlflowException:
        pass


def test_a_webhook_is_what_was_asked_for(client, webhook):
    for seen in (webhook, client.get_webhook(webhook.webhook_id)):
        assert (seen.name, seen.url, seen.description) == (
            "ci.hook_1", "https://hooks.example.com/in?a=b", "Tells CI")
        assert [str(e) for e in seen.events] == EVERY_EVENT
        assert seen.status == WebhookStatus.ACTIVE and seen.secret is None
        assert seen.creation_timestamp > 1_700_000_000_000 and seen.last_updated_timestamp


def test_webhooks_are_listed_page_by_page(client, webhook):
    others = [client.create_webhook(name=f"other-{i}", url="https://hooks.example.com/", events=[CREATED])
              for i in range(4)]
    try:
        seen, token = [], None
        while True:
            page = client.list_webhooks(max_results=2, page_token=token)
            assert len(page) <= 2
            seen += [w.webhook_id for w in page]
            token = page.token
            if not token:
                break
        assert len(seen) == len(set(seen))
        assert {webhook.webhook_id, *(w.webhook_id for w in others)} <= set(seen)
    finally:
        for other in others:
            client.delete_webhook(other.webhook_id)


def test_a_part_is_changed_and_the_rest_stays(client, webhook):
    changed = client.update_webhook(webhook.webhook_id, status="DISABLED")
    assert changed.status == WebhookStatus.DISABLED and changed.name == "ci.hook_1"
    changed = client.update_webhook(webhook.webhook_id, name="renamed", events=[CREATED], secret="new",
                                    url="https://hooks.example.com/new", status=WebhookStatus.ACTIVE)
    assert (changed.name, changed.url) == ("renamed", "https://hooks.example.com/new")
    assert changed.events == [CREATED] and changed.description == "Tells CI"
    assert changed.last_updated_timestamp >= webhook.last_updated_timestamp


def test_a_deleted_webhook_is_gone(client, webhook):
    client.delete_webhook(webhook.webhook_id)
    for call in (client.get_webhook, client.delete_webhook, client.test_webhook):
        with pytest.raises(mlflow.MlflowException,
                           match=f"Webhook with ID {webhook.webhook_id} not found") as refusal:
            call(webhook.webhook_id)
        assert refusal.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_trying_says_why_it_failed(client, webhook):
    """Nobody has this name."""
    client.update_webhook(webhook.webhook_id, url="https://nobody.invalid/")
    for event in (None, "prompt_tag.set", CREATED):
        result = client.test_webhook(webhook.webhook_id, event)
        assert result.success is False and result.response_status is None
        assert "Failed to test webhook" in result.error_message


@pytest.mark.slipway
def test_trying_reaches_no_private_address(client, webhook):
    client.update_webhook(webhook.webhook_id, url="https://localhost:8443/")
    assert "private network" in client.test_webhook(webhook.webhook_id).error_message


@pytest.mark.parametrize("name, url, sentence", [
    ("ci", "ftp://example.com/", "Invalid webhook URL scheme"),
    ("ci", "   ", "Webhook URL cannot be empty or just whitespace"),
    ("ci", "https://127.0.0.1/", ""),
    ("ci", "https://169.254.169.254/latest/meta-data", ""),
    ("no blanks", "https://hooks.example.com/", "Webhook name 'no blanks' is invalid"),
    ("-dash", "https://hooks.example.com/", "It must start and end with a letter or digit"),
    ("x" * 64, "https://hooks.example.com/", "is invalid")])
def test_what_cannot_be_is_refused(client, webhook, name, url, sentence):
    with pytest.raises(mlflow.MlflowException, match=sentence) as refusal:
        client.create_webhook(name=name, url=url, events=[CREATED])
    assert refusal.value.error_code == "INVALID_PARAMETER_VALUE"
    with pytest.raises(mlflow.MlflowException, match=sentence):
        client.update_webhook(webhook.webhook_id, name=name, url=url)


@pytest.mark.slipway
def test_webhooks_are_the_projects_own(client, webhook):
    annex = f"{os.environ['MLFLOW_TRACKING_URI']}/p/annex"
    other = mlflow.MlflowClient(tracking_uri=annex, registry_uri=annex)
    assert webhook.webhook_id not in [w.webhook_id for w in other.list_webhooks()]
    with pytest.raises(mlflow.MlflowException, match="not found"):
        other.get_webhook(webhook.webhook_id)
