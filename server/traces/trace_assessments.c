/* trace_assessments.c: feedback and expectations. The client's object is kept as it is; only its
 * name, kind and value stand apart, to search by. */
#include "traces/internal.h"

#include "base/clock.h"
#include "base/ident.h"
#include "sql/traces.h"

#include <string.h>

#define VALUE_MAX 1000 /* bytes of a value that is searched by */

static const char *const KINDS[] = {"feedback", "expectation", "issue"};

static const char *text_of(const json_t *body, const char *member) {
    return json_string_value(json_object_get(body, member));
}

static enum err kind_of(struct ctx *cx, const json_t *body, const char **ret) {
    *ret = NULL;
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
        if (json_is_object(json_object_get(body, KINDS[i])))
            *ret = KINDS[i];
    if (!*ret)
        return fail_field(cx, ERR_INVALID, "assessment",
                          "an assessment needs one of feedback, expectation and issue");
    return OK;
}

/* Texts as they are, all else as JSON: true, 0.5, ["a"]. */
static const char *value_of(struct ctx *cx, const json_t *body, const char *kind) {
    const json_t *value = json_object_get(json_object_get(body, kind), "value");
    if (!value)
        return "";
    const char *text = json_is_string(value) ? json_string_value(value) : db_json(cx, value);
    size_t length = strlen(text), most = length > VALUE_MAX ? VALUE_MAX : length;
    while (most > 0 && !utf8_is_valid(text, most))
        most--;
    return arena_strndup(cx->arena, text, most);
}

static void set_text(json_t *body, const char *member, const char *text) {
    json_object_set_new(body, member, json_string(text));
}

/* The object of a client as it is kept. */
static json_t *completed(struct ctx *cx, const char *trace_id, const json_t *body) {
    json_t *whole = trace_keep(cx, json_copy((json_t *)(uintptr_t)body));
    char now[TIME_TEXT_SIZE], random[16], hex[33];
    const char *id = text_of(body, "assessment_id");
    time_to_string(clock_now_us(), now);
    if (!id || !*id) {
        random_bytes(random, sizeof(random));
        hex_encode(random, sizeof(random), hex);
        set_text(whole, "assessment_id", arena_printf(cx->arena, "a-%s", hex));
    }
    set_text(whole, "trace_id", trace_id);
    if (!text_of(body, "create_time"))
        set_text(whole, "create_time", now);
    if (!text_of(body, "last_update_time"))
        set_text(whole, "last_update_time", now);
    if (!json_is_boolean(json_object_get(body, "valid")))
        json_object_set_new(whole, "valid", json_true());
    return whole;
}

static enum err store(struct ctx *cx, const char *id, const json_t *body) {
    const char *kind, *name = text_of(body, "assessment_name");
    TRY(kind_of(cx, body, &kind));
    return db_exec(cx, &SQL_assessment_put,
                   ARGS(cx->who.team_id, id, text_of(body, "assessment_id"), kind, name ? name : "",
                        value_of(cx, body, kind), text_of(body, "overrides"), db_json(cx, body)),
                   NULL);
}

static enum err validate(struct ctx *cx, const char *id, const char *assessment_id, bool valid) {
    if (!assessment_id || !*assessment_id)
        return OK;
    return db_exec(cx, &SQL_assessment_validate,
                   ARGS(cx->who.team_id, id, assessment_id, db_bool(valid)), NULL);
}

struct count {
    int64_t n;
};
static const struct field COUNT_FIELDS[] = {FIELD(INT, struct count, n)};
static SHAPE(COUNT, "AssessmentCount", struct count, COUNT_FIELDS);

enum err assessment_put(struct ctx *cx, const char *id, const char *trace_id, const json_t *body,
                        json_t **ret) {
    json_t *whole = completed(cx, trace_id, body);
    struct count count;
    TRY(store(cx, id, whole));
    TRY(validate(cx, id, text_of(whole, "overrides"), false));
    TRY(db_one(cx, &SQL_assessments_count, ARGS(cx->who.team_id, id), &COUNT, &count));
    if (count.n > TRACE_ASSESSMENTS_MAX)
        return fail(cx, ERR_UNPROCESSABLE, "a trace has %d assessments at most",
                    TRACE_ASSESSMENTS_MAX);
    *ret = whole;
    return OK;
}

struct row {
    json_t *body;
};
static const struct field ROW_FIELDS[] = {FIELD(JSON, struct row, body)};
static SHAPE(ROW, "AssessmentRow", struct row, ROW_FIELDS);

enum err assessment_find(struct ctx *cx, const char *id, const char *assessment_id, json_t **ret) {
    struct row row;
    bool found;
    TRY(db_opt(cx, &SQL_assessment_find, ARGS(cx->who.team_id, id, assessment_id), &ROW, &row,
               &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "Assessment with ID '%.100s' not found for trace",
                    assessment_id);
    *ret = row.body;
    return OK;
}

/* Metadata is added to, all else replaced. */
static void change(json_t *body, const char *member, json_t *value) {
    json_t *old = json_object_get(body, member);
    if (strcmp(member, "metadata") == 0 && json_is_object(old) && json_is_object(value))
        json_object_update(old, value);
    else
        json_object_set(body, member, value);
}

enum err assessment_update(struct ctx *cx, const char *id, const char *assessment_id,
                           const json_t *changes, const struct list *paths, json_t **ret) {
    static const char *const MAY[] = {"assessment_name", "expectation", "feedback", "rationale",
                                      "metadata"};
    char now[TIME_TEXT_SIZE];
    json_t *body;
    TRY(assessment_find(cx, id, assessment_id, &body));
    body = trace_keep(cx, json_copy(body));
    for (size_t i = 0; i < paths->count; i++)
        for (size_t j = 0; j < sizeof(MAY) / sizeof(MAY[0]); j++)
            if (strcmp(((const char *const *)paths->items)[i], MAY[j]) == 0 &&
                json_object_get(changes, MAY[j]))
                change(body, MAY[j], json_object_get(changes, MAY[j]));
    time_to_string(clock_now_us(), now);
    set_text(body, "last_update_time", now);
    *ret = body;
    return store(cx, id, body);
}

enum err assessment_delete(struct ctx *cx, const char *id, const char *assessment_id) {
    const char *overrides;
    TRY(db_value(cx, &SQL_assessment_delete, ARGS(cx->who.team_id, id, assessment_id), &overrides));
    return validate(cx, id, overrides, true);
}
