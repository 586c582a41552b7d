/* See sandbox.h. Everything that allocates happens before fork(): between fork and exec the child
 * of a threaded process may only make plain system calls. */

#include "worker/sandbox.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "worker/landlock.h"
#include "worker/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MAX_ARGS 96
#define MAX_PATHS 16
#define BATCH_NICE 10
#define BATCH_NICE_TEXT "10"

/* Descriptors in the child. The runner learns the first two from its environment. */
enum { CHILD_EVENTS = 3, CHILD_LISTEN = 4, CHILD_SECCOMP = 5, CHILD_INFO = 6, CHILD_FDS = 7 };

enum wall { WALL_NONE, WALL_LANDLOCK, WALL_BUBBLEWRAP };

struct sandbox {
    enum wall wall;
    struct sock_fprog filter;
    char runner_dir[WORKER_PATH_MAX];
    char app_dir[WORKER_PATH_MAX]; /* the parent of runner_dir: bin/ and lib/ lie in it */
    char extra[WORKER_PATH_MAX];   /* runner_paths with NUL for ':' */
    const char *paths[MAX_PATHS];  /* into extra, NULL-terminated */
};

/* What exists on some machines only is bound with -try. /etc/alternatives chooses the BLAS. */
static const char *const SYSTEM_PATHS[] = {"/etc/alternatives", "/etc/ld.so.cache",
                                           "/sys/devices/system/cpu", "/etc/nsswitch.conf"};
static const char *const GPU_DEVICES[] = {"/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm",
                                          "/dev/nvidia-uvm-tools"};

struct args {
    const char *v[MAX_ARGS];
    int n;
};

static void arg(struct args *a, const char *text) {
    if (a->n < MAX_ARGS - 1)
        a->v[a->n++] = text;
}

static void args_list(struct args *a, const char *const *texts) {
    for (; *texts; texts++)
        arg(a, *texts);
}

static void bind_try(struct args *a, const char *how, const char *path) {
    arg(a, how);
    arg(a, path);
    arg(a, path);
}

static void bubblewrap_base(const struct sandbox *s, struct args *a) {
    args_list(a, (const char *const[]){"bwrap",      "--unshare-all", "--die-with-parent",
                                       "--as-pid-1", "--cap-drop",    "ALL",
                                       "--ro-bind",  "/usr",          "/usr",
                                       "--symlink",  "usr/lib",       "/lib",
                                       "--symlink",  "usr/lib64",     "/lib64",
                                       "--symlink",  "usr/bin",       "/bin",
                                       "--proc",     "/proc",         "--dev",
                                       "/dev",       "--tmpfs",       "/tmp",
                                       "--hostname", "runner",        NULL});
    for (size_t i = 0; i < sizeof(SYSTEM_PATHS) / sizeof(SYSTEM_PATHS[0]); i++)
        bind_try(a, "--ro-bind-try", SYSTEM_PATHS[i]);
    for (size_t i = 0; i < sizeof(GPU_DEVICES) / sizeof(GPU_DEVICES[0]); i++)
        bind_try(a, "--dev-bind-try", GPU_DEVICES[i]);
    bind_try(a, "--ro-bind", s->app_dir);
    for (int i = 0; s->paths[i]; i++)
        bind_try(a, "--ro-bind-try", s->paths[i]);
}

/* ---- start: which wall stands here ---- */

static bool run_quietly(char *const *argv) {
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0), dup2(null, 1), dup2(null, 2);
        execvp(argv[0], argv);
        _exit(127);
    }
    int status = -1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool bubblewrap_works(const struct sandbox *s) {
    struct args a = {0};
    bubblewrap_base(s, &a);
    args_list(&a, (const char *const[]){"--", "/bin/true", NULL});
    a.v[a.n] = NULL;
    return run_quietly((char *const *)a.v);
}

static void split_paths(struct sandbox *s, const char *paths) {
    snprintf(s->extra, sizeof(s->extra), "%s", paths ? paths : "");
    int n = 0;
    for (char *save = NULL, *p = strtok_r(s->extra, ":", &save); p && n < MAX_PATHS - 1;
         p = strtok_r(NULL, ":", &save))
        s->paths[n++] = p;
}

static enum wall choose_wall(const struct sandbox *s, const char *wanted) {
    if (strcmp(wanted, "landlock") != 0 && bubblewrap_works(s))
        return WALL_BUBBLEWRAP;
    return landlock_abi() >= 1 ? WALL_LANDLOCK : WALL_NONE;
}

enum err sandbox_new(const struct worker_options *options, struct sandbox **ret,
                     struct err_info *err) {
    auto_free struct sandbox *s = calloc(1, sizeof(*s));
    auto_free char *dir = realpath(options->runner_dir, NULL);
    if (!s || !dir)
        return err_set(err, ERR_INVALID, "runner_dir", "no such directory: %s",
                       options->runner_dir);
    snprintf(s->runner_dir, sizeof(s->runner_dir), "%s", dir);
    snprintf(s->app_dir, sizeof(s->app_dir), "%s", dir);
    *strrchr(s->app_dir, '/') = '\0';
    split_paths(s, options->runner_paths);
    if (strcmp(options->sandbox, "off") == 0) {
        log_event(LOG_WARNING, "sandbox.off", LOG_T("reason", "the option sandbox is off"));
    } else {
        TRY(seccomp_build(&s->filter, err));
        s->wall = choose_wall(s, options->sandbox);
    }
    if (s->wall == WALL_NONE && strcmp(options->sandbox, "off") != 0)
        return err_set(err, ERR_UNAVAILABLE, "sandbox",
                       "neither bubblewrap nor Landlock works here: install bubblewrap, or set "
                       "sandbox = off to run jobs without walls");
    if (s->wall == WALL_LANDLOCK && strcmp(options->sandbox, "strict") == 0)
        return err_set(err, ERR_UNAVAILABLE, "sandbox",
                       "bubblewrap does not work here and sandbox = strict demands it");
    *ret = take(s);
    return OK;
}

void sandbox_free(struct sandbox *s) {
    if (!s)
        return;
    free(s->filter.filter);
    free(s);
}

json_t *sandbox_describe(const struct sandbox *s) {
    json_t *list = json_array();
    if (s->wall == WALL_BUBBLEWRAP)
        json_array_append_new(list, json_string("bubblewrap namespaces"));
    if (s->wall == WALL_LANDLOCK)
        json_array_append_new(list, json_sprintf("landlock %d", landlock_abi()));
    if (s->wall != WALL_NONE) {
        json_array_append_new(list, json_string("seccomp"));
        json_array_append_new(list, json_string("no network"));
        json_array_append_new(list, json_string("no new privileges"));
    }
    json_array_append_new(list, json_string("resource limits"));
    return list;
}

/* ---- one runner ---- */

/* Everything the child needs, made by the parent. */
struct launch {
    struct args args;
    char program[WORKER_PATH_MAX * 2];
    char paths[4][WORKER_PATH_MAX + 16]; /* job.json, inputs, outputs, the directory */
    char environment[12][64];
    char *envp[13];
    int fds[CHILD_FDS]; /* what becomes descriptor i; -1 = nothing */
    int ruleset;        /* Landlock; -1 = none */
    const struct sandbox *sandbox;
    const struct sandbox_job *job;
    pid_t parent;
};

static void launch_environment(struct launch *l) {
    const struct sandbox_job *job = l->job;
    const struct {
        const char *name;
        int value;
    } numbers[] = {{"SLIPWAY_EVENTS_FD", CHILD_EVENTS},
                   {"SLIPWAY_THREADS", job->threads},
                   {"OMP_NUM_THREADS", job->threads},
                   {"OPENBLAS_NUM_THREADS", job->threads},
                   {"SLIPWAY_LISTEN_FD", CHILD_LISTEN}};
    int n = 0;
    int count = job->listen_fd >= 0 ? 5 : 4;
    for (int i = 0; i < count; i++, n++)
        snprintf(l->environment[n], sizeof(l->environment[n]), "%s=%d", numbers[i].name,
                 numbers[i].value);
    /* Spinning threads are ruinous when another job shares the cores. */
    static const char *const fixed[] = {"OMP_WAIT_POLICY=passive", "PATH=/usr/bin", "HOME=/tmp",
                                        "LC_ALL=C.UTF-8", "TMPDIR=/tmp"};
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++, n++)
        snprintf(l->environment[n], sizeof(l->environment[n]), "%s", fixed[i]);
    for (int i = 0; i < n; i++)
        l->envp[i] = l->environment[i];
}

static void launch_bubblewrap(struct launch *l) {
    struct args *a = &l->args;
    bubblewrap_base(l->sandbox, a);
    args_list(a, (const char *const[]){"--ro-bind", l->paths[0], "/job/job.json", "--ro-bind",
                                       l->paths[1], "/job/inputs", "--bind", l->paths[2],
                                       "/job/outputs", "--chdir", "/job", "--seccomp", "5",
                                       "--info-fd", "6", "--", l->program, "/job", NULL});
}

static enum err launch_landlock(struct launch *l, struct err_info *err) {
    const char *readable[MAX_PATHS + 16] = {
        "/usr",      "/proc",    "/dev/null", "/dev/urandom", l->sandbox->app_dir,
        l->paths[0], l->paths[1]};
    int n = 7;
    for (size_t i = 0; i < sizeof(SYSTEM_PATHS) / sizeof(SYSTEM_PATHS[0]); i++)
        readable[n++] = SYSTEM_PATHS[i];
    for (int i = 0; l->sandbox->paths[i] && n < MAX_PATHS + 15; i++)
        readable[n++] = l->sandbox->paths[i];
    const char *writable[] = {l->paths[2], "/dev/null", NULL};
    l->ruleset = landlock_ruleset(readable, writable);
    if (l->ruleset < 0)
        return err_set(err, ERR_INTERNAL, NULL, "could not make a Landlock ruleset: %s",
                       strerror(errno));
    args_list(&l->args, (const char *const[]){l->program, l->paths[3], NULL});
    return OK;
}

static enum err launch_init(struct launch *l, const struct sandbox *s,
                            const struct sandbox_job *job, struct err_info *err) {
    memset(l, 0, sizeof(*l));
    l->sandbox = s;
    l->job = job;
    l->ruleset = -1;
    l->parent = getpid();
    static const char *const names[] = {"/job.json", "/inputs", "/outputs", ""};
    for (int i = 0; i < 4; i++)
        snprintf(l->paths[i], sizeof(l->paths[i]), "%s%s", job->dir, names[i]);
    snprintf(l->program, sizeof(l->program), "%s/%s", s->runner_dir, job->program);
    launch_environment(l);
    for (int i = 0; i < CHILD_FDS; i++)
        l->fds[i] = -1;
    l->fds[1] = job->stdout_fd;
    l->fds[2] = job->stderr_fd;
    l->fds[CHILD_EVENTS] = job->events_fd;
    l->fds[CHILD_LISTEN] = job->listen_fd;
    if (s->wall == WALL_BUBBLEWRAP)
        launch_bubblewrap(l);
    else if (s->wall == WALL_LANDLOCK)
        TRY(launch_landlock(l, err));
    else
        args_list(&l->args, (const char *const[]){l->program, l->paths[3], NULL});
    return OK;
}

static void limit(int resource, int64_t value) {
    struct rlimit r = {.rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value};
    (void)setrlimit((__rlimit_resource_t)resource, &r);
}

/* The real memory limit is the parent's look at the resident set (run.c); the address space limit
 * is a backstop, generous because libraries map far more than they touch and CUDA reserves much. */
static void child_limits(const struct sandbox_job *job) {
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 1024);
    limit(RLIMIT_FSIZE, 64LL << 30);
    if (access("/dev/nvidiactl", F_OK) != 0)
        limit(RLIMIT_AS, job->memory_bytes * 4 + (8LL << 30));
    if (job->wall_seconds > 0)
        limit(RLIMIT_CPU, job->wall_seconds * job->threads + 60);
}

/* Batch work yields to whoever waits for an answer: slipwayd, PostgreSQL, models that serve. Where
 * the kernel groups processes by session, the group's priority is what counts. */
static void child_priority(const struct sandbox_job *job) {
    if (job->listen_fd >= 0)
        return;
    (void)setpriority(PRIO_PROCESS, 0, BATCH_NICE);
    int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, BATCH_NICE_TEXT, strlen(BATCH_NICE_TEXT));
    close(fd);
}

static void child_pin(const struct sandbox_job *job) {
    if (job->first_cpu < 0)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < job->threads; i++)
        CPU_SET((size_t)(job->first_cpu + i), &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

/* Moves every descriptor out of the way first, so that no target overwrites a source. */
static void child_descriptors(int *fds) {
    for (int i = 0; i < CHILD_FDS; i++)
        if (fds[i] >= 0)
            fds[i] = fcntl(fds[i], F_DUPFD, CHILD_FDS + 10);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    for (int i = 1; i < CHILD_FDS; i++) {
        if (fds[i] >= 0)
            dup2(fds[i], i);
        else
            close(i);
    }
    (void)syscall(SYS_close_range, CHILD_FDS, ~0U, 0);
}

static _Noreturn void child_run(struct launch *l) {
    const struct sandbox *s = l->sandbox;
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != l->parent)
        _exit(126);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    umask(0077);
    child_pin(l->job);
    child_priority(l->job);
    child_limits(l->job);
    if (s->wall != WALL_BUBBLEWRAP && chdir(l->paths[3]) != 0)
        _exit(126);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (s->wall == WALL_LANDLOCK && !landlock_restrict(l->ruleset))
        _exit(126);
    child_descriptors(l->fds);
    if (s->wall == WALL_LANDLOCK && prctl(PR_SET_SECCOMP, 2, &s->filter, 0, 0) != 0)
        _exit(126);
    if (s->wall == WALL_BUBBLEWRAP)
        execvpe("bwrap", (char *const *)l->args.v, l->envp);
    else
        execve(l->program, (char *const *)l->args.v, l->envp);
    _exit(127);
}

/* A descriptor holding the filter, for bubblewrap to read. */
static int filter_fd(const struct sandbox *s) {
    int fd = memfd_create("filter", MFD_CLOEXEC);
    size_t size = s->filter.len * sizeof(struct sock_filter);
    if (fd >= 0 && write(fd, s->filter.filter, size) == (ssize_t)size)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

/* bubblewrap writes {"child-pid": N, …} once the runner's process exists. */
static pid_t read_child_pid(int fd) {
    char text[512];
    size_t size = 0;
    for (ssize_t n; size < sizeof(text) - 1; size += (size_t)n) {
        n = read(fd, text + size, sizeof(text) - 1 - size);
        if (n < 0 && errno == EINTR)
            n = 0;
        else if (n <= 0)
            break;
    }
    text[size] = '\0';
    const char *at = strstr(text, "\"child-pid\":");
    return at ? (pid_t)strtol(at + strlen("\"child-pid\":"), NULL, 10) : 0;
}

enum err sandbox_spawn(const struct sandbox *s, const struct sandbox_job *job,
                       struct sandbox_child *ret, struct err_info *err) {
    struct launch launch;
    TRY(launch_init(&launch, s, job, err));
    int info[2] = {-1, -1};
    auto_fd filter = -1;
    auto_fd ruleset = launch.ruleset;
    if (s->wall == WALL_BUBBLEWRAP) {
        if (pipe2(info, O_CLOEXEC) != 0)
            return err_set(err, ERR_UNAVAILABLE, NULL, "could not make a pipe: %s",
                           strerror(errno));
        filter = filter_fd(s);
        launch.fds[CHILD_SECCOMP] = filter;
        launch.fds[CHILD_INFO] = info[1];
    }
    auto_fd info_read = info[0];
    pid_t pid = fork();
    if (pid == 0)
        child_run(&launch);
    if (info[1] >= 0)
        close(info[1]);
    if (pid < 0)
        return err_set(err, ERR_UNAVAILABLE, NULL, "could not start the runner: %s",
                       strerror(errno));
    ret->top = pid;
    ret->runner = s->wall == WALL_BUBBLEWRAP ? read_child_pid(info_read) : pid;
    return OK;
}

void sandbox_signal(const struct sandbox_child *child, int signal_number) {
    if (child->runner > 0)
        kill(child->runner, signal_number);
}

void sandbox_kill(const struct sandbox_child *child) {
    if (child->runner > 0)
        kill(child->runner, SIGKILL);
    if (child->top > 0)
        kill(-child->top, SIGKILL);
}
