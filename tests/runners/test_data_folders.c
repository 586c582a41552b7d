/* Pictures in class folders: classes, sizes, splits, and everything an archive can do to a reader.
 */

#include "tests/runners/data_case.h"
#include "tests/runners/data_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 64 };

struct picture_set {
    struct entry *entries;
    char (*names)[NAME_BYTES];
    struct bytes *files;
    size_t count;
};

/* Numbered PNG files in a folder. */
static void add_pictures(struct picture_set *set, const char *folder, int count, int width,
                         int height, int channels) {
    size_t total = set->count + (size_t)count;
    set->entries = realloc(set->entries, total * sizeof *set->entries);
    set->names = realloc(set->names, total * sizeof *set->names);
    set->files = realloc(set->files, total * sizeof *set->files);
    assert_true(set->entries && set->names && set->files);
    for (int i = 0; i < count; i++, set->count++) {
        snprintf(set->names[set->count], NAME_BYTES, "%s/%d.png", folder, i);
        set->files[set->count] = make_png(width, height, channels, i);
    }
    for (size_t i = 0; i < total; i++)
        set->entries[i] =
            (struct entry){set->names[i], set->files[i].at, set->files[i].size, ENTRY_FILE};
}

static void run_set(struct data_case *c, struct picture_set *set, enum archive_form form,
                    const char *file_name) {
    struct bytes auto_bytes archive = make_archive(form, set->entries, set->count);
    case_add(c, file_name, archive.at, archive.size);
    case_run(c);
    for (size_t i = 0; i < set->count; i++)
        bytes_done(&set->files[i]);
    free(set->entries);
    free(set->names);
    free(set->files);
    *set = (struct picture_set){0};
}

static void run_entries(struct data_case *c, enum archive_form form, const struct entry *entries,
                        size_t count) {
    struct bytes auto_bytes archive = make_archive(form, entries, count);
    case_again(c);
    case_add(c, "set.zip", archive.at, archive.size);
    case_run(c);
}

static void test_folders__become_classes_in_natural_order(void **state) {
    static const enum archive_form FORMS[] = {FORM_ZIP, FORM_TAR, FORM_TAR_GZ};
    struct data_case *c = *state;
    for (size_t k = 0; k < sizeof FORMS / sizeof *FORMS; k++) {
        struct picture_set set = {0};
        add_pictures(&set, "data/10", 2, 8, 6, 1);
        add_pictures(&set, "data/9", 3, 8, 6, 1);
        add_pictures(&set, "data/été", 4, 8, 6, 1);
        case_again(c);
        run_set(c, &set, FORMS[k], "pictures.bin");
        case_assert_imported(c);
        const json_t *classes = json_object_get(c->manifest, "classes");
        assert_string_equal("9", json_string_value(json_array_get(classes, 0)));
        assert_string_equal("10", json_string_value(json_array_get(classes, 1)));
        assert_string_equal("été", json_string_value(json_array_get(classes, 2)));
        assert_int_equal(3, case_class(c, "9"));
        const uint8_t *x = case_tensor(c, "x", TSH_U8, 9 * 6 * 8);
        assert_int_equal(7, x[1]); /* the gradient of the first picture, kept as it was */
    }
}

static void test_folders__fix_the_split_they_name(void **state) {
    struct data_case *c = *state;
    struct picture_set set = {0};
    add_pictures(&set, "train/a", 18, 8, 8, 1);
    add_pictures(&set, "train/b", 18, 8, 8, 1);
    add_pictures(&set, "Test/a", 5, 8, 8, 1);
    run_set(c, &set, FORM_ZIP, "set.zip");
    case_assert_imported(c);
    const json_t *splits = json_object_get(c->result, "splits");
    assert_int_equal(5, case_int(splits, "test"));
    assert_int_equal(4, case_int(splits, "validation")); /* 36 rows at 8 : 1 */
    assert_int_equal(2, json_array_size(json_object_get(c->result, "classes")));
}

static void test_folders__bring_pictures_to_one_size_and_colour(void **state) {
    struct data_case *c = *state;
    struct picture_set set = {0};
    add_pictures(&set, "a", 3, 10, 8, 1);
    add_pictures(&set, "b", 2, 20, 20, 3);
    run_set(c, &set, FORM_ZIP, "set.zip");
    case_assert_imported(c);
    case_tensor(c, "x", TSH_U8, 5 * 3 * 8 * 10);
    const json_t *notes = json_object_get(c->result, "notes");
    assert_int_equal(2, json_array_size(notes));
    assert_non_null(strstr(json_string_value(json_array_get(notes, 0)), "2 of 5"));
    assert_non_null(strstr(json_string_value(json_array_get(notes, 1)), "RGB"));
    assert_int_equal(4,
                     json_array_size(json_object_get(c->result, "columns"))); /* R, G, B, label */
}

static void test_folders__shrink_large_pictures(void **state) {
    struct data_case *c = *state;
    struct picture_set set = {0};
    add_pictures(&set, "a", 2, 640, 320, 3);
    add_pictures(&set, "b", 2, 640, 320, 3);
    run_set(c, &set, FORM_ZIP, "set.zip");
    case_assert_imported(c);
    const json_t *shape = json_object_get(c->result, "shape");
    assert_int_equal(128, json_integer_value(json_array_get(shape, 1)));
    assert_int_equal(256, json_integer_value(json_array_get(shape, 2)));
}

static void test_folders__leave_out_what_is_no_picture(void **state) {
    struct data_case *c = *state;
    struct bytes auto_bytes png = make_png(8, 8, 1, 0), jpeg = make_jpeg(8, 8);
    const struct entry entries[] = {
        {"./a/1.png", png.at, png.size, ENTRY_FILE},
        {"./b/1.jpg", jpeg.at, jpeg.size, ENTRY_FILE},
        {"./b/", NULL, 0, ENTRY_FOLDER},
        {"./readme.txt", "hello", 5, ENTRY_FILE},
        {"__MACOSX/a/._1.png", "junk", 4, ENTRY_FILE},
        {"a/.DS_Store", "junk", 4, ENTRY_FILE},
    };
    run_entries(c, FORM_TAR_GZ, entries, sizeof entries / sizeof *entries);
    case_assert_imported(c);
    assert_int_equal(2, case_int(c->result, "rows"));
    const json_t *notes = json_object_get(c->result, "notes");
    const char *last = json_string_value(json_array_get(notes, json_array_size(notes) - 1));
    assert_non_null(strstr(last, "readme.txt"));
}

static void test_archive__is_refused_for_one_hostile_member(void **state) {
    struct data_case *c = *state;
    struct bytes auto_bytes png = make_png(8, 8, 1, 0);
    char long_name[1200];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const struct {
        struct entry entry;
        const char *code, *place, *words;
    } HOSTILE[] = {
        {{"../../etc/x.png", png.at, png.size, ENTRY_FILE},
         "invalid_data",
         "member ../../etc/x.png",
         "leads out"},
        {{"a/../../x.png", png.at, png.size, ENTRY_FILE},
         "invalid_data",
         "member a/../../x.png",
         "leads out"},
        {{"/etc/x.png", png.at, png.size, ENTRY_FILE},
         "invalid_data",
         "member /etc/x.png",
         "absolute"},
        {{"a\\..\\x.png", png.at, png.size, ENTRY_FILE}, "invalid_data", NULL, "backslash"},
        {{"a/x\n.png", png.at, png.size, ENTRY_FILE}, "invalid_data", NULL, "control"},
        {{long_name, png.at, png.size, ENTRY_FILE}, "invalid_data", NULL, "longer than 1024"},
        {{"a/l.png", NULL, 0, ENTRY_SYMLINK}, "invalid_data", "member a/l.png", "link"},
        {{"a/l.png", NULL, 0, ENTRY_HARDLINK}, "invalid_data", "member a/l.png", "link"},
        {{"a/zero", NULL, 0, ENTRY_DEVICE}, "invalid_data", "member a/zero", "neither"},
        {{"a/1.png", png.at, png.size, ENTRY_FILE}, "invalid_data", "member a/1.png", "twice"},
        {{"2.png", png.at, png.size, ENTRY_FILE}, "invalid_data", "member 2.png", "no folder"},
        {{"train/2.png", png.at, png.size, ENTRY_FILE}, "invalid_data", NULL, "no folder"},
        {{"a/2.png", "<html>", 6, ENTRY_FILE}, "invalid_data", "member a/2.png", "not a PNG"},
        {{"a/2.svg", "<svg/>", 6, ENTRY_FILE}, "unsupported", "member a/2.svg", "only PNG"},
        {{"a/2.gif", "GIF89a", 6, ENTRY_FILE}, "unsupported", "member a/2.gif", "only PNG"},
        {{"a/lib.zip", "PK\3\4", 4, ENTRY_FILE}, "unsupported", NULL, "inside an archive"},
    };
    for (size_t k = 0; k < sizeof HOSTILE / sizeof *HOSTILE; k++) {
        const struct entry entries[] = {{"a/1.png", png.at, png.size, ENTRY_FILE},
                                        HOSTILE[k].entry};
        run_entries(c, FORM_TAR_GZ, entries, 2);
        print_message("%.60s\n", HOSTILE[k].entry.name);
        case_assert_refused(c, HOSTILE[k].code, HOSTILE[k].place, HOSTILE[k].words);
    }
}

static void refuse_picture(struct data_case *c, const char *name, const struct bytes *picture,
                           const char *words) {
    char place[NAME_BYTES];
    const struct entry entry = {name, picture->at, picture->size, ENTRY_FILE};
    run_entries(c, FORM_ZIP, &entry, 1);
    snprintf(place, sizeof place, "member %s", name);
    case_assert_refused(c, "invalid_data", place, words);
}

static void test_picture__is_refused_when_damaged_or_huge(void **state) {
    struct data_case *c = *state;
    struct bytes auto_bytes flood = make_png_that_claims(65535, 65535);
    struct bytes auto_bytes crc = make_png(8, 8, 1, 0), cut = make_png(64, 64, 3, 0);
    struct bytes auto_bytes jpeg = make_jpeg(64, 64);
    refuse_picture(c, "a/flood.png", &flood, "more than 40 million");
    crc.at[crc.size - 14] ^= 1; /* inside IDAT's checksum, before the 12 bytes of IEND */
    refuse_picture(c, "a/crc.png", &crc, "damaged");
    cut.size /= 2;
    refuse_picture(c, "a/cut.png", &cut, "damaged");
    jpeg.size /= 2;
    refuse_picture(c, "a/cut.jpg", &jpeg, "damaged");
}

/* Zeros that pack 1000 : 1, in one member and in many. */
static void test_archive__is_refused_when_it_is_a_bomb(void **state) {
    struct data_case *c = *state;
    size_t size = 24 << 20;
    uint8_t *zeros = calloc(1, size);
    assert_non_null(zeros);
    const struct entry one = {"a/1.bin", zeros, size, ENTRY_FILE};
    run_entries(c, FORM_ZIP, &one, 1);
    case_assert_refused(c, "too_large", NULL, "100 times");
    run_entries(c, FORM_TAR_GZ, &one, 1);
    case_assert_refused(c, "too_large", NULL, "100 times");
    struct entry many[20];
    char names[20][NAME_BYTES];
    for (int i = 0; i < 20; i++) {
        snprintf(names[i], NAME_BYTES, "a/%d.bin", i);
        many[i] = (struct entry){names[i], zeros, 1 << 20, ENTRY_FILE};
    }
    run_entries(c, FORM_ZIP, many, 20);
    case_assert_refused(c, "too_large", NULL, "100 times");
    free(zeros);
}

static void test_archive__is_refused_with_too_many_members(void **state) {
    enum { MANY = 200001 };
    struct data_case *c = *state;
    struct entry *entries = calloc(MANY, sizeof *entries);
    char(*names)[16] = calloc(MANY, sizeof *names);
    assert_true(entries && names);
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
        entries[i].name = names[i];
    }
    run_entries(c, FORM_ZIP, entries, MANY);
    case_assert_refused(c, "too_large", NULL, "200000 members");
    free(entries);
    free(names);
}

static void test_archive__is_refused_when_cut_or_changed(void **state) {
    struct data_case *c = *state;
    struct bytes auto_bytes png = make_png(8, 8, 1, 0);
    const struct entry entries[] = {{"a/1.png", png.at, png.size, ENTRY_FILE},
                                    {"b/1.png", png.at, png.size, ENTRY_FILE}};
    static const enum archive_form FORMS[] = {FORM_ZIP, FORM_TAR, FORM_TAR_GZ};
    for (size_t k = 0; k < sizeof FORMS / sizeof *FORMS; k++) {
        struct bytes auto_bytes whole = make_archive(FORMS[k], entries, 2);
        case_again(c);
        case_add(c, "set.zip", whole.at, FORMS[k] == FORM_TAR ? 600 : whole.size * 2 / 3);
        case_run(c);
        case_assert_refused(c, "invalid_data", NULL, "");
    }
    struct bytes auto_bytes zip = make_archive(FORM_ZIP, entries, 2);
    zip.at[60] ^= 0xff; /* in the first member's data */
    case_again(c);
    case_add(c, "set.zip", zip.at, zip.size);
    case_run(c);
    case_assert_refused(c, "invalid_data", "member a/1.png", "damaged");
}

static void test_archive__is_refused_when_gzipped_twice_or_empty(void **state) {
    struct data_case *c = *state;
    struct bytes auto_bytes png = make_png(8, 8, 1, 0);
    const struct entry entry = {"a/1.png", png.at, png.size, ENTRY_FILE};
    struct bytes auto_bytes once = make_archive(FORM_TAR_GZ, &entry, 1);
    struct bytes auto_bytes twice = make_gzip(once.at, once.size);
    case_add(c, "set.tar.gz.gz", twice.at, twice.size);
    case_run(c);
    case_assert_refused(c, "invalid_data", NULL, "gzipped twice");
    case_again(c);
    case_spec(c, "{\"format\":\"images\"}");
    case_add(c, "set.zip", "", 0);
    case_run(c);
    case_assert_refused(c, "invalid_data", NULL, "empty");
    const struct entry text = {"a/notes.txt", "x", 1, ENTRY_FILE};
    run_entries(c, FORM_ZIP, &text, 1);
    case_assert_refused(c, "invalid_data", NULL, "no pictures");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_folders__become_classes_in_natural_order, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_folders__fix_the_split_they_name, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_folders__bring_pictures_to_one_size_and_colour,
                                        case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_folders__shrink_large_pictures, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_folders__leave_out_what_is_no_picture, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_archive__is_refused_for_one_hostile_member, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_picture__is_refused_when_damaged_or_huge, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_archive__is_refused_when_it_is_a_bomb, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_archive__is_refused_with_too_many_members, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_archive__is_refused_when_cut_or_changed, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_archive__is_refused_when_gzipped_twice_or_empty,
                                        case_begin, case_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
