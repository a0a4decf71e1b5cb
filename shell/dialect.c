// SPDX-License-Identifier: Apache-2.0
#include <sbuild/shell.h>

sb_sh_dialect sb_sh_dialect_of(sb_slice program)
{
    static const char *const posix[] = {"sh", "ash", "dash", "busybox"};
    static const char *const bash[] = {"bash", "ksh", "mksh", "zsh", "rbash"};
    ptrdiff_t slash = sb_slice_rchr(program, '/');

    if (slash >= 0)
        program = sb_slice_sub(program, (size_t)slash + 1, program.len);
    for (size_t i = 0; i < SB_COUNT(posix); i++)
        if (sb_slice_eqz(program, posix[i]))
            return SB_SH_POSIX;
    for (size_t i = 0; i < SB_COUNT(bash); i++)
        if (sb_slice_eqz(program, bash[i]))
            return SB_SH_BASH;
    return SB_SH_OTHER;
}
