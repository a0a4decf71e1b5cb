// SPDX-License-Identifier: Apache-2.0
#include <fetch/registry.h>

#include <sbuild/json.h>

enum { PAGE_SIZE = 1000, PAGES_MAX = 1000, PAGE_BYTES_MAX = 8 << 20 };

typedef struct listing {
    sb_arena *arena;
    sb_slice *tags, *digests;
    size_t count, max, tag_cap, digest_cap;
} listing;

static void add_tag(listing *l, sb_slice tag, sb_slice digest)
{
    size_t count = l->count;

    if (!tag.len || l->count >= l->max)
        return;
    *SB_ARENA_PUSH(l->arena, l->digests, count, l->digest_cap) =
        digest.ptr ? sb_arena_dup(l->arena, digest) : SB_NIL;
    *SB_ARENA_PUSH(l->arena, l->tags, l->count, l->tag_cap) = sb_arena_dup(l->arena, tag);
}

/* Google's registries tell which digest has which tags: {"manifest": {DIGEST: {"tag": [...]}}}. By tag, then.
 */
static json_t *digests_by_tag(const json_t *page)
{
    json_t *map = json_object(), *entry, *item;
    const char *digest;
    size_t i;

    json_object_foreach(sb_json_object(page, "manifest"), digest, entry)
        json_array_foreach(sb_json_array(entry, "tag"), i, item) if (json_is_string(item))
            json_object_set_new(map, json_string_value(item), json_string(digest));
    return map;
}

static int add_page(listing *l, sb_slice text, sb_error **err)
{
    sb_autojson *page = NULL, *digests = NULL;
    json_t *item;
    size_t i;

    if (sb_json_parse(text, "tags/list", &page, err) < 0)
        return -1;
    digests = digests_by_tag(page);
    json_array_foreach(sb_json_array(page, "tags"), i, item)
    {
        const char *tag = json_string_value(item);

        if (tag)
            add_tag(l, sb_slice_z(tag), sb_json_str(digests, tag));
    }
    return 0;
}

/* The target of `Link: <…>; rel="next"`, or an absent slice. */
static sb_slice next_link(const sb_http_response *response)
{
    for (unsigned n = 0;; n++) {
        sb_slice value = sb_http_header(response, "Link", n);
        ptrdiff_t end;

        if (!value.ptr)
            return SB_NIL;
        while (value.len && (end = sb_slice_chr(value, '>')) > 0) {
            sb_slice target = sb_slice_sub(value, 0, (size_t)end),
                     rest = sb_slice_sub(value, (size_t)end + 1, value.len);
            ptrdiff_t start = sb_slice_chr(target, '<');
            sb_slice parameters = sb_slice_cut(&rest, ',');

            if (start >= 0 && (sb_slice_find(parameters, SB_LIT("rel=\"next\"")) >= 0 ||
                               sb_slice_find(parameters, SB_LIT("rel=next")) >= 0))
                return sb_slice_sub(target, (size_t)start + 1, target.len);
            value = rest.ptr ? rest : SB_LIT("");
        }
    }
}

/*
 * What to ask for next, below the repository; absent at the end. Another origin or repository in the link
 * counts for nothing but its query: some proxies leave their own prefix out.
 */
static sb_slice next_rest(sb_arena *arena, const sb_http_response *response)
{
    sb_slice link = next_link(response);
    ptrdiff_t query = sb_slice_chr(link, '?');

    if (query < 0)
        return SB_NIL;
    return sb_arena_printf(arena, "tags/list%" SB_FMT, SB_ARG(sb_slice_sub(link, (size_t)query, link.len)));
}

static bool same_origin(const sb_http_response *response)
{
    sb_slice link = next_link(response);
    sb_autourl here = {0}, there = {0};

    return sb_url_parse(sb_slice_z(response->final_url), &here, NULL) == 0 &&
           sb_url_follow(&here, link, &there, NULL) == 0 && sb_url_same_origin(&here, &there);
}

int sb_registry_tags(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref, size_t max,
                     sb_slice **ret_tags, sb_slice **ret_digests, size_t *ret_count, sb_error **err)
{
    listing l = {.arena = arena, .max = max};
    sb_slice rest = sb_arena_printf(arena, "tags/list?n=%d", PAGE_SIZE), name = sb_image_ref_name(arena, ref);
    sb_endpoint *endpoints;
    size_t count, which = 0;

    if (sb_endpoints_for(registry, arena, ref, true, &endpoints, &count, err) < 0)
        return -1;
    for (int page = 0; rest.ptr && l.count < max; page++) {
        sb_registry_request request = {.rest = rest.ptr, .max_body = PAGE_BYTES_MAX};
        sb_autoresponse response = {0};
        sb_slice next;

        if (page >= PAGES_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "%" SB_FMT ": the list of tags has more than %d pages",
                           SB_ARG(name), PAGES_MAX);
        if (sb_registry_send(registry, arena, endpoints, count, &request, &response, &which, NULL, err) < 0 ||
            add_page(&l, sb_buf_slice(&response.body), err) < 0)
            return sb_wrap(err, "the tags of %" SB_FMT, SB_ARG(name));
        next = next_rest(arena, &response);
        if (next.ptr && (!same_origin(&response) || sb_slice_eq(next, rest)))
            next = SB_NIL;
        rest = next;
        endpoints += which; /* the one that began also goes on */
        count = 1;
        which = 0;
    }
    *ret_tags = l.tags;
    *ret_digests = l.digests;
    *ret_count = l.count;
    return 0;
}
