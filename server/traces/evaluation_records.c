/* evaluation_records.c: the records of evaluation sets; see evaluation.h. */
#include "traces/evaluation_private.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/ident.h"
#include "base/jsontext.h"
#include "sql/traces.h"
#include "traces/internal.h"

#include <string.h>

#define BODY_MAX ((size_t)1 << 20)

static const char *const PARTS[] = {"inputs", "outputs", "expectations"};

/* ---- the schema: what types the members of inputs, outputs and expectations have */

static const char *type_name(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "float";
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    case JSON_NULL:
        break;
    }
    return "null";
}

/* What came first stays. Outputs may also be no object: then their type stands by itself. */
static void schema_part(json_t *schema, const char *part, json_t *value) {
    json_t *types = json_object_get(schema, part), *member;
    const char *key;
    if (!json_is_object(value) && value && !json_is_null(value) && json_object_size(types) == 0)
        json_object_set_new(schema, part, json_string(type_name(value)));
    else if (json_is_object(types))
        json_object_foreach(value, key, member) if (!json_object_get(types, key))
            json_object_set_new(types, key, json_string(type_name(member)));
}

static const char *schema_with(struct ctx *cx, const char *old, const json_t *records) {
    json_t *schema = NULL, *record;
    size_t i;
    if (!*old || json_parse(old, strlen(old), BODY_MAX, &schema, &cx->err) != OK)
        schema = json_pack("{s:{}, s:{}, s:{}, s:s}", "inputs", "outputs", "expectations",
                           "version", "1.0");
    schema = trace_keep(cx, schema);
    json_array_foreach(records, i, record) for (size_t k = 0; k < sizeof(PARTS) / sizeof(PARTS[0]);
                                                k++)
        schema_part(schema, PARTS[k], json_object_get(record, PARTS[k]));
    return db_json(cx, schema);
}

/* ---- putting */

static const char *hash_of(struct ctx *cx, const json_t *record) {
    json_t *inputs = json_object_get(record, "inputs");
    auto_free char *text =
        inputs ? json_dumps(inputs, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    char *hex = arena_alloc(cx->arena, SHA256_TEXT_SIZE);
    sha256_hex_of(text ? text : "{}", strlen(text ? text : "{}"), hex);
    return hex;
}

/* The record that there is, with what the new one says: expectations and tags are added to. */
static void merge(json_t *into, json_t *record) {
    static const char *const ADDED[] = {"expectations", "tags"};
    json_t *outputs = json_object_get(record, "outputs");
    if (outputs)
        json_object_set(into, "outputs", outputs);
    for (size_t i = 0; i < sizeof(ADDED) / sizeof(ADDED[0]); i++) {
        json_t *old = json_object_get(into, ADDED[i]), *more = json_object_get(record, ADDED[i]);
        if (json_is_object(old) && json_is_object(more))
            json_object_update(old, more);
        else if (json_is_object(more))
            json_object_set(into, ADDED[i], more);
    }
}

struct found_row {
    const char *input_hash, *body;
};
static const struct field FOUND_FIELDS[] = {FIELD(STRING, struct found_row, input_hash),
                                            FIELD(STRING, struct found_row, body)};
static SHAPE(FOUND, "EvaluationRecordFound", struct found_row, FOUND_FIELDS);

/* Those of the hashes that the set has, as an object of records. */
static enum err known_records(struct ctx *cx, const char *id, const char *const *hashes,
                              size_t count, json_t **ret) {
    struct list rows;
    TRY(db_many(cx, &SQL_evaluation_records_find,
                ARGS(cx->who.team_id, id, db_text_array(cx, hashes, count)), &FOUND, &rows));
    const struct found_row *row = rows.items;
    *ret = trace_keep(cx, json_object());
    for (size_t i = 0; i < rows.count; i++) {
        json_t *record;
        TRY(json_parse(row[i].body, strlen(row[i].body), BODY_MAX, &record, &cx->err));
        json_object_set_new(*ret, row[i].input_hash, record);
    }
    return OK;
}

static enum err check_records(struct ctx *cx, const json_t *records) {
    size_t i;
    json_t *record;
    if (!json_is_array(records) || json_array_size(records) > EVALUATION_RECORDS_MAX)
        return fail_field(cx, ERR_INVALID, "records", "records are an array of up to %d objects",
                          EVALUATION_RECORDS_MAX);
    json_array_foreach(records, i, record) if (!json_is_object(record)) return fail_field(
        cx, ERR_INVALID, "records", "record %zu is no object", i);
    return OK;
}

static enum err store(struct ctx *cx, const char *id, json_t *changed, const char *user) {
    size_t size = json_object_size(changed), count = 0;
    const char **ids = arena_new_array(cx->arena, const char *, 3 * size + 1);
    const char **hashes = ids + size, **bodies = hashes + size, *hash;
    json_t *record;
    json_object_foreach(changed, hash, record) {
        char *new_id = arena_alloc(cx->arena, UUID_TEXT_SIZE);
        uuid_new(new_id);
        ids[count] = new_id;
        hashes[count] = hash;
        bodies[count] = db_json(cx, record);
        if (strlen(bodies[count++]) > BODY_MAX)
            return fail_field(cx, ERR_INVALID, "records", "a record has at most %zu bytes",
                              BODY_MAX);
    }
    return db_exec(cx, &SQL_evaluation_records_put,
                   ARGS(cx->who.team_id, id, db_text_array(cx, ids, count),
                        db_text_array(cx, hashes, count), db_text_array(cx, bodies, count), user),
                   NULL);
}

enum err evaluation_records_put(struct ctx *cx, const char *project_id, const char *id,
                                const json_t *records, int64_t *ret_inserted,
                                int64_t *ret_updated) {
    const char *schema, *user = cx->who.name;
    json_t *known, *changed = trace_keep(cx, json_object()), *record;
    size_t i, count = json_array_size(records);
    const char **hashes = arena_new_array(cx->arena, const char *, count + 1);
    TRY(check_records(cx, records));
    TRY(evaluation_set_lock(cx, project_id, id, &schema));
    json_array_foreach(records, i, record) hashes[i] = hash_of(cx, record);
    TRY(known_records(cx, id, hashes, count, &known));
    *ret_inserted = *ret_updated = 0;
    json_array_foreach(records, i, record) {
        json_t *old = json_object_get(known, hashes[i]);
        if (old)
            merge(old, record);
        else
            json_object_set_new(known, hashes[i], json_deep_copy(record));
        *(old ? ret_updated : ret_inserted) += 1;
        json_object_set(changed, hashes[i], json_object_get(known, hashes[i]));
        user = evaluation_user(cx, json_object_get(record, "tags"));
    }
    TRY(store(cx, id, changed, user));
    return evaluation_set_touch(cx, id, user, evaluation_digest(cx, id),
                                schema_with(cx, schema, records));
}

/* ---- reading and deleting */

static const struct field RECORD_FIELDS[] = {
    FIELD(UUID, struct evaluation_record, id),
    FIELD(STRING, struct evaluation_record, body),
    FIELD(STRING, struct evaluation_record, created_by),
    FIELD(STRING, struct evaluation_record, updated_by),
    FIELD(TIME, struct evaluation_record, created_at),
    FIELD(TIME, struct evaluation_record, updated_at),
};
static SHAPE(RECORD, "EvaluationRecord", struct evaluation_record, RECORD_FIELDS);

enum err evaluation_records_list(struct ctx *cx, const char *project_id, const char *id,
                                 int64_t limit, const char *after, struct list *ret,
                                 const char **ret_next) {
    struct evaluation_set set;
    size_t size = limit < 1 || limit > EVALUATION_PAGE_MAX ? EVALUATION_PAGE_MAX : (size_t)limit;
    if (after && !uuid_is_valid(after))
        return fail_field(cx, ERR_INVALID, "page_token", "the page token is not one of this list");
    TRY(evaluation_set_get(cx, project_id, id, &set));
    TRY(db_many(cx, &SQL_evaluation_records_page,
                ARGS(cx->who.team_id, id, after, db_int(cx, (int64_t)size + 1)), &RECORD, ret));
    *ret_next = NULL;
    if (ret->count > size) {
        ret->count = size;
        *ret_next = ((const struct evaluation_record *)ret->items)[size - 1].id;
    }
    return OK;
}

enum err evaluation_records_delete(struct ctx *cx, const char *project_id, const char *id,
                                   const struct list *record_ids, int64_t *ret_count) {
    const char **ids = arena_new_array(cx->arena, const char *, record_ids->count + 1), *schema;
    size_t count = 0;
    for (size_t i = 0; i < record_ids->count; i++) {
        const char *record = ((const char *const *)record_ids->items)[i];
        if (uuid_is_valid(record))
            ids[count++] = record;
    }
    TRY(evaluation_set_lock(cx, project_id, id, &schema));
    TRY(db_exec(cx, &SQL_evaluation_records_delete,
                ARGS(cx->who.team_id, id, db_text_array(cx, ids, count)), ret_count));
    return evaluation_set_touch(cx, id, cx->who.name, NULL, NULL);
}
