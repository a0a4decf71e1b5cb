// SPDX-License-Identifier: Apache-2.0
/* builder/compress.c, and fetch/layer_source.c which reads what it writes. */
#include "layer_fixture.h"

#include <sbuild/process.h>

#include <zstd.h>

static unsigned char *sample(size_t len, bool random)
{
    unsigned char *data = sb_malloc(len + 1);
    uint64_t state = 88172645463325252U;

    for (size_t i = 0; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        data[i] = random ? (unsigned char)state : (unsigned char)"the quick brown fox "[state % 20];
    }
    return data;
}

/* In pieces of odd sizes, as tar writes them. The caller closes the file. */
static int compress(const unsigned char *data, size_t len, unsigned threads, sb_digest *ret_digest,
                    uint64_t *ret_size)
{
    SB_AUTO(sb_error) err = NULL;
    int fd = memory_file();
    SB_AUTO(sb_gzip) gzip = sb_gzip_new(fd, threads);

    for (size_t at = 0, piece = 1; at < len; at += piece, piece = piece * 3 % 200003 + 1)
        must(sb_gzip_write(gzip, data + at, piece < len - at ? piece : len - at, &err), err);
    must(sb_gzip_finish(gzip, ret_digest, ret_size, &err), err);
    return fd;
}

static void expect_content(int fd, const unsigned char *data, size_t len)
{
    SB_AUTO(sb_error) err = NULL;
    SB_AUTO(sb_layer_source) source = NULL;
    sb_autofree unsigned char *back = sb_malloc(len + 2);
    size_t got;

    must(sb_layer_source_open(fd, "blob", &source, &err), err);
    must(sb_layer_source_read(source, back, len + 1, &got, &err), err);
    assert_int_equal(got, len);
    assert_memory_equal(back, data, len);
}

static void test_any_number_of_threads_gives_the_same_bytes(void **state)
{
    static const size_t lengths[] = {0, 1, 4095, SB_CHUNK - 1, SB_CHUNK, SB_CHUNK + 1, 5 * SB_CHUNK + 12345};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(lengths); i++) {
        for (int random = 0; random < 2; random++) {
            sb_autofree unsigned char *data = sample(lengths[i], random);
            sb_digest one, many, whole;
            uint64_t size_one, size_many, size;
            SB_AUTO(sb_error) err = NULL;
            sb_autoclose int first = compress(data, lengths[i], 1, &one, &size_one);
            sb_autoclose int second = compress(data, lengths[i], 5, &many, &size_many);

            assert_true(sb_digest_eq(&one, &many));
            assert_int_equal(size_one, size_many);
            assert_int_equal(lseek(first, 0, SEEK_SET), 0);
            must(sb_digest_of_fd(SB_HASH_SHA256, first, &whole, &size, &err), err);
            assert_true(sb_digest_eq(&whole, &one));
            assert_int_equal(size, size_one);
            expect_content(second, data, lengths[i]);
        }
    }
}

static void test_header_and_size(void **state)
{
    static const unsigned char header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    sb_autofree unsigned char *text = sample(3 * SB_CHUNK, false);
    sb_autofree unsigned char *noise = sample(3 * SB_CHUNK, true);
    unsigned char begin[10];
    sb_digest digest;
    uint64_t size;
    sb_autoclose int fd = compress(text, 3 * SB_CHUNK, 2, &digest, &size);
    sb_autoclose int stored = -1;

    (void)state;
    assert_int_equal(pread(fd, begin, 10, 0), 10);
    assert_memory_equal(begin, header, 10);
    assert_true(size < 2 * SB_CHUNK);
    /* What does not compress is stored: a few bytes per 64 KiB more. */
    stored = compress(noise, 3 * SB_CHUNK, 2, &digest, &size);
    assert_true(size > 3 * SB_CHUNK && size < 3 * SB_CHUNK + 400);
}

/* Other programs agree. */
static void test_gunzip_reads_it(void **state)
{
    static const char *const argv[] = {"gzip", "--decompress", "--stdout", NULL};
    SB_AUTO(sb_error) err = NULL;
    sb_autofree unsigned char *data = sample(2 * SB_CHUNK + 77, false);
    sb_autobuf out = SB_BUF_INIT(4 * SB_CHUNK);
    sb_process_options options = {.argv = argv, .output = &out};
    sb_digest digest;
    uint64_t size;
    sb_autoclose int fd = -1;
    int status = -1;

    (void)state;
    memcpy(data + SB_CHUNK, data, 40000); /* found again across the border of chunks */
    fd = compress(data, 2 * SB_CHUNK + 77, 3, &digest, &size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    options.input_fd = fd;
    must(sb_process_run(&options, &status, &err), err);
    assert_int_equal(status, 0);
    assert_int_equal(out.len, 2 * SB_CHUNK + 77);
    assert_memory_equal(out.data, data, out.len);
}

static void test_other_sources(void **state)
{
    SB_AUTO(sb_error) err = NULL;
    sb_autofree unsigned char *data = sample(300000, false);
    size_t bound = ZSTD_compressBound(150000), len;
    sb_autofree unsigned char *packed = sb_malloc(bound);
    sb_autoclose int zstd = memory_file(), plain = memory_file(), members = memory_file();
    sb_digest digest;
    uint64_t size;

    (void)state;
    must(sb_write_all(plain, data, 300000, "plain", &err), err);
    expect_content(plain, data, 300000);
    for (int half = 0; half < 2; half++) {
        sb_autoclose int member = compress(data + 150000 * half, 150000, 1, &digest, &size);

        len = ZSTD_compress(packed, bound, data + 150000 * half, 150000, 3);
        must(sb_write_all(zstd, packed, len, "zstd", &err), err);
        assert_int_equal(lseek(member, 0, SEEK_SET), 0);
        must(sb_copy_fd(member, members, "gzip", &err), err);
    }
    expect_content(zstd, data, 300000);
    expect_content(members, data, 300000);
    /* Padding behind the last member. */
    memset(packed, 0, 512);
    must(sb_write_all(members, packed, 512, "gzip", &err), err);
    expect_content(members, data, 300000);
}

static void test_digest_of_the_compressed_bytes(void **state)
{
    sb_autofree unsigned char *data = sample(300000, false);
    sb_digest digest, other = {0};
    uint64_t size;
    sb_autoclose int fd = compress(data, 300000, 2, &digest, &size);

    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        SB_AUTO(sb_error) err = NULL;
        SB_AUTO(sb_layer_source) source = NULL;
        char some[10];
        size_t got;

        must(sb_layer_source_open(fd, "blob", &source, &err), err);
        must(sb_layer_source_read(source, some, sizeof(some), &got, &err), err);
        assert_int_equal(sb_layer_source_verify(source, wrong ? &other : &digest, &err), wrong ? -1 : 0);
        assert_int_equal(sb_error_code(err), wrong ? SB_ERR_VERIFY : SB_ERR_NONE);
    }
}

static void test_damage(void **state)
{
    sb_autofree unsigned char *data = sample(300000, false);
    sb_digest digest;
    uint64_t size;
    sb_autoclose int fd = compress(data, 300000, 2, &digest, &size);

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        SB_AUTO(sb_error) err = NULL;
        SB_AUTO(sb_layer_source) source = NULL;
        size_t got;

        if (kind == 0)
            assert_int_equal(ftruncate(fd, (off_t)size - 9), 0);
        else
            assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff", 6, 10), 6);
        must(sb_layer_source_open(fd, "blob", &source, &err), err);
        assert_int_equal(sb_layer_source_read(source, data, 300000, &got, &err) < 0 || got < 300000 ||
                             sb_layer_source_skip(source, 1, &err) < 0,
                         1);
        assert_int_equal(sb_error_code(err), SB_ERR_PARSE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_number_of_threads_gives_the_same_bytes),
        cmocka_unit_test(test_header_and_size),
        cmocka_unit_test(test_gunzip_reads_it),
        cmocka_unit_test(test_other_sources),
        cmocka_unit_test(test_digest_of_the_compressed_bytes),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
