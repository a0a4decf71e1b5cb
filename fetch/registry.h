// SPDX-License-Identifier: Apache-2.0
/* The registry client's own parts: where to ask, who to be, one request. */
#ifndef SBUILD_FETCH_REGISTRY_H
#define SBUILD_FETCH_REGISTRY_H

#include <fetch/challenge.h>
#include <fetch/credentials.h>
#include <fetch/transfer.h>
#include <sbuild/registry.h>

enum { SB_ENDPOINTS_MAX = 16 };

/* One place that has a repository: a mirror or the registry itself. */
typedef struct sb_endpoint {
    sb_slice login;      /* what credentials are looked up by: "docker.io", "mirror.example:5000" */
    sb_slice host;       /* "registry-1.docker.io" */
    sb_slice repository; /* there */
    bool mirror;
    bool insecure;
    bool allow_local;
    bool plain; /* http; decided by sb_endpoint_url */
    sb_http_tls tls;
} sb_endpoint;

typedef struct sb_known_host {
    sb_slice host;
    bool plain;
} sb_known_host;

typedef struct sb_known_authorization {
    sb_slice host, repository;
    sb_slice value;  /* of the Authorization header */
    int64_t expires; /* sb_now_ms() */
} sb_known_authorization;

typedef struct sb_known_manifest {
    sb_slice name; /* "docker.io/library/node" */
    sb_manifest manifest;
} sb_known_manifest;

struct sb_registry {
    sb_http *http;
    const sb_settings *settings;
    sb_progress *progress;
    sb_arena *arena;
    sb_known_host *hosts;
    size_t host_count, host_cap;
    sb_known_authorization *authorizations;
    size_t authorization_count, authorization_cap;
    sb_known_manifest *manifests;
    size_t manifest_count, manifest_cap;
    sb_slice *warnings; /* shown already */
    size_t warning_count, warning_cap;
};

/* Where `ref` can be asked for, in order. `by_tag`: only those trusted to say what a tag is. SB_ERR_USAGE:
 * blocked. */
int sb_endpoints_for(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref, bool by_tag,
                     sb_endpoint **ret_endpoints, size_t *ret_count, sb_error **err);
/* "https://host/v2/REPOSITORY/REST"; finds out first whether the host speaks TLS where that is open. */
sb_slice sb_endpoint_url(sb_registry *registry, sb_arena *arena, sb_endpoint *endpoint, const char *rest);

/* What is known to work there, or an absent slice. */
sb_slice sb_authorization_known(const sb_registry *registry, const sb_endpoint *endpoint);
/* After a 401: new authorization by its challenges. False when there is nothing to try; *err when trying
 * failed. */
bool sb_authorization_get(sb_registry *registry, const sb_endpoint *endpoint, const sb_http_response *refused,
                          sb_slice *ret_value, sb_error **err);

/* A source for each endpoint, in `arena`. */
sb_source *sb_endpoint_sources(sb_registry *registry, sb_arena *arena, sb_endpoint *endpoints, size_t count,
                               const char *rest, const char *const *headers);
/* The `authorize` of sinks whose sources come from sb_endpoint_sources. */
bool sb_endpoint_authorize(sb_registry *registry, sb_transfer *transfer, sb_source *source, sb_error **err);
/* Tells the user what the registry warns of, once. */
void sb_registry_note_warnings(sb_registry *registry, const sb_endpoint *endpoint,
                               const sb_http_response *response);

typedef struct sb_registry_request {
    const char *method; /* NULL: GET */
    const char *rest;   /* "manifests/20" */
    const char *const *headers;
    size_t max_body;
    const sb_digest *expect; /* of the body; NULL: not known */
} sb_registry_request;
/* One request to the first endpoint that answers it. *ret_status (may be NULL) tells an answer, also on
 * failure. */
int sb_registry_send(sb_registry *registry, sb_arena *arena, sb_endpoint *endpoints, size_t count,
                     const sb_registry_request *request, sb_http_response *ret_response, size_t *ret_which,
                     long *ret_status, sb_error **err);

extern const char *const sb_manifest_accept[];

#endif
