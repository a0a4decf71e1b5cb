// SPDX-License-Identifier: Apache-2.0
/*
 * While recording: requests to where the client wants them, over HTTP/1.1. TLS is verified against the host's
 * trust store; redirects are the client's business. Any thread may ask.
 */
#ifndef STEP_UPSTREAM_H
#define STEP_UPSTREAM_H

#include <builder/step/server.h>

#include <sys/socket.h>

/* --- resolve.c: names --- */
enum { STEP_ADDRESSES_MAX = 16 };
typedef struct step_address {
    struct sockaddr_storage socket; /* with its port */
    socklen_t len;
} step_address;
/* By the resolvers of the configuration, or the system's; SB_ERR_NETWORK. */
int step_resolve(const step_config *config, sb_slice host, unsigned port,
                 step_address ret_addresses[STEP_ADDRESSES_MAX], size_t *ret_count, sb_error **err);

/* --- dial.c: connections --- */
/* To a host that a client named: not to the link, a cloud's metadata, or the server itself, which are
 * SB_ERR_USAGE; all else is SB_ERR_NETWORK. */
int step_dial(step_server *server, sb_slice host, unsigned port, int *ret_fd, sb_error **err);
/* To a proxy that the user named, wherever it is. */
int step_dial_proxy(const step_config *config, sb_slice host, unsigned port, int *ret_fd, sb_error **err);

/* --- proxy.c: the proxies of the machine --- */
/* A URL that sb_step_url() made, taken apart. */
typedef struct step_place {
    bool https;
    sb_slice authority, host;
    unsigned port;
} step_place;

typedef struct step_proxy {
    sb_slice host;
    unsigned port;
    char *authorization; /* "Basic …" or NULL */
} step_proxy;

int step_place_of(sb_slice url, step_place *ret_place, sb_error **err);
/* Which proxy leads to this place? *ret_proxy without a host: none. */
int step_proxy_for(const step_config *config, const step_place *to, step_proxy *ret_proxy, sb_error **err);
void step_proxy_clear(step_proxy *proxy);
/* Through a connection to the proxy, one to the place. */
int step_proxy_tunnel(step_stream *stream, const step_place *to, const step_proxy *through, sb_error **err);

/* --- upstream.c --- */
int step_upstream_new(step_server *server, step_upstream **ret_upstream, sb_error **err);
void step_upstream_free(step_upstream *upstream);
SB_DEFINE_CLEANUP(step_upstream, step_upstream_free)
/* Whatever is on its way fails soon, and whatever comes. */
void step_upstream_abort(step_upstream *upstream);

typedef struct step_ask {
    sb_slice method, url;  /* the URL as it is recorded: scheme and host count */
    sb_slice target;       /* path and query as the client said them */
    const step_head *head; /* of the client: its headers are sent but for those of its own connection */
    sb_slice body;
} step_ask;

typedef struct step_exchange {
    sb_arena *arena;
    step_stream stream;
    step_head head; /* of the answer; in the arena */
    step_body body;
    char *origin; /* whom the connection leads to */
    bool reused;
    struct step_exchange *next, **link; /* of those on their way */
} step_exchange;

/* Asks and waits for the head of the answer. SB_ERR_USAGE: refused. SB_ERR_NETWORK: no answer came. */
int step_upstream_ask(step_upstream *upstream, const step_ask *ask, step_exchange **ret_exchange,
                      sb_error **err);
/* As step_body_read. */
int step_exchange_read(step_exchange *exchange, sb_slice *ret_data);
/* The connection is kept for the next request when the answer was read to its end. */
void step_exchange_end(step_upstream *upstream, step_exchange *exchange);

#endif
