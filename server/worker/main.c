/* slipway-worker: start, hello, run until a signal. First SIGTERM: no new jobs, runners are asked
 * to stop and their jobs go back to the queue. Second: everything is killed. */

#include "worker/api.h"
#include "worker/leftover.h"
#include "worker/sandbox.h"
#include "worker/worker.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#ifndef SLIPWAY_VERSION
#define SLIPWAY_VERSION "0.1.0"
#endif

static struct worker *signalled; /* the handler has no other way to its worker */

static void on_signal(int number) {
    (void)number;
    if (atomic_exchange(&signalled->stopping, true))
        atomic_store(&signalled->killing, true);
}

static void install_signals(struct worker *w) {
    signalled = w;
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    act.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &act, NULL);
}

static enum err read_token(struct worker *w, struct err_info *err) {
    auto_fd fd = open(w->options.token_file, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_set(err, ERR_INVALID, "token_file", "could not read %s: %s",
                       w->options.token_file, strerror(errno));
    if (st.st_mode & 0077)
        return err_set(err, ERR_INVALID, "token_file", "%s is readable by others: chmod 600 it",
                       w->options.token_file);
    ssize_t n = read(fd, w->token, sizeof(w->token) - 1);
    w->token[n > 0 ? n : 0] = '\0';
    w->token[strcspn(w->token, "\r\n")] = '\0';
    return w->token[0] ? OK : err_set(err, ERR_INVALID, "token_file", "the token file is empty");
}

/* The work directory is ours alone; the lock is held until the process ends. */
static enum err claim_work_dir(struct worker *w, struct err_info *err) {
    char path[WORKER_PATH_MAX];
    if (mkdir(w->options.work_dir, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_INVALID, "work_dir", "could not make %s: %s", w->options.work_dir,
                       strerror(errno));
    snprintf(path, sizeof(path), "%s/lock", w->options.work_dir);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, ERR_CONFLICT, "work_dir", "another worker uses %s",
                       w->options.work_dir);
    mkdir(w->options.serve_dir, 0750);
    w->left_over = leftover_collect(w);
    return OK;
}

/* The train runner says what this machine can do; without torch the worker still imports data. */
static json_t *self_check(const struct worker *w) {
    char command[WORKER_PATH_MAX + 64], text[8192];
    snprintf(command, sizeof(command), "'%s/slipway-run-train' --self-check 2>/dev/null",
             w->options.runner_dir);
    FILE *out = popen(command, "re");
    size_t size = out ? fread(text, 1, sizeof(text), out) : 0;
    int status = out ? pclose(out) : -1;
    return status == 0 ? json_loadb(text, size, 0, NULL) : NULL;
}

static void grant(struct worker *w) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t memory = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    w->threads = w->options.threads > 0 ? (int)w->options.threads : (int)cores;
    w->memory_bytes = w->options.memory_bytes > 0 ? w->options.memory_bytes : memory / 4 * 3;
}

static bool say_hello(struct worker *w, struct api *api) {
    auto_json *hello = json_pack("{s:s,s:s,s:I,s:[s,s,s],s:o,s:o}", "name", w->options.name,
                                 "version", SLIPWAY_VERSION, "slots",
                                 (json_int_t)(w->options.slots + w->options.predict_slots), "kinds",
                                 "dataset.import", "train", "predict", "capabilities",
                                 w->capabilities ? json_incref(w->capabilities) : json_object(),
                                 "sandbox", sandbox_describe(w->sandbox));
    struct api_reply reply;
    api_call(api, "POST", "/api/v1/worker/hello", hello, true, &reply);
    const char *id = json_string_value(json_object_get(reply.json, "worker_id"));
    bool ok = reply.status == 200 && id && uuid_is_valid(id);
    if (ok)
        snprintf(w->id, sizeof(w->id), "%s", id);
    else
        log_event(LOG_WARNING, "hello.failed", LOG_T("server", w->options.server),
                  LOG_N("status", reply.status), LOG_T("message", reply.message));
    api_reply_done(&reply);
    return ok;
}

static void hello_until_heard(struct worker *w) {
    struct api *api = api_new(w);
    for (int wait = 1; !atomic_load(&w->stopping) && !say_hello(w, api);
         wait = wait < 8 ? wait * 2 : 8)
        nanosleep(&(struct timespec){.tv_sec = wait}, NULL);
    leftover_report(w, api, w->left_over);
    api_free(api);
}

static enum log_level level_from(const char *name) {
    static const char *const names[] = {"debug", "info", "warning", "error"};
    int level = 0;
    while (level < LOG_ERROR && strcmp(names[level], name) != 0)
        level++;
    return (enum log_level)level;
}

static enum err start(struct worker *w, int argc, char **argv, struct err_info *err) {
    TRY(worker_options_load(argc, argv, &w->options, err));
    log_init(level_from(w->options.log_level));
    TRY(read_token(w, err));
    TRY(claim_work_dir(w, err));
    TRY(sandbox_new(&w->options, &w->sandbox, err));
    grant(w);
    w->capabilities = self_check(w);
    return OK;
}

int main(int argc, char **argv) {
    static struct worker w;
    struct err_info err = {0};
    log_init(LOG_INFO);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    json_object_seed(0);
    install_signals(&w);
    if (start(&w, argc, argv, &err) != OK) {
        log_event(LOG_ERROR, "worker.failed", LOG_T("message", err.message),
                  LOG_T("option", err.field));
        return 1;
    }
    auto_json *walls = sandbox_describe(w.sandbox);
    auto_free char *walls_text = json_dumps(walls, JSON_COMPACT);
    hello_until_heard(&w);
    log_event(LOG_INFO, "worker.started", LOG_T("server", w.options.server),
              LOG_N("slots", w.options.slots), LOG_N("threads", w.threads),
              LOG_T("sandbox", walls_text));
    slots_run(&w);
    sandbox_free(w.sandbox);
    json_decref(w.capabilities);
    json_decref(w.left_over);
    curl_global_cleanup();
    log_event(LOG_INFO, "worker.stopped", LOG_N("killed", atomic_load(&w.killing)));
    return 0;
}
