// SPDX-License-Identifier: Apache-2.0
#include <builder/step/head.h>

static const char token_marks[] = "!#$%&'*+-.^_`|~";

static bool is_token(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = sb_ascii_lower(text.ptr[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr(token_marks, c))))
            return false;
    }
    return text.len > 0;
}

size_t step_head_len(sb_slice text)
{
    size_t start = 0;

    /* Empty lines before a request: some clients end a body with one. */
    while (start < text.len && (text.ptr[start] == '\r' || text.ptr[start] == '\n'))
        start++;
    for (size_t i = start; i < text.len; i++) {
        const char *end = memchr(text.ptr + i, '\n', text.len - i);

        if (!end)
            return 0;
        i = (size_t)(end - text.ptr);
        if (i + 1 < text.len && text.ptr[i + 1] == '\n')
            return i + 2;
        if (i + 2 < text.len && text.ptr[i + 1] == '\r' && text.ptr[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

static sb_slice next_line(sb_slice *rest)
{
    sb_slice line = sb_slice_cut(rest, '\n');

    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool is_value(sb_slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static int read_version(sb_slice text, unsigned *ret_minor, sb_error **err)
{
    if (text.len != 8 || !sb_slice_starts(text, SB_LIT("HTTP/1.")) || text.ptr[7] < '0' || text.ptr[7] > '9')
        return sb_fail(err, SB_ERR_PARSE, "it is no HTTP/1.1");
    *ret_minor = text.ptr[7] > '0';
    return 0;
}

static int read_headers(sb_arena *arena, sb_slice rest, step_head *head, sb_error **err)
{
    size_t cap = 0;

    for (;;) {
        sb_slice value = next_line(&rest), name;

        if (!value.len)
            return 0;
        if (head->count == STEP_HEADERS_MAX)
            return sb_fail(err, SB_ERR_PARSE, "it has too many headers");
        if (sb_slice_chr(value, ':') < 0)
            return sb_fail(err, SB_ERR_PARSE, "a header has no colon");
        name = sb_slice_cut(&value, ':');
        value = sb_slice_trim(value);
        if (!is_token(name))
            return sb_fail(err, SB_ERR_PARSE, "the name of a header is none");
        if (!is_value(value))
            return sb_fail(err, SB_ERR_PARSE, "a header has control characters");
        *SB_ARENA_PUSH(arena, head->headers, head->count, cap) =
            (sb_step_header){sb_arena_lower(arena, name), value};
    }
}

sb_slice step_head_get(const step_head *head, const char *name)
{
    for (size_t i = 0; i < head->count; i++)
        if (sb_slice_eqz(head->headers[i].name, name))
            return head->headers[i].value;
    return SB_NIL;
}

bool step_head_has_token(const step_head *head, const char *name, sb_slice token)
{
    for (size_t i = 0; i < head->count; i++) {
        sb_slice rest = head->headers[i].value;

        if (!sb_slice_eqz(head->headers[i].name, name))
            continue;
        while (rest.ptr)
            if (sb_slice_eq_nocase(sb_slice_trim(sb_slice_cut(&rest, ',')), token))
                return true;
    }
    return false;
}

bool step_head_is_hop(const step_head *head, sb_slice name)
{
    static const char *const names[] = {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    };

    for (size_t i = 0; i < SB_COUNT(names); i++)
        if (sb_slice_eqz(name, names[i]))
            return true;
    return step_head_has_token(head, "connection", name);
}

/* How the body is framed. */
static int read_framing(step_head *head, sb_error **err)
{
    for (size_t i = 0; i < head->count; i++) {
        const sb_step_header *h = &head->headers[i];
        uint64_t length;

        if (sb_slice_eqz(h->name, "transfer-encoding")) {
            if (head->chunked || !sb_slice_eq_nocase(h->value, SB_LIT("chunked")))
                return sb_fail(err, SB_ERR_PARSE, "its transfer coding is not \"chunked\"");
            head->chunked = true;
        } else if (sb_slice_eqz(h->name, "content-length")) {
            if (!sb_slice_to_u64(h->value, &length) || (head->has_length && length != head->length))
                return sb_fail(err, SB_ERR_PARSE, "its length is no number");
            head->has_length = true;
            head->length = length;
        }
    }
    head->keep_alive = head->minor ? !step_head_has_token(head, "connection", SB_LIT("close"))
                                   : step_head_has_token(head, "connection", SB_LIT("keep-alive")) ||
                                         step_head_has_token(head, "proxy-connection", SB_LIT("keep-alive"));
    head->expects_continue =
        head->minor && sb_slice_eq_nocase(step_head_get(head, "expect"), SB_LIT("100-continue"));
    return 0;
}

static bool is_target(sb_slice target)
{
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.ptr[i] <= ' ' || target.ptr[i] == 0x7f)
            return false;
    return target.len > 0;
}

int step_head_request(sb_arena *arena, sb_slice text, step_head *ret_head, sb_error **err)
{
    step_head head = {0};
    sb_slice line;

    do
        line = next_line(&text);
    while (line.ptr && !line.len);
    head.method = sb_slice_cut(&line, ' ');
    head.target = sb_slice_cut(&line, ' ');
    if (!is_token(head.method) || !is_target(head.target))
        return sb_fail(err, SB_ERR_PARSE, "it does not begin with a method and a target");
    if (head.target.len > SB_STEP_URL_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "its URL is longer than %d bytes", SB_STEP_URL_MAX);
    if (read_version(line, &head.minor, err) < 0 || read_headers(arena, text, &head, err) < 0 ||
        read_framing(&head, err) < 0)
        return -1;
    if (head.chunked && head.has_length)
        return sb_fail(err, SB_ERR_PARSE, "it has a length and is chunked");
    *ret_head = head;
    return 0;
}

int step_head_answer(sb_arena *arena, sb_slice text, step_head *ret_head, sb_error **err)
{
    sb_slice line = next_line(&text), version = sb_slice_cut(&line, ' '), code = sb_slice_cut(&line, ' ');
    step_head head = {0};
    uint64_t status;

    if (read_version(version, &head.minor, err) < 0)
        return -1;
    if (code.len != 3 || !sb_slice_to_u64(code, &status) || status < 100)
        return sb_fail(err, SB_ERR_PARSE, "it has no status");
    head.status = (unsigned)status;
    if (read_headers(arena, text, &head, err) < 0 || read_framing(&head, err) < 0)
        return -1;
    if (head.chunked)
        head.has_length = false;
    *ret_head = head;
    return 0;
}
