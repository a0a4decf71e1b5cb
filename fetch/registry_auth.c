// SPDX-License-Identifier: Apache-2.0
#include <fetch/registry.h>

#include <fetch/token.h>

enum { MARGIN_MS = 10000 };

sb_slice sb_authorization_known(const sb_registry *registry, const sb_endpoint *endpoint)
{
    int64_t now = sb_now_ms();

    for (size_t i = registry->authorization_count; i-- > 0;) {
        const sb_known_authorization *known = &registry->authorizations[i];

        if (known->expires > now && sb_slice_eq(known->host, endpoint->host) &&
            sb_slice_eq(known->repository, endpoint->repository))
            return known->value;
    }
    return SB_NIL;
}

static void remember(sb_registry *registry, const sb_endpoint *endpoint, sb_slice value, int64_t seconds)
{
    sb_known_authorization *known = NULL;

    for (size_t i = 0; i < registry->authorization_count; i++)
        if (sb_slice_eq(registry->authorizations[i].host, endpoint->host) &&
            sb_slice_eq(registry->authorizations[i].repository, endpoint->repository))
            known = &registry->authorizations[i];
    if (!known) {
        known = SB_ARENA_PUSH(registry->arena, registry->authorizations, registry->authorization_count,
                              registry->authorization_cap);
        known->host = sb_arena_dup(registry->arena, endpoint->host);
        known->repository = sb_arena_dup(registry->arena, endpoint->repository);
    }
    known->value = value;
    known->expires = sb_now_ms() + seconds * 1000 - MARGIN_MS;
}

static const sb_challenge *find_scheme(const sb_challenge *list, size_t count, const char *scheme)
{
    for (size_t i = 0; i < count; i++)
        if (sb_slice_eq_nocase(list[i].scheme, sb_slice_z(scheme)))
            return &list[i];
    return NULL;
}

/* Some registries say how to log in at /v2/ alone. */
static size_t ask_root(sb_registry *registry, const sb_endpoint *endpoint,
                       sb_challenge list[SB_CHALLENGES_MAX])
{
    sb_autofree char *url =
        sb_asprintf("%s://%" SB_FMT "/v2/", endpoint->plain ? "http" : "https", SB_ARG(endpoint->host));
    sb_http_request request = {.url = sb_slice_z(url),
                               .max_body = SB_TOKEN_ANSWER_MAX,
                               .allow_loopback = endpoint->allow_local,
                               .tls = &endpoint->tls};
    SB_AUTO(sb_error) ignored = NULL;
    sb_autoresponse response = {0};

    if (sb_http_perform(registry->http, &request, &response, &ignored) < 0 || response.status != 401)
        return 0;
    return sb_challenges_of(registry->arena, &response, list);
}

static int by_token(sb_registry *registry, const sb_endpoint *endpoint, const sb_challenge *challenge,
                    const sb_credentials *credentials, sb_slice *ret_value, sb_error **err)
{
    sb_token_request request = {
        .registry = endpoint->host,
        .plain = endpoint->plain,
        .allow_local = endpoint->allow_local,
        .tls = &endpoint->tls,
        .settings = registry->settings,
        .challenge = challenge,
        .credentials = credentials,
        .scope = challenge->scope.len ? challenge->scope
                                      : sb_arena_printf(registry->arena, "repository:%" SB_FMT ":pull",
                                                        SB_ARG(endpoint->repository)),
    };
    int64_t seconds;

    if (sb_token_get(registry->http, registry->arena, &request, ret_value, &seconds, err) < 0)
        return -1;
    remember(registry, endpoint, *ret_value, seconds);
    return 0;
}

bool sb_authorization_get(sb_registry *registry, const sb_endpoint *endpoint, const sb_http_response *refused,
                          sb_slice *ret_value, sb_error **err)
{
    sb_challenge list[SB_CHALLENGES_MAX];
    size_t count = sb_challenges_of(registry->arena, refused, list);
    const sb_challenge *bearer, *basic;
    sb_credentials credentials = {0};
    int found;

    if (!count)
        count = ask_root(registry, endpoint, list);
    bearer = find_scheme(list, count, "Bearer");
    basic = find_scheme(list, count, "Basic");
    if (!bearer && !basic)
        return false;
    found = sb_credentials_find(registry->arena, endpoint->login, endpoint->repository, &credentials, err);
    if (found < 0)
        return false;
    if (bearer && credentials.registry_token.len) {
        *ret_value = sb_arena_printf(registry->arena, "Bearer %" SB_FMT, SB_ARG(credentials.registry_token));
        remember(registry, endpoint, *ret_value, SB_TOKEN_SECONDS);
        return true;
    }
    /* A Bearer challenge without a URL to go to is no way in; where Basic is offered too, it is the other
     * one. */
    if (bearer && !(basic && sb_slice_find(bearer->realm, SB_LIT("://")) < 0)) {
        SB_AUTO(sb_error) no_token = NULL;

        if (by_token(registry, endpoint, bearer, found ? &credentials : NULL, ret_value, &no_token) == 0)
            return true;
        if (!basic || !credentials.username.len) {
            sb_fail(err, no_token->code, "%s", no_token->message);
            return false;
        }
    }
    if (!credentials.username.len) {
        sb_fail(err, SB_ERR_AUTH, "%" SB_FMT " wants a user name and a password; log in",
                SB_ARG(endpoint->login));
        return false;
    }
    *ret_value = sb_credentials_basic(registry->arena, &credentials);
    remember(registry, endpoint, *ret_value, 3600);
    return true;
}
