/* runs.c: runs of clients: opened, reported to, changed; see tracking.h.
 *
 * What a script does for every run is one statement each. All of them look at the run and say
 * whether it was archived, so that a refusal costs no second look. */
#include "tracking/tracking.h"

#include "base/ident.h"
#include "sql/tracking.h"
#include "tracking/internal.h"

#include <math.h>
#include <string.h>

#define NAME_TAG "mlflow.runName"
#define PARENT_TAG "mlflow.parentRunId"

/* ---- finding */

/* The id as we write it: of a UUID or of 32 hex digits; NULL when it is neither. */
static const char *canonical_id(struct ctx *cx, const char *id) {
    char *uuid = arena_alloc(cx->arena, UUID_TEXT_SIZE);
    if (uuid_is_valid(id))
        return id;
    return uuid_from_hex(id, uuid) ? uuid : NULL;
}

static enum err not_found(struct ctx *cx, const char *id) {
    return fail(cx, ERR_NOT_FOUND, "run \"%.100s\" does not exist", id);
}

static enum err find(struct ctx *cx, const char *project_id, const char *id, bool whole,
                     struct run *ret) {
    const char *uuid = canonical_id(cx, id);
    bool found = false;
    if (uuid && whole)
        TRY(run_settle(cx, uuid));
    if (uuid)
        TRY(db_opt(cx, &SQL_run_get, ARGS(cx->who.team_id, uuid, project_id, db_bool(whole)),
                   &RUN_SHAPE, ret, &found));
    return found ? OK : not_found(cx, id);
}

enum err run_find(struct ctx *cx, const char *project_id, const char *id, struct run *ret) {
    return find(cx, project_id, id, true, ret);
}

enum err run_head(struct ctx *cx, const char *id, struct run *ret) {
    return find(cx, NULL, id, false, ret);
}

enum err run_get(struct ctx *cx, const char *id, struct run *ret) {
    return run_find(cx, NULL, id, ret);
}

enum err run_require(struct ctx *cx, const char *project_id, const char *id, const char **ret_id) {
    const char *uuid = canonical_id(cx, id), *found = NULL;
    if (uuid)
        TRY(db_value(cx, &SQL_run_require, ARGS(cx->who.team_id, uuid, project_id), &found));
    if (!found)
        return not_found(cx, id);
    *ret_id = found;
    return OK;
}

/* ---- texts */

#define TEXTS_MAX 1000

enum err texts_of(struct ctx *cx, json_t *object, struct params *ret) {
    size_t size = json_object_size(object);
    struct params texts = {.keys = arena_new_array(cx->arena, const char *, size + 1),
                           .values = arena_new_array(cx->arena, const char *, size + 1)};
    const char *key;
    json_t *value;
    if (object && (!json_is_object(object) || size > TEXTS_MAX))
        return fail(cx, ERR_UNPROCESSABLE, "an object of at most %d texts is wanted", TEXTS_MAX);
    json_object_foreach(object, key, value) {
        if (!json_is_string(value))
            return fail(cx, ERR_UNPROCESSABLE, "the value of \"%.100s\" is not a text", key);
        texts.keys[texts.count] = key;
        texts.values[texts.count++] = json_string_value(value);
    }
    *ret = texts;
    return OK;
}

enum err texts_of_member(struct ctx *cx, json_t *object, const char *member, struct params *ret) {
    enum err err = texts_of(cx, object, ret);
    if (err != OK)
        snprintf(cx->err.field, sizeof(cx->err.field), "%s", member);
    return err;
}

enum err tag_changes_of(struct ctx *cx, json_t *object, struct tag_changes *ret) {
    size_t size = json_object_size(object);
    json_t *set = json_object(), *value;
    const char *key;
    arena_defer(cx->arena, (void (*)(void *))json_decref, set);
    *ret = (struct tag_changes){.gone = arena_new_array(cx->arena, const char *, size + 1)};
    if (!json_is_object(object) || size > TEXTS_MAX)
        return fail_field(cx, ERR_UNPROCESSABLE, "tags",
                          "tags must be an object of at most %d texts", TEXTS_MAX);
    json_object_foreach(object, key, value) {
        if (json_is_null(value))
            ret->gone[ret->gone_count++] = key;
        else
            json_object_set(set, key, value);
    }
    return texts_of_member(cx, set, "tags", &ret->set);
}

/* ---- opening */

/* The columns that only the database knows. */
static const struct field OPENED_FIELDS[] = {
    FIELD(TIME, struct run, created_at),       FIELD(TIME, struct run, started_at),
    FIELD(TIME, struct run, finished_at),      FIELD(STRING, struct run, experiment_name),
    FIELD(INT, struct run, experiment_number),
};
static SHAPE(OPENED, "Opened", struct run, OPENED_FIELDS);

static json_t *copy_of(struct ctx *cx, json_t *object) {
    json_t *copy = object ? json_deep_copy(object) : json_object();
    arena_defer(cx->arena, (void (*)(void *))json_decref, copy);
    return copy;
}

/* A parent that was named must be there; one that a tag names may be. */
static enum err find_parent(struct ctx *cx, const struct run_open *o, const char **ret) {
    const char *named = o->parent_id;
    if (!named)
        named = json_string_value(json_object_get(o->tags, PARENT_TAG));
    const char *id = named ? canonical_id(cx, named) : NULL;
    if (id)
        TRY(db_value(cx, &SQL_run_require, ARGS(cx->who.team_id, id, o->project_id), &id));
    if (o->parent_id && !id)
        return fail_field(cx, ERR_NOT_FOUND, "parent_id",
                          "run \"%.100s\" does not exist in this project", o->parent_id);
    *ret = id;
    return OK;
}

static enum err refuse_open(struct ctx *cx, const struct run_open *o) {
    struct experiment experiment;
    TRY(experiment_require_active(cx, o->experiment_id));
    TRY(experiment_get(cx, o->experiment_id, &experiment));
    return fail(cx, ERR_NOT_FOUND, "experiment \"%s\" does not exist in this project",
                experiment.name);
}

static enum err insert_open(struct ctx *cx, const struct run_open *o, struct run *run) {
    struct params tags, params;
    struct run made;
    bool found;
    if (!uuid_is_valid(o->experiment_id))
        return refuse_open(cx, o);
    TRY(find_parent(cx, o, &run->parent_id));
    TRY(texts_of_member(cx, o->tags, "tags", &tags));
    TRY(texts_of_member(cx, o->params, "params", &params));
    TRY(db_opt(cx, &SQL_run_open,
               ARGS(run->id, cx->who.team_id, o->project_id, o->experiment_id, run->name,
                    RUN_STATE_NAMES[o->state], db_time(cx, o->started_at), cx->who.name, o->user,
                    run->source, run->parent_id, db_text_array(cx, tags.keys, tags.count),
                    db_text_array(cx, tags.values, tags.count)),
               &OPENED, &made, &found));
    if (!found)
        return refuse_open(cx, o);
    if (params.count > 0)
        TRY(db_exec(cx, &SQL_run_params_add,
                    ARGS(cx->who.team_id, run->id, db_text_array(cx, params.keys, params.count),
                         db_text_array(cx, params.values, params.count)),
                    NULL));
    run->created_at = made.created_at;
    run->started_at = made.started_at;
    run->finished_at = made.finished_at;
    run->experiment_name = made.experiment_name;
    run->experiment_number = made.experiment_number;
    return OK;
}

enum err run_open(struct ctx *cx, const struct run_open *options, struct run *ret) {
    char *id = arena_alloc(cx->arena, UUID_TEXT_SIZE);
    uuid_new(id);
    struct run run = {.id = id,
                      .project_id = options->project_id,
                      .experiment_id = options->experiment_id,
                      .name = options->name ? options->name : run_name_random(cx->arena),
                      .state = options->state,
                      .source = options->source ? options->source : "native",
                      .user_name = options->user,
                      .dataset_version = FIELD_NO_INT,
                      .created_by = cx->who.name,
                      .notes = "",
                      .tags = copy_of(cx, options->tags),
                      .params = copy_of(cx, options->params),
                      .metrics = copy_of(cx, NULL),
                      .message = "",
                      .eta_s = NAN};
    TRY(insert_open(cx, options, &run));
    *ret = run;
    return OK;
}

/* ---- reporting */

/* What the statements say of the run they were for. */
struct touched {
    bool archived, found;
    const char *key, *old; /* of a parameter that has another value */
    int64_t given, linked; /* data sets */
};
static const struct field TOUCHED_FIELDS[] = {
    FIELD(BOOL, struct touched, archived), FIELD(BOOL, struct touched, found),
    FIELD(STRING, struct touched, key),    FIELD(STRING, struct touched, old),
    FIELD(INT, struct touched, given),     FIELD(INT, struct touched, linked),
};
static SHAPE(TOUCHED, "Touched", struct touched, TOUCHED_FIELDS);

static enum err touch(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                      struct touched *ret) {
    const char *run_id = args[1];
    bool found = false;
    *ret = (struct touched){0};
    if (uuid_is_valid(run_id))
        TRY(db_opt(cx, st, args, &TOUCHED, ret, &found));
    if (!found)
        return not_found(cx, run_id);
    if (ret->archived)
        return fail(cx, ERR_CONFLICT, "run \"%s\" is archived", run_id);
    return OK;
}

/* One entry a key. A later one replaces an earlier; *ret_clash names a key whose values differ. */
static struct params without_repeats(struct ctx *cx, const char *const *keys,
                                     const char *const *values, size_t count,
                                     const char **ret_clash) {
    struct params ret = {.keys = arena_new_array(cx->arena, const char *, count + 1),
                         .values = arena_new_array(cx->arena, const char *, count + 1)};
    json_t *seen = json_object();
    arena_defer(cx->arena, (void (*)(void *))json_decref, seen);
    for (size_t i = 0; i < count; i++) {
        json_t *place = json_object_get(seen, keys[i]);
        size_t at = place ? (size_t)json_integer_value(place) : ret.count++;
        if (place && strcmp(ret.values[at], values[i]) != 0)
            *ret_clash = keys[i];
        if (!place)
            json_object_set_new(seen, keys[i], json_integer((json_int_t)at));
        ret.keys[at] = keys[i];
        ret.values[at] = values[i];
    }
    return ret;
}

enum err run_log_params(struct ctx *cx, const char *run_id, const char *const *keys,
                        const char *const *values, size_t count, const char **ret_key,
                        const char **ret_old) {
    struct touched touched;
    const char *clash = NULL;
    struct params params = without_repeats(cx, keys, values, count, &clash);
    if (clash)
        return fail_field(cx, ERR_INVALID, "params",
                          "parameter \"%.100s\" is given twice with different values", clash);
    TRY(touch(cx, &SQL_run_params_log,
              ARGS(cx->who.team_id, run_id, db_text_array(cx, params.keys, params.count),
                   db_text_array(cx, params.values, params.count)),
              &touched));
    if (!touched.key)
        return OK;
    if (ret_key)
        *ret_key = touched.key;
    if (ret_old)
        *ret_old = touched.old;
    const char *now = "";
    for (size_t i = 0; i < params.count; i++)
        if (strcmp(params.keys[i], touched.key) == 0)
            now = params.values[i];
    return fail_field(cx, ERR_CONFLICT, "params",
                      "parameter \"%.100s\" is \"%.150s\" already and cannot become \"%.150s\"",
                      touched.key, touched.old, now);
}

/* The first 250 characters; NULL of an empty text. */
static const char *name_of_tag(struct ctx *cx, const char *value) {
    size_t length = 0;
    for (int characters = 0; value[length]; length++)
        if ((value[length] & 0xC0) != 0x80 && ++characters > 250)
            break;
    return length ? arena_strndup(cx->arena, value, length) : NULL;
}

enum err run_put_tags(struct ctx *cx, const char *run_id, const char *const *keys,
                      const char *const *values, size_t count) {
    const char *clash, *name = NULL, *parent = NULL;
    bool has_parent = false;
    struct touched touched;
    struct params tags = without_repeats(cx, keys, values, count, &clash);
    for (size_t i = 0; i < tags.count; i++) {
        if (strcmp(tags.keys[i], NAME_TAG) == 0)
            name = name_of_tag(cx, tags.values[i]);
        if (strcmp(tags.keys[i], PARENT_TAG) == 0) {
            parent = canonical_id(cx, tags.values[i]);
            has_parent = true;
        }
    }
    return touch(cx, &SQL_run_tags_put,
                 ARGS(cx->who.team_id, run_id, db_text_array(cx, tags.keys, tags.count),
                      db_text_array(cx, tags.values, tags.count), name, db_bool(has_parent),
                      parent),
                 &touched);
}

enum err run_delete_tag(struct ctx *cx, const char *run_id, const char *key, bool *ret_found) {
    struct touched touched;
    TRY(touch(cx, &SQL_run_tag_delete, ARGS(cx->who.team_id, run_id, key), &touched));
    *ret_found = touched.found;
    return OK;
}

enum err runs_heard(struct ctx *cx, const char *const *run_ids, size_t count) {
    return db_exec(cx, &SQL_runs_heard, ARGS(cx->who.team_id, db_text_array(cx, run_ids, count)),
                   NULL);
}

/* ---- changing */

static enum err refuse_change(struct ctx *cx, const char *id) {
    struct run run;
    TRY(run_head(cx, id, &run));
    if (run.archived_at)
        return fail(cx, ERR_CONFLICT, "run \"%s\" is archived", id);
    return fail_field(cx, ERR_CONFLICT, "state", "the state of run \"%s\" follows its job", id);
}

enum err run_change(struct ctx *cx, const char *id, const struct run_change *change) {
    const char *changed = NULL;
    if (uuid_is_valid(id))
        TRY(db_value(
            cx, &SQL_run_change,
            ARGS(cx->who.team_id, id, change->has_state ? RUN_STATE_NAMES[change->state] : NULL,
                 change->has_finished ? db_time(cx, change->finished_at) : NULL, change->name),
            &changed));
    return changed ? OK : refuse_change(cx, id);
}

/* ---- what a run read and made */

static enum err dataset_tags(struct ctx *cx, json_t *tags, const char **ret) {
    struct params texts;
    TRY(texts_of_member(cx, tags, "datasets", &texts));
    for (size_t i = 0; i < texts.count; i++)
        if (strlen(texts.keys[i]) > 255 * 4 || strlen(texts.values[i]) > 500 * 4)
            return fail_field(cx, ERR_UNPROCESSABLE, "datasets", "a tag of a data set is too long");
    *ret = tags ? db_json(cx, tags) : "{}";
    return OK;
}

static enum err add_datasets(struct ctx *cx, const char *run_id, const struct dataset_input *sets,
                             size_t count) {
    enum { ID, NAME, DIGEST, SOURCE_TYPE, SOURCE, SCHEMA, PROFILE, TAGS, COLUMNS };
    const char **columns[COLUMNS], *arrays[COLUMNS];
    struct touched touched = {.given = 1};
    for (int c = 0; c < COLUMNS; c++)
        columns[c] = arena_new_array(cx->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        char *id = arena_alloc(cx->arena, UUID_TEXT_SIZE);
        uuid_new(id);
        columns[ID][i] = id;
        columns[NAME][i] = sets[i].name;
        columns[DIGEST][i] = sets[i].digest;
        columns[SOURCE_TYPE][i] = sets[i].source_type;
        columns[SOURCE][i] = sets[i].source;
        columns[SCHEMA][i] = sets[i].schema;
        columns[PROFILE][i] = sets[i].profile;
        TRY(dataset_tags(cx, sets[i].tags, &columns[TAGS][i]));
    }
    for (int c = 0; c < COLUMNS; c++)
        arrays[c] = db_text_array(cx, columns[c], count);
    for (int look = 0; look < 2 && touched.linked < touched.given; look++)
        TRY(touch(cx, &SQL_run_inputs_add,
                  ARGS(cx->who.team_id, run_id, arrays[ID], arrays[NAME], arrays[DIGEST],
                       arrays[SOURCE_TYPE], arrays[SOURCE], arrays[SCHEMA], arrays[PROFILE],
                       arrays[TAGS]),
                  &touched));
    return OK;
}

enum err run_add_inputs(struct ctx *cx, const char *run_id, const struct dataset_input *datasets,
                        size_t dataset_count, const char *const *model_ids, size_t model_count) {
    struct touched touched;
    if (dataset_count)
        TRY(add_datasets(cx, run_id, datasets, dataset_count));
    if (model_count || !dataset_count) /* that the run is there is said even of nothing */
        TRY(touch(cx, &SQL_run_model_inputs_add,
                  ARGS(cx->who.team_id, run_id, db_text_array(cx, model_ids, model_count)),
                  &touched));
    return OK;
}

enum err run_add_outputs(struct ctx *cx, const char *run_id, const struct model_output *models,
                         size_t count) {
    const char **ids = arena_new_array(cx->arena, const char *, count + 1);
    int64_t *steps = arena_new_array(cx->arena, int64_t, count + 1);
    struct touched touched;
    for (size_t i = 0; i < count; i++) {
        ids[i] = models[i].model_id;
        steps[i] = models[i].step;
    }
    return touch(cx, &SQL_run_model_outputs_add,
                 ARGS(cx->who.team_id, run_id, db_text_array(cx, ids, count),
                      db_int_array(cx, steps, count)),
                 &touched);
}
