// SPDX-License-Identifier: Apache-2.0
#include <lock/version_search.h>

#include <stdlib.h>

#include <sbuild/progress.h>

/* A registry that fails that often is not asked any more. */
enum { TROUBLES_MAX = 3 };

typedef struct search {
    sb_arena *arena;
    const sb_version_asker *asker;
    sb_tag requested;
    const sb_digest *digest;
    unsigned heads; /* asked so far */
    bool out_of_heads;
    sb_slice tag;     /* the answer */
    sb_slice near;    /* the best candidate that has another digest */
    sb_slice trouble; /* why something could not be asked */
    unsigned troubles;
    sb_slice *aliases;
    size_t alias_count, alias_cap;
    sb_slice *asked; /* tags that were asked for, not to do it twice */
    size_t asked_count, asked_cap;
} search;

static void add_alias(search *s, sb_slice tag)
{
    if (s->alias_count == SB_VERSION_ALIASES_MAX || sb_slice_eq(tag, s->requested.text))
        return;
    for (size_t i = 0; i < s->alias_count; i++)
        if (sb_slice_eq(s->aliases[i], tag))
            return;
    *SB_ARENA_PUSH(s->arena, s->aliases, s->alias_count, s->alias_cap) = sb_arena_dup(s->arena, tag);
}

static void note_trouble(search *s, const sb_error *failed)
{
    if (!s->trouble.ptr)
        s->trouble = sb_arena_dup(s->arena, sb_slice_z(failed ? failed->message : "no answer"));
    s->troubles++;
}

/* Has this tag the digest? 1 or 0; -1 when interrupted. */
static int ask(search *s, sb_slice tag, sb_error **err)
{
    SB_AUTO(sb_error) failed = NULL;
    sb_digest digest;
    int r;

    for (size_t i = 0; i < s->asked_count; i++)
        if (sb_slice_eq(s->asked[i], tag))
            return 0;
    if (s->troubles >= TROUBLES_MAX)
        return 0;
    if (s->heads == SB_VERSION_HEADS_MAX) {
        s->out_of_heads = true;
        return 0;
    }
    s->heads++;
    *SB_ARENA_PUSH(s->arena, s->asked, s->asked_count, s->asked_cap) = tag;
    r = s->asker->digest(s->asker->ctx, tag, &digest, &failed);
    if (r < 0) {
        if (sb_error_code(failed) == SB_ERR_INTERRUPTED)
            return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
        note_trouble(s, failed);
        return 0;
    }
    if (r && sb_digest_eq(&digest, s->digest))
        return 1;
    if (r && !s->near.ptr)
        s->near = tag;
    return 0;
}

static int by_preference(const void *a, const void *b)
{
    return sb_tag_prefer(a, b);
}

static bool claims(const sb_tag_list *list, size_t i, sb_slice digest, bool *ret_known)
{
    *ret_known = list->digests && list->digests[i].ptr;
    return *ret_known && sb_slice_eq(list->digests[i], digest);
}

/* The compatible tags of a list, best first; `*ret_complete` counts those that go beyond the requested one.
 */
static int try_list(search *s, const sb_tag_list *list, bool all_claimed, size_t *ret_fitting, sb_error **err)
{
    size_t count = 0, cap = 0, fitting = 0;
    sb_tag *candidates = NULL;
    char text[SB_DIGEST_TEXT];

    sb_digest_format(s->digest, text);
    for (size_t i = 0; i < list->count; i++) {
        bool known, equal = claims(list, i, sb_slice_z(text), &known);
        sb_tag tag;

        if (!sb_tag_parse(list->tags[i], &tag))
            continue;
        if (equal)
            add_alias(s, list->tags[i]);
        if (!sb_tag_compatible(&s->requested, &tag) || sb_slice_eq(tag.text, s->requested.text))
            continue;
        if (tag.number_count > s->requested.number_count)
            fitting++;
        if (equal || (!known && !all_claimed))
            *SB_ARENA_PUSH(s->arena, candidates, count, cap) = tag;
    }
    if (count)
        qsort(candidates, count, sizeof(*candidates), by_preference);
    for (size_t i = 0; i < count && !s->tag.ptr; i++) {
        int r = ask(s, candidates[i].text, err);

        if (r < 0)
            return -1;
        if (r)
            s->tag = candidates[i].text;
    }
    *ret_fitting = fitting;
    return 0;
}

/* These tags need not exist: where asking for one is trouble, the list tells which do. */
static int try_declared(search *s, const sb_slice *declared, size_t count, sb_error **err)
{
    for (size_t i = 0; i < count && !s->tag.ptr && !s->troubles; i++) {
        sb_slice tags[2];
        size_t n = declared[i].ptr ? sb_tag_derive(s->arena, &s->requested, declared[i], tags) : 0;

        for (size_t k = 0; k < n && !s->tag.ptr && !s->troubles; k++) {
            int r = ask(s, tags[k], err);

            if (r < 0)
                return -1;
            if (r)
                s->tag = tags[k];
        }
    }
    return 0;
}

static bool is_listed(const sb_tag_list *list, sb_slice tag)
{
    for (size_t i = 0; i < list->count; i++)
        if (sb_slice_eq(list->tags[i], tag))
            return true;
    return false;
}

/*
 * A name of a release line ("iron", "jammy") is in no version's tag. What the image declares of itself is
 * then better than nothing, if its digest is equal.
 */
static int try_renamed(search *s, const sb_tag_list *list, const sb_slice *declared, size_t count,
                       sb_error **err)
{
    if (s->requested.number_count || s->requested.word_count != 1)
        return 0;
    for (size_t i = 0; i < count && !s->tag.ptr; i++) {
        sb_tag version;
        sb_slice tags[2];

        if (!declared[i].ptr || !sb_tag_parse(declared[i], &version) || !sb_tag_is_full(&version) ||
            version.prerelease)
            continue;
        tags[0] = version.number;
        tags[1] = declared[i];
        for (size_t k = 0; k < 2 && !s->tag.ptr; k++) {
            int r = !list->count || is_listed(list, tags[k]) ? ask(s, tags[k], err) : 0;

            if (r < 0)
                return -1;
            if (r)
                s->tag = sb_arena_dup(s->arena, tags[k]);
        }
    }
    return 0;
}

static sb_slice no_version(search *s, size_t fitting)
{
    if (s->near.ptr && s->asker->same_platforms && s->asker->same_platforms(s->asker->ctx, s->near))
        return sb_arena_printf(s->arena,
                               "%" SB_FMT " has the same image for these platforms, but another index",
                               SB_ARG(s->near));
    if (s->troubles)
        return SB_LIT("the registry could not be asked for its tags");
    if (s->out_of_heads)
        return sb_arena_printf(s->arena, "none of the %d likeliest versioned tags has this digest",
                               SB_VERSION_HEADS_MAX);
    return fitting ? SB_LIT("no versioned tag has this digest") : SB_LIT("there is no versioned tag for it");
}

static int cmp_slices(const void *a, const void *b)
{
    return sb_slice_cmp(*(const sb_slice *)a, *(const sb_slice *)b);
}

static void finish(search *s, sb_version *ret_version)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->alias_count; i++)
        if (!s->tag.ptr || !sb_slice_eq(s->aliases[i], s->tag))
            s->aliases[kept++] = s->aliases[i];
    if (kept)
        qsort(s->aliases, kept, sizeof(*s->aliases), cmp_slices);
    ret_version->aliases = kept ? s->aliases : NULL;
    ret_version->alias_count = kept;
    ret_version->tag = s->tag;
    ret_version->detail = s->tag.ptr ? SB_NIL : s->trouble;
}

static int run(search *s, const sb_slice *declared, size_t declared_count, size_t *ret_fitting,
               sb_error **err)
{
    sb_tag_list list = {0};
    SB_AUTO(sb_error) failed = NULL;
    size_t fitting = 0;

    if (try_declared(s, declared, declared_count, err) < 0)
        return -1;
    for (unsigned i = 0; s->asker->side && i < s->asker->side_count && !s->tag.ptr; i++) {
        if (!s->asker->side(s->asker->ctx, i, &list))
            continue;
        if (try_list(s, &list, list.digests != NULL, &fitting, err) < 0)
            return -1;
        list = (sb_tag_list){0};
    }
    if (s->tag.ptr)
        return 0;
    if (s->asker->tags(s->asker->ctx, &list, &failed) < 0) {
        if (sb_error_code(failed) == SB_ERR_INTERRUPTED)
            return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
        note_trouble(s, failed);
        fitting = 1;
    } else if (try_list(s, &list, false, &fitting, err) < 0) {
        return -1;
    }
    if (!s->tag.ptr && try_renamed(s, &list, declared, declared_count, err) < 0)
        return -1;
    *ret_fitting = fitting;
    return 0;
}

int sb_version_search(sb_arena *arena, sb_slice requested, bool verify_requested, const sb_digest *digest,
                      const sb_slice *declared, size_t declared_count, const sb_version_asker *asker,
                      sb_version *ret_version, sb_error **err)
{
    search s = {.arena = arena, .asker = asker, .digest = digest};
    size_t fitting = 0;
    bool own = !verify_requested;

    *ret_version = (sb_version){0};
    if (!requested.ptr || !sb_tag_parse(requested, &s.requested)) {
        ret_version->reason = requested.ptr ? SB_LIT("its tag is no version") : SB_LIT("it has no tag");
        return 0;
    }
    if (verify_requested && (sb_tag_is_full(&s.requested) || s.requested.number_count >= 2)) {
        int r = ask(&s, requested, err);

        if (r < 0)
            return -1;
        own = r == 1;
    }
    if (sb_tag_is_full(&s.requested)) {
        if (own)
            ret_version->tag = requested;
        else
            ret_version->reason =
                s.troubles ? no_version(&s, 1) : SB_LIT("the tag has another digest by now");
        return 0;
    }
    if (run(&s, declared, declared_count, &fitting, err) < 0)
        return -1;
    /* "12.5" where nothing longer exists is as full as it gets. */
    if (!s.tag.ptr && own && !fitting && s.requested.number_count >= 2 && !s.requested.channel)
        s.tag = requested;
    if (!s.tag.ptr)
        ret_version->reason = no_version(&s, fitting);
    finish(&s, ret_version);
    return 0;
}
