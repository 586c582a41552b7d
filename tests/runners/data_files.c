/* data_files.c: see data_files.h. */
#include "tests/runners/data_files.h"

#include "tests/support/cmocka_all.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <jpeglib.h>

enum { ARCHIVE_BYTES_MAX = 32 << 20 };

void bytes_done(struct bytes *b) {
    free(b->at);
    *b = (struct bytes){0};
}

struct bytes bytes_of(const void *at, size_t size) {
    struct bytes b = {malloc(size + 1), size};
    assert_non_null(b.at);
    if (size > 0)
        memcpy(b.at, at, size);
    return b;
}

static void put_u32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

struct bytes make_idx(const uint32_t *sizes, int dimensions, const uint8_t *data, size_t size) {
    size_t head = 4 + 4 * (size_t)dimensions;
    struct bytes b = {calloc(1, head + size), head + size};
    assert_non_null(b.at);
    b.at[2] = 8;
    b.at[3] = (uint8_t)dimensions;
    for (int i = 0; i < dimensions; i++)
        put_u32(b.at + 4 + 4 * i, sizes[i]);
    if (size > 0)
        memcpy(b.at + head, data, size);
    return b;
}

struct bytes make_gzip(const void *bytes, size_t size) {
    z_stream z = {0};
    assert_int_equal(Z_OK, deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY));
    size_t room = deflateBound(&z, size);
    struct bytes b = {malloc(room), 0};
    assert_non_null(b.at);
    z.next_in = (Bytef *)bytes;
    z.avail_in = (uInt)size;
    z.next_out = b.at;
    z.avail_out = (uInt)room;
    assert_int_equal(Z_STREAM_END, deflate(&z, Z_FINISH));
    b.size = z.total_out;
    deflateEnd(&z);
    return b;
}

static uint8_t *gradient(int width, int height, int channels, int seed) {
    size_t size = (size_t)width * (size_t)height * (size_t)channels;
    uint8_t *pixels = malloc(size);
    assert_non_null(pixels);
    for (size_t i = 0; i < size; i++)
        pixels[i] = (uint8_t)((size_t)seed + i * 7);
    return pixels;
}

struct bytes make_png(int width, int height, int channels, int seed) {
    uint8_t *pixels = gradient(width, height, channels, seed);
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)width,
                     .height = (png_uint_32)height,
                     .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
    struct bytes b = {malloc(size), 0};
    assert_non_null(b.at);
    assert_true(png_image_write_to_memory(&png, b.at, &size, 0, pixels, 0, NULL));
    b.size = size;
    free(pixels);
    return b;
}

struct bytes make_png_that_claims(uint32_t width, uint32_t height) {
    struct bytes b = make_png(8, 8, 1, 0);
    put_u32(b.at + 16, width); /* signature 8, length 4, "IHDR" 4 */
    put_u32(b.at + 20, height);
    put_u32(b.at + 29, (uint32_t)crc32(0, b.at + 12, 17));
    return b;
}

struct bytes make_jpeg(int width, int height) {
    uint8_t *pixels = gradient(width, height, 3, 0);
    struct jpeg_error_mgr error;
    struct jpeg_compress_struct jpeg = {.err = jpeg_std_error(&error)};
    unsigned char *out = NULL;
    unsigned long size = 0;
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, &size);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < height; y++) {
        JSAMPROW row = pixels + (size_t)y * (size_t)width * 3;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(pixels);
    return (struct bytes){out, size};
}

static void set_type(struct archive_entry *entry, const struct entry *from) {
    static const __LA_MODE_T TYPES[] = {AE_IFREG, AE_IFDIR, AE_IFLNK, AE_IFREG, AE_IFCHR};
    archive_entry_set_filetype(entry, TYPES[from->type]);
    if (from->type == ENTRY_SYMLINK)
        archive_entry_set_symlink(entry, "/etc/passwd");
    if (from->type == ENTRY_HARDLINK)
        archive_entry_set_hardlink(entry, "/etc/passwd");
}

struct bytes make_archive(enum archive_form form, const struct entry *entries, size_t count) {
    struct bytes b = {malloc(ARCHIVE_BYTES_MAX), 0};
    struct archive *archive = archive_write_new();
    setlocale(LC_CTYPE, "C.UTF-8"); /* libarchive stores names through it */
    assert_true(b.at && archive);
    if (form == FORM_ZIP)
        archive_write_set_format_zip(archive);
    else
        archive_write_set_format_pax_restricted(archive);
    if (form == FORM_TAR_GZ)
        archive_write_add_filter_gzip(archive);
    assert_int_equal(ARCHIVE_OK,
                     archive_write_open_memory(archive, b.at, ARCHIVE_BYTES_MAX, &b.size));
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname_utf8(entry, entries[i].name);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, (la_int64_t)entries[i].size);
        set_type(entry, &entries[i]);
        assert_true(archive_write_header(archive, entry) >= ARCHIVE_WARN);
        if (entries[i].size > 0)
            archive_write_data(archive, entries[i].bytes, entries[i].size);
        archive_entry_free(entry);
    }
    assert_int_equal(ARCHIVE_OK, archive_write_close(archive));
    archive_write_free(archive);
    return b;
}
