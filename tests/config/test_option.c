/* Options: which source wins, what is refused with which hint, what is printed. */

#include "base/cleanup.h"
#include "config/config.h"
#include "tests/support/cmocka_all.h"

#include <string.h>

struct options {
    const char *name, *mode, *password;
    int64_t slots, memory;
    bool verbose;
};
static const struct option OPTIONS[] = {
    OPTION(TEXT, struct options, name, .fallback = "anna", .doc = "a name"),
    OPTION(TEXT, struct options, mode, .fallback = "auto", .choices = "auto|strict|off",
           .doc = "a choice"),
    OPTION(TEXT, struct options, password, .flags = OPTION_SECRET, .doc = "a secret"),
    OPTION(INT, struct options, slots, .fallback = "1", .min = 1, .max = 8, .doc = "a number"),
    OPTION(BYTES, struct options, memory, .fallback = "1 GiB", .doc = "a size"),
    OPTION(BOOL, struct options, verbose, .flags = OPTION_FLAG_ONLY, .doc = "a switch"),
};

static struct arena *arena;
static char file_path[64];

static int setup(void **state) {
    (void)state;
    arena = arena_new();
    snprintf(file_path, sizeof(file_path), "/tmp/slipway-option-XXXXXX");
    int fd = mkstemp(file_path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return unlink(file_path);
}

static void write_file(const char *text) {
    auto_file *file = fopen(file_path, "w");
    fputs(text, file);
}

/* Loads with the file and the flags given (NULL-terminated). */
static enum err load(struct options *ret, struct option_input *input, struct err_info *err,
                     const char *const *flags) {
    const struct option_set set = {OPTIONS, sizeof(OPTIONS) / sizeof(OPTIONS[0]), ret};
    static char *argv[16];
    int argc = 0;
    for (; flags && flags[argc]; argc++)
        argv[argc] = arena_strdup(arena, flags[argc]);
    *ret = (struct options){0};
    *err = (struct err_info){0};
    *input = (struct option_input){
        .env_prefix = "T_", .config_file = file_path, .argc = argc, .argv = argv};
    return options_load(arena, &set, 1, input, err);
}

#define FLAGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_options__flag_beats_environment_beats_file_beats_default(void **state) {
    (void)state;
    struct options o;
    struct option_input input;
    struct err_info err;
    assert_ok(load(&o, &input, &err, NULL), &err);
    assert_int_equal(1, o.slots);
    assert_string_equal("anna", o.name);
    assert_true(o.memory == INT64_C(1) << 30);
    write_file("# comment\n\n  slots = 2  \nname=  Bert B. \nmemory = 512MiB\n");
    assert_ok(load(&o, &input, &err, NULL), &err);
    assert_int_equal(2, o.slots);
    assert_string_equal("Bert B.", o.name);
    assert_true(o.memory == INT64_C(512) << 20);
    setenv("T_SLOTS", "3", 1);
    assert_ok(load(&o, &input, &err, NULL), &err);
    assert_int_equal(3, o.slots);
    assert_ok(load(&o, &input, &err, FLAGS("--slots=4", "--verbose", "word", "--mode", "off")),
              &err);
    assert_int_equal(4, o.slots);
    assert_true(o.verbose);
    assert_string_equal("off", o.mode);
    assert_int_equal(1, input.word_count);
    assert_string_equal("word", input.words[0]);
    unsetenv("T_SLOTS");
}

static void test_options__config_flag_chooses_the_file(void **state) {
    (void)state;
    struct options o;
    struct option_input input;
    struct err_info err;
    write_file("slots = 7\n");
    assert_ok(load(&o, &input, &err, FLAGS("--config", file_path)), &err);
    assert_int_equal(7, o.slots);
    assert_err(ERR_INVALID, load(&o, &input, &err, FLAGS("--config=/nonexistent/file")));
    assert_non_null(strstr(err.message, "/nonexistent/file"));
    assert_err(ERR_INVALID, load(&o, &input, &err, FLAGS("--config")));
}

static void test_options__refuses_unknown_keys_with_the_nearest(void **state) {
    (void)state;
    struct options o;
    struct option_input input;
    struct err_info err;
    write_file("slots = 1\nslost = 2\n");
    assert_err(ERR_INVALID, load(&o, &input, &err, NULL));
    assert_non_null(strstr(err.message, ":2: unknown option \"slost\"; the nearest is \"slots\""));
    write_file("verbose = true\n"); /* a command's flag is no key of the file */
    assert_err(ERR_INVALID, load(&o, &input, &err, NULL));
    write_file("");
    assert_err(ERR_INVALID, load(&o, &input, &err, FLAGS("--memroy", "1")));
    assert_non_null(strstr(err.message, "\"memory\""));
    setenv("T_SLOST", "1", 1);
    assert_err(ERR_INVALID, load(&o, &input, &err, NULL));
    unsetenv("T_SLOST");
    setenv("T_SOMETHING_ELSE", "1", 1);
    assert_ok(load(&o, &input, &err, NULL), &err);
    unsetenv("T_SOMETHING_ELSE");
}

static void test_options__refuses_bad_values(void **state) {
    (void)state;
    static const char *const cases[] = {
        "slots = 0",
        "slots = 9",
        "slots = x",
        "slots =",
        "slots = 1 2",
        "slots = 99999999999999999999",
        "mode = maybe",
        "mode = aut",
        "memory = -1",
        "memory = 5 GB",
        "memory = 9999999 TiB",
        "memory = lots",
        "no equals sign",
        "slots 1",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct options o;
        struct option_input input;
        struct err_info err;
        write_file(cases[i]);
        if (load(&o, &input, &err, NULL) != ERR_INVALID || !strstr(err.message, ":1: "))
            fail_msg("%s: %s", cases[i], err.message);
    }
}

static void test_options__prints_no_secret(void **state) {
    (void)state;
    struct options o;
    struct option_input input;
    struct err_info err;
    write_file("password = hunter2\n");
    assert_ok(load(&o, &input, &err, NULL), &err);
    assert_string_equal("hunter2", o.password);
    auto_free char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    options_print(&(struct option_set){OPTIONS, sizeof(OPTIONS) / sizeof(OPTIONS[0]), &o}, out);
    fclose(out);
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "# a secret\npassword = ********\n"));
    assert_non_null(strstr(text, "slots = 1\n"));
}

static void test_config__defaults_are_valid_and_print_reads_back(void **state) {
    (void)state;
    struct config first, second;
    struct err_info err;
    struct option_input input = {.env_prefix = "T_"};
    assert_ok(config_load(arena, &input, NULL, &first, &err), &err);
    assert_string_equal("127.0.0.1:8443", first.listen);
    assert_string_equal("var/keys/tls.crt", first.tls_cert);
    assert_string_equal(first.database_url, first.migrate_url);
    auto_file *out = fopen(file_path, "w");
    config_print(&first, out);
    fflush(out);
    struct option_input again = {.env_prefix = "T_", .config_file = file_path};
    assert_ok(config_load(arena, &again, NULL, &second, &err), &err);
    assert_string_equal("********", second.database_url);
    assert_true(first.max_upload_bytes == second.max_upload_bytes);
    assert_string_equal(first.tls_key, second.tls_key);
}

struct command {
    const char *email;
};
static const struct option COMMAND[] = {
    OPTION(TEXT, struct command, email, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED, .doc = "who"),
};

static void test_config__takes_a_command_s_own_flags(void **state) {
    (void)state;
    struct config config;
    struct command command = {0};
    struct err_info err;
    const struct option_set set = {COMMAND, 1, &command};
    char *argv[] = {"create", "--email", "a@b.c", "--threads", "8"};
    struct option_input input = {.env_prefix = "T_", .argc = 5, .argv = argv};
    assert_ok(config_load(arena, &input, &set, &config, &err), &err);
    assert_string_equal("a@b.c", command.email);
    assert_int_equal(8, config.threads);
    assert_string_equal("create", input.words[0]);
    command.email = NULL;
    input.argc = 1;
    assert_err(ERR_INVALID, config_load(arena, &input, &set, &config, &err));
    assert_string_equal("email", err.field);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options__flag_beats_environment_beats_file_beats_default),
        cmocka_unit_test(test_options__config_flag_chooses_the_file),
        cmocka_unit_test(test_options__refuses_unknown_keys_with_the_nearest),
        cmocka_unit_test(test_options__refuses_bad_values),
        cmocka_unit_test(test_options__prints_no_secret),
        cmocka_unit_test(test_config__defaults_are_valid_and_print_reads_back),
        cmocka_unit_test(test_config__takes_a_command_s_own_flags),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
