// SPDX-License-Identifier: Apache-2.0
/* Two layers, entry by entry. */
#include <builder/compare.h>

#include <sbuild/timefmt.h>

typedef struct listed {
    sb_layer_entry entry;
    size_t place; /* in the layer */
} listed;

typedef struct listing {
    listed *entries; /* sorted by path; owned */
    size_t count, cap;
    int fd;
} listing;

static void listing_clear(listing *list)
{
    free(list->entries);
}

/* "/" before all else, so that what is in a directory follows it. */
static int compare_paths(sb_slice a, sb_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < len; i++)
        if (a.ptr[i] != b.ptr[i])
            return a.ptr[i] == '/'   ? -1
                   : b.ptr[i] == '/' ? 1
                                     : (unsigned char)a.ptr[i] - (unsigned char)b.ptr[i];
    return a.len < b.len ? -1 : a.len > b.len;
}

static int compare_listed(const void *a, const void *b)
{
    return compare_paths(((const listed *)a)->entry.path, ((const listed *)b)->entry.path);
}

static const sb_xattr *copy_xattrs(sb_arena *arena, const sb_layer_entry *entry)
{
    sb_xattr *copy = sb_arena_array(arena, sb_xattr, entry->xattr_count + 1);

    for (size_t i = 0; i < entry->xattr_count; i++)
        copy[i] = (sb_xattr){sb_arena_dup(arena, entry->xattrs[i].name),
                             sb_arena_dup(arena, entry->xattrs[i].value)};
    return copy;
}

static int read_listing(int fd, sb_arena *arena, listing *list, sb_error **err)
{
    SB_AUTO(sb_layer_source) source = NULL;
    SB_AUTO(sb_layer_reader) reader = NULL;
    sb_layer_entry entry;
    int more;

    list->fd = fd;
    if (fd < 0)
        return 0;
    if (sb_layer_source_open(fd, "a layer", &source, err) < 0)
        return -1;
    reader = sb_layer_reader_new(source);
    while ((more = sb_layer_next(reader, &entry, err)) > 0) {
        if (list->count == SB_TREE_ENTRIES_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "a layer has more than %d files", SB_TREE_ENTRIES_MAX);
        entry.path = sb_arena_dup(arena, entry.path);
        entry.link = sb_arena_dup(arena, entry.link);
        entry.xattrs = (sb_xattr *)(uintptr_t)copy_xattrs(arena, &entry);
        *SB_PUSH(list->entries, list->count, list->cap) = (listed){entry, list->count};
    }
    if (more < 0)
        return -1;
    if (list->count > 0)
        qsort(list->entries, list->count, sizeof(listed), compare_listed);
    return 0;
}

/* A directory that only leads to what is in it. */
static bool leads_on(const listing *list, size_t index)
{
    sb_slice path = list->entries[index].entry.path, next;

    if (list->entries[index].entry.type != SB_ENTRY_DIR || index + 1 >= list->count)
        return false;
    next = list->entries[index + 1].entry.path;
    return next.len > path.len && sb_slice_starts(next, path) && next.ptr[path.len] == '/';
}

static const char *type_name(sb_entry_type type)
{
    switch (type) {
    case SB_ENTRY_FILE:
        return "file";
    case SB_ENTRY_HARD_LINK:
        return "hard link";
    case SB_ENTRY_SYMLINK:
        return "symbolic link";
    case SB_ENTRY_CHAR:
    case SB_ENTRY_BLOCK:
        return "device";
    case SB_ENTRY_DIR:
        return "directory";
    case SB_ENTRY_FIFO:
        return "pipe";
    }
    return "something";
}

/* Of an entry what of it differs: "mode 0644, owner 0:0". */
static sb_slice detail_of(sb_arena *arena, const sb_layer_entry *entry, unsigned kinds)
{
    sb_autobuf out = SB_BUF_INIT(1 << 16);

    if (kinds & SB_DIFF_TYPE)
        sb_buf_printf(&out, "%s, ", type_name(entry->type));
    if (entry->type == SB_ENTRY_SYMLINK || entry->type == SB_ENTRY_HARD_LINK) {
        sb_buf_addz(&out, entry->type == SB_ENTRY_SYMLINK ? "points to " : "is the file ");
        sb_buf_add_printable(&out, entry->link, SB_COMPARE_LINE_MAX);
        sb_buf_addz(&out, ", ");
    }
    if (kinds & SB_DIFF_MODE)
        sb_buf_printf(&out, "mode %04o, ", entry->mode);
    if (kinds & SB_DIFF_OWNER)
        sb_buf_printf(&out, "owner %u:%u, ", entry->uid, entry->gid);
    if (kinds & SB_DIFF_TIME) {
        char when[SB_TIME_TEXT];

        sb_time_format(entry->mtime, when);
        sb_buf_printf(&out, "%s, ", when);
    }
    if (kinds & SB_DIFF_XATTR) {
        for (size_t i = 0; i < entry->xattr_count; i++) {
            sb_buf_add_printable(&out, entry->xattrs[i].name, SB_COMPARE_LINE_MAX);
            sb_buf_addz(&out, "=");
            sb_buf_add_printable(&out, entry->xattrs[i].value, 40);
            sb_buf_addz(&out, ", ");
        }
        if (entry->xattr_count == 0)
            sb_buf_addz(&out, "no attributes, ");
    }
    return out.len < 2 ? SB_NIL : sb_arena_dup(arena, sb_slice_of(out.data, out.len - 2));
}

static int compare_entries(sb_comparison *comparison, const sb_compared *images[2],
                           const sb_layer_entry *entries[2], const int fds[2], sb_error **err)
{
    const sb_layer_entry *a = entries[0], *b = entries[1];
    sb_difference found = {0}, *told;
    sb_difference_hints hints = {.path = a->path,
                                 .host = {images[0]->host, images[1]->host},
                                 .cpus = {images[0]->cpus, images[1]->cpus}};

    if (a->type != b->type) {
        found.kinds |= SB_DIFF_TYPE;
    } else if (a->type == SB_ENTRY_FILE) {
        sb_compared_bytes files[2] = {{fds[0], a->offset, a->size}, {fds[1], b->offset, b->size}};

        if (sb_compare_content(files, comparison->arena, &found, &hints, err) < 0)
            return -1;
    } else if (!sb_slice_eq(a->link, b->link) || a->major != b->major || a->minor != b->minor) {
        found.kinds |= SB_DIFF_CONTENT;
    }
    found.kinds |= (a->mode != b->mode ? SB_DIFF_MODE : 0u) |
                   (a->uid != b->uid || a->gid != b->gid ? SB_DIFF_OWNER : 0u) |
                   (a->mtime != b->mtime ? SB_DIFF_TIME : 0u) |
                   (sb_xattrs_eq(a->xattrs, a->xattr_count, b->xattrs, b->xattr_count) ? 0u : SB_DIFF_XATTR);
    if (!found.kinds)
        return 0;
    told = sb_compare_add(comparison, found.kinds, a->path);
    if (!told)
        return 0;
    found.path = told->path;
    found.part = told->part;
    for (size_t i = 0; i < 2; i++)
        found.detail[i] = detail_of(comparison->arena, entries[i], found.kinds);
    found.remedy = sb_compare_remedy(found.kinds, &hints);
    *told = found;
    return 0;
}

static void add_only(sb_comparison *comparison, const listing *list, size_t index, bool second)
{
    const sb_layer_entry *entry = &list->entries[index].entry;
    unsigned kind = second ? SB_DIFF_ONLY_SECOND : SB_DIFF_ONLY_FIRST;
    sb_difference_hints hints = {.path = entry->path};
    sb_difference *told;

    if (leads_on(list, index))
        return;
    told = sb_compare_add(comparison, kind, entry->path);
    if (!told)
        return;
    told->detail[second] = sb_slice_z(type_name(entry->type));
    told->size[second] = entry->type == SB_ENTRY_FILE ? entry->size : 0;
    told->remedy = sb_compare_remedy(kind, &hints);
}

int sb_compare_layers(sb_comparison *comparison, const sb_compared *images[2], const int fds[2],
                      sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    __attribute__((cleanup(listing_clear))) listing first = {0}, second = {0};
    size_t a = 0, b = 0;
    bool ordered = true;

    if (read_listing(fds[0], arena, &first, err) < 0 || read_listing(fds[1], arena, &second, err) < 0)
        return -1;
    while (a < first.count || b < second.count) {
        int order = a == first.count    ? 1
                    : b == second.count ? -1
                                        : compare_listed(&first.entries[a], &second.entries[b]);
        const sb_layer_entry *pair[2];

        if (order < 0) {
            add_only(comparison, &first, a++, false);
        } else if (order > 0) {
            add_only(comparison, &second, b++, true);
        } else {
            pair[0] = &first.entries[a].entry;
            pair[1] = &second.entries[b].entry;
            ordered = ordered && first.entries[a].place == second.entries[b].place;
            if (compare_entries(comparison, images, pair, fds, err) < 0)
                return -1;
            a++;
            b++;
        }
    }
    /* With the same names on both sides, places tell the order. */
    if (!ordered && first.count == second.count && comparison->parts[comparison->part_count - 1].count == 0)
        (void)sb_compare_add(comparison, SB_DIFF_ORDER, SB_LIT(""));
    return 0;
}
