/* predict_reply.h: what a client gets back. */
#pragma once

#include "runners/predict_request.h"

enum { PREDICT_REPLY_MAX = 64 << 20 };

struct predict_reply {
    int status;
    bool binary;         /* tensors follow json_length bytes of JSON */
    int64_t json_length; /* binary only */
    char *body;          /* owned */
    size_t size;
};

#define auto_predict_reply __attribute__((cleanup(predict_reply_done)))

/* results: [rows, outputs] from the net; values are brought back to the target's unit. */
void predict_reply_write(const struct predict_model *m, const struct predict_request *rq,
                         const float *results, struct predict_reply *ret);
void predict_reply_fail(const struct predict_failure *failure, struct predict_reply *ret);
void predict_reply_done(struct predict_reply *rp);
