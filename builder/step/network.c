// SPDX-License-Identifier: Apache-2.0
/* Which network the step has: looked at without /proc and /sys, which an image may not have mounted. */
#include <builder/step/run.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { RESOLV_CONF_MAX = 64 << 10, NAMESERVERS_MAX = 8 };

static void free_addresses(struct ifaddrs **addresses)
{
    if (*addresses)
        freeifaddrs(*addresses);
}

static bool is_outside(const struct ifaddrs *entry)
{
    return !(entry->ifa_flags & IFF_LOOPBACK) && (entry->ifa_flags & IFF_UP) && entry->ifa_addr &&
           (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6);
}

static int list_addresses(struct ifaddrs **ret_addresses, sb_error **err)
{
    if (getifaddrs(ret_addresses) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot list the network interfaces: %s", strerror(errno));
    return 0;
}

int step_network_sealed(sb_error **err)
{
    __attribute__((cleanup(free_addresses))) struct ifaddrs *addresses = NULL;

    if (list_addresses(&addresses, err) < 0)
        return -1;
    for (const struct ifaddrs *entry = addresses; entry; entry = entry->ifa_next)
        if (is_outside(entry))
            return sb_fail(err, SB_ERR_ENGINE,
                           "the step has a network (%s is up), so it is not sealed; the engine has to run it "
                           "with --network=none",
                           entry->ifa_name);
    return 0;
}

/* The names of interfaces that are up and have an address, each once. */
static json_t *interfaces(const struct ifaddrs *addresses)
{
    json_t *list = json_array();
    json_t *seen;
    size_t i;

    for (const struct ifaddrs *entry = addresses; entry; entry = entry->ifa_next) {
        bool found = !entry->ifa_addr || !(entry->ifa_flags & IFF_UP);

        json_array_foreach(list, i, seen) found =
            found || strcmp(json_string_value(seen), entry->ifa_name) == 0;
        if (!found)
            json_array_append_new(list, json_string(entry->ifa_name));
    }
    return list;
}

/* An image without the file has no name servers. */
static json_t *nameservers(void)
{
    json_t *list = json_array();
    sb_autofree char *text = NULL;
    size_t len;
    bool missing;
    sb_slice rest;

    if (sb_read_file(AT_FDCWD, "/etc/resolv.conf", RESOLV_CONF_MAX, &text, &len, &missing, NULL) < 0)
        return list;
    rest = sb_slice_of(text, len);
    while (rest.ptr && json_array_size(list) < NAMESERVERS_MAX) {
        sb_slice line = sb_slice_trim(sb_slice_cut(&rest, '\n'));
        sb_slice word = SB_LIT("nameserver");

        if (sb_slice_starts(line, word) && line.len > word.len && strchr(" \t", line.ptr[word.len])) {
            sb_slice address = sb_slice_trim(sb_slice_sub(line, word.len, line.len));

            json_array_append_new(list, json_stringn(address.ptr, address.len));
        }
    }
    return list;
}

int step_probe(sb_buf *out, sb_error **err)
{
    __attribute__((cleanup(free_addresses))) struct ifaddrs *addresses = NULL;
    sb_autojson *result = json_object();
    struct utsname kernel;

    if (list_addresses(&addresses, err) < 0)
        return -1;
    json_object_set_new(result, "nameservers", nameservers());
    json_object_set_new(result, "interfaces", interfaces(addresses));
    json_object_set_new(result, "uid", json_integer(getuid()));
    if (uname(&kernel) == 0)
        sb_json_set_strz(result, "kernel", kernel.release);
    if (sb_json_write(result, out, err) < 0)
        return -1;
    sb_buf_addc(out, '\n');
    return sb_buf_check(out, "the probe", err);
}
