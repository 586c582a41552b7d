/* The figures behind /metrics: requests by route and status, durations by route, what is under way.
 *
 * Counters are relaxed atomics, one block a route, so that counting never waits. Labels are route
 * patterns and statuses: nothing a client chose can become a label, or make a new series. */
#include "http/internal.h"

#include "base/clock.h"
#include "db/db.h"

#include <string.h>

/* Upper bounds in microseconds; the last bucket takes the rest. */
static const int64_t BUCKETS_US[] = {500,   1000,   2500,   5000,    10000,   25000,
                                     50000, 100000, 250000, 1000000, 5000000, 30000000};
#define BUCKET_COUNT (sizeof(BUCKETS_US) / sizeof(BUCKETS_US[0]))
#define STATUS_FIRST 200
#define STATUS_COUNT 306

struct route_figures {
    atomic_uint_fast64_t requests, duration_us;
    atomic_uint_fast64_t buckets[BUCKET_COUNT + 1];
    atomic_uint_fast32_t statuses[STATUS_COUNT];
};

struct metrics {
    size_t route_count; /* and one more for requests that matched no route */
    int64_t started_us;
    struct route_figures routes[];
};

struct metrics *metrics_new(size_t route_count) {
    struct metrics *m = calloc(1, sizeof(*m) + (route_count + 1) * sizeof(m->routes[0]));
    if (!m)
        abort();
    m->route_count = route_count;
    m->started_us = clock_now_us();
    return m;
}

void metrics_free(struct metrics *m) {
    free(m);
}

static size_t bucket_of(int64_t duration_us) {
    size_t i = 0;
    while (i < BUCKET_COUNT && duration_us > BUCKETS_US[i])
        i++;
    return i;
}

#define COUNT(counter, n) atomic_fetch_add_explicit(&(counter), (n), memory_order_relaxed)
#define VALUE(counter) ((unsigned long long)atomic_load_explicit(&(counter), memory_order_relaxed))

void metrics_count(struct metrics *m, size_t route, int status, int64_t duration_us) {
    struct route_figures *figures = &m->routes[route];
    COUNT(figures->requests, 1);
    COUNT(figures->duration_us, (uint64_t)duration_us);
    COUNT(figures->buckets[bucket_of(duration_us)], 1);
    if (status >= STATUS_FIRST && status < STATUS_FIRST + STATUS_COUNT)
        COUNT(figures->statuses[status - STATUS_FIRST], 1);
}

uint64_t metrics_hits(const struct metrics *m, size_t route) {
    return VALUE(m->routes[route].requests);
}

static const char *labels_of(const struct http_server *server, size_t i, char *ret, size_t cap) {
    const struct http_registry *r = server->registry;
    bool known = i < r->count;
    snprintf(ret, cap, "method=\"%s\",route=\"%s\"",
             known ? method_to_string((int)r->routes[i]->method) : "-",
             known ? r->routes[i]->path : "-");
    return ret;
}

static void print_statuses(const struct http_server *server, size_t i, struct buf *out) {
    char labels[256];
    for (int k = 0; k < STATUS_COUNT; k++) {
        unsigned long long n = VALUE(server->metrics->routes[i].statuses[k]);
        if (n > 0)
            buf_printf(out, "slipway_http_requests_total{%s,status=\"%d\"} %llu\n",
                       labels_of(server, i, labels, sizeof(labels)), STATUS_FIRST + k, n);
    }
}

static void print_durations(const struct http_server *server, size_t i, struct buf *out) {
    struct route_figures *figures = &server->metrics->routes[i];
    char labels[256];
    unsigned long long below = 0;

    labels_of(server, i, labels, sizeof(labels));
    for (size_t k = 0; k < BUCKET_COUNT; k++) {
        below += VALUE(figures->buckets[k]);
        buf_printf(out, "slipway_http_request_seconds_bucket{%s,le=\"%g\"} %llu\n", labels,
                   (double)BUCKETS_US[k] / 1e6, below);
    }
    below += VALUE(figures->buckets[BUCKET_COUNT]);
    buf_printf(out, "slipway_http_request_seconds_bucket{%s,le=\"+Inf\"} %llu\n", labels, below);
    buf_printf(out, "slipway_http_request_seconds_sum{%s} %.6f\n", labels,
               (double)VALUE(figures->duration_us) / 1e6);
    buf_printf(out, "slipway_http_request_seconds_count{%s} %llu\n", labels, below);
}

/* From the kernel's own page count; 0 where /proc is not mounted. */
static long long resident_bytes(void) {
    auto_file *file = fopen("/proc/self/statm", "re");
    long long total = 0, resident = 0;
    if (!file || fscanf(file, "%lld %lld", &total, &resident) != 2)
        return 0;
    return resident * sysconf(_SC_PAGESIZE);
}

static void print_family(struct buf *out, const char *name, const char *type, const char *help) {
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_gauge(struct buf *out, const char *name, const char *help, double value) {
    print_family(out, name, "gauge", help);
    buf_printf(out, "%s %.17g\n", name, value);
}

static void print_pool(struct db_pool *pool, struct buf *out) {
    int open = 0, lent = 0;
    if (pool)
        db_pool_count(pool, &open, &lent);
    print_gauge(out, "slipway_db_connections", "Connections to PostgreSQL.", open);
    print_gauge(out, "slipway_db_connections_in_use", "Of those, lent to requests.", lent);
}

void metrics_print(const struct app *app, struct buf *out) {
    const struct http_server *server = app->http;
    const struct metrics *m = server->metrics;

    print_family(out, "slipway_http_requests_total", "counter", "Requests answered.");
    for (size_t i = 0; i <= m->route_count; i++)
        print_statuses(server, i, out);
    print_family(out, "slipway_http_request_seconds", "histogram", "Time from head to last byte.");
    for (size_t i = 0; i <= m->route_count; i++)
        if (metrics_hits(m, i) > 0)
            print_durations(server, i, out);
    print_gauge(out, "slipway_http_in_flight", "Requests under way.",
                admission_count(server->admission));
    print_pool(app->db, out);
    print_gauge(out, "process_resident_memory_bytes", "Resident memory.", (double)resident_bytes());
    print_gauge(out, "process_start_time_seconds", "When the process started.",
                (double)m->started_us / 1e6);
}
