/* The commands of slipwayd: one row each, one function each. */
#pragma once

#include "config/config.h"

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

extern const struct command COMMANDS[];
extern const size_t COMMAND_COUNT;
