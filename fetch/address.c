// SPDX-License-Identifier: Apache-2.0
#include <fetch/address.h>

#include <arpa/inet.h>
#include <netinet/in.h>

/* Metadata services that are not on the link: Alibaba, Azure, Oracle. */
static const uint32_t metadata_v4[] = {0x646464c8, 0xa83f8110, 0xc00000c0};
/* Amazon's: fd00:ec2::254 */
static const unsigned char metadata_v6[16] = {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54};

static bool is_local_v4(uint32_t a)
{
    for (size_t i = 0; i < SB_COUNT(metadata_v4); i++)
        if (a == metadata_v4[i])
            return true;
    return a >> 24 == 127 || a >> 24 == 0 || a >> 16 == 0xa9fe || a == 0xffffffff;
}

static uint32_t v4_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool is_local_v6(const struct in6_addr *a)
{
    static const unsigned char translated[12] = {0x00, 0x64, 0xff, 0x9b}; /* 64:ff9b::/96 */
    const unsigned char *bytes = a->s6_addr;

    if (IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_LINKLOCAL(a) ||
        memcmp(bytes, metadata_v6, sizeof(metadata_v6)) == 0)
        return true;
    if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a) ||
        memcmp(bytes, translated, sizeof(translated)) == 0)
        return is_local_v4(v4_at(bytes + 12));
    return bytes[0] == 0x20 && bytes[1] == 0x02 && is_local_v4(v4_at(bytes + 2)); /* 6to4 */
}

bool sb_address_is_local(const struct sockaddr *address)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return is_local_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6)
        return true;
    memcpy(&v6, address, sizeof(v6));
    return is_local_v6(&v6.sin6_addr);
}

/* The length in bytes of the address that `text` is, 0 when it is none. */
static size_t parse_address(sb_slice text, unsigned char bytes[16])
{
    char z[INET6_ADDRSTRLEN + 1];
    ptrdiff_t scope = sb_slice_chr(text, '%');

    if (scope >= 0)
        text.len = (size_t)scope;
    if (!text.len || text.len >= sizeof(z))
        return 0;
    memcpy(z, text.ptr, text.len);
    z[text.len] = '\0';
    if (inet_pton(AF_INET, z, bytes) == 1)
        return 4;
    if (inet_pton(AF_INET6, z, bytes) == 1)
        return 16;
    /* What getaddrinfo takes for an address as well: "127.1", "0x7f000001", "2130706433". */
    if (z[0] >= '0' && z[0] <= '9' && inet_aton(z, (struct in_addr *)(void *)bytes) == 1)
        return 4;
    return 0;
}

bool sb_address_text_is_local(sb_slice text)
{
    _Alignas(struct in6_addr) unsigned char bytes[16];
    struct in6_addr six;
    size_t len = parse_address(text, bytes);

    if (len == 4)
        return is_local_v4(v4_at(bytes));
    if (len != 16)
        return false;
    memcpy(&six, bytes, sizeof(six));
    return is_local_v6(&six);
}

bool sb_host_is_loopback(sb_slice name)
{
    static const unsigned char one[16] = {[15] = 1};
    _Alignas(struct in6_addr) unsigned char bytes[16];
    size_t len = parse_address(name, bytes);

    if (len)
        return len == 4 ? bytes[0] == 127 : memcmp(bytes, one, sizeof(one)) == 0;
    if (sb_slice_eq_nocase(name, SB_LIT("localhost")))
        return true;
    return name.len > strlen(".localhost") &&
           sb_slice_eq_nocase(sb_slice_sub(name, name.len - strlen(".localhost"), name.len),
                              SB_LIT(".localhost"));
}

bool sb_address_in_block(sb_slice text, sb_slice block)
{
    _Alignas(struct in6_addr) unsigned char address[16], base[16];
    ptrdiff_t slash = sb_slice_chr(block, '/');
    size_t len;
    uint64_t bits;

    if (slash < 0 || !sb_slice_to_u64(sb_slice_sub(block, (size_t)slash + 1, block.len), &bits))
        return false;
    len = parse_address(text, address);
    if (!len || parse_address(sb_slice_sub(block, 0, (size_t)slash), base) != len || bits > len * 8)
        return false;
    for (size_t i = 0; i < bits; i++)
        if (((address[i / 8] ^ base[i / 8]) >> (7 - i % 8)) & 1)
            return false;
    return true;
}
