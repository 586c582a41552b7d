/* predict.c: slipway-run-predict, which loads one model version and answers on a Unix socket.
 *
 *   slipway-run-predict JOB_DIRECTORY                 on the socket inherited as SLIPWAY_LISTEN_FD
 *   slipway-run-predict JOB_DIRECTORY --socket PATH   on a socket of its own, by hand */
#include "runners/event.h"
#include "runners/predict_model.h"
#include "runners/predict_serve.h"
#include "runners/torch_runtime.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static int listener = -1; /* opened before the job directory becomes the working directory */

static int listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 &&
        (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int open_listener(int argc, char **argv) {
    const char *inherited = getenv("SLIPWAY_LISTEN_FD");
    if (argc == 4 && strcmp(argv[2], "--socket") == 0)
        return listen_at(argv[3]);
    return inherited ? atoi(inherited) : -1;
}

static enum run predict(struct runner *rn) {
    struct predict_model auto_predict_model m = {0};
    TRY(predict_model_load(rn, &m));
    return predict_serve(rn, &m, listener);
}

int main(int argc, char **argv) {
    torch_runtime_prepare(argv);
    listener = open_listener(argc, argv);
    if (listener < 0) {
        fprintf(stderr, "no socket to listen on: SLIPWAY_LISTEN_FD or --socket PATH: %s\n",
                strerror(errno));
        return RUN_CRASHED;
    }
    return runner_main(argc, argv, "predict", predict);
}
