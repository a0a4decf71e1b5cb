// SPDX-License-Identifier: Apache-2.0
#include <fetch/registry.h>

#include <fetch/address.h>
#include <fetch/settings_internal.h>

/* Cuts "host[:port]/repository". */
static void set_place(sb_endpoint *endpoint, sb_slice place)
{
    sb_slice rest = place;

    endpoint->login = endpoint->host = sb_slice_cut(&rest, '/');
    endpoint->repository = rest;
    if (sb_slice_eqz(endpoint->host, "docker.io") || sb_slice_eqz(endpoint->host, "index.docker.io")) {
        endpoint->login = SB_LIT("docker.io");
        endpoint->host = SB_LIT("registry-1.docker.io");
    }
}

static void set_manners(const sb_registry *registry, sb_endpoint *endpoint, bool insecure, bool configured)
{
    sb_slice name = sb_host_name(endpoint->host);

    endpoint->insecure = insecure || sb_settings_insecure(registry->settings, endpoint->login);
    endpoint->tls = sb_settings_tls(registry->settings, endpoint->login);
    endpoint->tls.insecure = endpoint->insecure;
    /* An image's name may lead to a registry on loopback, as engines let it; elsewhere on this machine's own
     * side only the user's configuration leads. */
    endpoint->allow_local =
        endpoint->insecure || sb_host_is_loopback(name) || (configured && sb_address_text_is_local(name));
}

/* The name with the entry's prefix replaced by a location. "*.domain" has nothing to replace. */
static sb_slice relocate(sb_arena *arena, const sb_registry_settings *entry, sb_slice location, sb_slice name)
{
    bool wildcard = sb_slice_starts(entry->prefix, SB_LIT("*.")) || !sb_slice_starts(name, entry->prefix);
    sb_slice rest;

    if (wildcard) {
        rest = name;
        sb_slice_cut(&rest, '/');
        return sb_arena_printf(arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(location), SB_ARG(rest));
    }
    rest = sb_slice_sub(name, entry->prefix.len, name.len);
    return sb_arena_printf(arena, "%" SB_FMT "%" SB_FMT, SB_ARG(location), SB_ARG(rest));
}

int sb_endpoints_for(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref, bool by_tag,
                     sb_endpoint **ret_endpoints, size_t *ret_count, sb_error **err)
{
    sb_slice name = sb_image_ref_name(arena, ref);
    const sb_registry_settings *entry = sb_settings_registry(registry->settings, name);
    sb_endpoint *list = sb_arena_array(arena, sb_endpoint, SB_ENDPOINTS_MAX);
    size_t count = 0;

    if (entry && entry->blocked)
        return sb_fail(err, SB_ERR_USAGE, "%" SB_FMT " is blocked by the settings (entry \"%" SB_FMT "\")",
                       SB_ARG(name), SB_ARG(entry->prefix));
    for (size_t i = 0; entry && i < entry->mirror_count && count + 1 < SB_ENDPOINTS_MAX; i++) {
        const sb_mirror *mirror = &entry->mirrors[i];

        if (by_tag && !mirror->resolve)
            continue;
        set_place(&list[count], relocate(arena, entry, mirror->location, name));
        set_manners(registry, &list[count], mirror->insecure, true);
        list[count].mirror = true;
        if (list[count].repository.len)
            count++;
    }
    set_place(&list[count],
              entry && entry->location.ptr ? relocate(arena, entry, entry->location, name) : name);
    set_manners(registry, &list[count], entry && entry->insecure, entry && entry->location.ptr);
    if (entry && entry->ca_file.ptr && !list[count].tls.ca_file.ptr)
        list[count].tls.ca_file = entry->ca_file;
    if (entry && entry->client_cert.ptr && !list[count].tls.client_cert.ptr) {
        list[count].tls.client_cert = entry->client_cert;
        list[count].tls.client_key = entry->client_key;
    }
    *ret_endpoints = list;
    *ret_count = count + 1;
    return 0;
}

/* ---- http or https ---- */

/* The status of "GET /v2/", 0 without an answer. */
static long ping(sb_registry *registry, const sb_endpoint *endpoint, const char *scheme)
{
    sb_autofree char *url = sb_asprintf("%s://%" SB_FMT "/v2/", scheme, SB_ARG(endpoint->host));
    sb_http_request request = {
        .url = sb_slice_z(url),
        .max_body = 1 << 16,
        .allow_loopback = endpoint->allow_local,
        .tls = &endpoint->tls,
        .no_retry = true,
    };
    SB_AUTO(sb_error) ignored = NULL;
    sb_autoresponse response = {0};

    return sb_http_perform(registry->http, &request, &response, &ignored) < 0 ? 0 : response.status;
}

/*
 * Plain http is for loopback, and for what the user has declared insecure. On loopback http is asked first (a
 * server with TLS answers 400 or hangs up), elsewhere https.
 */
static bool find_out_plain(sb_registry *registry, const sb_endpoint *endpoint)
{
    bool loopback = sb_host_is_loopback(sb_host_name(endpoint->host));
    long status;

    if ((!loopback && !endpoint->insecure) || endpoint->tls.ca_file.ptr)
        return false;
    if (!loopback)
        return !ping(registry, endpoint, "https") && ping(registry, endpoint, "http");
    status = ping(registry, endpoint, "http");
    return status && status != 400;
}

/* Asked once; a host that does not answer at all counts as one with TLS. */
static bool is_plain(sb_registry *registry, const sb_endpoint *endpoint)
{
    bool plain;

    for (size_t i = 0; i < registry->host_count; i++)
        if (sb_slice_eq(registry->hosts[i].host, endpoint->host))
            return registry->hosts[i].plain;
    plain = find_out_plain(registry, endpoint);
    *SB_ARENA_PUSH(registry->arena, registry->hosts, registry->host_count, registry->host_cap) =
        (sb_known_host){sb_arena_dup(registry->arena, endpoint->host), plain};
    return plain;
}

sb_slice sb_endpoint_url(sb_registry *registry, sb_arena *arena, sb_endpoint *endpoint, const char *rest)
{
    endpoint->plain = is_plain(registry, endpoint);
    return sb_arena_printf(arena, "%s://%" SB_FMT "/v2/%" SB_FMT "/%s", endpoint->plain ? "http" : "https",
                           SB_ARG(endpoint->host), SB_ARG(endpoint->repository), rest);
}
