/* See domains.h. */
#include "tests/support/domains.h"

#include "artifacts/artifacts.h"
#include "base/log.h"
#include "datasets/datasets.h"
#include "serving/serving.h"
#include "tracking/tracking.h"
#include "training/training.h"

#include <libpq-fe.h>

int domains_setup(void **state) {
    struct domains *d = calloc(1, sizeof(*d));
    assert_non_null(d);
    void *service;
    log_init(LOG_ERROR);
    assert_int_equal(test_service_setup(&service), 0);
    d->service = service;
    d->app = d->service->app;
    d->arena = d->service->arena;
    d->db = d->service->db;
    test_team_create(d->db, "ours", &d->ours);
    test_team_create(d->db, "theirs", &d->theirs);
    d->editor = test_person(&d->ours, ROLE_EDITOR);
    d->viewer = test_person(&d->ours, ROLE_VIEWER);
    d->admin = test_person(&d->ours, ROLE_ADMIN);
    d->stranger = test_person(&d->theirs, ROLE_EDITOR);
    *state = d;
    return 0;
}

int domains_teardown(void **state) {
    struct domains *d = *state;
    void *service = d->service;
    test_service_teardown(&service);
    free(d);
    return 0;
}

struct test_reply *send_json(struct domains *d, int status, const struct principal *who,
                             const char *method, const char *path, const char *json) {
    return test_expect(
        d->app, d->arena, status,
        &(struct test_request){.method = method, .path = path, .json = json, .who = who});
}

json_t *get_ok(struct domains *d, const char *path, ...) {
    va_list args;
    va_start(args, path);
    const char *target = arena_vprintf(d->arena, path, args);
    va_end(args);
    return send_json(d, 200, &d->editor, "GET", target, NULL)->json;
}

void get_fails(struct domains *d, int status, const struct principal *who, const char *path, ...) {
    va_list args;
    va_start(args, path);
    const char *target = arena_vprintf(d->arena, path, args);
    va_end(args);
    send_json(d, status, who, "GET", target, NULL);
}

json_t *at(json_t *json, const char *member) {
    json_t *value = json_object_get(json, member);
    if (!value)
        fail_msg("there is no member \"%s\"", member);
    return value;
}

const char *text_at(json_t *json, const char *member) {
    const char *text = json_string_value(at(json, member));
    if (!text)
        fail_msg("\"%s\" is not a text", member);
    return text;
}

int64_t int_at(json_t *json, const char *member) {
    if (!json_is_integer(at(json, member)))
        fail_msg("\"%s\" is not an integer", member);
    return json_integer_value(at(json, member));
}

double real_at(json_t *json, const char *member) {
    if (!json_is_number(at(json, member)))
        fail_msg("\"%s\" is not a number", member);
    return json_number_value(at(json, member));
}

json_t *item_at(json_t *page, size_t index) {
    json_t *item = json_array_get(at(page, "items"), index);
    if (!item)
        fail_msg("the page has no item %zu", index);
    return item;
}

const char *field_of(const struct test_reply *reply) {
    const char *field = json_string_value(json_object_get(reply->json, "field"));
    return field ? field : "";
}

const char *upload_make(struct domains *d, const char *file_name, const char *text) {
    const struct test_request rq = {
        .method = "PUT",
        .path = arena_printf(d->arena, "/api/v1/uploads?file_name=%s", file_name),
        .body = text,
        .size = strlen(text),
        .content_type = "application/octet-stream",
        .who = &d->editor};
    return text_at(test_expect(d->app, d->arena, 201, &rq)->json, "id");
}

const char *dataset_make(struct domains *d, const char *name) {
    const char *body = arena_printf(d->arena, "{\"name\":\"%s\"}", name);
    return text_at(
        send_json(d, 201, &d->editor, "POST", "/api/v1/projects/ours/datasets", body)->json, "id");
}

json_t *import_start(struct domains *d, const char *dataset_id) {
    const char *path = arena_printf(d->arena, "/api/v1/datasets/%s/versions", dataset_id);
    const char *body = arena_printf(d->arena, "{\"upload_ids\":[\"%s\"]}",
                                    upload_make(d, "rows.csv", "a,b\n1,2\n"));
    return send_json(d, 202, &d->editor, "POST", path, body)->json;
}

/* ---- jobs without a worker */

static const struct job_kind *kind_find(const char *name) {
    static const struct {
        const struct job_kind *kinds;
        const size_t *count;
    } TABLES[] = {{DATASETS_JOBS, &DATASETS_JOB_COUNT},
                  {TRAINING_JOBS, &TRAINING_JOB_COUNT},
                  {SERVING_JOBS, &SERVING_JOB_COUNT}};
    for (size_t t = 0; t < sizeof(TABLES) / sizeof(TABLES[0]); t++)
        for (size_t i = 0; i < *TABLES[t].count; i++)
            if (strcmp(TABLES[t].kinds[i].name, name) == 0)
                return &TABLES[t].kinds[i];
    fail_msg("there is no job kind \"%s\"", name);
    return NULL;
}

static json_t *json_of(struct ctx *cx, const char *text) {
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    arena_defer(cx->arena, (void (*)(void *))json_decref, json);
    return json;
}

void job_of(struct ctx *cx, const char *id, struct job *ret) {
    assert_ok(job_get(cx, id, ret), &cx->err);
}

static void begin(struct domains *d, struct ctx *cx, const char *id, struct job *ret) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_OWNER);
    cx->app = d->app;
    job_of(cx, id, ret);
}

static void finish(struct ctx *cx) {
    assert_ok(db_commit(cx), &cx->err);
    ctx_done(cx);
}

void job_changes(struct domains *d, const char *id, enum job_state from, enum job_state to) {
    struct ctx cx;
    struct job job;
    begin(d, &cx, id, &job);
    job.state = (int)to;
    assert_ok(kind_find(job.kind)->on_change(&cx, &job, from), &cx.err);
    finish(&cx);
}

static enum err succeed(struct ctx *cx, struct job *job, const char *result,
                        const struct fake_file *files, size_t count) {
    const struct job_kind *kind = kind_find(job->kind);
    struct job_output outputs[8];
    for (size_t i = 0; i < count; i++) {
        struct blob blob;
        TRY(blob_put(cx, files[i].text, strlen(files[i].text), &blob));
        outputs[i] = (struct job_output){.name = files[i].name,
                                         .media_type = "application/octet-stream",
                                         .size_bytes = blob.size_bytes};
        memcpy(outputs[i].sha256, blob.sha256, sizeof(blob.sha256));
    }
    job->state = JOB_SUCCEEDED;
    TRY(kind->on_change(cx, job, JOB_RUNNING));
    return kind->on_success(cx, job, json_of(cx, result), outputs, count);
}

void job_succeeds(struct domains *d, const char *id, const char *result,
                  const struct fake_file *files, size_t count) {
    struct ctx cx;
    struct job job;
    begin(d, &cx, id, &job);
    assert_ok(succeed(&cx, &job, result, files, count), &cx.err);
    finish(&cx);
}

enum err job_success_refused(struct domains *d, const char *id, const char *result) {
    struct ctx cx;
    struct job job;
    begin(d, &cx, id, &job);
    enum err err = succeed(&cx, &job, result, NULL, 0);
    ctx_done(&cx);
    return err;
}

void job_fails(struct domains *d, const char *id, enum job_state to, const char *error) {
    struct ctx cx;
    struct job job;
    begin(d, &cx, id, &job);
    job.state = (int)to;
    job.error = error ? json_of(&cx, error) : NULL;
    const struct job_kind *kind = kind_find(job.kind);
    assert_ok(kind->on_change(&cx, &job, JOB_RUNNING), &cx.err);
    if (kind->on_failure)
        assert_ok(kind->on_failure(&cx, &job), &cx.err);
    finish(&cx);
}

void job_says(struct domains *d, const char *id, const char *event) {
    struct ctx cx;
    struct job job;
    begin(d, &cx, id, &job);
    const struct job_kind *kind = kind_find(job.kind);
    json_t *json = json_of(&cx, event);
    bool state = strcmp(text_at(json, "type"), "state") == 0;
    assert_ok((state ? kind->on_state : kind->on_metrics)(&cx, &job, json), &cx.err);
    finish(&cx);
}

/* ---- ready versions */

static const char IMAGE_RESULT[] =
    "{\"kind\":\"image\",\"rows\":1000,\"shape\":[1,28,28],\"classes\":[{\"name\":\"0\",\"count\":"
    "500},"
    "{\"name\":\"1\",\"count\":500}],\"target\":null,"
    "\"splits\":{\"train\":800,\"validation\":100,\"test\":100},\"split\":{\"train\":0.8},"
    "\"columns\":[{\"name\":\"pixel\",\"type\":\"pixel\"},{\"name\":\"label\",\"type\":"
    "\"categorical\"}],"
    "\"samples\":{\"tile\":56,\"columns\":10,\"items\":[]},\"notes\":[],\"outputs\":[]}";
static const char IMAGE_MANIFEST[] =
    "{\"format\":1,\"kind\":\"image\",\"rows\":1000,\"shape\":[1,28,28],\"classes\":[\"0\",\"1\"],"
    "\"target\":null,\"columns\":[],\"splits\":{\"train\":800,\"validation\":100,\"test\":100},"
    "\"split\":{}}";

static const char TABLE_RESULT[] =
    "{\"kind\":\"table\",\"rows\":150,\"shape\":null,\"classes\":[{\"name\":\"a\",\"count\":75},"
    "{\"name\":\"b\",\"count\":75}],\"target\":\"species\","
    "\"splits\":{\"train\":120,\"validation\":15,\"test\":15},\"split\":{},"
    "\"columns\":[{\"name\":\"width\",\"type\":\"numeric\"},{\"name\":\"species\",\"type\":"
    "\"categorical\"}],"
    "\"samples\":null,\"notes\":[\"2 rows had no width\"],\"outputs\":[]}";
static const char TABLE_MANIFEST[] =
    "{\"format\":1,\"kind\":\"table\",\"rows\":150,\"shape\":null,\"classes\":[\"a\",\"b\"],"
    "\"target\":\"species\",\"columns\":[{\"name\":\"width\",\"type\":\"numeric\",\"tensor\":"
    "\"c0\","
    "\"levels\":null},{\"name\":\"species\",\"type\":\"categorical\",\"tensor\":\"c1\","
    "\"levels\":[\"a\",\"b\"]}],\"splits\":{\"train\":120,\"validation\":15,\"test\":15},\"split\":"
    "{}}";

static json_t *version_make(struct domains *d, const char *name, const char *result,
                            const char *manifest) {
    json_t *version = import_start(d, dataset_make(d, name));
    const struct fake_file files[] = {{"manifest.json", manifest}, {"data.safetensors", "tensors"}};
    job_succeeds(d, text_at(version, "job_id"), result, files, 2);
    return get_ok(d, "/api/v1/dataset-versions/%s", text_at(version, "id"));
}

json_t *image_version_make(struct domains *d, const char *name) {
    return version_make(d, name, IMAGE_RESULT, IMAGE_MANIFEST);
}

json_t *table_version_make(struct domains *d, const char *name) {
    return version_make(d, name, TABLE_RESULT, TABLE_MANIFEST);
}

const char DIGITS_SPEC[] =
    "{\"model\":{\"layers\":[{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":16},{\"type\":"
    "\"relu\"},"
    "{\"type\":\"linear\",\"out\":\"classes\"}],\"loss\":\"cross_entropy\"},"
    "\"optimizer\":{\"type\":\"adamw\",\"lr\":0.001,\"betas\":[0.9,0.999]},\"batch_size\":100,"
    "\"epochs\":3,\"seed\":7}";

json_t *run_make(struct domains *d, const char *name) {
    json_t *version = image_version_make(d, arena_printf(d->arena, "set of %s", name));
    const char *body =
        arena_printf(d->arena, "{\"dataset_version_id\":\"%s\",\"name\":\"%s\",\"spec\":%s}",
                     text_at(version, "id"), name, DIGITS_SPEC);
    return send_json(d, 202, &d->editor, "POST", "/api/v1/projects/ours/training", body)->json;
}

static const char TRAIN_RESULT[] =
    "{\"status\":\"completed\",\"steps\":24,\"metrics\":{\"test/accuracy\":0.985},"
    "\"confusion\":{\"labels\":[\"0\",\"1\"],\"matrix\":[[50,0],[1,49]]},"
    "\"class_metrics\":[{\"label\":\"0\",\"precision\":1.0,\"recall\":1.0,\"f1\":1.0,\"support\":"
    "50}],"
    "\"device\":\"cpu\"}";
static const char MODEL_JSON[] =
    "{\"format\":1,\"model\":{},\"classes\":[\"0\",\"1\"],\"signature\":{\"inputs\":[{\"name\":"
    "\"input\","
    "\"datatype\":\"FP32\",\"shape\":[-1,1,28,28]}],\"outputs\":[{\"name\":\"probabilities\","
    "\"datatype\":\"FP32\",\"shape\":[-1,2]},{\"name\":\"label\",\"datatype\":\"BYTES\",\"shape\":["
    "-1]}]}}";

json_t *run_done_make(struct domains *d, const char *name) {
    json_t *run = run_make(d, name);
    const struct fake_file files[] = {
        {"model.json", MODEL_JSON}, {"model.safetensors", "weights"}, {"evaluation.json", "{}"}};
    job_changes(d, text_at(run, "job_id"), JOB_QUEUED, JOB_RUNNING);
    job_succeeds(d, text_at(run, "job_id"), TRAIN_RESULT, files, 3);
    return get_ok(d, "/api/v1/runs/%s", text_at(run, "id"));
}

json_t *model_version_make(struct domains *d, const char *model) {
    json_t *run = run_done_make(d, arena_printf(d->arena, "for %s", model));
    const char *body =
        arena_printf(d->arena, "{\"model\":\"%s\",\"run_id\":\"%s\"}", model, text_at(run, "id"));
    return send_json(d, 201, &d->editor, "POST", "/api/v1/projects/ours/model-versions", body)
        ->json;
}

/* Our rows, as somebody of that team. */
static int64_t rows_seen(struct domains *d, const char *table, const struct test_team *team) {
    PGconn *pg = PQconnectdb(d->db->app_url);
    assert_int_equal(PQstatus(pg), CONNECTION_OK);
    PQclear(PQexec(pg, arena_printf(d->arena, "set app.team = '%s'", team->team_id)));
    PGresult *r = PQexec(pg, arena_printf(d->arena, "select count(*) from %s where team_id = '%s'",
                                          table, d->ours.team_id));
    assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
    int64_t rows = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    PQfinish(pg);
    return rows;
}

void assert_wall(struct domains *d, const char *table) {
    if (rows_seen(d, table, &d->ours) == 0)
        fail_msg("the test has put nothing into %s", table);
    if (rows_seen(d, table, &d->theirs) != 0)
        fail_msg("another team sees our %s", table);
}
