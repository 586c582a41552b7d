/* See jobdir.h. */

#include "worker/jobdir.h"

#include "base/cleanup.h"
#include "base/jsontext.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path) != 0 && errno != ENOENT;
}

void jobdir_remove(const struct jobdir *dir) {
    if (dir->path[0])
        nftw(dir->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static enum err make_directory(const char *base, const char *name, struct err_info *err) {
    char path[WORKER_PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s%s", base, name);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, NULL, "could not make the job directory: %s",
                       strerror(errno));
    return OK;
}

static enum err fetch_input(struct api *api, const struct jobdir *dir, json_t *lease, size_t index,
                            json_t *input, struct err_info *err) {
    const char *sha256 = json_string_value(json_object_get(input, "sha256"));
    int64_t size = json_integer_value(json_object_get(input, "size_bytes"));
    if (!sha256 || strlen(sha256) != 64 || size < 0)
        return err_set(err, ERR_INVALID, "inputs", "the lease names an input without a hash");
    char path[WORKER_PATH_MAX + 32], url[256];
    snprintf(path, sizeof(path), "%s/inputs/%zu", dir->path, index);
    snprintf(url, sizeof(url), "/api/v1/worker/jobs/%s/inputs/%s",
             json_string_value(json_object_get(lease, "id")), sha256);
    auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, NULL, "could not create an input file: %s",
                       strerror(errno));
    TRY(api_download(api, url, json_integer_value(json_object_get(lease, "epoch")), fd, sha256,
                     size, err));
    return OK;
}

static enum err write_job(const struct worker *w, const struct jobdir *dir, json_t *lease,
                          struct err_info *err) {
    auto_json *job = json_object();
    static const char *const members[] = {"id", "kind", "attempt", "spec"};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        json_object_set(job, members[i], json_object_get(lease, members[i]));
    json_t *inputs = json_array(), *input;
    size_t index;
    json_array_foreach(json_object_get(lease, "inputs"), index, input) {
        json_t *one = json_copy(input);
        json_object_set_new(one, "path", json_sprintf("inputs/%zu", index));
        json_array_append_new(inputs, one);
    }
    json_object_set_new(job, "inputs", inputs);
    json_t *asked = json_object_get(lease, "limits");
    json_object_set_new(job, "limits",
                        json_pack("{s:I,s:i,s:I}", "memory_bytes", (json_int_t)w->memory_bytes,
                                  "threads", w->threads, "wall_seconds",
                                  json_integer_value(json_object_get(asked, "wall_seconds"))));
    char path[WORKER_PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/job.json", dir->path);
    if (json_dump_file(job, path, JSON_COMPACT) != 0)
        return err_set(err, ERR_UNAVAILABLE, NULL, "could not write job.json");
    return OK;
}

enum err jobdir_prepare(const struct worker *w, struct api *api, json_t *lease, struct jobdir *ret,
                        struct err_info *err) {
    const char *id = json_string_value(json_object_get(lease, "id"));
    if (!id || !uuid_is_valid(id))
        return err_set(err, ERR_INVALID, "id", "the lease has no job id");
    snprintf(ret->path, sizeof(ret->path), "%s/jobs/%s", w->options.work_dir, id);
    jobdir_remove(ret); /* of an earlier attempt */
    TRY(make_directory(ret->path, "", err));
    TRY(make_directory(ret->path, "/inputs", err));
    TRY(make_directory(ret->path, "/outputs", err));
    json_t *input;
    size_t index;
    json_array_foreach(json_object_get(lease, "inputs"), index, input)
        TRY(fetch_input(api, ret, lease, index, input, err));
    return write_job(w, ret, lease, err);
}

int jobdir_open_output(const struct jobdir *dir, const char *path, int64_t *ret_size) {
    char outputs[WORKER_PATH_MAX + 32];
    snprintf(outputs, sizeof(outputs), "%s/outputs", dir->path);
    auto_fd base = open(outputs, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    static const char prefix[] = "outputs/";
    if (base < 0 || strncmp(path, prefix, sizeof(prefix) - 1) != 0)
        return -1;
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    auto_fd fd = (int)syscall(SYS_openat2, base, path + sizeof(prefix) - 1, &how, sizeof(how));
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return -1;
    *ret_size = st.st_size;
    return take_fd(fd);
}

json_t *jobdir_read_json(const struct jobdir *dir, const char *name, size_t max) {
    char path[64];
    snprintf(path, sizeof(path), "outputs/%s", name);
    int64_t size = 0;
    auto_fd fd = jobdir_open_output(dir, path, &size);
    if (fd < 0 || size <= 0 || (size_t)size > max)
        return NULL;
    auto_free char *text = malloc((size_t)size);
    json_t *json = NULL;
    struct err_info err;
    if (!text || pread(fd, text, (size_t)size, 0) != size ||
        json_parse(text, (size_t)size, max, &json, &err) != OK)
        return NULL;
    return json;
}
