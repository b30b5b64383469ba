/* test_store.c -- what every store promises, asked of the folder and of memory; damage of the folder's files. */
#define _GNU_SOURCE /* nftw */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"
#include "store/store.h"

struct bench {
    struct store *store;
    char folder[64];
    struct err err;
};

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat, (void)type, (void)ftw;
    return remove(path);
}

static int folder_setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    strcpy(b->folder, "/tmp/paceline-store-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    assert_int_equal(store_folder_open(b->folder, &b->store, &b->err), OK);
    *state = b;
    return 0;
}

static int memory_setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_int_equal(store_memory_open(&b->store, &b->err), OK);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    store_destroy(&b->store);
    if (b->folder[0])
        nftw(b->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}

static enum err_code put(struct bench *b, const char *name, const void *p, size_t n)
{
    struct store_writer *writer;
    enum err_code code = store_create(b->store, name, &writer, &b->err);
    if (code)
        return code;
    code = store_write(writer, slice_make(p, n), &b->err);
    if (code) {
        store_abandon(&writer);
        return code;
    }
    return store_commit(&writer, &b->err);
}

/* Reads in pieces of `piece` bytes until the end or an error. */
static enum err_code get(struct bench *b, const char *name, size_t piece, struct buf *out)
{
    struct store_reader *reader;
    enum err_code code = store_open(b->store, name, &reader, &b->err);
    if (code)
        return code;
    bool end = false;
    while (!code && !end) {
        buf_reserve(out, piece);
        code = store_read(reader, out->p + out->n, piece, &end, &b->err);
        if (!code && !end)
            out->n += piece;
    }
    store_close(&reader);
    return code;
}

static void an_object_is_read_as_it_was_written(void **state)
{
    struct bench *b = *state;
    enum { BYTES = 3 * 1024 * 1024 };
    uint8_t *bytes = malloc(BYTES);
    for (uint32_t i = 0, x = 1; i < BYTES; i++, x = x * 1664525 + 1013904223)
        bytes[i] = (uint8_t)(x >> (i % 3 ? 24 : 31));
    assert_int_equal(put(b, "funnel/0/1.snap", bytes, BYTES), OK);
    struct buf out;
    buf_init(&out);
    assert_int_equal(get(b, "funnel/0/1.snap", 4096, &out), OK);
    assert_int_equal(out.n, BYTES);
    assert_memory_equal(out.p, bytes, BYTES);
    buf_close(&out);
    free(bytes);
}

static void an_empty_object_is_an_object(void **state)
{
    struct bench *b = *state;
    assert_int_equal(put(b, "empty", "", 0), OK);
    struct buf out;
    buf_init(&out);
    assert_int_equal(get(b, "empty", 1, &out), OK);
    assert_int_equal(out.n, 0);
    buf_close(&out);
}

static void a_read_beyond_the_end_is_corruption(void **state)
{
    struct bench *b = *state;
    assert_int_equal(put(b, "short", "12345", 5), OK);
    struct buf out;
    buf_init(&out);
    assert_int_equal(get(b, "short", 3, &out), ERR_CORRUPT);
    buf_close(&out);
}

static void an_abandoned_object_is_absent(void **state)
{
    struct bench *b = *state;
    struct store_writer *writer;
    assert_int_equal(store_create(b->store, "a", &writer, &b->err), OK);
    assert_int_equal(store_write(writer, SLICE("x"), &b->err), OK);
    store_abandon(&writer);
    struct store_reader *reader;
    assert_int_equal(store_open(b->store, "a", &reader, &b->err), ERR_MISSING);
    assert_null(reader);
}

static void an_uncommitted_object_is_invisible_and_a_commit_replaces(void **state)
{
    struct bench *b = *state;
    assert_int_equal(put(b, "a", "old", 3), OK);
    struct store_writer *writer;
    assert_int_equal(store_create(b->store, "a", &writer, &b->err), OK);
    assert_int_equal(store_write(writer, SLICE("newer"), &b->err), OK);
    struct buf out;
    buf_init(&out);
    assert_int_equal(get(b, "a", 1, &out), OK);
    assert_true(slice_is(buf_slice(&out), "old"));
    assert_int_equal(store_commit(&writer, &b->err), OK);
    buf_clear(&out);
    assert_int_equal(get(b, "a", 1, &out), OK);
    assert_true(slice_is(buf_slice(&out), "newer"));
    buf_close(&out);
}

static void add_line(void *context, const char *name)
{
    buf_add_text(context, name);
    buf_add_byte(context, '\n');
}

static void names_are_listed_in_order_by_prefix(void **state)
{
    struct bench *b = *state;
    const char *const names[] = {"f/1/10", "f/1/2", "f/2/1", "f-x", "v/1"};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(put(b, names[i], "x", 1), OK);
    assert_int_equal(store_delete(b->store, "f/2/1", &b->err), OK);
    assert_int_equal(store_delete(b->store, "f/2/1", &b->err), ERR_MISSING);
    struct buf lines;
    buf_init(&lines);
    assert_int_equal(store_list(b->store, "f/1/", add_line, &lines, &b->err), OK);
    assert_true(slice_is(buf_slice(&lines), "f/1/10\nf/1/2\n"));
    buf_clear(&lines);
    assert_int_equal(store_list(b->store, "", add_line, &lines, &b->err), OK);
    assert_true(slice_is(buf_slice(&lines), "f-x\nf/1/10\nf/1/2\nv/1\n"));
    buf_close(&lines);
}

static void names_that_leave_the_store_are_refused(void **state)
{
    struct bench *b = *state;
    const char *const names[] = {"", "/etc", "../x", "a/../b", "a//b", "a/", "A", ".tmp/x", "a b", "a\nb"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct store_writer *writer;
        struct store_reader *reader;
        assert_int_equal(store_create(b->store, names[i], &writer, &b->err), ERR_BAD_INPUT);
        assert_int_equal(store_open(b->store, names[i], &reader, &b->err), ERR_BAD_INPUT);
        assert_int_equal(store_delete(b->store, names[i], &b->err), ERR_BAD_INPUT);
    }
}

/* --- damage --- */

enum { FILE_BYTES_MAX = 4096 };

static size_t load(const char *path, uint8_t bytes[FILE_BYTES_MAX])
{
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, bytes, FILE_BYTES_MAX);
    close(fd);
    assert_true(n > 0);
    return (size_t)n;
}

static void save(const char *path, const uint8_t *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static void damaged_at_any_byte_is_corrupt_and_never_wrong(void **state)
{
    struct bench *b = *state;
    static const char text[] = "a snapshot of some state, some state, some more state 0123456789";
    assert_int_equal(put(b, "a", text, sizeof text), OK);
    char path[128];
    snprintf(path, sizeof path, "%s/a", b->folder);
    uint8_t bytes[FILE_BYTES_MAX];
    size_t n = load(path, bytes);
    struct buf out;
    buf_init(&out);
    for (size_t i = 0; i < n; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1u << bit);
            save(path, bytes, n);
            buf_clear(&out);
            enum err_code code = get(b, "a", 1, &out);
            /* Some bits of a frame's header mean nothing: then every byte is right. */
            if (code == OK)
                assert_true(slice_eq(buf_slice(&out), slice_make(text, sizeof text)));
            else
                assert_int_equal(code, ERR_CORRUPT);
            if (out.n)
                assert_memory_equal(out.p, text, out.n);
            bytes[i] ^= (uint8_t)(1u << bit);
        }
    for (size_t i = 0; i < n; i++) {
        save(path, bytes, i);
        buf_clear(&out);
        assert_int_equal(get(b, "a", 1, &out), ERR_CORRUPT);
    }
    bytes[n] = 0;
    save(path, bytes, n + 1);
    buf_clear(&out);
    assert_int_equal(get(b, "a", 1, &out), ERR_CORRUPT);
    buf_close(&out);
}

static void killed_at(struct bench *b, const char *point)
{
    pid_t child = fork();
    if (child == 0) {
        char fault[64];
        snprintf(fault, sizeof fault, "%s:1", point);
        setenv("PACELINE_FAULT", fault, 1);
        fault_init();
        put(b, "a", "new", 3);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(WEXITSTATUS(status), FAULT_EXIT_CODE);
}

static void a_writer_killed_before_its_rename_leaves_the_old_object(void **state)
{
    struct bench *b = *state;
    assert_int_equal(put(b, "a", "old", 3), OK);
    killed_at(b, "store.before_rename");
    struct buf out;
    buf_init(&out);
    assert_int_equal(get(b, "a", 1, &out), OK);
    assert_true(slice_is(buf_slice(&out), "old"));
    /* What it left is invisible and goes at the next open. */
    buf_clear(&out);
    assert_int_equal(store_list(b->store, "", add_line, &out, &b->err), OK);
    assert_true(slice_is(buf_slice(&out), "a\n"));
    store_destroy(&b->store);
    assert_int_equal(store_folder_open(b->folder, &b->store, &b->err), OK);
    char path[128];
    snprintf(path, sizeof path, "%s/.tmp", b->folder);
    assert_int_equal(rmdir(path), 0);
    buf_close(&out);
}

static void a_writer_killed_behind_its_rename_leaves_the_new_object(void **state)
{
    struct bench *b = *state;
    assert_int_equal(put(b, "a", "old", 3), OK);
    killed_at(b, "store.after_rename");
    struct buf out;
    buf_init(&out);
    assert_int_equal(get(b, "a", 1, &out), OK);
    assert_true(slice_is(buf_slice(&out), "new"));
    buf_close(&out);
}

#define ON_BOTH(test)                                                                                                  \
    {#test " (memory)", test, memory_setup, teardown, NULL}, { #test " (folder)", test, folder_setup, teardown, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(an_object_is_read_as_it_was_written),
        ON_BOTH(an_empty_object_is_an_object),
        ON_BOTH(a_read_beyond_the_end_is_corruption),
        ON_BOTH(an_abandoned_object_is_absent),
        ON_BOTH(an_uncommitted_object_is_invisible_and_a_commit_replaces),
        ON_BOTH(names_are_listed_in_order_by_prefix),
        ON_BOTH(names_that_leave_the_store_are_refused),
        cmocka_unit_test_setup_teardown(damaged_at_any_byte_is_corrupt_and_never_wrong, folder_setup, teardown),
        cmocka_unit_test_setup_teardown(a_writer_killed_before_its_rename_leaves_the_old_object, folder_setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_writer_killed_behind_its_rename_leaves_the_new_object, folder_setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
