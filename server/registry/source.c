/* source.c: from the text of a version's source to the files it names.
 *
 *     runs:/<run>/<path>                   mlflow-artifacts:/…/<run>/artifacts/<path>
 *     models:/m-<logged model>/<path>      mlflow-artifacts:/…/m-<logged model>/artifacts/<path>
 *     models:/<name>/<version>             mlflow-artifacts:/registry/<version's id>/<path>
 *     models:/<name>@<alias>
 *
 * The text never becomes a path or an address that is asked; ids in it are looked up in the
 * project, and what is left is the beginning of names in the database. So what belongs to somebody
 * else is simply not found. A path of a disk or a page of the web is no source. What can only be
 * another store's (s3://…, a run whose id is none of ours) is kept as it is written: a version
 * without files here. */
#include "registry/internal.h"

#include "base/ident.h"
#include "tracking/logged_models.h"
#include "tracking/tracking.h"

#include <stdlib.h>
#include <string.h>

#define HEX_ID 32

static enum err refuse(struct ctx *cx, const char *why) {
    return fail_field(cx, ERR_INVALID, "source", "the source of a model version %s", why);
}

/* The rest of text behind prefix, or NULL. */
static const char *after(const char *text, const char *prefix) {
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* "abc/rest" gives "abc", and *rest points to "rest"; without a slash the rest is empty. */
static const char *segment(struct ctx *cx, const char **rest) {
    size_t length = strcspn(*rest, "/");
    const char *word = arena_strndup(cx->arena, *rest, length);
    *rest += length + ((*rest)[length] == '/');
    return word;
}

static enum err dir_set(struct ctx *cx, const char *path, struct source *ret) {
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    ret->dir = arena_strndup(cx->arena, path, length);
    if (length > 0 && artifact_check_name(cx, ret->dir) != OK)
        return refuse(cx, "has a path that cannot be one of a file");
    return OK;
}

static enum err of_run(struct ctx *cx, const struct model *model, const char *hex, const char *path,
                       struct source *ret) {
    ret->owner.kind = ARTIFACT_OF_RUN;
    TRY(dir_set(cx, path, ret));
    return run_require(cx, model->project_id, hex, &ret->owner.id);
}

static enum err elsewhere(const char *text, struct source *ret) {
    ret->location = text;
    return OK;
}

static enum err of_logged_model(struct ctx *cx, const struct model *model, const char *id,
                                const char *path, struct source *ret) {
    ret->owner.kind = ARTIFACT_OF_LOGGED_MODEL;
    TRY(dir_set(cx, path, ret));
    return logged_model_require(cx, model->project_id, id, &ret->owner.id);
}

/* model: the one whose version is being made; name may be its own. */
static enum err of_version(struct ctx *cx, const struct model *model, const char *name,
                           const char *alias, int64_t number, struct source *ret) {
    struct model named;
    struct model_version version;
    bool found;
    ret->dir = "";
    TRY(model_find(cx, model->project_id, name, &named, &found));
    if (found)
        TRY(alias ? model_version_by_alias(cx, named.id, alias, &version, &found)
                  : model_version_find(cx, named.id, number, &version, &found));
    if (!found && strcmp(name, model->name) == 0)
        return refuse(cx, "cannot be the version that is being made");
    if (!found)
        return fail_field(cx, ERR_NOT_FOUND, "source", "the model version does not exist");
    ret->version_id = version.id;
    return OK;
}

static enum err models_uri(struct ctx *cx, const struct model *model, const char *rest,
                           struct source *ret) {
    const char *word = segment(cx, &rest);
    const char *at = strrchr(word, '@');
    char *end;
    if (after(word, "m-") && strlen(word) == 2 + HEX_ID)
        return of_logged_model(cx, model, word, rest, ret);
    if (at && *rest == '\0')
        return of_version(cx, model, arena_strndup(cx->arena, word, (size_t)(at - word)), at + 1, 0,
                          ret);
    if (strcmp(rest, "latest") == 0)
        return of_version(cx, model, word, rest, 0, ret);
    long number = strtol(rest, &end, 10);
    if (*rest < '1' || *rest > '9' || *end != '\0')
        return refuse(cx, "names a model by models:/<name>/<version>, models:/<name>@<alias> or "
                          "models:/m-<id>");
    return of_version(cx, model, word, NULL, number, ret);
}

/* The snapshot of a version of the same project, as download addresses name it. */
static enum err registry_uri(struct ctx *cx, const struct model *model, const char *rest,
                             struct source *ret) {
    struct model_version version;
    const char *hex = segment(cx, &rest);
    char id[UUID_TEXT_SIZE] = "";
    (void)uuid_from_hex(hex, id);
    TRY(model_version_get(cx, id, &version));
    if (strcmp(version.project_id, model->project_id) != 0)
        return fail(cx, ERR_NOT_FOUND, "model version \"%s\" does not exist", id);
    ret->version_id = version.id;
    return dir_set(cx, rest, ret);
}

/* What stands before the run or model is the experiment's root, which may be any; the ids are
 * unique. */
static enum err artifacts_uri(struct ctx *cx, const struct model *model, const char *text,
                              struct source *ret) {
    char id[UUID_TEXT_SIZE];
    const char *rest = after(text, "mlflow-artifacts:/");
    if (after(rest, "registry/"))
        return registry_uri(cx, model, after(rest, "registry/"), ret);
    while (*rest) {
        const char *word = segment(cx, &rest);
        const char *path = after(rest, "artifacts/");
        if (!path && strcmp(rest, "artifacts") == 0)
            path = "";
        if (path && uuid_from_hex(word, id))
            return of_run(cx, model, word, path, ret);
        if (path && after(word, "m-") && uuid_from_hex(word + 2, id))
            return of_logged_model(cx, model, word, path, ret);
    }
    return elsewhere(text, ret);
}

static int nibble(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes the text's escapes where it stands; false when there were none. */
static bool unescape(char *text) {
    char *to = text;
    bool any = false;
    for (const char *from = text; *from; from++) {
        if (*from == '%' && nibble(from[1]) >= 0 && nibble(from[2]) >= 0) {
            *to++ = (char)(nibble(from[1]) << 4 | nibble(from[2]));
            from += 2;
            any = true;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return any;
}

static bool has_control(const char *text) {
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return true;
    return false;
}

/* "/../" at either end too. */
static bool has_way_up(const char *text) {
    for (const char *c = text; *c; c += strcspn(c, "/"), c += *c == '/')
        if (strncmp(c, "..", 2) == 0 && (c[2] == '/' || c[2] == '\0'))
            return true;
    return false;
}

/* What could mean a way up, another place or another part of an address to whoever reads the text
 * later; escapes are undone as often as they can be. */
static bool is_plain(struct ctx *cx, const char *text) {
    char *copy = arena_strdup(cx->arena, text);
    do {
        if (strstr(copy, "%00") || has_way_up(copy) || strpbrk(copy, "\\#?") || has_control(copy))
            return false;
    } while (unescape(copy));
    return true;
}

/* The stores that MLflow's clients ask themselves. */
static bool is_store(const char *text) {
    static const char *const STORES[] = {"s3:/",   "s3a:/",   "gs:/",   "wasb:/", "wasbs:/",
                                         "abfs:/", "abfss:/", "hdfs:/", "dbfs:/"};
    for (size_t i = 0; i < sizeof(STORES) / sizeof(STORES[0]); i++)
        if (after(text, STORES[i]))
            return true;
    return false;
}

/* Whether it can be a run of ours at all. */
static bool is_run_id(const char *text) {
    char id[UUID_TEXT_SIZE];
    return uuid_from_hex(text, id) || uuid_is_valid(text);
}

enum err source_resolve(struct ctx *cx, const struct model *model, const char *text,
                        struct source *ret) {
    const char *rest;
    *ret = (struct source){.dir = ""};
    if (!is_plain(cx, text))
        return refuse(cx, "has no \"..\", \"\\\", \"#\", \"?\" or control characters");
    if ((rest = after(text, "runs:/"))) {
        const char *run = segment(cx, &rest);
        return is_run_id(run) ? of_run(cx, model, run, rest, ret) : elsewhere(text, ret);
    }
    if ((rest = after(text, "models:/")))
        return models_uri(cx, model, rest, ret);
    if (after(text, "mlflow-artifacts:/"))
        return artifacts_uri(cx, model, text, ret);
    if (is_store(text))
        return elsewhere(text, ret);
    return refuse(cx, "is a runs:/, models:/ or mlflow-artifacts:/ address, or one of an object "
                      "store; paths are not taken");
}
