/* predict_request.h: from a request's bytes to samples for the net.
 *
 * Bytes come from any client that may call the model: counts and sizes are checked for overflow
 * before anything is allocated, and every refusal is a sentence and a 4xx status for that client.
 */
#pragma once

#include "runners/predict_model.h"

enum { PREDICT_ROWS_MAX = 4096, PREDICT_ERROR_BYTES = 256 };

enum predict_output { OUTPUT_PROBABILITIES, OUTPUT_LABEL, OUTPUT_VALUE, OUTPUT_COUNT };

/* "probabilities", "label", "value" */
extern const char *const PREDICT_OUTPUTS[OUTPUT_COUNT];

struct predict_failure {
    int status; /* HTTP */
    char message[PREDICT_ERROR_BYTES];
};

struct predict_request {
    json_t *json;   /* the parsed request, NULL for an image; owned */
    const char *id; /* the client's, echoed; NULL when absent; borrowed from json */
    size_t rows;
    float *samples; /* [rows, features.sample], preprocessed; owned */
    bool wanted[OUTPUT_COUNT], binary[OUTPUT_COUNT];
};

#define auto_predict_request __attribute__((cleanup(predict_request_done)))

enum predict_content { CONTENT_JSON, CONTENT_BINARY, CONTENT_IMAGE };

/* body stays the caller's and is not needed afterwards. json_length: bytes of JSON before the
 * tensors, CONTENT_BINARY only. False with *ret_failure filled. */
bool predict_request_read(const struct predict_model *m, enum predict_content content,
                          int64_t json_length, const uint8_t *body, size_t size,
                          struct predict_request *ret, struct predict_failure *ret_failure);
void predict_request_done(struct predict_request *rq);

/* Fills the failure, returns false. */
bool predict_fail(struct predict_failure *failure, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
