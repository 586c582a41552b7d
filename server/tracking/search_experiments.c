/* search_experiments.c: what can be asked of experiments. Scope: $1 team, $2 project, $3 'active',
 * 'archived' or null. */
#include "tracking/experiments.h"
#include "tracking/search.h"

static const struct search_source TAGS = {.from = "experiment_tags t",
                                          .owner = "t.experiment_id",
                                          .key = "t.key",
                                          .where = "t.team_id = $1::uuid"};

#define BOTH (SEARCH_ORDER | SEARCH_ORDER_MLFLOW)

static const struct search_field EXPERIMENT_FIELDS[] = {
    {.name = "id", .type = SEARCH_ID, .sql = "e.id", .ops = SEARCH_SAME_OPS, .not_null = true},
    {.name = "number",
     .aliases = "experiment_id",
     .type = SEARCH_NUMBER,
     .sql = "e.number",
     .ops = SEARCH_NUMBER_OPS,
     .order = BOTH,
     .not_null = true},
    {.name = "name",
     .type = SEARCH_TEXT,
     .sql = "e.name",
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS,
     .order = BOTH,
     .not_null = true},
    {.name = "creation_time",
     .aliases = "created_at|created",
     .type = SEARCH_TIME,
     .sql = "e.created_at",
     .ops = SEARCH_NUMBER_OPS,
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = BOTH,
     .not_null = true},
    {.name = "last_update_time",
     .aliases = "updated_at",
     .type = SEARCH_TIME,
     .sql = "e.updated_at",
     .ops = SEARCH_NUMBER_OPS,
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = BOTH,
     .not_null = true},
    {.name = "folder",
     .type = SEARCH_TEXT,
     .sql = "e.folder",
     .ops = SEARCH_TEXT_OPS,
     .order = SEARCH_ORDER,
     .not_null = true},
    {.name = "description", .type = SEARCH_TEXT, .sql = "e.description", .ops = SEARCH_TEXT_OPS},
    {.group = "tags",
     .type = SEARCH_TEXT,
     .sql = "t.value",
     .source = &TAGS,
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS,
     .order = SEARCH_ORDER},
};

static const struct search_entity EXPERIMENTS = {
    .name = "experiment",
    .from = "experiments e",
    .id = "e.id",
    .where = "e.team_id = $1::uuid and e.project_id = $2::uuid"
             " and ($3::text is null or (e.archived_at is null) = ($3::text = 'active'))",
    .fields = EXPERIMENT_FIELDS,
    .field_count = sizeof(EXPERIMENT_FIELDS) / sizeof(EXPERIMENT_FIELDS[0]),
    .order = "creation_time DESC",
    .mlflow_tie = "experiment_id",
    .newest_first = true,
};

enum err experiment_search(struct ctx *cx, const struct experiment_search *search,
                           struct search_page *ret) {
    const char *lifecycle =
        search->lifecycle == LIFECYCLE_ALL ? NULL : LIFECYCLE_NAMES[search->lifecycle];
    return search_page(cx, &EXPERIMENTS,
                       &(struct search){.dialect = search->mlflow ? SEARCH_MLFLOW : SEARCH_NATIVE,
                                        .filter = search->filter,
                                        .order_by = search->order_by,
                                        .order_count = search->order_count,
                                        .scope = ARGS(search->project_id, lifecycle),
                                        .scope_count = 2,
                                        .limit = search->limit,
                                        .token = search->token},
                       ret);
}
