// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <fetch/stream.h>
#include <sbuild/alloc.h>

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>

enum { MANY = 8, LARGE = 3 * SB_STREAM_BLOCK + 1234 };

static int open_temp(void)
{
    char path[] = "/tmp/sbuild-stream.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    return fd;
}

static char *make_bytes(size_t len, unsigned seed)
{
    char *bytes = sb_malloc(len + 1);

    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245u + 12345u;
        bytes[i] = (char)(seed >> 16);
    }
    return bytes;
}

static void assert_content(int fd, const char *bytes, size_t len)
{
    sb_autofree char *found = sb_malloc(len + 1);

    assert_int_equal(pread(fd, found, len + 1, 0), (ssize_t)len);
    assert_memory_equal(found, bytes, len);
}

static void assert_finish(sb_stream *stream, sb_hash_algo algo, const char *bytes, size_t len)
{
    sb_digest sha256, other, expect;

    sb_stream_finish(stream, &sha256, &other);
    sb_digest_of(SB_HASH_SHA256, sb_slice_of(bytes, len), &expect);
    assert_true(sb_digest_eq(&expect, &sha256));
    sb_digest_of(algo, sb_slice_of(bytes, len), &expect);
    assert_true(sb_digest_eq(&expect, &other));
}

static void one_size(sb_stream_pool *pool, size_t len, size_t step, sb_hash_algo algo)
{
    sb_autofree char *bytes = make_bytes(len, (unsigned)len);
    sb_autoclose int fd = open_temp();
    SB_AUTO(sb_stream) stream = sb_stream_new(pool, fd, algo);

    for (size_t i = 0; i < len; i += step)
        assert_int_equal(sb_stream_add(stream, bytes + i, len - i < step ? len - i : step), 0);
    assert_int_equal(sb_stream_drain(stream), 0);
    assert_content(fd, bytes, len);
    assert_finish(stream, algo, bytes, len);
}

static void test_sizes(void **state)
{
    SB_AUTO(sb_stream_pool) pool = sb_stream_pool_new();

    (void)state;
    one_size(pool, 0, 1, SB_HASH_SHA256);
    one_size(pool, 1, 1, SB_HASH_SHA512);
    one_size(pool, SB_STREAM_BLOCK - 1, 1000, SB_HASH_SHA256);
    one_size(pool, SB_STREAM_BLOCK, 16384, SB_HASH_SHA384);
    one_size(pool, SB_STREAM_BLOCK + 1, SB_STREAM_BLOCK + 1, SB_HASH_SHA256);
    one_size(pool, LARGE, 16384, SB_HASH_SHA512);
    one_size(pool, (size_t)SB_STREAM_BLOCK * (SB_STREAM_BLOCKS_MAX + 10), 100000, SB_HASH_SHA256);
}

/* Turn and turn about, more than the pool holds. */
static void test_many_at_once(void **state)
{
    SB_AUTO(sb_stream_pool) pool = sb_stream_pool_new();
    size_t len = (size_t)SB_STREAM_BLOCK * 7 + 77, step = 50000;
    char *bytes[MANY];
    sb_stream *streams[MANY];
    int fds[MANY];

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        bytes[i] = make_bytes(len, i);
        fds[i] = open_temp();
        streams[i] = sb_stream_new(pool, fds[i], SB_HASH_SHA256);
    }
    for (size_t at = 0; at < len; at += step)
        for (size_t i = 0; i < MANY; i++)
            assert_int_equal(sb_stream_add(streams[i], bytes[i] + at, len - at < step ? len - at : step), 0);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(sb_stream_drain(streams[i]), 0);
        assert_content(fds[i], bytes[i], len);
        assert_finish(streams[i], SB_HASH_SHA256, bytes[i], len);
        sb_stream_free(streams[i]);
        free(bytes[i]);
        close(fds[i]);
    }
}

/* A beginning that is there already; everything once more; freed in the middle. */
static void test_continue_and_restart(void **state)
{
    SB_AUTO(sb_stream_pool) pool = sb_stream_pool_new();
    sb_autofree char *bytes = make_bytes(LARGE, 7);
    sb_autoclose int fd = open_temp();
    SB_AUTO(sb_stream) stream = sb_stream_new(pool, fd, SB_HASH_SHA512);

    (void)state;
    assert_int_equal(pwrite(fd, bytes, 1000, 0), 1000);
    sb_stream_skim(stream, bytes, 1000);
    assert_int_equal(sb_stream_add(stream, bytes + 1000, LARGE - 2000), 0);
    /* Draining in between changes nothing. */
    assert_int_equal(sb_stream_drain(stream), 0);
    assert_int_equal(sb_stream_add(stream, bytes + LARGE - 1000, 1000), 0);
    assert_int_equal(sb_stream_drain(stream), 0);
    assert_content(fd, bytes, LARGE);
    assert_finish(stream, SB_HASH_SHA512, bytes, LARGE);

    sb_stream_restart(stream);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(sb_stream_add(stream, bytes + 5, LARGE - 5), 0);
    assert_int_equal(sb_stream_drain(stream), 0);
    assert_content(fd, bytes + 5, LARGE - 5);
    assert_finish(stream, SB_HASH_SHA512, bytes + 5, LARGE - 5);

    sb_stream_restart(stream);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(sb_stream_add(stream, bytes, LARGE), 0);
    sb_stream_free(SB_TAKE(stream));
    assert_content(fd, bytes, LARGE);
}

/* What was written before the failure is a beginning of the whole, and the failure stays. */
static void test_full_disk(void **state)
{
    SB_AUTO(sb_stream_pool) pool = sb_stream_pool_new();
    sb_autofree char *bytes = make_bytes(LARGE, 9);
    sb_autoclose int fd = open_temp();
    SB_AUTO(sb_stream) stream = sb_stream_new(pool, fd, SB_HASH_SHA256);
    struct rlimit before, limit;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    int result = 0;

    (void)state;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = SB_STREAM_BLOCK + 5000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (size_t i = 0; i < 50 && result == 0; i++)
        result = sb_stream_add(stream, bytes, LARGE);
    assert_int_equal(result, -1);
    assert_int_equal(errno, EFBIG);
    errno = 0;
    assert_int_equal(sb_stream_drain(stream), -1);
    assert_int_equal(errno, EFBIG);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    assert_int_equal(sb_stream_add(stream, bytes, 10), 0);
    assert_int_equal(sb_stream_drain(stream), -1);
    assert_content(fd, bytes, SB_STREAM_BLOCK + 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_continue_and_restart),
        cmocka_unit_test(test_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
