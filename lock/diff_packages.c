// SPDX-License-Identifier: Apache-2.0
/* What RUN steps download, compared in the words of package managers. */
#include <lock/diff.h>

#include <stdlib.h>

#include <lock/lockfile.h>
#include <lock/purl.h>

enum { SHOWN = 300, LISTED = 20 };

/* --- Steps --- */

static void begin_step(sb_buf *out, const sb_lock_step *step)
{
    sb_buf_addz(out, "step RUN ");
    sb_buf_add_printable(out, step->command, SHOWN);
    if (step->stage.len) {
        sb_buf_addz(out, " (");
        sb_buf_add_printable(out, step->stage, SHOWN);
        sb_buf_addc(out, ')');
    }
    sb_buf_addz(out, ": ");
}

static void one_step(sb_buf *out, const sb_lock_step *step, const char *what)
{
    begin_step(out, step);
    sb_buf_printf(out, "%s for ", what);
    sb_buf_add_printable(out, step->platform, SHOWN);
    if (step->network.len)
        sb_buf_addz(out, ", not sealed\n");
    else
        sb_buf_printf(out, ", %zu requests, %llu bytes\n", step->requests, (unsigned long long)step->size);
}

static void add_network(sb_buf *out, sb_slice network)
{
    if (network.len)
        sb_buf_add_printable(out, network, SHOWN);
    else
        sb_buf_addz(out, "sealed");
}

static void both_steps(sb_buf *out, const sb_lock_step *a, const sb_lock_step *b)
{
    if (!sb_slice_eq(a->network, b->network)) {
        begin_step(out, b);
        sb_buf_addz(out, "network ");
        add_network(out, a->network);
        sb_buf_addz(out, " → ");
        add_network(out, b->network);
        sb_buf_addc(out, '\n');
    }
    if (a->has_manifest == b->has_manifest && (!a->has_manifest || sb_digest_eq(&a->manifest, &b->manifest)))
        return;
    begin_step(out, b);
    if (a->requests == b->requests && a->size == b->size)
        sb_buf_printf(out, "other answers to its %zu requests\n", b->requests);
    else
        sb_buf_printf(out, "%zu → %zu requests, %llu → %llu bytes\n", a->requests, b->requests,
                      (unsigned long long)a->size, (unsigned long long)b->size);
}

void sb_diff_steps(const sb_lock *old_lock, const sb_lock *new_lock, sb_buf *out)
{
    size_t i = 0, k = 0;

    while (i < old_lock->step_count || k < new_lock->step_count) {
        int order = i == old_lock->step_count   ? 1
                    : k == new_lock->step_count ? -1
                                                : sb_lock_step_cmp(&old_lock->steps[i], &new_lock->steps[k]);

        if (order < 0)
            one_step(out, &old_lock->steps[i++], "removed, was");
        else if (order > 0)
            one_step(out, &new_lock->steps[k++], "added,");
        else
            both_steps(out, &old_lock->steps[i++], &new_lock->steps[k++]);
    }
}

/* --- Packages --- */

typedef struct item { /* one package of one lock */
    sb_slice kind;    /* the purl without its version: what is the same package */
    sb_slice type, name, version;
    const sb_lock_package *package;
} item;

static int by_kind(const void *a, const void *b)
{
    const item *one = a, *other = b;
    int order = sb_slice_cmp(one->kind, other->kind);

    return order ? order : sb_slice_cmp(one->version, other->version);
}

static item *items_of(const sb_lock *lock, sb_arena *arena)
{
    item *items = sb_arena_array(arena, item, lock->package_count + 1);

    for (size_t i = 0; i < lock->package_count; i++) {
        item *one = &items[i];
        sb_slice rest;

        one->package = &lock->packages[i];
        sb_purl_parts(arena, one->package->purl, &one->kind, &one->name, &one->version);
        rest = one->kind;
        one->type = sb_slice_cut(&rest, '/');
        /* What is no purl is compared as it is. */
        if (!one->name.len)
            one->kind = one->name = one->package->purl;
    }
    if (lock->package_count > 1)
        qsort(items, lock->package_count, sizeof(*items), by_kind);
    return items;
}

typedef struct items {
    const item *at;
    size_t count;
} items;

/* All of the first one's kind. */
static items same_kind(const item *at, size_t count)
{
    items found = {at, 0};

    while (found.count < count && sb_slice_eq(at[found.count].kind, at->kind))
        found.count++;
    return found;
}

static bool has_version(items list, sb_slice version)
{
    for (size_t i = 0; i < list.count; i++)
        if (sb_slice_eq(list.at[i].version, version))
            return true;
    return false;
}

static bool has_digest(items list, const sb_digest *digest)
{
    for (size_t i = 0; i < list.count; i++)
        if (sb_digest_eq(&list.at[i].package->digest, digest))
            return true;
    return false;
}

/* The versions of `list` that `other` lacks, each once. */
static size_t versions_beyond(items list, items other, sb_arena *arena, sb_slice **ret_versions)
{
    sb_slice *versions = sb_arena_array(arena, sb_slice, list.count + 1);
    size_t n = 0;

    for (size_t i = 0; i < list.count; i++)
        if (!has_version(other, list.at[i].version) &&
            (!n || !sb_slice_eq(versions[n - 1], list.at[i].version)))
            versions[n++] = list.at[i].version;
    *ret_versions = versions;
    return n;
}

/* What is new or gone, by type. */
typedef struct group {
    sb_slice type;
    size_t count, vouched;
    sb_buf names;
} group;

typedef struct differ {
    sb_arena *arena;
    sb_buf *out;
    sb_slice last; /* line: the same package for two platforms is told once */
    group *added, *removed;
    size_t added_count, added_cap, removed_count, removed_cap;
} differ;

static void add_versions(sb_buf *out, const sb_slice *versions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sb_buf_addz(out, i ? ", " : "");
        sb_buf_add_printable(out, versions[i].len ? versions[i] : SB_LIT("(no version)"), SHOWN);
    }
}

static void add_line(differ *d, sb_buf *line)
{
    if (sb_slice_eq(d->last, sb_buf_slice(line)))
        return;
    sb_buf_adds(d->out, sb_buf_slice(line));
    d->last = sb_arena_dup(d->arena, sb_buf_slice(line));
}

static void begin_package(sb_buf *line, const item *one)
{
    sb_buf_addz(line, "package ");
    sb_buf_add_printable(line, one->name, SHOWN);
    if (one->type.len && !sb_slice_eq(one->name, one->package->purl)) {
        sb_buf_addz(line, " (");
        sb_buf_add_printable(line, one->type, SHOWN);
        sb_buf_addc(line, ')');
    }
    sb_buf_addz(line, ": ");
}

static void note(differ *d, group **groups, size_t *count, size_t *cap, items list, const sb_slice *versions,
                 size_t version_count)
{
    enum { NAMES_MAX = 16384 };
    group *g = NULL;

    for (size_t i = 0; i < *count && !g; i++)
        if (sb_slice_eq((*groups)[i].type, list.at->type))
            g = &(*groups)[i];
    if (!g) {
        g = SB_ARENA_PUSH(d->arena, *groups, *count, *cap);
        *g = (group){.type = list.at->type, .names = SB_BUF_INIT(NAMES_MAX)};
    }
    for (size_t i = 0; i < version_count; i++) {
        if (g->count++ < LISTED) {
            sb_buf_addz(&g->names, g->count > 1 ? ", " : "");
            sb_buf_add_printable(&g->names, list.at->name, SHOWN);
            sb_buf_addz(&g->names, versions[i].len ? " " : "");
            sb_buf_add_printable(&g->names, versions[i], SHOWN);
        }
        for (size_t k = 0; k < list.count; k++) {
            if (!sb_slice_eq(list.at[k].version, versions[i]) || !list.at[k].package->vouched.len)
                continue;
            g->vouched++;
            break;
        }
    }
}

static void tell_groups(differ *d, group *groups, size_t count, const char *what, bool vouched)
{
    for (size_t i = 0; i < count; i++) {
        group *g = &groups[i];

        sb_buf_printf(d->out, "%zu package%s %s (", g->count, g->count == 1 ? "" : "s", what);
        sb_buf_add_printable(d->out, g->type.len ? g->type : SB_LIT("of no known kind"), SHOWN);
        if (vouched && g->vouched)
            sb_buf_printf(d->out, ", %zu vouched for by a lock file of the project", g->vouched);
        sb_buf_printf(d->out, "): %" SB_FMT, SB_ARG(sb_buf_slice(&g->names)));
        if (g->count > LISTED)
            sb_buf_printf(d->out, " and %zu more", g->count - LISTED);
        sb_buf_addc(d->out, '\n');
        sb_buf_free(&g->names);
    }
}

/* Of a version that both have: are the bytes others, or is somebody else vouching? */
static void diff_common(differ *d, items a, items b)
{
    for (size_t i = 0; i < b.count; i++) {
        sb_autobuf line = SB_BUF_INIT(8192);
        const sb_lock_package *now = b.at[i].package, *was = NULL;

        for (size_t k = 0; k < a.count && !was; k++)
            if (sb_slice_eq(a.at[k].version, b.at[i].version))
                was = a.at[k].package;
        if (!was)
            continue;
        begin_package(&line, &b.at[i]);
        sb_buf_add_printable(&line, b.at[i].version, SHOWN);
        if (!has_digest(a, &now->digest)) {
            char before[SB_DIGEST_TEXT], after[SB_DIGEST_TEXT];

            /* Another file beside those that stay is of another platform, or so. */
            if (has_digest(b, &was->digest))
                continue;
            sb_digest_format(&was->digest, before);
            sb_digest_format(&now->digest, after);
            sb_buf_printf(&line, ", same version, other bytes: %.19s → %.19s\n", before, after);
        } else if (sb_digest_eq(&was->digest, &now->digest) && !sb_slice_eq(was->vouched, now->vouched)) {
            sb_buf_addz(&line, ", vouched for by ");
            sb_buf_add_printable(&line, was->vouched.len ? was->vouched : SB_LIT("nobody"), SHOWN);
            sb_buf_addz(&line, " → ");
            sb_buf_add_printable(&line, now->vouched.len ? now->vouched : SB_LIT("nobody"), SHOWN);
            sb_buf_addc(&line, '\n');
        } else {
            continue;
        }
        add_line(d, &line);
    }
}

static void diff_kind(differ *d, items a, items b)
{
    sb_slice *gone, *come;
    size_t gone_count = versions_beyond(a, b, d->arena, &gone);
    size_t come_count = versions_beyond(b, a, d->arena, &come);

    diff_common(d, a, b);
    if (gone_count && come_count) {
        sb_autobuf line = SB_BUF_INIT(8192);

        begin_package(&line, b.at);
        add_versions(&line, gone, gone_count);
        sb_buf_addz(&line, " → ");
        add_versions(&line, come, come_count);
        sb_buf_addc(&line, '\n');
        add_line(d, &line);
    } else if (come_count) {
        note(d, &d->added, &d->added_count, &d->added_cap, b, come, come_count);
    } else if (gone_count) {
        note(d, &d->removed, &d->removed_count, &d->removed_cap, a, gone, gone_count);
    }
}

void sb_diff_packages(const sb_lock *old_lock, const sb_lock *new_lock, sb_arena *arena, sb_buf *out)
{
    const item *a = items_of(old_lock, arena), *b = items_of(new_lock, arena);
    size_t an = old_lock->package_count, bn = new_lock->package_count;
    differ d = {.arena = arena, .out = out};

    while (an || bn) {
        int order = !an ? 1 : !bn ? -1 : sb_slice_cmp(a->kind, b->kind);
        items was = order <= 0 ? same_kind(a, an) : (items){a, 0};
        items is = order >= 0 ? same_kind(b, bn) : (items){b, 0};

        diff_kind(&d, was, is);
        a += was.count;
        an -= was.count;
        b += is.count;
        bn -= is.count;
    }
    tell_groups(&d, d.added, d.added_count, "new", true);
    tell_groups(&d, d.removed, d.removed_count, "gone", false);
}
