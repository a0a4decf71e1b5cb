// SPDX-License-Identifier: Apache-2.0
/* What formats have to tell a real one: checksums and structure. Offline, all of them. */
#include <rules/secrets/engine.h>

#include <zlib.h>

enum { DECODED_MAX = 12 << 10 };

static sb_slice behind_last(sb_slice text, char separator)
{
    ptrdiff_t at = sb_slice_rchr(text, separator);

    return at < 0 ? text : sb_slice_sub(text, (size_t)at + 1, text.len);
}

/* The last six characters are the CRC-32 of what is between the prefix and them, in base 62. */
static bool crc32_base62(sb_slice secret)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    sb_slice body = behind_last(secret, '_');
    uLong crc;

    if (body.len <= 6)
        return false;
    crc = crc32(0, (const Bytef *)body.ptr, (uInt)(body.len - 6));
    for (size_t i = 1; i <= 6; i++, crc /= 62)
        if (body.ptr[body.len - i] != alphabet[crc % 62])
            return false;
    return true;
}

static bool contains(const unsigned char *data, size_t len, const char *text)
{
    return sb_slice_find((sb_slice){(const char *)data, len}, sb_slice_z(text)) >= 0;
}

/* HEADER.PAYLOAD.SIGNATURE: the first is JSON with "alg", the second JSON. */
static bool jwt(sb_slice secret)
{
    unsigned char json[1024];
    sb_slice rest = secret, header = sb_slice_cut(&rest, '.'), payload = sb_slice_cut(&rest, '.');
    size_t len = secret_base64_decode(header, json, sizeof(json));

    if (len < 8 || json[0] != '{' || json[len - 1] != '}' || !contains(json, len, "\"alg\""))
        return false;
    if (contains(json, len, "\"enc\""))
        return true; /* encrypted: the second part is a key */
    len = secret_base64_decode(payload, json, sizeof(json));
    return len >= 2 && json[0] == '{';
}

static bool blank_or_escape(const char *p, const char *end, size_t *ret_len)
{
    bool escaped = *p == '\\' && end - p > 1 && (p[1] == 'n' || p[1] == 'r' || p[1] == 't' || p[1] == '\\');

    *ret_len = escaped ? 2 : 1;
    return escaped || *p == '\n' || *p == '\r' || *p == ' ' || *p == '\t';
}

/* The Base64 of a PEM block without line ends, which may be written "\n"; header lines ("Proc-Type: …")
 * skipped. */
static size_t pem_body(sb_slice pem, char *out, size_t max)
{
    const char *end = pem.ptr + pem.len, *p = pem.ptr;
    ptrdiff_t dashes = sb_slice_find(sb_slice_sub(pem, 5 < pem.len ? 5 : pem.len, pem.len), SB_LIT("-----"));
    size_t n = 0, line = 0, skip;

    if (dashes < 0)
        return 0;
    for (p += 5 + dashes + 5; p < end && *p != '-'; p += skip) {
        if (blank_or_escape(p, end, &skip)) {
            line = *p == ' ' || *p == '\t' ? line : n;
            continue;
        }
        if (*p == ':' || *p == ',') { /* a header: forget its line */
            const char *eol = memchr(p, '\n', (size_t)(end - p));

            n = line;
            skip = eol ? (size_t)(eol - p) : (size_t)(end - p);
        } else if (n < max) {
            out[n++] = *p;
        }
    }
    return n;
}

/* DER of a sequence, or what OpenSSH writes. */
static bool private_key(sb_slice secret)
{
    char body[DECODED_MAX];
    unsigned char der[DECODED_MAX];
    size_t len = pem_body(secret, body, sizeof(body));

    len = secret_base64_decode((sb_slice){body, len}, der, sizeof(der));
    if (len < 32)
        return false;
    if (memcmp(der, "openssh-key-v1", 15) == 0)
        return true;
    return der[0] == 0x30 && (der[1] == 0x81 || der[1] == 0x82 || der[1] < 0x80);
}

/* An OpenPGP packet of a secret key: tag 5 or 7. */
static bool pgp_key(sb_slice secret)
{
    char body[DECODED_MAX];
    unsigned char packet[DECODED_MAX];
    size_t len = pem_body(secret, body, sizeof(body));

    len = secret_base64_decode((sb_slice){body, len}, packet, sizeof(packet));
    return len >= 32 && ((packet[0] & 0xc0) == 0xc0 ? (packet[0] & 0x3f) == 5 : (packet[0] & 0xfc) == 0x94);
}

/* OpenSSH's private key with a cipher, and PEM that says so. */
static bool encrypted_key(sb_slice secret)
{
    char body[DECODED_MAX];
    unsigned char der[DECODED_MAX];
    size_t len;

    if (sb_slice_find(secret, SB_LIT("ENCRYPTED")) >= 0)
        return true;
    len = pem_body(secret, body, sizeof(body));
    len = secret_base64_decode((sb_slice){body, len}, der, sizeof(der));
    return len > 23 && memcmp(der, "openssh-key-v1", 15) == 0 && memcmp(der + 15, "\0\0\0\4none", 8) != 0;
}

static bool plain_key(sb_slice secret)
{
    return private_key(secret) && !encrypted_key(secret);
}

/* "user:password" in Base64, as HTTP and container tools keep it. */
static bool base64_user_password(sb_slice secret)
{
    unsigned char text[1024];
    size_t len = secret_base64_decode(secret, text, sizeof(text)), colon;

    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] == 0x7f)
            return false;
    for (colon = 0; colon < len && text[colon] != ':';)
        colon++;
    return colon > 0 && colon + 3 < len &&
           !secret_is_placeholder((sb_slice){(const char *)text + colon + 1, len - colon - 1});
}

/* A container tool's configuration as a whole in Base64. */
static bool base64_docker_config(sb_slice secret)
{
    unsigned char text[8192];
    size_t len = secret_base64_decode(secret, text, sizeof(text));

    return len > 20 && text[0] == '{' &&
           (contains(text, len, "\"auth\"") || contains(text, len, "\"password\""));
}

/* A PEM block as a whole in Base64, as Kubernetes has it. */
static bool base64_private_key(sb_slice secret)
{
    unsigned char pem[DECODED_MAX];
    size_t len = secret_base64_decode(secret, pem, sizeof(pem));
    sb_slice text = {(const char *)pem, len};

    return len > 64 && sb_slice_find(sb_slice_sub(text, 0, 64), SB_LIT("PRIVATE KEY-----")) >= 0 &&
           private_key(text);
}

static bool base64_binary(sb_slice secret)
{
    unsigned char bytes[1024];

    return secret_base64_decode(secret, bytes, sizeof(bytes)) >= 16;
}

/* Bech32 (BIP 173): the last six characters are a checksum over all. */
static bool bech32(sb_slice secret)
{
    static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    ptrdiff_t one = sb_slice_rchr(secret, '1');
    uint32_t sum = 1;

    if (one < 1 || secret.len - (size_t)one < 8)
        return false;
    for (size_t i = 0; i < 2 * (size_t)one + 1 + secret.len - (size_t)one - 1; i++) {
        size_t n = (size_t)one;
        uint32_t value, top = sum >> 25;

        if (i < n) {
            value = (uint32_t)(unsigned char)sb_ascii_lower(secret.ptr[i]) >> 5;
        } else if (i == n) {
            value = 0;
        } else if (i <= 2 * n) {
            value = (unsigned char)sb_ascii_lower(secret.ptr[i - n - 1]) & 31;
        } else {
            const char *known = strchr(alphabet, sb_ascii_lower(secret.ptr[i - n]));

            if (!known || !*known)
                return false;
            value = (uint32_t)(known - alphabet);
        }
        sum = (sum & 0x1ffffff) << 5 ^ value;
        for (unsigned bit = 0; bit < 5; bit++)
            sum ^= top >> bit & 1 ? generator[bit] : 0;
    }
    return sum == 1;
}

/* Two of upper case, lower case and digits at least, and no words: unlike a constant's or a function's name.
 */
static bool random_text(sb_slice secret)
{
    bool upper = false, lower = false, digit = false;

    for (size_t i = 0; i < secret.len; i++) {
        upper |= secret.ptr[i] >= 'A' && secret.ptr[i] <= 'Z';
        lower |= secret.ptr[i] >= 'a' && secret.ptr[i] <= 'z';
        digit |= secret.ptr[i] >= '0' && secret.ptr[i] <= '9';
    }
    return upper + lower + digit >= 2 && secret_wordiness(secret) <= 50;
}

static bool has_digit(sb_slice secret)
{
    for (size_t i = 0; i < secret.len; i++)
        if (secret.ptr[i] >= '0' && secret.ptr[i] <= '9')
            return true;
    return false;
}

static uint32_t big_endian(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* A Java key store whose first entry is a private key; trust stores hold certificates alone. */
static bool java_key_store(sb_slice secret)
{
    return secret.len >= 16 && big_endian(secret.ptr) == 0xfeedfeed && big_endian(secret.ptr + 4) <= 2 &&
           big_endian(secret.ptr + 8) > 0 && big_endian(secret.ptr + 12) == 1;
}

/* A PKCS #12 file with a key bag: its object identifier stands in clear. */
static bool pkcs12(sb_slice secret)
{
    sb_slice head = SB_LIT("\x02\x01\x03\x30"), bag = SB_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01");
    ptrdiff_t at = secret.len > 64 && secret.ptr[0] == 0x30 ? sb_slice_find(secret, bag) : -1;

    return at >= 0 && (size_t)at + bag.len < secret.len &&
           sb_slice_find(sb_slice_sub(secret, 0, 16), head) >= 0 &&
           (secret.ptr[(size_t)at + bag.len] == 1 || secret.ptr[(size_t)at + bag.len] == 2);
}

static const struct {
    const char *name;
    secret_check check;
} checks[] = {
    {"crc32-base62", crc32_base62},
    {"jwt", jwt},
    {"private-key", plain_key},
    {"encrypted-key", encrypted_key},
    {"pgp-key", pgp_key},
    {"base64", base64_binary},
    {"base64-user-password", base64_user_password},
    {"base64-docker-config", base64_docker_config},
    {"base64-private-key", base64_private_key},
    {"bech32", bech32},
    {"random", random_text},
    {"digit", has_digit},
    {"java-key-store", java_key_store},
    {"pkcs12", pkcs12},
};

secret_check secret_check_find(sb_slice name)
{
    for (size_t i = 0; i < SB_COUNT(checks); i++)
        if (sb_slice_eqz(name, checks[i].name))
            return checks[i].check;
    return NULL;
}
