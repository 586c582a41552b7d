/* tree.c: see tree.h. */
#include "importer/tree.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 40

static bool is_kind(const char *directory, const struct dirent *entry, unsigned char kind) {
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == kind;
    struct stat st;
    auto_buf path = {0};
    buf_printf(&path, "%s/%s", directory, entry->d_name);
    return lstat(path.data, &st) == 0 &&
           (kind == DT_DIR ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode));
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *sorted(char **names, size_t count) {
    json_t *array = json_array();
    if (count)
        qsort(names, count, sizeof(*names), by_text);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, json_string(names[i]));
        free(names[i]);
    }
    free(names);
    return array;
}

json_t *tree_names(const char *directory, unsigned char kind) {
    DIR *dir = opendir(directory);
    char **names = NULL;
    size_t count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            !is_kind(directory, entry, kind))
            continue;
        char **grown = realloc(names, (count + 1) * sizeof(*names));
        if (!grown)
            abort();
        names = grown;
        names[count++] = strdup(entry->d_name);
    }
    if (dir)
        closedir(dir);
    return sorted(names, count);
}

static enum err walk(const char *root, const char *below, int depth, tree_fn *fn, void *arg,
                     struct err_info *err) {
    auto_buf here = {0};
    buf_printf(&here, "%s%s%s", root, *below ? "/" : "", below);
    auto_json *files = tree_names(here.data, DT_REG), *dirs = tree_names(here.data, DT_DIR);
    size_t i;
    json_t *item;
    json_array_foreach(files, i, item) {
        auto_buf path = {0}, name = {0};
        buf_printf(&path, "%s/%s", here.data, json_string_value(item));
        buf_printf(&name, "%s%s%s", below, *below ? "/" : "", json_string_value(item));
        TRY(fn(arg, path.data, name.data, err));
    }
    json_array_foreach(dirs, i, item) {
        auto_buf name = {0};
        buf_printf(&name, "%s%s%s", below, *below ? "/" : "", json_string_value(item));
        if (depth < DEPTH_MAX)
            TRY(walk(root, name.data, depth + 1, fn, arg, err));
    }
    return OK;
}

enum err tree_walk(const char *directory, tree_fn *fn, void *arg, struct err_info *err) {
    return walk(directory, "", 0, fn, arg, err);
}
