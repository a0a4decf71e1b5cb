// SPDX-License-Identifier: Apache-2.0
#include <rules/users.h>

bool sb_user_is_root(sb_slice user)
{
    sb_slice name = sb_slice_cut(&user, ':');
    size_t zeros = 0;

    while (zeros < name.len && name.ptr[zeros] == '0')
        zeros++;
    return zeros == name.len || sb_slice_eqz(name, "root");
}

bool sb_user_is_number(sb_slice user)
{
    uint64_t number;

    return sb_slice_to_u64(sb_slice_cut(&user, ':'), &number);
}
