/* test_yaml.c -- yaml.h: the tree with places, what is refused, and all errors together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/yaml.h"

struct fixture {
    struct findings findings;
    struct yaml_doc doc;
    enum err_code code;
};

static void parse_bytes(struct fixture *f, struct slice bytes)
{
    findings_init(&f->findings);
    f->code = yaml_doc_parse(&f->doc, "f.yaml", bytes, &f->findings);
}
static void parse(struct fixture *f, const char *text) { parse_bytes(f, slice_of(text)); }

static void drop(struct fixture *f)
{
    yaml_doc_close(&f->doc);
    findings_close(&f->findings);
}

static void assert_findings(struct fixture *f, const char *expected)
{
    struct buf out = {0};
    findings_write(&f->findings, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_close(&out);
}

static void nodes_know_their_place_in_characters(void **state)
{
    (void)state;
    struct fixture f;
    parse(&f, "名字: 销售\nlist:\n  - a\n  - {x: 1, y: [2, 3]}\n");
    assert_int_equal(f.code, OK);
    const struct yaml_node *name = yaml_get(f.doc.root, "名字");
    assert_non_null(name);
    assert_int_equal(name->line, 1);
    assert_int_equal(name->column, 5);
    assert_int_equal(name->key_column, 1);
    const struct yaml_node *list = yaml_get(f.doc.root, "list");
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->count, 2);
    const struct yaml_node *y = yaml_get(list->first->next, "y");
    assert_int_equal(y->line, 4);
    assert_int_equal(y->column, 15);
    assert_int_equal(y->key_column, 12);
    assert_string_equal(y->first->next->text.p, "3");
    assert_null(y->first->next->next);
    assert_int_equal(findings_count(&f.findings), 0);
    drop(&f);
}

static void scalars_stay_the_text_that_was_written(void **state)
{
    (void)state;
    struct fixture f;
    parse(&f, "a: off\nb: 2026-03\nc: 09:00\nd: 007\ne: ~\nf:\ng: \"quo\\\"ted\"\nh: |\n  two\n  lines\n");
    assert_int_equal(f.code, OK);
    static const char *const expected[][2] = {{"a", "off"}, {"b", "2026-03"}, {"c", "09:00"},    {"d", "007"},
                                              {"e", "~"},   {"f", ""},        {"g", "quo\"ted"}, {"h", "two\nlines\n"}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_string_equal(yaml_get(f.doc.root, expected[i][0])->text.p, expected[i][1]);
    assert_false(yaml_get(f.doc.root, "a")->quoted);
    assert_true(yaml_get(f.doc.root, "g")->quoted);
    assert_true(yaml_get(f.doc.root, "h")->quoted);
    drop(&f);
}

static void quoted_keys_and_flow_collections_are_fine(void **state)
{
    (void)state;
    struct fixture f;
    parse(&f, "{\"a b\": [1, 2], 'c': {}}");
    assert_int_equal(f.code, OK);
    assert_int_equal(yaml_get(f.doc.root, "a b")->count, 2);
    assert_int_equal(yaml_get(f.doc.root, "c")->kind, YAML_MAP);
    drop(&f);
}

static void a_byte_order_mark_and_document_marks_are_fine(void **state)
{
    (void)state;
    struct fixture f;
    parse(&f, "\xef\xbb\xbf---\nkey: value\n...\n");
    assert_int_equal(f.code, OK);
    assert_string_equal(yaml_get(f.doc.root, "key")->text.p, "value");
    assert_int_equal(yaml_get(f.doc.root, "key")->key_column, 1);
    drop(&f);
}

static void anchors_aliases_tags_and_duplicates_are_all_reported_together(void **state)
{
    (void)state;
    struct fixture f;
    parse(&f, "a: &x 1\nb: *x\nc: !!int 5\nd: 1\nd: 2\ne: {k: 1, k: 2}\n");
    assert_int_equal(f.code, OK);
    assert_findings(&f, "f.yaml:1:4: syntax: anchors (&name) are not used here: write the value where it belongs\n"
                        "f.yaml:2:4: syntax: aliases (*name) are not used here: write the value where it belongs\n"
                        "f.yaml:3:4: syntax: tags (!name) are not used here: the tables of the format type the values\n"
                        "f.yaml:5:1: duplicate_id: key \"d\" stands here already, in line 4\n"
                        "f.yaml:6:11: duplicate_id: key \"k\" stands here already, in line 6\n");
    drop(&f);
}

static void duplicates_in_large_mappings_are_found_too(void **state)
{
    (void)state;
    struct buf text = {0};
    for (int i = 0; i < 5000; i++)
        buf_addf(&text, "key%d: %d\n", i, i);
    buf_add_text(&text, "key17: again\nkey17: and again\n");
    struct fixture f;
    parse_bytes(&f, buf_slice(&text));
    assert_int_equal(f.code, OK);
    assert_findings(&f, "f.yaml:5001:1: duplicate_id: key \"key17\" stands here already, in line 18\n"
                        "f.yaml:5002:1: duplicate_id: key \"key17\" stands here already, in line 18\n");
    buf_close(&text);
    drop(&f);
}

static void a_second_document_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    parse(&f, "a: 1\n---\nb: 2\n");
    assert_int_equal(f.code, ERR_CONFIG);
    assert_null(f.doc.root);
    assert_findings(&f, "f.yaml:2:1: syntax: a second document: a file holds one\n");
    drop(&f);
}

static void collections_as_keys_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    parse(&f, "? [a, b]\n: 1\n");
    assert_int_equal(f.code, ERR_CONFIG);
    assert_findings(&f, "f.yaml:1:3: syntax: a list or mapping cannot be a key\n");
    drop(&f);
}

static void broken_syntax_is_placed(void **state)
{
    (void)state;
    struct fixture f;
    parse(&f, "a: 1\nb: [1, 2\nc: 3\n");
    assert_int_equal(f.code, ERR_CONFIG);
    assert_int_equal(findings_count(&f.findings), 1);
    assert_string_equal(f.findings.list[0].code, "syntax");
    assert_int_equal(f.findings.list[0].line, 3);
    drop(&f);
}

static void an_empty_file_is_an_empty_mapping(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# only a comment\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < 3; i++) {
        struct fixture f;
        parse(&f, texts[i]);
        assert_int_equal(f.code, OK);
        assert_int_equal(f.doc.root->kind, YAML_MAP);
        assert_int_equal(f.doc.root->count, 0);
        assert_null(yaml_require(&f.doc, f.doc.root, "key"));
        assert_findings(&f, "f.yaml:1:1: missing_key: \"key\" is missing\n");
        drop(&f);
    }
}

static void what_is_not_utf8_is_refused_where_it_stands(void **state)
{
    (void)state;
    struct fixture f;
    parse(&f, "a: 1\nb: 中\xff\n");
    assert_int_equal(f.code, ERR_CONFIG);
    assert_findings(&f, "f.yaml:2:5: syntax: not UTF-8: save the file as UTF-8\n");
    drop(&f);
}

static void nesting_has_a_bound(void **state)
{
    (void)state;
    for (int depth = YAML_DEPTH_MAX; depth <= YAML_DEPTH_MAX + 1; depth++) {
        struct buf text = {0};
        for (int i = 0; i < depth; i++)
            buf_add_byte(&text, '[');
        for (int i = 0; i < depth; i++)
            buf_add_byte(&text, ']');
        struct fixture f;
        parse_bytes(&f, buf_slice(&text));
        assert_int_equal(f.code, depth <= YAML_DEPTH_MAX ? OK : ERR_CONFIG);
        if (depth > YAML_DEPTH_MAX)
            assert_string_equal(f.findings.list[0].code, "too_many");
        buf_close(&text);
        drop(&f);
    }
}

static void keys_have_a_bound(void **state)
{
    (void)state;
    struct buf text = {0};
    for (int i = 0; i <= YAML_KEY_BYTES_MAX; i++)
        buf_add_byte(&text, 'k');
    buf_add_text(&text, ": 1\n");
    struct fixture f;
    parse_bytes(&f, buf_slice(&text));
    assert_int_equal(findings_count(&f.findings), 1);
    assert_string_equal(f.findings.list[0].code, "too_long");
    buf_close(&text);
    drop(&f);
}

static void unknown_keys_are_reported_with_what_was_probably_meant(void **state)
{
    (void)state;
    static const char *const known[] = {"window", "zone", NULL};
    struct fixture f;
    parse(&f, "zone: x\n  \nwidnow: 1\nxyzzy: 2\n");
    assert_false(yaml_check_keys(&f.doc, f.doc.root, known));
    assert_findings(&f, "f.yaml:3:1: unknown_key: unknown key \"widnow\"; did you mean \"window\"?\n"
                        "f.yaml:4:1: unknown_key: unknown key \"xyzzy\"\n");
    drop(&f);
}

static void typed_values_are_taken_or_reported(void **state)
{
    (void)state;
    static const char *const words[] = {"open", "won", "lost", NULL};
    struct fixture f;
    parse(&f, "n: 42\nneg: -7\nbad: 4.2\nquoted: \"4\"\nbig: 99999999999999999999\nyes: true\nno: no\nw: won\nv: lsot\n"
              "t: text\nempty:\nlist: []\n");
    const struct yaml_node *r = f.doc.root;
    int64_t n = 1;
    assert_true(yaml_int(&f.doc, yaml_get(r, "n"), 0, 100, &n));
    assert_int_equal(n, 42);
    assert_false(yaml_int(&f.doc, yaml_get(r, "neg"), 0, 100, &n));
    assert_false(yaml_int(&f.doc, yaml_get(r, "bad"), 0, 100, &n));
    assert_false(yaml_int(&f.doc, yaml_get(r, "quoted"), 0, 100, &n));
    assert_false(yaml_int(&f.doc, yaml_get(r, "big"), INT64_MIN, INT64_MAX, &n));
    assert_int_equal(n, 42);
    bool b = false;
    assert_true(yaml_bool(&f.doc, yaml_get(r, "yes"), &b));
    assert_true(b);
    assert_false(yaml_bool(&f.doc, yaml_get(r, "no"), &b));
    int w = -1;
    assert_true(yaml_word(&f.doc, yaml_get(r, "w"), words, &w));
    assert_int_equal(w, 1);
    assert_false(yaml_word(&f.doc, yaml_get(r, "v"), words, &w));
    struct slice s;
    assert_true(yaml_text(&f.doc, yaml_get(r, "t"), 4, &s));
    assert_false(yaml_text(&f.doc, yaml_get(r, "t"), 3, &s));
    assert_false(yaml_text(&f.doc, yaml_get(r, "empty"), 3, &s));
    assert_false(yaml_text(&f.doc, yaml_get(r, "list"), 3, &s));
    assert_null(yaml_require(&f.doc, r, "missing"));
    assert_findings(&f, "f.yaml:1:1: missing_key: \"missing\" is missing\n"
                        "f.yaml:2:6: bad_value: neg: -7 is not between 0 and 100\n"
                        "f.yaml:3:6: bad_type: bad: a whole number is expected, not \"4.2\"\n"
                        "f.yaml:4:9: bad_type: quoted: a whole number is expected, not \"4\"\n"
                        "f.yaml:5:6: bad_type: big: a whole number is expected, not \"99999999999999999999\"\n"
                        "f.yaml:7:5: bad_type: no: true or false is expected, not \"no\"\n"
                        "f.yaml:9:4: bad_enum: v: \"lsot\" is none of open, won or lost; did you mean \"lost\"?\n"
                        "f.yaml:10:4: too_long: t: at most 3 bytes, it has 4\n"
                        "f.yaml:11:7: bad_value: empty: a text is expected, it is empty\n"
                        "f.yaml:12:7: bad_type: list: a single value is expected, not a list\n");
    drop(&f);
}

static void a_file_that_cannot_be_read_says_so(void **state)
{
    (void)state;
    struct fixture f;
    findings_init(&f.findings);
    assert_int_equal(yaml_doc_read(&f.doc, "/nonexistent/f.yaml", &f.findings), ERR_MISSING);
    assert_findings(&f, "/nonexistent/f.yaml: syntax: cannot be read: No such file or directory\n");
    drop(&f);
}

static void a_folder_is_no_file(void **state)
{
    (void)state;
    struct fixture f;
    findings_init(&f.findings);
    assert_int_equal(yaml_doc_read(&f.doc, "/tmp", &f.findings), ERR_UNAVAILABLE);
    assert_int_equal(findings_count(&f.findings), 1);
    drop(&f);
}

static void a_file_is_read_from_disk(void **state)
{
    (void)state;
    char path[] = "/tmp/paceline_yaml_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "k: v\n", 5), 5);
    close(fd);
    struct fixture f;
    findings_init(&f.findings);
    assert_int_equal(yaml_doc_read(&f.doc, path, &f.findings), OK);
    assert_string_equal(yaml_get(f.doc.root, "k")->text.p, "v");
    unlink(path);
    drop(&f);
}

/* Bytes changed at random: whatever comes out, memory is in order and a failure says why. */
static void mutilated_files_never_break_the_reader(void **state)
{
    (void)state;
    static const char text[] =
        "paceline_plan: 1\nitems:\n  - {id: \"a\", list: [1, 2, {k: v}]}\n  - name: |\n      two\n      lines\n"
        "    *x: &y !t 销售\nlast: 'quoted'\n---\n? [a]\n: b\n";
    uint64_t seed = 20260301;
    for (int round = 0; round < 20000; round++) {
        char bytes[sizeof text];
        memcpy(bytes, text, sizeof text);
        for (int i = 0; i < 1 + round % 6; i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            bytes[(seed >> 33) % (sizeof text - 1)] = (char)(seed >> 56);
        }
        struct fixture f;
        parse_bytes(&f, slice_make(bytes, (seed >> 40) % sizeof text));
        assert_true(f.code == OK ? f.doc.root != NULL : f.doc.root == NULL && findings_count(&f.findings) > 0);
        drop(&f);
    }
}

static void collections_are_no_scalars_and_scalars_no_collections(void **state)
{
    (void)state;
    static const char *const words[] = {"a", NULL};
    struct fixture f;
    parse(&f, "list: [a]\ntext: a\n");
    const struct yaml_node *list = yaml_get(f.doc.root, "list");
    const struct yaml_node *text = yaml_get(f.doc.root, "text");
    int64_t n = 7;
    bool b = true;
    int w = 7;
    assert_false(yaml_int(&f.doc, list, 0, 9, &n));
    assert_false(yaml_bool(&f.doc, list, &b));
    assert_false(yaml_word(&f.doc, list, words, &w));
    assert_false(yaml_want(&f.doc, text, YAML_LIST));
    assert_false(yaml_want(&f.doc, NULL, YAML_MAP));
    assert_false(yaml_check_keys(&f.doc, list, words));
    assert_true(yaml_want(&f.doc, list, YAML_LIST));
    assert_int_equal(n, 7);
    assert_int_equal(w, 7);
    assert_int_equal(findings_count(&f.findings), 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(f.findings.list[i].code, "bad_type");
    assert_null(yaml_get(list, "a"));
    assert_null(yaml_get(NULL, "a"));
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_their_place_in_characters),
        cmocka_unit_test(scalars_stay_the_text_that_was_written),
        cmocka_unit_test(quoted_keys_and_flow_collections_are_fine),
        cmocka_unit_test(a_byte_order_mark_and_document_marks_are_fine),
        cmocka_unit_test(anchors_aliases_tags_and_duplicates_are_all_reported_together),
        cmocka_unit_test(duplicates_in_large_mappings_are_found_too),
        cmocka_unit_test(a_second_document_is_refused),
        cmocka_unit_test(collections_as_keys_are_refused),
        cmocka_unit_test(broken_syntax_is_placed),
        cmocka_unit_test(an_empty_file_is_an_empty_mapping),
        cmocka_unit_test(what_is_not_utf8_is_refused_where_it_stands),
        cmocka_unit_test(nesting_has_a_bound),
        cmocka_unit_test(keys_have_a_bound),
        cmocka_unit_test(unknown_keys_are_reported_with_what_was_probably_meant),
        cmocka_unit_test(typed_values_are_taken_or_reported),
        cmocka_unit_test(a_file_that_cannot_be_read_says_so),
        cmocka_unit_test(a_folder_is_no_file),
        cmocka_unit_test(a_file_is_read_from_disk),
        cmocka_unit_test(mutilated_files_never_break_the_reader),
        cmocka_unit_test(collections_are_no_scalars_and_scalars_no_collections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
