// SPDX-License-Identifier: Apache-2.0
#include <fetch/proxy.h>

#include <fetch/address.h>

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
