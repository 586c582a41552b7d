/* artifact_names.c: what a file may be called, and what its ending says of it.
 *
 * The gate has undone one layer of percent-escapes; a name may still hold some ("100%25.txt"), and
 * they stay what they are. They are undone here on a copy, as often as there is something to undo,
 * only to see whether a program that does so by mistake would be led out of its directory. */
#include "tracking/artifact_files.h"

#include "base/ident.h"

#include <string.h>
#include <strings.h>

#define LAYERS_MAX 8 /* of escapes that are looked through; more are refused */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has_plain_characters(const char *name) {
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        if (*c < ' ' || *c == 0x7f || *c == '\\' || *c == '#')
            return false;
    return true;
}

/* No segment is empty, "." or "..". */
static bool has_plain_segments(const char *name) {
    for (const char *at = name;; at++) {
        size_t length = strcspn(at, "/");
        if (length == 0 || (length == 1 && at[0] == '.') ||
            (length == 2 && at[0] == '.' && at[1] == '.'))
            return false;
        at += length;
        if (!*at)
            return true;
    }
}

/* Whether a reader for whom both slashes separate would leave its directory. */
static bool leads_out(const char *path) {
    if (*path == '/' || *path == '\\')
        return true;
    for (const char *at = path; *at; at += *at != '\0') {
        size_t length = strcspn(at, "/\\");
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return true;
        at += length;
    }
    return false;
}

static int hex_value(char c) {
    static const char DIGITS[] = "0123456789abcdef";
    const char *at = c ? strchr(DIGITS, c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c) : NULL;
    return at ? (int)(at - DIGITS) : -1;
}

/* Undoes the escapes of text in place; false when there was none. An escaped NUL stays. */
static bool undo_escapes(char *text) {
    char *to = text;
    bool undone = false;
    for (const char *from = text; *from; from++) {
        int high = *from == '%' ? hex_value(from[1]) : -1;
        int low = high < 0 ? -1 : hex_value(from[2]);
        bool escape = low >= 0 && high * 16 + low > 0;
        *to++ = escape ? (char)(high * 16 + low) : *from;
        from += escape ? 2 : 0;
        undone |= escape;
    }
    *to = '\0';
    return undone;
}

static bool hides_a_way_out(const char *name) {
    char copy[ARTIFACT_NAME_MAX + 1];
    strcpy(copy, name);
    for (int layer = 0; undo_escapes(copy); layer++)
        if (layer == LAYERS_MAX || leads_out(copy))
            return true;
    return false;
}

enum err artifact_check_name(struct ctx *cx, const char *name) {
    size_t length = strnlen(name, ARTIFACT_NAME_MAX + 1);
    bool good = length > 0 && length <= ARTIFACT_NAME_MAX && utf8_is_valid(name, length) &&
                has_plain_characters(name) && has_plain_segments(name) &&
                !(is_letter(name[0]) && name[1] == ':') && !hides_a_way_out(name);
    return good ? OK : fail_field(cx, ERR_INVALID, "path", "invalid path");
}

/* --- types --- */

static const struct {
    const char *ending, *media_type;
} TYPES[] = {
    {"txt", "text/plain"},
    {"log", "text/plain"},
    {"err", "text/plain"},
    {"cfg", "text/plain"},
    {"conf", "text/plain"},
    {"ini", "text/plain"},
    {"properties", "text/plain"},
    {"toml", "text/plain"},
    {"yaml", "text/plain"},
    {"yml", "text/plain"},
    {"py", "text/plain"},
    {"r", "text/plain"},
    {"sh", "text/plain"},
    {"sql", "text/plain"},
    {"c", "text/plain"},
    {"h", "text/plain"},
    {"cpp", "text/plain"},
    {"js", "text/plain"},
    {"ts", "text/plain"},
    {"css", "text/plain"},
    {"rst", "text/plain"},
    {"mlmodel", "text/plain"},
    {"mlproject", "text/plain"},
    {"md", "text/markdown"},
    {"csv", "text/csv"},
    {"tsv", "text/tab-separated-values"},
    {"json", "application/json"},
    {"jsonl", "application/jsonl"},
    {"geojson", "application/geo+json"},
    {"ipynb", "application/x-ipynb+json"},
    {"html", "text/html"},
    {"htm", "text/html"},
    {"xhtml", "application/xhtml+xml"},
    {"xml", "application/xml"},
    {"svg", "image/svg+xml"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"bmp", "image/bmp"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"mp3", "audio/mpeg"},
    {"wav", "audio/wav"},
    {"ogg", "audio/ogg"},
    {"flac", "audio/flac"},
    {"m4a", "audio/mp4"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"tar", "application/x-tar"},
    {"parquet", "application/vnd.apache.parquet"},
};

/* A name without a dot is its own ending: MLmodel, MLproject. */
const char *artifact_media_type(const char *name) {
    const char *slash = strrchr(name, '/');
    const char *file = slash ? slash + 1 : name;
    const char *dot = strrchr(file, '.');
    const char *ending = dot ? dot + 1 : file;
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++)
        if (strcasecmp(ending, TYPES[i].ending) == 0)
            return TYPES[i].media_type;
    return "application/octet-stream";
}

bool artifact_type_is_harmless(const char *media_type) {
    static const char *const HARMLESS[] = {
        "text/plain", "text/markdown",    "text/csv",          "text/tab-separated-values",
        "image/png",  "image/jpeg",       "image/gif",         "image/webp",
        "image/bmp",  "application/json", "application/jsonl", "application/geo+json"};
    if (strncmp(media_type, "audio/", 6) == 0 || strncmp(media_type, "video/", 6) == 0)
        return true;
    for (size_t i = 0; i < sizeof(HARMLESS) / sizeof(HARMLESS[0]); i++)
        if (strcmp(media_type, HARMLESS[i]) == 0)
            return true;
    return false;
}
