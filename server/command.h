/* The commands of slipwayd: one row each, one function each. A file of commands ends with its
 * table; main.c lists the tables. */
#pragma once

#include "config/config.h"
#include "ctx.h"

struct command_input {
    struct arena *arena;
    const struct config *config;
    const void *options;     /* a struct of the row's option table; NULL without one */
    const char *const *rest; /* words after the command's own */
    int rest_count;
};

struct command {
    const char *word, *verb; /* "user", "create"; verb NULL for commands of one word */
    const char *arguments;   /* for the usage line */
    const struct option *options;
    size_t option_count;
    size_t option_size; /* of the struct the options are read into */
    int rest_count;     /* words it demands */
    enum err (*run)(const struct command_input *in, struct err_info *err);
    const char *doc;
};

#define OPTIONS_OF(table, type)                                                                    \
    .options = (table), .option_count = sizeof(table) / sizeof((table)[0]),                        \
    .option_size = sizeof(type)

extern const struct command COMMANDS[];
extern const size_t COMMAND_COUNT;
extern const struct command PEOPLE_COMMANDS[]; /* command_people.c */
extern const size_t PEOPLE_COMMAND_COUNT;
extern const struct command TOKEN_COMMANDS[]; /* command_token.c */
extern const size_t TOKEN_COMMAND_COUNT;
extern const struct command AUDIT_COMMANDS[]; /* command_audit.c */
extern const size_t AUDIT_COMMAND_COUNT;

/* Runs fn as the system, in one transaction over the database alone. */
MUST_USE enum err command_offline(const struct command_input *in,
                                  enum err (*fn)(struct ctx *cx, const struct command_input *in),
                                  struct err_info *err);
