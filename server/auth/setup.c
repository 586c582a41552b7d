/* The first start: no account is there by default, and none can be guessed.
 *
 * Until an owner exists every route waits but health, the UI's files and these two. The secret that
 * makes the first owner is written into key_dir (0600) and logged, once; whoever can read either is
 * the operator. Two who use it at once queue on a lock, and the second is told. An owner made by
 * `slipwayd user create` ends the waiting as well. */

#include "auth/access.h"
#include "auth/auth.h"
#include "auth/auth_private.h"
#include "auth/password.h"
#include "base/cleanup.h"
#include "base/ident.h"
#include "base/log.h"
#include "db/db.h"
#include "sql/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { SECRET_BYTES = 32, SECRET_LENGTH = 43 };

static enum err has_owner(struct ctx *cx, void *arg) {
    const char *found;
    TRY(db_value(cx, &SQL_setup_has_owner, NO_ARGS, &found));
    *(bool *)arg = found != NULL;
    return OK;
}

/* Asks the database until the answer is yes: it stays so, a team keeps its last owner. */
static enum err is_needed(struct ctx *cx, bool *ret) {
    struct auth *auth = cx->app->auth;
    bool found = atomic_load(&auth->has_owner);
    if (!found)
        TRY(as_system(cx, has_owner, &found));
    if (found)
        atomic_store(&auth->has_owner, true);
    *ret = !found;
    return OK;
}

enum err setup_admit(struct ctx *cx, const struct route *route) {
    bool needed;
    if (route->flags & ROUTE_BEFORE_SETUP)
        return OK;
    TRY(is_needed(cx, &needed));
    if (!needed)
        return OK;
    return fail(cx, ERR_UNAVAILABLE, "this installation has no owner yet: set it up first");
}

enum err setup_require_first(struct ctx *cx) {
    const char *locked;
    bool found;
    TRY(db_value(cx, &SQL_setup_lock, NO_ARGS, &locked));
    TRY(has_owner(cx, &found));
    return found ? fail(cx, ERR_CONFLICT, "this installation is set up already") : OK;
}

/* --- the secret --- */

static const char *secret_path(struct ctx *cx) {
    return arena_printf(cx->arena, "%s/setup.secret", cx->app->auth->key_dir);
}

static enum err secret_write(struct ctx *cx, const char *path) {
    unsigned char secret[SECRET_BYTES];
    char text[SECRET_LENGTH + 1];
    random_bytes(secret, sizeof(secret));
    base64url_encode(secret, sizeof(secret), text, sizeof(text));
    auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return OK;
    if (fd < 0 || write(fd, text, SECRET_LENGTH) != SECRET_LENGTH || fsync(fd) != 0)
        return fail(cx, ERR_UNAVAILABLE, "could not write \"%s\"", path);
    log_event(LOG_WARNING, "setup.needed", LOG_T("secret", text), LOG_T("file", path));
    return OK;
}

enum err auth_setup_prepare(struct ctx *cx) {
    const char *path = secret_path(cx);
    bool needed;
    TRY(is_needed(cx, &needed));
    if (needed)
        return secret_write(cx, path);
    if (unlink(path) != 0 && errno != ENOENT)
        return fail(cx, ERR_UNAVAILABLE, "could not remove \"%s\"", path);
    return OK;
}

static bool secret_is(struct ctx *cx, const char *given) {
    char text[SECRET_LENGTH + 1] = "";
    auto_fd fd = open(secret_path(cx), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && read(fd, text, SECRET_LENGTH) == SECRET_LENGTH &&
           strlen(given) == SECRET_LENGTH && equal_in_constant_time(text, given, SECRET_LENGTH);
}

/* --- routes --- */

struct setup_state {
    bool needed;
};
static const struct field SETUP_STATE_FIELDS[] = {
    FIELD(BOOL, struct setup_state, needed, .doc = "whether there is no owner yet"),
};
static SHAPE(SETUP_STATE, "SetupState", struct setup_state, SETUP_STATE_FIELDS);

struct setup_body {
    const char *secret, *email, *name, *password, *team_slug, *team_name;
};
static const struct field SETUP_FIELDS[] = {
    FIELD(STRING, struct setup_body, secret, .flags = FIELD_REQUIRED | FIELD_SECRET, .min = 1,
          .max = 100, .doc = "from the server's log or key_dir/setup.secret"),
    FIELD(STRING, struct setup_body, email, .flags = FIELD_REQUIRED, .min = 3, .max = 254),
    FIELD(STRING, struct setup_body, name, .flags = FIELD_REQUIRED, .min = 1, .max = 200),
    FIELD(STRING, struct setup_body, password, .flags = FIELD_REQUIRED | FIELD_SECRET,
          .min = PASSWORD_MIN, .max = PASSWORD_MAX, .doc = "in bytes, taken exactly as typed"),
    FIELD(STRING, struct setup_body, team_slug, .flags = FIELD_REQUIRED,
          .pattern = "^[a-z0-9][a-z0-9-]{0,62}$"),
    FIELD(STRING, struct setup_body, team_name, .flags = FIELD_REQUIRED, .min = 1, .max = 200),
};
static SHAPE(SETUP, "Setup", struct setup_body, SETUP_FIELDS);

static enum err get_setup(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq;
    struct setup_state *state = arena_new_struct(cx->arena, struct setup_state);
    TRY(is_needed(cx, &state->needed));
    reply_object(rp, state);
    return OK;
}

static enum err create_owner(struct ctx *cx, const struct setup_body *body) {
    const char *password;
    return auth_user_create(cx,
                            &(struct auth_user_create){.email = body->email,
                                                       .name = body->name,
                                                       .team_slug = body->team_slug,
                                                       .team_name = body->team_name,
                                                       .role = ROLE_OWNER,
                                                       .password = body->password,
                                                       .is_first = true},
                            &password);
}

static enum err post_setup(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct setup_body *body = rq->body;
    const char *user_agent = req_header(rq, "User-Agent");
    const struct session_proof proof = {.email = body->email, .password = body->password};
    struct session_secrets secrets;
    bool needed;
    TRY(is_needed(cx, &needed));
    if (!needed)
        return fail(cx, ERR_CONFLICT, "this installation is set up already");
    if (!secret_is(cx, body->secret))
        return fail_field(cx, ERR_INVALID, "secret", "this is not the set-up secret");
    TRY(create_owner(cx, body));
    TRY(auth_setup_prepare(cx)); /* the secret has had its one use */
    TRY(session_login(cx, &proof, user_agent ? user_agent : "", &secrets));
    return session_reply(cx, rp, &secrets);
}

const struct route SETUP_ROUTES[] = {
    {GET, "/api/v1/setup", SCOPE_PUBLIC, .reply = &SETUP_STATE, .handle = get_setup,
     .flags = ROUTE_ANONYMOUS | ROUTE_BEFORE_SETUP,
     .doc = "Whether this installation waits for its first owner."},
    {POST, "/api/v1/setup", SCOPE_PUBLIC, .body = &SETUP, .reply = &SESSION, .handle = post_setup,
     .flags = ROUTE_ANONYMOUS | ROUTE_BEFORE_SETUP, .rate = RATE_LOGIN,
     .doc = "Make the first owner and their team with the set-up secret; signs in."},
};
const size_t SETUP_ROUTE_COUNT = ROUTES_COUNT(SETUP_ROUTES);
