// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <tests/unit/tempdir.h>

#include <sbuild/fs.h>
#include <sbuild/process.h>
#include <sbuild/verify.h>

#include <fcntl.h>
#include <unistd.h>

static int setup(void **state)
{
    static const char script[] =
        "set -e; cd \"$1\"; printf 'the payload\\n' >payload; : >empty; head -c 3000000 /dev/zero >large; "
        "minisign -G -W -f -p key.pub -s key.sec; minisign -G -W -f -p other.pub -s other.sec; "
        "for f in payload empty large; do minisign -S -s key.sec -m $f -x $f.hashed -t \"file $f\"; "
        "minisign -S -l -s key.sec -m $f -x $f.legacy -t \"file $f\"; done; minisign -S -s other.sec -m "
        "payload -x other";

    if (tempdir_setup(state) < 0)
        return -1;
    free(tempdir_shell(*state, script));
    return 0;
}

static sb_errc verify(const tempdir *f, sb_slice key, sb_slice signature, const char *file,
                      char **ret_comment, const char *message)
{
    SB_AUTO(sb_error) error = NULL;
    sb_autoclose int fd = openat(f->dirfd, file, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    if (sb_minisign_verify(key, signature, fd, ret_comment, &error) == 0)
        return SB_ERR_NONE;
    if (message && !strstr(error->message, message))
        fail_msg("\"%s\" lacks \"%s\"", error->message, message);
    return error->code;
}

static void test_good(void **state)
{
    static const char *const files[] = {"payload", "empty", "large"};
    tempdir *f = *state;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice key = tempdir_load(f, "key.pub", arena), rest = key;

    sb_slice_cut(&rest, '\n');
    for (size_t i = 0; i < SB_COUNT(files); i++) {
        for (int legacy = 0; legacy < 2; legacy++) {
            const char *suffix = legacy ? "legacy" : "hashed";
            sb_autofree char *name = sb_asprintf("%s.%s", files[i], suffix);
            sb_autofree char *wanted = sb_asprintf("file %s", files[i]);
            sb_autofree char *comment = NULL, *again = NULL;

            assert_int_equal(verify(f, key, tempdir_load(f, name, arena), files[i], &comment, NULL),
                             SB_ERR_NONE);
            assert_string_equal(comment, wanted);
            /* The key alone, as people put it on a command line. */
            assert_int_equal(
                verify(f, sb_slice_trim(rest), tempdir_load(f, name, arena), files[i], &again, NULL),
                SB_ERR_NONE);
        }
    }
}

static void test_bad(void **state)
{
    tempdir *f = *state;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice key = tempdir_load(f, "key.pub", arena), good = tempdir_load(f, "payload.hashed", arena);
    char *comment = NULL, *changed;

    assert_int_equal(verify(f, key, good, "large", &comment, "another content"), SB_ERR_VERIFY);
    assert_int_equal(
        verify(f, key, tempdir_load(f, "payload.legacy", arena), "large", &comment, "another content"),
        SB_ERR_VERIFY);
    assert_int_equal(
        verify(f, key, tempdir_load(f, "other", arena), "payload", &comment, "not by the given key"),
        SB_ERR_VERIFY);
    assert_int_equal(
        verify(f, tempdir_load(f, "other.pub", arena), good, "payload", &comment, "not by the given key"),
        SB_ERR_VERIFY);
    changed = sb_arena_strdup(arena, good);
    memcpy(strstr(changed, "file payload"), "file forgery", 12);
    assert_int_equal(verify(f, key, sb_slice_z(changed), "payload", &comment, "trusted comment"),
                     SB_ERR_VERIFY);
    assert_null(comment);
}

static void test_malformed(void **state)
{
    tempdir *f = *state;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice key = tempdir_load(f, "key.pub", arena), good = tempdir_load(f, "payload.hashed", arena);
    char *comment = NULL;

    for (size_t len = 0; len + 1 < good.len; len++)
        assert_int_not_equal(verify(f, key, sb_slice_sub(good, 0, len), "payload", &comment, NULL),
                             SB_ERR_NONE);
    for (size_t len = 0; len + 1 < key.len; len++)
        assert_int_equal(verify(f, sb_slice_sub(key, 0, len), good, "payload", &comment, NULL), SB_ERR_USAGE);
    assert_int_equal(verify(f, SB_LIT("RWQ="), good, "payload", &comment, "no minisign public key"),
                     SB_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, setup, tempdir_teardown);
}
