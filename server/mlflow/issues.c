/* issues/…: what was found in traces. Their ids are "iss-" and 32 hex digits. */
#include "mlflow/internal.h"

#include "traces/issues.h"

#include <string.h>

#define ISSUES "/api/3.0/mlflow/issues"
#define PREFIX "iss-"
#define NAME_MAX_LENGTH 250
#define DESCRIPTION_MAX_LENGTH 10000
#define RESULTS_DEFAULT 100

struct issue_message {
    const char *experiment_id, *name, *description, *status, *severity, *source_run_id, *created_by;
    struct list root_causes, categories;
};

static enum err no_such_issue(struct ctx *cx, const char *id) {
    return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST, "Issue with ID '%.100s' not found", id);
}

static const char *uuid_of(struct ctx *cx, const char *id) {
    const char *uuid =
        strncmp(id, PREFIX, strlen(PREFIX)) == 0 ? mlflow_run_uuid(cx, id + strlen(PREFIX)) : NULL;
    return uuid ? uuid : "";
}

static void write_texts(struct json_writer *w, const char *name, const json_t *texts) {
    json_t *text;
    size_t i;
    if (json_array_size(texts) == 0)
        return;
    jw_member_begin(w, name, '[');
    json_array_foreach(texts, i, text) jw_text(w, json_string_value(text));
    jw_end(w, ']');
}

static void write_issue(struct ctx *cx, struct json_writer *w, const struct issue *issue) {
    jw_begin(w, '{');
    jw_member_text(w, "issue_id",
                   arena_printf(cx->arena, PREFIX "%s", mlflow_run_id(cx, issue->id)));
    jw_member_text(w, "experiment_id",
                   arena_printf(cx->arena, "%lld", (long long)issue->experiment_number));
    jw_member_text(w, "name", issue->name);
    jw_member_text(w, "description", issue->description);
    jw_member_text(w, "status", issue->status);
    if (issue->severity)
        jw_member_text(w, "severity", issue->severity);
    write_texts(w, "root_causes", issue->root_causes);
    if (*issue->source_run)
        jw_member_text(w, "source_run_id", issue->source_run);
    jw_member_int(w, "created_timestamp", mlflow_ms(issue->created_at));
    jw_member_int(w, "last_updated_timestamp", mlflow_ms(issue->updated_at));
    jw_member_text(w, "created_by", issue->created_by);
    write_texts(w, "categories", issue->categories);
    if (issue->traces != FIELD_NO_INT)
        jw_member_int(w, "trace_count", issue->traces);
    jw_end(w, '}');
}

static void send_issue(struct ctx *cx, struct reply *rp, const struct issue *issue) {
    struct json_writer *w = mlflow_json(cx);
    jw_begin(w, '{');
    jw_name(w, "issue");
    write_issue(cx, w, issue);
    jw_end(w, '}');
    mlflow_send(rp, w);
}

static enum err check_word(struct ctx *cx, const char *what, const char *const *words,
                           const char *word) {
    for (size_t i = 0; word && words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return OK;
    return word ? mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE, "'%.100s' is not a valid %s",
                              word, what)
                : OK;
}

/* Empty texts say nothing. */
static const char *given(const char *text) {
    return text && *text ? text : NULL;
}

static enum err check_issue(struct ctx *cx, const struct issue_message *in) {
    TRY(check_word(cx, "IssueStatus", ISSUE_STATUS_NAMES, given(in->status)));
    TRY(check_word(cx, "IssueSeverity", ISSUE_SEVERITY_NAMES, given(in->severity)));
    if (in->name)
        TRY(mlflow_check_length(cx, "name", in->name, NAME_MAX_LENGTH));
    return in->description
               ? mlflow_check_length(cx, "description", in->description, DESCRIPTION_MAX_LENGTH)
               : OK;
}

static const struct field CREATE_FIELDS[] = {
    FIELD(STRING, struct issue_message, experiment_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct issue_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct issue_message, description, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct issue_message, status),
    FIELD(STRING, struct issue_message, severity),
    FIELD(STRINGS, struct issue_message, root_causes),
    FIELD(STRING, struct issue_message, source_run_id),
    FIELD(STRING, struct issue_message, created_by),
    FIELD(STRINGS, struct issue_message, categories),
};
static SHAPE(CREATE, "MlflowCreateIssue", struct issue_message, CREATE_FIELDS);

static enum err post_issue(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct issue_message *in = rq->body;
    struct mlflow_place place;
    struct issue_create options = {.name = in->name,
                                   .description = in->description,
                                   .status = given(in->status) ? in->status : "pending",
                                   .severity = given(in->severity),
                                   .root_causes = in->root_causes,
                                   .categories = in->categories,
                                   .source_run = in->source_run_id,
                                   .created_by = given(in->created_by)};
    struct issue issue;
    TRY(check_issue(cx, in));
    if (in->source_run_id)
        TRY(mlflow_check_length(cx, "source_run_id", in->source_run_id, MLFLOW_FOREIGN_RUN_MAX));
    TRY(mlflow_project(cx, rq, &options.project_id));
    TRY(mlflow_place(cx, options.project_id, in->experiment_id, &place));
    options.experiment_id = place.id;
    TRY(issue_create(cx, &options, &issue));
    send_issue(cx, rp, &issue);
    return OK;
}

static enum err get_issue(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *project, *id = req_param(rq, "issue");
    struct issue issue;
    TRY(mlflow_project(cx, rq, &project));
    enum err err = issue_get(cx, project, uuid_of(cx, id), &issue);
    if (err != OK)
        return err == ERR_NOT_FOUND ? no_such_issue(cx, id) : err;
    send_issue(cx, rp, &issue);
    return OK;
}

static const struct field UPDATE_FIELDS[] = {
    FIELD(STRING, struct issue_message, name),
    FIELD(STRING, struct issue_message, description),
    FIELD(STRING, struct issue_message, status),
    FIELD(STRING, struct issue_message, severity),
};
static SHAPE(UPDATE, "MlflowUpdateIssue", struct issue_message, UPDATE_FIELDS);

static enum err patch_issue(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct issue_message *in = rq->body;
    const char *project, *id = req_param(rq, "issue");
    const struct issue_change change = {given(in->name), given(in->description), given(in->status),
                                        given(in->severity)};
    struct issue issue;
    TRY(check_issue(cx, in));
    TRY(mlflow_project(cx, rq, &project));
    enum err err = issue_change(cx, project, uuid_of(cx, id), &change, &issue);
    if (err != OK)
        return err == ERR_NOT_FOUND ? no_such_issue(cx, id) : err;
    send_issue(cx, rp, &issue);
    return OK;
}

struct search_message {
    const char *experiment_id, *filter_string, *page_token;
    int64_t max_results;
    bool include_trace_count;
};
static const struct field SEARCH_FIELDS[] = {
    FIELD(STRING, struct search_message, experiment_id),
    FIELD(STRING, struct search_message, filter_string),
    FIELD(INT, struct search_message, max_results, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct search_message, page_token),
    FIELD(BOOL, struct search_message, include_trace_count),
};
static SHAPE(SEARCH, "MlflowSearchIssues", struct search_message, SEARCH_FIELDS);

static enum err post_search(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct search_message *in = rq->body;
    struct issue_search search = {.filter = in->filter_string,
                                  .limit = in->max_results == FIELD_NO_INT ? RESULTS_DEFAULT
                                                                           : in->max_results,
                                  .token = given(in->page_token),
                                  .with_traces = in->include_trace_count};
    struct json_writer *w = mlflow_json(cx);
    struct mlflow_place place;
    struct list issues;
    const char *next;
    TRY(mlflow_check_results(cx, search.limit));
    TRY(mlflow_project(cx, rq, &search.project_id));
    if (given(in->experiment_id)) {
        TRY(mlflow_place(cx, search.project_id, in->experiment_id, &place));
        search.experiment_id = place.id;
    }
    TRY(issue_search(cx, &search, &issues, &next));
    const struct issue *items = issues.items;
    jw_begin(w, '{');
    if (issues.count) {
        jw_member_begin(w, "issues", '[');
        for (size_t i = 0; i < issues.count; i++)
            write_issue(cx, w, &items[i]);
        jw_end(w, ']');
    }
    jw_member_text(w, "next_page_token", next ? next : "");
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

const struct route MLFLOW_ISSUE_ROUTES[] = {
    {POST, ISSUES, SCOPE_RUN_WRITE, .body = &CREATE, .handle = post_issue, .flags = ROUTE_MLFLOW,
     .doc = "Tell an issue that was found in traces."},
    {POST, ISSUES "/search", SCOPE_RUN_READ, .body = &SEARCH, .handle = post_search,
     .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH, .doc = "Search issues."},
    {GET, ISSUES "/{issue}", SCOPE_RUN_READ, .handle = get_issue, .flags = ROUTE_MLFLOW,
     .doc = "Get an issue."},
    {PATCH, ISSUES "/{issue}", SCOPE_RUN_WRITE, .body = &UPDATE, .handle = patch_issue,
     .flags = ROUTE_MLFLOW, .doc = "Change an issue."},
};
const size_t MLFLOW_ISSUE_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_ISSUE_ROUTES);
