/* Searching runs: every form of both dialects with what it must find, pages, and walls. Refusals
 * are in test_search_refusals.c.
 *
 * Ten runs of one experiment; a run is named by the last digit of its id:
 *
 *     run  state      lr          opt    stage   loss (least, greatest)  acc   started  data set
 *     1    succeeded  0.1         adam   draft   0.5 (0.4, 2)            0.9   1 s      train d1
 * training 2    succeeded  0.01        sgd    final   0.1 (0.1, 1)            0.8   2 s      train
 * d2 eval 3    failed     1e-1        Adam   Draft   NaN                     -     3 s      test d3
 *     4    running    (200 x's)   -      -       Infinity                0.9   4 s
 *     5    queued     -           -      final   -                       -     -
 *     6    cancelled  ten         adam   -       -Infinity               0.7   6 s
 *     7    running    0.1         -      a'b     0.5                     -     6 s
 *     8    archived, like run 1
 *     9    in an experiment of its own, like run 1
 *     a    of another team, like run 1 */
#include "tests/support/domains.h"

#include "tracking/experiments.h"
#include "tracking/run_list.h"
#include "tracking/search.h"

static const char SETUP[] =
    "create temp table ids as select id as team, (select id from projects where slug = 'ours') as"
    " project from teams where slug = 'ours';"
    "insert into experiments (id, team_id, project_id, name) select v.id::uuid, team, project, "
    "v.name"
    " from ids, (values ('01a00000-0000-7000-8000-0000000000e1', 'searched'),"
    " ('01a00000-0000-7000-8000-0000000000e2', 'other')) v (id, name);"
    "insert into runs (id, team_id, project_id, experiment_id, name, state, created_at, started_at,"
    " finished_at, created_by, user_name, archived_at, source)"
    " select ('01a00000-0000-7000-8000-00000000000' || n)::uuid, team, project,"
    " ('01a00000-0000-7000-8000-0000000000' || case n when 9 then 'e2' else 'e1' end)::uuid,"
    " 'run-' || n, state, timestamptz 'epoch' + n * interval '1 day',"
    " case when n <> 5 then timestamptz 'epoch' + least(n, 6) * interval '1 s' end,"
    " case when state in ('succeeded', 'failed', 'cancelled') then timestamptz 'epoch' +"
    " n * interval '10 s' end, 'x@y', case n when 1 then 'Ada' when 2 then 'bob' end,"
    " case n when 8 then now() end, case n when 2 then 'mlflow' else 'native' end"
    " from ids, (values (1, 'succeeded'), (2, 'succeeded'), (3, 'failed'), (4, 'running'),"
    " (5, 'queued'), (6, 'cancelled'), (7, 'running'), (8, 'succeeded'), (9, 'succeeded'))"
    " v (n, state);"
    "insert into run_params (team_id, run_id, key, value) select team,"
    " ('01a00000-0000-7000-8000-00000000000' || n)::uuid, key, value from ids, (values"
    " (1, 'lr', '0.1'), (2, 'lr', '0.01'), (3, 'lr', '1e-1'), (4, 'lr', repeat('x', 200)),"
    " (6, 'lr', 'ten'), (7, 'lr', '0.1'), (8, 'lr', '0.1'), (9, 'lr', '0.1'),"
    " (1, 'opt', 'adam'), (2, 'opt', 'sgd'), (3, 'opt', 'Adam'), (6, 'opt', 'adam'),"
    " (8, 'opt', 'adam'), (9, 'opt', 'adam'), (1, 'a b.c', 'spaced'), (2, 'val/acc', '1'))"
    " v (n, key, value);"
    "insert into run_tags (team_id, run_id, key, value) select team,"
    " ('01a00000-0000-7000-8000-00000000000' || n)::uuid, key, value from ids, (values"
    " (1, 'stage', 'draft'), (2, 'stage', 'final'), (3, 'stage', 'Draft'), (5, 'stage', 'final'),"
    " (7, 'stage', 'a''b'), (8, 'stage', 'draft'), (9, 'stage', 'draft'), (1, 'mlflow.user', "
    "'ada'))"
    " v (n, key, value);"
    "insert into run_metrics (team_id, run_id, experiment_id, key, points, first_step, last_step,"
    " last_at, last_value, least, greatest) select r.team_id, r.id, r.experiment_id, key, 2, 0, 1,"
    " timestamptz 'epoch', last, least, greatest from (values"
    " (1, 'loss', 0.5, 0.4, 2), (2, 'loss', 0.1, 0.1, 1), (3, 'loss', 'NaN', 0.3, 0.3),"
    " (4, 'loss', 'Infinity', 0.2, 0.2), (6, 'loss', '-Infinity', null, null),"
    " (7, 'loss', 0.5, 0.5, 0.5), (8, 'loss', 0.5, 0.4, 2), (9, 'loss', 0.5, 0.4, 2),"
    " (1, 'acc', 0.9, 0.9, 0.9), (2, 'acc', 0.8, 0.8, 0.8), (4, 'acc', 0.9, 0.9, 0.9),"
    " (6, 'acc', 0.7, 0.7, 0.7)) v (n, key, last, least, greatest)"
    " join runs r on r.id = ('01a00000-0000-7000-8000-00000000000' || n)::uuid;"
    "insert into logged_datasets (id, team_id, project_id, experiment_id, name, digest, "
    "source_type,"
    " source) select ('01a00000-0000-7000-8000-0000000000d' || n)::uuid, team, project,"
    " '01a00000-0000-7000-8000-0000000000e1', name, 'd' || n, 'local', '{}' from ids,"
    " (values (1, 'train'), (2, 'train'), (3, 'test')) v (n, name);"
    "insert into run_inputs (team_id, run_id, logged_dataset_id, tags) select team,"
    " ('01a00000-0000-7000-8000-00000000000' || n)::uuid,"
    " ('01a00000-0000-7000-8000-0000000000d' || n)::uuid, tags::json from ids, (values"
    " (1, '{\"mlflow.data.context\":\"training\"}'), (2, '{\"mlflow.data.context\":\"eval\"}'),"
    " (3, '{}')) v (n, tags);"
    "drop table ids;"
    "insert into experiments (id, team_id, project_id, name)"
    " select '01a00000-0000-7000-8000-0000000000e3', t.id, p.id, 'theirs' from teams t"
    " join projects p on p.team_id = t.id where t.slug = 'theirs';"
    "insert into runs (id, team_id, project_id, experiment_id, name, created_by)"
    " select '01a00000-0000-7000-8000-00000000000a', t.id, p.id,"
    " '01a00000-0000-7000-8000-0000000000e3', 'run-a', 'x' from teams t join projects p"
    " on p.team_id = t.id where t.slug = 'theirs';"
    "insert into run_params (team_id, run_id, key, value) select team_id, id, 'lr', '0.1'"
    " from runs where name = 'run-a';";

#define E1 "01a00000-0000-7000-8000-0000000000e1"
#define E2 "01a00000-0000-7000-8000-0000000000e2"
#define E3 "01a00000-0000-7000-8000-0000000000e3"

static int search_setup(void **state) {
    int failed = domains_setup(state);
    struct domains *d = *state;
    if (failed == 0)
        test_sql(d->db, SETUP);
    return failed;
}

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_VIEWER);
    cx->app = d->app;
}

static struct run_search in_e1(const struct domains *d, bool mlflow, const char *filter) {
    static const char *const ONE[] = {E1};
    return (struct run_search){.project_id = d->ours.project_id,
                               .experiment_ids = ONE,
                               .experiment_count = 1,
                               .filter = filter,
                               .limit = 100,
                               .mlflow = mlflow};
}

/* The digits of the runs found, page by page. */
static const char *found(struct domains *d, struct run_search search) {
    char *text = arena_alloc(d->arena, 64), *to = text;
    for (int page = 0; page < 12; page++) {
        struct ctx cx;
        struct search_page got;
        ctx_ours(d, &cx);
        if (run_search(&cx, &search, &got) != OK)
            fail_msg("%s: %s", search.filter ? search.filter : "-", cx.err.message);
        const char *const *ids = got.ids.items;
        for (size_t i = 0; i < got.ids.count; i++)
            *to++ = ids[i][35];
        search.token = arena_strdup(d->arena, got.next);
        ctx_done(&cx);
        if (!search.token)
            return text;
    }
    fail_msg("pages without end");
    return NULL;
}

struct example {
    const char *filter,
        *runs; /* in our dialect the oldest first, in MLflow's by start descending */
};

static void assert_examples(struct domains *d, bool mlflow, const struct example *examples,
                            size_t count) {
    static const char *const OLDEST[] = {"created_at"};
    for (size_t i = 0; i < count; i++) {
        struct run_search search = in_e1(d, mlflow, examples[i].filter);
        search.order_by = OLDEST;
        search.order_count = mlflow ? 0 : 1;
        const char *runs = found(d, search);
        if (strcmp(runs, examples[i].runs) != 0)
            fail_msg("%s finds %s instead of %s", examples[i].filter, runs, examples[i].runs);
    }
}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_search__native_forms(void **state) {
    static const struct example EXAMPLES[] = {
        {NULL, "1234567"},
        {"", "1234567"},
        {"  \t\n", "1234567"},
        /* metrics */
        {"metrics.loss < 0.5", "26"},
        {"metrics.loss <= 0.5", "1267"},
        {"metrics.loss > 0.1", "147"},
        {"metric.loss >= 5e-1", "147"},
        {"metrics.loss = 0.5", "17"},
        {"metrics.loss != 0.5", "2346"},
        {"metrics.loss <> 0.5", "2346"},
        {"metrics.loss = NaN", "3"},
        {"metrics.loss != NaN", "12467"},
        {"metrics.loss > nan", ""},
        {"metrics.loss < NaN", ""},
        {"metrics.loss = Infinity", "4"},
        {"metrics.loss > -1e300", "1247"},
        {"metrics.loss IS NULL", "5"},
        {"metrics.loss IS NOT NULL", "123467"},
        {"metrics.loss IN (0.1, 0.5)", "127"},
        {"metrics.loss NOT IN (0.1, 0.5)", "346"},
        {"min(metrics.loss) < 0.3", "24"},
        {"max(metrics.loss) >= 1", "12"},
        {"last(metrics.loss) = 0.1", "2"},
        {"MIN(metrics.\"loss\") = 0.4", "1"},
        {"min(metrics.loss) IS NULL", "56"},
        {"metrics.unknown > 0", ""},
        {"metrics.unknown IS NULL", "1234567"},
        /* parameters and tags */
        {"params.lr = '0.1'", "17"},
        {"params.lr = \"0.1\"", "17"},
        {"param.lr != '0.1'", "2346"},
        {"params.lr = 0.1", "137"},
        {"params.lr != 0.1", "2"},
        {"params.lr < 0.05", "2"},
        {"params.lr >= 0.01", "1237"},
        {"params.lr IN (0.01, 0.1)", "1237"},
        {"params.lr IN ('0.01', 'ten')", "26"},
        {"params.lr NOT IN ('0.01', 'ten')", "1347"},
        {"params.lr LIKE '0.%'", "127"},
        {"params.lr NOT LIKE '0.%'", "346"},
        {"params.lr LIKE '_en'", "6"},
        {"params.lr LIKE 'xxx%'", "4"},
        {"params.lr > '0.1'", "346"},
        {"params.opt ILIKE 'ADAM'", "136"},
        {"params.opt NOT ILIKE 'adam'", "2"},
        {"params.opt IS NULL", "457"},
        {"params.opt IS NOT NULL", "1236"},
        {"params.`a b.c` = 'spaced'", "1"},
        {"params.\"a b.c\" = 'spaced'", "1"},
        {"params.'a b.c' = 'spaced'", "1"},
        {"params.val/acc = '1'", "2"},
        {"parameters.lr = 'ten'", "6"},
        {"tags.stage = 'a''b'", "7"},
        {"tag.stage = \"a'b\"", "7"},
        {"tags.`stage` = 'b'", ""},
        {"tags.mlflow.user = 'ada'", "1"},
        {"tags.mlflow.user = '; drop table runs; --'", ""},
        /* attributes */
        {"name = 'run-3'", "3"},
        {"run_name LIKE 'run-%'", "1234567"},
        {"`run name` = 'run-3'", "3"},
        {"attributes.name ILIKE 'RUN-3'", "3"},
        {"run.name > 'run-5'", "67"},
        {"state = 'running'", "47"},
        {"status IN ('running', 'queued')", "457"},
        {"state != 'succeeded'", "34567"},
        {"user = 'Ada'", "1"},
        {"user != ''", "12"},
        {"source = 'mlflow'", "2"},
        {"id = '01a00000-0000-7000-8000-000000000003'", "3"},
        {"id = '01a0000000007000800000000000000"
         "3'",
         "3"},
        {"run_id IN ('01a00000-0000-7000-8000-000000000003', 'nothing')", "3"},
        {"id != 'nothing'", "1234567"},
        {"id LIKE '%3'", "3"},
        {"experiment = 'searched'", "1234567"},
        {"experiment_id = '" E2 "'", ""},
        {"parent_id IS NULL", "1234567"},
        {"created_at >= '1970-01-06'", "567"},
        {"created < '1970-01-04T00:00:00+02:00'", "12"},
        {"started_at = 2000", "2"},
        {"started_at <= 2000", "12"},
        {"start_time IS NULL", "5"},
        {"end_time IS NOT NULL", "1236"},
        {"duration > 17.5", "236"},
        {"duration IS NULL", "457"},
        {"notes = ''", "1234567"},
        {"dataset IS NULL", "1234567"},
        {"device IS NULL", "1234567"},
        /* data sets */
        {"datasets.name = 'train'", "12"},
        {"dataset.digest IN ('d2', 'd3')", "23"},
        {"datasets.context = 'eval'", "2"},
        {"datasets.context IS NULL", "34567"},
        {"datasets.name IS NULL", "4567"},
        /* joined */
        {"metrics.loss > 0.1 AND params.lr = '0.1'", "17"},
        {"metrics.loss > 0.1 and params.lr = '0.1' And tags.stage = 'draft'", "1"},
        {"params.lr = '0.01' OR tags.stage = 'draft'", "12"},
        {"params.lr = '0.1' OR params.lr = '0.01' AND state = 'running'", "17"},
        {"(params.lr = '0.1' OR params.lr = '0.01') AND state = 'running'", "7"},
        {"NOT params.lr = '0.1'", "23456"},
        {"NOT NOT params.lr = '0.1'", "17"},
        {"not (tags.stage IS NULL or metrics.acc > 0.8)", "2357"},
        {"NOT end_time > 15000", "1457"},
        {"NOT (metrics.loss < 1 OR metrics.loss IS NULL)", "34"},
        {"((((name = 'run-1'))))", "1"},
    };
    assert_examples(*state, false, EXAMPLES, COUNT(EXAMPLES));
}

static void test_search__mlflow_forms(void **state) {
    static const struct example EXAMPLES[] = {
        {"", "5674321"}, /* the queued one is told to have started when it was made */
        {"metrics.loss > 0.1", "741"},
        {"metric.loss >= 0.5", "741"},
        {"metrics.loss < 0.5", "62"},
        {"metrics.loss <= 5e-1", "6721"},
        {"metrics.loss = 0.5", "71"},
        {"metrics.loss != 0.5", "6432"},
        {"metrics.loss > -1", "7421"},
        {"metrics.`loss` = .5", "71"},
        {"metrics.\"loss\" = 0.5", "71"},
        {"params.lr = '0.1'", "71"},
        {"params.lr = \"0.1\"", "71"},
        {"parameter.lr != '0.1'", "6432"},
        {"parameters.lr LIKE '0.%'", "721"},
        {"param.opt LIKE 'a%'", "61"},
        {"params.opt ILIKE 'A%'", "631"},
        {"params.opt IS NULL", "574"},
        {"params.opt IS NOT NULL", "6321"},
        {"tags.stage = 'final'", "52"},
        {"tags.stage != 'final'", "731"},
        {"tag.`stage` ILIKE 'draft'", "31"},
        {"tags.stage LIKE 'draft'", "1"},
        {"tags.mlflow.user = 'ada'", "1"},
        {"params.\"a b.c\" = 'spaced'", "1"},
        {"attributes.run_name = 'run-3'", "3"},
        {"attribute.`Run name` LIKE 'run-_'", "5674321"},
        {"\"Run name\" = 'run-3'", "3"},
        {"attr.run_name ILIKE 'RUN-3'", "3"},
        {"run.status = 'FINISHED'", "21"},
        {"status = 'RUNNING'", "74"},
        {"status != 'RUNNING'", "56321"},
        {"attributes.status = 'SCHEDULED'", "5"},
        {"attributes.status LIKE 'KILL%'", "6"},
        {"attributes.status = 'FAILED'", "3"},
        {"run_id = '01a00000000070008000000000000003'", "3"},
        {"run_id != '01a00000000070008000000000000003'", "567421"},
        {"run_id IN ('01a00000000070008000000000000003','01a00000000070008000000000000001')", "31"},
        {"run_id NOT IN ('01a00000000070008000000000000003')", "567421"},
        {"run_id IN ('01A00000000070008000000000000003')", ""},
        {"run_id LIKE '%03'", "3"},
        {"user_id = 'Ada'", "1"},
        {"attributes.user_id LIKE '%'", "5674321"},
        {"attributes.start_time = 2000", "2"},
        {"attributes.start_time > 2000 and start_time < 7000", "6743"},
        {"created >= 6000", "567"},
        {"end_time <= 20000", "21"},
        {"artifact_uri LIKE 'mlflow-artifacts:/%/01a00000000070008000000000000003/artifacts'", "3"},
        {"datasets.name = 'train'", "21"},
        {"dataset.digest = 'd3'", "3"},
        {"dataset.name LIKE 't%t'", "3"},
        {"datasets.name ILIKE 'TR%'", "21"},
        {"dataset.digest IN ('d1', 'd2')", "21"},
        {"dataset.name NOT IN ('train')", "3"},
        {"dataset.context = 'eval'", "2"},
        {"metrics.loss > 0.1 AND params.lr = '0.1' and tags.stage != 'draft'", "7"},
    };
    assert_examples(*state, true, EXAMPLES, COUNT(EXAMPLES));
}

/* Each order in pages of one, two and all: nulls last, NaN before them, ties by the entity's own.
 */
static void test_search__orders_across_pages(void **state) {
    static const struct {
        const char *order, *runs;
        bool mlflow;
    } ORDERS[] = {
        {"created_at DESC", "7654321", false},
        {"name", "1234567", false},
        {"name desc", "7654321", false},
        {"metrics.loss", "6271435", false},
        {"metrics.loss DESC", "4712635", false},
        {"min(metrics.loss)", "2431765", false},
        {"max(metrics.loss) DESC", "1273465", false},
        {"metrics.acc DESC, metrics.loss", "1426735", false},
        {"params.opt, name DESC", "3612754", false},
        {"params.lr DESC", "4637125", false},
        {"state, created_at", "6354712", false},
        {"start_time DESC", "7643215", false},
        {"end_time", "1236754", false},
        {"duration", "1236754", false},
        {"id", "1234567", false},
        {"metrics.loss ASC", "6271435", true},
        {"metrics.loss DESC", "4712635", true},
        {"metrics.acc DESC", "4126573", true},
        {"params.opt", "3612574", true},
        {"tags.stage DESC", "5217364", true},
        {"attributes.start_time ASC", "1234675", true},
        {"run_id DESC", "7654321", true},
        {"`Run name` DESC", "7654321", true},
        {"status", "3216745", true},
    };
    struct domains *d = *state;
    static const int64_t LIMITS[] = {1, 2, 100};
    for (size_t i = 0; i < COUNT(ORDERS); i++)
        for (size_t k = 0; k < COUNT(LIMITS); k++) {
            struct run_search search = in_e1(d, ORDERS[i].mlflow, "");
            search.order_by = &ORDERS[i].order;
            search.order_count = 1;
            search.limit = LIMITS[k];
            const char *runs = found(d, search);
            if (strcmp(runs, ORDERS[i].runs) != 0)
                fail_msg("%s by %d gives %s instead of %s", ORDERS[i].order, (int)LIMITS[k], runs,
                         ORDERS[i].runs);
        }
}

static void test_search__several_clauses_and_experiments(void **state) {
    struct domains *d = *state;
    static const char *const ORDER[] = {"metrics.acc DESC", "metrics.loss DESC", "start_time ASC"};
    static const char *const BOTH[] = {E1, E2};
    struct run_search search = in_e1(d, true, "metrics.loss = 0.5");
    search.order_by = ORDER;
    search.order_count = COUNT(ORDER);
    search.experiment_ids = BOTH;
    search.experiment_count = 2;
    search.limit = 2;
    assert_string_equal(found(d, search), "179");
    search.experiment_ids = NULL;
    search.experiment_count = 0;
    assert_string_equal(found(d, search), "179");
}

static void test_search__lifecycle_state_and_name(void **state) {
    struct domains *d = *state;
    struct run_search search = in_e1(d, false, "params.lr = '0.1'");
    search.lifecycle = LIFECYCLE_ARCHIVED;
    assert_string_equal(found(d, search), "8");
    search.lifecycle = LIFECYCLE_ALL;
    assert_string_equal(found(d, search), "871");
    search.state = "running";
    assert_string_equal(found(d, search), "7");
    search.state = NULL;
    search.text = "RUN-1";
    assert_string_equal(found(d, search), "1");
}

/* ---- walls */

static void test_search__sees_nothing_of_other_teams(void **state) {
    struct domains *d = *state;
    static const char *const THEIRS[] = {E3, E1, "nonsense"};
    struct run_search search = in_e1(d, false, "params.lr = '0.1'");
    search.experiment_ids = THEIRS;
    search.experiment_count = 3;
    assert_string_equal(found(d, search), "71");
    search.experiment_count = 1;
    assert_string_equal(found(d, search), "");
    search.project_id = d->theirs.project_id;
    assert_string_equal(found(d, search), "");
}

static void test_search__sees_nothing_of_hidden_projects(void **state) {
    struct domains *d = *state;
    struct ctx cx;
    struct search_page page;
    struct run_search search = in_e1(d, false, "datasets.name = 'train' OR NOT tags.x = 'y'");
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into project_roles (team_id, project_id, user_id, role)"
                                 " values ('%s', '%s', '%s', 'none')",
                                 d->ours.team_id, d->ours.project_id, d->ours.user_id));
    ctx_ours(d, &cx);
    cx.who.by_project = true;
    assert_ok(run_search(&cx, &search, &page), &cx.err);
    assert_int_equal(page.ids.count, 0);
    ctx_done(&cx);
    test_sql(d->db, "delete from project_roles");
    assert_string_equal(found(d, search), "7654321");
}

/* A token leads on in its own list only. */
static void test_search__tokens_belong_to_their_question(void **state) {
    struct domains *d = *state;
    static const char *const NAME[] = {"name"};
    struct run_search search = in_e1(d, false, "metrics.loss > 0");
    struct search_page page;
    struct ctx cx;
    search.limit = 1;
    ctx_ours(d, &cx);
    assert_ok(run_search(&cx, &search, &page), &cx.err);
    search.token = arena_strdup(d->arena, page.next);
    assert_ok(run_search(&cx, &search, &page), &cx.err);
    search.filter = "metrics.loss > 1";
    assert_err(ERR_INVALID, run_search(&cx, &search, &page));
    assert_string_equal(cx.err.field, "cursor");
    search.filter = "metrics.loss > 0";
    search.order_by = NAME;
    search.order_count = 1;
    assert_err(ERR_INVALID, run_search(&cx, &search, &page));
    search.order_count = 0;
    search.lifecycle = LIFECYCLE_ALL;
    assert_err(ERR_INVALID, run_search(&cx, &search, &page));
    search.lifecycle = LIFECYCLE_ACTIVE;
    search.mlflow = true;
    assert_err(ERR_INVALID, run_search(&cx, &search, &page));
    assert_string_equal(cx.err.field, "page_token");
    ctx_done(&cx);
}

/* Where no guess can be trusted nothing is looked up one by one: the same runs are found. */
static void test_search__large_scopes_find_the_same(void **state) {
    struct domains *d = *state;
    static const char *const ORDER[] = {"metrics.loss DESC"};
    struct run_search search = in_e1(d, false, "metrics.loss > 0.1 AND params.lr LIKE '0%'");
    struct search_entity crowded = RUN_ENTITY;
    struct search prepared;
    struct search_page page;
    struct ctx cx;
    search.order_by = ORDER;
    search.order_count = 1;
    ctx_ours(d, &cx);
    assert_ok(run_search_prepare(&cx, &search, &prepared), &cx.err);
    crowded.crowd =
        "generate_series(1, 20000) where $1::uuid is not null and $2::uuid[] is not null";
    assert_ok(search_page(&cx, &crowded, &prepared, &page), &cx.err);
    assert_int_equal(page.ids.count, 2);
    assert_int_equal(((const char *const *)page.ids.items)[0][35], '7');
    ctx_done(&cx);
}

/* ---- experiments */

static const char *experiments_found(struct domains *d, bool mlflow, const char *filter,
                                     const char *order) {
    const struct experiment_search search = {.project_id = d->ours.project_id,
                                             .filter = filter,
                                             .order_by = &order,
                                             .order_count = order ? 1 : 0,
                                             .limit = 100,
                                             .mlflow = mlflow};
    struct search_page page;
    struct ctx cx;
    char *text = arena_alloc(d->arena, 200);
    ctx_ours(d, &cx);
    if (experiment_search(&cx, &search, &page) != OK)
        fail_msg("%s: %s", filter, cx.err.message);
    const char *const *ids = page.ids.items;
    for (size_t i = 0; i < page.ids.count; i++) {
        struct experiment experiment;
        assert_ok(experiment_get(&cx, ids[i], &experiment), &cx.err);
        strncat(text, arena_printf(d->arena, "%s ", experiment.name), 50);
    }
    ctx_done(&cx);
    return text;
}

static void test_search__experiments(void **state) {
    struct domains *d = *state;
    test_sql(d->db, "insert into experiment_tags (team_id, experiment_id, key, value) select"
                    " team_id, id, 'owner', 'Ada' from experiments where name = 'searched'");
    assert_string_equal(experiments_found(d, true, "name LIKE '%e%r%'", "name"), "other searched ");
    assert_string_equal(experiments_found(d, true, "name ILIKE 'SEARCHED'", NULL), "searched ");
    assert_string_equal(experiments_found(d, true, "name = 'other'", NULL), "other ");
    assert_string_equal(experiments_found(d, true, "name != 'other' AND creation_time > 0", "name"),
                        "Default searched ");
    assert_string_equal(experiments_found(d, true, "tags.owner = 'Ada'", NULL), "searched ");
    assert_string_equal(experiments_found(d, true, "tags.`owner` ILIKE 'a%'", NULL), "searched ");
    assert_string_equal(experiments_found(d, true, "last_update_time >= 0", "experiment_id DESC"),
                        "other searched Default ");
    assert_string_equal(experiments_found(d, false,
                                          "number = 0 OR folder = '' AND tags.owner IS NOT NULL",
                                          "number"),
                        "Default searched ");
    assert_string_equal(experiments_found(d, false, "id IN ('" E2 "')", NULL), "other ");
}

/* ---- over HTTP */

static void test_runs__are_listed_by_filter_and_order(void **state) {
    struct domains *d = *state;
    const char *list = "/api/v1/projects/ours/runs";
    json_t *page = get_ok(d, "%s?experiment=" E1 "&filter=metrics.loss%%3D0.5&order_by=name", list);
    assert_int_equal(json_array_size(at(page, "items")), 2);
    json_t *run = item_at(page, 0);
    assert_string_equal(text_at(run, "name"), "run-1");
    assert_string_equal(text_at(at(run, "params"), "a b.c"), "spaced");
    assert_string_equal(text_at(at(run, "tags"), "stage"), "draft");
    assert_float_equal(real_at(at(run, "metrics"), "acc"), 0.9, 0);
    page = get_ok(d, "%s?experiments=" E1 "," E2 "&filter=params.opt%%3D'adam'&limit=1", list);
    assert_string_equal(text_at(item_at(page, 0), "name"), "run-9");
    page = get_ok(d, "%s?experiments=" E1 "," E2 "&filter=params.opt%%3D'adam'&limit=1&cursor=%s",
                  list, text_at(page, "next_cursor"));
    assert_string_equal(text_at(item_at(page, 0), "name"), "run-6");
    page = get_ok(d, "%s?lifecycle=archived&experiment=" E1, list);
    assert_string_equal(text_at(item_at(page, 0), "name"), "run-8");
    page = get_ok(
        d, "%s?experiment=" E1 "&filter=metrics.loss%%20IS%%20NOT%%20NULL&order_by=metrics.loss",
        list);
    assert_string_equal(text_at(at(item_at(page, 0), "metrics"), "loss"), "-Infinity");
    assert_string_equal(text_at(at(item_at(page, 5), "metrics"), "loss"), "NaN");
    get_fails(d, 404, &d->stranger, "%s", list);
}

static void test_runs__problem_tells_the_bytes(void **state) {
    struct domains *d = *state;
    struct test_reply *reply =
        send_json(d, 400, &d->editor, "GET",
                  "/api/v1/projects/ours/"
                  "runs?filter=metrics.loss%20%3E%200%20OR%20attributes.team_id%20%3D%202",
                  NULL);
    assert_string_equal(field_of(reply), "filter");
    assert_int_equal(int_at(at(reply->json, "position"), "at"), 20);
    assert_int_equal(int_at(at(reply->json, "position"), "length"), 18);
    assert_non_null(strstr(text_at(reply->json, "detail"), "team_id"));
}

static json_t *groups_of(struct domains *d, int status, const char *body) {
    return send_json(d, status, &d->viewer, "POST", "/api/v1/projects/ours/runs/aggregate", body)
        ->json;
}

static void test_runs__are_summed_up_in_groups(void **state) {
    struct domains *d = *state;
    json_t *groups = groups_of(d, 200,
                               "{\"experiment\":\"" E1
                               "\",\"group_by\":[\"tags.stage\",\"state\"],\"metrics\":[{\"key\":"
                               "\"loss\"},{\"key\":\"loss\",\"of\":\"max\"}]}");
    assert_int_equal(json_array_size(at(groups, "items")), 7);
    groups = groups_of(d, 200,
                       "{\"experiments\":[\"" E1 "\"],\"filter\":\"NOT name = 'run-5'\","
                       "\"group_by\":[\"params.opt\"],\"metrics\":[{\"key\":\"loss\"},"
                       "{\"key\":\"acc\",\"of\":\"min\"}]}");
    json_t *adam = item_at(groups, 0), *none = item_at(groups, 1);
    assert_string_equal(json_string_value(json_array_get(at(adam, "keys"), 0)), "adam");
    assert_int_equal(int_at(adam, "runs"), 2);
    json_t *loss = json_array_get(at(adam, "metrics"), 0);
    assert_string_equal(text_at(loss, "key"), "loss");
    assert_int_equal(int_at(loss, "count"), 2); /* one of them is not finite */
    assert_float_equal(real_at(loss, "mean"), 0.5, 1e-12);
    json_t *acc = json_array_get(at(adam, "metrics"), 1);
    assert_float_equal(real_at(acc, "min"), 0.7, 1e-12);
    assert_float_equal(real_at(acc, "max"), 0.9, 1e-12);
    assert_float_equal(real_at(acc, "stddev"), 0.1414213562, 1e-9);
    assert_true(json_is_null(json_array_get(at(none, "keys"), 0)));
    assert_int_equal(int_at(none, "runs"), 2);
    groups = groups_of(d, 200, "{\"experiment\":\"" E1 "\"}");
    assert_int_equal(int_at(item_at(groups, 0), "runs"), 7);
}

static void test_runs__groups_are_made_of_texts(void **state) {
    struct domains *d = *state;
    static const char *const BAD[] = {"metrics.loss", "created_at", "datasets.name", "team_id",
                                      "params.lr, name"};
    for (size_t i = 0; i < COUNT(BAD); i++) {
        struct test_reply *reply =
            send_json(d, 400, &d->viewer, "POST", "/api/v1/projects/ours/runs/aggregate",
                      arena_printf(d->arena, "{\"group_by\":[\"%s\"]}", BAD[i]));
        assert_string_equal(field_of(reply), "group_by");
    }
    groups_of(d, 400, "{\"group_by\":[\"name\",\"name\",\"name\",\"name\"]}");
    send_json(d, 404, &d->stranger, "POST", "/api/v1/projects/ours/runs/aggregate", "{}");
}

static bool has_field(json_t *fields, const char *name, const char *type) {
    for (size_t i = 0; i < json_array_size(at(fields, "items")); i++)
        if (strcmp(text_at(item_at(fields, i), "name"), name) == 0)
            return strcmp(text_at(item_at(fields, i), "type"), type) == 0;
    return false;
}

static void test_runs__fields_are_listed(void **state) {
    struct domains *d = *state;
    const char *path = "/api/v1/projects/ours/runs/fields";
    json_t *fields = get_ok(d, "%s?experiment=" E1, path);
    assert_true(has_field(fields, "metrics.loss", "number"));
    assert_true(has_field(fields, "metrics.acc", "number"));
    assert_true(has_field(fields, "params.lr", "text"));
    assert_true(has_field(fields, "params.\"a b.c\"", "text"));
    assert_true(has_field(fields, "params.val/acc", "text"));
    assert_true(has_field(fields, "tags.mlflow.user", "text"));
    assert_true(has_field(fields, "created_at", "time"));
    assert_false(has_field(fields, "artifact_uri", "text"));
    fields = get_ok(d, "%s?experiments=" E1 "," E2 "&prefix=a", path);
    assert_true(has_field(fields, "metrics.acc", "number"));
    assert_true(has_field(fields, "params.\"a b.c\"", "text"));
    assert_int_equal(json_array_size(at(fields, "items")), 2);
    get_fails(d, 404, &d->stranger, "%s", path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search__native_forms),
        cmocka_unit_test(test_search__mlflow_forms),
        cmocka_unit_test(test_search__orders_across_pages),
        cmocka_unit_test(test_search__several_clauses_and_experiments),
        cmocka_unit_test(test_search__lifecycle_state_and_name),
        cmocka_unit_test(test_search__sees_nothing_of_other_teams),
        cmocka_unit_test(test_search__sees_nothing_of_hidden_projects),
        cmocka_unit_test(test_search__tokens_belong_to_their_question),
        cmocka_unit_test(test_search__large_scopes_find_the_same),
        cmocka_unit_test(test_search__experiments),
        cmocka_unit_test(test_runs__are_listed_by_filter_and_order),
        cmocka_unit_test(test_runs__problem_tells_the_bytes),
        cmocka_unit_test(test_runs__are_summed_up_in_groups),
        cmocka_unit_test(test_runs__groups_are_made_of_texts),
        cmocka_unit_test(test_runs__fields_are_listed),
    };
    return cmocka_run_group_tests(tests, search_setup, domains_teardown);
}
