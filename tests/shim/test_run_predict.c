/* slipway-run-predict with a model trained by slipway-run-train: the protocol in JSON and in bytes,
 * pictures, every lie a client can tell, and the end on SIGTERM. */
#include "tests/shim/runner_case.h"

#include <math.h>
#include <png.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define JSON_HEADER "{\"op\":\"infer\",\"content\":\"json\",\"id\":\"t\"}"

/* Two served models for all tests: training them is the slow part. */
static struct runner_case pictures, table;
static int fd = -1; /* to the one a test chose */

static void serve(struct runner_case *r, const char *spec) {
    runner_job(r, "train", spec, NULL);
    runner_run(r, SLIPWAY_RUN_TRAIN);
    assert_int_equal(0, r->status);
    runner_job(r, "predict", "{\"model\":\"digits\",\"version\":3}", NULL);
    char socket_path[160];
    snprintf(socket_path, sizeof socket_path, "%s/socket", r->dir);
    char *const arguments[] = {"--socket", socket_path, NULL};
    runner_start(r, SLIPWAY_RUN_PREDICT, arguments);
    runner_await(r, "\"ready\"");
}

static int begin_all(void **state) {
    (void)state;
    runner_begin(&pictures);
    runner_add_pictures(&pictures, 400, 1);
    serve(&pictures, "{\"model\":{\"layers\":[{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":"
                     "\"classes\"}]},\"epochs\":5,\"batch_size\":16,\"optimizer\":{\"lr\":0.01}}");
    runner_begin(&table);
    runner_add_table(&table, 400);
    serve(&table, "{\"model\":{\"loss\":\"mse\",\"layers\":[{\"type\":\"linear\",\"out\":1}]},"
                  "\"target\":\"value\",\"features\":[\"x1\",\"x2\",\"flag\",\"kind\"],"
                  "\"epochs\":30,\"batch_size\":16,\"optimizer\":{\"lr\":0.02}}");
    return 0;
}

static int end_all(void **state) {
    (void)state;
    struct runner_case *all[] = {&pictures, &table};
    int failed = 0;
    for (int i = 0; i < 2; i++) {
        kill(all[i]->pid, SIGTERM);
        runner_wait(all[i]);
        failed |= all[i]->status;
        runner_end(all[i]);
    }
    return failed;
}

static int dial(const struct runner_case *r) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", r->dir);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(0, connect(s, (struct sockaddr *)&address, sizeof address));
    return s;
}

static int to_pictures(void **state) {
    (void)state;
    fd = dial(&pictures);
    return 0;
}

static int to_table(void **state) {
    (void)state;
    fd = dial(&table);
    return 0;
}

static int hang_up(void **state) {
    (void)state;
    close(fd);
    return 0;
}

/* Sends a JSON request; the reply's status, its body in *ret (owned). */
static int ask(const char *request, json_t **ret) {
    char *body;
    size_t size;
    json_auto_t *header = predict_exchange(fd, JSON_HEADER, request, strlen(request), &body, &size);
    assert_string_equal("application/json",
                        json_string_value(json_object_get(header, "content_type")));
    *ret = json_loads(body, 0, NULL);
    if (!*ret)
        fail_msg("%s", body);
    free(body);
    return (int)json_integer_value(json_object_get(header, "status"));
}

/* One bright patch in the middle rows: class 1, "mid\"dle". */
static void bright_middle(char *to, size_t room) {
    size_t used = 0;
    for (int i = 0; i < 64; i++)
        used += (size_t)snprintf(to + used, room - used, "%s%d", i ? "," : "",
                                 i / 8 / 3 == 1 ? 200 : 40);
}

static const json_t *output(const json_t *reply, size_t i) {
    return json_array_get(json_object_get(reply, "outputs"), i);
}

static void test_json__answers_with_probabilities_and_label(void **state) {
    (void)state;
    char pixels[512], request[1024];
    bright_middle(pixels, sizeof pixels);
    snprintf(request, sizeof request,
             "{\"id\":\"a\\\"1\",\"inputs\":[{\"name\":\"input\",\"datatype\":\"UINT8\","
             "\"shape\":[1,1,8,8],\"data\":[[%s]]}]}",
             pixels);
    json_t *reply;
    assert_int_equal(200, ask(request, &reply));
    assert_string_equal("digits", json_string_value(json_object_get(reply, "model_name")));
    assert_string_equal("3", json_string_value(json_object_get(reply, "model_version")));
    assert_string_equal("a\"1", json_string_value(json_object_get(reply, "id")));
    const json_t *probabilities = json_object_get(output(reply, 0), "data");
    double sum = 0;
    for (size_t i = 0; i < 3; i++)
        sum += json_number_value(json_array_get(probabilities, i));
    assert_true(fabs(sum - 1) < 1e-5);
    const json_t *label = json_array_get(json_object_get(output(reply, 1), "data"), 0);
    assert_string_equal("mid\"dle", json_string_value(label));
    json_decref(reply);
}

/* The same picture by three ways: JSON, raw floats, PNG of another size. */
static float probability_by_bytes(const char *header, const void *body, size_t size) {
    char *reply;
    size_t reply_size;
    json_auto_t *head = predict_exchange(fd, header, body, size, &reply, &reply_size);
    assert_int_equal(200, json_integer_value(json_object_get(head, "status")));
    size_t json_length = (size_t)json_integer_value(json_object_get(head, "json_length"));
    assert_true(json_length > 0 && json_length + 12 <= reply_size);
    float probability;
    memcpy(&probability, reply + json_length + sizeof(float), sizeof probability);
    uint32_t label_size;
    memcpy(&label_size, reply + json_length + 12, sizeof label_size);
    assert_int_equal(7, label_size);
    assert_memory_equal("mid\"dle", reply + json_length + 16, 7);
    free(reply);
    return probability;
}

static void test_binary__gives_the_same_numbers(void **state) {
    (void)state;
    float pixels[64];
    for (int i = 0; i < 64; i++)
        pixels[i] = i / 8 / 3 == 1 ? 200 : 40;
    float raw = probability_by_bytes("{\"op\":\"infer\",\"content\":\"binary\",\"json_length\":0}",
                                     pixels, sizeof pixels);
    char body[1024], header[128];
    int n = snprintf(body, sizeof body,
                     "{\"inputs\":[{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[1,1,8,8],"
                     "\"parameters\":{\"binary_data_size\":256}}],"
                     "\"parameters\":{\"binary_data_output\":true}}");
    memcpy(body + n, pixels, sizeof pixels);
    snprintf(header, sizeof header, "{\"op\":\"infer\",\"content\":\"binary\",\"json_length\":%d}",
             n);
    float mixed = probability_by_bytes(header, body, (size_t)n + sizeof pixels);
    assert_true(fabsf(raw - mixed) < 1e-6F);
    assert_true(raw > 0.5F);
}

static void test_image__is_preprocessed_here(void **state) {
    (void)state;
    uint8_t pixels[16 * 16 * 3], bytes[4096];
    for (int i = 0; i < 16 * 16; i++)
        memset(pixels + (ptrdiff_t)i * 3, i / 32 / 3 == 1 ? 200 : 40, 3);
    png_image png = {
        .version = PNG_IMAGE_VERSION, .width = 16, .height = 16, .format = PNG_FORMAT_RGB};
    png_alloc_size_t size = sizeof bytes;
    assert_true(png_image_write_to_memory(&png, bytes, &size, 0, pixels, 0, NULL));
    char *body;
    size_t body_size;
    json_auto_t *header = predict_exchange(fd, "{\"op\":\"infer\",\"content\":\"image\"}", bytes,
                                           size, &body, &body_size);
    assert_int_equal(200, json_integer_value(json_object_get(header, "status")));
    assert_non_null(strstr(body, "\"data\":[\"mid\\\"dle\"]"));
    free(body);
    json_auto_t *refused = predict_exchange(fd, "{\"op\":\"infer\",\"content\":\"image\"}", bytes,
                                            size / 2, &body, &body_size);
    assert_int_equal(400, json_integer_value(json_object_get(refused, "status")));
    free(body);
}

static void test_json__takes_batches_up_to_the_limit(void **state) {
    (void)state;
    enum { ROWS = 4096 };
    char *request = malloc((size_t)ROWS * 64 * 2 + 256);
    assert_non_null(request);
    int n = sprintf(request,
                    "{\"outputs\":[{\"name\":\"label\"}],\"inputs\":[{\"name\":\"input\","
                    "\"datatype\":\"FP32\",\"shape\":[%d,1,8,8],\"data\":[0",
                    ROWS);
    for (int i = 1; i < ROWS * 64; i++)
        n += sprintf(request + n, ",%d", i % 10);
    strcpy(request + n, "]}]}");
    json_t *reply;
    assert_int_equal(200, ask(request, &reply));
    assert_int_equal(1, json_array_size(json_object_get(reply, "outputs")));
    assert_int_equal(ROWS, json_array_size(json_object_get(output(reply, 0), "data")));
    json_decref(reply);
    free(request);
}

#define INPUT(name, datatype, shape, data)                                                         \
    "{\"inputs\":[{\"name\":\"" name "\",\"datatype\":\"" datatype "\",\"shape\":" shape           \
    ",\"data\":" data "}]}"

static const struct {
    const char *request;
    int status;
    const char *words;
} LIES[] = {
    {"", 400, "not a JSON object"},
    {"[]", 400, "not a JSON object"},
    {"{\"a\":1,\"a\":2}", 400, "not a JSON object"},
    {"{}", 400, "inputs"},
    {"{\"inputs\":[{}]}", 400, "no name"},
    {INPUT("x", "FP32", "[1]", "[1]"), 400, "no input"},
    {INPUT("input", "FP16", "[1,1,8,8]", "[1]"), 400, "datatype"},
    {INPUT("input", "BYTES", "[1,1,8,8]", "[\"a\"]"), 400, "numeric"},
    {INPUT("input", "FP32", "[1,1,8,9]", "[1]"), 400, "must have shape [N, 1, 8, 8]"},
    {INPUT("input", "FP32", "[1,8,8]", "[1]"), 400, "must have shape"},
    {INPUT("input", "FP32", "[1,1,8,8]", "[1,2,3]"), 400, "has 3 elements"},
    {INPUT("input", "FP32", "[0,1,8,8]", "[]"), 400, "1 to 4096 rows"},
    {INPUT("input", "FP32", "[4097,1,8,8]", "[]"), 413, "1 to 4096 rows"},
    {INPUT("input", "FP32", "[-1,1,8,8]", "[]"), 400, "impossible shape"},
    {INPUT("input", "FP32", "[16,1152921504606846978]", "[]"), 400, "impossible shape"},
    {INPUT("input", "FP32", "[1.5]", "[]"), 400, "impossible shape"},
    {INPUT("input", "FP32", "[]", "[]"), 400, "dimensions"},
    {INPUT("input", "UINT8", "[1,1,8,8]", "[256]"), 400, "not a UINT8"},
    {INPUT("input", "INT32", "[1,1,8,8]", "[1.5]"), 400, "not a INT32"},
    {INPUT("input", "FP32", "[1,1,8,8]", "[\"1\"]"), 400, "not a number"},
    {INPUT("input", "FP32", "[1,1,8,8]", "{}"), 400, "no data"},
    {"{\"id\":7,\"inputs\":[]}", 400, "id must be"},
    {"{\"inputs\":[{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[1,1,8,8],"
     "\"parameters\":{\"binary_data_size\":256}}]}",
     400, "binary_data_size"},
    {"{\"outputs\":[{\"name\":\"label\"},{\"name\":\"label\"}],\"inputs\":[{}]}", 400, "twice"},
    {"{\"outputs\":[{\"name\":\"value\"}],\"inputs\":[{}]}", 400, "no output"},
};

static void test_json__refuses_every_lie_and_stays(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof LIES / sizeof *LIES; i++) {
        json_t *reply;
        int status = ask(LIES[i].request, &reply);
        const char *error = json_string_value(json_object_get(reply, "error"));
        if (status != LIES[i].status || !error || !strstr(error, LIES[i].words))
            fail_msg("%s gave %d %s", LIES[i].request, status, error ? error : "no error");
        json_decref(reply);
    }
}

static void test_json__refuses_deep_nesting(void **state) {
    (void)state;
    char *request = malloc(250001);
    assert_non_null(request);
    memset(request, '[', 250000);
    request[250000] = '\0';
    json_t *reply;
    assert_int_equal(400, ask(request, &reply));
    json_decref(reply);
    free(request);
}

static void test_binary__refuses_a_json_length_beyond_the_body(void **state) {
    (void)state;
    static const char *const HEADERS[] = {
        "{\"op\":\"infer\",\"content\":\"binary\",\"json_length\":99999999999}",
        "{\"op\":\"infer\",\"content\":\"binary\",\"json_length\":-5}",
        "{\"op\":\"infer\",\"content\":\"binary\"}",
        "{\"op\":\"infer\",\"content\":\"binary\",\"json_length\":0}",
    };
    for (size_t i = 0; i < sizeof HEADERS / sizeof *HEADERS; i++) {
        char *body;
        size_t size;
        json_auto_t *header = predict_exchange(fd, HEADERS[i], "abc", 3, &body, &size);
        assert_int_equal(400, json_integer_value(json_object_get(header, "status")));
        free(body);
    }
}

/* A header that is no request, or a length beyond the limit: the connection ends, the server not.
 */
static void test_frame__a_bad_one_closes_only_its_connection(void **state) {
    (void)state;
    static const char *const BAD[] = {"\x02\0\0\0{}", "\xff\xff\xff\x7f", "\x03\0\0\0{\"a"};
    static const size_t SIZES[] = {6, 4, 7};
    for (int i = 0; i < 3; i++) {
        int bad = dial(&pictures);
        assert_int_equal(SIZES[i], write(bad, BAD[i], SIZES[i]));
        char byte;
        assert_true(read(bad, &byte, 1) <= 0);
        close(bad);
    }
    json_t *reply;
    assert_int_equal(400, ask("{}", &reply));
    json_decref(reply);
}

#define COLUMN(name, datatype, data)                                                               \
    "{\"name\":\"" name "\",\"datatype\":\"" datatype "\",\"shape\":[2],\"data\":" data "}"
#define KIND COLUMN("kind", "BYTES", "[\"c\",\"never seen\"]")
#define X1 COLUMN("x1", "FP32", "[10,0]")
#define X2 COLUMN("x2", "FP64", "[1100,null]")
#define FLAG COLUMN("flag", "BOOL", "[true,false]")

/* value = 5000 + 100 x1 + 50 kind: about 6100 for the first row. */
static void test_table__takes_columns_and_answers_in_the_targets_unit(void **state) {
    (void)state;
    json_t *reply;
    assert_int_equal(200, ask("{\"inputs\":[" KIND "," X1 "," X2 "," FLAG "]}", &reply));
    const json_t *values = json_object_get(output(reply, 0), "data");
    assert_string_equal("value", json_string_value(json_object_get(output(reply, 0), "name")));
    assert_int_equal(2, json_array_size(values));
    double first = json_number_value(json_array_get(values, 0));
    if (fabs(first - 6100) > 60)
        fail_msg("%g", first);
    assert_true(isfinite(json_number_value(json_array_get(values, 1))));
    json_decref(reply);
}

static const struct {
    const char *request, *words;
} TABLE_LIES[] = {
    {"{\"inputs\":[" KIND "," X1 "," X2 "]}", "\"flag\" is missing"},
    {"{\"inputs\":[" KIND "," X1 "," X2 "," FLAG "," X1 "]}", "\"x1\" is given twice"},
    {"{\"inputs\":[" KIND "," X1 "," X2 "," FLAG "," COLUMN("y", "FP32", "[1,2]") "]}",
     "no input \"y\""},
    {"{\"inputs\":[" KIND "," X1 "," X2 ",{\"name\":\"flag\",\"datatype\":\"BOOL\",\"shape\":[3],"
     "\"data\":[true,true,true]}]}",
     "the same N"},
    {"{\"inputs\":[" COLUMN("kind", "FP32", "[1,2]") "," X1 "," X2 "," FLAG "]}", "must be BYTES"},
    {"{\"inputs\":[" COLUMN("kind", "BYTES", "[1,2]") "," X1 "," X2 "," FLAG "]}", "not a string"},
    {"{\"inputs\":[" KIND "," X1 "," X2 "," COLUMN("flag", "BOOL", "[2,0]") "]}", "not a BOOL"},
};

static void test_table__refuses_missing_extra_and_mistyped_columns(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof TABLE_LIES / sizeof *TABLE_LIES; i++) {
        json_t *reply;
        int status = ask(TABLE_LIES[i].request, &reply);
        const char *error = json_string_value(json_object_get(reply, "error"));
        if (status != 400 || !error || !strstr(error, TABLE_LIES[i].words))
            fail_msg("%s gave %d %s", TABLE_LIES[i].request, status, error ? error : "no error");
        json_decref(reply);
    }
}

static void test_table__refuses_a_picture(void **state) {
    (void)state;
    char *body;
    size_t size;
    json_auto_t *header =
        predict_exchange(fd, "{\"op\":\"infer\",\"content\":\"image\"}", "x", 1, &body, &size);
    assert_int_equal(400, json_integer_value(json_object_get(header, "status")));
    free(body);
}

static void test_load__refuses_a_model_that_does_not_fit_its_weights(void **state) {
    (void)state;
    struct runner_case r;
    runner_begin(&r);
    runner_job(&r, "predict", "{\"model\":\"m\",\"version\":1}", NULL);
    char command[512];
    snprintf(command, sizeof command,
             "mkdir %s/outputs && cp %s/outputs/model.json %s/outputs/ && "
             "cp %s/outputs/model.safetensors %s/outputs/",
             r.dir, pictures.dir, r.dir, table.dir, r.dir);
    assert_int_equal(0, system(command));
    char path[160];
    snprintf(path, sizeof path, "%s/socket", r.dir);
    char *const arguments[] = {"--socket", path, NULL};
    runner_start(&r, SLIPWAY_RUN_PREDICT, arguments);
    runner_wait(&r);
    assert_int_equal(2, r.status);
    json_auto_t *error = runner_json(&r, "outputs/error.json");
    assert_string_equal("invalid_data", json_string_value(json_object_get(error, "code")));
    runner_end(&r);
}

#define PICTURES(test) cmocka_unit_test_setup_teardown(test, to_pictures, hang_up)
#define TABLES(test) cmocka_unit_test_setup_teardown(test, to_table, hang_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        PICTURES(test_json__answers_with_probabilities_and_label),
        PICTURES(test_binary__gives_the_same_numbers),
        PICTURES(test_image__is_preprocessed_here),
        PICTURES(test_json__takes_batches_up_to_the_limit),
        PICTURES(test_json__refuses_every_lie_and_stays),
        PICTURES(test_json__refuses_deep_nesting),
        PICTURES(test_binary__refuses_a_json_length_beyond_the_body),
        PICTURES(test_frame__a_bad_one_closes_only_its_connection),
        TABLES(test_table__takes_columns_and_answers_in_the_targets_unit),
        TABLES(test_table__refuses_missing_extra_and_mistyped_columns),
        TABLES(test_table__refuses_a_picture),
        cmocka_unit_test(test_load__refuses_a_model_that_does_not_fit_its_weights),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
