// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/arena.h>

#include <stdalign.h>

static void test_zeroed_and_aligned(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    for (size_t size = 0; size < 3000; size += 7) {
        char *p = sb_arena_alloc(arena, size);

        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
}

static void test_large_ones(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    char *small = sb_arena_alloc(arena, 10);
    char *large = sb_arena_alloc(arena, 10 << 20);
    char *after = sb_arena_alloc(arena, 10);

    (void)state;
    memset(large, 1, 10 << 20);
    memset(small, 2, 10);
    memset(after, 3, 10);
    assert_int_equal(large[0], 1);
    assert_int_equal(large[(10 << 20) - 1], 1);
}

static void test_strings(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice copy = sb_arena_dup(arena, SB_LIT("ab\0c")), none = sb_arena_dup(arena, SB_NIL);

    (void)state;
    assert_int_equal(copy.len, 4);
    assert_memory_equal(copy.ptr, "ab\0c", 5);
    assert_non_null(none.ptr);
    assert_int_equal(none.len, 0);
    assert_string_equal(sb_arena_strdup(arena, SB_LIT("xyz")), "xyz");
    copy = sb_arena_printf(arena, "%05d%s", 42, "!");
    assert_true(sb_slice_eqz(copy, "00042!"));
    assert_int_equal(copy.ptr[copy.len], '\0');
}

static void test_push(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    size_t len = 0, cap = 0;
    unsigned *items = NULL;

    (void)state;
    for (unsigned i = 0; i < 5000; i++)
        *SB_ARENA_PUSH(arena, items, len, cap) = i;
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(items[i], i);
}

static void test_lower(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice text = SB_LIT("Linux/ARM64 \xc3\x84");
    sb_slice lower = sb_arena_lower(arena, text);

    (void)state;
    assert_true(sb_slice_eqz(lower, "linux/arm64 \xc3\x84"));
    assert_ptr_not_equal(sb_arena_lower(arena, lower).ptr, lower.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_and_aligned),
        cmocka_unit_test(test_large_ones),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_push),
        cmocka_unit_test(test_lower),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
