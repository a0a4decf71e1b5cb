// SPDX-License-Identifier: Apache-2.0
#include <fetch/git.h>
#include <fetch/tar.h>

#include <sbuild/fs.h>

enum { LINK_TARGET_MAX = 1 << 14, NAME_LEN_MAX = 1 << 17 };
static const int64_t latest = 077777777777; /* what a tar header has room for */

typedef struct archive {
    sb_arena *arena;
    sb_tar *tar;
    const sb_git_tree *tree;
    int64_t mtime;
    size_t next;           /* the entry to be written next */
    const size_t *indices; /* the entries of the objects that are being read */
    sb_buf name;
    sb_buf link; /* of a symbolic link, until it is whole */
    bool in_link;
} archive;

static void archive_clear(archive *a)
{
    sb_buf_free(&a->name);
    sb_buf_free(&a->link);
}

static bool has_content(const sb_git_entry *entry)
{
    return entry->mode != 040000 && entry->mode != 0160000;
}

/* Valid until the next call. */
static sb_slice full_name(archive *a, sb_slice path)
{
    sb_buf_reset(&a->name);
    sb_buf_addz(&a->name, "tree/");
    sb_buf_adds(&a->name, path);
    return sb_buf_slice(&a->name);
}

/* Directories, and submodules that are not filled in, up to entry `end`. */
static int write_directories(archive *a, size_t end, sb_error **err)
{
    for (; a->next < end; a->next++)
        if (sb_tar_add_directory(a->tar, full_name(a, a->tree->entries[a->next].path), a->mtime, err) < 0)
            return -1;
    return 0;
}

static int start_object(void *ctx, size_t index, sb_slice type, uint64_t size, sb_error **err)
{
    archive *a = ctx;
    const sb_git_entry *entry = &a->tree->entries[a->indices[index]];
    sb_tar_entry e = {
        .type = SB_TAR_FILE, .mode = entry->mode & 0100 ? 0755 : 0644, .size = size, .mtime = a->mtime};

    if (!sb_slice_eqz(type, "blob"))
        return sb_fail(err, SB_ERR_IO, "git has a %.*s where a file is expected", (int)type.len, type.ptr);
    if (write_directories(a, a->indices[index], err) < 0)
        return -1;
    a->next++;
    a->in_link = entry->mode == 0120000;
    sb_buf_reset(&a->link);
    if (a->in_link)
        return 0;
    e.name = full_name(a, entry->path);
    return sb_tar_add(a->tar, &e, err);
}

static int object_data(void *ctx, sb_slice piece, sb_error **err)
{
    archive *a = ctx;

    if (!a->in_link)
        return sb_tar_data(a->tar, piece.ptr, piece.len, err);
    sb_buf_adds(&a->link, piece);
    return sb_buf_check(&a->link, "the target of a symbolic link", err);
}

static int end_object(void *ctx, sb_error **err)
{
    archive *a = ctx;
    const sb_git_entry *entry = &a->tree->entries[a->next - 1];
    sb_tar_entry e = {.type = SB_TAR_SYMLINK, .mode = 0777, .mtime = a->mtime};

    if (!a->in_link)
        return 0;
    if (!a->link.len || sb_slice_chr(sb_buf_slice(&a->link), '\0') >= 0) {
        sb_autofree char *shown = sb_printable(entry->path);

        return sb_fail(err, SB_ERR_PARSE, "the symbolic link %s has no usable target", shown);
    }
    e.name = full_name(a, entry->path);
    e.link = sb_buf_slice(&a->link);
    return sb_tar_add(a->tar, &e, err);
}

/* Entries up to `end`, as many at once as come from one repository. */
static int write_entries(archive *a, size_t end, sb_error **err)
{
    static const sb_git_reader reader = {start_object, object_data, end_object};

    while (a->next < end) {
        unsigned repository = a->tree->entries[a->next].repository;
        sb_autofree sb_slice *oids = sb_new_array(sb_slice, end - a->next);
        sb_autofree size_t *indices = sb_new_array(size_t, end - a->next);
        size_t count = 0, stop = a->next;

        for (; stop < end; stop++) {
            const sb_git_entry *entry = &a->tree->entries[stop];

            if (!has_content(entry))
                continue;
            if (entry->repository != repository && count > 0)
                break;
            repository = entry->repository;
            oids[count] = entry->oid;
            indices[count++] = stop;
        }
        a->indices = indices;
        if (sb_git_read_objects(a->arena, a->tree->repositories[repository], oids, count, &reader, a, err) <
                0 ||
            write_directories(a, stop, err) < 0)
            return -1;
    }
    return 0;
}

/* The first entry that sorts behind ".git". */
static size_t place_of_git_dir(const sb_git_tree *tree)
{
    size_t i = 0;

    while (i < tree->len && sb_git_path_cmp(tree->entries[i].path, SB_LIT(".git")) < 0)
        i++;
    return i;
}

static int write_git_dir(archive *a, const sb_settings *settings, const char *dir,
                         const sb_git_resolved *resolved, sb_error **err)
{
    static const char *const args[] = {"config", "--get", SB_GIT_REMOTE_KEY, NULL};
    const sb_git_call call = {.args = args, .dir = dir};
    sb_git_dir git = {.dir = dir, .resolved = resolved, .tree = a->tree, .mtime = a->mtime};
    SB_AUTO(sb_error) ignored = NULL;
    sb_git_remote remote;
    sb_slice url;

    if (sb_git_run(a->arena, &call, &url, &ignored) == 0 &&
        sb_git_remote_parse(a->arena, settings, sb_slice_trim(url), &remote, &ignored) == 0)
        git.remote = remote.shown;
    return sb_git_write_dir(a->arena, &git, "tree/.git", a->tar, err);
}

/* "committer NAME <MAIL> SECONDS ZONE" */
static int64_t commit_time(sb_slice content)
{
    sb_slice line = sb_git_object_header(content, "committer");
    sb_slice rest = sb_slice_sub(line, (size_t)(sb_slice_rchr(line, '>') + 1), line.len);
    uint64_t when;

    rest = sb_slice_trim(rest);
    if (!sb_slice_to_u64(sb_slice_cut(&rest, ' '), &when))
        return 0;
    return when > (uint64_t)latest ? latest : (int64_t)when;
}

static sb_slice without_slashes(sb_slice path)
{
    while (path.len && path.ptr[0] == '/')
        path = sb_slice_sub(path, 1, path.len);
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    return sb_slice_eqz(path, ".") ? SB_LIT("") : path;
}

int sb_git_archive(const sb_settings *settings, const char *cache_dir, const sb_git_resolved *resolved,
                   sb_slice subdir, bool git_dir, bool submodules, int out_fd, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_tar) tar = sb_tar_new(out_fd);
    sb_git_tree tree;
    __attribute__((cleanup(archive_clear))) archive a = {.arena = arena,
                                                         .tar = tar,
                                                         .tree = &tree,
                                                         .name = SB_BUF_INIT(NAME_LEN_MAX),
                                                         .link = SB_BUF_INIT(LINK_TARGET_MAX)};
    sb_slice commit;
    int result;

    subdir = without_slashes(subdir);
    if (!sb_git_is_oid(resolved->commit))
        return sb_fail(err, SB_ERR_USAGE,
                       "this is no reference to a git commit; expected 40 or 64 hex digits");
    if (subdir.len && !sb_path_is_plain(subdir)) {
        sb_autofree char *shown = sb_printable(subdir);

        return sb_fail(err, SB_ERR_USAGE, "\"%s\" is no directory inside of a repository", shown);
    }
    if (sb_git_read_object(arena, cache_dir, "commit", resolved->commit, &commit, err) < 0 ||
        sb_git_list_tree(arena, settings, cache_dir, resolved->commit, subdir, submodules, &tree, err) < 0)
        return -1;
    a.mtime = commit_time(commit);
    result = sb_tar_add_directory(tar, SB_LIT("tree"), a.mtime, err);
    /* As BuildKit has it: a directory of a repository comes without the repository. */
    if (result == 0 && git_dir && !subdir.len) {
        result = write_entries(&a, place_of_git_dir(&tree), err);
        if (result == 0)
            result = write_git_dir(&a, settings, cache_dir, resolved, err);
    }
    if (result == 0)
        result = write_entries(&a, tree.len, err);
    return result == 0 ? sb_tar_finish(tar, err) : -1;
}
