/* data_archive.c: see data_archive.h. libarchive reads, this file distrusts.
 *
 * Only zip, tar and gzip are compiled in of all that libarchive knows. zip is read by its central
 * directory, so that a truncated one fails at once. A member is read until it ends, whatever size
 * it claims; the sums are checked block by block, so that a bomb costs at most one block more than
 * the limit. Any warning is a refusal: libarchive warns of wrong checksums and of names that cannot
 * be converted. */
#include "runners/data_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    READ_BLOCK_BYTES = 64 * 1024,
    NAME_SLOTS = 1 << 19, /* more than twice ARCHIVE_MEMBERS_MAX: probing stays short */
};

struct walk {
    struct import *im;
    const struct runner_input *in;
    struct archive *archive;
    size_t members;
    int64_t bytes_out;
    uint8_t *buffer; /* of the current member; grows up to ARCHIVE_MEMBER_BYTES_MAX */
    size_t capacity;
    uint64_t *names; /* hash set, 0 = free slot */
};

enum run refuse_member(struct import *im, enum refusal code, const char *name, const char *fmt,
                       ...) {
    char text[512], place[ARCHIVE_NAME_BYTES_MAX + 16];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    snprintf(place, sizeof place, "member %s", name);
    return refuse_input(im, code, &im->rn->inputs[0], place, "%s", text);
}

static enum run refuse_damaged(struct walk *w, const char *name) {
    const char *why = archive_error_string(w->archive);
    if (name)
        return refuse_member(w->im, REFUSE_INVALID_DATA, name, "the archive is damaged: %s",
                             why ? why : "it is cut short");
    return refuse_input(w->im, REFUSE_INVALID_DATA, w->in, NULL,
                        "the archive cannot be read as zip, tar or tar.gz: %s",
                        why ? why : "it is cut short");
}

static bool has_parent_part(const char *name) {
    for (const char *at = name; (at = strstr(at, "..")) != NULL; at += 2)
        if ((at == name || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
            return true;
    return false;
}

/* What is wrong with a name, NULL when nothing is. */
static const char *name_fault(const char *name) {
    if (name[0] == '\0')
        return "the name is empty";
    if (strlen(name) > ARCHIVE_NAME_BYTES_MAX)
        return "the name is longer than 1024 bytes";
    if (name[0] == '/' || (name[1] == ':' && name[2] == '\\'))
        return "the name is absolute";
    if (has_parent_part(name))
        return "the name leads out of the archive";
    for (const char *at = name; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f || *at == '\\')
            return "the name holds a backslash or a control character";
    return NULL;
}

static const char *type_fault(struct archive_entry *entry) {
    if (archive_entry_is_encrypted(entry))
        return "it is encrypted";
    if (archive_entry_hardlink(entry) || archive_entry_symlink(entry))
        return "it is a link";
    __LA_MODE_T type = archive_entry_filetype(entry);
    if (type != AE_IFREG && type != AE_IFDIR)
        return "it is neither a file nor a folder";
    return NULL;
}

/* FNV-1a; 0 is kept for free slots. Two names that collide are taken for one: with 64 bits that
 * happens to nobody who does not ask for it. */
static uint64_t name_hash(const char *name) {
    uint64_t hash = 0xcbf29ce484222325;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
    return hash ? hash : 1;
}

static bool name_is_new(struct walk *w, const char *name) {
    uint64_t hash = name_hash(name);
    size_t slot = (size_t)hash % NAME_SLOTS;
    for (; w->names[slot] != 0; slot = (slot + 1) % NAME_SLOTS)
        if (w->names[slot] == hash)
            return false;
    w->names[slot] = hash;
    return true;
}

static enum run check_entry(struct walk *w, struct archive_entry *entry, const char **ret_name) {
    const char *name = archive_entry_pathname_utf8(entry);
    while (name && strncmp(name, "./", 2) == 0 && name[2] != '\0')
        name += 2; /* how tar writes "tar c ." */
    char nameless[32];
    snprintf(nameless, sizeof nameless, "%zu", w->members);
    if (++w->members > ARCHIVE_MEMBERS_MAX)
        return refuse_input(w->im, REFUSE_TOO_LARGE, w->in, NULL,
                            "the archive has more than %d members", ARCHIVE_MEMBERS_MAX);
    if (!name)
        return refuse_member(w->im, REFUSE_INVALID_DATA, nameless, "its name is not UTF-8");
    const char *fault = name_fault(name);
    if (!fault)
        fault = type_fault(entry);
    if (fault)
        return refuse_member(w->im, REFUSE_INVALID_DATA, name, "%s", fault);
    if (!name_is_new(w, name))
        return refuse_member(w->im, REFUSE_INVALID_DATA, name, "the name occurs twice");
    *ret_name = name;
    return RUN_DONE;
}

static enum run make_room(struct walk *w, const char *name, size_t size) {
    if (size > ARCHIVE_MEMBER_BYTES_MAX)
        return refuse_member(w->im, REFUSE_TOO_LARGE, name, "it is larger than %d MiB",
                             ARCHIVE_MEMBER_BYTES_MAX >> 20);
    if (size <= w->capacity)
        return RUN_DONE;
    size_t capacity = w->capacity ? w->capacity * 2 : READ_BLOCK_BYTES * 2;
    uint8_t *buffer = realloc(w->buffer, capacity);
    if (!buffer)
        return crash(w->im->rn, "memory is short for a member of %zu bytes", size);
    w->buffer = buffer;
    w->capacity = capacity;
    return RUN_DONE;
}

static enum run read_member(struct walk *w, const char *name, size_t *ret_size) {
    size_t size = 0;
    for (;;) {
        TRY(make_room(w, name, size + READ_BLOCK_BYTES));
        la_ssize_t n = archive_read_data(w->archive, w->buffer + size, READ_BLOCK_BYTES);
        if (n < 0)
            return refuse_damaged(w, name);
        if (n == 0)
            break;
        size += (size_t)n;
        w->bytes_out += n;
        TRY(import_check_ratio(w->im, w->in, w->bytes_out));
    }
    *ret_size = size;
    return RUN_DONE;
}

static enum run walk_entry(struct walk *w, struct archive_entry *entry, member_fn each, void *arg) {
    const char *name = NULL;
    TRY(check_entry(w, entry, &name));
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return RUN_DONE;
    struct member member = {.name = name};
    TRY(read_member(w, name, &member.size));
    member.bytes = w->buffer;
    if (w->in->size_bytes > 0)
        member.done = (double)archive_filter_bytes(w->archive, -1) / (double)w->in->size_bytes;
    return each(w->im, &member, arg);
}

static enum run walk_entries(struct walk *w, member_fn each, void *arg) {
    struct archive_entry *entry;
    for (;;) {
        int code = archive_read_next_header(w->archive, &entry);
        if (code == ARCHIVE_EOF)
            return RUN_DONE;
        if (code != ARCHIVE_OK)
            return refuse_damaged(w, NULL);
        if (archive_filter_count(w->archive) > 2) /* one gzip and the file itself */
            return refuse_input(w->im, REFUSE_INVALID_DATA, w->in, NULL,
                                "the archive is gzipped more than once");
        TRY(walk_entry(w, entry, each, arg));
    }
}

static enum run walk_open(struct walk *w) {
    w->archive = archive_read_new();
    w->names = calloc(NAME_SLOTS, sizeof *w->names);
    if (!w->archive || !w->names)
        return crash(w->im->rn, "memory is short to read an archive");
    archive_read_support_filter_gzip(w->archive);
    archive_read_support_format_tar(w->archive);
    archive_read_support_format_zip_seekable(w->archive);
    if (archive_read_open_filename(w->archive, w->in->path, READ_BLOCK_BYTES) != ARCHIVE_OK)
        return refuse_damaged(w, NULL);
    return RUN_DONE;
}

enum run archive_walk(struct import *im, const struct runner_input *in, member_fn each, void *arg) {
    struct walk w = {.im = im, .in = in};
    enum run status = walk_open(&w);
    if (status == RUN_DONE)
        status = walk_entries(&w, each, arg);
    archive_read_free(w.archive);
    free(w.names);
    free(w.buffer);
    return status;
}
