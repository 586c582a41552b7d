/* slipwayd audit: what an operator asks of the audit log without a server. See command.h. */
#include "auth/audit.h"
#include "base/cleanup.h"
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct verify_options {
    const char *against;
    bool json;
};
static const struct option VERIFY_OPTIONS[] = {
    OPTION(TEXT, struct verify_options, against, .flags = OPTION_FLAG_ONLY,
           .doc = "what an earlier \"audit verify --json\" printed, kept elsewhere"),
    OPTION(BOOL, struct verify_options, json, .flags = OPTION_FLAG_ONLY, .doc = "answer in JSON"),
};

static const char *chain_name(const struct audit_chain *chain) {
    return chain->id ? chain->slug : "(no team)";
}

static void print_verification(const struct audit_chain *chain,
                               const struct audit_verification *verification, bool as_json) {
    if (!as_json) {
        printf("%s: %s\n", chain_name(chain), verification->message);
        return;
    }
    auto_json *object = field_encode(&AUDIT_VERIFICATION, verification);
    json_object_set_new(object, "team", chain->id ? json_string(chain->slug) : json_null());
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
}

/* One line of an earlier verification against what there is now. A team's chain that is gone
 * altogether is missing too. */
static enum err check_line(struct ctx *cx, const char *line, const struct list *chains,
                           size_t *bad) {
    auto_json *object = json_loads(line, 0, NULL);
    const char *slug = json_string_value(json_object_get(object, "team"));
    const char *hash = json_string_value(json_object_get(object, "last_hash"));
    int64_t seq = json_integer_value(json_object_get(object, "last_seq"));
    if (!hash)
        return fail(cx, ERR_INVALID, "this is not what \"audit verify --json\" prints: %.80s",
                    line);
    bool there = seq == 0;
    const struct audit_chain *chain = chains->items;
    for (size_t i = 0; i < chains->count && !there; i++)
        if (strcmp(slug ? slug : "", chain[i].slug) == 0)
            TRY(audit_contains(cx, chain[i].id, seq, hash, &there));
    if (!there)
        fprintf(stderr, "%s: event %lld of the earlier verification is gone\n",
                slug ? slug : "(no team)", (long long)seq);
    *bad += !there;
    return OK;
}

static enum err check_against(struct ctx *cx, const char *path, const struct list *chains,
                              size_t *bad) {
    auto_file *file = fopen(path, "re");
    if (!file)
        return fail(cx, ERR_INVALID, "\"%s\" cannot be read: %s", path, strerror(errno));
    auto_free char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, file) > 0)
        TRY(check_line(cx, line, chains, bad));
    return OK;
}

static enum err verify(struct ctx *cx, const struct command_input *in) {
    const struct verify_options *options = in->options;
    struct list chains;
    size_t bad = 0;
    TRY(audit_chain_list(cx, &chains));
    const struct audit_chain *chain = chains.items;
    for (size_t i = 0; i < chains.count; i++) {
        struct audit_verification verification;
        TRY(audit_verify(cx, chain[i].id, &verification));
        print_verification(&chain[i], &verification, options->json);
        bad += !verification.ok;
    }
    if (options->against)
        TRY(check_against(cx, options->against, &chains, &bad));
    return bad ? fail(cx, ERR_CONFLICT, "the audit log was changed") : OK;
}

static enum err run_verify(const struct command_input *in, struct err_info *err) {
    return command_offline(in, verify, err);
}

struct export_options {
    const char *team;
    bool csv;
};
static const struct option EXPORT_OPTIONS[] = {
    OPTION(TEXT, struct export_options, team, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED,
           .doc = "team's short name"),
    OPTION(BOOL, struct export_options, csv, .flags = OPTION_FLAG_ONLY,
           .doc = "as CSV instead of JSON Lines"),
};

static bool write_file(void *file, const void *data, size_t size) {
    return fwrite(data, 1, size, file) == size;
}

static enum err print_copy(struct ctx *cx, const struct command_input *in) {
    const struct export_options *options = in->options;
    const struct audit_sink sink = {options->csv ? AUDIT_CSV : AUDIT_JSONL, write_file, stdout};
    struct list chains;
    TRY(audit_chain_list(cx, &chains));
    const struct audit_chain *chain = chains.items;
    for (size_t i = 0; i < chains.count; i++)
        if (chain[i].id && strcmp(chain[i].slug, options->team) == 0)
            return audit_export(cx, chain[i].id, &sink);
    return fail(cx, ERR_NOT_FOUND, "team \"%s\" has no audit log", options->team);
}

static enum err run_export(const struct command_input *in, struct err_info *err) {
    return command_offline(in, print_copy, err);
}

const struct command AUDIT_COMMANDS[] = {
    {"audit", "verify", "[--json] [--against FILE]",
     OPTIONS_OF(VERIFY_OPTIONS, struct verify_options), .run = run_verify,
     .doc = "look for changed or missing events; ends 1 when there are any"},
    {"audit", "export", "--team SLUG [--csv]", OPTIONS_OF(EXPORT_OPTIONS, struct export_options),
     .run = run_export, .doc = "print a team's audit log, oldest first, as JSON Lines or CSV"},
};
const size_t AUDIT_COMMAND_COUNT = sizeof(AUDIT_COMMANDS) / sizeof(AUDIT_COMMANDS[0]);
