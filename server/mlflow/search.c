/* runs/search: the language is tracking/'s, the page is written straight into the reply. */
#include "mlflow/internal.h"

#define DEFAULT_RESULTS 1000
#define PAGE_MAX 5000 /* runs of one reply; a client that asks for more follows the token */

static const char *const VIEW_NAMES[] = {"ACTIVE_ONLY", "DELETED_ONLY", "ALL", NULL};

struct search_in {
    struct list experiment_ids, order_by;
    const char *filter, *page_token;
    int run_view_type; /* enum lifecycle */
    int64_t max_results;
};
static const struct field SEARCH_FIELDS[] = {
    FIELD(STRINGS, struct search_in, experiment_ids),
    FIELD(STRING, struct search_in, filter),
    FIELD(ENUM, struct search_in, run_view_type, .names = VIEW_NAMES),
    FIELD(INT, struct search_in, max_results, .flags = FIELD_NULLABLE),
    FIELD(STRINGS, struct search_in, order_by),
    FIELD(STRING, struct search_in, page_token),
};
static SHAPE(SEARCH, "MlflowSearchRuns", struct search_in, SEARCH_FIELDS);

enum err mlflow_check_results(struct ctx *cx, int64_t max_results) {
    if (max_results < 1)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value %lld for parameter 'max_results' supplied. It must be a "
                           "positive integer",
                           (long long)max_results);
    if (max_results > MLFLOW_RESULTS_MAX)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value %lld for parameter 'max_results' supplied. It must be at "
                           "most %d",
                           (long long)max_results, MLFLOW_RESULTS_MAX);
    return OK;
}

static enum err write_runs(struct ctx *cx, const char *project_id, struct search_page *page,
                           struct reply *rp) {
    struct json_writer *w = mlflow_json(cx);
    struct list rows = {0};
    size_t taken;
    TRY(mlflow_load_runs(cx, project_id, (const char *const *)page->ids.items, page->ids.count,
                         &rows, &taken));
    search_page_cut(cx, page, taken);
    const struct mlflow_run *row = rows.items;
    jw_begin(w, '{');
    if (rows.count) {
        jw_member_begin(w, "runs", '[');
        for (size_t i = 0; i < rows.count; i++)
            mlflow_write_run(cx, w, &row[i]);
        jw_end(w, ']');
    }
    if (page->next)
        jw_member_text(w, "next_page_token", page->next);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

/* The UUIDs of the experiments there are among those named. */
static enum err experiments_of(struct ctx *cx, const struct list *ids, struct run_search *search) {
    struct mlflow_place *places = arena_new_array(cx->arena, struct mlflow_place, ids->count + 1);
    const char **uuids = arena_new_array(cx->arena, const char *, ids->count + 1);
    TRY(mlflow_places(cx, search->project_id, ids, places, &search->experiment_count));
    for (size_t i = 0; i < search->experiment_count; i++)
        uuids[i] = places[i].id;
    search->experiment_ids = uuids;
    return OK;
}

static enum err search_runs(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct search_in *in = rq->body;
    int64_t limit = in->max_results == FIELD_NO_INT ? DEFAULT_RESULTS : in->max_results;
    struct run_search search = {.filter = in->filter,
                                .order_by = in->order_by.items,
                                .order_count = in->order_by.count,
                                .lifecycle = in->run_view_type,
                                .limit = limit < PAGE_MAX ? limit : PAGE_MAX,
                                .mlflow = true};
    struct search_page page = {.next = NULL};
    TRY(mlflow_check_results(cx, limit));
    if (in->page_token && *in->page_token)
        search.token = in->page_token;
    TRY(mlflow_project(cx, rq, &search.project_id));
    TRY(experiments_of(cx, &in->experiment_ids, &search));
    /* Without experiments there is nothing to find here; the domain would look in all of them. */
    if (search.experiment_count)
        TRY(run_search(cx, &search, &page));
    return write_runs(cx, search.project_id, &page, rp);
}

const struct route MLFLOW_SEARCH_ROUTES[] = {
    {POST, "/api/2.0/mlflow/runs/search", SCOPE_RUN_READ, .body = &SEARCH, .handle = search_runs,
     .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH, .doc = "Search runs."},
};
const size_t MLFLOW_SEARCH_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_SEARCH_ROUTES);
