/* data_folders.c: pictures in class folders, from an archive.
 *
 *     cats/1.jpg  cats/2.jpg  dogs/1.jpg          two classes, split by draw
 *     train/cats/1.jpg  test/dogs/7.jpg           the same, with a fixed test split
 *
 * The archive is read twice: the survey decodes every picture and keeps only its class, size and
 * split; the second pass decodes again and writes. Keeping pixels between the passes would need
 * memory or disk as large as the largest set somebody sends, and the common size is known only
 * after the last picture. */
#include "runners/data_archive.h"
#include "runners/data_pictures.h"
#include "runners/image.h"

#include <math.h>
#include <string.h>
#include <strings.h>

struct seen_picture {
    uint16_t width, height; /* capped at UINT16_MAX: larger ones are shrunk anyway */
    uint8_t channels;
    uint8_t split;
    int32_t class; /* in the order of first appearance */
};

struct folders {
    struct seen_picture *seen;
    size_t count, capacity;
    json_t *class_of;  /* name → number in order of first appearance */
    size_t strangers;  /* members that are no pictures */
    char stranger[80]; /* the first of them */
    struct pictures *pictures;
    size_t resized;
};

static const char *base_name(const char *name) {
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* What file managers leave in archives. */
static bool is_litter(const char *name) {
    const char *base = base_name(name);
    return name[0] == '.' || strstr(name, "/.") || strncmp(name, "__MACOSX/", 9) == 0 ||
           strcmp(base, "Thumbs.db") == 0 || strcmp(base, "desktop.ini") == 0;
}

static bool looks_like(const char *name, const char *const *endings) {
    const char *dot = strrchr(base_name(name), '.');
    for (; dot && *endings; endings++)
        if (strcasecmp(dot, *endings) == 0)
            return true;
    return false;
}

static bool is_picture(const struct member *m) {
    const uint8_t *b = m->bytes;
    return (m->size >= 4 && memcmp(b, "\x89PNG", 4) == 0) ||
           (m->size >= 3 && memcmp(b, "\xff\xd8\xff", 3) == 0) ||
           (m->size >= 12 && memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WEBP", 4) == 0);
}

/* A file that claims to be a picture or an archive but is not one that is read here. */
static enum run check_stranger(struct import *im, const struct member *m, struct folders *f) {
    static const char *const PICTURES[] = {".png", ".jpg", ".jpeg", ".webp", NULL};
    static const char *const OTHERS[] = {".gif",  ".bmp",  ".tif", ".tiff", ".svg",
                                         ".heic", ".avif", ".jp2", NULL};
    static const char *const ARCHIVES[] = {".zip", ".gz", ".tgz", ".tar", ".bz2",
                                           ".xz",  ".7z", ".rar", NULL};
    if (looks_like(m->name, PICTURES))
        return refuse_member(im, REFUSE_INVALID_DATA, m->name,
                             "the bytes are not a PNG, JPEG or WebP picture");
    if (looks_like(m->name, OTHERS))
        return refuse_member(im, REFUSE_UNSUPPORTED, m->name,
                             "only PNG, JPEG and WebP pictures are supported");
    if (looks_like(m->name, ARCHIVES))
        return refuse_member(im, REFUSE_UNSUPPORTED, m->name,
                             "archives inside an archive are not opened");
    if (f->strangers++ == 0)
        snprintf(f->stranger, sizeof f->stranger, "%s", base_name(m->name));
    return RUN_DONE;
}

/* The split a folder's name stands for: train stays free, because a part of it may have to serve as
 * validation. SPLIT_COUNT + 1 = not such a name. */
static int folder_split(const char *name, size_t length) {
    static const struct {
        const char *name;
        int split;
    } FOLDERS[] = {
        {"train", SPLIT_FREE},
        {"training", SPLIT_FREE},
        {"test", SPLIT_TEST},
        {"testing", SPLIT_TEST},
        {"val", SPLIT_VALIDATION},
        {"valid", SPLIT_VALIDATION},
        {"validation", SPLIT_VALIDATION},
    };
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++)
        if (strlen(FOLDERS[i].name) == length && strncasecmp(FOLDERS[i].name, name, length) == 0)
            return FOLDERS[i].split;
    return SPLIT_COUNT + 1;
}

/* Finds "class" in a/train/class/picture.png and the split above it. */
static enum run read_folders(struct import *im, const char *name, char class[DATA_NAME_BYTES + 1],
                             uint8_t *ret_split) {
    const char *part = name;
    size_t length = 0;
    *ret_split = SPLIT_FREE;
    bool named_split = false;
    for (const char *slash; (slash = strchr(part, '/')) != NULL; part = slash + 1) {
        length = (size_t)(slash - part);
        if (length > DATA_NAME_BYTES)
            return refuse_member(im, REFUSE_INVALID_DATA, name,
                                 "the folder's name is longer than %d bytes", DATA_NAME_BYTES);
        memcpy(class, part, length);
        class[length] = '\0';
        int split = folder_split(part, length);
        named_split = split <= SPLIT_COUNT;
        if (named_split)
            *ret_split = (uint8_t)split;
    }
    if (length == 0 || named_split || strcmp(class, ".") == 0)
        return refuse_member(im, REFUSE_INVALID_DATA, name,
                             "the picture lies in no folder that names its class");
    return RUN_DONE;
}

static enum run class_number(struct import *im, struct folders *f, const char *member,
                             const char *class, int32_t *ret) {
    const json_t *known = json_object_get(f->class_of, class);
    size_t count = json_object_size(f->class_of);
    *ret = known ? (int32_t)json_integer_value(known) : (int32_t)count;
    if (known)
        return RUN_DONE;
    if (count >= DATA_CLASSES_MAX)
        return refuse_member(im, REFUSE_TOO_LARGE, member, "there are more than %d classes",
                             DATA_CLASSES_MAX);
    if (json_object_set_new(f->class_of, class, json_integer((json_int_t)count)) != 0)
        return refuse_member(im, REFUSE_INVALID_DATA, member, "the folder's name is not UTF-8");
    return RUN_DONE;
}

static enum run remember(struct import *im, struct folders *f, struct seen_picture seen) {
    if (f->count == f->capacity) {
        size_t capacity = f->capacity ? f->capacity * 2 : 1024;
        struct seen_picture *grown = realloc(f->seen, capacity * sizeof *grown);
        if (!grown)
            return crash(im->rn, "memory is short for %zu pictures", capacity);
        f->seen = grown;
        f->capacity = capacity;
    }
    f->seen[f->count++] = seen;
    return RUN_DONE;
}

static enum run decode_member(struct import *im, const struct member *m, struct image *ret) {
    char error[IMAGE_ERROR_BYTES];
    if (!image_decode(m->bytes, m->size, ret, error))
        return refuse_member(im, REFUSE_INVALID_DATA, m->name, "%s", error);
    return RUN_DONE;
}

static enum run survey(struct import *im, const struct member *m, void *arg) {
    struct folders *f = arg;
    if (is_litter(m->name))
        return RUN_DONE;
    if (!is_picture(m))
        return check_stranger(im, m, f);
    char class[DATA_NAME_BYTES + 1] = "";
    struct seen_picture seen = {0};
    TRY(read_folders(im, m->name, class, &seen.split));
    TRY(class_number(im, f, m->name, class, &seen.class));
    struct image auto_image picture = {0};
    TRY(decode_member(im, m, &picture));
    seen.width = (uint16_t)(picture.width < UINT16_MAX ? picture.width : UINT16_MAX);
    seen.height = (uint16_t)(picture.height < UINT16_MAX ? picture.height : UINT16_MAX);
    seen.channels = (uint8_t)picture.channels;
    TRY(remember(im, f, seen));
    return import_progress(im, 0.45 * m->done, "looking at the pictures");
}

static bool is_number(const char *text) {
    return text[strspn(text, "0123456789")] == '\0' && strlen(text) < 19;
}

/* Folders named by numbers in the order of the numbers, the others after them by their bytes. */
static int by_class_name(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    bool numeric_x = is_number(x), numeric_y = is_number(y);
    if (numeric_x != numeric_y)
        return numeric_x ? -1 : 1;
    long long n = numeric_x ? strtoll(x, NULL, 10) : 0, m = numeric_x ? strtoll(y, NULL, 10) : 0;
    return n != m ? (n < m ? -1 : 1) : strcmp(x, y);
}

/* Sorts the classes and rewrites the pictures' numbers of first appearance. */
static enum run sort_classes(struct import *im, struct folders *f, struct pictures *p) {
    size_t count = json_object_size(f->class_of), n = 0;
    auto_free const char **names = calloc(count + 1, sizeof *names);
    auto_free int32_t *sorted = calloc(count + 1, sizeof *sorted);
    if (!names || !sorted)
        return crash(im->rn, "memory is short for %zu classes", count);
    const char *name;
    json_t *number;
    json_object_foreach(f->class_of, name, number) {
        names[n++] = name;
    }
    qsort(names, count, sizeof *names, by_class_name);
    p->classes = json_array();
    for (size_t i = 0; i < count; i++) {
        sorted[json_integer_value(json_object_get(f->class_of, names[i]))] = (int32_t)i;
        json_array_append_new(p->classes, json_string(names[i]));
    }
    for (size_t i = 0; i < f->count; i++) {
        p->labels[i] = sorted[f->seen[i].class];
        p->split[i] = f->seen[i].split;
    }
    return RUN_DONE;
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The size most pictures have, the smaller one of two that are equally common. */
static enum run common_size(struct import *im, const struct folders *f, int *ret_width,
                            int *ret_height) {
    auto_free uint32_t *sizes = calloc(f->count + 1, sizeof *sizes);
    if (!sizes)
        return crash(im->rn, "memory is short for %zu pictures", f->count);
    for (size_t i = 0; i < f->count; i++)
        sizes[i] = (uint32_t)f->seen[i].width << 16 | f->seen[i].height;
    qsort(sizes, f->count, sizeof *sizes, by_size);
    size_t best = 0, run = 0;
    for (size_t i = 0; i < f->count; i++) {
        run = i > 0 && sizes[i] == sizes[i - 1] ? run + 1 : 1;
        if (run <= best)
            continue;
        best = run;
        *ret_width = (int)(sizes[i] >> 16);
        *ret_height = (int)(sizes[i] & 0xffff);
    }
    return RUN_DONE;
}

/* The size of the data set: the common one, shrunk to at most DATA_SIDE_MAX a side. */
static enum run choose_size(struct import *im, const struct folders *f, struct pictures *p) {
    TRY(common_size(im, f, &p->width, &p->height));
    int longest = p->width > p->height ? p->width : p->height;
    if (longest > DATA_SIDE_MAX) {
        double scale = (double)DATA_SIDE_MAX / longest;
        p->width = (int)fmax(1, round(p->width * scale));
        p->height = (int)fmax(1, round(p->height * scale));
    }
    p->channels = 1;
    for (size_t i = 0; i < f->count; i++)
        if (f->seen[i].channels == 3)
            p->channels = 3;
    return RUN_DONE;
}

static enum run place(struct import *im, const struct member *m, void *arg) {
    struct folders *f = arg;
    struct pictures *p = f->pictures;
    if (is_litter(m->name) || !is_picture(m))
        return RUN_DONE;
    struct image auto_image picture = {0}, fitted = {0}, coloured = {0};
    TRY(decode_member(im, m, &picture));
    const struct image *now = &picture;
    bool fits = now->width == p->width && now->height == p->height;
    if (!fits) {
        f->resized++;
        fits = image_fit(now, p->width, p->height, &fitted);
        now = &fitted;
    }
    if (fits && now->channels != p->channels) {
        fits = image_convert(now, p->channels, &coloured);
        now = &coloured;
    }
    if (!fits)
        return crash(im->rn, "memory is short for a picture");
    TRY(pictures_add(im, p, now->pixels));
    return import_progress(im, 0.45 + 0.5 * (double)p->written / (double)p->rows,
                           "writing the pictures");
}

static void note_changes(struct import *im, const struct folders *f) {
    const struct pictures *p = f->pictures;
    size_t grey = 0;
    for (size_t i = 0; i < f->count && p->channels == 3; i++)
        grey += f->seen[i].channels == 1;
    if (f->resized > 0)
        import_note(im,
                    "Pictures resized to %d x %d, the most common size within %d pixels a side: "
                    "%zu of %zu.",
                    p->width, p->height, DATA_SIDE_MAX, f->resized, p->rows);
    if (grey > 0)
        import_note(im, "Grey pictures made RGB like the others: %zu.", grey);
    if (f->strangers > 0)
        import_note(im, "Files left out because they are no pictures: %zu, such as \"%s\".",
                    f->strangers, f->stranger);
}

static enum run import_folders(struct import *im, struct folders *f) {
    const struct runner_input *in = &im->rn->inputs[0];
    struct pictures *p = f->pictures;
    TRY(archive_walk(im, in, survey, f));
    if (f->count == 0)
        return refuse_input(im, REFUSE_INVALID_DATA, in, NULL, "the archive holds no pictures");
    p->rows = f->count;
    TRY(pictures_alloc(im, p));
    TRY(sort_classes(im, f, p));
    TRY(choose_size(im, f, p));
    TRY(pictures_begin(im, p));
    TRY(archive_walk(im, in, place, f));
    note_changes(im, f);
    return pictures_finish(im, p);
}

enum run folders_import(struct import *im) {
    struct pictures auto_pictures pictures = {0};
    struct folders folders = {.class_of = json_object(), .pictures = &pictures};
    enum run status = import_folders(im, &folders);
    free(folders.seen);
    json_decref(folders.class_of);
    return status;
}
