// SPDX-License-Identifier: Apache-2.0
/* Heads, chunked bodies and ranges, by their bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/step/range.h>

static void test_len(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {"", 0},
        {"GET / HTTP/1.1\r\n", 0},
        {"GET / HTTP/1.1\r\n\r", 0},
        {"GET / HTTP/1.1\r\n\r\n", 18},
        {"GET / HTTP/1.1\n\nmore", 16},
        {"\r\n\r\nGET / HTTP/1.1\r\n\r\nx", 22},
        {"GET / HTTP/1.1\r\nA: b\r\n\r\nx", 24},
        {"GET / HTTP/1.1\r\nA: b\n\r\nx", 23},
        {"\r\n\r\n", 0},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++)
        assert_int_equal(step_head_len(sb_slice_z(cases[i].text)), cases[i].len);
}

static void test_request(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    step_head head;

    (void)state;
    assert_int_equal(
        step_head_request(arena,
                          SB_LIT("\r\nPOST /a?b HTTP/1.1\r\nHost: x \r\nACCEPT:a\r\nAccept: b\r\n"
                                 "Connection: X-Y, close\r\nX-y: \r\nContent-Length: 12\r\n"
                                 "Expect: 100-Continue\r\n\r\n"),
                          &head, NULL),
        0);
    assert_true(sb_slice_eqz(head.method, "POST") && sb_slice_eqz(head.target, "/a?b"));
    assert_int_equal(head.count, 7);
    assert_true(sb_slice_eqz(step_head_get(&head, "host"), "x"));
    assert_true(sb_slice_eqz(step_head_get(&head, "accept"), "a"));
    assert_null(step_head_get(&head, "accept-encoding").ptr);
    assert_true(head.has_length && head.length == 12 && !head.chunked);
    assert_true(head.expects_continue && !head.keep_alive && head.minor == 1);
    assert_true(step_head_is_hop(&head, SB_LIT("x-y")) && step_head_is_hop(&head, SB_LIT("te")));
    assert_false(step_head_is_hop(&head, SB_LIT("accept")));
    assert_int_equal(step_head_request(arena, SB_LIT("GET http://a/ HTTP/1.0\n\n"), &head, NULL), 0);
    assert_true(!head.keep_alive && !head.minor && !head.count);
    assert_int_equal(step_head_request(arena,
                                       SB_LIT("GET http://a/ HTTP/1.0\nProxy-Connection: Keep-Alive\n\n"),
                                       &head, NULL),
                     0);
    assert_true(head.keep_alive);
}

static void test_answer(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    step_head head;

    (void)state;
    assert_int_equal(
        step_head_answer(arena, SB_LIT("HTTP/1.1 200\r\nContent-Length: 3\r\n\r\n"), &head, NULL), 0);
    assert_true(head.status == 200 && head.length == 3 && head.keep_alive);
    /* The coding wins, as it does everywhere; the connection is not used again for another message. */
    assert_int_equal(step_head_answer(arena,
                                      SB_LIT("HTTP/1.1 404 Not \xc3\xa4\r\nContent-Length: 3\r\n"
                                             "Transfer-Encoding: chunked\r\n\r\n"),
                                      &head, NULL),
                     0);
    assert_true(head.chunked && !head.has_length);
    assert_int_equal(step_head_answer(arena, SB_LIT("HTTP/2 200\r\n\r\n"), &head, NULL), -1);
    assert_int_equal(step_head_answer(arena, SB_LIT("HTTP/1.1 99\r\n\r\n"), &head, NULL), -1);
    assert_int_equal(step_head_answer(arena, SB_LIT("HTTP/1.1 2000\r\n\r\n"), &head, NULL), -1);
    assert_int_equal(step_head_answer(arena, SB_LIT("nothing\r\n\r\n"), &head, NULL), -1);
}

/* Every message in one piece and byte by byte. */
static void test_chunked(void **state)
{
    static const struct {
        const char *text, *body; /* NULL: refused; ends before "|" */
    } cases[] = {
        {"3\r\nabc\r\n0\r\n\r\n|", "abc"},
        {"0\r\n\r\n|GET", ""},
        {"00a;x=\"y\"\r\n0123456789\r\n1 \r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n|", "0123456789x"},
        {"A\r\n0123456789\r\n0\r\n\r\n|", "0123456789"},
        {"3\nabc\r\n0\r\n\r\n", NULL},
        {"3\r\nabcd\r\n", NULL},
        {"\r\n", NULL},
        {"x\r\n", NULL},
        {"-1\r\n", NULL},
        {"0x3\r\nabc\r\n", NULL},
        {"3y\r\nabc\r\n", NULL},
        {"1000000000000000\r\n", NULL},
        {"3\r\nabc\n0\r\n", NULL},
        {"3\r\nabc\r\r\n", NULL},
        {"0\r\n\n", NULL},
        {"3\rabc", NULL},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        for (int bytewise = 0; bytewise < 2; bytewise++) {
            size_t len = strcspn(cases[i].text, "|");
            sb_slice all = sb_slice_of(cases[i].text, len), data;
            sb_autobuf body = SB_BUF_INIT(100);
            step_chunked chunked = {0};
            step_chunk got = STEP_CHUNK_MORE;

            while (all.len && (got == STEP_CHUNK_MORE || got == STEP_CHUNK_PIECE)) {
                sb_slice input = bytewise ? sb_slice_sub(all, 0, 1) : all;
                size_t before = input.len;

                got = step_chunked_next(&chunked, &input, &data);
                if (got == STEP_CHUNK_PIECE)
                    sb_buf_adds(&body, data);
                all = sb_slice_sub(all, before - input.len, all.len);
            }
            if (!cases[i].body) {
                assert_int_equal(got, STEP_CHUNK_BAD);
                continue;
            }
            assert_int_equal(got, STEP_CHUNK_END);
            assert_int_equal(all.len, 0);
            assert_string_equal(body.data ? body.data : "", cases[i].body);
        }
    }
}

static void test_range(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    step_head head;
    step_range range;
    uint64_t first, len;

    (void)state;
    assert_int_equal(
        step_head_request(arena, SB_LIT("GET / HTTP/1.1\nRange: bytes= 5 - 6 , 8-\nIf-Range: W/\"a\"\n\n"),
                          &head, NULL),
        0);
    range = step_range_of(&head);
    assert_true(range.wanted && step_range_apply(&range, 10, &first, &len) && first == 5 && len == 5);
    assert_false(step_range_apply(&range, 5, &first, &len));
    /* A weak validator vouches for no bytes. */
    assert_false(step_range_holds(&head, &(sb_step_header){SB_LIT("etag"), SB_LIT("W/\"a\"")}, 1));
    head.headers[0].value = SB_LIT("bytes=18446744073709551615-18446744073709551615");
    range = step_range_of(&head);
    assert_true(range.wanted && !step_range_apply(&range, UINT64_MAX, &first, &len));
    head.headers[0].value = SB_LIT("bytes=99999999999999999999-");
    assert_false(step_range_of(&head).wanted);
    head.headers[0].value = SB_LIT("bytes=100-199,0-20,21-99");
    range = step_range_of(&head);
    assert_true(range.wanted && range.first == 0 && range.last == 199);
    head.headers[0].value = SB_LIT("bytes=0-20,102-199");
    assert_false(step_range_of(&head).wanted);
    head.headers[0].value = SB_LIT("bytes=0-1,-1");
    assert_false(step_range_of(&head).wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_len),     cmocka_unit_test(test_request), cmocka_unit_test(test_answer),
        cmocka_unit_test(test_chunked), cmocka_unit_test(test_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
