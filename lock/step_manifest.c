// SPDX-License-Identifier: Apache-2.0
/*
 * The requests of a step, found by URL through an index of chains: a step may ask 100,000 times, and each
 * question is looked up while a client waits.
 */
#include <lock/step_manifest.h>

#include <stdlib.h>

sb_step_manifest *sb_step_manifest_new(void)
{
    sb_step_manifest *manifest = sb_new(sb_step_manifest);

    manifest->arena = sb_arena_new();
    return manifest;
}

void sb_step_manifest_free(sb_step_manifest *manifest)
{
    if (!manifest)
        return;
    free(manifest->requests);
    free(manifest->slots);
    free(manifest->before);
    sb_arena_free(manifest->arena);
    free(manifest);
}

/* --- Order and equality --- */

static int cmp_headers(const sb_step_header *a, size_t an, const sb_step_header *b, size_t bn)
{
    int order = 0;

    for (size_t i = 0; !order && i < an && i < bn; i++) {
        order = sb_slice_cmp(a[i].name, b[i].name);
        if (!order)
            order = sb_slice_cmp(a[i].value, b[i].value);
    }
    return order ? order : (an > bn) - (an < bn);
}

static int cmp_bodies(const sb_step_request *a, const sb_step_request *b)
{
    if (a->has_body != b->has_body)
        return a->has_body ? 1 : -1;
    return a->has_body ? sb_digest_cmp(&a->body, &b->body) : 0;
}

static int cmp_questions(const sb_step_request *a, const sb_step_request *b)
{
    int order = sb_slice_cmp(a->url, b->url);

    if (!order)
        order = sb_slice_cmp(a->method, b->method);
    if (!order)
        order = cmp_bodies(a, b);
    return order ? order : cmp_headers(a->wanted, a->wanted_count, b->wanted, b->wanted_count);
}

int sb_step_request_cmp(const sb_step_request *a, const sb_step_request *b)
{
    int order = cmp_questions(a, b);

    return order ? order : (a->turn > b->turn) - (a->turn < b->turn);
}

bool sb_step_same_question(const sb_step_request *a, const sb_step_request *b)
{
    return cmp_questions(a, b) == 0;
}

bool sb_step_request_eq(const sb_step_request *a, const sb_step_request *b)
{
    return sb_step_request_cmp(a, b) == 0 && a->status == b->status && a->size == b->size &&
           a->has_content == b->has_content && (!a->has_content || sb_digest_eq(&a->digest, &b->digest)) &&
           cmp_headers(a->headers, a->header_count, b->headers, b->header_count) == 0;
}

static int by_header(const void *a, const void *b)
{
    return cmp_headers(a, 1, b, 1);
}

void sb_step_headers_sort(sb_step_header *headers, size_t count)
{
    if (count > 1)
        qsort(headers, count, sizeof(*headers), by_header);
}

/* --- The index --- */

static size_t slot_of(const sb_step_manifest *manifest, sb_slice url)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < url.len; i++)
        hash = (hash ^ (unsigned char)url.ptr[i]) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32) & (manifest->slot_count - 1);
}

size_t sb_step_manifest_next(const sb_step_manifest *manifest, sb_slice url, size_t after)
{
    if (!manifest->slot_count)
        return 0;
    return after ? manifest->before[after - 1] : manifest->slots[slot_of(manifest, url)];
}

static void index_request(sb_step_manifest *manifest, size_t i)
{
    size_t slot = slot_of(manifest, manifest->requests[i].url);

    manifest->before[i] = manifest->slots[slot];
    manifest->slots[slot] = (uint32_t)i + 1;
}

/* With room for `count` requests. */
static void index_all(sb_step_manifest *manifest, size_t count)
{
    enum { SLOTS_FIRST = 64 };
    size_t want = manifest->slot_count ? manifest->slot_count : SLOTS_FIRST;

    while (want < count)
        want *= 2;
    free(manifest->slots);
    manifest->slots = sb_new_array(uint32_t, want);
    manifest->slot_count = want;
    for (size_t i = 0; i < manifest->count; i++)
        index_request(manifest, i);
}

static int by_request(const void *a, const void *b)
{
    return sb_step_request_cmp(a, b);
}

void sb_step_manifest_sort(sb_step_manifest *manifest)
{
    bool sorted = true;

    for (size_t i = 1; i < manifest->count && sorted; i++)
        sorted = sb_step_request_cmp(&manifest->requests[i - 1], &manifest->requests[i]) <= 0;
    if (sorted)
        return;
    qsort(manifest->requests, manifest->count, sizeof(*manifest->requests), by_request);
    index_all(manifest, manifest->count);
}

/* --- Adding --- */

static sb_step_header *dup_headers(sb_arena *arena, const sb_step_header *headers, size_t count)
{
    sb_step_header *copy = sb_arena_array(arena, sb_step_header, count + 1);

    for (size_t i = 0; i < count; i++)
        copy[i] =
            (sb_step_header){sb_arena_dup(arena, headers[i].name), sb_arena_dup(arena, headers[i].value)};
    sb_step_headers_sort(copy, count);
    return copy;
}

static sb_step_request dup_request(sb_arena *arena, const sb_step_request *request)
{
    sb_step_request copy = *request;

    copy.method = sb_arena_dup(arena, request->method);
    copy.url = sb_arena_dup(arena, request->url);
    copy.wanted = dup_headers(arena, request->wanted, request->wanted_count);
    copy.headers = dup_headers(arena, request->headers, request->header_count);
    return copy;
}

sb_step_request *sb_step_manifest_add(sb_step_manifest *manifest, const sb_step_request *request)
{
    sb_step_request copy;
    size_t before_len = manifest->count;

    if (manifest->count == SB_STEP_REQUESTS_MAX)
        return NULL;
    copy = dup_request(manifest->arena, request);
    for (size_t i = 0; (i = sb_step_manifest_next(manifest, copy.url, i)) > 0;)
        if (sb_step_request_eq(&manifest->requests[i - 1], &copy))
            return &manifest->requests[i - 1];
    *SB_PUSH(manifest->requests, manifest->count, manifest->cap) = copy;
    *SB_PUSH(manifest->before, before_len, manifest->before_cap) = 0;
    if (manifest->count > manifest->slot_count)
        index_all(manifest, manifest->count);
    else
        index_request(manifest, manifest->count - 1);
    return &manifest->requests[manifest->count - 1];
}

/* --- Finding --- */

/* Of two entries of one question: is `a` nearer to this turn than `b`? */
static bool nearer(const sb_step_request *a, const sb_step_request *b, unsigned turn)
{
    if (!b || a->turn == turn)
        return true;
    return b->turn != turn && a->turn > b->turn;
}

static sb_slice accepted(const sb_step_request *request)
{
    for (size_t i = 0; i < request->wanted_count; i++)
        if (sb_slice_eqz(request->wanted[i].name, "accept"))
            return request->wanted[i].value;
    return SB_NIL;
}

/* The wanted headers agree but for `accept`. */
static bool same_but_accept(const sb_step_request *a, const sb_step_request *b)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a->wanted_count && sb_slice_eqz(a->wanted[i].name, "accept"))
            i++;
        while (k < b->wanted_count && sb_slice_eqz(b->wanted[k].name, "accept"))
            k++;
        if (i == a->wanted_count || k == b->wanted_count)
            return i == a->wanted_count && k == b->wanted_count;
        if (cmp_headers(&a->wanted[i++], 1, &b->wanted[k++], 1) != 0)
            return false;
    }
}

static bool varies_by_accept(const sb_step_request *answer)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        sb_slice rest = answer->headers[i].value;

        if (!sb_slice_eqz(answer->headers[i].name, "vary"))
            continue;
        while (rest.ptr) {
            sb_slice name = sb_slice_trim(sb_slice_cut(&rest, ','));

            if (sb_slice_eqz(name, "*") || sb_slice_eq_nocase(name, SB_LIT("accept")))
                return true;
        }
    }
    return false;
}

/* What is known of the question under this method, see sb_step_manifest_find. */
static const sb_step_request *find_as(const sb_step_manifest *manifest, const sb_step_request *question,
                                      sb_slice method, unsigned turn)
{
    const sb_step_request *exact = NULL, *other = NULL;
    bool several = false;

    for (size_t i = 0; (i = sb_step_manifest_next(manifest, question->url, i)) > 0;) {
        const sb_step_request *request = &manifest->requests[i - 1];

        if (!sb_slice_eq(request->url, question->url) || !sb_slice_eq(request->method, method) ||
            cmp_bodies(request, question) != 0)
            continue;
        if (cmp_headers(request->wanted, request->wanted_count, question->wanted, question->wanted_count) ==
            0) {
            if (nearer(request, exact, turn))
                exact = request;
        } else if (same_but_accept(request, question)) {
            several = several || (other && !sb_slice_eq(accepted(request), accepted(other)));
            if (nearer(request, other, turn))
                other = request;
        }
    }
    if (exact || !other)
        return exact;
    return several || varies_by_accept(other) ? NULL : other;
}

const sb_step_request *sb_step_manifest_find(const sb_step_manifest *manifest,
                                             const sb_step_request *question, unsigned turn)
{
    const sb_step_request *found = find_as(manifest, question, question->method, turn);

    return found || !sb_slice_eqz(question->method, "HEAD")
               ? found
               : find_as(manifest, question, SB_LIT("GET"), turn);
}
