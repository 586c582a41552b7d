/* What the two files of evaluation sets share. */
#pragma once

#include "traces/evaluation.h"

/* Until the commit; ret_schema: "" when there is none yet. ERR_NOT_FOUND names the set. */
MUST_USE enum err evaluation_set_lock(struct ctx *cx, const char *project_id, const char *id,
                                      const char **ret_schema);
/* digest and schema NULL = as they were. */
MUST_USE enum err evaluation_set_touch(struct ctx *cx, const char *id, const char *user,
                                       const char *digest, const char *schema);
const char *evaluation_digest(struct ctx *cx, const char *name);
/* Who the tags say it was, else whose request it is. */
const char *evaluation_user(const struct ctx *cx, const json_t *tags);
