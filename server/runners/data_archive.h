/* data_archive.h: the members of a zip, tar or tar.gz, one after the other, in memory.
 *
 * Nothing is ever unpacked to disk, so a name cannot lead anywhere; names that try are still
 * refused, because an archive that was made to attack is not training data. */
#ifndef SLIPWAY_RUNNERS_DATA_ARCHIVE_H
#define SLIPWAY_RUNNERS_DATA_ARCHIVE_H

#include "runners/data.h"

enum {
    ARCHIVE_MEMBERS_MAX = 200 * 1000,
    ARCHIVE_MEMBER_BYTES_MAX = 64 << 20, /* one picture, as it is stored */
    ARCHIVE_NAME_BYTES_MAX = 1024,
};

struct member {
    const char *name; /* UTF-8, relative, without "..", "\\" or control characters */
    const uint8_t *bytes;
    size_t size;
    double done; /* part of the archive read so far, 0..1 */
};

typedef enum run (*member_fn)(struct import *im, const struct member *member, void *arg);

/* Calls each with every regular file. member is valid during the call. */
MUST_USE enum run archive_walk(struct import *im, const struct runner_input *in, member_fn each,
                               void *arg);

/* Refuses naming the member. */
MUST_USE enum run refuse_member(struct import *im, enum refusal code, const char *name,
                                const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
