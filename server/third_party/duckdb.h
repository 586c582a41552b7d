/* duckdb.h: the part of DuckDB's C API that the data runner uses.
 *
 * The official shared library comes without its header, so the functions are declared here, as
 * documented for the stable C API (1.2 and later). Handles are opaque pointers; every *_destroy_*
 * takes the address of one and sets it to NULL. Nothing else of the server includes this file. */
#ifndef SLIPWAY_DUCKDB_H
#define SLIPWAY_DUCKDB_H

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t idx_t;

typedef enum { DuckDBSuccess = 0, DuckDBError = 1 } duckdb_state;

typedef enum {
    DUCKDB_PENDING_RESULT_READY = 0,
    DUCKDB_PENDING_RESULT_NOT_READY = 1,
    DUCKDB_PENDING_ERROR = 2,
    DUCKDB_PENDING_NO_TASKS_AVAILABLE = 3,
} duckdb_pending_state;

typedef struct duckdb_database_s *duckdb_database;
typedef struct duckdb_connection_s *duckdb_connection;
typedef struct duckdb_config_s *duckdb_config;
typedef struct duckdb_prepared_statement_s *duckdb_prepared_statement;
typedef struct duckdb_pending_result_s *duckdb_pending_result;
typedef struct duckdb_data_chunk_s *duckdb_data_chunk;
typedef struct duckdb_vector_s *duckdb_vector;
typedef struct duckdb_error_data_s *duckdb_error_data;

/* Passed by value; only internal_data is in use today. */
typedef struct {
    idx_t deprecated_column_count;
    idx_t deprecated_row_count;
    idx_t deprecated_rows_changed;
    void *deprecated_columns;
    char *deprecated_error_message;
    void *internal_data;
} duckdb_result;

typedef struct {
    double percentage; /* -1 when unknown */
    uint64_t rows_processed;
    uint64_t total_rows_to_process;
} duckdb_query_progress_type;

/* A string inside a vector: up to 12 bytes inline. */
typedef struct {
    union {
        struct {
            uint32_t length;
            char prefix[4];
            char *at;
        } pointer;
        struct {
            uint32_t length;
            char bytes[12];
        } inlined;
    } value;
} duckdb_string_t;

duckdb_state duckdb_create_config(duckdb_config *ret);
duckdb_state duckdb_set_config(duckdb_config config, const char *name, const char *option);
void duckdb_destroy_config(duckdb_config *config);

duckdb_state duckdb_open_ext(const char *path, duckdb_database *ret, duckdb_config config,
                             char **ret_error);
void duckdb_close(duckdb_database *database);
duckdb_state duckdb_connect(duckdb_database database, duckdb_connection *ret);
void duckdb_disconnect(duckdb_connection *connection);
void duckdb_interrupt(duckdb_connection connection);
duckdb_query_progress_type duckdb_query_progress(duckdb_connection connection);
void duckdb_free(void *memory);

duckdb_state duckdb_prepare(duckdb_connection connection, const char *query,
                            duckdb_prepared_statement *ret);
const char *duckdb_prepare_error(duckdb_prepared_statement statement);
void duckdb_destroy_prepare(duckdb_prepared_statement *statement);

duckdb_state duckdb_pending_prepared_streaming(duckdb_prepared_statement statement,
                                               duckdb_pending_result *ret);
duckdb_pending_state duckdb_pending_execute_task(duckdb_pending_result pending);
bool duckdb_pending_execution_is_finished(duckdb_pending_state state);
const char *duckdb_pending_error(duckdb_pending_result pending);
duckdb_state duckdb_execute_pending(duckdb_pending_result pending, duckdb_result *ret);
void duckdb_destroy_pending(duckdb_pending_result *pending);

const char *duckdb_result_error(duckdb_result *result);
void duckdb_destroy_result(duckdb_result *result);

/* The next rows, NULL at the end or on an error, which duckdb_result_error then tells. */
duckdb_data_chunk duckdb_fetch_chunk(duckdb_result result);
void duckdb_destroy_data_chunk(duckdb_data_chunk *chunk);
idx_t duckdb_data_chunk_get_size(duckdb_data_chunk chunk);
duckdb_vector duckdb_data_chunk_get_vector(duckdb_data_chunk chunk, idx_t column);
void *duckdb_vector_get_data(duckdb_vector vector);
uint64_t *duckdb_vector_get_validity(duckdb_vector vector); /* NULL when no row is null */
bool duckdb_validity_row_is_valid(uint64_t *validity, idx_t row);
uint32_t duckdb_string_t_length(duckdb_string_t string);
const char *duckdb_string_t_data(duckdb_string_t *string);

/* NULL when the bytes are UTF-8, else an error to be destroyed. */
duckdb_error_data duckdb_valid_utf8_check(const char *text, idx_t size);
void duckdb_destroy_error_data(duckdb_error_data *error);

#endif
