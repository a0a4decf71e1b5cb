// SPDX-License-Identifier: Apache-2.0
/*
 * Names of hosts. Where the step's own resolver stands in /etc/resolv.conf (it answers every name with
 * loopback), the real ones of the configuration are asked, and /etc/hosts before them as anybody would.
 */
#include <builder/step/upstream.h>

#include <sbuild/fs.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <fetch/address.h>

enum { HOSTS_MAX = 1 << 20, DNS_ANSWER_MAX = 16 << 10, DNS_PORT = 53, DNS_SECONDS = 5, DNS_TRIES = 2 };

typedef struct addresses {
    step_address *all;
    size_t count;
    unsigned port;
} addresses;

static void add_v4(addresses *to, const void *bytes)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)to->port)};
    step_address *address;

    if (to->count == STEP_ADDRESSES_MAX)
        return;
    address = &to->all[to->count++];
    memcpy(&v4.sin_addr, bytes, sizeof(v4.sin_addr));
    memcpy(&address->socket, &v4, sizeof(v4));
    address->len = sizeof(v4);
}

static void add_v6(addresses *to, const void *bytes)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)to->port)};
    step_address *address;

    if (to->count == STEP_ADDRESSES_MAX)
        return;
    address = &to->all[to->count++];
    memcpy(&v6.sin6_addr, bytes, sizeof(v6.sin6_addr));
    memcpy(&address->socket, &v6, sizeof(v6));
    address->len = sizeof(v6);
}

static bool add_text(addresses *to, const char *text)
{
    unsigned char bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1)
        add_v4(to, bytes);
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        add_v6(to, bytes);
    else
        return false;
    return true;
}

static sb_slice next_word(sb_slice *line)
{
    size_t n = 0;

    *line = sb_slice_trim(*line);
    while (n < line->len && line->ptr[n] != ' ' && line->ptr[n] != '\t')
        n++;
    *line = sb_slice_sub(*line, n, line->len);
    return sb_slice_of(line->ptr - n, n);
}

static void ask_hosts(addresses *to, sb_slice host)
{
    sb_autofree char *text = NULL;
    bool missing = false;
    sb_slice rest;
    size_t len;

    if (sb_read_file(AT_FDCWD, "/etc/hosts", HOSTS_MAX, &text, &len, &missing, NULL) < 0 || missing)
        return;
    rest = sb_slice_of(text, len);
    while (rest.ptr) {
        sb_slice line = sb_slice_cut(&rest, '\n'), word;
        sb_autofree char *address = NULL;

        line = sb_slice_cut(&line, '#');
        address = sb_slice_dup(next_word(&line));
        while ((word = next_word(&line)).len) {
            if (sb_slice_eq_nocase(word, host)) {
                (void)add_text(to, address);
                break;
            }
        }
    }
}

/* An IPv6 server has its place beside the list that the header shows. */
static bool set_servers(struct __res_state *state, const step_config *config)
{
    int count = 0;

    for (size_t i = 0; i < config->nameserver_count && count < MAXNS; i++) {
        sb_autofree char *text = sb_slice_dup(config->nameservers[i]);
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT)};

        if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
            state->nsaddr_list[count++] = v4;
        } else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
            state->nsaddr_list[count].sin_family = 0;
            free(state->_u._ext.nsaddrs[count]);
            state->_u._ext.nsaddrs[count] = memcpy(sb_new(struct sockaddr_in6), &v6, sizeof(v6));
            count++;
        }
    }
    state->nscount = count;
    state->retrans = DNS_SECONDS;
    state->retry = DNS_TRIES;
    return count > 0;
}

static void ask_dns(addresses *to, struct __res_state *state, const char *host, int type)
{
    sb_autofree unsigned char *answer = sb_malloc(DNS_ANSWER_MAX);
    int len = res_nquery(state, host, ns_c_in, type, answer, DNS_ANSWER_MAX);
    ns_msg message;

    if (len < 0 || len > DNS_ANSWER_MAX || ns_initparse(answer, len, &message) < 0)
        return;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        ns_rr record;

        if (ns_parserr(&message, ns_s_an, i, &record) < 0)
            return;
        if (ns_rr_type(record) == ns_t_a && ns_rr_rdlen(record) == 4)
            add_v4(to, ns_rr_rdata(record));
        else if (ns_rr_type(record) == ns_t_aaaa && ns_rr_rdlen(record) == 16)
            add_v6(to, ns_rr_rdata(record));
    }
}

static void ask_servers(addresses *to, const step_config *config, const char *host)
{
    struct __res_state state = {0};

    if (res_ninit(&state) != 0)
        return;
    if (set_servers(&state, config)) {
        ask_dns(to, &state, host, ns_t_a);
        ask_dns(to, &state, host, ns_t_aaaa);
    }
    res_nclose(&state);
}

static void ask_system(addresses *to, const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;

    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return;
    for (const struct addrinfo *a = found; a; a = a->ai_next) {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;

        if (a->ai_family == AF_INET) {
            memcpy(&v4, a->ai_addr, sizeof(v4));
            add_v4(to, &v4.sin_addr);
        } else if (a->ai_family == AF_INET6) {
            memcpy(&v6, a->ai_addr, sizeof(v6));
            add_v6(to, &v6.sin6_addr);
        }
    }
    freeaddrinfo(found);
}

int step_resolve(const step_config *config, sb_slice host, unsigned port,
                 step_address ret_addresses[STEP_ADDRESSES_MAX], size_t *ret_count, sb_error **err)
{
    addresses to = {.all = ret_addresses, .port = port};
    sb_autofree char *name = sb_slice_dup(host);
    sb_autofree char *shown = sb_printable(host);

    if (add_text(&to, name)) {
        *ret_count = to.count;
        return 0;
    }
    if (config->nameserver_count) {
        ask_hosts(&to, host);
        if (!to.count && sb_host_is_loopback(host))
            (void)add_text(&to, "127.0.0.1");
        if (!to.count)
            ask_servers(&to, config, name);
    } else {
        ask_system(&to, name);
    }
    if (!to.count)
        return sb_fail(err, SB_ERR_NETWORK, "the name %s has no address", shown);
    *ret_count = to.count;
    return 0;
}
