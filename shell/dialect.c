// SPDX-License-Identifier: Apache-2.0
#include <sbuild/shell.h>

sb_sh_dialect sb_sh_dialect_of(sb_slice program)
{
    static const char *const posix[] = {"sh", "ash", "dash", "busybox"};
    static const char *const bash[] = {"bash", "ksh", "mksh", "zsh", "rbash"};

    program = sb_path_last(program);
    for (size_t i = 0; i < SB_COUNT(posix); i++)
        if (sb_slice_eqz(program, posix[i]))
            return SB_SH_POSIX;
    for (size_t i = 0; i < SB_COUNT(bash); i++)
        if (sb_slice_eqz(program, bash[i]))
            return SB_SH_BASH;
    return SB_SH_OTHER;
}
