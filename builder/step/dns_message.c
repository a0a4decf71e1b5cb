// SPDX-License-Identifier: Apache-2.0
/* One DNS question and its answer (RFC 1035): bytes in, bytes out. */
#include <builder/step/dns.h>

enum {
    HEADER = 12,
    TYPE_A = 1,
    TYPE_AAAA = 28,
    CLASS_IN = 1,
    FLAG_RESPONSE = 0x80, /* of the third byte */
    FLAG_RECURSION_WANTED = 0x01,
    OPCODE = 0x78,
    FLAG_RECURSION = 0x80, /* of the fourth */
    NO_ERROR = 0,
    FORMAT_ERROR = 1,
    NO_SUCH_NAME = 3,
    NOT_IMPLEMENTED = 4,
    LABEL_MAX = 63,
    TEXT_MAX = 253, /* of a name; with its lengths, 255 */
    TTL = 1,        /* seconds: nothing outlives the step */
};

/* Top-level names that never lead outside (RFC 6761, 6762); "localhost" is dealt with before. */
static const char *const inner[] = {"arpa", "invalid", "internal", "local", "onion"};

/* The name at HEADER as text, lower case, without the last dot; its end in the message. */
static bool read_name(sb_slice query, char text[STEP_DNS_NAME_SIZE], size_t *ret_end)
{
    size_t at = HEADER;
    size_t len = 0;

    for (;;) {
        unsigned char label;

        if (at >= query.len)
            return false;
        label = (unsigned char)query.ptr[at++];
        if (!label)
            break;
        /* No compression: there is nothing before a question to point at. */
        if (label > LABEL_MAX || at + label > query.len || len + (len != 0) + label > TEXT_MAX)
            return false;
        if (len)
            text[len++] = '.';
        for (size_t i = 0; i < label; i++) {
            char c = sb_ascii_lower(query.ptr[at + i]);

            /* Other bytes are allowed, but no host has them. */
            text[len++] = c > ' ' && c < 0x7f && c != '.' ? c : '?';
        }
        at += label;
    }
    text[len] = 0;
    *ret_end = at;
    return true;
}

/* What a name stands for. */
static step_dns_kind kind_of(const char *name, const char *host)
{
    const char *last = strrchr(name, '.');

    last = last ? last + 1 : name;
    if (strcmp(last, "localhost") == 0 || strcasecmp(name, host) == 0)
        return STEP_DNS_OWN;
    if (last == name)
        return STEP_DNS_NONE; /* one word: no host of the internet is called so */
    for (size_t i = 0; i < SB_COUNT(inner); i++)
        if (strcmp(last, inner[i]) == 0)
            return STEP_DNS_NONE;
    return STEP_DNS_OUTSIDE;
}

static unsigned read16(const char *at)
{
    return ((unsigned)(unsigned char)at[0] << 8) | (unsigned char)at[1];
}

static void put16(unsigned char *at, unsigned value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

/* The address that a question of this type is answered with; its length, 0: none of this type. */
static size_t address_of(const step_dns_names *names, step_dns_kind kind, unsigned type,
                         unsigned char address[16])
{
    static const unsigned char own4[4] = {127, 0, 0, 1};

    memset(address, 0, 16);
    if (type == TYPE_A && kind != STEP_DNS_NONE) {
        memcpy(address, kind == STEP_DNS_OWN ? own4 : names->outside, sizeof(own4));
        return sizeof(own4);
    }
    if (type == TYPE_AAAA && kind == STEP_DNS_OWN) {
        address[15] = 1;
        return 16;
    }
    return 0;
}

size_t step_dns_answer(const step_dns_names *names, sb_slice query, unsigned char out[STEP_DNS_ANSWER_SIZE],
                       step_dns_question *ret_question)
{
    step_dns_question question = {.kind = STEP_DNS_NONE};
    unsigned char address[16];
    size_t end, size;
    unsigned code, type;

    if (query.len < HEADER || ((unsigned char)query.ptr[2] & FLAG_RESPONSE))
        return 0; /* no question at all; to answer could go on for ever */
    memset(out, 0, HEADER);
    memcpy(out, query.ptr, 2);
    out[2] =
        (unsigned char)(FLAG_RESPONSE | ((unsigned char)query.ptr[2] & (OPCODE | FLAG_RECURSION_WANTED)));
    out[3] = FLAG_RECURSION;
    if ((unsigned char)query.ptr[2] & OPCODE) {
        out[3] |= NOT_IMPLEMENTED;
        return HEADER;
    }
    if (read16(query.ptr + 4) != 1 || !read_name(query, question.name, &end) || end + 4 > query.len) {
        out[3] |= FORMAT_ERROR;
        return HEADER;
    }
    type = read16(query.ptr + end);
    question.kind = kind_of(question.name, names->host);
    code = question.kind == STEP_DNS_NONE ? NO_SUCH_NAME : NO_ERROR;
    out[3] |= (unsigned char)code;
    put16(out + 4, 1);
    memcpy(out + HEADER, query.ptr + HEADER, end + 4 - HEADER);
    end += 4;
    size = read16(query.ptr + end - 2) == CLASS_IN ? address_of(names, question.kind, type, address) : 0;
    question.has_address = size != 0;
    if (size) {
        put16(out + 6, 1);
        put16(out + end, 0xc000 | HEADER); /* the name of the question */
        put16(out + end + 2, type);
        put16(out + end + 4, CLASS_IN);
        put16(out + end + 6, 0);
        put16(out + end + 8, TTL);
        put16(out + end + 10, (unsigned)size);
        memcpy(out + end + 12, address, size);
        end += 12 + size;
    }
    *ret_question = question;
    return end;
}
