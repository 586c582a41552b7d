/* Options as tables: one row gives an option's name, type, default, limits and sentence, and serves
 * the configuration file (key = value), the environment (PREFIX_KEY), the flags (--key), the help
 * and the print-out. A flag beats the environment, which beats the file, which beats the default.
 *
 * Unknown keys of the file and unknown flags are refused with the nearest name. The environment is
 * shared with others, so an unknown variable is refused only when it nearly is an option's name.
 * slipwayd, slipway-worker and each command of slipwayd bring tables of their own. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
    OPTION_TEXT,  /* const char * in the arena; NULL when empty */
    OPTION_INT,   /* int64_t */
    OPTION_BYTES, /* int64_t; "64 GiB", "512MiB", "1000" */
    OPTION_BOOL   /* bool; as a flag it takes no value */
};

enum option_flag {
    OPTION_SECRET = 1,   /* masked when printed */
    OPTION_REQUIRED = 2, /* has no default and must be given */
    OPTION_FLAG_ONLY = 4 /* of one command: not in the file or the environment */
};

struct option {
    const char *name; /* data_dir: the key; SLIPWAY_DATA_DIR; --data-dir */
    enum option_type type;
    size_t offset;
    const char *fallback; /* the default, as it would be written; NULL = none */
    unsigned flags;       /* enum option_flag */
    int64_t min, max;     /* OPTION_INT, OPTION_BYTES; max 0 = no limit */
    const char *choices;  /* OPTION_TEXT: "auto|strict|off"; NULL = anything */
    const char *doc;
};

/* OPTION(INT, struct config, threads, .fallback = "64", .doc = "…") */
#define OPTION(kind, owner, member, ...)                                                           \
    { .name = #member, .type = OPTION_##kind, .offset = offsetof(owner, member), __VA_ARGS__ }

struct option_set {
    const struct option *options;
    size_t count;
    void *ret; /* the struct that the offsets point into; zeroed before */
};

struct option_input {
    const char *env_prefix;  /* "SLIPWAY_" */
    const char *config_file; /* read when no --config FILE is given; NULL = none */
    int argc;
    char **argv;          /* without the program's name */
    const char *words[4]; /* out: arguments that are no flags, in order */
    int word_count;       /* out */
};

/* Fills every set. --config FILE names the file. Texts live in the arena. */
MUST_USE enum err options_load(struct arena *arena, const struct option_set *sets, size_t set_count,
                               struct option_input *input, struct err_info *err);

/* As a configuration file, secrets as "********". */
void options_print(const struct option_set *set, FILE *out);
void options_help(const struct option_set *set, FILE *out);
