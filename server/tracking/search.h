/* Searching: one small language for every kind of object that has a list.
 *
 *     metrics.loss < 0.2 AND (params.lr IN ('0.1', '0.01') OR NOT tags.stage = 'draft')
 *
 * A text is parsed into a tree whose every leaf names a row of the entity's table of fields; SQL is
 * composed from that table alone, and every word of the client is a parameter. Two dialects read
 * the same tree: our own, and MLflow's (one AND-ed list, its operators per field, its texts of
 * errors). Whoever makes a list searchable writes a `struct search_entity` and calls search_page():
 *
 *     static const struct search_source TAGS = {
 *         .from = "model_tags t", .owner = "t.model_id", .key = "t.key",
 *         .where = "t.team_id = $1::uuid"};
 *     static const struct search_field FIELDS[] = {
 *         {.name = "name", .type = SEARCH_TEXT, .sql = "m.name", .ops = SEARCH_TEXT_OPS,
 *          .mlflow_ops = SEARCH_EQ | SEARCH_NE | SEARCH_LIKE | SEARCH_ILIKE,
 *          .order = SEARCH_ORDER | SEARCH_ORDER_MLFLOW},
 *         {.name = "updated_at", .aliases = "last_updated_timestamp", .type = SEARCH_TIME,
 *          .sql = "m.updated_at", .ops = SEARCH_NUMBER_OPS, .order = SEARCH_ORDER},
 *         {.group = "tags", .type = SEARCH_TEXT, .sql = "t.value", .source = &TAGS,
 *          .ops = SEARCH_TEXT_OPS, .mlflow_ops = SEARCH_EQ | SEARCH_NE | SEARCH_LIKE},
 *     };
 *     static const struct search_entity MODELS = {
 *         .name = "model", .from = "models m", .id = "m.id",
 *         .where = "m.team_id = $1::uuid and m.project_id = $2::uuid",
 *         .fields = FIELDS, .field_count = sizeof(FIELDS) / sizeof(FIELDS[0]),
 *         .order = "name"};
 *     TRY(search_page(cx, &MODELS, &(struct search){.filter = text, .scope = ARGS(project_id),
 *                     .scope_count = 1, .limit = 100, .token = token}, &page));
 *
 * The page has ids in order; load what is shown of them with a statement of your own
 * (… from unnest($2::uuid[]) with ordinality …).
 *
 * Meaning of a comparison with a keyed field (tags, params, metrics): there is a row of that key,
 * and its value compares. So "!=" finds only what has the key; NOT turns the whole round and finds
 * what lacks it too. NaN is greater than nothing and less than nothing. Our dialect also takes
 * min() and max() of a metric, lists of numbers, and numbers without quotes for texts: then those
 * texts compare that are numbers (params.lr < 0.01). */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

#define SEARCH_TEXT_MAX 8192 /* bytes of a filter, and of all order clauses together */
#define SEARCH_COMPARISONS_MAX 100
#define SEARCH_DEPTH_MAX 20       /* of parentheses and NOTs in one another */
#define SEARCH_LIST_MAX 1000      /* items of an IN */
#define SEARCH_ORDER_MAX 8        /* order keys, the entity's own included */
#define SEARCH_TIMEOUT_MS 2000    /* of the database's work for one search */
#define SEARCH_KEY_MAX 64         /* bytes of a text that is its own search_key() */
#define SEARCH_CROWD 10000        /* entities from which looking up each is too dear */
#define SEARCH_SORT_CHARACTERS 64 /* texts are ordered by that many */
#define SEARCH_WALK 20            /* a walk gives up when fewer than one in so many are found */

enum search_dialect { SEARCH_NATIVE, SEARCH_MLFLOW };

enum search_op {
    SEARCH_EQ = 1,
    SEARCH_NE = 2,
    SEARCH_LT = 4,
    SEARCH_LE = 8,
    SEARCH_GT = 16,
    SEARCH_GE = 32,
    SEARCH_LIKE = 64, /* % and _; a backslash takes their meaning away */
    SEARCH_NOT_LIKE = 128,
    SEARCH_ILIKE = 256,
    SEARCH_NOT_ILIKE = 512,
    SEARCH_IN = 1024,
    SEARCH_NOT_IN = 2048,
    SEARCH_NULL = 4096, /* IS NULL: no such row, or no value */
    SEARCH_NOT_NULL = 8192,
    SEARCH_RLIKE = 16384 /* POSIX regular expression */
};
#define SEARCH_SAME_OPS                                                                            \
    (SEARCH_EQ | SEARCH_NE | SEARCH_IN | SEARCH_NOT_IN | SEARCH_NULL | SEARCH_NOT_NULL)
#define SEARCH_NUMBER_OPS (SEARCH_SAME_OPS | SEARCH_LT | SEARCH_LE | SEARCH_GT | SEARCH_GE)
#define SEARCH_TEXT_OPS                                                                            \
    (SEARCH_NUMBER_OPS | SEARCH_LIKE | SEARCH_NOT_LIKE | SEARCH_ILIKE | SEARCH_NOT_ILIKE)
/* What MLflow permits: of numbers, of texts, and of texts with lists. */
#define SEARCH_MLFLOW_NUMBER_OPS                                                                   \
    (SEARCH_EQ | SEARCH_NE | SEARCH_LT | SEARCH_LE | SEARCH_GT | SEARCH_GE)
#define SEARCH_MLFLOW_TEXT_OPS (SEARCH_EQ | SEARCH_NE | SEARCH_LIKE | SEARCH_ILIKE)
#define SEARCH_MLFLOW_LIST_OPS (SEARCH_MLFLOW_TEXT_OPS | SEARCH_IN | SEARCH_NOT_IN)

enum search_type {
    SEARCH_TEXT,
    SEARCH_NUMBER, /* sql is of a numeric type; values are float8 */
    SEARCH_TIME,   /* timestamptz; values are RFC 3339, a date, or Unix milliseconds */
    SEARCH_ID      /* uuid; values with or without dashes */
};

enum search_order {
    SEARCH_ORDER = 1,       /* may be ordered by */
    SEARCH_ORDER_MLFLOW = 2 /* in MLflow's dialect too */
};

/* Rows that belong to an entity: its tags, its metrics. At most one row a key when ordered by. */
struct search_source {
    /* Conditions on it that are joined by AND hold of one row: its rows are things of their own. */
    bool together;
    const char *from;  /* "run_metrics m" */
    const char *owner; /* "m.run_id": the entity's id; never null */
    const char *where; /* "m.team_id = $1::uuid and …": on the team and the scope's parameters */
    const char *key;   /* "m.key"; NULL = rows have none, fields of it carry names */
    /* Like where, for a search within one (struct search): an index lists a key's rows in the order
     * of the field's sql. NULL = none does. */
    const char *ordered;
};

struct search_field {
    const char *group;   /* "metrics"; NULL = an attribute */
    const char *name;    /* NULL = every key of the group; the source has a key then */
    const char *prefix;  /* instead of a name: keys that begin so, by what follows it */
    const char *aliases; /* further names, separated by "|"; NULL = none */
    enum search_type type;
    const char *sql;               /* "m.last_value", "e.name"; of a prefix "s.attributes ->>" */
    const char *min_sql, *max_sql; /* of min(metrics.x), max(metrics.x); NULL = unknown */
    const char *lookup;            /* search_key(sql) as a column; NULL = none */
    const struct search_source *source; /* NULL = a column of the entity's own row */
    unsigned ops, mlflow_ops;           /* enum search_op; 0 = not in that dialect */
    unsigned order;                     /* enum search_order */
    bool not_null;                      /* a column that is never null: lets an index do more */
    bool ordered; /* an index lists the entities of a search within one in that order */
};

/* A group's other names: {"metric", "metrics"}. */
struct search_alias {
    const char *alias, *group; /* group NULL = the attributes */
};

struct search_entity {
    const char *name;  /* "run": for sentences */
    const char *from;  /* "runs r" */
    const char *id;    /* "r.id": uuid */
    const char *where; /* the scope: $1 is the team, $2… are struct search's scope */
    const struct search_field *fields;
    size_t field_count;
    const struct search_alias *aliases; /* beside the usual ones; NULL = none */
    size_t alias_count;
    const char *order;        /* when a search asks for none: "created_at DESC" */
    const char *tie;          /* added to every order, before the id; NULL = none */
    const char *mlflow_order; /* the same two of MLflow's dialect; NULL = the ones above */
    const char *mlflow_tie;
    bool newest_first; /* ids descend in our dialect: they are made in order of time */
    /* What there may be too many of to look up each: "runs r where …", on the team ($1) and one
     * parameter of the scope ($2), of that index. NULL = there are never many. */
    const char *crowd;
    size_t crowd_scope;
};

struct search {
    enum search_dialect dialect;
    const char *filter;          /* NULL or "" = everything */
    const char *const *order_by; /* "metrics.loss DESC" each */
    size_t order_count;
    const char *const *scope; /* parameters $2… of the entity's where */
    size_t scope_count;
    const char *within; /* a further condition on the scope, " and …"; or NULL */
    bool one;           /* it is such that indexes lie in the order of what they list (ordered) */
    int64_t limit;
    const char *token; /* of the page before; NULL = the first page */
};

struct search_page {
    struct list ids;  /* const char *, in order */
    const char *next; /* token; NULL on the last page */
    /* For search_page_cut(). */
    const struct search_row *rows;
    size_t key_count;
    const char *question;
};
/* Ends the page behind its first `count` ids (1 at least), because what is shown of more would be
 * too large: `next` leads on from there. */
void search_page_cut(struct ctx *cx, struct search_page *page, size_t count);

/* How much of a page is read at once, and what ends it early: a run may have megabytes of texts. A
 * page takes the memory of a page and a piece, or of its first run if that alone is larger. */
#define LOAD_PIECE_RUNS 100
#define LOAD_PIECE_BYTES (8 << 20) /* of parameters and tags */
#define LOAD_PIECE_METRICS 50000   /* of all its runs together */
#define LOAD_PAGE_BYTES (32 << 20) /* of the arena */

/* How many of those left to ask for behind a piece of so many: what a piece cuts off the database
 * has read in vain. */
size_t load_next_piece(size_t taken, size_t left);

/* One page. ERR_INVALID with field "filter", "order_by" or "cursor"/"page_token" and the position
 * of the offending token (cx->err.at, .length); ERR_TIMEOUT after SEARCH_TIMEOUT_MS. */
MUST_USE enum err search_page(struct ctx *cx, const struct search_entity *entity,
                              const struct search *search, struct search_page *ret);

/* For statements of one's own over what a filter finds. `where` is the entity's scope and the
 * filter; args holds the team, the scope and what the filter needs, in the order of $1…; add yours
 * behind with search_arg(). */
struct search_sql {
    const char *where;
    const char **args;
    int arg_count, arg_cap;
    bool guessed; /* the planner cannot know how many it finds: ranges, patterns, NOT */
};
MUST_USE enum err search_compile(struct ctx *cx, const struct search_entity *entity,
                                 const struct search *search, struct search_sql *ret);
/* A further filter, after search_compile(): its condition alone, its parameters in the same args.
 */
MUST_USE enum err search_condition(struct ctx *cx, const struct search_entity *entity,
                                   const struct search *search, struct search_sql *sql,
                                   const char **ret);
int search_arg(struct ctx *cx, struct search_sql *sql, const char *value); /* its number, from 1 */
/* Runs a statement composed with it, within SEARCH_TIMEOUT_MS; that limit stays for the rest of the
 * transaction. A search that took too long says so in a sentence of its own. */
MUST_USE enum err search_rows(struct ctx *cx, const struct search_entity *entity, const char *text,
                              const struct search_sql *sql, const struct shape *shape,
                              struct list *ret);

/* Runs of some experiments; ids in order. */
struct run_search {
    const char *project_id;
    const char *const *experiment_ids; /* of the project; others find nothing */
    size_t experiment_count;           /* 0 = all of the project */
    const char *filter;
    const char *const *order_by;
    size_t order_count;
    int lifecycle;     /* enum lifecycle */
    const char *state; /* one of RUN_STATE_NAMES; NULL = any */
    const char *text;  /* part of the name, in any case; NULL = any */
    int64_t limit;
    const char *token;
    bool mlflow;
};
MUST_USE enum err run_search(struct ctx *cx, const struct run_search *search,
                             struct search_page *ret);
extern const struct search_entity RUN_ENTITY;
/* Settles, and tells what run_search() would ask of RUN_ENTITY: for statements of one's own. */
MUST_USE enum err run_search_prepare(struct ctx *cx, const struct run_search *search,
                                     struct search *ret);

/* Experiments of a project. */
struct experiment_search {
    const char *project_id;
    const char *filter;
    const char *const *order_by;
    size_t order_count;
    int lifecycle;
    int64_t limit;
    const char *token;
    bool mlflow;
};
MUST_USE enum err experiment_search(struct ctx *cx, const struct experiment_search *search,
                                    struct search_page *ret);

extern const struct route SEARCH_ROUTES[];
extern const size_t SEARCH_ROUTE_COUNT;
