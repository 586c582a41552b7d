/* The rules of traces; see traces.h. */
#include "traces/internal.h"

#include "base/ident.h"
#include "sql/traces.h"

#include <string.h>

const char *const TRACE_STATE_NAMES[] = {"unspecified", "ok", "error", "in_progress", NULL};

static const struct field TRACE_FIELDS[] = {
    FIELD(UUID, struct trace, id),
    FIELD(UUID, struct trace, project_id),
    FIELD(UUID, struct trace, experiment_id),
    FIELD(INT, struct trace, experiment_number),
    FIELD(STRING, struct trace, trace_id, .doc = "the client's own"),
    FIELD(STRING, struct trace, client_request_id, .flags = FIELD_NULLABLE),
    FIELD(ENUM, struct trace, state, .names = TRACE_STATE_NAMES),
    FIELD(TIME, struct trace, requested_at),
    FIELD(INT, struct trace, duration_ms, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct trace, request_preview, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct trace, response_preview, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct trace, tags, .typescript = "Record<string, string>"),
    FIELD(JSON, struct trace, metadata, .typescript = "Record<string, string>"),
    FIELD(JSON, struct trace, runs, .typescript = "string[]"),
    FIELD(JSON, struct trace, assessments, .typescript = "Record<string, unknown>[]",
          .doc = "feedback and expectations, as MLflow's clients tell them"),
    FIELD(INT, struct trace, span_count),
};
SHAPE(TRACE_SHAPE, "Trace", struct trace, TRACE_FIELDS);

const struct db_constraint TRACE_CONSTRAINTS[] = {
    {"traces_trace_id_form", ERR_INVALID, "trace_id",
     "a trace_id has 1 to 100 letters, digits and _ . : -"},
    {"traces_client_request_id_length", ERR_UNPROCESSABLE, "client_request_id",
     "a client_request_id has 250 characters at most"},
    {"trace_tags_key_length", ERR_UNPROCESSABLE, "tags",
     "a tag's name must have 1 to 250 characters"},
    {"trace_metadata_key_length", ERR_UNPROCESSABLE, "trace_metadata",
     "a name in the metadata must have 1 to 250 characters"},
    {"trace_prompts_name_length", ERR_INVALID, "prompt_versions",
     "a prompt's name has 1 to 256 characters"},
    {"trace_prompts_version_length", ERR_INVALID, "prompt_versions",
     "a prompt's version has 1 to 20 characters"},
    {"trace_assessments_id_length", ERR_UNPROCESSABLE, "assessment_id",
     "an assessment_id has 50 characters at most"},
    {"trace_assessments_name_length", ERR_UNPROCESSABLE, "assessment_name",
     "an assessment's name must have 1 to 250 characters"},
    {"trace_assessments_body_length", ERR_UNPROCESSABLE, "assessment",
     "an assessment has 100000 characters at most"},
};
const size_t TRACE_CONSTRAINT_COUNT = sizeof(TRACE_CONSTRAINTS) / sizeof(TRACE_CONSTRAINTS[0]);

static void release_json(void *json) {
    json_decref(json);
}

json_t *trace_keep(struct ctx *cx, json_t *json) {
    arena_defer(cx->arena, release_json, json);
    return json;
}

/* --- telling --- */

struct texts {
    const char **keys, **values;
    size_t count;
};

static enum err texts_of(struct ctx *cx, json_t *object, const char *member, struct texts *ret) {
    size_t count = json_object_size(object);
    const char *key;
    json_t *value;
    *ret = (struct texts){.keys = arena_new_array(cx->arena, const char *, count + 1),
                          .values = arena_new_array(cx->arena, const char *, count + 1)};
    if ((object && !json_is_object(object)) || count > TRACE_TEXTS_MAX)
        return fail_field(cx, ERR_INVALID, member, "%s must be an object of at most %d texts",
                          member, TRACE_TEXTS_MAX);
    json_object_foreach(object, key, value) {
        if (!json_is_string(value))
            return fail_field(cx, ERR_INVALID, member, "%s must be an object of texts", member);
        ret->keys[ret->count] = key;
        ret->values[ret->count++] = json_string_value(value);
    }
    return OK;
}

static enum err put_texts(struct ctx *cx, const struct db_stmt *statement, const char *id,
                          const struct texts *texts) {
    if (texts->count == 0)
        return OK;
    return db_exec(cx, statement,
                   ARGS(cx->who.team_id, id, db_text_array(cx, texts->keys, texts->count),
                        db_text_array(cx, texts->values, texts->count),
                        db_int(cx, TRACE_VALUE_MAX)),
                   NULL);
}

enum err trace_put(struct ctx *cx, const struct trace_put *put, const char **ret_id) {
    struct texts tags, metadata;
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(texts_of(cx, put->tags, "tags", &tags));
    TRY(texts_of(cx, put->metadata, "trace_metadata", &metadata));
    TRY(db_value(cx, &SQL_trace_put,
                 ARGS(id, cx->who.team_id, put->project_id, put->experiment_id, put->trace_id,
                      put->client_request_id, TRACE_STATE_NAMES[put->state],
                      db_time(cx, put->requested_at), db_int(cx, put->duration_ms),
                      put->request_preview, put->response_preview, db_int(cx, TRACE_PREVIEW_MAX)),
                 ret_id));
    TRY(put_texts(cx, &SQL_trace_put_tags, *ret_id, &tags));
    return put_texts(cx, &SQL_trace_put_metadata, *ret_id, &metadata);
}

/* --- finding --- */

struct trace_name {
    const char *id, *trace_id;
};
static const struct field TRACE_NAME_FIELDS[] = {
    FIELD(UUID, struct trace_name, id),
    FIELD(STRING, struct trace_name, trace_id),
};
static SHAPE(TRACE_NAME, "TraceName", struct trace_name, TRACE_NAME_FIELDS);

enum err trace_find_ids(struct ctx *cx, const char *project_id, const struct list *trace_ids,
                        struct list *ret_ids) {
    const char *names = db_text_array(cx, trace_ids->items, trace_ids->count);
    struct list rows;
    TRY(db_many(cx, &SQL_trace_ids, ARGS(cx->who.team_id, project_id, names), &TRACE_NAME, &rows));
    const struct trace_name *items = rows.items;
    const char **ids = arena_new_array(cx->arena, const char *, rows.count + 1);
    for (size_t i = 0; i < rows.count; i++)
        ids[i] = items[i].id;
    *ret_ids = (struct list){ids, rows.count};
    return OK;
}

enum err trace_require(struct ctx *cx, const char *project_id, const char *trace_id,
                       const char **ret_id) {
    struct list ids;
    TRY(trace_find_ids(cx, project_id, &(struct list){&trace_id, 1}, &ids));
    if (ids.count == 0)
        return fail(cx, ERR_NOT_FOUND, "Trace with ID '%.100s' not found.", trace_id);
    *ret_id = ((const char *const *)ids.items)[0];
    return OK;
}

enum err traces_load_cut(struct ctx *cx, const struct list *ids, int64_t preview_max,
                         struct list *ret) {
    return db_many(
        cx, &SQL_traces_load,
        ARGS(cx->who.team_id, db_text_array(cx, ids->items, ids->count), db_int(cx, preview_max)),
        &TRACE_SHAPE, ret);
}

enum err traces_load(struct ctx *cx, const struct list *ids, struct list *ret) {
    return traces_load_cut(cx, ids, TRACE_PREVIEW_MAX, ret);
}

/* --- changing --- */

enum err trace_set_tag(struct ctx *cx, const char *id, const char *key, const char *value) {
    return put_texts(cx, &SQL_trace_put_tags, id, &(struct texts){&key, &value, 1});
}

enum err trace_delete_tag(struct ctx *cx, const char *id, const char *key, bool *ret_found) {
    int64_t rows;
    TRY(db_exec(cx, &SQL_trace_delete_tag, ARGS(cx->who.team_id, id, key), &rows));
    *ret_found = rows > 0;
    return OK;
}

enum err trace_change_tags(struct ctx *cx, const char *id, json_t *tags) {
    json_t *set = trace_keep(cx, json_object()), *value;
    struct texts texts;
    const char *key;
    bool found;
    if (!json_is_object(tags))
        return fail_field(cx, ERR_INVALID, "tags", "tags must be an object of texts and nulls");
    json_object_foreach(tags, key, value) {
        if (!json_is_null(value))
            json_object_set(set, key, value);
        else
            TRY(trace_delete_tag(cx, id, key, &found));
    }
    TRY(texts_of(cx, set, "tags", &texts));
    return put_texts(cx, &SQL_trace_put_tags, id, &texts);
}

enum err traces_link_run(struct ctx *cx, const struct list *ids, const char *run_id) {
    return db_exec(cx, &SQL_trace_link_runs,
                   ARGS(cx->who.team_id, db_text_array(cx, ids->items, ids->count), run_id), NULL);
}

enum err trace_link_prompts(struct ctx *cx, const char *id, const char *const *names,
                            const char *const *versions, size_t count) {
    return db_exec(cx, &SQL_trace_link_prompts,
                   ARGS(cx->who.team_id, id, db_text_array(cx, names, count),
                        db_text_array(cx, versions, count)),
                   NULL);
}

enum err traces_delete(struct ctx *cx, const struct trace_delete *o, int64_t *ret_count) {
    const struct list *ids = o->trace_ids;
    if (ids)
        return db_exec(cx, &SQL_traces_delete_ids,
                       ARGS(cx->who.team_id, o->project_id, o->experiment_id,
                            db_text_array(cx, ids->items, ids->count)),
                       ret_count);
    return db_exec(cx, &SQL_traces_delete_before,
                   ARGS(cx->who.team_id, o->project_id, o->experiment_id, db_time(cx, o->before_us),
                        db_int(cx, o->limit)),
                   ret_count);
}

enum err traces_remove(struct ctx *cx, const struct list *ids, int64_t *ret_count) {
    return db_exec(cx, &SQL_traces_remove,
                   ARGS(cx->who.team_id, db_text_array(cx, ids->items, ids->count)), ret_count);
}
