/* Tables: types, classes, tensors and figures, and the refusal of text that is not quite a table.
 */

#include "tests/runners/data_case.h"
#include "tests/runners/data_files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Twelve rows with every type, missing values of three kinds, and a row without a label. */
static const char PEOPLE[] = "id,age,height,member,joined,city,empty,label\n"
                             "a1,30,1.70,true,2024-01-01,Bern,,yes\n"
                             "a2,41,1.80,false,2024-01-02,Bern,,no\n"
                             "a3,?,1.60,TRUE,2024-01-03,\"Basel, CH\",,yes\n"
                             "a4,22, ,true,2024-01-04T06:00:00Z,Bern,,no\n"
                             "a5,22,1.75,false,2024-01-05,NA,,yes\n"
                             "a6,35,1.65,true,2024-01-06,Bern,,no\n"
                             "a7,36,1.66,true,2024-01-07,Bern,,\n"
                             "a8,37,1.67,true,2024-01-08,Bern,,yes\n"
                             "a9,38,1.68,true,2024-01-09,Bern,,yes\n"
                             "b1,39,1.69,true,2024-01-10,\"Basel, CH\",,no\n"
                             "b2,40,1.70,true,2024-01-11,Bern,,yes\n"
                             "b3,41,inf,true,2024-01-12,Bern,,yes\n";

static void import_text(struct data_case *c, const char *file_name, const char *spec,
                        const char *text) {
    case_again(c);
    case_spec(c, spec);
    case_add_text(c, file_name, text);
    case_run(c);
}

static const char *type_of(const struct data_case *c, const char *column) {
    return case_text(case_column(c, column), "type");
}

static bool has_note(const struct data_case *c, const char *words) {
    size_t i;
    json_t *note;
    json_array_foreach(json_object_get(c->result, "notes"), i,
                       note) if (strstr(json_string_value(note), words)) return true;
    return false;
}

static void test_table__finds_the_types_of_columns(void **state) {
    struct data_case *c = *state;
    import_text(c, "people.csv", "{\"target\":\"label\"}", PEOPLE);
    case_assert_imported(c);
    assert_string_equal("text", type_of(c, "id"));
    assert_string_equal("numeric", type_of(c, "age"));
    assert_string_equal("numeric", type_of(c, "height"));
    assert_string_equal("boolean", type_of(c, "member"));
    assert_string_equal("timestamp", type_of(c, "joined"));
    assert_string_equal("categorical", type_of(c, "city"));
    assert_string_equal("text", type_of(c, "empty"));
    assert_string_equal("categorical", type_of(c, "label"));
    assert_true(has_note(c, "\"empty\" has no values"));
    assert_true(has_note(c, "\"label\" has no value there: 1"));
    assert_true(has_note(c, "\"height\" that count as missing because they are not finite: 1"));
}

static void test_table__writes_values_codes_and_times(void **state) {
    struct data_case *c = *state;
    import_text(c, "people.csv", "{\"target\":\"label\"}", PEOPLE);
    case_assert_imported(c);
    const float *age = case_tensor(c, "c1", TSH_F32, 11);
    const float *member = case_tensor(c, "c3", TSH_F32, 11);
    const double *joined = case_tensor(c, "c4", TSH_F64, 11);
    const int32_t *city = case_tensor(c, "c5", TSH_I32, 11);
    const int32_t *label = case_tensor(c, "c7", TSH_I32, 11);
    assert_float_equal(30, age[0], 0);
    assert_true(isnan(age[2]));
    assert_float_equal(37, age[6], 0); /* the row without a label is gone */
    assert_float_equal(1, member[2], 0);
    assert_float_equal(1704067200, joined[0], 0);
    assert_float_equal(1704348000, joined[3], 0);
    assert_int_equal(1, city[0]); /* "Basel, CH" < "Bern" */
    assert_int_equal(0, city[2]);
    assert_int_equal(-1, city[4]);
    assert_int_equal(1, label[0]); /* no < yes */
    assert_null(safetensors_find(&c->tensors, "c0"));
    assert_int_equal(4, case_class(c, "no"));
    assert_int_equal(7, case_class(c, "yes"));
}

static void test_table__describes_columns(void **state) {
    struct data_case *c = *state;
    import_text(c, "people.csv", "{\"target\":\"label\"}", PEOPLE);
    case_assert_imported(c);
    const json_t *age = case_column(c, "age"), *city = case_column(c, "city");
    const json_t *figures = json_object_get(age, "statistics");
    assert_int_equal(1, case_int(age, "nulls"));
    assert_float_equal(22, json_number_value(json_object_get(figures, "min")), 0);
    assert_float_equal(37.5, json_number_value(json_object_get(figures, "p50")), 0);
    const json_t *histogram = json_object_get(age, "histogram");
    const json_t *counts = json_object_get(histogram, "counts");
    json_int_t sum = 0;
    for (size_t i = 0; i < json_array_size(counts); i++)
        sum += json_integer_value(json_array_get(counts, i));
    assert_int_equal(10, sum);
    assert_int_equal(json_array_size(counts) + 1,
                     json_array_size(json_object_get(histogram, "edges")));
    const json_t *first = json_array_get(json_object_get(city, "top"), 0);
    assert_string_equal("Bern", case_text(first, "value"));
    assert_int_equal(8, case_int(first, "count"));
    const json_t *rows = json_object_get(json_object_get(c->result, "samples"), "rows");
    assert_int_equal(11, json_array_size(rows));
    const json_t *row = json_array_get(rows, 2);
    assert_true(json_is_null(json_array_get(row, 1)));
    assert_string_equal("Basel, CH", json_string_value(json_array_get(row, 5)));
}

static void test_table__manifest_names_tensors_and_levels(void **state) {
    struct data_case *c = *state;
    import_text(c, "people.csv", "{\"target\":\"label\"}", PEOPLE);
    case_assert_imported(c);
    assert_string_equal("label", case_text(c->manifest, "target"));
    const json_t *columns = json_object_get(c->manifest, "columns");
    assert_true(json_is_null(json_object_get(json_array_get(columns, 0), "tensor")));
    const json_t *city = json_array_get(columns, 5);
    assert_string_equal("c5", case_text(city, "tensor"));
    const json_t *levels = json_object_get(city, "levels");
    assert_int_equal(2, json_array_size(levels));
    assert_string_equal("Bern", json_string_value(json_array_get(levels, 1)));
}

/* The same four rows in every form. */
static void assert_small_table(struct data_case *c) {
    case_assert_imported(c);
    const float *a = case_tensor(c, "c0", TSH_F32, 4);
    const int32_t *b = case_tensor(c, "c1", TSH_I32, 4);
    assert_float_equal(1.5, a[0], 0);
    assert_true(isnan(a[3]));
    assert_int_equal(0, b[0]);
    assert_int_equal(1, b[1]);
    assert_string_equal("a",
                        json_string_value(json_array_get(
                            json_object_get(json_object_get(c->result, "samples"), "columns"), 0)));
}

static void test_table__reads_the_same_from_every_text_form(void **state) {
    static const struct {
        const char *file_name, *text;
    } FORMS[] = {
        {"t.csv", "a,b\n1.5,x\n2,y\n3,x\n,y\n"},
        {"bom.csv", "\xef\xbb\xbf"
                    "a,b\n1.5,x\n2,y\n3,x\n,y\n"},
        {"crlf.csv", "a,b\r\n1.5,x\r\n2,y\r\n3,x\r\n,y\r\n"},
        {"semicolon.csv", "a;b\n1.5;x\n2;y\n3;x\n;y\n"},
        {"bar.txt", "a|b\n1.5|x\n2|y\n3|x\n|y\n"},
        {"t.tsv", "a\tb\n1.5\tx\n2\ty\n3\tx\n\ty\n"},
        {"spaces.csv", " a , b\n 1.5, x\n 2, y\n 3, x\n ?, y\n"},
        {"quoted.csv", "\"a\",\"b\"\n\"1.5\",\"x\"\n2,y\n3,x\n\"\",y\n"},
        {"t.jsonl", "{\"a\":1.5,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n{\"a\":3,\"b\":\"x\"}\n"
                    "{\"b\":\"y\"}\n"},
    };
    for (size_t k = 0; k < sizeof FORMS / sizeof *FORMS; k++) {
        print_message("%s\n", FORMS[k].file_name);
        import_text(*state, FORMS[k].file_name, "{}", FORMS[k].text);
        assert_small_table(*state);
    }
}

static void test_table__reads_gzipped_text(void **state) {
    struct data_case *c = *state;
    static const char TEXT[] = "a,b\n1.5,x\n2,y\n3,x\n,y\n";
    struct bytes auto_bytes gz = make_gzip(TEXT, strlen(TEXT));
    case_add(c, "t.csv.gz", gz.at, gz.size);
    case_run(c);
    assert_small_table(c);
}

static void test_table__names_columns_that_have_no_header(void **state) {
    struct data_case *c = *state;
    import_text(c, "t.csv", "{\"target\":\"column_2\"}", "1,a\n2,b\n3,a\n4,b\n");
    case_assert_imported(c);
    assert_int_equal(4, case_int(c->result, "rows"));
    assert_int_equal(2, case_class(c, "a"));
    assert_true(has_note(c, "no header"));
}

static void test_target__of_whole_numbers_becomes_classes_and_of_others_a_value(void **state) {
    struct data_case *c = *state;
    static const char TEXT[] = "x,grade,price\n1,10,0.5\n2,9,1.5\n3,10,2.5\n4,9,3.5\n5,1,4.5\n";
    import_text(c, "t.csv", "{\"target\":\"grade\"}", TEXT);
    case_assert_imported(c);
    const json_t *classes = json_object_get(c->manifest, "classes");
    assert_string_equal("1", json_string_value(json_array_get(classes, 0)));
    assert_string_equal("9", json_string_value(json_array_get(classes, 1)));
    assert_string_equal("10", json_string_value(json_array_get(classes, 2)));
    import_text(c, "t.csv", "{\"target\":\"price\"}", TEXT);
    case_assert_imported(c);
    assert_true(json_is_null(json_object_get(c->result, "classes")));
    assert_string_equal("numeric", type_of(c, "price"));
}

static void test_target__must_be_usable(void **state) {
    struct data_case *c = *state;
    import_text(c, "t.csv", "{\"target\":\"c\"}", "a,b\n1,2\n");
    case_assert_refused(c, "invalid_spec", NULL, "no column \"c\"");
    assert_string_equal("target", case_text(c->refusal, "field"));
    import_text(c, "t.csv", "{\"target\":\"b\"}", "a,b\n1,2024-01-01\n");
    case_assert_refused(c, "invalid_spec", NULL, "is a time");
    import_text(c, "t.csv", "{\"target\":\"b\"}", "a,b\n1,\n2,?\n");
    case_assert_refused(c, "invalid_data", NULL, "no row has a value");
}

static void test_table__splits_by_class(void **state) {
    struct data_case *c = *state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs("x,y\n", out);
    for (int i = 0; i < 1000; i++)
        fprintf(out, "%d,%s\n", i, i % 10 == 0 ? "rare" : "common");
    fclose(out);
    import_text(c, "t.csv", "{\"target\":\"y\"}", text);
    free(text);
    case_assert_imported(c);
    const uint8_t *split = case_tensor(c, "split", TSH_U8, 1000);
    int rare[3] = {0};
    for (int i = 0; i < 1000; i += 10)
        rare[split[i]]++;
    assert_int_equal(80, rare[0]);
    assert_int_equal(10, rare[1]);
    assert_int_equal(10, rare[2]);
}

static void test_table__is_refused_with_the_line(void **state) {
    static const struct {
        const char *file_name, *text, *code, *place, *words;
    } TEXTS[] = {
        {"short.csv", "a,b,c\n1,2,3\n4,5\n", "invalid_data", "line 3", "2 fields"},
        {"long.csv", "a,b\n1,2\n1,2,3\n", "invalid_data", "line 3", "more fields"},
        {"first.csv", "4,x\n1,2,3\n1,2,3\n", "invalid_data", "line 2", "more fields"},
        {"quote.csv", "a,b\n1,\"x\n2,y\n", "invalid_data", "line 2", "quote"},
        {"latin1.csv", "a,b\n1,2\n3,caf\xe9\n", "invalid_data", "line 3", "UTF-8"},
        {"overlong.csv", "a,b\n1,\xc0\xaf\n", "invalid_data", "line 2", "UTF-8"},
        {"cr.csv", "a,b\r1,2\r3,4\r", "invalid_data", "line 1", "CR alone"},
        {"mixed.csv", "a,b\r\n1,2\n3,4\r\n", "invalid_data", NULL, "different ways"},
        {"same.csv", "a,b, a \n1,2,3\n", "invalid_data", "line 1", "two columns are named \"a\""},
        {"header.csv", "a,b\n", "invalid_data", NULL, "no rows"},
        {"blank.csv", "\n \n\n", "invalid_data", NULL, "empty"},
        {"array.jsonl", "[1,2]\n", "invalid_data", "line 1", "an array"},
        {"whole.json", "[{\"a\":1},{\"a\":2}]\n", "invalid_data", "line 1", "an array"},
        {"value.jsonl", "{\"a\":1}\n7\n", "invalid_data", "line 2", "bare value"},
        {"nested.jsonl", "{\"a\":{\"b\":1}}\n", "unsupported", "line 1", "an object"},
        {"list.jsonl", "{\"a\":1}\n{\"a\":[1]}\n", "unsupported", "line 2", "an array"},
        {"cut.jsonl", "{\"a\":1}\n{\"a\":\n", "invalid_data", "line 2", "not valid JSON"},
        {"twice.jsonl", "{\"a\":1,\"a\":2}\n", "invalid_data", "line 1", "duplicate"},
        {"two.jsonl", "{\"a\":1} {\"a\":2}\n", "invalid_data", "line 1", "not valid JSON"},
        {"mixed.jsonl", "{\"a\":1}\n{\"a\":\"x\"}\n", "invalid_data", NULL, "different kinds"},
        {"book.xlsx", "PK\3\4", "unsupported", NULL, "office document"},
        {"db.csv", "SQLite format 3", "unsupported", NULL, "SQLite"},
    };
    struct data_case *c = *state;
    for (size_t k = 0; k < sizeof TEXTS / sizeof *TEXTS; k++) {
        print_message("%s\n", TEXTS[k].file_name);
        import_text(c, TEXTS[k].file_name, "{}", TEXTS[k].text);
        case_assert_refused(c, TEXTS[k].code, TEXTS[k].place, TEXTS[k].words);
        assert_string_equal(TEXTS[k].file_name, case_text(c->refusal, "file"));
    }
}

static void refuse_bytes(struct data_case *c, const char *file_name, const void *bytes, size_t size,
                         const char *code, const char *place, const char *words) {
    case_again(c);
    case_add(c, file_name, bytes, size);
    case_run(c);
    case_assert_refused(c, code, place, words);
}

static void test_table__is_refused_for_bytes_that_are_no_text(void **state) {
    struct data_case *c = *state;
    refuse_bytes(c, "empty.csv", "", 0, "invalid_data", NULL, "empty");
    refuse_bytes(c, "nul.csv", "a,b\n1,\0\n", 8, "invalid_data", "line 2", "NUL");
    refuse_bytes(c, "utf16le.csv",
                 "\xff\xfe"
                 "a\0,\0b\0\n\0",
                 10, "unsupported", NULL, "UTF-16");
    refuse_bytes(c, "utf16be.csv",
                 "\xfe\xff"
                 "\0a\0,\0b\0\n",
                 10, "unsupported", NULL, "UTF-16");
    refuse_bytes(c, "not.parquet", "PAR1 this is not one PAR1", 25, "invalid_data", NULL,
                 "cannot be read");
    refuse_bytes(c, "short.parquet", "PAR1", 4, "invalid_data", NULL, "cannot be read");
}

static void test_table__is_refused_when_lines_or_columns_are_without_end(void **state) {
    struct data_case *c = *state;
    size_t size = 6 << 20;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text, "a,b\n1,", 6);
    refuse_bytes(c, "line.csv", text, size, "too_large", "line 2", "longer than 4 MiB");
    for (size_t i = 0; i < 2000000; i++)
        text[i] = i % 2 ? ',' : 'a';
    text[1999999] = '\n';
    refuse_bytes(c, "columns.csv", text, 2000000, "too_large", "line 1", "1000000 columns");
    memset(text, 'n', 300);
    memcpy(text + 300, ",b\n1,2\n", 7);
    refuse_bytes(c, "name.csv", text, 307, "invalid_data", "line 1", "longer than 250");
    free(text);
}

static void test_table__is_refused_when_gzip_is_cut_or_a_bomb(void **state) {
    struct data_case *c = *state;
    size_t size = 24 << 20;
    char *text = malloc(size);
    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        text[i] = "1,2\n"[i % 4];
    struct bytes auto_bytes bomb = make_gzip(text, size), cut = make_gzip(text, 4000);
    refuse_bytes(c, "bomb.csv.gz", bomb.at, bomb.size, "too_large", NULL, "100 times");
    refuse_bytes(c, "cut.csv.gz", cut.at, cut.size - 4, "invalid_data", NULL, "cut short");
    free(text);
}

/* Larger than the buffers several threads read at once, so that their results have to be put back
 * in order; missing values take part because their SQL once broke that order. */
static void test_table__keeps_the_order_of_rows_on_several_threads(void **state) {
    enum { ROWS = 150000 };
    struct data_case *c = *state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs("row,filler,mark\n", out);
    for (int i = 0; i < ROWS; i++)
        fprintf(out, "%d,%0100d,%s\n", i, i, i % 3 ? "NA" : "x");
    fclose(out);
    import_text(c, "t.csv", "{}", text);
    free(text);
    case_assert_imported(c);
    const float *row = case_tensor(c, "c0", TSH_F32, ROWS);
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(i, (int)row[i]);
}

static void test_table__same_input_gives_same_bytes(void **state) {
    struct data_case *c = *state;
    char *first = NULL;
    size_t size = 0;
    for (int k = 0; k < 2; k++) {
        import_text(c, "people.csv", "{\"target\":\"label\"}", PEOPLE);
        case_assert_imported(c);
        if (k == 0) {
            size = c->tensors.map_bytes;
            first = malloc(size);
            assert_non_null(first);
            memcpy(first, c->tensors.map, size);
        }
    }
    assert_int_equal(size, c->tensors.map_bytes);
    assert_memory_equal(first, c->tensors.map, size);
    free(first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_table__finds_the_types_of_columns, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_table__writes_values_codes_and_times, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_table__describes_columns, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_table__manifest_names_tensors_and_levels, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_table__reads_the_same_from_every_text_form, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_table__reads_gzipped_text, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_table__names_columns_that_have_no_header, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(
            test_target__of_whole_numbers_becomes_classes_and_of_others_a_value, case_begin,
            case_end),
        cmocka_unit_test_setup_teardown(test_target__must_be_usable, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_table__splits_by_class, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_table__is_refused_with_the_line, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_table__is_refused_for_bytes_that_are_no_text,
                                        case_begin, case_end),
        cmocka_unit_test_setup_teardown(
            test_table__is_refused_when_lines_or_columns_are_without_end, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_table__is_refused_when_gzip_is_cut_or_a_bomb,
                                        case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_table__keeps_the_order_of_rows_on_several_threads,
                                        case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_table__same_input_gives_same_bytes, case_begin,
                                        case_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
