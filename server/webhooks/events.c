/* What can be told: MLflow's events, and a sample of each, as people get it who try a hook. */
#include "webhooks/internal.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

const char *const WEBHOOK_EVENT_NAMES[] = {"registered_model.created",
                                           "model_version.created",
                                           "model_version_tag.set",
                                           "model_version_tag.deleted",
                                           "model_version_alias.created",
                                           "model_version_alias.deleted",
                                           "prompt.created",
                                           "prompt_version.created",
                                           "prompt_tag.set",
                                           "prompt_tag.deleted",
                                           "prompt_version_tag.set",
                                           "prompt_version_tag.deleted",
                                           "prompt_alias.created",
                                           "prompt_alias.deleted",
                                           "budget_policy.exceeded",
                                           NULL};

/* In the order of the names. Budgets are kept by nothing here: a hook may ask for them, as MLflow's
 * clients do, and is never told. */
static const char *const SAMPLES[] = {
    "{\"name\":\"example_model\",\"tags\":{\"example_key\":\"example_value\"},"
    "\"description\":\"An example registered model\"}",
    "{\"name\":\"example_model\",\"version\":\"1\",\"source\":\"models:/123\","
    "\"run_id\":\"abcd1234abcd5678\",\"tags\":{\"example_key\":\"example_value\"},"
    "\"description\":\"An example model version\"}",
    "{\"name\":\"example_model\",\"version\":\"1\",\"key\":\"example_key\","
    "\"value\":\"example_value\"}",
    "{\"name\":\"example_model\",\"version\":\"1\",\"key\":\"example_key\"}",
    "{\"name\":\"example_model\",\"alias\":\"example_alias\",\"version\":\"1\"}",
    "{\"name\":\"example_model\",\"alias\":\"example_alias\"}",
    "{\"name\":\"example_prompt\",\"tags\":{\"example_key\":\"example_value\"},"
    "\"description\":\"An example prompt\"}",
    "{\"name\":\"example_prompt\",\"version\":\"1\",\"template\":\"Hello {{name}}!\","
    "\"tags\":{\"example_key\":\"example_value\"},\"description\":\"An example prompt version\"}",
    "{\"name\":\"example_prompt\",\"key\":\"example_key\",\"value\":\"example_value\"}",
    "{\"name\":\"example_prompt\",\"key\":\"example_key\"}",
    "{\"name\":\"example_prompt\",\"version\":\"1\",\"key\":\"example_key\","
    "\"value\":\"example_value\"}",
    "{\"name\":\"example_prompt\",\"version\":\"1\",\"key\":\"example_key\"}",
    "{\"name\":\"example_prompt\",\"alias\":\"example_alias\",\"version\":\"1\"}",
    "{\"name\":\"example_prompt\",\"alias\":\"example_alias\"}",
    "{\"budget_policy_id\":\"bp-abc123\",\"budget_unit\":\"USD\",\"budget_amount\":100.0,"
    "\"current_spend\":105.5,\"duration_unit\":\"MONTHS\",\"duration_value\":1,"
    "\"target_scope\":\"ENDPOINT\",\"workspace\":\"default\",\"target_value\":\"ep-abc123\","
    "\"window_start\":1704067200000}",
};
_Static_assert(sizeof(SAMPLES) / sizeof(SAMPLES[0]) + 1 ==
                   sizeof(WEBHOOK_EVENT_NAMES) / sizeof(WEBHOOK_EVENT_NAMES[0]),
               "each event has a sample");

static size_t place_of(const char *event) {
    size_t i = 0;
    while (WEBHOOK_EVENT_NAMES[i] && strcmp(WEBHOOK_EVENT_NAMES[i], event) != 0)
        i++;
    return i;
}

bool webhook_event_exists(const char *event) {
    return WEBHOOK_EVENT_NAMES[place_of(event)] != NULL;
}

json_t *webhook_sample(const char *event) {
    json_t *sample = json_loads(SAMPLES[place_of(event)], 0, NULL);
    if (!sample)
        abort();
    return sample;
}

const char *webhook_body(struct ctx *cx, const char *event, json_t *data) {
    char at[TIME_TEXT_SIZE];
    size_t entity = strcspn(event, ".");
    time_to_string(clock_now_us(), at);
    auto_json *body = json_pack("{s:s%, s:s, s:s, s:o}", "entity", event, entity, "action",
                                event + entity + 1, "timestamp", at, "data", data);
    auto_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (!text)
        abort();
    return arena_strdup(cx->arena, text);
}
