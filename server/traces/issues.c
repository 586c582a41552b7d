/* issues.c: see issues.h. */
#include "traces/issues.h"

#include "base/ident.h"
#include "sql/traces.h"
#include "traces/internal.h"
#include "tracking/search.h"

const char *const ISSUE_STATUS_NAMES[] = {"pending", "rejected", "resolved", NULL};
const char *const ISSUE_SEVERITY_NAMES[] = {"not_an_issue", "low", "medium", "high", NULL};

static const struct field ISSUE_FIELDS[] = {
    FIELD(UUID, struct issue, id),
    FIELD(UUID, struct issue, experiment_id),
    FIELD(INT, struct issue, experiment_number),
    FIELD(STRING, struct issue, name),
    FIELD(STRING, struct issue, description),
    FIELD(STRING, struct issue, status),
    FIELD(STRING, struct issue, severity, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct issue, root_causes),
    FIELD(JSON, struct issue, categories),
    FIELD(STRING, struct issue, source_run),
    FIELD(STRING, struct issue, created_by),
    FIELD(TIME, struct issue, created_at),
    FIELD(TIME, struct issue, updated_at),
    FIELD(INT, struct issue, traces, .flags = FIELD_NULLABLE),
};
static SHAPE(ISSUE_SHAPE, "Issue", struct issue, ISSUE_FIELDS);

static const char *texts(struct ctx *cx, const struct list *list) {
    json_t *array = trace_keep(cx, json_array());
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(((const char *const *)list->items)[i]));
    return db_json(cx, array);
}

static enum err load(struct ctx *cx, const char *project_id, const struct list *ids, bool traces,
                     struct list *ret) {
    return db_many(cx, &SQL_issues_load,
                   ARGS(cx->who.team_id, db_text_array(cx, ids->items, ids->count), project_id,
                        db_bool(traces)),
                   &ISSUE_SHAPE, ret);
}

enum err issue_get(struct ctx *cx, const char *project_id, const char *id, struct issue *ret) {
    struct list issues = {0};
    if (uuid_is_valid(id))
        TRY(load(cx, project_id, &(struct list){&id, 1}, false, &issues));
    if (issues.count == 0)
        return fail(cx, ERR_NOT_FOUND, "issue \"%.100s\" does not exist", id);
    *ret = *(const struct issue *)issues.items;
    return OK;
}

enum err issue_create(struct ctx *cx, const struct issue_create *o, struct issue *ret) {
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(db_exec(cx, &SQL_issue_create,
                ARGS(id, cx->who.team_id, o->project_id, o->experiment_id, o->name, o->description,
                     o->status, o->severity, texts(cx, &o->root_causes), texts(cx, &o->categories),
                     o->source_run, o->created_by ? o->created_by : cx->who.name),
                NULL));
    return issue_get(cx, o->project_id, id, ret);
}

enum err issue_change(struct ctx *cx, const char *project_id, const char *id,
                      const struct issue_change *change, struct issue *ret) {
    TRY(issue_get(cx, project_id, id, ret));
    TRY(db_exec(cx, &SQL_issue_change,
                ARGS(cx->who.team_id, project_id, id, change->name, change->description,
                     change->status, change->severity),
                NULL));
    return issue_get(cx, project_id, id, ret);
}

/* ---- searching: scope $1 team, $2 project, $3 experiment or null */

static const struct search_field FIELDS[] = {
    {.name = "status", .type = SEARCH_TEXT, .sql = "i.status", .mlflow_ops = SEARCH_EQ | SEARCH_NE},
    {.name = "source_run_id",
     .type = SEARCH_TEXT,
     .sql = "i.source_run",
     .mlflow_ops = SEARCH_EQ | SEARCH_NE},
    {.name = "gravity",
     .type = SEARCH_NUMBER,
     .sql = "coalesce(array_position(array['low', 'medium', 'high'], i.severity),"
            " case i.severity when 'not_an_issue' then 0 else -1 end)",
     .order = SEARCH_ORDER_MLFLOW,
     .not_null = true},
    {.name = "created_timestamp",
     .type = SEARCH_TIME,
     .sql = "i.created_at",
     .order = SEARCH_ORDER_MLFLOW,
     .not_null = true},
};

static const struct search_entity ISSUES = {
    .name = "issue",
    .from = "issues i",
    .id = "i.id",
    .where = "i.team_id = $1::uuid and i.project_id = $2::uuid"
             " and ($3::uuid is null or i.experiment_id = $3::uuid)",
    .fields = FIELDS,
    .field_count = sizeof(FIELDS) / sizeof(FIELDS[0]),
    .order = "gravity DESC, created_timestamp DESC",
};

enum err issue_search(struct ctx *cx, const struct issue_search *s, struct list *ret,
                      const char **ret_next) {
    struct search_page page;
    TRY(search_page(cx, &ISSUES,
                    &(struct search){.dialect = SEARCH_MLFLOW,
                                     .filter = s->filter,
                                     .scope = ARGS(s->project_id, s->experiment_id),
                                     .scope_count = 2,
                                     .limit = s->limit,
                                     .token = s->token},
                    &page));
    *ret_next = page.next;
    return load(cx, s->project_id, &page.ids, s->with_traces, ret);
}
