/* slipwayd's option table; see config.h. A new option is a member there and a row here. */

#include "config/config.h"

#include <string.h>

const struct option CONFIG_OPTIONS[] = {
    OPTION(TEXT, struct config, listen, .fallback = "127.0.0.1:8443",
           .doc = "address and port of HTTPS"),
    OPTION(TEXT, struct config, database_url, .fallback = "postgresql:///slipway",
           .flags = OPTION_SECRET, .doc = "PostgreSQL, as a role that owns no table"),
    OPTION(TEXT, struct config, migrate_url, .flags = OPTION_SECRET,
           .doc = "PostgreSQL, as the role that owns the tables; for migrate alone"),
    OPTION(TEXT, struct config, data_dir, .fallback = "var/data", .doc = "blobs and uploads"),
    OPTION(TEXT, struct config, serve_dir, .fallback = "var/serve",
           .doc = "sockets of served models, shared with the worker"),
    OPTION(TEXT, struct config, tls_cert,
           .doc = "certificate chain, PEM; empty = tls.crt in key_dir"),
    OPTION(TEXT, struct config, tls_key, .doc = "its private key, PEM; empty = tls.key in key_dir"),
    OPTION(TEXT, struct config, key_dir, .fallback = "var/keys",
           .doc = "signing and sealing keys, readable by their owner alone"),
    OPTION(TEXT, struct config, static_dir, .doc = "the built UI; empty = none is served"),
    OPTION(TEXT, struct config, allowed_hosts,
           .doc = "host names answered to, with commas; empty = this machine's own"),
    OPTION(TEXT, struct config, trusted_proxy,
           .doc = "address whose X-Forwarded-For is believed; empty = none"),
    OPTION(
        TEXT, struct config, allowed_private_networks,
        .doc =
            "private networks that may be asked (identity providers, webhooks), CIDR with commas"),
    OPTION(TEXT, struct config, outbound_ca_file,
           .doc = "certificates that outgoing connections trust, PEM; empty = the system's"),
    OPTION(TEXT, struct config, log_level, .fallback = "info",
           .choices = "debug|info|warning|error", .doc = "least severe lines logged"),
    OPTION(INT, struct config, threads, .fallback = "64", .min = 4, .max = 1024,
           .doc = "requests served at once"),
    OPTION(INT, struct config, db_pool, .fallback = "20", .min = 1, .max = 200,
           .doc = "database connections at most"),
    OPTION(INT, struct config, db_wait_ms, .fallback = "250", .min = 1, .max = 60000,
           .doc = "how long a request waits for a database connection"),
    OPTION(BYTES, struct config, max_upload_bytes, .fallback = "64 GiB", .min = 1,
           .doc = "largest upload"),
    OPTION(BYTES, struct config, min_free_bytes, .fallback = "1 GiB",
           .doc = "free space of data_dir below which uploads are refused"),
    OPTION(INT, struct config, streams, .fallback = "32", .min = 1, .max = 512,
           .doc = "live event streams at once; further pages poll"),
    OPTION(INT, struct config, session_hours, .fallback = "168", .min = 1, .max = 8760,
           .doc = "hours a browser stays signed in without use"),
    OPTION(INT, struct config, access_minutes, .fallback = "15", .min = 1, .max = 60,
           .doc = "minutes until the token in the session cookie is renewed"),
    OPTION(INT, struct config, blob_grace_hours, .fallback = "24", .min = 1, .max = 8760,
           .doc = "hours that unfinished uploads and unreferenced blobs are kept"),
    OPTION(INT, struct config, run_silent_hours, .fallback = "24", .min = 0, .max = 8760,
           .doc = "hours without a report after which a client's run is lost; 0 = never"),
#ifdef SLIPWAY_FILE_ROOT
    /* MLflow's own tests read their artifacts from the disk. No other build knows this option: a
     * server must not tell its clients paths. It touches no file there itself. */
    OPTION(TEXT, struct config, file_root,
           .doc = "file:///…/ that experiments' locations begin with"),
#endif
};
const size_t CONFIG_OPTION_COUNT = sizeof(CONFIG_OPTIONS) / sizeof(CONFIG_OPTIONS[0]);

enum err config_load(struct arena *arena, struct option_input *input,
                     const struct option_set *command, struct config *ret, struct err_info *err) {
    memset(ret, 0, sizeof(*ret));
    const struct option_set sets[] = {{CONFIG_OPTIONS, CONFIG_OPTION_COUNT, ret},
                                      command ? *command : (struct option_set){0}};
    if (!input->env_prefix)
        input->env_prefix = "SLIPWAY_";
    TRY(options_load(arena, sets, command ? 2 : 1, input, err));
    if (!ret->tls_cert)
        ret->tls_cert = arena_printf(arena, "%s/tls.crt", ret->key_dir);
    if (!ret->tls_key)
        ret->tls_key = arena_printf(arena, "%s/tls.key", ret->key_dir);
    if (!ret->migrate_url)
        ret->migrate_url = ret->database_url;
    return OK;
}

void config_print(const struct config *config, FILE *out) {
    /* options_print() only reads through ret, which is not const for the sake of options_load(). */
    struct config copy = *config;
    options_print(&(struct option_set){CONFIG_OPTIONS, CONFIG_OPTION_COUNT, &copy}, out);
}
