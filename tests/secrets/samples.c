// SPDX-License-Identifier: Apache-2.0
#include <tests/secrets/samples.h>

#include <fcntl.h>
#include <zlib.h>

#include <sbuild/fs.h>

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* splitmix64 */
static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static const char *alphabet_of(char class)
{
    switch (class) {
    case 'A':
        return base62;
    case 'a':
        return "0123456789abcdefghijklmnopqrstuvwxyz";
    case 'U':
        return "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    case 'L':
        return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    case 'l':
        return "abcdefghijklmnopqrstuvwxyz";
    case 'h':
        return "0123456789abcdef";
    case 'H':
        return "0123456789ABCDEF";
    case 'd':
        return "0123456789";
    case 'b':
        return base64;
    case 't':
        return "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
    case '2':
        return "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    default:
        return NULL;
    }
}

/* No two neighbours are alike, so that no run of the same makes it a placeholder. */
static void add_random(sb_buf *out, const char *alphabet, size_t count, uint64_t *seed)
{
    size_t size = strlen(alphabet);
    char last = 0;

    for (size_t i = 0; i < count; i++) {
        char c = alphabet[next_random(seed) % size];

        while (c == last)
            c = alphabet[next_random(seed) % size];
        sb_buf_addc(out, c);
        last = c;
    }
}

static void add_base64(sb_buf *out, const char *data, size_t len, size_t line, const char *line_end)
{
    for (size_t i = 0, column = 0; i < len; i += 3) {
        unsigned char b[3] = {0};
        size_t n = len - i < 3 ? len - i : 3;

        memcpy(b, data + i, n);
        sb_buf_addc(out, base64[b[0] >> 2]);
        sb_buf_addc(out, base64[(b[0] & 3) << 4 | b[1] >> 4]);
        sb_buf_addc(out, n > 1 ? base64[(b[1] & 15) << 2 | b[2] >> 6] : '=');
        sb_buf_addc(out, n > 2 ? base64[b[2] & 63] : '=');
        column += 4;
        if (line && column >= line && i + 3 < len) {
            sb_buf_addz(out, line_end);
            column = 0;
        }
    }
}

static void add_bytes(sb_buf *out, size_t count, uint64_t *seed)
{
    for (size_t i = 0; i < count; i++)
        sb_buf_addc(out, (char)next_random(seed));
}

/* A block whose content begins with `head`. */
static void add_pem(sb_buf *out, sb_slice label, const char *headers, const char *head, size_t head_len,
                    const char *line_end, uint64_t *seed)
{
    sb_autobuf der = SB_BUF_INIT(4096);

    sb_buf_add(&der, head, head_len);
    add_bytes(&der, 600, seed);
    sb_buf_printf(out, "-----BEGIN %" SB_FMT "-----%s%s", SB_ARG(label), line_end, headers);
    add_base64(out, der.data, der.len, 64, line_end);
    sb_buf_printf(out, "%s-----END %" SB_FMT "-----", line_end, SB_ARG(label));
}

static void add_crc(sb_buf *out, sb_slice prefix, uint64_t *seed)
{
    sb_autobuf body = SB_BUF_INIT(64);
    char sum[7] = "";
    unsigned long crc;

    add_random(&body, base62, 30, seed);
    crc = crc32(0, (const Bytef *)body.data, (uInt)body.len);
    for (int i = 5; i >= 0; i--, crc /= 62)
        sum[i] = base62[crc % 62];
    sb_buf_adds(out, prefix);
    sb_buf_adds(out, sb_buf_slice(&body));
    sb_buf_addz(out, sum);
}

/* Bech32 with the prefix "age-secret-key-", in upper case. */
static void add_age(sb_buf *out, uint64_t *seed)
{
    static const char prefix[] = "age-secret-key-", alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    unsigned char values[2 * sizeof(prefix) + 64] = {0};
    size_t n = 0, first;
    uint32_t sum = 1;

    for (size_t i = 0; prefix[i]; i++)
        values[n++] = (unsigned char)prefix[i] >> 5;
    values[n++] = 0;
    for (size_t i = 0; prefix[i]; i++)
        values[n++] = (unsigned char)prefix[i] & 31;
    first = n;
    for (size_t i = 0; i < 52; i++)
        values[n++] = next_random(seed) & 31;
    n += 6;
    for (size_t i = 0; i < n; i++) {
        uint32_t top = sum >> 25;

        sum = (sum & 0x1ffffff) << 5 ^ values[i];
        for (unsigned bit = 0; bit < 5; bit++)
            sum ^= top >> bit & 1 ? generator[bit] : 0;
    }
    sum ^= 1;
    for (unsigned i = 0; i < 6; i++)
        values[n - 6 + i] = sum >> (5 * (5 - i)) & 31;
    sb_buf_addz(out, "AGE-SECRET-KEY-1");
    for (size_t i = first; i < n; i++) {
        char c = alphabet[values[i]];

        sb_buf_addc(out, c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
}

static void add_jwt(sb_buf *out, uint64_t *seed)
{
    sb_autobuf payload = SB_BUF_INIT(256);

    sb_buf_addz(out, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.");
    sb_buf_addz(&payload, "{\"sub\":\"");
    add_random(&payload, base62, 16, seed);
    sb_buf_addz(&payload, "\"}");
    while (payload.len % 3)
        sb_buf_addc(&payload, ' ');
    add_base64(out, payload.data, payload.len, 0, "");
    sb_buf_addc(out, '.');
    add_random(out, base62, 43, seed);
}

/* SEQUENCE, version 3, SEQUENCE, …, the object identifier of the bag `kind` (2: a key, 3: a certificate). */
static void add_pkcs12(sb_buf *out, char kind, uint64_t *seed)
{
    static const char head[] = "\x30\x82\x09\x11\x02\x01\x03\x30\x82",
                      bag[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01";

    sb_buf_add(out, head, sizeof(head) - 1);
    add_bytes(out, 40, seed);
    sb_buf_add(out, bag, sizeof(bag) - 1);
    sb_buf_addc(out, kind);
    add_bytes(out, 200, seed);
}

static void add_java_store(sb_buf *out, char tag, uint64_t *seed)
{
    static const char head[] = "\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0";

    sb_buf_add(out, head, sizeof(head) - 1);
    sb_buf_addc(out, tag);
    add_bytes(out, 200, seed);
}

static const char der_head[] = "\x30\x82\x02\x5c",
                  openssh_head[] = "openssh-key-v1\0\0\0\0\4none\0\0\0\4none",
                  openpgp_head[] = "\x95\x03\xbe\x04";

static bool expand_named(sb_slice name, uint64_t *seed, sb_buf *out)
{
    static const char encrypted[] =
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n";
    sb_slice argument = name, word = sb_slice_cut(&argument, ':');

    if (sb_slice_eqz(word, "u")) {
        static const size_t groups[] = {8, 4, 4, 4, 12};

        for (size_t i = 0; i < SB_COUNT(groups); i++) {
            sb_buf_addz(out, i ? "-" : "");
            add_random(out, alphabet_of('h'), groups[i], seed);
        }
    } else if (sb_slice_eqz(word, "crc")) {
        add_crc(out, argument, seed);
    } else if (sb_slice_eqz(word, "jwt")) {
        add_jwt(out, seed);
    } else if (sb_slice_eqz(word, "age")) {
        add_age(out, seed);
    } else if (sb_slice_eqz(word, "pem")) {
        add_pem(out, argument, "", der_head, sizeof(der_head) - 1, "\n", seed);
    } else if (sb_slice_eqz(word, "pemj")) {
        add_pem(out, argument, "", der_head, sizeof(der_head) - 1, "\\n", seed);
    } else if (sb_slice_eqz(word, "pemenc")) {
        add_pem(out, SB_LIT("RSA PRIVATE KEY"), encrypted, der_head, sizeof(der_head) - 1, "\n", seed);
    } else if (sb_slice_eqz(word, "pemopenssh")) {
        add_pem(out, SB_LIT("OPENSSH PRIVATE KEY"), "", openssh_head, sizeof(openssh_head) - 1, "\n", seed);
    } else if (sb_slice_eqz(word, "pgp")) {
        add_pem(out, SB_LIT("PGP PRIVATE KEY BLOCK"), "\n", openpgp_head, sizeof(openpgp_head) - 1, "\n",
                seed);
    } else if (sb_slice_eqz(word, "pgpbin")) {
        sb_buf_add(out, openpgp_head, sizeof(openpgp_head) - 1);
        add_bytes(out, 200, seed);
    } else if (sb_slice_eqz(word, "jks") || sb_slice_eqz(word, "jkstrust")) {
        add_java_store(out, word.len == 3 ? 1 : 2, seed);
    } else if (sb_slice_eqz(word, "p12") || sb_slice_eqz(word, "p12cert")) {
        add_pkcs12(out, word.len == 3 ? 2 : 3, seed);
    } else if (sb_slice_eqz(word, "kdbx")) {
        sb_buf_add(out, "\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", 8);
        add_bytes(out, 200, seed);
    } else if (sb_slice_eqz(word, "b64of")) {
        sb_autobuf inner = SB_BUF_INIT(SAMPLE_MAX);

        sb_buf_addz(&inner, "");
        if (sb_slice_starts(argument, SB_LIT("pem:")))
            expand_named(argument, seed, &inner);
        else
            sample_expand(argument, seed, &inner);
        add_base64(out, inner.data, inner.len, 0, "");
    } else {
        return false;
    }
    return true;
}

/* "{…}" at the beginning of the text: its length, or 0 when it is just text. */
static size_t expand_braces(sb_slice text, uint64_t *seed, sb_buf *out)
{
    size_t end = 0, depth = 0;
    sb_slice inner;
    uint64_t count;

    do {
        depth += text.ptr[end] == '{';
        depth -= text.ptr[end] == '}';
        end++;
    } while (depth && end < text.len);
    if (depth || end < 3)
        return 0;
    inner = sb_slice_sub(text, 1, end - 1);
    if (inner.len > 1 && alphabet_of(inner.ptr[0]) &&
        sb_slice_to_u64(sb_slice_sub(inner, 1, inner.len), &count)) {
        add_random(out, alphabet_of(inner.ptr[0]), count, seed);
        return end;
    }
    return expand_named(inner, seed, out) ? end : 0;
}

void sample_expand(sb_slice template, uint64_t *seed, sb_buf *out)
{
    for (size_t i = 0; i < template.len; i++) {
        char c = template.ptr[i], next = i + 1 < template.len ? template.ptr[i + 1] : 0;
        size_t braces = c == '{' ? expand_braces(sb_slice_sub(template, i, template.len), seed, out) : 0;

        if (braces) {
            i += braces - 1;
        } else if (c == '\\' && (next == 'n' || next == 'r' || next == '\\')) {
            sb_buf_addc(out, next == 'n' ? '\n' : next == 'r' ? '\r' : '\\');
            i++;
        } else {
            sb_buf_addc(out, c);
        }
    }
}

bool samples_load(const char *path, samples *ret_samples)
{
    sample current = {0};
    sb_slice rest, line;
    size_t len;

    *ret_samples = (samples){0};
    if (sb_read_file(AT_FDCWD, path, 16 << 20, &ret_samples->text, &len, NULL, NULL) < 0)
        return false;
    rest = (sb_slice){ret_samples->text, len};
    while ((line = sb_slice_cut(&rest, '\n')).ptr) {
        current.line++;
        if (sb_slice_starts(line, SB_LIT("+ ")) || sb_slice_starts(line, SB_LIT("- "))) {
            current.positive = line.ptr[0] == '+';
            current.template = sb_slice_sub(line, 2, line.len);
            *SB_PUSH(ret_samples->items, ret_samples->count, ret_samples->cap) = current;
        } else if (sb_slice_starts(line, SB_LIT("@ "))) {
            current.path = sb_slice_sub(line, 2, line.len);
        } else if (line.len && line.ptr[0] != '#') {
            current.rule = line;
            current.path = SB_NIL;
        }
    }
    return true;
}

void samples_free(samples *s)
{
    free(s->text);
    free(s->items);
}
