/* Imports of data sets people know, with the numbers they are known by. They are not part of the
 * source: where a machine lacks them each test is skipped and says so. */

#include "tests/runners/data_case.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char data_dir[PATH_MAX];

static bool find_data(void) {
    const char *given = getenv("SLIPWAY_SHARED_DATA");
    snprintf(data_dir, sizeof data_dir, "%s", given ? given : "../shared/data");
    return access(data_dir, R_OK) == 0;
}

static void add_real(struct data_case *c, const char *name) {
    char path[PATH_MAX + 128];
    snprintf(path, sizeof path, "%s/%s", data_dir, name);
    if (access(path, R_OK) != 0) {
        print_message("SKIPPED: %s is not on this machine\n", path);
        skip();
    }
    case_add_file(c, path);
}

static void assert_split(const struct data_case *c, json_int_t train, json_int_t validation,
                         json_int_t test) {
    const json_t *splits = json_object_get(c->result, "splits");
    assert_int_equal(train, case_int(splits, "train"));
    assert_int_equal(validation, case_int(splits, "validation"));
    assert_int_equal(test, case_int(splits, "test"));
}

static void test_real__mnist(void **state) {
    static const json_int_t COUNTS[] = {6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958};
    struct data_case *c = *state;
    add_real(c, "mnist/train-images-idx3-ubyte.gz");
    add_real(c, "mnist/train-labels-idx1-ubyte.gz");
    add_real(c, "mnist/t10k-images-idx3-ubyte.gz");
    add_real(c, "mnist/t10k-labels-idx1-ubyte.gz");
    case_run(c);
    case_assert_imported(c);
    assert_int_equal(70000, case_int(c->result, "rows"));
    for (int k = 0; k < 10; k++)
        assert_int_equal(COUNTS[k], case_class(c, (const char[]){(char)('0' + k), '\0'}));
    assert_split(c, 53333, 6667, 10000);
    const json_t *pixel = json_object_get(case_column(c, "pixel"), "statistics");
    assert_float_equal(33.38596, json_real_value(json_object_get(pixel, "mean")), 1e-4);
    assert_int_equal(
        100, json_array_size(json_object_get(json_object_get(c->result, "samples"), "items")));
}

static void test_real__adult(void **state) {
    struct data_case *c = *state;
    case_spec(c, "{\"target\":\"column_15\"}");
    add_real(c, "adult-census/adult.data");
    case_run(c);
    case_assert_imported(c);
    assert_int_equal(32561, case_int(c->result, "rows"));
    assert_int_equal(24720, case_class(c, "<=50K"));
    assert_int_equal(7841, case_class(c, ">50K"));
    assert_int_equal(1836, case_int(case_column(c, "column_2"), "nulls")); /* marked ? */
    assert_string_equal("numeric", case_text(case_column(c, "column_1"), "type"));
    assert_int_equal(16, case_int(case_column(c, "column_4"), "distinct"));
}

static void test_real__telco_churn(void **state) {
    struct data_case *c = *state;
    case_spec(c, "{\"target\":\"Churn\"}");
    add_real(c, "telco-churn/Telco-Customer-Churn.csv");
    case_run(c);
    case_assert_imported(c);
    assert_int_equal(7043, case_int(c->result, "rows"));
    assert_int_equal(1869, case_class(c, "Yes"));
    assert_string_equal("text", case_text(case_column(c, "customerID"), "type"));
    const json_t *charges = case_column(c, "TotalCharges");
    assert_string_equal("numeric", case_text(charges, "type")); /* 11 cells hold one blank */
    assert_int_equal(11, case_int(charges, "nulls"));
}

static void test_real__california_housing(void **state) {
    struct data_case *c = *state;
    case_spec(c, "{\"target\":\"median_house_value\"}");
    add_real(c, "california-housing/housing.csv");
    case_run(c);
    case_assert_imported(c);
    assert_int_equal(20640, case_int(c->result, "rows"));
    assert_true(json_is_null(json_object_get(c->result, "classes")));
    assert_int_equal(207, case_int(case_column(c, "total_bedrooms"), "nulls"));
    assert_int_equal(5, case_int(case_column(c, "ocean_proximity"), "distinct"));
    assert_split(c, 16512, 2064, 2064);
}

static void test_real__iris(void **state) {
    struct data_case *c = *state;
    case_spec(c, "{\"target\":\"virginica\"}"); /* its first line is counts and class names */
    add_real(c, "sklearn-tables/iris.csv");
    case_run(c);
    case_assert_imported(c);
    assert_int_equal(150, case_int(c->result, "rows"));
    assert_int_equal(50, case_class(c, "0"));
    assert_int_equal(50, case_class(c, "2"));
    assert_split(c, 120, 15, 15);
}

static void test_real__wine_has_a_first_line_that_does_not_fit(void **state) {
    struct data_case *c = *state;
    add_real(c, "sklearn-tables/wine_data.csv");
    case_run(c);
    case_assert_refused(c, "invalid_data", "line 2", "more fields than the first line");
}

int main(void) {
    if (!find_data()) {
        printf("SKIPPED: %s is not there; set SLIPWAY_SHARED_DATA\n", data_dir);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_real__mnist, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_real__adult, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_real__telco_churn, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_real__california_housing, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_real__iris, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_real__wine_has_a_first_line_that_does_not_fit,
                                        case_begin, case_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
