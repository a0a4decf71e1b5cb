// SPDX-License-Identifier: Apache-2.0
#include <builder/step/dns.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { HOST_NAME_SIZE = 256, QUERY_MAX = 4096, BACKLOG = 64, TCP_WAIT_SECONDS = 2 };

typedef struct worker {
    pthread_t thread;
    bool runs;
} worker;

struct step_dns {
    step_dns_names names;
    char host[HOST_NAME_SIZE];
    step_dns_outside hook;
    void *ctx;
    int udp, tcp;
    int stop; /* an eventfd: readable when all has to end */
    worker udp_worker, tcp_worker;
};

static int listen_on(int type, unsigned port)
{
    sb_autoclose int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int taken;

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        (type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
        return -1;
    taken = fd;
    fd = -1;
    return taken;
}

int step_dns_new(const char *outside, unsigned port, step_dns_outside hook, void *ctx, step_dns **ret_dns,
                 sb_error **err)
{
    SB_AUTO(step_dns) dns = sb_new(step_dns);

    dns->hook = hook;
    dns->ctx = ctx;
    dns->udp = dns->tcp = dns->stop = -1;
    if (inet_pton(AF_INET, outside, dns->names.outside) != 1)
        return sb_fail(err, SB_ERR_INTERNAL, "%s is no address", outside);
    if (gethostname(dns->host, sizeof(dns->host) - 1) < 0)
        dns->host[0] = 0;
    dns->names.host = dns->host;
    dns->stop = eventfd(0, EFD_CLOEXEC);
    dns->udp = listen_on(SOCK_DGRAM, port);
    dns->tcp = dns->udp < 0 ? -1 : listen_on(SOCK_STREAM, port);
    *ret_dns = dns->tcp < 0 || dns->stop < 0 ? NULL : SB_TAKE(dns);
    return 0;
}

static size_t answer(const step_dns *dns, const char *query, size_t len, unsigned char *out)
{
    step_dns_question question = {.kind = STEP_DNS_NONE};
    size_t size = step_dns_answer(&dns->names, sb_slice_of(query, len), out, &question);

    if (question.kind == STEP_DNS_OUTSIDE && question.has_address && dns->hook)
        dns->hook(dns->ctx);
    return size;
}

/* Waits for something to read; false when all has to end. */
static bool wait_for(const step_dns *dns, int fd)
{
    struct pollfd wanted[] = {{.fd = fd, .events = POLLIN}, {.fd = dns->stop, .events = POLLIN}};

    while (poll(wanted, SB_COUNT(wanted), -1) < 0)
        if (errno != EINTR)
            return false;
    return !wanted[1].revents;
}

static void *serve_udp(void *arg)
{
    const step_dns *dns = arg;
    char query[QUERY_MAX];
    unsigned char out[STEP_DNS_ANSWER_SIZE];

    while (wait_for(dns, dns->udp)) {
        struct sockaddr_in from;
        socklen_t from_len = sizeof(from);
        ssize_t len =
            recvfrom(dns->udp, query, sizeof(query), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
        size_t size = len > 0 ? answer(dns, query, (size_t)len, out) : 0;

        if (size)
            sendto(dns->udp, out, size, MSG_NOSIGNAL, (struct sockaddr *)&from, from_len);
    }
    return NULL;
}

static bool receive(int fd, void *data, size_t len)
{
    return recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

/* Questions and answers with their length before them, until the client closes or is silent. */
static void serve_connection(const step_dns *dns, int fd)
{
    const struct timeval wait = {.tv_sec = TCP_WAIT_SECONDS};
    unsigned char length[2];
    unsigned char out[2 + STEP_DNS_ANSWER_SIZE];
    char query[QUERY_MAX];

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    while (receive(fd, length, sizeof(length))) {
        size_t len = (size_t)length[0] << 8 | length[1];
        size_t size;

        if (len > sizeof(query) || !receive(fd, query, len))
            return;
        size = answer(dns, query, len, out + 2);
        out[0] = (unsigned char)(size >> 8);
        out[1] = (unsigned char)size;
        if (!size || send(fd, out, size + 2, MSG_NOSIGNAL) < 0)
            return;
    }
}

static void *serve_tcp(void *arg)
{
    const step_dns *dns = arg;

    while (wait_for(dns, dns->tcp)) {
        sb_autoclose int fd = accept4(dns->tcp, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            serve_connection(dns, fd);
    }
    return NULL;
}

int step_dns_run(step_dns *dns, sb_error **err)
{
    dns->udp_worker.runs = pthread_create(&dns->udp_worker.thread, NULL, serve_udp, dns) == 0;
    dns->tcp_worker.runs = pthread_create(&dns->tcp_worker.thread, NULL, serve_tcp, dns) == 0;
    if (!dns->udp_worker.runs || !dns->tcp_worker.runs)
        return sb_fail(err, SB_ERR_IO, "cannot start the step's name server: no thread to be had");
    return 0;
}

void step_dns_free(step_dns *dns)
{
    const uint64_t one = 1;

    if (dns->stop >= 0 && write(dns->stop, &one, sizeof(one)) == (ssize_t)sizeof(one)) {
        if (dns->udp_worker.runs)
            pthread_join(dns->udp_worker.thread, NULL);
        if (dns->tcp_worker.runs)
            pthread_join(dns->tcp_worker.thread, NULL);
    }
    sb_closep(&dns->udp);
    sb_closep(&dns->tcp);
    sb_closep(&dns->stop);
    free(dns);
}
