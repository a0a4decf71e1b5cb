// SPDX-License-Identifier: Apache-2.0
#include <sbuild/reference.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *text, *full, *familiar;
    bool implied;
} good[] = {
    {"node", "docker.io/library/node:latest", "node", true},
    {"node:20", "docker.io/library/node:20", "node:20", false},
    {"node:latest", "docker.io/library/node:latest", "node", false},
    {"docker.io/node:20", "docker.io/library/node:20", "node:20", false},
    {"index.docker.io/library/node:20", "docker.io/library/node:20", "node:20", false},
    {"acme/tool:1", "docker.io/acme/tool:1", "acme/tool:1", false},
    {"quay.io/x/y", "quay.io/x/y:latest", "quay.io/x/y", true},
    {"localhost/x", "localhost/x:latest", "localhost/x", true},
    {"localhost:5000/x/y:2", "localhost:5000/x/y:2", "localhost:5000/x/y:2", false},
    {"localhost:5000", "docker.io/library/localhost:5000", "localhost:5000", false},
    {"Host/x", "Host/x:latest", "Host/x", true},
    {"[::1]:5000/x:1", "[::1]:5000/x:1", "[::1]:5000/x:1", false},
    {"a.b/c__d-e--f.g/h_i:T.x-1", "a.b/c__d-e--f.g/h_i:T.x-1", "a.b/c__d-e--f.g/h_i:T.x-1", false},
    {"node@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
     "docker.io/library/node@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
     "node@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", false},
    {"node:20@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
     "docker.io/library/node:20@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
     "node:20@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", false},
};

static void good_references(void **state)
{
    (void)state;
    for (size_t i = 0; i < SB_COUNT(good); i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        sb_image_ref ref;

        assert_int_equal(sb_image_ref_parse(arena, sb_slice_z(good[i].text), &ref, NULL), 0);
        assert_string_equal(sb_image_ref_format(arena, &ref).ptr, good[i].full);
        assert_string_equal(sb_image_ref_familiar(arena, &ref).ptr, good[i].familiar);
        assert_int_equal(ref.tag_implied, good[i].implied);
    }
}

static void formatting_is_stable(void **state)
{
    (void)state;
    for (size_t i = 0; i < SB_COUNT(good); i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        sb_image_ref ref;

        assert_int_equal(sb_image_ref_parse(arena, sb_slice_z(good[i].full), &ref, NULL), 0);
        assert_string_equal(sb_image_ref_format(arena, &ref).ptr, good[i].full);
    }
}

static void bad_references(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "is empty"},
        {"Node", "must be lowercase"},
        {"quay.io/Node", "must be lowercase"},
        {"a//b", "must be made of"},
        {"a/", "must be made of"},
        {"quay.io/", "no repository"},
        {"-a", "must be made of"},
        {"a___b", "must be made of"},
        {"a..b", "must be made of"},
        {"a_", "must be made of"},
        {"a b", "must be made of"},
        {"a:", "a tag has"},
        {"a:.b", "a tag has"},
        {"a:b c", "a tag has"},
        {"a@sha256:00", "64 lower-case hex digits"},
        {"a@md5:00", "no digest"},
        {"a@", "no digest"},
        {"a.b:99999/x", "host name with an optional port"},
        {"a.b:/x", "host name with an optional port"},
        {"-a.b/x", "host name with an optional port"},
        {"[::1/x", "host name with an optional port"},
        {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "image ID"},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(bad); i++) {
        SB_AUTO(sb_arena) arena = sb_arena_new();
        SB_AUTO(sb_error) err = NULL;
        sb_image_ref ref;

        assert_int_equal(sb_image_ref_parse(arena, sb_slice_z(bad[i].text), &ref, &err), -1);
        assert_int_equal(err->code, SB_ERR_PARSE);
        if (!strstr(err->message, bad[i].why))
            fail_msg("%s: %s", bad[i].text, err->message);
    }
}

static void lengths(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    char text[400];
    sb_image_ref ref;

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(sb_image_ref_parse(arena, sb_slice_of(text, 237), &ref, NULL),
                     0); /* docker.io/library/ */
    assert_int_equal(sb_image_ref_parse(arena, sb_slice_of(text, 300), &ref, NULL), -1);
    text[1] = ':';
    assert_int_equal(sb_image_ref_parse(arena, sb_slice_of(text, 2 + 128), &ref, NULL), 0);
    assert_int_equal(sb_image_ref_parse(arena, sb_slice_of(text, 2 + 129), &ref, NULL), -1);
}

static void what_a_tag_promises(void **state)
{
    static const struct {
        const char *tag;
        bool moves, version;
    } tags[] = {
        {"latest", true, false},       {"1-latest", true, true},       {"Edge", true, false},
        {"stable-slim", true, false},  {"lts-alpine3.20", true, true}, {"stable-20250113-slim", false, true},
        {"release-v1.2", false, true}, {"dev-1f2e3d4", false, true},   {"bookworm", false, false},
        {"latestx", false, false},     {"1.2.3", false, true},         {"abcdefa", false, true},
        {"stable-", true, false},
    };

    (void)state;
    for (size_t i = 0; i < SB_COUNT(tags); i++) {
        assert_int_equal(sb_tag_moves(sb_slice_z(tags[i].tag)), tags[i].moves);
        assert_int_equal(sb_tag_has_version(sb_slice_z(tags[i].tag)), tags[i].version);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_references),     cmocka_unit_test(formatting_is_stable),
        cmocka_unit_test(bad_references),      cmocka_unit_test(lengths),
        cmocka_unit_test(what_a_tag_promises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
