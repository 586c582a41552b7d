/* slipwayd audit: what an operator asks of the audit log without a server. See command.h. */
#include "auth/audit.h"
#include "base/cleanup.h"
#include "command.h"

#include <string.h>

struct verify_options {
    bool json;
};
static const struct option VERIFY_OPTIONS[] = {
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

static enum err export(struct ctx *cx, const struct command_input *in) {
    const struct export_options *options = in->options; struct list chains;
    TRY(audit_chain_list(cx, &chains));
    const struct audit_chain *chain = chains.items;
    for (size_t i = 0; i < chains.count;
         i++) if (chain[i].id &&
                  strcmp(chain[i].slug, options->team) ==
                      0) return audit_export(cx, chain[i].id,
                                             &(struct audit_sink){options->csv ? AUDIT_CSV
                                                                               : AUDIT_JSONL,
                                                                  write_file, stdout});
    return fail(cx, ERR_NOT_FOUND, "team \"%s\" has no audit log", options->team);
}

static enum err run_export(const struct command_input *in, struct err_info *err) {
    return command_offline(in, export, err);
}

const struct command AUDIT_COMMANDS[] = {
    {"audit", "verify", "[--json]", OPTIONS_OF(VERIFY_OPTIONS, struct verify_options),
     .run = run_verify, .doc = "look for changed or missing events; ends 1 when there are any"},
    {"audit", "export", "--team SLUG [--csv]", OPTIONS_OF(EXPORT_OPTIONS, struct export_options),
     .run = run_export, .doc = "print a team's audit log, oldest first, as JSON Lines or CSV"},
};
const size_t AUDIT_COMMAND_COUNT = sizeof(AUDIT_COMMANDS) / sizeof(AUDIT_COMMANDS[0]);
