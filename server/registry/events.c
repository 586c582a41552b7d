/* events.c: what webhooks are told of the registry: MLflow's events, with MLflow's payloads.
 *
 * A prompt is a model with a tag, but has events of its own, which leave out the tags that make it
 * one. Nothing is gathered for a team without webhooks. */
#include "registry/internal.h"

#include "base/ident.h"
#include "webhooks/webhooks.h"

#include <inttypes.h>
#include <strings.h>

#define PROMPT_TYPE_TAG "_mlflow_prompt_type"
#define PROMPT_TEXT_TAG "mlflow.prompt.text"

bool tags_are_of_prompt(const json_t *tags) {
    const char *value = json_string_value(json_object_get(tags, PROMPT_TAG));
    return value && strcasecmp(value, "true") == 0;
}

/* A new reference: those that people gave. */
static json_t *shown_tags(json_t *tags) {
    json_t *shown = tags ? json_copy(tags) : json_object();
    if (!tags_are_of_prompt(tags))
        return shown;
    json_object_del(shown, PROMPT_TAG);
    json_object_del(shown, PROMPT_TYPE_TAG);
    json_object_del(shown, PROMPT_TEXT_TAG);
    return shown;
}

static const char *number(struct ctx *cx, int64_t version) {
    return arena_printf(cx->arena, "%" PRId64, version);
}

enum err event_model_created(struct ctx *cx, const struct model_create *model) {
    bool wanted;
    TRY(webhooks_wanted(cx, &wanted));
    if (!wanted)
        return OK;
    const char *description = model->description ? model->description : "";
    return webhook_emit(cx, model->project_id,
                        tags_are_of_prompt(model->tags) ? "prompt.created"
                                                        : "registered_model.created",
                        json_pack("{s:s, s:o, s:s}", "name", model->name, "tags",
                                  shown_tags(model->tags), "description", description));
}

static json_t *version_data(struct ctx *cx, const struct model *model,
                            const struct model_version_create *options, int64_t version) {
    const char *description = options->description;
    return json_pack("{s:s, s:s, s:o, s:s?}", "name", model->name, "version", number(cx, version),
                     "tags", shown_tags(options->tags), "description",
                     description && *description ? description : NULL);
}

enum err event_version_created(struct ctx *cx, const struct model *model,
                               const struct model_version_create *options, const char *run_id,
                               int64_t version) {
    char run[33];
    bool wanted;
    TRY(webhooks_wanted(cx, &wanted));
    if (!wanted)
        return OK;
    json_t *data = version_data(cx, model, options, version);
    if (tags_are_of_prompt(options->tags)) {
        json_t *text = json_object_get(options->tags, PROMPT_TEXT_TAG);
        json_object_set(data, "template", text ? text : json_null());
        return webhook_emit(cx, model->project_id, "prompt_version.created", data);
    }
    if (run_id)
        uuid_to_hex(run_id, run);
    json_object_set_new(data, "source", json_string(options->source));
    json_object_set_new(data, "run_id", run_id ? json_string(run) : json_null());
    return webhook_emit(cx, model->project_id, "model_version.created", data);
}

enum err event_model_tag(struct ctx *cx, const char *model_id, const char *key, const char *value) {
    struct model model;
    bool wanted;
    TRY(webhooks_wanted(cx, &wanted));
    if (!wanted)
        return OK;
    TRY(model_get(cx, model_id, &model));
    if (!tags_are_of_prompt(model.tags))
        return OK;
    json_t *data = json_pack("{s:s, s:s}", "name", model.name, "key", key);
    if (value)
        json_object_set_new(data, "value", json_string(value));
    return webhook_emit(cx, model.project_id, value ? "prompt_tag.set" : "prompt_tag.deleted",
                        data);
}

enum err event_version_tag(struct ctx *cx, const char *version_id, const char *key,
                           const char *value) {
    static const char *const NAMES[2][2] = {
        {"model_version_tag.deleted", "model_version_tag.set"},
        {"prompt_version_tag.deleted", "prompt_version_tag.set"}};
    struct model_version version;
    struct model model;
    bool wanted;
    TRY(webhooks_wanted(cx, &wanted));
    if (!wanted)
        return OK;
    TRY(model_version_get(cx, version_id, &version));
    TRY(model_get(cx, version.model_id, &model));
    json_t *data = json_pack("{s:s, s:s, s:s}", "name", model.name, "version",
                             number(cx, version.version), "key", key);
    if (value)
        json_object_set_new(data, "value", json_string(value));
    return webhook_emit(cx, model.project_id, NAMES[tags_are_of_prompt(model.tags)][value != NULL],
                        data);
}

enum err event_alias(struct ctx *cx, const struct model *model, const char *alias,
                     int64_t version) {
    static const char *const NAMES[2][2] = {
        {"model_version_alias.deleted", "model_version_alias.created"},
        {"prompt_alias.deleted", "prompt_alias.created"}};
    bool wanted;
    TRY(webhooks_wanted(cx, &wanted));
    if (!wanted)
        return OK;
    json_t *data = json_pack("{s:s, s:s}", "name", model->name, "alias", alias);
    if (version)
        json_object_set_new(data, "version", json_string(number(cx, version)));
    return webhook_emit(cx, model->project_id, NAMES[tags_are_of_prompt(model->tags)][version != 0],
                        data);
}
