/* slipwayd: finds the command among the words, reads its options, runs it, reports its failure. */
#include "base/cleanup.h"
#include "base/log.h"
#include "command.h"

#include <string.h>

static const struct {
    const struct command *commands;
    const size_t *count;
} TABLES[] = {{COMMANDS, &COMMAND_COUNT},
              {PEOPLE_COMMANDS, &PEOPLE_COMMAND_COUNT},
              {TOKEN_COMMANDS, &TOKEN_COMMAND_COUNT},
              {AUDIT_COMMANDS, &AUDIT_COMMAND_COUNT}};

/* Counts through all tables; NULL behind the last. */
static const struct command *command_at(size_t index) {
    for (size_t i = 0; i < sizeof(TABLES) / sizeof(TABLES[0]); i++) {
        if (index < *TABLES[i].count)
            return &TABLES[i].commands[index];
        index -= *TABLES[i].count;
    }
    return NULL;
}

static int usage(FILE *out) {
    fputs("usage: slipwayd COMMAND [--config FILE] [--OPTION VALUE]…\n\n", out);
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)); i++) {
        char line[128];
        snprintf(line, sizeof(line), "%s%s%s %s", c->word, c->verb ? " " : "",
                 c->verb ? c->verb : "", c->arguments ? c->arguments : "");
        fprintf(out, "  %-54s %s\n", line, c->doc);
    }
    fputs("\nOptions: see slipwayd config.\n", out);
    return out == stdout ? 0 : 2;
}

static bool names_command(const struct command *c, int argc, char **argv) {
    return argc > 0 && strcmp(c->word, argv[0]) == 0 &&
           (!c->verb || (argc > 1 && strcmp(c->verb, argv[1]) == 0));
}

static const struct command *command_find(int argc, char **argv) {
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)); i++)
        if (names_command(c, argc, argv))
            return c;
    return NULL;
}

static enum err run(const struct command *command, int argc, char **argv, struct arena *arena,
                    struct err_info *err) {
    int own_words = command->verb ? 2 : 1;
    struct config config;
    struct option_input input = {.argc = argc - own_words, .argv = argv + own_words};
    void *options = arena_alloc(arena, command->option_size ? command->option_size : 1);
    const struct option_set set = {command->options, command->option_count, options};

    TRY(config_load(arena, &input, command->options ? &set : NULL, &config, err));
    if (input.word_count != command->rest_count)
        return err_set(err, ERR_INVALID, NULL, "usage: slipwayd %s %s %s", command->word,
                       command->verb ? command->verb : "",
                       command->arguments ? command->arguments : "");
    const struct command_input in = {.arena = arena,
                                     .config = &config,
                                     .options = options,
                                     .rest = input.words,
                                     .rest_count = input.word_count};
    return command->run(&in, err);
}

int main(int argc, char **argv) {
    const struct command *command = command_find(argc - 1, argv + 1);
    struct err_info err = {0};

    if (!command)
        return usage(argc > 1 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
    log_init(LOG_INFO);
    struct arena *arena = arena_new();
    enum err done = run(command, argc - 1, argv + 1, arena, &err);
    arena_free(arena);
    if (done == OK)
        return 0;
    fprintf(stderr, "slipwayd: %s%s%s\n", err.message, err.detail[0] ? " · " : "", err.detail);
    return 1;
}
