/* evaluation.c: sets, their tags and experiments, and the search for them; see evaluation.h. */
#include "traces/evaluation.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/ident.h"
#include "sql/traces.h"
#include "traces/evaluation_private.h"
#include "tracking/search.h"

#include <string.h>

#define DIGEST_LENGTH 8
#define TAGS_MAX 200
#define USER_TAG "mlflow.user"

static const struct field SET_FIELDS[] = {
    FIELD(UUID, struct evaluation_set, id),
    FIELD(UUID, struct evaluation_set, project_id),
    FIELD(STRING, struct evaluation_set, name),
    FIELD(STRING, struct evaluation_set, digest),
    FIELD(STRING, struct evaluation_set, schema, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct evaluation_set, created_by),
    FIELD(STRING, struct evaluation_set, updated_by),
    FIELD(TIME, struct evaluation_set, created_at),
    FIELD(TIME, struct evaluation_set, updated_at),
    FIELD(JSON, struct evaluation_set, tags),
    FIELD(JSON, struct evaluation_set, experiments),
    FIELD(INT, struct evaluation_set, records),
};
static SHAPE(SET_SHAPE, "EvaluationSet", struct evaluation_set, SET_FIELDS);

static enum err not_found(struct ctx *cx, const char *id) {
    return fail(cx, ERR_NOT_FOUND, "evaluation set \"%.100s\" does not exist", id);
}

/* Changes whenever the set does. */
const char *evaluation_digest(struct ctx *cx, const char *name) {
    char hex[SHA256_TEXT_SIZE];
    const char *text = arena_printf(cx->arena, "%s:%lld", name, (long long)clock_now_us());
    sha256_hex_of(text, strlen(text), hex);
    return arena_strndup(cx->arena, hex, DIGEST_LENGTH);
}

const char *evaluation_user(const struct ctx *cx, const json_t *tags) {
    const char *user = json_string_value(json_object_get(tags, USER_TAG));
    return user ? user : cx->who.name;
}

struct locked {
    const char *id, *schema;
};
static const struct field LOCKED_FIELDS[] = {FIELD(UUID, struct locked, id),
                                             FIELD(STRING, struct locked, schema)};
static SHAPE(LOCKED, "EvaluationSetLocked", struct locked, LOCKED_FIELDS);

enum err evaluation_set_lock(struct ctx *cx, const char *project_id, const char *id,
                             const char **ret_schema) {
    struct locked locked;
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_evaluation_set_lock, ARGS(cx->who.team_id, project_id, id), &LOCKED,
                   &locked, &found));
    if (!found)
        return not_found(cx, id);
    *ret_schema = locked.schema;
    return OK;
}

enum err evaluation_set_touch(struct ctx *cx, const char *id, const char *user, const char *digest,
                              const char *schema) {
    return db_exec(cx, &SQL_evaluation_set_touch, ARGS(cx->who.team_id, id, user, digest, schema),
                   NULL);
}

/* ---- sets */

static enum err load(struct ctx *cx, const char *project_id, const struct list *ids,
                     struct list *ret) {
    return db_many(cx, &SQL_evaluation_sets_load,
                   ARGS(cx->who.team_id, db_text_array(cx, ids->items, ids->count), project_id),
                   &SET_SHAPE, ret);
}

enum err evaluation_set_get(struct ctx *cx, const char *project_id, const char *id,
                            struct evaluation_set *ret) {
    struct list sets = {0};
    if (uuid_is_valid(id))
        TRY(load(cx, project_id, &(struct list){&id, 1}, &sets));
    if (sets.count == 0)
        return not_found(cx, id);
    *ret = *(const struct evaluation_set *)sets.items;
    return OK;
}

static enum err put_tags(struct ctx *cx, const char *id, json_t *tags) {
    size_t size = json_object_size(tags), count = 0;
    const char **keys = arena_new_array(cx->arena, const char *, size + 1);
    const char **values = arena_new_array(cx->arena, const char *, size + 1);
    const char *key;
    json_t *value;
    if ((tags && !json_is_object(tags)) || size > TAGS_MAX)
        return fail_field(cx, ERR_INVALID, "tags", "tags are an object of up to %d texts",
                          TAGS_MAX);
    json_object_foreach(tags, key, value) {
        keys[count] = key;
        values[count] = json_is_string(value) ? json_string_value(value) : db_json(cx, value);
        count += !json_is_null(value);
    }
    return count ? db_exec(cx, &SQL_evaluation_set_tags_put,
                           ARGS(cx->who.team_id, id, db_text_array(cx, keys, count),
                                db_text_array(cx, values, count)),
                           NULL)
                 : OK;
}

static enum err link_set(struct ctx *cx, const char *id, const struct list *experiments,
                         bool linked) {
    return db_exec(
        cx, linked ? &SQL_evaluation_set_link : &SQL_evaluation_set_unlink,
        ARGS(cx->who.team_id, id, db_text_array(cx, experiments->items, experiments->count)), NULL);
}

enum err evaluation_set_create(struct ctx *cx, const struct evaluation_set_create *options,
                               struct evaluation_set *ret) {
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(db_exec(cx, &SQL_evaluation_set_create,
                ARGS(id, cx->who.team_id, options->project_id, options->name,
                     evaluation_digest(cx, options->name), evaluation_user(cx, options->tags)),
                NULL));
    TRY(put_tags(cx, id, options->tags));
    TRY(link_set(cx, id, &options->experiments, true));
    return evaluation_set_get(cx, options->project_id, id, ret);
}

enum err evaluation_set_delete(struct ctx *cx, const char *project_id, const char *id) {
    int64_t rows = 0;
    if (uuid_is_valid(id))
        TRY(db_exec(cx, &SQL_evaluation_set_delete, ARGS(cx->who.team_id, project_id, id), &rows));
    return rows ? OK : not_found(cx, id);
}

enum err evaluation_set_put_tags(struct ctx *cx, const char *project_id, const char *id,
                                 json_t *tags) {
    const char *schema;
    TRY(evaluation_set_lock(cx, project_id, id, &schema));
    TRY(put_tags(cx, id, tags));
    return evaluation_set_touch(cx, id, evaluation_user(cx, tags), NULL, NULL);
}

enum err evaluation_set_delete_tag(struct ctx *cx, const char *project_id, const char *id,
                                   const char *key) {
    const char *schema;
    TRY(evaluation_set_lock(cx, project_id, id, &schema));
    return db_exec(cx, &SQL_evaluation_set_tag_delete, ARGS(cx->who.team_id, id, key), NULL);
}

enum err evaluation_set_link(struct ctx *cx, const char *project_id, const char *id,
                             const struct list *experiments, bool linked) {
    const char *schema;
    TRY(evaluation_set_lock(cx, project_id, id, &schema));
    TRY(link_set(cx, id, experiments, linked));
    return evaluation_set_touch(cx, id, cx->who.name, NULL, NULL);
}

/* ---- searching: scope $1 team, $2 project, $3 experiments or null */

static const struct search_source TAGS = {.from = "evaluation_set_tags g",
                                          .owner = "g.set_id",
                                          .key = "g.key",
                                          .where = "g.team_id = $1::uuid"};

static const struct search_field FIELDS[] = {
    {.name = "name",
     .type = SEARCH_TEXT,
     .sql = "s.name",
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS,
     .order = SEARCH_ORDER_MLFLOW,
     .not_null = true},
    {.name = "created_time",
     .type = SEARCH_TIME,
     .sql = "s.created_at",
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = SEARCH_ORDER_MLFLOW,
     .not_null = true},
    {.name = "last_update_time",
     .type = SEARCH_TIME,
     .sql = "s.updated_at",
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = SEARCH_ORDER_MLFLOW,
     .not_null = true},
    {.name = "created_by",
     .type = SEARCH_TEXT,
     .sql = "s.created_by",
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS},
    {.name = "last_updated_by",
     .type = SEARCH_TEXT,
     .sql = "s.updated_by",
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS},
    {.group = "tags",
     .type = SEARCH_TEXT,
     .sql = "g.value",
     .source = &TAGS,
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS},
};

static const struct search_entity SETS = {
    .name = "evaluation set",
    .from = "evaluation_sets s",
    .id = "s.id",
    .where = "s.team_id = $1::uuid and s.project_id = $2::uuid"
             " and ($3::uuid[] is null or exists (select from evaluation_set_experiments x"
             " where x.team_id = s.team_id and x.set_id = s.id"
             " and x.experiment_id = any ($3::uuid[])))",
    .fields = FIELDS,
    .field_count = sizeof(FIELDS) / sizeof(FIELDS[0]),
    .order = "created_time DESC",
};

enum err evaluation_set_search(struct ctx *cx, const struct evaluation_search *s, struct list *ret,
                               const char **ret_next) {
    const char *experiments =
        s->experiments ? db_text_array(cx, s->experiments->items, s->experiments->count) : NULL;
    struct search_page page;
    TRY(search_page(cx, &SETS,
                    &(struct search){.dialect = SEARCH_MLFLOW,
                                     .filter = s->filter,
                                     .order_by = s->order_by,
                                     .order_count = s->order_count,
                                     .scope = ARGS(s->project_id, experiments),
                                     .scope_count = 2,
                                     .limit = s->limit,
                                     .token = s->token},
                    &page));
    *ret_next = page.next;
    return load(cx, s->project_id, &page.ids, ret);
}
