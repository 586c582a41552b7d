/* shim_case.h: a small job on made-up data, through the shim's header only.
 *
 * blobs: three classes of 8 x 8 one-channel pictures, a bright patch each, that any net learns in
 * an epoch or two; the same numbers every time. */
#pragma once

#include "tests/support/cmocka_all.h"

#include "shim/slipway_torch.h"

#include <stdbool.h>

enum { CASE_CLASSES = 3, CASE_SIDE = 8, CASE_PIXELS = CASE_SIDE * CASE_SIDE };

struct shim_case {
    uint8_t *pixels; /* [rows, 1, 8, 8] */
    int32_t *labels; /* [rows] */
    int64_t rows;
    tsh_ctx *ctx;
    tsh_net *net;
    tsh_data *train, *val;
    tsh_job *job;
};

/* Fails the test with the error's message. */
#define assert_tsh_ok(call, err)                                                                   \
    do {                                                                                           \
        if ((call) != TSH_OK)                                                                      \
            fail_msg("%s: %d %s", #call, (int)(err)->code, (err)->message);                        \
    } while (0)

#define CASE_MLP                                                                                   \
    "{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":16},{\"type\":\"relu\"},"                 \
    "{\"type\":\"linear\",\"out\":3}"
#define CASE_CNN                                                                                   \
    "{\"type\":\"conv2d\",\"out\":4,\"kernel\":3,\"padding\":\"same\"},{\"type\":\"batchnorm\"},"  \
    "{\"type\":\"relu\"},{\"type\":\"maxpool2d\",\"kernel\":2},"                                   \
    "{\"type\":\"residual\",\"layers\":[{\"type\":\"conv2d\",\"out\":4,\"kernel\":3,"              \
    "\"padding\":\"same\"},{\"type\":\"gelu\"}]},"                                                 \
    "{\"type\":\"flatten\"},{\"type\":\"dropout\",\"p\":0.3},{\"type\":\"linear\",\"out\":3}"

/* A context, train_rows and val_rows of blobs; net and job are the test's to make. */
void case_begin(struct shim_case *c, int64_t train_rows, int64_t val_rows, int no_fast_path);
void case_end(struct shim_case *c);

/* Replaces net and job. layers: without the brackets; spec: members beside "model". */
void case_job(struct shim_case *c, const char *layers, const char *spec);

/* Trains on to the end or through so many steps (0 = to the end). */
tsh_progress case_train(struct shim_case *c, int64_t steps);

/* An anonymous file with the net's weights, or with a checkpoint; the caller closes it. */
int case_weights(struct shim_case *c);
int case_checkpoint(struct shim_case *c);

/* A descriptor's whole content; owned. */
void *case_read(int fd, size_t *ret_size);
