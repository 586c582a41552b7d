/* search_runs.c: what can be asked of runs, in both dialects.
 *
 * Scope: $1 team, $2 project, $3 experiments, $4 'active' or 'archived' or null, $5 state or null,
 * $6 part of the name or null. Metrics are found by the index over (team, experiment, key, last
 * value), parameters and tags by the hash of their value or, where few runs are left, by the run.
 */
#include "tracking/search.h"

#include "base/ident.h"
#include "sql/tracking.h"
#include "tracking/experiments.h"
#include "tracking/metrics.h"

static const struct search_source METRICS = {
    .from = "run_metrics m",
    .owner = "m.run_id",
    .key = "m.key",
    .where = "m.team_id = $1::uuid and m.experiment_id = any ($3::uuid[])",
    .ordered = "m.team_id = $1::uuid and m.experiment_id = ($3::uuid[])[1]"};
static const struct search_source PARAMS = {
    .from = "run_params p", .owner = "p.run_id", .key = "p.key", .where = "p.team_id = $1::uuid"};
static const struct search_source TAGS = {
    .from = "run_tags t", .owner = "t.run_id", .key = "t.key", .where = "t.team_id = $1::uuid"};
static const struct search_source DATASETS = {
    .from = "run_inputs i join logged_datasets d"
            " on d.team_id = i.team_id and d.id = i.logged_dataset_id",
    .owner = "i.run_id",
    .where = "i.team_id = $1::uuid"};

#define BOTH (SEARCH_ORDER | SEARCH_ORDER_MLFLOW)

static const struct search_field RUN_FIELDS[] = {
    {.name = "id",
     .aliases = "run_id|run_uuid",
     .type = SEARCH_ID,
     .sql = "r.id",
     .ops = SEARCH_SAME_OPS | SEARCH_LIKE | SEARCH_NOT_LIKE | SEARCH_ILIKE | SEARCH_NOT_ILIKE,
     .mlflow_ops = SEARCH_MLFLOW_LIST_OPS,
     .order = BOTH,
     .not_null = true},
    {.name = "name",
     .aliases = "run_name|run name",
     .type = SEARCH_TEXT,
     .sql = "r.name",
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS,
     .order = BOTH,
     .not_null = true},
    {.name = "state",
     .aliases = "status",
     .type = SEARCH_TEXT,
     .sql = "r.state",
     .ops = SEARCH_TEXT_OPS,
     .order = SEARCH_ORDER,
     .not_null = true},
    {.name = "status",
     .type = SEARCH_TEXT,
     .sql = "case r.state when 'queued' then 'SCHEDULED' when 'succeeded' then 'FINISHED'"
            " when 'failed' then 'FAILED' when 'cancelled' then 'KILLED' else 'RUNNING' end",
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS,
     .order = SEARCH_ORDER_MLFLOW},
    {.name = "created_at",
     .aliases = "created",
     .type = SEARCH_TIME,
     .sql = "r.created_at",
     .ops = SEARCH_NUMBER_OPS,
     .order = SEARCH_ORDER,
     .not_null = true,
     .ordered = true},
    {.name = "start_time",
     .aliases = "started_at",
     .type = SEARCH_TIME,
     .sql = "r.started_at",
     .ops = SEARCH_NUMBER_OPS,
     .order = SEARCH_ORDER},
    /* MLflow's clients are told a start of every run. */
    {.name = "start_time",
     .aliases = "created",
     .type = SEARCH_TIME,
     .sql = "coalesce(r.started_at, r.created_at)",
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = SEARCH_ORDER_MLFLOW,
     .not_null = true,
     .ordered = true},
    {.name = "end_time",
     .aliases = "finished_at",
     .type = SEARCH_TIME,
     .sql = "r.finished_at",
     .ops = SEARCH_NUMBER_OPS,
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = BOTH},
    {.name = "duration",
     .type = SEARCH_NUMBER,
     .sql = "extract(epoch from r.finished_at - r.started_at)::float8",
     .ops = SEARCH_NUMBER_OPS,
     .order = SEARCH_ORDER},
    {.name = "user",
     .aliases = "user_id|user_name",
     .type = SEARCH_TEXT,
     .sql = "coalesce(r.user_name, '')",
     .ops = SEARCH_TEXT_OPS,
     .order = SEARCH_ORDER},
    {.name = "user_id",
     .type = SEARCH_TEXT,
     .sql = "coalesce(r.user_name, '')",
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS,
     .order = SEARCH_ORDER_MLFLOW},
    {.name = "artifact_uri",
     .type = SEARCH_TEXT,
     .sql = "(select coalesce(e.artifact_location, 'mlflow-artifacts:/' || e.number)"
            " || '/' || replace(r.id::text, '-', '') || '/artifacts' from experiments e"
            " where e.team_id = r.team_id and e.id = r.experiment_id)",
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS,
     .order = SEARCH_ORDER_MLFLOW},
    {.name = "experiment",
     .type = SEARCH_TEXT,
     .sql = "(select e.name from experiments e where e.team_id = r.team_id"
            " and e.id = r.experiment_id)",
     .ops = SEARCH_TEXT_OPS,
     .order = SEARCH_ORDER},
    {.name = "experiment_id", .type = SEARCH_ID, .sql = "r.experiment_id", .ops = SEARCH_SAME_OPS},
    {.name = "parent_id",
     .aliases = "parent_run_id",
     .type = SEARCH_ID,
     .sql = "r.parent_id",
     .ops = SEARCH_SAME_OPS},
    {.name = "job_id", .type = SEARCH_ID, .sql = "r.job_id", .ops = SEARCH_SAME_OPS},
    {.name = "created_by",
     .type = SEARCH_TEXT,
     .sql = "r.created_by",
     .ops = SEARCH_TEXT_OPS,
     .order = SEARCH_ORDER,
     .not_null = true},
    {.name = "source",
     .type = SEARCH_TEXT,
     .sql = "r.source",
     .ops = SEARCH_TEXT_OPS,
     .order = SEARCH_ORDER,
     .not_null = true},
    {.name = "device",
     .type = SEARCH_TEXT,
     .sql = "r.device",
     .ops = SEARCH_TEXT_OPS,
     .order = SEARCH_ORDER},
    {.name = "notes", .type = SEARCH_TEXT, .sql = "r.notes", .ops = SEARCH_TEXT_OPS},
    {.name = "dataset",
     .type = SEARCH_TEXT,
     .sql = "(select d.name from dataset_versions v join datasets d"
            " on d.team_id = v.team_id and d.id = v.dataset_id"
            " where v.team_id = r.team_id and v.id = r.dataset_version_id)",
     .ops = SEARCH_TEXT_OPS,
     .order = SEARCH_ORDER},
    {.group = "metrics",
     .type = SEARCH_NUMBER,
     .sql = "m.last_value",
     .min_sql = "m.least",
     .max_sql = "m.greatest",
     .source = &METRICS,
     .ops = SEARCH_NUMBER_OPS,
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = BOTH},
    {.group = "params",
     .type = SEARCH_TEXT,
     .sql = "p.value",
     .lookup = "p.value_key",
     .not_null = true,
     .source = &PARAMS,
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS | SEARCH_NULL | SEARCH_NOT_NULL,
     .order = BOTH},
    {.group = "tags",
     .type = SEARCH_TEXT,
     .sql = "t.value",
     .lookup = "t.value_key",
     .not_null = true,
     .source = &TAGS,
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_TEXT_OPS | SEARCH_NULL | SEARCH_NOT_NULL,
     .order = BOTH},
    {.group = "datasets",
     .name = "name",
     .type = SEARCH_TEXT,
     .sql = "d.name",
     .source = &DATASETS,
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_LIST_OPS},
    {.group = "datasets",
     .name = "digest",
     .type = SEARCH_TEXT,
     .sql = "d.digest",
     .source = &DATASETS,
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_LIST_OPS},
    {.group = "datasets",
     .name = "context",
     .type = SEARCH_TEXT,
     .sql = "(i.tags ->> 'mlflow.data.context')",
     .source = &DATASETS,
     .ops = SEARCH_TEXT_OPS,
     .mlflow_ops = SEARCH_MLFLOW_LIST_OPS},
};
static const struct search_alias RUN_ALIASES[] = {{"run", NULL}};

const struct search_entity RUN_ENTITY = {
    .name = "run",
    .from = "runs r",
    .id = "r.id",
    .where = "r.team_id = $1::uuid and r.project_id = $2::uuid"
             " and ($4::text is null or (r.archived_at is null) = ($4::text = 'active'))"
             " and ($5::text is null or r.state = $5::text)"
             " and ($6::text is null or position(lower($6::text) in lower(r.name)) > 0)",
    .fields = RUN_FIELDS,
    .field_count = sizeof(RUN_FIELDS) / sizeof(RUN_FIELDS[0]),
    .aliases = RUN_ALIASES,
    .alias_count = 1,
    .order = "created_at DESC",
    .mlflow_order = "start_time DESC",
    .mlflow_tie = "start_time DESC",
    .newest_first = true,
    .crowd = "runs r where r.team_id = $1::uuid and r.experiment_id = any ($2::uuid[])",
    .crowd_scope = 1,
};

/* The runs of one experiment lie in an index in the order they started, those of some do not. */
static const char IN_ONE[] = " and r.experiment_id = ($3::uuid[])[1]";
static const char IN_SOME[] = " and r.experiment_id = any ($3::uuid[])";

/* What a search looks at: the experiments there are of those asked for. */
struct scope_row {
    const char *experiments; /* as uuid[] */
    struct list ids;         /* the same ids */
    bool waiting;            /* there may be metrics to be folded */
};
static const struct field SCOPE_ROW_FIELDS[] = {
    FIELD(STRING, struct scope_row, experiments),
    FIELD(STRINGS, struct scope_row, ids),
    FIELD(BOOL, struct scope_row, waiting),
};
static SHAPE(SCOPE_ROW_SHAPE, "ScopeRow", struct scope_row, SCOPE_ROW_FIELDS);

static enum err scope_of(struct ctx *cx, const struct run_search *search, struct scope_row *ret) {
    const char **ids = arena_new_array(cx->arena, const char *, search->experiment_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < search->experiment_count; i++)
        if (uuid_is_valid(search->experiment_ids[i]))
            ids[count++] = search->experiment_ids[i];
    const char *asked = search->experiment_count ? db_text_array(cx, ids, count) : NULL;
    return db_one(cx, &SQL_search_scope, ARGS(cx->who.team_id, search->project_id, asked),
                  &SCOPE_ROW_SHAPE, ret);
}

enum err run_search_prepare(struct ctx *cx, const struct run_search *search, struct search *ret) {
    struct scope_row scope;
    const char **args = arena_new_array(cx->arena, const char *, 5);
    TRY(scope_of(cx, search, &scope));
    if (scope.waiting)
        TRY(metrics_settle(cx, (const char *const *)scope.ids.items, scope.ids.count));
    args[0] = search->project_id;
    args[1] = scope.experiments;
    args[2] = search->lifecycle == LIFECYCLE_ALL ? NULL : LIFECYCLE_NAMES[search->lifecycle];
    args[3] = search->state;
    args[4] = search->text;
    *ret = (struct search){.dialect = search->mlflow ? SEARCH_MLFLOW : SEARCH_NATIVE,
                           .filter = search->filter,
                           .order_by = search->order_by,
                           .order_count = search->order_count,
                           .scope = args,
                           .scope_count = 5,
                           .within = scope.ids.count == 1 ? IN_ONE : IN_SOME,
                           .one = scope.ids.count == 1,
                           .limit = search->limit,
                           .token = search->token};
    return OK;
}

enum err run_search(struct ctx *cx, const struct run_search *search, struct search_page *ret) {
    struct search prepared;
    TRY(run_search_prepare(cx, search, &prepared));
    return search_page(cx, &RUN_ENTITY, &prepared, ret);
}
