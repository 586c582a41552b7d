/* Files of a run or of a logged model, by path.
 *
 * A name is a path such as "model/MLmodel": text in the database, never a path on the disk. There
 * are no directories, only names that share a beginning; one that stands before a slash in a name
 * is listed as a directory, and cannot be a file too. Bytes are blobs.
 *
 * A file that a run's job left (uploaded = false) belongs to the training: clients read it, and
 * neither replace nor remove it. What clients put counts as the team's storage. */
#pragma once

#include "artifacts/artifacts.h"
#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

#define ARTIFACT_NAME_MAX 1024 /* bytes */

enum artifact_owner_kind { ARTIFACT_OF_RUN, ARTIFACT_OF_LOGGED_MODEL };

/* Whoever makes one has looked the run or model up: these functions only name the team. */
struct artifact_owner {
    enum artifact_owner_kind kind;
    const char *id; /* 36 characters */
};

struct artifact {
    const char *id;     /* NULL for a directory */
    const char *run_id; /* NULL for a logged model's */
    const char *name;   /* the whole path; of a directory without a slash at its end */
    bool is_dir;
    int64_t size_bytes;              /* 0 for a directory: its files are not looked at */
    const char *sha256, *media_type; /* NULL for a directory */
    int64_t created_at;              /* 0 for a directory */
};

extern const struct shape ARTIFACT_SHAPE;

/* Where an owner stands, for those who know files by their experiment. */
struct artifact_home {
    int64_t experiment_number;
    const char *location; /* the experiment's own, or NULL */
};
/* The owner, if the project has it; archived ones are found too. */
MUST_USE enum err artifact_home_find(struct ctx *cx, const char *project_id,
                                     const struct artifact_owner *owner, struct artifact_home *ret,
                                     bool *ret_found);

/* The one place that says what a file may be called: segments between single slashes, none of them
 * empty, "." or "..", no backslash, no '#', no control character, no drive letter, UTF-8, at most
 * 1,024 bytes. Undoing percent-escapes, once or again, must not reveal a way up either: other
 * programs do that. Everything else is a name: spaces, '!', '+', '%'. ERR_INVALID "invalid path".
 */
MUST_USE enum err artifact_check_name(struct ctx *cx, const char *name);
/* By the ending of the name, in lower case; "application/octet-stream" when it says nothing. */
const char *artifact_media_type(const char *name);

/* Streams the request's body into the store and gives it the name; a file of that name is replaced.
 * ERR_CONFLICT when the name is a directory, stands below a file, or is a file of the run's job;
 * ERR_FORBIDDEN when the team's storage is used up. Commits before it reads. */
MUST_USE enum err artifact_receive(struct ctx *cx, const struct req *rq,
                                   const struct artifact_owner *owner, const char *name);
/* The same for bytes that are a blob already. */
MUST_USE enum err artifact_put(struct ctx *cx, const struct artifact_owner *owner, const char *name,
                               const struct blob *blob);
/* How many bytes a file of this name may have: at most max_upload_bytes and what the team may still
 * store; ERR_FORBIDDEN when size_bytes, as far as it is known (or <= 0), is more than that. Refuses
 * what artifact_receive() refuses. */
MUST_USE enum err artifact_room(struct ctx *cx, const struct artifact_owner *owner,
                                const char *name, int64_t size_bytes, int64_t *ret_bytes);

MUST_USE enum err artifact_find(struct ctx *cx, const struct artifact_owner *owner,
                                const char *name, struct artifact *ret, bool *ret_found);

struct artifact_level {
    const char *dir; /* "" = the root; its form is checked, whether it exists is not */
    /* The last entry of the page before, and what it was; NULL = from the start. */
    const char *after;
    bool after_is_dir;
    int64_t limit; /* at least 1 */
};
/* One level of a tree: struct artifact, by the bytes of their names with a slash at the end of
 * directories. Costs a few index probes an entry, however many files stand below. */
MUST_USE enum err artifact_list_level(struct ctx *cx, const struct artifact_owner *owner,
                                      const struct artifact_level *level, struct list *ret);
/* Every file below dir ("" = all), or the file of that name, by name: struct artifact. */
MUST_USE enum err artifact_list_tree(struct ctx *cx, const struct artifact_owner *owner,
                                     const char *dir, struct list *ret);
/* A file, or all files below a directory ("" = all); *ret_count = 0 when there is neither.
 * ERR_CONFLICT when a file of the run's job is among them. */
MUST_USE enum err artifact_delete(struct ctx *cx, const struct artifact_owner *owner,
                                  const char *path, int64_t *ret_count);

/* Nothing in a file of this type can run or load anything when a browser shows it: pictures, text,
 * sound, film. */
bool artifact_type_is_harmless(const char *media_type);
/* Answers with the file's bytes under a sandbox policy: in_page for a browser to show them, else as
 * an attachment. */
MUST_USE enum err artifact_reply(struct ctx *cx, struct reply *rp, const struct artifact *file,
                                 const char *media_type, bool in_page);

extern const struct route ARTIFACT_FILE_ROUTES[];
extern const size_t ARTIFACT_FILE_ROUTE_COUNT;
extern const struct db_constraint ARTIFACT_FILE_CONSTRAINTS[];
extern const size_t ARTIFACT_FILE_CONSTRAINT_COUNT;
