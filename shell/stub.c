// SPDX-License-Identifier: Apache-2.0
/* Stands in for the reader until it is there. */
#include <sbuild/shell.h>

void sb_sh_read(sb_slice text, const sb_sh_options *options, sb_arena *arena, sb_sh_reading *ret_reading)
{
    (void)text, (void)options, (void)arena;
    *ret_reading = (sb_sh_reading){0};
}

void sb_sh_read_exec(const sb_slice *words, size_t count, const sb_sh_options *options, sb_arena *arena,
                     sb_sh_reading *ret_reading)
{
    (void)words, (void)count, (void)options, (void)arena;
    *ret_reading = (sb_sh_reading){0};
}
