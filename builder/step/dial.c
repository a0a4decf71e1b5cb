// SPDX-License-Identifier: Apache-2.0
#include <builder/step/upstream.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <fetch/address.h>

enum {
    CONNECT_MILLISECONDS = 15000,
    /* Where there are others to try: of a network that is configured and leads nowhere, IPv6 as a rule. */
    NEXT_MILLISECONDS = 3000,
};

static bool is_loopback(const step_address *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->socket.ss_family == AF_INET) {
        memcpy(&v4, &address->socket, sizeof(v4));
        return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
    }
    memcpy(&v6, &address->socket, sizeof(v6));
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

/* 0 and a blocking socket, or what went wrong. */
static int connect_to(const step_address *address, int milliseconds, int *ret_fd)
{
    sb_autoclose int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int status = 0, one = 1;
    socklen_t len = sizeof(status);

    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)&address->socket, address->len) < 0) {
        if (errno != EINPROGRESS)
            return errno;
        if (poll(&wait, 1, milliseconds) <= 0)
            return ETIMEDOUT;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &status, &len) < 0 || status)
            return status ? status : EIO;
    }
    if (fcntl(fd, F_SETFL, 0) < 0)
        return errno;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int check(step_server *server, sb_slice host, const step_address *address, sb_error **err)
{
    sb_autofree char *shown = sb_printable(host);
    bool loopback = is_loopback(address);

    if (!loopback && sb_address_is_local((const struct sockaddr *)&address->socket))
        return sb_fail(err, SB_ERR_USAGE,
                       "%s is a link-local address, which a build step has nothing to ask of", shown);
    if (loopback && step_server_owns(server, (const struct sockaddr *)&address->socket))
        return sb_fail(err, SB_ERR_USAGE, "%s leads to the server of the step itself", shown);
    return 0;
}

/* `guard`: the server whose clients named the host; NULL: the user did. */
static int dial(const step_config *config, step_server *guard, sb_slice host, unsigned port, int *ret_fd,
                sb_error **err)
{
    sb_autofree char *shown = sb_printable(host);
    step_address all[STEP_ADDRESSES_MAX];
    size_t count;
    int why = 0;

    if (step_resolve(config, host, port, all, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (guard && check(guard, host, &all[i], err) < 0)
            return -1;
    for (size_t i = 0; i < count; i++) {
        why = connect_to(&all[i], i + 1 < count ? NEXT_MILLISECONDS : CONNECT_MILLISECONDS, ret_fd);
        if (!why)
            return 0;
    }
    return sb_fail(err, SB_ERR_NETWORK, "cannot connect to %s:%u: %s", shown, port, strerror(why));
}

int step_dial(step_server *server, sb_slice host, unsigned port, int *ret_fd, sb_error **err)
{
    return dial(server->config, server, host, port, ret_fd, err);
}

int step_dial_proxy(const step_config *config, sb_slice host, unsigned port, int *ret_fd, sb_error **err)
{
    return dial(config, NULL, host, port, ret_fd, err);
}
