/* slipwayd's options. The table in config.c is the documentation; this is what the code reads.
 *
 * Read once at start and never changed. Sizes are bytes. Texts live as long as the process. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "config/option.h"

struct config {
    const char *listen;        /* address:port of the HTTPS port */
    const char *database_url;  /* role slipway_app: owns no table */
    const char *migrate_url;   /* the owner's, else database_url. Used by migrate alone */
    const char *data_dir;      /* blobs and uploads */
    const char *serve_dir;     /* sockets of predict runners, shared with the worker */
    const char *tls_cert;      /* PEM; by default key_dir/tls.crt */
    const char *tls_key;       /* PEM; by default key_dir/tls.key */
    const char *key_dir;       /* signing and sealing keys, 0600 */
    const char *static_dir;    /* the built UI; NULL = none is served */
    const char *allowed_hosts; /* comma list of Host names; NULL = this machine's own */
    const char *trusted_proxy; /* address whose X-Forwarded-For is believed; NULL = none */
    const char *allowed_private_networks; /* CIDR, commas: where providers may be; NULL = none */
    const char
        *outbound_ca_file;    /* certificates that outgoing connections trust; NULL = system's */
    const char *log_level;    /* debug | info | warning | error */
    int64_t threads;          /* of the HTTP server */
    int64_t db_pool;          /* connections at most */
    int64_t db_wait_ms;       /* how long a request waits for one */
    int64_t max_upload_bytes; /* of one upload */
    int64_t min_free_bytes;   /* of the disk of data_dir: below it uploads are refused */
    int64_t streams;          /* server-sent event streams at once */
    int64_t session_hours;    /* a browser stays signed in so long without use */
    int64_t access_minutes;   /* life of the token in the session cookie */
    int64_t blob_grace_hours; /* unreferenced blobs and unfinished uploads are kept so long */
    int64_t
        run_silent_hours;  /* without a report an external run is lost after so long; 0 = never */
    const char *file_root; /* NULL but in builds for MLflow's own tests; see config.c */
};

extern const struct option CONFIG_OPTIONS[];
extern const size_t CONFIG_OPTION_COUNT;

/* Reads file, environment and flags. command may be NULL: the table of the command's own flags. */
MUST_USE enum err config_load(struct arena *arena, struct option_input *input,
                              const struct option_set *command, struct config *ret,
                              struct err_info *err);
void config_print(const struct config *config, FILE *out);
