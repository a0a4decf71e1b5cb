// SPDX-License-Identifier: Apache-2.0
#include <builder/step/listen.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

enum { BACKLOG = 1024, USUAL_PORT = 23791 };

static int listen_on(const struct sockaddr *address, socklen_t len, int *ret_fd)
{
    sb_autoclose int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;

    if (fd < 0)
        return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (address->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, address, len) < 0 || listen(fd, BACKLOG) < 0)
        return errno;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static bool add_listener(struct step_listeners *listeners, int fd, step_entrance entrance)
{
    bool added;

    pthread_mutex_lock(&listeners->lock);
    added = listeners->count < STEP_LISTENERS_MAX;
    if (added)
        listeners->all[listeners->count++] = (step_listener){fd, entrance};
    pthread_mutex_unlock(&listeners->lock);
    return added;
}

/* Where it is free, as it is in a network of the step's own, the port is always the same: a step may write
 * its environment into the image. */
int step_listen_as_proxy(step_server *server, sb_error **err)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t len = sizeof(v4);
    int fd = -1, status;

    v4.sin_port = htons(USUAL_PORT);
    status = listen_on((const struct sockaddr *)&v4, len, &fd);
    if (status) {
        v4.sin_port = 0;
        status = listen_on((const struct sockaddr *)&v4, len, &fd);
    }
    if (status)
        return sb_fail(err, SB_ERR_IO, "cannot listen on 127.0.0.1: %s", strerror(status));
    (void)add_listener(server->listeners, fd, STEP_BY_PROXY);
    if (getsockname(fd, (struct sockaddr *)&v4, &len) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot listen on 127.0.0.1: %s", strerror(errno));
    server->port = ntohs(v4.sin_port);
    v6.sin6_port = v4.sin_port;
    if (listen_on((const struct sockaddr *)&v6, sizeof(v6), &fd) == 0)
        (void)add_listener(server->listeners, fd, STEP_BY_PROXY);
    return 0;
}

void step_listen_wake(const struct step_listeners *listeners)
{
    uint64_t one = 1;

    (void)!write(listeners->wake, &one, sizeof(one));
}

/* False: it was asked for before. */
static bool is_new_address(struct step_listeners *listeners, const char *address)
{
    bool fresh = true;

    pthread_mutex_lock(&listeners->lock);
    for (size_t i = 0; i < listeners->transparent_count; i++)
        fresh = fresh && strcmp(listeners->transparent[i], address) != 0;
    fresh = fresh && listeners->transparent_count < STEP_LISTENERS_MAX;
    if (fresh)
        memcpy(listeners->transparent[listeners->transparent_count++], address, strlen(address) + 1);
    pthread_mutex_unlock(&listeners->lock);
    return fresh;
}

bool step_server_owns(step_server *server, const struct sockaddr *address)
{
    struct step_listeners *listeners = server->listeners;
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in v4;
    bool own;

    /* Of both families the port is at the same place. */
    memcpy(&v4, address, sizeof(v4));
    own = ntohs(v4.sin_port) == server->port;
    if (own || address->sa_family != AF_INET || !inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text)))
        return own;
    pthread_mutex_lock(&listeners->lock);
    for (size_t i = 0; i < listeners->transparent_count; i++)
        own = own || strcmp(listeners->transparent[i], text) == 0;
    pthread_mutex_unlock(&listeners->lock);
    return own;
}

int step_server_listen_transparent(step_server *server, const char *address, sb_error **err)
{
    static const struct {
        uint16_t port;
        step_entrance entrance;
        /* the last: key servers, which gpg asks without a proxy */
    } ports[] = {{80, STEP_BY_HTTP_PORT}, {443, STEP_BY_HTTPS_PORT}, {11371, STEP_BY_HTTP_PORT}};
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    if (strlen(address) >= INET6_ADDRSTRLEN || inet_pton(AF_INET, address, &v4.sin_addr) != 1 ||
        ntohl(v4.sin_addr.s_addr) >> 24 != 127)
        return sb_fail(err, SB_ERR_INTERNAL, "%s is no loopback address", address);
    if (!is_new_address(server->listeners, address))
        return 0;
    for (size_t i = 0; i < SB_COUNT(ports); i++) {
        int fd = -1, status;

        v4.sin_port = htons(ports[i].port);
        status = listen_on((const struct sockaddr *)&v4, sizeof(v4), &fd);
        if (status == EADDRINUSE)
            continue;
        if (status)
            return sb_fail(err, SB_ERR_IO, "cannot listen on %s:%u: %s", address, ports[i].port,
                           strerror(status));
        if (!add_listener(server->listeners, fd, ports[i].entrance))
            close(fd);
    }
    step_listen_wake(server->listeners);
    return 0;
}
