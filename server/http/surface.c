/* MLflow's surface as the pipeline meets it: the many names of its paths, and its refusals.
 *
 * Its clients and pages reach one operation under /api and /ajax-api, with a tracking URI that may
 * carry a project (/p/{slug}), and with slashes doubled where a base address ended with one. All of
 * these become the one path of the route table before anything is matched, so that whoever
 * authorises sees what will be answered. Every other path stays as exact as it is.
 *
 * When MLflow gets a page outside /api/2.0 and /api/3.0, add it to PAGES. */
#include "http/internal.h"

#include <string.h>

static const char *const PAGES[] = {"/health",    "/version",      "/graphql",
                                    "/v1/traces", "/get-artifact", "/model-versions/get-artifact"};

static bool begins(const char *path, const char *with) {
    return strncmp(path, with, strlen(with)) == 0;
}

/* "/p/slug/api/…" → "/api/…"; the path itself when it names no project, or nothing in it:
 * "/p/slug/" is where MLflow's clients say a run can be seen. */
static const char *after_project(const char *path) {
    if (!begins(path, "/p/"))
        return path;
    const char *rest = path + 3 + strcspn(path + 3, "/");
    return *rest && rest[1] && rest > path + 3 ? rest : path;
}

static void merge_slashes(char *path) {
    char *to = path;
    for (const char *from = path; *from; from++)
        if (*from != '/' || to == path || to[-1] != '/')
            *to++ = *from;
    *to = '\0';
}

static bool is_page(const char *path) {
    for (size_t i = 0; i < sizeof(PAGES) / sizeof(PAGES[0]); i++)
        if (strcmp(PAGES[i], path) == 0)
            return true;
    return false;
}

/* A path without doubled slashes. */
static bool is_mlflow(const char *path) {
    const char *rest = after_project(path);
    const char *call = begins(rest, "/ajax-api/") ? rest + strlen("/ajax") + 1 : rest + 1;
    return rest != path || begins(call, "api/2.0") || begins(call, "api/3.0") || is_page(rest);
}

bool surface_is_mlflow(const char *path) {
    char plain[GATE_PATH_MAX + 1];
    if (strlen(path) > GATE_PATH_MAX)
        return false;
    strcpy(plain, path);
    merge_slashes(plain);
    return is_mlflow(plain);
}

/* "/ajax-api/2.0/…" → "/api/2.0/…", and the one path whose slash MLflow forgot. */
static void replace_start(char *path, const char *from, const char *to) {
    size_t old = strlen(from), new = strlen(to);
    if (!begins(path, from) || strlen(path) - old + new > GATE_PATH_MAX)
        return;
    memmove(path + new, path + old, strlen(path + old) + 1);
    memcpy(path, to, new);
}

/* "/p/slug/" → "/p/slug", which the browser's application answers. */
static void trim_place(char *path) {
    size_t slug = begins(path, "/p/") ? strcspn(path + 3, "/") : 0;
    if (slug > 0 && strcmp(path + 3 + slug, "/") == 0)
        path[3 + slug] = '\0';
}

void surface_resolve(struct http_call *call) {
    char *path = call->request.path;
    call->mlflow = surface_is_mlflow(path);
    if (!call->mlflow) {
        trim_place(path);
        return;
    }
    merge_slashes(path);
    const char *rest = after_project(path);
    if (rest != path) {
        call->rq.project = arena_strndup(call->cx->arena, path + 3, (size_t)(rest - path) - 3);
        memmove(path, rest, strlen(rest) + 1);
    }
    replace_start(path, "/ajax-api/", "/api/");
    replace_start(path, "/api/2.0mlflow/", "/api/2.0/mlflow/");
}

static const char *const NAMES[] = {[ERR_INVALID] = "INVALID_PARAMETER_VALUE",
                                    [ERR_UNAUTHENTICATED] = "UNAUTHENTICATED",
                                    [ERR_FORBIDDEN] = "PERMISSION_DENIED",
                                    [ERR_NOT_FOUND] = "RESOURCE_DOES_NOT_EXIST",
                                    [ERR_CONFLICT] = "RESOURCE_CONFLICT",
                                    [ERR_TOO_LARGE] = "INVALID_PARAMETER_VALUE",
                                    [ERR_UNPROCESSABLE] = "INVALID_PARAMETER_VALUE",
                                    [ERR_RATE_LIMITED] = "REQUEST_LIMIT_EXCEEDED",
                                    [ERR_INTERNAL] = "INTERNAL_ERROR",
                                    [ERR_UNAVAILABLE] = "TEMPORARILY_UNAVAILABLE",
                                    [ERR_TIMEOUT] = "DEADLINE_EXCEEDED"};

static const char *name_of(const struct http_call *call) {
    const struct err_info *err = &call->cx->err;
    if (err->name[0])
        return err->name;
    /* An older path is tried by clients that read this of a newer one. */
    bool nowhere = !call->rq.route && (call->allowed || err->code == ERR_NOT_FOUND);
    return nowhere ? "ENDPOINT_NOT_FOUND" : NAMES[err->code];
}

/* MLflow has no 422: what a rule refuses is a wrong parameter to its clients. */
int surface_status(const struct err_info *err) {
    if (err->status)
        return err->status;
    return err_to_status(err->code == ERR_UNPROCESSABLE ? ERR_INVALID : err->code);
}

json_t *surface_problem(const struct http_call *call, int status) {
    const char *message = call->cx->err.message;
    if (status == 401)
        message = "You are not authenticated. Use an API token: as MLFLOW_TRACKING_TOKEN, or as "
                  "MLFLOW_TRACKING_PASSWORD with any user name.";
    return json_pack("{s:s, s:s}", "error_code", name_of(call), "message", message);
}
