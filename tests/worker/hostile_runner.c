/* A runner that misbehaves in the way its job asks for: {"spec":{"mode":"…"}}. It reports what it
 * was able to do as log events, so that a test can read them from the spool. Built for tests only.
 */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int events_fd;

static void say(const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    dprintf(events_fd, "{\"type\":\"log\",\"level\":\"info\",\"message\":\"%s\"}\n", text);
}

static void attempt(const char *what, long result) {
    say("%s: %s", what, result < 0 ? "denied" : "ALLOWED");
}

static void escape(void) {
    attempt("read /etc/passwd", open("/etc/passwd", O_RDONLY));
    attempt("read /root", open("/root", O_RDONLY | O_DIRECTORY));
    attempt("write job.json", open("job.json", O_WRONLY));
    attempt("write inputs", open("inputs/new", O_WRONLY | O_CREAT, 0600));
    attempt("write /usr", open("/usr/new", O_WRONLY | O_CREAT, 0600));
    attempt("socket inet", socket(AF_INET, SOCK_STREAM, 0));
    attempt("socket unix", socket(AF_UNIX, SOCK_STREAM, 0));
    attempt("socket netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    attempt("unshare", unshare(CLONE_NEWUSER));
    attempt("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
    attempt("ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
    attempt("bpf", syscall(SYS_bpf, 0, NULL, 0));
    attempt("io_uring", syscall(SYS_io_uring_setup, 8, NULL));
    attempt("setuid", setuid(12345));
    say("secret %s", getenv("SLIPWAY_TEST_SECRET") ? "SEEN" : "hidden");
    int fd = open("outputs/kept", O_WRONLY | O_CREAT, 0600);
    say("write outputs: %s", fd >= 0 ? "works" : "BROKEN");
}

static void eat_memory(void) {
    for (size_t i = 0;; i++) {
        char *block = malloc(16 << 20);
        if (block)
            memset(block, 1, 16 << 20);
        usleep(2000);
    }
}

static void spam(void) {
    char block[4096];
    memset(block, 'x', sizeof(block));
    for (int i = 0; i < 64; i++)
        if (write(events_fd, block, sizeof(block)) < 0)
            return;
    pause();
}

static void on_term(int number) {
    (void)number;
    _exit(3);
}

int main(int argc, char **argv) {
    if (argc < 2 || chdir(argv[1]) != 0)
        return 1;
    events_fd = atoi(getenv("SLIPWAY_EVENTS_FD"));
    json_t *job = json_load_file("job.json", 0, NULL);
    const char *mode = json_string_value(json_object_get(json_object_get(job, "spec"), "mode"));
    if (!mode)
        return 1;
    if (strcmp(mode, "escape") == 0)
        escape();
    if (strcmp(mode, "memory") == 0)
        eat_memory();
    if (strcmp(mode, "spam") == 0)
        spam();
    if (strcmp(mode, "polite") == 0)
        signal(SIGTERM, on_term);
    if (strcmp(mode, "deaf") == 0)
        signal(SIGTERM, SIG_IGN);
    if (strcmp(mode, "polite") == 0 || strcmp(mode, "deaf") == 0) {
        say("ready");
        for (;;)
            pause();
    }
    if (strcmp(mode, "unknown") == 0)
        dprintf(events_fd, "{\"type\":\"format_disk\"}\n");
    if (strcmp(mode, "crash") == 0)
        abort();
    if (strcmp(mode, "chatter") == 0)
        for (int i = 0; i < 3000; i++)
            printf("line %d\n", i);
    return 0;
}
