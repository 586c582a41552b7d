/* Statements and transactions; the rules callers rely on stand in db.h.
 *
 * A transaction costs no round trip of its own: BEGIN, the row-level wall, PREPARE and the first
 * statement leave in one pipeline and are answered together. At every later statement the wall is
 * compared with cx->who and moved in the same pipeline when it differs, so that no code path can
 * forget it.
 *
 * States of a ctx's transaction: none → open → none by commit or rollback; open → failed when a
 * statement failed or the connection died, and then only db_rollback() (or the end of the savepoint
 * it happened in) leads on: a handler that overlooked an error cannot commit half of its work. */

#include "base/clock.h"
#include "base/ident.h"
#include "db/internal.h"

#include <assert.h>
#include <string.h>

enum tx_state { TX_NONE, TX_OPEN, TX_FAILED };

/* What a ctx holds of db/; lives in its arena. */
struct db_conn {
    struct pooled *held; /* NULL when no transaction is open, or its connection died */
    enum tx_state tx;
    bool narrowed;   /* system work that acts as the team of cx->who */
    bool wall_known; /* wall_team and wall_system are what PostgreSQL has */
    bool wall_system;
    char wall_team[ID_SIZE], wall_subject[ID_SIZE], wall_token[ID_SIZE];
    int savepoints; /* open ones */
};

/* One command: a statement of the table, or bare text (BEGIN, a composed filter). */
struct command {
    const struct db_stmt *st; /* NULL for bare text */
    const char *text;
    const char *const *args;
    int arg_count;
    const struct db_stmt *first; /* sent in front of it; NULL = nothing */
    const char *const *first_args;
};

enum step {
    STEP_BEGIN,
    STEP_PREPARE_WALL,
    STEP_WALL,
    STEP_PREPARE_FIRST,
    STEP_FIRST,
    STEP_PREPARE,
    STEP_RUN
};

struct batch {
    enum step steps[7];
    int count;
    bool sent; /* false once libpq refused to queue a step */
};

static void (*observer)(const struct db_stmt *st);

void db_observe(void (*fn)(const struct db_stmt *st)) {
    observer = fn;
}

static void roll_back_deferred(void *data) {
    struct ctx *cx = data;
    db_rollback(cx);
    cx->conn = NULL;
}

static struct db_conn *session_of(struct ctx *cx) {
    if (!cx->conn) {
        cx->conn = arena_new_struct(cx->arena, struct db_conn);
        arena_defer(cx->arena, roll_back_deferred, cx);
    }
    return cx->conn;
}

static void let_go(struct ctx *cx, enum tx_state next) {
    struct db_conn *s = cx->conn;
    if (s->held)
        pool_return(cx->app->db, s->held);
    s->held = NULL;
    s->tx = next;
    s->wall_known = false;
    s->savepoints = next == TX_FAILED ? s->savepoints : 0;
}

/* --- one round trip -----------------------------------------------------------------------------
 */

static bool wants_system(const struct ctx *cx) {
    return (cx->who.kind == PRINCIPAL_SYSTEM || cx->who.kind == PRINCIPAL_WORKER) &&
           !cx->conn->narrowed;
}

/* Whose roles in projects count, and which token's projects; "" = all projects are seen. */
static const char *subject_of(const struct ctx *cx) {
    return cx->who.by_project ? cx->who.user_id : "";
}

static const char *limiting_token_of(const struct ctx *cx) {
    return cx->who.limited ? cx->who.session_id : "";
}

static void wall_set(struct ctx *cx) {
    struct db_conn *s = cx->conn;
    snprintf(s->wall_team, sizeof(s->wall_team), "%s", cx->who.team_id);
    snprintf(s->wall_subject, sizeof(s->wall_subject), "%s", subject_of(cx));
    snprintf(s->wall_token, sizeof(s->wall_token), "%s", limiting_token_of(cx));
    s->wall_system = wants_system(cx);
}

static bool wall_stands(const struct ctx *cx) {
    const struct db_conn *s = cx->conn;
    return s->wall_known && s->wall_system == wants_system(cx) &&
           strcmp(s->wall_team, cx->who.team_id) == 0 &&
           strcmp(s->wall_subject, subject_of(cx)) == 0 &&
           strcmp(s->wall_token, limiting_token_of(cx)) == 0;
}

static void add_step(struct batch *b, enum step step, int sent) {
    b->steps[b->count++] = step;
    b->sent = b->sent && sent;
}

/* Prepared like any other: it goes before nearly every request's first statement. */
static const struct db_stmt WALL = {
    .name = "db/wall", /* no name that a file of statements can have */
    .sql = "select set_config('app.team', $1, true), set_config('app.system', $2, true),"
           " set_config('app.subject', $3, true), set_config('app.token', $4, true)",
    .cardinality = DB_ONE,
    .param_count = 4};

static void send_wall(struct ctx *cx, struct batch *b) {
    struct pooled *c = cx->conn->held;
    const char *args[] = {cx->who.team_id, wants_system(cx) ? "on" : "off", subject_of(cx),
                          limiting_token_of(cx)};
    if (!pooled_has_prepared(c, &WALL))
        add_step(b, STEP_PREPARE_WALL, PQsendPrepare(c->pg, WALL.name, WALL.sql, 0, NULL));
    add_step(b, STEP_WALL,
             PQsendQueryPrepared(c->pg, WALL.name, WALL.param_count, args, NULL, NULL, 0));
    wall_set(cx);
}

static void send_first(struct pooled *c, const struct command *cmd, struct batch *b) {
    const struct db_stmt *st = cmd->first;
    if (!pooled_has_prepared(c, st))
        add_step(b, STEP_PREPARE_FIRST, PQsendPrepare(c->pg, st->name, st->sql, 0, NULL));
    add_step(b, STEP_FIRST,
             PQsendQueryPrepared(c->pg, st->name, st->param_count, cmd->first_args, NULL, NULL, 0));
}

static void send_command(struct pooled *c, const struct command *cmd, struct batch *b) {
    const struct db_stmt *st = cmd->st;
    if (cmd->first)
        send_first(c, cmd, b);
    if (st && !pooled_has_prepared(c, st))
        add_step(b, STEP_PREPARE, PQsendPrepare(c->pg, st->name, st->sql, 0, NULL));
    if (st)
        add_step(b, STEP_RUN,
                 PQsendQueryPrepared(c->pg, st->name, st->param_count, cmd->args, NULL, NULL, 0));
    else
        add_step(
            b, STEP_RUN,
            PQsendQueryParams(c->pg, cmd->text, cmd->arg_count, NULL, cmd->args, NULL, NULL, 0));
}

static struct batch send_batch(struct ctx *cx, const struct command *cmd) {
    struct db_conn *s = cx->conn;
    struct batch b = {.sent = true};
    if (s->tx == TX_NONE)
        add_step(&b, STEP_BEGIN,
                 PQsendQueryParams(s->held->pg, "begin", 0, NULL, NULL, NULL, NULL, 0));
    if (!wall_stands(cx))
        send_wall(cx, &b);
    send_command(s->held, cmd, &b);
    b.sent = PQpipelineSync(s->held->pg) && b.sent;
    return b;
}

/* The result of one step, taken off the pipeline together with the NULL that ends it. */
static PGresult *take_step(struct pooled *c, bool *ret_lost) {
    PGresult *first = pooled_result(c, ret_lost);
    while (!*ret_lost && first) {
        auto_result *more = pooled_result(c, ret_lost);
        if (!more)
            break;
    }
    return first;
}

static bool succeeded(const PGresult *r) {
    ExecStatusType status = PQresultStatus(r);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* Reads the answers of a batch. *ret is the last step's result, or the first failure's; NULL when
 * the connection was lost. */
static void read_batch(struct db_conn *s, const struct batch *b, const struct command *cmd,
                       PGresult **ret) {
    auto_result *outcome = NULL;
    bool failed = false, lost = !b->sent;
    for (int i = 0; i < b->count && !lost; i++) {
        auto_result *r = take_step(s->held, &lost);
        if (failed || lost)
            continue;
        failed = !succeeded(r);
        s->wall_known |= b->steps[i] == STEP_WALL && !failed;
        if (b->steps[i] == STEP_PREPARE && !failed)
            pooled_add_prepared(s->held, cmd->st);
        if (b->steps[i] == STEP_PREPARE_FIRST && !failed)
            pooled_add_prepared(s->held, cmd->first);
        if (b->steps[i] == STEP_PREPARE_WALL && !failed)
            pooled_add_prepared(s->held, &WALL);
        if (failed || b->steps[i] == STEP_RUN) {
            outcome = r;
            r = NULL;
        }
    }
    auto_result *sync = lost ? NULL : pooled_result(s->held, &lost);
    if (lost || PQresultStatus(sync) != PGRES_PIPELINE_SYNC)
        return;
    *ret = outcome;
    outcome = NULL;
}

/* --- running a command in the ctx's transaction --------------------------------------------------
 */

static enum err ensure_connection(struct ctx *cx) {
    struct db_conn *s = session_of(cx);
    if (s->tx == TX_FAILED)
        return fail(cx, ERR_INTERNAL, "the transaction failed before this statement");
    if (s->held)
        return OK;
    return pool_borrow(cx->app->db, cx->deadline_us, &s->held, &cx->err);
}

static enum err run(struct ctx *cx, const struct command *cmd, PGresult **ret) {
    TRY(ensure_connection(cx));
    struct db_conn *s = cx->conn;
    int64_t started_us = clock_mono_us();
    struct batch b = send_batch(cx, cmd);
    PGresult *result = NULL;
    read_batch(s, &b, cmd, &result);
    cx->db_us += clock_mono_us() - started_us;
    if (result && succeeded(result)) {
        s->tx = TX_OPEN;
        *ret = result;
        return OK;
    }
    enum err err = result ? result_to_err(result, cmd->st ? cmd->st->name : "text", &cx->err)
                          : connection_to_err(s->held->pg, &cx->err);
    bool lost = !result || PQstatus(s->held->pg) != CONNECTION_OK;
    PQclear(result);
    s->tx = TX_FAILED;
    if (lost)
        let_go(cx, TX_FAILED);
    return err;
}

static enum err run_statement(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                              PGresult **ret) {
    assert(args || st->param_count == 0);
    if (observer)
        observer(st);
    return run(cx, &(struct command){.st = st, .args = args}, ret);
}

static enum err run_text(struct ctx *cx, const char *text) {
    auto_result *ignored = NULL;
    return run(cx, &(struct command){.text = text}, &ignored);
}

/* --- rows → structs ------------------------------------------------------------------------------
 */

#define MAX_COLUMNS 64

struct mapping {
    const struct field *fields[MAX_COLUMNS];
    int count;
};

/* A column without a field of its name is a bug of the statement, reported rather than asserted so
 * that it costs one request in production too. */
static enum err map_columns(struct ctx *cx, const PGresult *r, const struct shape *shape,
                            struct mapping *ret) {
    ret->count = PQnfields(r);
    for (int i = 0; i < ret->count; i++) {
        const struct field *f = i < MAX_COLUMNS ? field_find(shape, PQfname(r, i)) : NULL;
        if (f) {
            ret->fields[i] = f;
            continue;
        }
        fail(cx, ERR_INTERNAL, "a stored object could not be read");
        fail_detail(cx, "column %s has no field in %s", PQfname(r, i), shape->name);
        return ERR_INTERNAL;
    }
    return OK;
}

static enum err load_row(struct ctx *cx, const PGresult *r, int row, const struct mapping *m,
                         void *ret) {
    for (int i = 0; i < m->count; i++) {
        const char *text = PQgetisnull(r, row, i) ? NULL : PQgetvalue(r, row, i);
        struct err_info why;
        if (field_load(cx->arena, m->fields[i], text, ret, &why) == OK)
            continue;
        fail(cx, ERR_INTERNAL, "a stored value could not be read");
        fail_detail(cx, "column %s: %s", m->fields[i]->name, why.message);
        return ERR_INTERNAL;
    }
    return OK;
}

static enum err load_first(struct ctx *cx, const PGresult *r, const struct shape *shape,
                           void *ret) {
    if (PQntuples(r) > 1)
        return fail(cx, ERR_INTERNAL, "more than one row where one was expected");
    struct mapping m;
    TRY(map_columns(cx, r, shape, &m));
    void *row = arena_alloc(cx->arena, shape->size);
    TRY(load_row(cx, r, 0, &m, row));
    memcpy(ret, row, shape->size);
    return OK;
}

static enum err load_all(struct ctx *cx, const PGresult *r, const struct shape *shape,
                         struct list *ret) {
    struct mapping m;
    TRY(map_columns(cx, r, shape, &m));
    size_t count = (size_t)PQntuples(r);
    char *rows = arena_alloc(cx->arena, count * shape->size);
    for (size_t i = 0; i < count; i++)
        TRY(load_row(cx, r, (int)i, &m, rows + i * shape->size));
    *ret = (struct list){rows, count};
    return OK;
}

enum err db_one(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                const struct shape *shape, void *ret) {
    /* A row that may be absent elsewhere may be demanded here. */
    assert(st->cardinality == DB_ONE || st->cardinality == DB_OPT);
    auto_result *r = NULL;
    TRY(run_statement(cx, st, args, &r));
    if (PQntuples(r) == 0)
        return fail(cx, ERR_NOT_FOUND, "no such object");
    return load_first(cx, r, shape, ret);
}

enum err db_opt(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                const struct shape *shape, void *ret, bool *ret_found) {
    assert(st->cardinality == DB_OPT);
    auto_result *r = NULL;
    TRY(run_statement(cx, st, args, &r));
    if (PQntuples(r) > 0)
        TRY(load_first(cx, r, shape, ret));
    *ret_found = PQntuples(r) > 0;
    return OK;
}

enum err db_many(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                 const struct shape *shape, struct list *ret) {
    assert(st->cardinality == DB_MANY);
    auto_result *r = NULL;
    TRY(run_statement(cx, st, args, &r));
    return load_all(cx, r, shape, ret);
}

enum err db_many_dynamic_after(struct ctx *cx, const struct db_stmt *first,
                               const char *const *first_args, const char *sql,
                               const char *const *args, int arg_count, const struct shape *shape,
                               struct list *ret) {
    auto_result *r = NULL;
    const struct command cmd = {.st = kept_statement(sql, arg_count),
                                .text = sql,
                                .args = args,
                                .arg_count = arg_count,
                                .first = first,
                                .first_args = first_args};
    if (observer && first)
        observer(first);
    TRY(run(cx, &cmd, &r));
    return load_all(cx, r, shape, ret);
}

enum err db_many_dynamic(struct ctx *cx, const char *sql, const char *const *args, int arg_count,
                         const struct shape *shape, struct list *ret) {
    return db_many_dynamic_after(cx, NULL, NO_ARGS, sql, args, arg_count, shape, ret);
}

enum err db_exec(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                 int64_t *ret_rows) {
    assert(st->cardinality == DB_EXEC);
    auto_result *r = NULL;
    TRY(run_statement(cx, st, args, &r));
    if (ret_rows)
        *ret_rows = strtoll(PQcmdTuples(r), NULL, 10);
    return OK;
}

enum err db_value(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                  const char **ret) {
    assert(st->cardinality == DB_ONE || st->cardinality == DB_OPT);
    auto_result *r = NULL;
    TRY(run_statement(cx, st, args, &r));
    bool none = PQntuples(r) == 0 || PQgetisnull(r, 0, 0);
    *ret = none ? NULL : arena_strdup(cx->arena, PQgetvalue(r, 0, 0));
    return OK;
}

/* --- ends of transactions
 * ------------------------------------------------------------------------- */

/* Sends one bare command outside run(): no BEGIN, no wall. NULL when the connection was lost. */
static PGresult *finish(struct db_conn *s, const char *text) {
    struct batch b = {.sent = true};
    add_step(&b, STEP_RUN, PQsendQueryParams(s->held->pg, text, 0, NULL, NULL, NULL, NULL, 0));
    b.sent = PQpipelineSync(s->held->pg) && b.sent;
    PGresult *result = NULL;
    read_batch(s, &b, &(struct command){.text = text}, &result);
    return result;
}

static enum err fail_unknown_outcome(struct ctx *cx) {
    connection_to_err(cx->conn->held->pg, &cx->err);
    snprintf(cx->err.message, sizeof(cx->err.message),
             "the outcome is unknown: repeat the request with the same Idempotency-Key");
    return ERR_UNAVAILABLE;
}

/* The answer to COMMIT is lost, or tells of PostgreSQL going down while it was given. */
static bool outcome_is_unknown(const PGresult *r) {
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    return !r || (!succeeded(r) &&
                  (!state || strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0));
}

enum err db_commit(struct ctx *cx) {
    struct db_conn *s = cx->conn;
    if (!s || s->tx == TX_NONE)
        return OK;
    if (s->tx == TX_FAILED) {
        db_rollback(cx);
        return fail(cx, ERR_INTERNAL, "the transaction had failed before its commit");
    }
    auto_result *r = finish(s, "commit");
    enum err err = outcome_is_unknown(r) ? fail_unknown_outcome(cx)
                   : !succeeded(r)       ? result_to_err(r, "commit", &cx->err)
                                         : OK;
    let_go(cx, TX_NONE);
    return err;
}

void db_rollback(struct ctx *cx) {
    struct db_conn *s = cx->conn;
    if (!s)
        return;
    if (s->held && s->tx != TX_NONE)
        PQclear(finish(s, "rollback"));
    let_go(cx, TX_NONE);
}

enum err db_act_as_team(struct ctx *cx, const char *team_id) {
    assert(cx->who.kind == PRINCIPAL_WORKER || cx->who.kind == PRINCIPAL_SYSTEM);
    if (team_id && !uuid_is_valid(team_id))
        return fail(cx, ERR_INTERNAL, "team id is not a UUID");
    session_of(cx)->narrowed = team_id != NULL;
    snprintf(cx->who.team_id, sizeof(cx->who.team_id), "%s", team_id ? team_id : "");
    return OK;
}

/* Back to the savepoint, with the identity and the wall of that moment. The error that led here is
 * what the caller reads, whatever becomes of this. */
static enum err undo_savepoint(struct ctx *cx, const char *name, enum err err) {
    struct db_conn *s = cx->conn;
    struct err_info why = cx->err;
    if (!s->held)
        return err;
    char text[96];
    s->tx = TX_OPEN;
    s->wall_known = true; /* nothing may be sent before the rollback in an aborted transaction */
    wall_set(cx);
    snprintf(text, sizeof(text), "rollback to savepoint %s", name);
    enum err undone = run_text(cx, text);
    s->wall_known = false;
    if (undone == OK)
        cx->err = why;
    return undone == OK ? err : undone;
}

enum err db_savepoint(struct ctx *cx, enum err (*fn)(struct ctx *cx, void *arg), void *arg) {
    struct db_conn *s = session_of(cx);
    char name[24], text[48];
    snprintf(name, sizeof(name), "s%d", s->savepoints + 1);
    snprintf(text, sizeof(text), "savepoint %s", name);
    TRY(run_text(cx, text));
    s->savepoints++;
    struct principal who = cx->who;
    bool narrowed = s->narrowed;
    enum err err = fn(cx, arg);
    if (err == OK && s->tx == TX_FAILED)
        err = fail(cx, ERR_INTERNAL, "a statement's failure was overlooked");
    if (err != OK) {
        cx->who = who;
        s->narrowed = narrowed;
        err = undo_savepoint(cx, name, err);
    }
    s->savepoints--;
    snprintf(text, sizeof(text), "release savepoint %s", name);
    if (s->tx != TX_OPEN)
        return err;
    struct err_info why = cx->err;
    TRY(run_text(cx, text));
    cx->err = why;
    return err;
}
