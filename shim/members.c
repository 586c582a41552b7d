/* members.c: reads a JSON object by a table of its members. Unknown members are refused, because a
 * misspelt option that is silently ignored costs its user a training run. */
#include "spec.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool spec_fail(tsh_error *err, tsh_code code, const char *field, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    err->code = code;
    vsnprintf(err->message, sizeof err->message, fmt, args);
    snprintf(err->field, sizeof err->field, "%s", field ? field : "");
    va_end(args);
    return false;
}

static const struct member *member_find(const struct member *table, size_t count,
                                        const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static bool read_number(const json_t *value, const char *field, const struct member *m, void *at,
                        tsh_error *err) {
    bool whole = m->type == MEMBER_INTEGER;
    if (whole ? !json_is_integer(value) : !json_is_number(value))
        return spec_fail(err, TSH_ESPEC, field, "%s must be %s", field,
                         whole ? "a whole number" : "a number");
    double number = json_number_value(value);
    if (!(number >= m->min && number <= m->max))
        return spec_fail(err, TSH_ESPEC, field, "%s must be between %.10g and %.10g, not %.10g",
                         field, m->min, m->max, number);
    if (whole)
        *(int64_t *)at = json_integer_value(value);
    else
        *(double *)at = number;
    return true;
}

static bool read_choice(const json_t *value, const char *field, const struct member *m, void *at,
                        tsh_error *err) {
    const char *text = json_string_value(value);
    char known[256] = "";
    for (unsigned i = 0; m->choices[i]; i++) {
        if (text && strcmp(text, m->choices[i]) == 0) {
            *(unsigned *)at = i;
            return true;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", m->choices[i]);
    }
    return spec_fail(err, TSH_ESPEC, field, "%s must be one of %s", field, known);
}

static bool read_member(const json_t *value, const char *field, const struct member *m, void *into,
                        tsh_error *err) {
    void *at = (char *)into + m->offset;
    switch (m->type) {
    case MEMBER_NUMBER:
    case MEMBER_INTEGER:
        return read_number(value, field, m, at, err);
    case MEMBER_CHOICE:
        return read_choice(value, field, m, at, err);
    case MEMBER_BOOLEAN:
        if (!json_is_boolean(value))
            return spec_fail(err, TSH_ESPEC, field, "%s must be true or false", field);
        *(bool *)at = json_is_true(value);
        return true;
    case MEMBER_OTHER:
        return true;
    }
    return true;
}

bool members_read(const json_t *object, const char *path, const struct member *table, size_t count,
                  void *into, tsh_error *err) {
    if (!json_is_object(object))
        return spec_fail(err, TSH_ESPEC, path, "%s must be an object", *path ? path : "the spec");
    char field[128];
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) {
        snprintf(field, sizeof field, "%s%s%.60s", path, *path ? "." : "", name);
        const struct member *m = member_find(table, count, name);
        if (!m)
            return spec_fail(err, TSH_ESPEC, field, "%s is not a known member", field);
        if (!read_member(value, field, m, into, err))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(field, sizeof field, "%s%s%s", path, *path ? "." : "", table[i].name);
        if (table[i].required && !json_object_get(object, table[i].name))
            return spec_fail(err, TSH_ESPEC, field, "%s is missing", field);
    }
    return true;
}
