/* slipway-import: options, the report, and nothing else. */
#include "importer/importer.h"
#include "importer/remote.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "config/option.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_MAX 300

struct import_options {
    const char *server, *ca_file, *token_file, *project, *experiment;
    const char *source_ca_file, *source_token_file, *source_user;
    bool quiet, json;
};

static const struct option OPTIONS[] = {
    OPTION(TEXT, struct import_options, server, .fallback = "https://localhost:8443",
           .doc = "Slipway's address"),
    OPTION(TEXT, struct import_options, ca_file,
           .doc = "certificate the server's is checked with; empty = the system's authorities"),
    OPTION(TEXT, struct import_options, token_file,
           .doc = "file with an API token that may write; else SLIPWAY_TOKEN"),
    OPTION(TEXT, struct import_options, project, .fallback = "default",
           .doc = "the project that takes it all"),
    OPTION(TEXT, struct import_options, experiment, .fallback = "TensorBoard",
           .doc = "of event files: the experiment their runs become part of"),
    OPTION(TEXT, struct import_options, source_ca_file,
           .doc = "certificate the source server's is checked with"),
    OPTION(TEXT, struct import_options, source_token_file,
           .doc = "file with the source's token, or its password with --source-user; else"
                  " SLIPWAY_IMPORT_SOURCE_TOKEN"),
    OPTION(TEXT, struct import_options, source_user, .doc = "the source's user"),
    OPTION(BOOL, struct import_options, quiet, .doc = "no progress"),
    OPTION(BOOL, struct import_options, json, .doc = "the report as JSON"),
};
static const size_t OPTION_COUNT = sizeof(OPTIONS) / sizeof(OPTIONS[0]);

static int usage(void) {
    struct import_options none;
    fputs("slipway-import mlflow SOURCE        a running MLflow server (https://…) or an mlruns"
          " directory\n"
          "slipway-import tensorboard SOURCE   a directory with event files\n\n"
          "Repeat an import to go on where it stopped: nothing comes twice.\n\n",
          stdout);
    options_help(&(struct option_set){OPTIONS, OPTION_COUNT, &none}, stdout);
    return 0;
}

/* The first line of a file, or a variable of the environment; "" when there is neither. */
static enum err secret(const char *file, const char *variable, char ret[TOKEN_MAX],
                       struct err_info *err) {
    const char *text = getenv(variable);
    snprintf(ret, TOKEN_MAX, "%s", text ? text : "");
    if (!file)
        return OK;
    auto_file *from = fopen(file, "re");
    if (!from || !fgets(ret, TOKEN_MAX, from))
        return err_set(err, ERR_INVALID, NULL, "\"%s\" cannot be read", file);
    ret[strcspn(ret, "\r\n")] = '\0';
    return OK;
}

static bool is_url(const char *source) {
    return strncmp(source, "https://", 8) == 0 || strncmp(source, "http://", 7) == 0;
}

/* What stands in TAG_SOURCE: the same for the same source, however it is written. */
static const char *label_of(struct arena *arena, const char *kind, const char *source) {
    if (is_url(source))
        return source;
    auto_free char *absolute = realpath(source, NULL);
    return arena_printf(arena, "%s:%s", kind, absolute ? absolute : source);
}

static void print_json(const struct importer *im) {
    const struct import_counts *c = &im->counts;
    auto_json *report = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "experiments", c->experiments,
        "runs", c->runs, "runs_kept", c->runs_kept, "points", c->points, "files", c->files, "bytes",
        c->bytes, "logged_models", c->logged_models, "models", c->models, "versions", c->versions,
        "versions_kept", c->versions_kept, "left_out", im->left);
    json_dumpf(report, stdout, JSON_INDENT(2));
    putchar('\n');
}

static void print_report(const struct importer *im) {
    const struct import_counts *c = &im->counts;
    printf("came along: %lld experiments, %lld runs (%lld were here), %lld points, %lld files of"
           " %.1f MB, %lld logged models, %lld models with %lld versions (%lld were here)\n",
           (long long)c->experiments, (long long)c->runs, (long long)c->runs_kept,
           (long long)c->points, (long long)c->files, (double)c->bytes / 1e6,
           (long long)c->logged_models, (long long)c->models, (long long)c->versions,
           (long long)c->versions_kept);
    if (json_array_size(im->left))
        printf("%zu did not come along:\n", json_array_size(im->left));
    size_t i;
    json_t *sentence;
    json_array_foreach(im->left, i, sentence) printf("  %s\n", json_string_value(sentence));
}

static enum err open_source(struct importer *im, const char *kind, const char *place,
                            const struct import_options *o, struct remote **ret_remote,
                            const char *token, struct source *ret, struct err_info *err) {
    if (strcmp(kind, "tensorboard") == 0)
        return source_tensorboard(im, place, o->experiment, ret, err);
    if (strcmp(kind, "mlflow") != 0)
        return err_set(err, ERR_INVALID, NULL, "\"%s\" is neither mlflow nor tensorboard", kind);
    if (!is_url(place))
        return source_mlruns(im, place, ret, err);
    const char *given = *token ? token : NULL;
    *ret_remote = remote_new(&(struct remote_options){.url = place,
                                                      .ca_file = o->source_ca_file,
                                                      .token = o->source_user ? NULL : given,
                                                      .user = o->source_user,
                                                      .password = given});
    return source_mlflow(im, *ret_remote, ret, err);
}

static enum err run(struct arena *arena, const struct import_options *o, const char *kind,
                    char *place, struct err_info *err) {
    char token[TOKEN_MAX], source_token[TOKEN_MAX];
    struct source source = {0};
    struct remote *remote = NULL;
    for (size_t n = strlen(place); n > 1 && place[n - 1] == '/'; n--)
        place[n - 1] = '\0';
    TRY(secret(o->token_file, "SLIPWAY_TOKEN", token, err));
    TRY(secret(o->source_token_file, "SLIPWAY_IMPORT_SOURCE_TOKEN", source_token, err));
    if (!*token)
        return err_set(err, ERR_INVALID, NULL,
                       "no API token: give --token-file or set SLIPWAY_TOKEN");
    struct importer im = {.prefix = arena_printf(arena, "/p/%s", o->project),
                          .label = label_of(arena, kind, place),
                          .progress = o->quiet ? NULL : stderr,
                          .runs = json_object(),
                          .models = json_object(),
                          .left = json_array()};
    im.target = remote_new(
        &(struct remote_options){.url = o->server, .ca_file = o->ca_file, .token = token});
    enum err done = open_source(&im, kind, place, o, &remote, source_token, &source, err);
    if (done == OK)
        done = import_all(&im, &source, err);
    if (source.self)
        (o->json ? print_json : print_report)(&im);
    if (source.free)
        source.free(source.self);
    remote_free(remote);
    remote_free(im.target);
    json_decref(im.runs);
    json_decref(im.models);
    json_decref(im.left);
    return done;
}

int main(int argc, char **argv) {
    struct import_options options;
    struct err_info err = {0};
    const struct option_set set = {OPTIONS, OPTION_COUNT, &options};
    struct option_input input = {
        .env_prefix = "SLIPWAY_IMPORT_", .argc = argc - 1, .argv = argv + 1};
    if (argc < 2 || strcmp(argv[1], "--help") == 0)
        return usage();
    struct arena *arena = arena_new();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    enum err done = options_load(arena, &set, 1, &input, &err);
    if (done == OK && input.word_count != 2)
        done = err_set(&err, ERR_INVALID, NULL, "say what to import: slipway-import --help");
    if (done == OK)
        done = run(arena, &options, input.words[0], arena_strdup(arena, input.words[1]), &err);
    if (done != OK)
        fprintf(stderr, "slipway-import: %s\n", err.message);
    curl_global_cleanup();
    arena_free(arena);
    return done == OK ? 0 : 1;
}
