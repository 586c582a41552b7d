/* logged_model_search.c: what can be asked of logged models. Scope: $1 team, $2 project, $3
 * experiments or null, $4 and $5 names and digests of data sets or null: then metrics are those on
 * these data sets, and a model without any is not found. A digest that is null stands for all. */
#include "tracking/logged_models.h"
#include "tracking/search.h"

#define ON_DATASETS(row)                                                                           \
    "($4::text[] is null or exists (select from unnest($4::text[], $5::text[]) as d (name, "       \
    "digest)"                                                                                      \
    " where d.name = " row ".dataset_name"                                                         \
    " and (d.digest is null or d.digest = " row ".dataset_digest)))"

static const struct search_source PARAMS = {.from = "logged_model_params p",
                                            .owner = "p.model_id",
                                            .key = "p.key",
                                            .where = "p.team_id = $1::uuid"};
static const struct search_source TAGS = {.from = "logged_model_tags t",
                                          .owner = "t.model_id",
                                          .key = "t.key",
                                          .where = "t.team_id = $1::uuid"};
/* The latest value of each key. */
static const struct search_source METRICS = {
    .from = "logged_model_metrics v",
    .owner = "v.model_id",
    .key = "v.key",
    .where = "v.team_id = $1::uuid and " ON_DATASETS("v") //
    " and not exists (select from logged_model_metrics n"
    " where n.team_id = v.team_id and n.model_id = v.model_id and n.key = v.key"
    " and (n.at, n.step, n.run_id, n.dataset_name, n.dataset_digest)"
    " > (v.at, v.step, v.run_id, v.dataset_name, v.dataset_digest) and " ON_DATASETS("n") ")"};

#define BOTH (SEARCH_ORDER | SEARCH_ORDER_MLFLOW)
#define WIRE_ID(column) "'m-' || replace(" column "::text, '-', '')"

static const struct search_field LOGGED_MODEL_FIELDS[] = {
    {.name = "id", .type = SEARCH_ID, .sql = "m.id", .ops = SEARCH_SAME_OPS, .not_null = true},
    {.name = "model_id",
     .type = SEARCH_TEXT,
     .sql = WIRE_ID("m.id"),
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_LIST_OPS,
     .order = BOTH,
     .not_null = true},
    {.name = "name",
     .type = SEARCH_TEXT,
     .sql = "m.name",
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_LIST_OPS,
     .order = BOTH,
     .not_null = true},
    {.name = "model_type",
     .type = SEARCH_TEXT,
     .sql = "m.model_type",
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_LIST_OPS,
     .order = BOTH,
     .not_null = true},
    {.name = "status",
     .type = SEARCH_TEXT,
     .sql = "m.status",
     .ops = SEARCH_TEXT_OPS,
     .order = SEARCH_ORDER,
     .not_null = true},
    {.name = "status",
     .type = SEARCH_TEXT,
     .sql = "case m.status when 'failed' then 'UPLOAD_FAILED' else upper(m.status) end",
     .mlflow_ops = SEARCH_MLFLOW_LIST_OPS,
     .order = SEARCH_ORDER_MLFLOW,
     .not_null = true},
    {.name = "source_run_id", .type = SEARCH_ID, .sql = "m.source_run_id", .ops = SEARCH_SAME_OPS},
    {.name = "source_run_id",
     .type = SEARCH_TEXT,
     .sql = "coalesce(replace(m.source_run_id::text, '-', ''), nullif(m.source_run_ref, ''))",
     .mlflow_ops = SEARCH_MLFLOW_LIST_OPS,
     .order = SEARCH_ORDER_MLFLOW},
    {.name = "creation_timestamp",
     .aliases = "creation_time|created_at",
     .type = SEARCH_TIME,
     .sql = "m.created_at",
     .ops = SEARCH_NUMBER_OPS,
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = BOTH,
     .not_null = true},
    {.name = "last_updated_timestamp",
     .aliases = "last_updated_time|updated_at",
     .type = SEARCH_TIME,
     .sql = "m.updated_at",
     .ops = SEARCH_NUMBER_OPS,
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = BOTH,
     .not_null = true},
    {.group = "metrics",
     .type = SEARCH_NUMBER,
     .sql = "v.value",
     .source = &METRICS,
     .ops = SEARCH_NUMBER_OPS,
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = BOTH},
    {.group = "params",
     .type = SEARCH_TEXT,
     .sql = "p.value",
     .source = &PARAMS,
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_LIST_OPS,
     .order = BOTH},
    {.group = "tags",
     .type = SEARCH_TEXT,
     .sql = "t.value",
     .source = &TAGS,
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_LIST_OPS,
     .order = BOTH},
};

static const struct search_entity LOGGED_MODELS = {
    .name = "logged model",
    .from = "logged_models m",
    .id = "m.id",
    .where = "m.team_id = $1::uuid and m.project_id = $2::uuid and m.archived_at is null"
             " and ($3::uuid[] is null or m.experiment_id = any ($3::uuid[]))"
             " and ($4::text[] is null or exists (select from logged_model_metrics o"
             " where o.team_id = m.team_id and o.model_id = m.id and " ON_DATASETS("o") "))",
    .fields = LOGGED_MODEL_FIELDS,
    .field_count = sizeof(LOGGED_MODEL_FIELDS) / sizeof(LOGGED_MODEL_FIELDS[0]),
    .order = "creation_timestamp DESC",
    .newest_first = true,
};

enum err logged_model_search(struct ctx *cx, const struct logged_model_search *s, struct list *ret,
                             const char **ret_next) {
    const char *ids =
        s->experiment_ids ? db_text_array(cx, s->experiment_ids, s->experiment_count) : NULL;
    const char *names =
        s->dataset_count ? db_text_array(cx, s->dataset_names, s->dataset_count) : NULL;
    const char *digests = names ? db_text_array(cx, s->dataset_digests, s->dataset_count) : NULL;
    struct search_page page;
    TRY(search_page(cx, &LOGGED_MODELS,
                    &(struct search){.dialect = s->mlflow ? SEARCH_MLFLOW : SEARCH_NATIVE,
                                     .filter = s->filter,
                                     .order_by = s->order_by,
                                     .order_count = s->order_count,
                                     .scope = ARGS(s->project_id, ids, names, digests),
                                     .scope_count = 4,
                                     .limit = s->limit,
                                     .token = s->token},
                    &page));
    *ret_next = page.next;
    return logged_models_load(cx, page.ids.items, page.ids.count, ret);
}
