// SPDX-License-Identifier: Apache-2.0
/*
 * The content of the context as far as steps depend on it: what COPY, ADD and mounts before them take. Only
 * that is read.
 */
#include <builder/record.h>

#include <fetch/tree_walk.h>

typedef struct entry {
    sb_slice path; /* relative to the context */
    char kind;     /* 'f' file, 'x' executable, 'l' link, 'd' directory */
    sb_slice link; /* where it leads */
    sb_digest digest;
    bool wanted;
} entry;

struct sb_record_files {
    sb_arena *arena;
    sb_slice *wants; /* plain paths; an empty one is all */
    size_t want_count, want_cap;
    bool all;
    entry *entries;
    size_t entry_count, entry_cap;
};

sb_record_files *sb_record_files_new(void)
{
    sb_record_files *files = sb_new(sb_record_files);

    files->arena = sb_arena_new();
    return files;
}

void sb_record_files_free(sb_record_files *files)
{
    if (!files)
        return;
    sb_arena_free(files->arena);
    free(files);
}

/* The path that a source means, or the directory that holds all that it could mean; empty: everything. */
static sb_slice plain_path(sb_arena *arena, sb_slice source)
{
    sb_autobuf path = SB_BUF_INIT(1 << 16);

    while (source.ptr) {
        sb_slice part = sb_slice_cut(&source, '/');

        if (!part.len || sb_slice_eqz(part, "."))
            continue;
        /* BuildKit does not leave the context with "..", but where that leads is not worth telling. */
        if (sb_slice_eqz(part, ".."))
            return SB_LIT("");
        for (size_t i = 0; i < part.len; i++)
            if (memchr("*?[\\$", part.ptr[i], 5))
                return sb_arena_dup(arena, sb_buf_slice(&path));
        if (path.len)
            sb_buf_addc(&path, '/');
        sb_buf_adds(&path, part);
    }
    return path.overflow ? SB_LIT("") : sb_arena_dup(arena, sb_buf_slice(&path));
}

/* Is `path` the directory `above`, or in it? */
static bool is_within(sb_slice path, sb_slice above)
{
    return !above.len ||
           (sb_slice_starts(path, above) && (path.len == above.len || path.ptr[above.len] == '/'));
}

void sb_record_files_want(sb_record_files *files, sb_slice source)
{
    sb_slice path = plain_path(files->arena, source);

    for (size_t i = 0; i < files->want_count; i++)
        if (sb_slice_eq(files->wants[i], path))
            return;
    *SB_ARENA_PUSH(files->arena, files->wants, files->want_count, files->want_cap) = path;
}

static bool is_wanted(const sb_record_files *files, sb_slice path)
{
    if (files->all)
        return true;
    for (size_t i = 0; i < files->want_count; i++)
        if (is_within(path, files->wants[i]))
            return true;
    return false;
}

/* --- The walk --- */

static entry *add_entry(sb_record_files *files, sb_slice path, char kind)
{
    entry *e = SB_ARENA_PUSH(files->arena, files->entries, files->entry_count, files->entry_cap);

    *e = (entry){.path = sb_arena_dup(files->arena, path), .kind = kind, .wanted = is_wanted(files, path)};
    return e;
}

static int enter(void *ctx, sb_slice path, sb_error **err)
{
    (void)err;
    add_entry(ctx, path, 'd');
    return 0;
}

static int leave(void *ctx, sb_error **err)
{
    (void)ctx;
    (void)err;
    return 0;
}

static int add_file(void *ctx, sb_slice path, int fd, uint64_t size, bool executable, sb_error **err)
{
    entry *e = add_entry(ctx, path, executable ? 'x' : 'f');

    (void)size;
    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    return e->wanted ? sb_digest_of_fd(SB_HASH_SHA256, fd, &e->digest, NULL, err) : 0;
}

static int add_link(void *ctx, sb_slice path, sb_slice target, sb_error **err)
{
    sb_record_files *files = ctx;

    (void)err;
    add_entry(files, path, 'l')->link = sb_arena_dup(files->arena, target);
    return 0;
}

/* A source that is a link, or lies behind one, means something elsewhere. */
static bool leads_elsewhere(const sb_record_files *files)
{
    for (size_t i = 0; i < files->entry_count; i++)
        for (size_t k = 0; files->entries[i].kind == 'l' && k < files->want_count; k++)
            if (files->wants[k].len && is_within(files->wants[k], files->entries[i].path))
                return true;
    return false;
}

int sb_record_files_load(sb_record_files *files, const sb_project *project, sb_error **err)
{
    static const sb_tree_sink sink = {.enter = enter, .leave = leave, .file = add_file, .symlink = add_link};
    SB_AUTO(sb_ignore) ignore = NULL;

    if (!files->want_count)
        return 0;
    if (sb_project_ignore(project, &ignore, err) < 0)
        return -1;
    for (;;) {
        files->entry_count = 0;
        if (sb_tree_walk(project->context_fd, ignore, sb_project_never(project), &sink, files, err) < 0)
            return sb_wrap(err, "while reading the context");
        if (files->all || !leads_elsewhere(files))
            return 0;
        files->all = true;
    }
}

void sb_record_files_hash(const sb_record_files *files, sb_slice source, sb_hasher *hasher)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice path = files->all ? SB_LIT("") : plain_path(arena, source);

    for (size_t i = 0; i < files->entry_count; i++) {
        const entry *e = &files->entries[i];

        if (!is_within(e->path, path))
            continue;
        sb_hasher_add(hasher, &e->kind, 1);
        sb_hasher_add(hasher, e->path.ptr, e->path.len + 1);
        if (e->kind == 'l')
            sb_hasher_add(hasher, e->link.ptr, e->link.len + 1);
        else if (e->kind != 'd')
            sb_hasher_add(hasher, e->digest.bytes, sb_hash_size(SB_HASH_SHA256));
    }
    sb_hasher_add(hasher, "", 1);
}
