/* safetensors: what is written is read again, and no lie in a header is believed. */
#include "tests/support/cmocka_all.h"

#include "shim/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const float FLOATS[] = {1, -2, 3.5F, 4, 5, 6};
static const uint8_t BYTES[] = {7, 8, 9};
static const double DOUBLES[] = {0.25};

/* An anonymous file. */
static int new_file(void) {
    int fd = memfd_create("safetensors", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void test_write__is_read_again_aligned(void **state) {
    (void)state;
    struct safetensor out[] = {
        {"bytes", {TSH_U8, 1, {3}, BYTES, sizeof BYTES}},
        {"floats", {TSH_F32, 2, {2, 3}, FLOATS, sizeof FLOATS}},
        {"doubles", {TSH_F64, 0, {0}, DOUBLES, sizeof DOUBLES}},
        {"empty", {TSH_I64, 2, {0, 5}, NULL, 0}},
    };
    json_auto_t *metadata = json_pack("{s:s}", "maker", "test");
    int fd = new_file();
    assert_true(safetensors_write(fd, out, 4, metadata));
    struct safetensors auto_safetensors file = {0};
    char error[SAFETENSORS_ERROR_BYTES] = "";
    if (!safetensors_open(fd, &file, error))
        fail_msg("%s", error);
    close(fd);
    assert_int_equal(4, file.count);
    const struct safetensor *floats = safetensors_find(&file, "floats");
    assert_non_null(floats);
    assert_int_equal(2, floats->view.ndim);
    assert_int_equal(3, floats->view.shape[1]);
    assert_int_equal(0, (uintptr_t)floats->view.data % sizeof(float));
    assert_memory_equal(FLOATS, floats->view.data, sizeof FLOATS);
    assert_memory_equal(BYTES, safetensors_find(&file, "bytes")->view.data, sizeof BYTES);
    assert_memory_equal(DOUBLES, safetensors_find(&file, "doubles")->view.data, sizeof DOUBLES);
    assert_int_equal(0, safetensors_find(&file, "empty")->view.size_bytes);
    assert_null(safetensors_find(&file, "other"));
    assert_string_equal("test", json_string_value(json_object_get(file.metadata, "maker")));
}

/* The file of a header and data_bytes zero bytes, on the heap so that a sanitizer sees its end. */
static bool parse(const char *header, size_t data_bytes, struct safetensors *ret, char *error) {
    size_t length = strlen(header), size = 8 + length + data_bytes;
    uint8_t *bytes = calloc(size, 1);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)length >> (8 * i));
    memcpy(bytes + 8, header, length);
    bool done = safetensors_parse(bytes, size, ret, error);
    if (done)
        safetensors_done(ret);
    free(bytes);
    return done;
}

#define TENSOR(name, dtype, shape, begin, end)                                                     \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end   \
    "]}"

static const struct {
    const char *header;
    size_t data_bytes;
    const char *words; /* of the sentence; NULL = valid */
} HEADERS[] = {
    {"{}", 0, NULL},
    {"{" TENSOR("a", "U8", "[4]", "0", "4") "}   ", 4, NULL},
    {"{" TENSOR("a", "F32", "[]", "0", "4") "}", 4, NULL},
    {"{" TENSOR("b", "U8", "[4]", "4", "8") "," TENSOR("a", "F32", "[1]", "0", "4") "}", 8, NULL},
    {"", 0, "not a JSON object"},
    {"[]", 0, "not a JSON object"},
    {" {}", 0, "not a JSON object"},
    {"{\"a\"", 0, "not valid JSON"},
    {"{}", 1, "belong to no tensor"},
    {"{" TENSOR("a", "U8", "[4]", "0", "4") "," TENSOR("a", "U8", "[4]", "0", "4") "}", 4,
     "not valid JSON"},
    {"{" TENSOR("a", "U9", "[4]", "0", "4") "}", 4, "dtype"},
    {"{" TENSOR("a", "F8_E4M3", "[4]", "0", "4") "}", 4, "dtype"},
    {"{" TENSOR("a", "U8", "[-4]", "0", "4") "}", 4, "shape"},
    {"{" TENSOR("a", "U8", "[4.0]", "0", "4") "}", 4, "shape"},
    {"{" TENSOR("a", "U8", "4", "0", "4") "}", 4, "shape"},
    {"{" TENSOR("a", "U8", "[1,1,1,1,1,1,1,1,4]", "0", "4") "}", 4, "shape"},
    {"{" TENSOR("a", "F64", "[2305843009213693953]", "0", "8") "}", 8, "shape"},
    {"{" TENSOR("a", "U8", "[4294967296,4294967296,4]", "0", "4") "}", 4, "shape"},
    {"{" TENSOR("a", "U8", "[4]", "0", "5") "}", 5, "bytes for a shape"},
    {"{" TENSOR("a", "U8", "[4]", "4", "0") "}", 4, "outside"},
    {"{" TENSOR("a", "U8", "[4]", "-4", "0") "}", 4, "outside"},
    {"{" TENSOR("a", "U8", "[4]", "1", "5") "}", 4, "outside"},
    {"{" TENSOR("a", "U8", "[4]", "0", "99999999999999999999") "}", 4, "not valid JSON"},
    {"{" TENSOR("a", "U8", "[4]", "0", "4") "," TENSOR("b", "U8", "[4]", "2", "6") "}", 6,
     "overlaps"},
    {"{" TENSOR("a", "U8", "[4]", "0", "4") "," TENSOR("b", "U8", "[4]", "0", "4") "}", 4,
     "overlaps"},
    {"{" TENSOR("a", "U8", "[2]", "0", "2") "," TENSOR("b", "U8", "[2]", "4", "6") "}", 6, "hole"},
    {"{" TENSOR("a", "U8", "[2]", "2", "4") "}", 4, "hole"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],\"x\":1}}", 0, "must have"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0]}}", 0, "data_offsets"},
    {"{\"a\":7}", 0, "must have"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "strings only"},
    {"{\"__metadata__\":[]}", 0, "not an object"},
    {"{\"__metadata__\":{\"a\":\"b\"}}", 0, NULL},
};

static void test_parse__believes_no_lie(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof HEADERS / sizeof *HEADERS; i++) {
        struct safetensors file;
        char error[SAFETENSORS_ERROR_BYTES] = "";
        bool valid = parse(HEADERS[i].header, HEADERS[i].data_bytes, &file, error);
        if (valid != !HEADERS[i].words || (HEADERS[i].words && !strstr(error, HEADERS[i].words)))
            fail_msg("%s gave %d \"%s\"", HEADERS[i].header, valid, error);
    }
}

static void test_parse__bounds_the_header_by_the_file(void **state) {
    (void)state;
    static const uint8_t LENGTHS[][8] = {
        {3}, {255, 255, 255, 255, 255, 255, 255, 255}, {1, 0, 0, 1}, {0}, {1}};
    for (size_t i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++) {
        uint8_t bytes[10] = {0};
        memcpy(bytes, LENGTHS[i], 8);
        memcpy(bytes + 8, "{}", 2);
        struct safetensors file;
        char error[SAFETENSORS_ERROR_BYTES];
        assert_false(safetensors_parse(bytes, sizeof bytes, &file, error));
        assert_false(safetensors_parse(bytes, i, &file, error));
    }
}

/* A float at an odd offset is copied to where a float may be. */
static void test_parse__aligns_what_others_did_not(void **state) {
    (void)state;
    static const char HEADER[] =
        "{" TENSOR("a", "U8", "[1]", "0", "1") "," TENSOR("b", "F32", "[2]", "1", "9") "}";
    uint8_t bytes[8 + sizeof HEADER - 1 + 9] = {sizeof HEADER - 1};
    memcpy(bytes + 8, HEADER, sizeof HEADER - 1);
    memcpy(bytes + sizeof bytes - 8, FLOATS, 8);
    struct safetensors auto_safetensors file = {0};
    char error[SAFETENSORS_ERROR_BYTES];
    assert_true(safetensors_parse(bytes, sizeof bytes, &file, error));
    const struct safetensor *b = safetensors_find(&file, "b");
    assert_int_equal(0, (uintptr_t)b->view.data % sizeof(float));
    assert_memory_equal(FLOATS, b->view.data, 8);
}

static void test_open__refuses_an_empty_file(void **state) {
    (void)state;
    struct safetensors file;
    char error[SAFETENSORS_ERROR_BYTES];
    int fd = new_file();
    assert_false(safetensors_open(fd, &file, error));
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write__is_read_again_aligned),
        cmocka_unit_test(test_parse__believes_no_lie),
        cmocka_unit_test(test_parse__bounds_the_header_by_the_file),
        cmocka_unit_test(test_parse__aligns_what_others_did_not),
        cmocka_unit_test(test_open__refuses_an_empty_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
