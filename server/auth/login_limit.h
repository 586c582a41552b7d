/* How often somebody may guess. Private to auth/. */
#pragma once

#include "ctx.h"

/* Counts a try for the account (known or not) and for the caller's address, durably, before the
 * password is looked at; ERR_RATE_LIMITED with Retry-After once either has had too many. Open
 * sessions are not concerned. */
MUST_USE enum err login_admit(struct ctx *cx, const char *email);
/* The password was right: the account's tries are forgotten, the address gets this one back. */
MUST_USE enum err login_forgive(struct ctx *cx, const char *email);
/* The try was none: both counts get this one back. */
MUST_USE enum err login_take_back(struct ctx *cx, const char *email);
