/* registry_search.c: which words a search of models and of versions may use, in both dialects.
 *
 * Prompts ride on the registry as models with a tag. They are hidden from every search unless its
 * filter speaks of that tag; there it is "true" of prompts and "false" of all else, although models
 * do not have it: clients ask for models by "is not true". */
#include "registry/internal.h"

#include "tracking/search.h"

#include <string.h>

#define ORDERED (SEARCH_ORDER | SEARCH_ORDER_MLFLOW)

#define IS_PROMPT(tags, owner, id)                                                                 \
    "exists (select from " tags " p where p.team_id = $1::uuid and p." owner " = " id              \
    " and p.key = '" PROMPT_TAG "' and lower(p.value) = 'true')"
#define MODEL_IS_PROMPT IS_PROMPT("model_tags", "model_id", "m.id")
#define VERSION_IS_PROMPT IS_PROMPT("model_version_tags", "version_id", "v.id")
#define PROMPT_FIELD(is_prompt)                                                                    \
    {                                                                                              \
        .group = "tags", .name = PROMPT_TAG, .type = SEARCH_TEXT, .sql = "(" is_prompt ")::text",  \
        .ops = SEARCH_TEXT_OPS, .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS                               \
    }

static const struct search_source MODEL_TAGS = {
    .from = "model_tags t", .owner = "t.model_id", .key = "t.key", .where = "t.team_id = $1::uuid"};

static const struct search_field MODEL_SEARCH_FIELDS[] = {
    {.name = "name",
     .type = SEARCH_TEXT,
     .sql = "m.name",
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS,
     .order = ORDERED},
    {.name = "description", .type = SEARCH_TEXT, .sql = "m.description", .ops = SEARCH_TEXT_OPS},
    {.name = "created_at",
     .aliases = "creation_timestamp",
     .type = SEARCH_TIME,
     .sql = "m.created_at",
     .ops = SEARCH_NUMBER_OPS,
     .order = ORDERED},
    {.name = "updated_at",
     .aliases = "last_updated_timestamp|timestamp",
     .type = SEARCH_TIME,
     .sql = "m.updated_at",
     .ops = SEARCH_NUMBER_OPS,
     .order = ORDERED},
    PROMPT_FIELD(MODEL_IS_PROMPT),
    {.group = "tags",
     .type = SEARCH_TEXT,
     .sql = "t.value",
     .source = &MODEL_TAGS,
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS,
     .order = SEARCH_ORDER},
};

static const struct search_entity MODEL_ENTITY = {
    .name = "model",
    .from = "models m",
    .id = "m.id",
    .where = "m.team_id = $1::uuid and m.project_id = $2::uuid"
             " and ($3::boolean or not " MODEL_IS_PROMPT ")",
    .fields = MODEL_SEARCH_FIELDS,
    .field_count = sizeof(MODEL_SEARCH_FIELDS) / sizeof(MODEL_SEARCH_FIELDS[0]),
    .order = "created_at DESC",
    .mlflow_order = "name",
    .newest_first = true,
};

static const struct search_source VERSION_TAGS = {.from = "model_version_tags t",
                                                  .owner = "t.version_id",
                                                  .key = "t.key",
                                                  .where = "t.team_id = $1::uuid"};

static const struct search_field VERSION_SEARCH_FIELDS[] = {
    {.name = "name",
     .type = SEARCH_TEXT,
     .sql = "m.name",
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS,
     .order = ORDERED},
    {.name = "version",
     .aliases = "version_number",
     .type = SEARCH_NUMBER,
     .sql = "v.version",
     .ops = SEARCH_NUMBER_OPS,
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = ORDERED},
    {.name = "run_id", .type = SEARCH_ID, .sql = "v.run_id", .ops = SEARCH_SAME_OPS},
    {.name = "run_id", /* in MLflow's dialect also another server's */
     .type = SEARCH_TEXT,
     .sql = "coalesce(replace(v.run_id::text, '-', ''), nullif(v.run_ref, ''))",
     .mlflow_ops = SEARCH_EQ | SEARCH_NE | SEARCH_IN},
    {.name = "logged_model_id",
     .type = SEARCH_ID,
     .sql = "v.logged_model_id",
     .ops = SEARCH_SAME_OPS},
    {.name = "source",
     .aliases = "source_path",
     .type = SEARCH_TEXT,
     .sql = "v.source",
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS},
    {.name = "stage",
     .aliases = "current_stage",
     .type = SEARCH_TEXT,
     .sql = "v.stage",
     .ops = SEARCH_TEXT_OPS,
     .order = SEARCH_ORDER},
    {.name = "description", .type = SEARCH_TEXT, .sql = "v.description", .ops = SEARCH_TEXT_OPS},
    {.name = "created_at",
     .aliases = "creation_timestamp",
     .type = SEARCH_TIME,
     .sql = "v.created_at",
     .ops = SEARCH_NUMBER_OPS,
     .order = ORDERED},
    {.name = "updated_at",
     .aliases = "last_updated_timestamp",
     .type = SEARCH_TIME,
     .sql = "v.updated_at",
     .ops = SEARCH_NUMBER_OPS,
     .order = ORDERED},
    PROMPT_FIELD(VERSION_IS_PROMPT),
    {.group = "tags",
     .type = SEARCH_TEXT,
     .sql = "t.value",
     .source = &VERSION_TAGS,
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS,
     .order = SEARCH_ORDER},
};

static const struct search_entity VERSION_ENTITY = {
    .name = "model version",
    .from = "model_versions v join models m on m.team_id = v.team_id and m.id = v.model_id",
    .id = "v.id",
    .where = "v.team_id = $1::uuid and m.project_id = $2::uuid and v.deleted_at is null"
             " and ($3::boolean or not " VERSION_IS_PROMPT ")",
    .fields = VERSION_SEARCH_FIELDS,
    .field_count = sizeof(VERSION_SEARCH_FIELDS) / sizeof(VERSION_SEARCH_FIELDS[0]),
    .order = "created_at DESC",
    .mlflow_order = "last_updated_timestamp DESC",
    .mlflow_tie = "name ASC, version_number DESC",
    .newest_first = true,
};

/* The ids of one page as rows that the loading statements take. */
static enum err search_ids(struct ctx *cx, const struct search_entity *entity,
                           const struct registry_search *search, struct list *ret,
                           const char **ret_next) {
    struct search_page page;
    bool prompts = search->filter && strstr(search->filter, PROMPT_TAG);
    TRY(search_page(cx, entity,
                    &(struct search){.dialect = search->mlflow ? SEARCH_MLFLOW : SEARCH_NATIVE,
                                     .filter = search->filter,
                                     .order_by = search->order_by,
                                     .order_count = search->order_count,
                                     .scope = ARGS(search->project_id, db_bool(prompts)),
                                     .scope_count = 2,
                                     .limit = search->limit,
                                     .token = search->token},
                    &page));
    const char *const *ids = page.ids.items;
    struct id_row *rows = arena_new_array(cx->arena, struct id_row, page.ids.count + 1);
    for (size_t i = 0; i < page.ids.count; i++)
        rows[i].id = ids[i];
    *ret = (struct list){rows, page.ids.count};
    *ret_next = page.next;
    return OK;
}

enum err model_search(struct ctx *cx, const struct registry_search *search, struct list *ret,
                      const char **ret_next) {
    struct list ids;
    TRY(search_ids(cx, &MODEL_ENTITY, search, &ids, ret_next));
    return model_load(cx, ids, ret);
}

enum err model_version_search(struct ctx *cx, const struct registry_search *search,
                              struct list *ret, const char **ret_next) {
    struct list ids;
    TRY(search_ids(cx, &VERSION_ENTITY, search, &ids, ret_next));
    return model_version_load(cx, ids, false, ret);
}
