/* Specs: the shape of every layer, each refusal with its place and both shapes, the schedules. */
#include "tests/support/cmocka_all.h"

#include "shim/spec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGES "{\"kind\":\"image\",\"shape\":[3,12,10],\"classes\":[\"a\",\"b\",\"c\",\"d\"]}"
#define TABLE                                                                                      \
    "{\"kind\":\"table\",\"target\":\"species\",\"columns\":["                                     \
    "{\"name\":\"size\",\"type\":\"numeric\"},"                                                    \
    "{\"name\":\"age\",\"type\":\"numeric\",\"nulls\":3},"                                         \
    "{\"name\":\"wild\",\"type\":\"boolean\"},"                                                    \
    "{\"name\":\"home\",\"type\":\"categorical\",\"levels\":[\"x\",\"y\",\"z\"]},"                 \
    "{\"name\":\"note\",\"type\":\"text\"},"                                                       \
    "{\"name\":\"species\",\"type\":\"categorical\",\"levels\":[\"cat\",\"dog\"]}]}"

static json_t *parse(const char *text) {
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    return json;
}

/* Reads the layers on input; the result must be freed. */
static bool read_layers(const char *layers, struct shape input, struct model *ret, tsh_error *err) {
    char text[2048];
    snprintf(text, sizeof text, "{\"layers\":%s}", layers);
    json_auto_t *json = parse(text);
    struct model_io io = {input, 4};
    *err = (tsh_error){0};
    return model_read(json, &io, ret, err);
}

static const struct shape PICTURE = {3, {3, 12, 10}};
static const struct shape ROW = {1, {7}};

/* The first layer's result on [3, 12, 10], or on [7] for a linear, and its parameters. */
static const struct {
    const char *layer, *result;
    int64_t parameters;
} SHAPES[] = {
    {"{\"type\":\"conv2d\",\"out\":5,\"kernel\":3}", "[5, 10, 8]", 5 * 27 + 5},
    {"{\"type\":\"conv2d\",\"out\":5,\"kernel\":3,\"padding\":\"same\"}", "[5, 12, 10]", 140},
    {"{\"type\":\"conv2d\",\"out\":5,\"kernel\":4,\"stride\":3,\"padding\":2,\"bias\":false}",
     "[5, 5, 4]", 5 * 48},
    {"{\"type\":\"maxpool2d\",\"kernel\":2}", "[3, 6, 5]", 0},
    {"{\"type\":\"maxpool2d\",\"kernel\":3,\"stride\":2,\"padding\":1}", "[3, 6, 5]", 0},
    {"{\"type\":\"avgpool2d\",\"kernel\":4}", "[3, 3, 2]", 0},
    {"{\"type\":\"global_avgpool2d\"}", "[3]", 0},
    {"{\"type\":\"batchnorm\"}", "[3, 12, 10]", 6},
    {"{\"type\":\"layernorm\"}", "[3, 12, 10]", 720},
    {"{\"type\":\"relu\"}", "[3, 12, 10]", 0},
    {"{\"type\":\"gelu\"}", "[3, 12, 10]", 0},
    {"{\"type\":\"silu\"}", "[3, 12, 10]", 0},
    {"{\"type\":\"tanh\"}", "[3, 12, 10]", 0},
    {"{\"type\":\"sigmoid\"}", "[3, 12, 10]", 0},
    {"{\"type\":\"dropout\",\"p\":0.2}", "[3, 12, 10]", 0},
    {"{\"type\":\"flatten\"}", "[360]", 0},
    {"{\"type\":\"residual\",\"layers\":[{\"type\":\"conv2d\",\"out\":3,\"kernel\":3,"
     "\"padding\":\"same\"}]}",
     "[3, 12, 10]", 84},
};

static void test_layers__have_the_shapes_and_parameters_they_should(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        char layers[1024], text[SHAPE_TEXT_BYTES];
        snprintf(layers, sizeof layers,
                 "[%s,{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":\"classes\"}]",
                 SHAPES[i].layer);
        struct model model;
        tsh_error err;
        if (!read_layers(layers, PICTURE, &model, &err))
            fail_msg("%s: %s", SHAPES[i].layer, err.message);
        assert_string_equal(SHAPES[i].result, shape_to_string(&model.layers[0].result, text));
        assert_int_equal(SHAPES[i].parameters, model.layers[0].parameters);
        model_done(&model);
    }
}

static void test_linear__counts_weights_and_bias(void **state) {
    (void)state;
    struct model model;
    tsh_error err;
    assert_true(read_layers("[{\"type\":\"linear\",\"out\":9},{\"type\":\"relu\"},"
                            "{\"type\":\"linear\",\"out\":\"classes\",\"bias\":false}]",
                            ROW, &model, &err));
    assert_int_equal(9 * 8, model.layers[0].parameters);
    assert_int_equal(9 * 4, model.layers[2].parameters);
    assert_int_equal(4, model.outputs);
    model_done(&model);
}

/* Layers on [3, 12, 10], the field of the refusal and words of its message, both shapes among them.
 */
static const struct {
    const char *layers, *field, *words, *more_words;
} REFUSALS[] = {
    {"[{\"type\":\"linear\",\"out\":4}]", "model.layers[0]", "[features]", "[3, 12, 10]"},
    {"[{\"type\":\"flatten\"},{\"type\":\"conv2d\",\"out\":4,\"kernel\":3}]", "model.layers[1]",
     "[channels, height, width]", "[360]"},
    {"[{\"type\":\"flatten\"},{\"type\":\"global_avgpool2d\"}]", "model.layers[1]",
     "[channels, height, width]", "[360]"},
    {"[{\"type\":\"conv2d\",\"out\":4,\"kernel\":11}]", "model.layers[0]",
     "[3, at least 11, at least 11]", "[3, 12, 10]"},
    {"[{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":5}]", "model.layers[1]", "[5]", "[4]"},
    {"[{\"type\":\"maxpool2d\",\"kernel\":2}]", "model.layers[0]", "[3, 6, 5]", "[4]"},
    {"[{\"type\":\"residual\",\"layers\":[{\"type\":\"maxpool2d\",\"kernel\":2}]}]",
     "model.layers[0]", "[3, 12, 10]", "[3, 6, 5]"},
    {"[{\"type\":\"residual\",\"layers\":[{\"type\":\"flatten\"},{\"type\":\"maxpool2d\","
     "\"kernel\":2}]}]",
     "model.layers[0].layers[1]", "[channels, height, width]", "[360]"},
    {"[{\"type\":\"convolution\"}]", "model.layers[0]", "known \"type\"", ""},
    {"[{\"type\":\"relu\",\"p\":1}]", "model.layers[0].p", "not a known member", ""},
    {"[{\"type\":\"conv2d\",\"kernel\":3}]", "model.layers[0].out", "missing", ""},
    {"[{\"type\":\"conv2d\",\"out\":0,\"kernel\":3}]", "model.layers[0].out", "between 1", ""},
    {"[{\"type\":\"conv2d\",\"out\":1.5,\"kernel\":3}]", "model.layers[0].out", "whole number", ""},
    {"[{\"type\":\"conv2d\",\"out\":1,\"kernel\":4,\"padding\":\"same\"}]", "model.layers[0]",
     "odd kernel", ""},
    {"[{\"type\":\"maxpool2d\",\"kernel\":2,\"padding\":2}]", "model.layers[0]", "half", ""},
    {"[{\"type\":\"dropout\",\"p\":1}]", "model.layers[0].p", "between 0 and 0.95", ""},
    {"[{\"type\":\"conv2d\",\"out\":1048576,\"kernel\":3}]", "model.layers[0]", "numbers a sample",
     ""},
    {"[{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":1048576},{\"type\":\"linear\","
     "\"out\":1048576}]",
     "model.layers[2]", "parameters", ""},
    {"[{\"type\":\"relu\"},7]", "model.layers[1]", "must be an object", ""},
    {"[]", "model", "1 to 256 layers", ""},
    {"[{\"type\":\"residual\",\"layers\":[{\"type\":\"residual\",\"layers\":[{\"type\":"
     "\"residual\","
     "\"layers\":[{\"type\":\"residual\",\"layers\":[{\"type\":\"relu\"}]}]}]}]}]",
     "model.layers[0].layers[0].layers[0].layers[0]", "nested at most 4", ""},
};

static void test_layers__refuse_with_index_and_both_shapes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        struct model model;
        tsh_error err;
        if (read_layers(REFUSALS[i].layers, PICTURE, &model, &err))
            fail_msg("accepted: %s", REFUSALS[i].layers);
        assert_string_equal(REFUSALS[i].field, err.field);
        if (!strstr(err.message, REFUSALS[i].words) || !strstr(err.message, REFUSALS[i].more_words))
            fail_msg("%s: %s", REFUSALS[i].layers, err.message);
    }
}

static void test_model__reads_what_it_wrote(void **state) {
    (void)state;
    struct model model, again;
    tsh_error err;
    assert_true(read_layers("[{\"type\":\"conv2d\",\"out\":3,\"kernel\":3,\"padding\":\"same\"},"
                            "{\"type\":\"residual\",\"layers\":[{\"type\":\"batchnorm\"}]},"
                            "{\"type\":\"maxpool2d\",\"kernel\":2},{\"type\":\"flatten\"},"
                            "{\"type\":\"dropout\"},{\"type\":\"linear\",\"out\":\"classes\"}]",
                            PICTURE, &model, &err));
    json_auto_t *json = model_to_json(&model);
    assert_true(model_read_resolved(json, &again, &err));
    json_auto_t *json_again = model_to_json(&again);
    assert_true(json_equal(json, json_again));
    assert_int_equal(model.parameters, again.parameters);
    assert_int_equal(4, again.outputs);
    model_done(&model);
    model_done(&again);
}

#define SPEC_WITH(members)                                                                         \
    "{\"model\":{\"layers\":[{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":\"classes\"}]"    \
    "}" members "}"

static void test_check__reports_layers_and_parameters(void **state) {
    (void)state;
    char *report = NULL;
    tsh_error err;
    assert_int_equal(TSH_OK, tsh_spec_check(SPEC_WITH(""), IMAGES, &report, &err));
    json_auto_t *json = parse(report);
    free(report);
    json_auto_t *wanted =
        parse("{\"layers\":[{\"index\":0,\"type\":\"flatten\",\"output\":[360],\"parameters\":0},"
              "{\"index\":1,\"type\":\"linear\",\"output\":[4],\"parameters\":1444}],"
              "\"parameters\":1444}");
    assert_true(json_equal(wanted, json));
}

/* 1 size + 2 age and its flag + 1 wild + 3 home; the text and the target are no features. */
static void test_check__counts_the_numbers_of_a_table(void **state) {
    (void)state;
    char *report = NULL;
    tsh_error err;
    assert_int_equal(TSH_OK, tsh_spec_check(SPEC_WITH(""), TABLE, &report, &err));
    assert_non_null(strstr(report, "\"output\":[7]"));
    assert_non_null(strstr(report, "\"parameters\":16"));
    free(report);
}

static const struct {
    const char *spec, *manifest, *field;
} CHECKS[] = {
    {"{}", IMAGES, "model"},
    {SPEC_WITH(",\"bach_size\":3"), IMAGES, "bach_size"},
    {SPEC_WITH(",\"batch_size\":0"), IMAGES, "batch_size"},
    {SPEC_WITH(",\"epochs\":\"3\""), IMAGES, "epochs"},
    {SPEC_WITH(",\"seed\":-1"), IMAGES, "seed"},
    {SPEC_WITH(",\"device\":\"tpu\""), IMAGES, "device"},
    {SPEC_WITH(",\"optimizer\":{\"type\":\"lion\"}"), IMAGES, "optimizer.type"},
    {SPEC_WITH(",\"optimizer\":{\"lr\":-1}"), IMAGES, "optimizer.lr"},
    {SPEC_WITH(",\"optimizer\":{\"betas\":[1,2]}"), IMAGES, "optimizer.betas"},
    {SPEC_WITH(",\"optimizer\":{\"type\":\"sgd\",\"momentum\":0,\"nesterov\":true}"), IMAGES,
     "optimizer.nesterov"},
    {SPEC_WITH(",\"optimizer\":7"), IMAGES, "optimizer"},
    {SPEC_WITH(",\"schedule\":{\"type\":\"cosine\",\"warmup\":1}"), IMAGES, "schedule.warmup"},
    {SPEC_WITH(",\"early_stopping\":{\"metric\":\"val/rmse\"}"), IMAGES, "early_stopping.metric"},
    {SPEC_WITH(",\"clip_norm\":-2"), IMAGES, "clip_norm"},
    {SPEC_WITH(",\"label_smoothing\":1"), IMAGES, "label_smoothing"},
    {SPEC_WITH(",\"target\":\"x\""), IMAGES, "target"},
    {SPEC_WITH(",\"target\":\"x\""), TABLE, "target"},
    {SPEC_WITH(",\"target\":\"size\""), TABLE, "target"},
    {SPEC_WITH(",\"features\":[\"note\"]"), TABLE, "features"},
    {SPEC_WITH(",\"features\":[\"species\"]"), TABLE, "features"},
    {SPEC_WITH(",\"features\":[\"size\",\"size\"]"), TABLE, "features"},
    {SPEC_WITH(",\"features\":[]"), TABLE, "features"},
    {"{\"model\":{\"loss\":\"mse\",\"layers\":[{\"type\":\"linear\",\"out\":1}]}}", TABLE,
     "target"},
    {"{\"model\":{\"loss\":\"mse\",\"layers\":[{\"type\":\"linear\",\"out\":1}]}}", IMAGES,
     "model.loss"},
    {"{\"model\":{\"loss\":\"hinge\",\"layers\":[]}}", IMAGES, "model.loss"},
};

static void test_check__names_the_wrong_member(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof CHECKS / sizeof *CHECKS; i++) {
        char *report = NULL;
        tsh_error err;
        tsh_code code = tsh_spec_check(CHECKS[i].spec, CHECKS[i].manifest, &report, &err);
        if (code != TSH_ESPEC || strcmp(CHECKS[i].field, err.field) != 0)
            fail_msg("%s gave %d %s: %s", CHECKS[i].spec, code, err.field, err.message);
        assert_null(report);
    }
}

static void test_check__refuses_what_is_not_json(void **state) {
    (void)state;
    char *report = NULL;
    tsh_error err;
    assert_int_equal(TSH_ESPEC, tsh_spec_check("{\"model\":", IMAGES, &report, &err));
    assert_int_equal(TSH_EARG, tsh_spec_check(NULL, IMAGES, &report, &err));
    assert_int_equal(TSH_ESPEC, tsh_spec_check("{\"seed\":1,\"seed\":2}", IMAGES, &report, &err));
    assert_int_equal(TSH_EARG, tsh_spec_check(SPEC_WITH(""), "{}", &report, &err));
}

static void read_spec(const char *members, json_t **ret_json, struct train_spec *ret) {
    char text[512];
    tsh_error err;
    snprintf(text, sizeof text, "{\"model\":{}%s}", members);
    *ret_json = parse(text);
    if (!train_spec_read(*ret_json, ret, &err))
        fail_msg("%s", err.message);
}

/* Ten epochs of ten steps at lr 1. */
static void assert_lr(const char *schedule, int64_t step, double wanted) {
    char members[256];
    snprintf(members, sizeof members, ",\"epochs\":10,\"optimizer\":{\"lr\":1},\"schedule\":%s",
             schedule);
    json_t *json;
    struct train_spec spec;
    read_spec(members, &json, &spec);
    double lr = train_spec_lr(&spec, step, 10);
    if (fabs(lr - wanted) > 1e-6)
        fail_msg("%s at step %lld: %g, not %g", schedule, (long long)step, lr, wanted);
    json_decref(json);
}

static void test_schedules__follow_their_closed_forms(void **state) {
    (void)state;
    assert_lr("{\"type\":\"constant\"}", 0, 1);
    assert_lr("{\"type\":\"constant\"}", 99, 1);
    assert_lr("{\"type\":\"constant\",\"warmup_fraction\":0.1}", 0, 0.1);
    assert_lr("{\"type\":\"constant\",\"warmup_fraction\":0.1}", 9, 1);
    assert_lr("{\"type\":\"step\",\"step_epochs\":3,\"gamma\":0.5}", 29, 1);
    assert_lr("{\"type\":\"step\",\"step_epochs\":3,\"gamma\":0.5}", 30, 0.5);
    assert_lr("{\"type\":\"step\",\"step_epochs\":3,\"gamma\":0.5}", 99, 0.125);
    assert_lr("{\"type\":\"cosine\"}", 0, 1);
    assert_lr("{\"type\":\"cosine\",\"final_lr_fraction\":0.2}", 99, 0.2);
    assert_lr("{\"type\":\"cosine\",\"warmup_fraction\":0.5}", 49, 1);
    assert_lr("{\"type\":\"one_cycle\"}", 0, 0.04);
    assert_lr("{\"type\":\"one_cycle\"}", 30, 1);
    assert_lr("{\"type\":\"one_cycle\"}", 99, 0);
}

static void test_optimizer__defaults_depend_on_its_type(void **state) {
    (void)state;
    json_t *json;
    struct train_spec spec;
    read_spec("", &json, &spec);
    assert_int_equal(OPTIMIZER_ADAMW, spec.optimizer.type);
    assert_true(fabs(spec.optimizer.lr - 0.001) < 1e-12);
    assert_true(fabs(spec.optimizer.weight_decay - 0.01) < 1e-12);
    json_decref(json);
    read_spec(",\"optimizer\":{\"type\":\"sgd\"}", &json, &spec);
    assert_true(fabs(spec.optimizer.lr - 0.01) < 1e-12);
    assert_true(fabs(spec.optimizer.weight_decay) < 1e-12);
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers__have_the_shapes_and_parameters_they_should),
        cmocka_unit_test(test_linear__counts_weights_and_bias),
        cmocka_unit_test(test_layers__refuse_with_index_and_both_shapes),
        cmocka_unit_test(test_model__reads_what_it_wrote),
        cmocka_unit_test(test_check__reports_layers_and_parameters),
        cmocka_unit_test(test_check__counts_the_numbers_of_a_table),
        cmocka_unit_test(test_check__names_the_wrong_member),
        cmocka_unit_test(test_check__refuses_what_is_not_json),
        cmocka_unit_test(test_schedules__follow_their_closed_forms),
        cmocka_unit_test(test_optimizer__defaults_depend_on_its_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
