// SPDX-License-Identifier: Apache-2.0
/* fetch/layer_source.c: every compression, out of files, pipes and feeds. tests/unit/builder_compress_test.c
 * has more. */
#include "layer_fixture.h"

#include <sbuild/process.h>

enum { SIZE = 700001 };

static const char *const programs[] = {"cat", "gzip", "zstd", "xz", "bzip2"};

static char *sample(void)
{
    char *data = sb_malloc(SIZE);

    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * i / 7919);
    return data;
}

/* Compressed by another program. The caller frees the buffer. */
static sb_buf packed_by(const char *program, const char *data)
{
    const char *const argv[] = {program, NULL};
    SB_AUTO(sb_error) err = NULL;
    sb_buf out = SB_BUF_INIT(4 * SIZE);
    sb_process_options options = {.argv = argv, .input = sb_slice_of(data, SIZE), .output = &out};
    int status = -1;

    must(sb_process_run(&options, &status, &err), err);
    assert_int_equal(status, 0);
    return out;
}

typedef struct drip { /* as much at a time as a slow pipe has */
    sb_slice rest;
    size_t piece;
} drip;

static int read_drip(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err)
{
    drip *d = ctx;
    size_t n = d->rest.len < d->piece ? d->rest.len : d->piece;

    (void)err;
    n = n < len ? n : len;
    memcpy(data, d->rest.ptr, n);
    d->rest = sb_slice_sub(d->rest, n, d->rest.len);
    *ret_len = n;
    return 0;
}

static void expect(sb_layer_source *source, const char *data, sb_slice packed)
{
    sb_autofree char *back = sb_malloc(SIZE + 1);
    SB_AUTO(sb_error) err = NULL;
    sb_digest wanted, actual;
    size_t got;

    must(sb_layer_source_read(source, back, 1, &got, &err), err);
    must(sb_layer_source_skip(source, 99999, &err), err);
    must(sb_layer_source_read(source, back, SIZE, &got, &err), err);
    assert_int_equal(got, SIZE - 100000);
    assert_memory_equal(back, data + 100000, got);
    must(sb_layer_source_digest(source, &actual, &err), err);
    sb_digest_of(SB_HASH_SHA256, packed, &wanted);
    assert_true(sb_digest_eq(&wanted, &actual));
    assert_int_equal(sb_layer_source_taken(source), packed.len);
}

static void test_feeds(void **state)
{
    sb_autofree char *data = sample();

    (void)state;
    for (size_t i = 0; i < SB_COUNT(programs); i++) {
        sb_autobuf packed = packed_by(programs[i], data);

        for (size_t piece = 1; piece < SIZE; piece = piece * 1000 + 7) {
            SB_AUTO(sb_layer_source) source = NULL;
            SB_AUTO(sb_error) err = NULL;
            drip d = {sb_buf_slice(&packed), piece};

            must(sb_layer_source_feed((sb_layer_feed){read_drip, &d}, "fed", SB_LAYER_MEMORY, &source, &err),
                 err);
            assert_int_equal(sb_layer_source_compression(source), i);
            expect(source, data, sb_buf_slice(&packed));
        }
    }
}

static void test_pipes(void **state)
{
    sb_autofree char *data = sample();

    (void)state;
    for (size_t i = 0; i < SB_COUNT(programs); i++) {
        SB_AUTO(sb_layer_source) source = NULL;
        SB_AUTO(sb_error) err = NULL;
        sb_autobuf packed = packed_by(programs[i], data);
        int ends[2];
        pid_t child;

        assert_int_equal(pipe(ends), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(sb_write_all(ends[1], packed.data, packed.len, "a pipe", NULL) < 0);
        (void)close(ends[1]);
        must(sb_layer_source_open(ends[0], "a pipe", &source, &err), err);
        expect(source, data, sb_buf_slice(&packed));
        (void)close(ends[0]);
    }
}

static void test_truncated_and_damaged(void **state)
{
    sb_autofree char *data = sample();

    (void)state;
    for (size_t i = 1; i < SB_COUNT(programs); i++)
        for (int damaged = 0; damaged < 2; damaged++) {
            SB_AUTO(sb_layer_source) source = NULL;
            SB_AUTO(sb_error) err = NULL;
            sb_autobuf packed = packed_by(programs[i], data);
            drip d = {sb_buf_slice(&packed), SIZE};

            if (damaged)
                memset(packed.data + packed.len / 2, 0xa5, 200);
            else
                d.rest.len -= 9;
            must(sb_layer_source_feed((sb_layer_feed){read_drip, &d}, "fed", SB_LAYER_MEMORY, &source, &err),
                 err);
            assert_int_equal(sb_layer_source_skip(source, SIZE, &err) < 0 ||
                                 sb_layer_source_verify(source, &(sb_digest){0}, &err) < 0,
                             1);
            if (!damaged)
                assert_int_equal(sb_error_code(err), SB_ERR_PARSE);
        }
}

static void test_memory_has_a_maximum(void **state)
{
    static const char *const argv[] = {"xz", "-9", NULL};
    SB_AUTO(sb_layer_source) source = NULL;
    SB_AUTO(sb_error) err = NULL;
    sb_autobuf out = SB_BUF_INIT(SIZE);
    sb_process_options options = {.argv = argv, .input = SB_LIT("x"), .output = &out};
    int status = -1;
    drip d;

    (void)state;
    must(sb_process_run(&options, &status, &err), err);
    d = (drip){sb_buf_slice(&out), SIZE};
    must(sb_layer_source_feed((sb_layer_feed){read_drip, &d}, "fed", 1 << 20, &source, &err), err);
    assert_int_equal(sb_layer_source_skip(source, 1, &err), -1);
    assert_int_equal(sb_error_code(err), SB_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feeds),
        cmocka_unit_test(test_pipes),
        cmocka_unit_test(test_truncated_and_damaged),
        cmocka_unit_test(test_memory_has_a_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
