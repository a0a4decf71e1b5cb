// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/alloc.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_zeroed_and_never_null(void **state)
{
    sb_autofree char *a = sb_malloc(100), *none = sb_malloc(0), *c = sb_calloc(0, 0);
    sb_autofree uint64_t *many = sb_new_array(uint64_t, 1000);

    (void)state;
    assert_non_null(none);
    assert_non_null(c);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(a[i], 0);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(many[i], 0);
}

static void test_strings(void **state)
{
    sb_autofree char *whole = sb_strdup("abc"), *part = sb_strndup("abcdef", 2), *empty = sb_strndup(NULL, 0);
    sb_autofree char *printed = sb_asprintf("%d-%s", 7, "x");

    (void)state;
    assert_string_equal(whole, "abc");
    assert_string_equal(part, "ab");
    assert_string_equal(empty, "");
    assert_string_equal(printed, "7-x");
    assert_null(sb_strdup(NULL));
}

static void test_push_grows(void **state)
{
    sb_autofree unsigned *items = NULL;
    size_t len = 0, cap = 0;

    (void)state;
    for (unsigned i = 0; i < 10000; i++)
        *SB_PUSH(items, len, cap) = i;
    assert_int_equal(len, 10000);
    assert_true(cap >= len && cap < 4 * len);
    for (unsigned i = 0; i < 10000; i++)
        assert_int_equal(items[i], i);
}

static void test_take(void **state)
{
    char *a = sb_strdup("mine"), *b = SB_TAKE(a);

    (void)state;
    assert_null(a);
    assert_string_equal(b, "mine");
    free(b);
}

static void test_autoclose(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    {
        sb_autoclose int a = ends[0], none = -1;

        (void)a;
        (void)none;
    }
    assert_int_equal(close(ends[0]), -1);
    assert_int_equal(close(ends[1]), 0);
}

static void leave(size_t size)
{
    _exit(size == SIZE_MAX ? 42 : 43);
}

/* An array that would not fit into the address space: the handler is called, and nothing is written. */
static void test_out_of_memory(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        size_t cap = SIZE_MAX / 4;
        char dummy;

        sb_set_oom_handler(leave);
        sb_grow(&dummy, cap, &cap, 16);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_and_never_null),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_push_grows),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_autoclose),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
