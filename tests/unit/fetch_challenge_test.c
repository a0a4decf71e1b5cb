// SPDX-License-Identifier: Apache-2.0
#include <fetch/challenge.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static size_t parse(sb_arena *arena, const char *text, sb_challenge list[SB_CHALLENGES_MAX])
{
    return sb_challenges_parse(arena, sb_slice_z(text), list, 0);
}

static void one(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_challenge list[SB_CHALLENGES_MAX];

    (void)state;
    assert_int_equal(parse(arena,
                           "Bearer realm=\"https://auth.example/token?a=b,c\",service = \"reg \\\"x\\\"\", "
                           "SCOPE=\"repository:a/b:pull,push\",error=\"insufficient_scope\"",
                           list),
                     1);
    assert_true(sb_slice_eqz(list[0].scheme, "Bearer"));
    assert_true(sb_slice_eqz(list[0].realm, "https://auth.example/token?a=b,c"));
    assert_true(sb_slice_eqz(list[0].service, "reg \"x\""));
    assert_true(sb_slice_eqz(list[0].scope, "repository:a/b:pull,push"));
    assert_true(sb_slice_eqz(list[0].error, "insufficient_scope"));
}

static void several_in_one_header(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_challenge list[SB_CHALLENGES_MAX];

    (void)state;
    assert_int_equal(
        parse(arena, "Negotiate, NTLM abc==, bearer realm=https://x/t, service=s , Basic realm=\"y\"", list),
        4);
    assert_true(sb_slice_eqz(list[0].scheme, "Negotiate"));
    assert_true(sb_slice_eqz(list[1].scheme, "NTLM"));
    assert_null(list[1].realm.ptr);
    assert_true(sb_slice_eqz(list[2].realm, "https://x/t"));
    assert_true(sb_slice_eqz(list[2].service, "s"));
    assert_true(sb_slice_eqz(list[3].scheme, "Basic"));
    assert_true(sb_slice_eqz(list[3].realm, "y"));
}

static void comma_only(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_challenge list[SB_CHALLENGES_MAX];

    (void)state;
    assert_int_equal(parse(arena, "Bearer realm=\"https://x/t\",Basic realm=\"y\"", list), 2);
    assert_true(sb_slice_eqz(list[1].realm, "y"));
}

static void nonsense(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_challenge list[SB_CHALLENGES_MAX];
    sb_autobuf many = SB_BUF_INIT(200);

    (void)state;
    assert_int_equal(parse(arena, "", list), 0);
    assert_int_equal(parse(arena, ",, ,", list), 0);
    assert_int_equal(parse(arena, "\"x\"", list), 0);
    assert_int_equal(parse(arena, "Bearer realm=\"no end", list), 1);
    assert_null(list[0].realm.ptr);
    assert_int_equal(parse(arena, "Bearer realm=\"line\r\nbreak\"", list), 1);
    assert_null(list[0].realm.ptr);
    for (int i = 0; i < 40; i++)
        sb_buf_addz(&many, "A, ");
    assert_int_equal(parse(arena, many.data, list), SB_CHALLENGES_MAX);
}

static void several_headers(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_challenge list[SB_CHALLENGES_MAX];
    char headers[] = "www-authenticate: Basic realm=\"a\"\nX: y\nWWW-Authenticate: Bearer realm=\"b\"\n";
    sb_http_response response = {.headers = headers};

    (void)state;
    assert_int_equal(sb_challenges_of(arena, &response, list), 2);
    assert_true(sb_slice_eqz(list[0].realm, "a"));
    assert_true(sb_slice_eqz(list[1].realm, "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one),      cmocka_unit_test(several_in_one_header), cmocka_unit_test(comma_only),
        cmocka_unit_test(nonsense), cmocka_unit_test(several_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
