// SPDX-License-Identifier: Apache-2.0
#include <lock/version_sources.h>

#include <sbuild/json.h>

enum { PAGE_MAX = 4 << 20, GROUP_TAGS_MAX = 4096 };

static void add_tags(sb_arena *arena, sb_slice line, sb_tag_list *list, size_t *cap)
{
    sb_slice rest = line;

    while (rest.ptr && list->count < GROUP_TAGS_MAX) {
        sb_slice tag = sb_slice_trim(sb_slice_cut(&rest, ','));

        if (tag.len)
            *SB_ARENA_PUSH(arena, list->tags, list->count, *cap) = sb_arena_dup(arena, tag);
    }
}

static bool has_tag(const sb_tag_list *list, sb_slice tag)
{
    for (size_t i = 0; i < list->count; i++)
        if (sb_slice_eq(list->tags[i], tag))
            return true;
    return false;
}

bool sb_official_group(sb_arena *arena, sb_slice text, sb_slice tag, sb_tag_list *ret_list)
{
    sb_slice rest = text;
    sb_tag_list list = {0};
    size_t cap = 0;

    for (;;) {
        bool at_end = !rest.ptr;
        sb_slice line = sb_slice_trim(sb_slice_cut(&rest, '\n'));

        if (at_end || !line.len) { /* groups stand apart by empty lines */
            if (has_tag(&list, tag)) {
                *ret_list = list;
                return true;
            }
            list = (sb_tag_list){0};
            cap = 0;
            if (at_end)
                return false;
        } else if (sb_slice_starts(line, SB_LIT("Tags:"))) {
            add_tags(arena, sb_slice_sub(line, strlen("Tags:"), line.len), &list, &cap);
        } else if (sb_slice_starts(line, SB_LIT("SharedTags:"))) {
            add_tags(arena, sb_slice_sub(line, strlen("SharedTags:"), line.len), &list, &cap);
        }
    }
}

bool sb_tag_page(sb_arena *arena, sb_slice text, sb_tag_list *list, size_t *cap, bool *ret_more)
{
    SB_AUTO(sb_error) ignored = NULL;
    sb_autojson *page = NULL;
    const char *digest_key = "digest";
    json_t *items, *item;
    size_t i;

    if (sb_json_parse(text, "tags", &page, &ignored) < 0)
        return false;
    items = sb_json_array(page, "results");
    if (!items) {
        items = sb_json_array(page, "tags");
        digest_key = "manifest_digest";
    }
    if (!items)
        return false;
    json_array_foreach(items, i, item)
    {
        sb_slice name = sb_json_str(item, "name"), digest = sb_json_str(item, digest_key);
        size_t digest_cap = *cap;

        if (!name.len || list->count >= SB_VERSION_TAGS_MAX)
            continue;
        if (list->count == *cap) { /* both arrays grow in step */
            size_t used = list->count;

            list->digests = sb_arena_grow(arena, list->digests, used, &digest_cap, sizeof(*list->digests));
        }
        list->tags = sb_arena_grow(arena, list->tags, list->count, cap, sizeof(*list->tags));
        list->tags[list->count] = sb_arena_dup(arena, name);
        list->digests[list->count] = digest.len ? sb_arena_dup(arena, digest) : SB_NIL;
        list->count++;
    }
    *ret_more = sb_json_str(page, "next").len > 0;
    return true;
}

static bool get(sb_http *http, sb_arena *arena, sb_slice url, sb_slice *ret_body)
{
    sb_http_request request = {.url = url, .max_body = PAGE_MAX, .no_retry = true};
    SB_AUTO(sb_error) ignored = NULL;
    sb_autoresponse response = {0};

    if (sb_http_perform(http, &request, &response, &ignored) < 0 || response.status != 200)
        return false;
    *ret_body = sb_arena_dup(arena, sb_buf_slice(&response.body));
    return true;
}

static int official(sb_http *http, sb_arena *arena, const sb_image_ref *ref, sb_tag_list *ret_list)
{
    sb_slice name, body;

    if (!sb_slice_starts(ref->repository, SB_LIT("library/")))
        return 0;
    name = sb_slice_sub(ref->repository, strlen("library/"), ref->repository.len);
    if (sb_slice_chr(name, '/') >= 0 ||
        !get(http, arena,
             sb_arena_printf(
                 arena,
                 "https://raw.githubusercontent.com/docker-library/official-images/master/library/%" SB_FMT,
                 SB_ARG(name)),
             &body))
        return 0;
    return sb_official_group(arena, body, ref->tag, ret_list);
}

static bool names_digest(const sb_tag_list *list, sb_slice digest)
{
    for (size_t i = 0; i < list->count; i++)
        if (sb_slice_eq(list->digests[i], digest))
            return true;
    return false;
}

static int hub(sb_http *http, sb_arena *arena, const sb_image_ref *ref, sb_tag_list *ret_list)
{
    sb_tag_list list = {0};
    size_t cap = 0;
    bool more = true;

    /* Names of one digest are pushed together: the page that has it is enough. */
    for (unsigned page = 1; more && page <= SB_HUB_PAGES_MAX; page++) {
        sb_slice body;

        if (!get(http, arena,
                 sb_arena_printf(arena,
                                 "https://hub.docker.com/v2/repositories/%" SB_FMT
                                 "/tags?page_size=100&ordering=last_updated&page=%u",
                                 SB_ARG(ref->repository), page),
                 &body) ||
            !sb_tag_page(arena, body, &list, &cap, &more))
            break;
        if (ref->digest.ptr && names_digest(&list, ref->digest))
            break;
    }
    *ret_list = list;
    return list.count > 0;
}

static int quay(sb_http *http, sb_arena *arena, const sb_image_ref *ref, sb_tag_list *ret_list)
{
    sb_tag_list list = {0};
    size_t cap = 0;
    bool more;
    sb_slice body;

    if (!get(http, arena,
             sb_arena_printf(
                 arena, "https://quay.io/api/v1/repository/%" SB_FMT "/tag/?onlyActiveTags=true&limit=100",
                 SB_ARG(ref->repository)),
             &body) ||
        !sb_tag_page(arena, body, &list, &cap, &more))
        return 0;
    *ret_list = list;
    return list.count > 0;
}

int sb_version_source(sb_http *http, const sb_settings *settings, sb_arena *arena, const sb_image_ref *ref,
                      unsigned which, sb_tag_list *ret_list)
{
    const sb_registry_settings *own = sb_settings_registry(settings, sb_image_ref_name(arena, ref));

    if (own && (own->location.ptr || own->mirror_count || own->blocked))
        return 0;
    if (sb_slice_eqz(ref->registry, "docker.io"))
        return which == 0 ? official(http, arena, ref, ret_list) : hub(http, arena, ref, ret_list);
    if (sb_slice_eqz(ref->registry, "quay.io") && which == 0)
        return quay(http, arena, ref, ret_list);
    return 0;
}
