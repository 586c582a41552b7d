/* predict_reply.c: writes the Open Inference Protocol answer. Numbers are printed straight into the
 * body: building a JSON tree for them first took longer than the forward pass of a small model. */
#include "runners/predict_reply.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_BYTES = 16 }; /* "-1.23456789e-38," at most */

void predict_reply_done(struct predict_reply *rp) {
    free(rp->body);
    *rp = (struct predict_reply){0};
}

void predict_reply_fail(const struct predict_failure *failure, struct predict_reply *ret) {
    json_auto_t *error = json_pack("{s:s}", "error", failure->message);
    char *text = error ? json_dumps(error, JSON_COMPACT) : NULL;
    if (!text) /* the message quotes a name that is not UTF-8 */
        text = strdup("{\"error\":\"the request names something that is not UTF-8\"}");
    *ret = (struct predict_reply){.status = failure->status, .body = text};
    ret->size = text ? strlen(text) : 0;
}

static size_t best_class(const float *row, size_t n) {
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        best = row[i] > row[best] ? i : best;
    return best;
}

static double result_at(const struct predict_model *m, const float *results, size_t i) {
    double value = (double)results[i];
    return m->labels ? value : value * m->features.target_stddev + m->features.target_mean;
}

/* JSON has no word for what is not finite. */
static void print_number(FILE *out, double value) {
    if (isfinite(value))
        fprintf(out, "%.9g", value);
    else
        fputs("null", out);
}

/* A label without its quotes is exact only when nothing was escaped; the class list has the text.
 */
static const char *label_text(const struct predict_model *m, size_t class) {
    const json_t *classes = json_object_get(m->json, "classes");
    return json_string_value(json_array_get(classes, class));
}

static void write_data(const struct predict_model *m, const struct predict_request *rq,
                       enum predict_output output, const float *results, FILE *out) {
    size_t count = output == OUTPUT_LABEL ? rq->rows : rq->rows * m->outputs;
    fputs(",\"data\":[", out);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            fputc(',', out);
        if (output == OUTPUT_LABEL)
            fputs(m->labels[best_class(results + i * m->outputs, m->outputs)], out);
        else
            print_number(out, result_at(m, results, i));
    }
    fputs("]}", out);
}

static size_t binary_bytes(const struct predict_model *m, const struct predict_request *rq,
                           enum predict_output output, const float *results) {
    if (output != OUTPUT_LABEL)
        return rq->rows * m->outputs * sizeof(float);
    size_t bytes = 0;
    for (size_t i = 0; i < rq->rows; i++)
        bytes += sizeof(uint32_t) +
                 strlen(label_text(m, best_class(results + i * m->outputs, m->outputs)));
    return bytes;
}

static void write_binary(const struct predict_model *m, const struct predict_request *rq,
                         enum predict_output output, const float *results, FILE *out) {
    for (size_t i = 0; output == OUTPUT_LABEL && i < rq->rows; i++) {
        const char *label = label_text(m, best_class(results + i * m->outputs, m->outputs));
        uint32_t size = (uint32_t)strlen(label);
        fwrite(&size, sizeof size, 1, out);
        fwrite(label, 1, size, out);
    }
    for (size_t i = 0; output != OUTPUT_LABEL && i < rq->rows * m->outputs; i++) {
        float value = (float)result_at(m, results, i);
        fwrite(&value, sizeof value, 1, out);
    }
}

static void write_output(const struct predict_model *m, const struct predict_request *rq,
                         enum predict_output output, const float *results, FILE *out) {
    fprintf(out, "{\"name\":\"%s\",\"datatype\":\"%s\",\"shape\":[%zu", PREDICT_OUTPUTS[output],
            output == OUTPUT_LABEL ? "BYTES" : "FP32", rq->rows);
    if (output == OUTPUT_PROBABILITIES)
        fprintf(out, ",%zu", m->outputs);
    fputc(']', out);
    if (rq->binary[output])
        fprintf(out, ",\"parameters\":{\"binary_data_size\":%zu}}",
                binary_bytes(m, rq, output, results));
    else
        write_data(m, rq, output, results, out);
}

static void write_head(const struct predict_model *m, const struct predict_request *rq, FILE *out) {
    fprintf(out, "{\"model_name\":%s,\"model_version\":\"%s\"", m->name_json, m->version);
    if (rq->id) {
        fputs(",\"id\":", out);
        json_dumpf(json_object_get(rq->json, "id"), out, JSON_ENCODE_ANY);
    }
    fputs(",\"outputs\":[", out);
}

static void write_all(const struct predict_model *m, const struct predict_request *rq,
                      const float *results, FILE *out, struct predict_reply *rp) {
    bool first = true;
    write_head(m, rq, out);
    for (unsigned i = 0; i < OUTPUT_COUNT; i++) {
        if (!rq->wanted[i])
            continue;
        fputs(first ? "" : ",", out);
        first = false;
        write_output(m, rq, (enum predict_output)i, results, out);
        rp->binary = rp->binary || rq->binary[i];
    }
    fputs("]}", out);
    rp->json_length = ftell(out);
    for (unsigned i = 0; i < OUTPUT_COUNT; i++)
        if (rq->wanted[i] && rq->binary[i])
            write_binary(m, rq, (enum predict_output)i, results, out);
}

void predict_reply_write(const struct predict_model *m, const struct predict_request *rq,
                         const float *results, struct predict_reply *ret) {
    struct predict_failure failure;
    bool numbers = rq->wanted[OUTPUT_PROBABILITIES] || rq->wanted[OUTPUT_VALUE];
    if (numbers && rq->rows * m->outputs > PREDICT_REPLY_MAX / NUMBER_BYTES) {
        predict_fail(&failure, 413, "the answer would be too large: send fewer rows a request");
        predict_reply_fail(&failure, ret);
        return;
    }
    struct predict_reply rp = {.status = 200};
    FILE *out = open_memstream(&rp.body, &rp.size);
    if (out)
        write_all(m, rq, results, out, &rp);
    if (!out || fclose(out) != 0) {
        predict_reply_done(&rp);
        predict_fail(&failure, 503, "memory is short for the answer");
        predict_reply_fail(&failure, ret);
        return;
    }
    *ret = rp;
}
