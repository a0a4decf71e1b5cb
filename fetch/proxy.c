// SPDX-License-Identifier: Apache-2.0
#include <fetch/proxy.h>

#include <fetch/address.h>

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

static const char *first_of(const char *const *names)
{
    for (; *names; names++) {
        const char *value = getenv(*names);

        if (value && *value)
            return value;
    }
    return NULL;
}

const char *sb_proxy_for(const sb_url *url)
{
    /* HTTP_PROXY in capitals could come from a request's header where a program runs as a CGI; nobody reads
     * it. */
    static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    static const char *const tls[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
    static const char *const none[] = {"no_proxy", "NO_PROXY", NULL};
    const char *proxy = first_of(url->https ? tls : plain);
    sb_slice host = sb_slice_z(url->host);

    if (!proxy || sb_host_is_loopback(host) ||
        sb_no_proxy_matches(sb_slice_z(first_of(none)), host, url->port))
        return NULL;
    return proxy;
}
