/* data_files.h: small files of the kinds the data runner reads, whole and broken, made in memory.
 */
#ifndef SLIPWAY_TESTS_DATA_FILES_H
#define SLIPWAY_TESTS_DATA_FILES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *at; /* malloc */
    size_t size;
};

void bytes_done(struct bytes *b);

#define auto_bytes __attribute__((cleanup(bytes_done)))

struct bytes bytes_of(const void *at, size_t size);

/* An IDX file of unsigned bytes; data may be shorter or longer than the sizes say. */
struct bytes make_idx(const uint32_t *sizes, int dimensions, const uint8_t *data, size_t size);

struct bytes make_gzip(const void *bytes, size_t size);

/* A PNG whose pixels are a gradient that starts at seed. */
struct bytes make_png(int width, int height, int channels, int seed);

/* The same with another size in its header and a right checksum there. */
struct bytes make_png_that_claims(uint32_t width, uint32_t height);

struct bytes make_jpeg(int width, int height);

enum entry_type { ENTRY_FILE, ENTRY_FOLDER, ENTRY_SYMLINK, ENTRY_HARDLINK, ENTRY_DEVICE };

struct entry {
    const char *name;
    const void *bytes;
    size_t size;
    enum entry_type type;
};

enum archive_form { FORM_ZIP, FORM_TAR, FORM_TAR_GZ };

struct bytes make_archive(enum archive_form form, const struct entry *entries, size_t count);

#endif
