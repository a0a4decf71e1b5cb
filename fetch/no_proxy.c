// SPDX-License-Identifier: Apache-2.0
#include <fetch/no_proxy.h>

#include <fetch/address.h>

sb_slice sb_host_name(sb_slice host)
{
    ptrdiff_t colon;

    if (host.len && host.ptr[0] == '[') {
        ptrdiff_t close = sb_slice_chr(host, ']');

        return close < 0 ? host : sb_slice_sub(host, 1, (size_t)close);
    }
    colon = sb_slice_chr(host, ':');
    /* More than one colon: an address without brackets. */
    if (colon < 0 || colon != sb_slice_rchr(host, ':'))
        return host;
    return sb_slice_sub(host, 0, (size_t)colon);
}

static bool entry_matches(sb_slice entry, sb_slice host, unsigned port)
{
    sb_slice name = sb_host_name(entry);
    size_t end = (size_t)(name.ptr - entry.ptr) + name.len;
    uint64_t wanted;

    if (name.len < entry.len && end < entry.len && entry.ptr[end] == ']')
        end++;
    if (end + 1 < entry.len && entry.ptr[end] == ':' &&
        sb_slice_to_u64(sb_slice_sub(entry, end + 1, entry.len), &wanted) && wanted != port)
        return false;
    if (sb_address_in_block(host, entry))
        return true;
    if (sb_slice_starts(name, SB_LIT("*.")))
        name = sb_slice_sub(name, 2, name.len);
    else if (sb_slice_starts(name, SB_LIT(".")))
        name = sb_slice_sub(name, 1, name.len);
    if (!name.len || host.len < name.len)
        return false;
    if (!sb_slice_eq_nocase(sb_slice_sub(host, host.len - name.len, host.len), name))
        return false;
    return host.len == name.len || host.ptr[host.len - name.len - 1] == '.';
}

bool sb_no_proxy_matches(sb_slice list, sb_slice host, unsigned port)
{
    while (list.ptr) {
        sb_slice item = sb_slice_cut(&list, ',');

        while (item.ptr) {
            sb_slice entry = sb_slice_trim(sb_slice_cut(&item, ' '));

            if (entry.len && (sb_slice_eqz(entry, "*") || entry_matches(entry, host, port)))
                return true;
        }
    }
    return false;
}
