/* data_table.h: a table on its way from a file to tensors; shared by the three files that do it.
 *
 *   data_source.c   the file → DuckDB table "raw", columns c0, c1, … as they were found
 *   data_table.c    raw → table "t" with final types → tensors
 *   data_profile.c  t → what people see: statistics, histograms, samples
 *
 * Names that users chose never appear in SQL: columns are c<index> from the first query on. */
#ifndef SLIPWAY_RUNNERS_DATA_TABLE_H
#define SLIPWAY_RUNNERS_DATA_TABLE_H

#include "runners/data_sql.h"

#include <stdio.h>

enum column_type {
    COLUMN_NUMERIC,
    COLUMN_BOOLEAN,
    COLUMN_CATEGORICAL,
    COLUMN_TIMESTAMP,
    COLUMN_TEXT,
};

struct column {
    const char *name; /* belongs to table.names */
    enum column_type type;
    bool whole_levels;       /* categorical whose levels are whole numbers, in their order */
    int64_t nulls, distinct; /* distinct is estimated in tables of more than a million rows */
    json_t *levels;          /* categorical: texts in the order of their codes; owned */
};

struct table {
    struct import *im;
    const struct runner_input *in;
    struct sql sql;
    json_t *names; /* array of texts; owned */
    struct column *columns;
    size_t count;   /* of columns */
    int64_t rows;   /* of t */
    size_t target;  /* index, or count when there is none */
    bool untyped;   /* raw holds text whose types are still to be found */
    int32_t *codes; /* of a categorical target, one a row; owned, NULL without */
    uint8_t *split; /* one a row; owned */
};

extern const char *const COLUMN_TYPE_NAMES[];

/* Loads the file into raw and fills names, columns and untyped. */
MUST_USE enum run source_load(struct table *tb);

/* Allocates columns for the names in tb->names, checking them. place is where they stand. */
MUST_USE enum run table_name_columns(struct table *tb, const char *place);

/* The members "columns" and "samples" of the result. */
MUST_USE enum run profile_table(struct table *tb, json_t **ret_columns, json_t **ret_samples);

/* Statements about many columns are printed into memory; the text is the
 * caller's once the file is closed. */
FILE *sql_text_open(char **text, size_t *size);

/* Writes the pattern with each # replaced by the index: "count(c#)" → "count(c7)". */
void sql_text_column(FILE *out, const char *pattern, size_t index);

/* The same for each column from first to before end, separated by commas. */
void sql_text_columns(FILE *out, size_t first, size_t end, const char *pattern);

#endif
