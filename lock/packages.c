// SPDX-License-Identifier: Apache-2.0
/* From the answers that steps were given to the packages that people know. */
#include <lock/packages.h>

#include <stdlib.h>

#include <lock/lockfile.h>
#include <lock/native.h>
#include <lock/project.h>
#include <lock/step_manifest.h>

enum { STATUS_OK = 200, REDIRECT_FIRST = 301, REDIRECT_LAST = 308, REDIRECTS_MAX = 10 };

/* --- What one manifest names --- */

static sb_slice location_of(const sb_step_request *request)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (sb_slice_eqz(request->headers[i].name, "location"))
            return request->headers[i].value;
    return SB_NIL;
}

/* Where a Location of an answer from `base` leads. */
static sb_slice absolute(sb_arena *arena, sb_slice base, sb_slice location)
{
    ptrdiff_t host = sb_slice_find(base, SB_LIT("://")), end, slash;
    sb_slice url = location;

    if (sb_slice_starts(location, SB_LIT("//"))) {
        url = sb_arena_printf(arena, "%" SB_FMT ":%" SB_FMT, (int)host, base.ptr, SB_ARG(location));
    } else if (sb_slice_find(location, SB_LIT("://")) < 0) {
        for (end = host + 3; (size_t)end < base.len && base.ptr[end] != '/';)
            end++;
        slash = sb_slice_rchr(base, '/');
        if (!sb_slice_starts(location, SB_LIT("/")) && slash > end)
            end = slash + 1;
        url = sb_arena_printf(arena, "%" SB_FMT "%" SB_FMT, (int)end, base.ptr, SB_ARG(location));
    }
    return sb_step_url(arena, url, &url, NULL) < 0 ? SB_NIL : url;
}

/* What the request led to in the end; NULL when that is nothing. */
static const sb_step_request *followed(const sb_step_manifest *manifest, sb_arena *arena,
                                       const sb_step_request *request)
{
    for (int hop = 0; request && hop <= REDIRECTS_MAX; hop++) {
        sb_step_request next = {.method = SB_LIT("GET")};

        if (request->status == STATUS_OK)
            return request->has_content ? request : NULL;
        if (request->status < REDIRECT_FIRST || request->status > REDIRECT_LAST)
            return NULL;
        next.url = location_of(request);
        if (next.url.ptr)
            next.url = absolute(arena, request->url, next.url);
        if (!next.url.ptr)
            return NULL;
        next.wanted = request->wanted;
        next.wanted_count = request->wanted_count;
        request = sb_step_manifest_find(manifest, &next, request->turn);
    }
    return NULL;
}

/* A git server is asked several times at one URL; the objects are in the largest answer. */
static bool is_lesser_answer(const sb_step_manifest *manifest, const sb_step_request *request)
{
    if (!sb_slice_eqz(request->method, "POST"))
        return false;
    for (size_t i = 0; (i = sb_step_manifest_next(manifest, request->url, i)) > 0;) {
        const sb_step_request *other = &manifest->requests[i - 1];

        if (sb_slice_eq(other->url, request->url) && sb_slice_eq(other->method, request->method) &&
            (other->size > request->size || (other->size == request->size && other < request)))
            return true;
    }
    return false;
}

int sb_packages_of_manifest(const sb_step_manifest *manifest, sb_arena *arena, sb_named **ret_named,
                            size_t *ret_count, sb_error **err)
{
    sb_named *named = NULL;
    size_t count = 0, cap = 0;

    for (size_t i = 0; i < manifest->count; i++) {
        const sb_step_request *request = &manifest->requests[i], *end;
        bool is_get = sb_slice_eqz(request->method, "GET");
        /* The parts of the purl are parts of the URL, which must not go with the manifest. */
        sb_named one = {.url = sb_arena_dup(arena, request->url)};

        if ((!is_get && !sb_slice_ends(request->url, SB_LIT("/git-upload-pack"))) ||
            !sb_purl_of_url(arena, one.url, &one.purl) || is_lesser_answer(manifest, request))
            continue;
        end = followed(manifest, arena, request);
        one.text = sb_purl_format(arena, &one.purl);
        if (!end || !one.text.ptr)
            continue;
        one.file = sb_purl_file(arena, one.url);
        one.digest = end->digest;
        one.size = end->size;
        *SB_ARENA_PUSH(arena, named, count, cap) = one;
    }
    if (count > SB_LOCK_ENTRIES_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "a step downloads more than %d packages", SB_LOCK_ENTRIES_MAX);
    *ret_named = named;
    *ret_count = count;
    return 0;
}

/* --- The lock's list of them --- */

typedef struct asked { /* a package, and a step that asks for it */
    sb_slice purl;
    sb_digest digest;
    sb_slice step;
} asked;

typedef struct collector {
    sb_project *project;
    sb_lock *lock;
    sb_arena *arena;
    asked *items;
    size_t count, cap;
    sb_named **named; /* of each step */
    size_t *named_counts;
    size_t steps;
} collector;

static void add_asked(collector *c, sb_slice purl, const sb_digest *digest, const char *id)
{
    *SB_ARENA_PUSH(c->arena, c->items, c->count, c->cap) =
        (asked){purl, *digest, sb_arena_dup(c->lock->arena, sb_slice_z(id))};
}

/* Of a step whose manifest is in no store, what is known of it. */
static void add_known(collector *c, const char *id)
{
    for (size_t i = 0; i < c->lock->package_count; i++) {
        const sb_lock_package *package = &c->lock->packages[i];

        for (size_t k = 0; k < package->step_count; k++)
            if (sb_slice_eqz(package->steps[k], id))
                add_asked(c, package->purl, &package->digest, id);
    }
}

static int add_step(collector *c, const sb_lock_step *step, sb_error **err)
{
    SB_AUTO(sb_step_manifest) manifest = NULL;
    char id[SB_STEP_ID_LEN + 1];
    sb_named *named = NULL;
    size_t count = 0;

    sb_step_id(step->stage, &step->text, step->nth, step->platform, id);
    if (!sb_project_find(c->project, &step->manifest)) {
        add_known(c, id);
        return 0;
    }
    if (sb_lock_read_manifest(c->project, step, &manifest, err) < 0 ||
        sb_packages_of_manifest(manifest, c->arena, &named, &count, err) < 0)
        return -1;
    c->named[c->steps] = named;
    c->named_counts[c->steps++] = count;
    for (size_t i = 0; i < count; i++) {
        /* What only describes a package is none. */
        if (sb_slice_eqz(named[i].purl.subpath, "go.mod"))
            continue;
        add_asked(c, named[i].text, &named[i].digest, id);
    }
    return 0;
}

static int by_package(const void *a, const void *b)
{
    const asked *one = a, *other = b;
    int order = sb_slice_cmp(one->purl, other->purl);

    if (!order)
        order = sb_digest_cmp(&one->digest, &other->digest);
    return order ? order : sb_slice_cmp(one->step, other->step);
}

static int by_entry(const void *a, const void *b)
{
    return sb_lock_package_cmp(a, b);
}

/* What was known of it before: who vouches, and members of other versions. The lock's list is sorted. */
static const sb_lock_package *known_before(const sb_lock *lock, const asked *item)
{
    sb_lock_package key = {.purl = item->purl, .digest = item->digest};

    return lock->package_count ? bsearch(&key, lock->packages, lock->package_count, sizeof(key), by_entry)
                               : NULL;
}

static sb_lock_package new_package(const collector *c, const asked *item)
{
    const sb_lock_package *before = known_before(c->lock, item);
    sb_lock_package package = {.purl = sb_arena_dup(c->lock->arena, item->purl), .digest = item->digest};

    if (before) {
        package.integrity = before->integrity;
        package.vouched = before->vouched;
        package.extra = before->extra;
    }
    return package;
}

static int fill(collector *c, sb_error **err)
{
    sb_lock_package *packages = sb_arena_array(c->lock->arena, sb_lock_package, c->count + 1);
    sb_slice *steps = sb_arena_array(c->lock->arena, sb_slice, c->count + 1);
    size_t n = 0;

    sb_lock_sort(c->lock);
    if (c->count > 1)
        qsort(c->items, c->count, sizeof(*c->items), by_package);
    for (size_t i = 0; i < c->count; i++) {
        const asked *item = &c->items[i];
        bool same =
            i && sb_slice_eq(item->purl, item[-1].purl) && sb_digest_eq(&item->digest, &item[-1].digest);

        if (!same) {
            packages[n] = new_package(c, item);
            packages[n++].steps = &steps[i];
        } else if (sb_slice_eq(item->step, item[-1].step)) {
            continue; /* asked for twice by one step */
        }
        packages[n - 1].steps[packages[n - 1].step_count++] = item->step;
    }
    if (n > SB_LOCK_ENTRIES_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the steps download more than %d packages", SB_LOCK_ENTRIES_MAX);
    c->lock->packages = packages;
    c->lock->package_count = n;
    return 0;
}

/* --- Who vouches for them --- */

sb_slice sb_package_vouched(const sb_lock_package *package)
{
    static const char *const signed_kinds[] = {"pkg:deb/", "pkg:apk/", "pkg:rpm/"};

    if (package->vouched.len)
        return package->vouched;
    /* By the signature of an index, or their own, unless something else fetched them. */
    for (size_t i = 0; i < SB_COUNT(signed_kinds); i++)
        if (sb_slice_starts(package->purl, sb_slice_z(signed_kinds[i])))
            return SB_LIT("its package manager, if that fetched it; else nobody (first use)");
    return SB_LIT("nobody (first use)");
}

static int check_body(collector *c, const sb_native *native, const sb_named *named,
                      const sb_native_entry **ret_entry, sb_error **err)
{
    const sb_store *store = sb_project_find(c->project, &named->digest);
    sb_autofree char *shown = sb_printable(named->text);
    sb_autoclose int fd = -1;
    uint64_t size;

    if (!store)
        return sb_fail(err, SB_ERR_VERIFY, "%s is in no store here", shown);
    if (sb_store_open_object(store, &named->digest, &fd, &size, err) < 0)
        return sb_wrap(err, "%s", shown);
    return sb_native_check(native, named, fd, ret_entry, err);
}

/* What agreed before and is stated still need not be hashed again. */
static int vouch(collector *c, const sb_native *native, const sb_named *named, sb_error **err)
{
    sb_lock_package key = {.purl = named->text, .digest = named->digest};
    sb_lock_package *package = c->lock->package_count ? bsearch(&key, c->lock->packages,
                                                                c->lock->package_count, sizeof(key), by_entry)
                                                      : NULL;
    const sb_native_entry *entry = NULL;

    if (package && package->integrity.ptr)
        entry = sb_native_find_text(native, named, package->integrity);
    if (!entry && sb_native_knows(native, named) && check_body(c, native, named, &entry, err) < 0)
        return -1;
    if (package) {
        package->integrity = entry ? sb_arena_dup(c->lock->arena, entry->text) : SB_NIL;
        package->vouched = entry ? sb_arena_dup(c->lock->arena, entry->file) : SB_NIL;
    }
    return 0;
}

static int vouch_all(collector *c, sb_error **err)
{
    SB_AUTO(sb_native) native = NULL;

    if (sb_native_load(c->project, &native, err) < 0)
        return -1;
    for (size_t s = 0; s < c->steps; s++) {
        for (size_t i = 0; i < c->named_counts[s]; i++) {
            if (sb_interrupted)
                return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
            if (vouch(c, native, &c->named[s][i], err) < 0)
                return -1;
        }
    }
    return 0;
}

int sb_lock_fill_packages(sb_project *project, sb_lock *lock, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    collector c = {.project = project, .lock = lock, .arena = arena};

    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    c.named = sb_arena_array(arena, sb_named *, lock->step_count + 1);
    c.named_counts = sb_arena_array(arena, size_t, lock->step_count + 1);
    for (size_t i = 0; i < lock->step_count; i++)
        if (lock->steps[i].has_manifest && add_step(&c, &lock->steps[i], err) < 0)
            return -1;
    return fill(&c, err) < 0 || vouch_all(&c, err) < 0 ? -1 : 0;
}
