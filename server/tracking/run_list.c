/* run_list.c: the list of runs, the one place here where SQL is composed. What varies is one row of
 * RUN_SORTS; every value is a parameter.
 *
 * Pages are keysets of (sort key, id). A metric's key is made so that runs without a value, and
 * those whose value is NaN, come last in both directions: PostgreSQL orders NaN after infinity, and
 * the descending order is the ascending one of the negated value. */
#include "tracking/internal.h"

#include <string.h>

struct run_sort {
    const char *name; /* as in ?sort=; one ending in "." is followed by the metric's key */
    const char *key;  /* SQL expression */
    const char *type; /* of the expression */
    bool descending;
};

static const struct run_sort RUN_SORTS[] = {
    {"-created_at", "r.created_at", "timestamptz", true}, /* the default */
    {"created_at", "r.created_at", "timestamptz", false},
    {"name", "r.name", "text", false},
    {"-name", "r.name", "text", true},
    {"metrics.", "coalesce(s.last_value, 'NaN')", "float8", false},
    {"-metrics.", "coalesce(-s.last_value, 'NaN')", "float8", false},
};

static const char RUN_LIST_SQL[] =
    "select r.id, r.project_id, r.experiment_id, e.name as experiment_name,"
    " e.number as experiment_number, r.name, r.state, r.parent_id, r.source, r.user_name,"
    " r.archived_at, r.job_id, r.dataset_version_id, d.name as dataset_name, v.version as "
    "dataset_version,"
    " r.created_at, r.started_at, r.finished_at, r.created_by, r.notes,"
    " (select coalesce(json_object_agg(t.key, t.value order by t.key), '{}') from run_tags t"
    "   where t.team_id = r.team_id and t.run_id = r.id) as tags,"
    " (select coalesce(json_object_agg(p.key, p.value order by p.key), '{}') from run_params p"
    "   where p.team_id = r.team_id and p.run_id = r.id) as params,"
    " (select coalesce(json_object_agg(m.key, m.last_value), '{}')"
    "    from (select key, last_value from run_metrics"
    "           where team_id = r.team_id and run_id = r.id and points > 0"
    "           order by key limit 1000) m) as metrics,"
    " coalesce(j.progress, 0) as progress, coalesce(j.message, '') as message, j.eta_s, r.device,"
    " null as evaluation, r.spec, (%1$s)::text as sort_key"
    " from runs r"
    " join experiments e on e.team_id = r.team_id and e.id = r.experiment_id"
    " left join dataset_versions v on v.team_id = r.team_id and v.id = r.dataset_version_id"
    " left join datasets d on d.team_id = v.team_id and d.id = v.dataset_id"
    " left join jobs j on j.team_id = r.team_id and j.id = r.job_id"
    " left join run_metrics s on s.team_id = r.team_id and s.run_id = r.id and s.key = $6::text"
    " where r.team_id = $1::uuid and r.project_id = $2::uuid and r.archived_at is null"
    " and ($3::uuid is null or r.experiment_id = $3::uuid)"
    " and ($4::text is null or r.state = $4::text)"
    " and ($5::text is null or position(lower($5::text) in lower(r.name)) > 0)"
    " and ($7::text is null or (%1$s, r.id) %3$s ($7::%2$s, $8::uuid))"
    " order by %1$s %4$s, r.id %4$s limit $9::bigint";

/* The row of RUN_SORTS that ?sort= names, and the metric behind it. */
static enum err sort_find(struct ctx *cx, const char *name, const struct run_sort **ret,
                          const char **ret_metric) {
    *ret_metric = NULL;
    for (size_t i = 0; i < sizeof(RUN_SORTS) / sizeof(RUN_SORTS[0]); i++) {
        const struct run_sort *sort = &RUN_SORTS[i];
        size_t length = strlen(sort->name);
        bool by_metric = sort->name[length - 1] == '.';
        if (!name ||
            (by_metric ? strncmp(name, sort->name, length) : strcmp(name, sort->name)) == 0) {
            *ret = sort;
            if (by_metric)
                *ret_metric = name + length;
            return OK;
        }
    }
    return fail_field(cx, ERR_INVALID, "sort", "runs cannot be sorted by \"%.100s\"", name);
}

enum err run_list(struct ctx *cx, const struct run_filter *filter, struct list *ret,
                  const char **ret_next) {
    const struct run_sort *sort;
    const char *metric, *after[2] = {NULL, NULL};
    TRY(sort_find(cx, filter->sort, &sort, &metric));
    if (filter->cursor)
        TRY(cursor_decode(cx, filter->cursor, after, 2));
    const char *sql = arena_printf(cx->arena, RUN_LIST_SQL, sort->key, sort->type,
                                   sort->descending ? "<" : ">", sort->descending ? "desc" : "asc");
    TRY(db_many_dynamic(cx, sql,
                        ARGS(cx->who.team_id, filter->project_id, filter->experiment, filter->state,
                             filter->text, metric, after[0], after[1],
                             db_int(cx, filter->limit + 1)),
                        9, &RUN_ROW_SHAPE, ret));
    *ret_next = NULL;
    if (ret->count > (size_t)filter->limit) {
        ret->count = (size_t)filter->limit;
        const struct run *last = (struct run *)ret->items + ret->count - 1;
        *ret_next = cursor_encode(cx, ARGS(last->sort_key, last->id), 2);
    }
    return OK;
}
