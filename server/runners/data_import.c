/* data_import.c: the frame of an import: what the spec asks for, what the file is, and the two
 * descriptions that stand beside the tensors. manifest.json is for the trainer, result.json for
 * people; both are written last, so that they never speak of tensors that are not there. */
#include "runners/data.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

static const struct {
    const char *name;
    enum data_format format;
} FORMATS[] = {
    {"auto", FORMAT_AUTO},       {"idx", FORMAT_IDX}, {"images", FORMAT_IMAGES},
    {"csv", FORMAT_CSV},         {"tsv", FORMAT_TSV}, {"jsonl", FORMAT_JSONL},
    {"parquet", FORMAT_PARQUET},
};

/* Beginnings of files that people try and that are better named than called bad text. */
static const struct {
    const char *magic;
    size_t size;
    const char *what;
} FOREIGN[] = {
    {"7z\xbc\xaf", 4, "a 7-Zip archive; send a zip or tar.gz"},
    {"Rar!", 4, "a RAR archive; send a zip or tar.gz"},
    {"\xfd"
     "7zXZ",
     5, "xz-compressed; send it plain or as gzip"},
    {"BZh", 3, "bzip2-compressed; send it plain or as gzip"},
    {"\x28\xb5\x2f\xfd", 4, "zstd-compressed; send it plain or as gzip"},
    {"\x89PNG", 4, "a single picture; send a zip with one folder a class"},
    {"\xff\xd8\xff", 3, "a single picture; send a zip with one folder a class"},
    {"%PDF", 4, "a PDF document"},
    {"SQLite format 3", 15, "an SQLite database; export the table as CSV"},
};

enum { HEAD_BYTES = 512 };

void import_note(struct import *im, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    json_array_append_new(im->notes, json_vsprintf(fmt, args));
    va_end(args);
}

enum run refuse_input(struct import *im, enum refusal code, const struct runner_input *in,
                      const char *place, const char *fmt, ...) {
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return refuse_at(im->rn, code, (struct place){.file = in->file_name, .place = place}, "%s",
                     text);
}

enum run import_check_ratio(struct import *im, const struct runner_input *in, int64_t bytes_out) {
    if (bytes_out > DATA_UNPACKED_MAX)
        return refuse_input(im, REFUSE_TOO_LARGE, in, NULL, "it unpacks to more than %lld GiB",
                            (long long)(DATA_UNPACKED_MAX >> 30));
    if (bytes_out > DATA_RATIO_FROM && bytes_out / DATA_RATIO_MAX > in->size_bytes)
        return refuse_input(im, REFUSE_TOO_LARGE, in, NULL,
                            "it unpacks to more than %d times its size", DATA_RATIO_MAX);
    return RUN_DONE;
}

enum run import_progress(struct import *im, double fraction, const char *message) {
    double passed = runner_now_s() - im->started_s;
    event_progress(fraction, fraction > 0.02 ? passed * (1 - fraction) / fraction : -1, "%s",
                   message);
    return runner_cancelled() ? RUN_CANCELLED : RUN_DONE;
}

static enum run read_spec(struct import *im) {
    const char *format = "auto";
    json_t *target = NULL;
    json_error_t error;
    if (json_unpack_ex((json_t *)im->rn->spec, &error, JSON_STRICT, "{s?s, s?o, s?o}", "format",
                       &format, "target", &target, "split", &(json_t *){NULL}) != 0)
        return refuse(im->rn, REFUSE_INVALID_SPEC, "the spec holds format, target and split");
    if (target && !json_is_null(target) && !json_is_string(target))
        return refuse_at(im->rn, REFUSE_INVALID_SPEC, (struct place){.field = "target"},
                         "target is the name of a column");
    im->target = json_string_value(target);
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
        if (strcmp(FORMATS[i].name, format) == 0) {
            im->format = FORMATS[i].format;
            return split_read(im->rn, &im->split);
        }
    return refuse_at(im->rn, REFUSE_INVALID_SPEC, (struct place){.field = "format"},
                     "the format \"%.40s\" is not known", format);
}

static bool name_ends(const char *name, const char *const *endings) {
    size_t length = strlen(name);
    for (; *endings; endings++) {
        size_t n = strlen(*endings);
        if (length >= n && strcasecmp(name + length - n, *endings) == 0)
            return true;
    }
    return false;
}

static bool head_is(const char *head, size_t size, size_t at, const char *magic, size_t length) {
    return size >= at + length && memcmp(head + at, magic, length) == 0;
}

static enum data_format guess_text(const char *head, size_t size, const char *name) {
    if (name_ends(name, (const char *const[]){".tsv", ".tab", ".tsv.gz", NULL}))
        return FORMAT_TSV;
    size_t i = head_is(head, size, 0, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (i < size && (head[i] == ' ' || head[i] == '\n' || head[i] == '\r' || head[i] == '\t'))
        i++;
    bool object = i < size && head[i] == '{';
    if (object ||
        name_ends(name, (const char *const[]){".jsonl", ".ndjson", ".json", ".jsonl.gz", NULL}))
        return FORMAT_JSONL;
    return FORMAT_CSV;
}

static enum data_format guess_format(const char *head, size_t size, const char *name) {
    if (head_is(head, size, 0, "PK\3\4", 4) || head_is(head, size, 0, "PK\5\6", 4) ||
        head_is(head, size, 257, "ustar", 5) ||
        name_ends(name, (const char *const[]){".zip", ".tar", ".tgz", ".tar.gz", NULL}))
        return FORMAT_IMAGES;
    if (head_is(head, size, 0, "\0\0", 2) && size >= 4 && head[2] >= 8 && head[2] <= 14)
        return FORMAT_IDX;
    if (head_is(head, size, 0, "PAR1", 4))
        return FORMAT_PARQUET;
    return guess_text(head, size, name);
}

/* Looks at the first bytes, through gzip if there is one. Content wins over the name: the name is
 * only asked where the bytes are plain text. */
static enum run detect_format(struct import *im) {
    const struct runner_input *in = &im->rn->inputs[0];
    char head[HEAD_BYTES];
    gzFile file = gzopen(in->path, "rb");
    if (!file)
        return crash(im->rn, "could not open %s: %s", in->path, strerror(errno));
    int got = gzread(file, head, sizeof head);
    bool direct = gzdirect(file) == 1;
    gzclose(file);
    size_t size = got > 0 ? (size_t)got : 0;
    if (in->size_bytes == 0 || got == 0)
        return refuse_input(im, REFUSE_INVALID_DATA, in, NULL, "the file is empty");
    if (got < 0)
        return refuse_input(im, REFUSE_INVALID_DATA, in, NULL, "the gzip data is damaged");
    if (!direct && head_is(head, size, 0, "\x1f\x8b", 2))
        return refuse_input(im, REFUSE_INVALID_DATA, in, NULL, "the file is gzipped twice");
    if (name_ends(in->file_name, (const char *const[]){".xlsx", ".ods", ".docx", NULL}))
        return refuse_input(im, REFUSE_UNSUPPORTED, in, NULL,
                            "the file is an office document; export the table as CSV");
    for (size_t i = 0; i < sizeof FOREIGN / sizeof *FOREIGN; i++)
        if (head_is(head, size, 0, FOREIGN[i].magic, FOREIGN[i].size))
            return refuse_input(im, REFUSE_UNSUPPORTED, in, NULL, "the file is %s",
                                FOREIGN[i].what);
    if (im->format == FORMAT_AUTO)
        im->format = guess_format(head, size, in->file_name);
    return RUN_DONE;
}

static enum run read_format(struct import *im) {
    if (im->rn->n_inputs == 0)
        return refuse(im->rn, REFUSE_INVALID_DATA, "there is no file to import");
    TRY(detect_format(im));
    if (im->format == FORMAT_IDX)
        return idx_import(im);
    if (im->rn->n_inputs > 1)
        return refuse_input(im, REFUSE_UNSUPPORTED, &im->rn->inputs[0], NULL,
                            "only IDX files are imported together, and this is not one");
    return im->format == FORMAT_IMAGES ? folders_import(im) : table_import(im);
}

static json_t *output_of(const char *name, const char *path, const char *media_type) {
    return json_pack("{s:s, s:s, s:s}", "name", name, "path", path, "media_type", media_type);
}

static enum run write_descriptions(struct import *im) {
    json_t *outputs = json_array();
    json_array_append_new(outputs,
                          output_of("data.safetensors", DATA_TENSORS, "application/octet-stream"));
    json_array_append_new(outputs,
                          output_of("manifest.json", "outputs/manifest.json", "application/json"));
    if (access(DATA_SPRITE, F_OK) == 0)
        json_array_append_new(outputs, output_of("samples.png", DATA_SPRITE, "image/png"));
    json_object_set_new(im->result, "outputs", outputs);
    json_object_set(im->result, "notes", im->notes);
    json_object_set_new(im->result, "split", split_to_json(&im->split));
    json_object_set_new(im->manifest, "split", split_to_json(&im->split));
    json_object_set_new(im->manifest, "format", json_integer(1));
    TRY(runner_write_json(im->rn, "outputs/manifest.json", im->manifest));
    return runner_write_json(im->rn, "outputs/result.json", im->result);
}

static void remove_outputs(void) {
    static const char *const FILES[] = {DATA_TENSORS, DATA_SPRITE, "outputs/manifest.json",
                                        "outputs/result.json"};
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char part[PATH_MAX];
        snprintf(part, sizeof part, "%s.part", FILES[i]);
        unlink(part);
        unlink(FILES[i]);
    }
}

static enum run import_all(struct import *im) {
    TRY(read_spec(im));
    TRY(read_format(im));
    TRY(write_descriptions(im));
    event_progress(1, 0, "imported");
    return RUN_DONE;
}

enum run data_import(struct runner *rn) {
    struct import im = {
        .rn = rn,
        .started_s = runner_now_s(),
        .notes = json_array(),
        .manifest = json_object(),
        .result = json_object(),
    };
    /* libarchive converts member names to UTF-8 through the locale. */
    setlocale(LC_CTYPE, "C.UTF-8");
    enum run status = import_all(&im);
    if (status != RUN_DONE)
        remove_outputs();
    json_decref(im.notes);
    json_decref(im.manifest);
    json_decref(im.result);
    return status;
}
