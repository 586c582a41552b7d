/* Scope lifetimes: a variable declared with one of these attributes is released when its scope
 * ends; take(x) hands it on and leaves NULL (or -1) behind. Releasing NULL or -1 does nothing. */
#pragma once

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_(void *p) {
    free(*(void **)p);
}

static inline void cleanup_fd_(int *fd) {
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_json_(json_t **json) {
    json_decref(*json);
}

static inline void cleanup_file_(FILE **file) {
    if (*file)
        fclose(*file);
}

static inline void cleanup_lock_(pthread_mutex_t **lock) {
    if (*lock)
        pthread_mutex_unlock(*lock);
}

static inline pthread_mutex_t *lock_(pthread_mutex_t *lock) {
    pthread_mutex_lock(lock);
    return lock;
}

#define auto_free __attribute__((cleanup(cleanup_free_)))
#define auto_fd __attribute__((cleanup(cleanup_fd_), unused)) int
#define auto_json __attribute__((cleanup(cleanup_json_))) json_t
#define auto_file __attribute__((cleanup(cleanup_file_))) FILE

/* Holds a mutex until the end of the scope: scope_lock(&pool->lock); */
#define scope_lock(mutex)                                                                          \
    __attribute__((cleanup(cleanup_lock_), unused)) pthread_mutex_t *scope_lock_held_ = lock_(mutex)

#define take(p)                                                                                    \
    ({                                                                                             \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })
#define take_fd(fd)                                                                                \
    ({                                                                                             \
        int taken_ = (fd);                                                                         \
        (fd) = -1;                                                                                 \
        taken_;                                                                                    \
    })
