// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tempdir.h"

#include <builder/record.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int setup(void **state)
{
    if (tempdir_setup(state) < 0)
        return -1;
    return setenv("XDG_CACHE_HOME", ((tempdir *)*state)->dir, 1);
}

static sb_digest digest_of(const char *text)
{
    sb_digest digest;

    sb_digest_of(SB_HASH_SHA256, sb_slice_z(text), &digest);
    return digest;
}

static void test_entries(void **state)
{
    sb_digest key = digest_of("key"), other = digest_of("other"), manifest = digest_of("manifest");
    sb_recorded found = {.known = true}, again = {0};

    (void)state;
    assert_int_equal(sb_recorded_load(&key, &found, NULL), 0);
    assert_false(found.known);
    assert_string_equal(found.nonce, "");

    assert_int_equal(sb_recorded_save(&key, &manifest, NULL), 0);
    assert_int_equal(sb_recorded_load(&key, &found, NULL), 0);
    assert_true(found.known && found.has_manifest && sb_digest_eq(&found.manifest, &manifest));
    assert_int_equal(strlen(found.nonce), SB_NONCE_LEN);
    /* The nonce is another one whenever something was taken. */
    assert_int_equal(sb_recorded_save(&key, NULL, NULL), 0);
    assert_int_equal(sb_recorded_load(&key, &again, NULL), 0);
    assert_true(again.known && !again.has_manifest);
    assert_string_not_equal(found.nonce, again.nonce);
    assert_int_equal(sb_recorded_load(&other, &found, NULL), 0);
    assert_false(found.known);
}

/* A damaged cache is an empty one. */
static void test_damage(void **state)
{
    static const char *const texts[] = {"", "{", "[]", "{\"manifest\":\"sha256:12\",\"nonce\":\"\"}",
                                        "{\"manifest\":\"\",\"nonce\":\"xyz\"}"};
    sb_digest key = digest_of("key");
    char hex[SB_DIGEST_HEX];
    sb_autofree char *path = NULL;
    sb_autofree char *cache = sb_cache_dir(NULL);

    (void)state;
    assert_int_equal(sb_recorded_save(&key, NULL, NULL), 0);
    sb_digest_hex(&key, hex);
    path = sb_asprintf("%s/recorded/%s", cache, hex);
    for (size_t i = 0; i < SB_COUNT(texts); i++) {
        sb_recorded found = {.known = true};

        assert_int_equal(sb_write_file(AT_FDCWD, path, sb_slice_z(texts[i]), 0600, NULL), 0);
        assert_int_equal(sb_recorded_load(&key, &found, NULL), 0);
        assert_false(found.known);
    }
}

static void test_secret(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    unsigned char one[SB_RECORD_SECRET], two[SB_RECORD_SECRET];
    sb_autofree char *cache = sb_cache_dir(NULL);
    sb_autofree char *path = sb_path_join(cache, "recording.key");
    sb_slice id;
    struct stat st;

    (void)state;
    assert_int_equal(sb_record_secret(one, NULL), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(sb_record_secret(two, NULL), 0);
    assert_memory_equal(one, two, sizeof(one));

    id = sb_record_id(arena, one, SB_LIT("a"));
    assert_int_equal(id.len, 64);
    assert_true(sb_slice_eq(id, sb_record_id(arena, two, SB_LIT("a"))));
    assert_false(sb_slice_eq(id, sb_record_id(arena, one, SB_LIT("b"))));

    /* One that others could read is no secret any more. */
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(sb_record_secret(two, NULL), 0);
    assert_memory_not_equal(one, two, sizeof(one));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_false(sb_slice_eq(id, sb_record_id(arena, two, SB_LIT("a"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_entries, setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(test_secret, setup, tempdir_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
