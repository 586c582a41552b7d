/* templates.c: a row a network; "classes" stands for the number of classes, so every row fits any
 * data set of its kind. Batch size and epochs follow the number of rows: about as many samples as
 * the network needs to converge, whether that is two passes or a hundred.
 *
 * When you add a row, tests/training trains nothing but checks that its spec is accepted. */
#include "training/templates.h"
#include "training/internal.h"

#include <string.h>

static const struct field TEMPLATE_FIELDS[] = {
    FIELD(STRING, struct template, id),          FIELD(STRING, struct template, title),
    FIELD(STRING, struct template, description), FIELD(STRING, struct template, kind),
    FIELD(JSON, struct template, spec),
};
SHAPE(TEMPLATE_SHAPE, "Template", struct template, TEMPLATE_FIELDS);

struct template_row {
    const char *id, *title, *description, *kind, *loss;
    double lr;
    int64_t samples; /* to see in all, the rows times the epochs */
    const char *layers;
};

#define RELU "{\"type\":\"relu\"},"
#define POOL "{\"type\":\"maxpool2d\",\"kernel\":2,\"stride\":2},"
#define CONV(out, kernel)                                                                          \
    "{\"type\":\"conv2d\",\"out\":" #out ",\"kernel\":" #kernel ",\"padding\":\"same\"},"
#define LINEAR(out) "{\"type\":\"linear\",\"out\":" #out "},"
#define NORM "{\"type\":\"batchnorm\"},"
#define RESIDUAL(out)                                                                              \
    "{\"type\":\"residual\",\"layers\":[" CONV(out, 3) NORM RELU CONV(                             \
        out, 3) "{\"type\":\"batchnorm\"}]}," RELU
#define CLASSES "{\"type\":\"linear\",\"out\":\"classes\"}"

static const struct template_row TEMPLATES[] = {
    {"image-cnn", "Convolutional network",
     "Two convolutions and a hidden layer. Learns handwritten digits to 98 % and more in about a "
     "minute on two processor cores.",
     "image", "cross_entropy", 0.003, 120000,
     "[" CONV(24, 5) RELU POOL CONV(32, 3) RELU POOL "{\"type\":\"flatten\"}," LINEAR(256) RELU
     "{\"type\":\"dropout\",\"p\":0.3}," CLASSES "]"},
    {"image-mlp", "Small dense network",
     "Two hidden layers on the plain pixels: the fastest to train, a baseline to beat.", "image",
     "cross_entropy", 0.002, 250000,
     "[{\"type\":\"flatten\"}," LINEAR(256) RELU LINEAR(128) RELU CLASSES "]"},
    {"image-resnet", "Residual network",
     "Residual blocks with batch normalisation and global pooling: for colour images and larger "
     "ones, slower to train.",
     "image", "cross_entropy", 0.005, 200000,
     "[" CONV(16, 3) NORM RELU RESIDUAL(16) POOL CONV(32, 3) NORM RELU RESIDUAL(32) POOL CONV(64, 3)
         NORM RELU "{\"type\":\"global_avgpool2d\"},{\"type\":\"flatten\"}," CLASSES "]"},
    {"table-classifier", "Table classifier",
     "Predicts a category from the other columns with two hidden layers.", "table", "cross_entropy",
     0.005, 60000, "[" LINEAR(64) RELU LINEAR(64) RELU CLASSES "]"},
    {"table-regression", "Table regression",
     "Predicts a number from the other columns with two hidden layers.", "table", "mse", 0.005,
     100000, "[" LINEAR(64) RELU LINEAR(64) RELU CLASSES "]"},
};

static int64_t clamp(int64_t value, int64_t least, int64_t most) {
    return value < least ? least : value > most ? most : value;
}

static bool column_fits(json_t *column, bool number) {
    const char *type = json_string_value(json_object_get(column, "type"));
    if (!type)
        return false;
    if (number)
        return strcmp(type, "numeric") == 0;
    return strcmp(type, "categorical") == 0 || strcmp(type, "boolean") == 0;
}

/* The version's own target, else the last column of the right type; NULL when none is. */
static const char *target_for(const struct dataset_version *version, bool number) {
    const char *target = NULL;
    size_t i;
    json_t *column;
    json_array_foreach(version->columns, i, column) {
        const char *name = json_string_value(json_object_get(column, "name"));
        bool wanted = !version->target || (name && strcmp(name, version->target) == 0);
        if (name && wanted && column_fits(column, number))
            target = name;
    }
    return target;
}

static json_t *spec_for(const struct template_row *row, int64_t rows, const char *target) {
    int64_t batch = rows >= 4000 ? 128 : rows >= 600 ? 32 : 16;
    int64_t epochs = clamp((row->samples + rows - 1) / rows, 2, 100);
    return json_pack("{s:{s:o, s:s}, s:s?, s:n,"
                     " s:{s:s, s:f, s:[f, f], s:f, s:f},"
                     " s:{s:s, s:f, s:f},"
                     " s:I, s:I, s:i, s:s, s:n, s:f, s:n, s:i}",
                     "model", "layers", json_loads(row->layers, 0, NULL), "loss", row->loss,
                     "target", target, "features", "optimizer", "type", "adamw", "lr", row->lr,
                     "betas", 0.9, 0.999, "eps", 1e-8, "weight_decay", 0.01, "schedule", "type",
                     "one_cycle", "warmup_fraction", 0.25, "final_lr_fraction", 0.01, "batch_size",
                     (json_int_t)batch, "epochs", (json_int_t)epochs, "seed", 0, "device", "auto",
                     "early_stopping", "label_smoothing", 0.0, "clip_norm", "checkpoint_seconds",
                     10);
}

struct list templates_for(struct arena *arena, const struct dataset_version *version) {
    size_t count = sizeof(TEMPLATES) / sizeof(TEMPLATES[0]), kept = 0;
    struct template *items = arena_new_array(arena, struct template, count);
    json_t *train = json_object_get(version->splits, "train");
    int64_t rows = clamp(json_integer_value(train), 1, INT64_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct template_row *row = &TEMPLATES[i];
        bool table = strcmp(row->kind, "table") == 0;
        const char *target = table ? target_for(version, strcmp(row->loss, "mse") == 0) : NULL;
        if (strcmp(row->kind, version->kind) != 0 || (table && !target))
            continue;
        json_t *spec = spec_for(row, rows, target);
        arena_defer(arena, (void (*)(void *))json_decref, spec);
        items[kept++] = (struct template){row->id, row->title, row->description, row->kind, spec};
    }
    return (struct list){items, kept};
}
