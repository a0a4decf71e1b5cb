// SPDX-License-Identifier: Apache-2.0
#include <fetch/git.h>

#include <sbuild/fs.h>
#include <sbuild/tree.h>

enum { SUBMODULE_DEPTH_MAX = 10, SUBMODULES_MAX = 1000, HEADER_MAX = 256 };

int sb_git_path_cmp(sb_slice a, sb_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < n; i++) {
        int x = a.ptr[i] == '/' ? 0 : (unsigned char)a.ptr[i];
        int y = b.ptr[i] == '/' ? 0 : (unsigned char)b.ptr[i];

        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int compare_entries(const void *a, const void *b)
{
    return sb_git_path_cmp(((const sb_git_entry *)a)->path, ((const sb_git_entry *)b)->path);
}

/* No ".." and the like, and nothing that would be a repository of its own making. */
static bool is_acceptable(sb_slice path)
{
    if (!sb_path_is_plain(path))
        return false;
    while (path.ptr)
        if (sb_slice_eq_nocase(sb_slice_cut(&path, '/'), SB_LIT(".git")))
            return false;
    return true;
}

static unsigned parse_mode(sb_slice text)
{
    unsigned mode = 0;

    for (size_t i = 0; i < text.len && i < 6; i++)
        mode = mode << 3 | (unsigned)(text.ptr[i] - '0');
    return mode;
}

typedef struct listing {
    sb_arena *arena;
    const sb_settings *settings;
    sb_git_tree *tree;
    bool submodules;
    size_t submodule_count;
} listing;

static int add_entry(listing *l, sb_slice line, sb_slice prefix, unsigned repository, sb_error **err)
{
    sb_slice path = line;
    sb_slice fields = sb_slice_cut(&path, '\t');
    sb_slice mode = sb_slice_cut(&fields, ' ');
    sb_slice type = sb_slice_cut(&fields, ' ');
    sb_autofree char *shown = sb_printable(path);

    if (!path.ptr || !type.ptr || !sb_git_is_oid(fields))
        return sb_fail(err, SB_ERR_PARSE, "git lists its tree in a way that is not understood");
    if (!is_acceptable(path))
        return sb_fail(err, SB_ERR_PARSE, "the commit holds \"%s\", which is no name for a file", shown);
    if (l->tree->len == SB_TREE_ENTRIES_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the commit holds more than the maximum of %d files",
                       SB_TREE_ENTRIES_MAX);
    *SB_ARENA_PUSH(l->arena, l->tree->entries, l->tree->len, l->tree->cap) = (sb_git_entry){
        .path = prefix.len ? sb_arena_printf(l->arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(prefix), SB_ARG(path))
                           : path,
        .oid = fields,
        .mode = parse_mode(mode),
        .repository = repository,
    };
    return 0;
}

/* A submodule's URL by its path, from .gitmodules. */
static int submodule_url(listing *l, const char *dir, sb_slice commit, sb_slice path, sb_slice *ret_url,
                         sb_error **err)
{
    const char *const args[] = {
        "config",
        "--null",
        sb_arena_printf(l->arena, "--blob=%" SB_FMT ":.gitmodules", SB_ARG(commit)).ptr,
        "--get-regexp",
        "^submodule\\..*\\.(path|url)$",
        NULL};
    const char *const remote_args[] = {"config", "--get", SB_GIT_REMOTE_KEY, NULL};
    const sb_git_call call = {.args = args, .dir = dir};
    const sb_git_call remote_call = {.args = remote_args, .dir = dir};
    sb_autofree char *shown = sb_printable(path);
    sb_slice output, errors, name = SB_NIL, url = SB_NIL, base;
    int status;

    if (sb_git_try(l->arena, &call, &output, &errors, &status, err) < 0)
        return -1;
    for (int pass = 0; pass < 2; pass++) {
        sb_slice rest = output;

        while (rest.len) {
            sb_slice value = sb_slice_cut(&rest, '\0');
            sb_slice key = sb_slice_cut(&value, '\n');
            sb_slice stem = sb_slice_sub(key, 0, (size_t)(sb_slice_rchr(key, '.') + 1));

            if (pass == 0 && sb_slice_ends(key, SB_LIT(".path")) && sb_slice_eq(value, path))
                name = stem;
            if (pass == 1 && name.ptr && sb_slice_ends(key, SB_LIT(".url")) && sb_slice_eq(stem, name))
                url = value;
        }
    }
    if (!url.ptr)
        return sb_fail(err, SB_ERR_PARSE, "the submodule at \"%s\" has no URL in .gitmodules", shown);
    if (sb_git_run(l->arena, &remote_call, &base, err) < 0)
        return -1;
    *ret_url = sb_git_relative_url(l->arena, sb_slice_trim(base), url);
    return 0;
}

static int list_one(listing *l, const char *dir, sb_slice commit, sb_slice subdir, sb_slice prefix,
                    unsigned depth, sb_error **err);

/* Its repository lies inside that of the tree that names it, under the hash of its URL. */
static int list_submodule(listing *l, const char *dir, sb_slice commit, const sb_git_entry *entry,
                          sb_slice path, unsigned depth, sb_error **err)
{
    sb_git_resolved resolved = {.ref = SB_LIT(""), .commit = entry->oid};
    sb_autofree char *shown = sb_printable(entry->path);
    char hex[SB_DIGEST_HEX];
    const char *sub_dir;
    sb_digest digest;
    sb_slice url;

    if (depth == SUBMODULE_DEPTH_MAX || ++l->submodule_count > SUBMODULES_MAX)
        return sb_fail(err, SB_ERR_LIMIT,
                       "there are more than %d submodules, or they are nested deeper than %d levels",
                       SUBMODULES_MAX, SUBMODULE_DEPTH_MAX);
    if (submodule_url(l, dir, commit, path, &url, err) < 0)
        return -1;
    sb_digest_of(SB_HASH_SHA256, url, &digest);
    sb_digest_hex(&digest, hex);
    sub_dir = sb_arena_printf(l->arena, "%s/submodules/%.16s", dir, hex).ptr;
    if (sb_git_fetch(l->settings, url, &resolved, sub_dir, err) < 0 ||
        list_one(l, sub_dir, entry->oid, SB_NIL, entry->path, depth + 1, err) < 0)
        return sb_wrap(err, "the submodule at %s", shown);
    return 0;
}

static int list_one(listing *l, const char *dir, sb_slice commit, sb_slice subdir, sb_slice prefix,
                    unsigned depth, sb_error **err)
{
    const char *const args[] = {"ls-tree",
                                "-r",
                                "-t",
                                "-z",
                                "--full-tree",
                                "--",
                                sb_arena_printf(l->arena, "%" SB_FMT "%s%" SB_FMT, SB_ARG(commit),
                                                subdir.len ? ":" : "", SB_ARG(subdir))
                                    .ptr,
                                NULL};
    const sb_git_call call = {.args = args, .dir = dir, .max_output = SB_GIT_LISTING_MAX};
    unsigned repository = (unsigned)l->tree->repository_count;
    size_t first = l->tree->len, last;
    sb_slice output;

    if (sb_git_run(l->arena, &call, &output, err) < 0)
        return -1;
    *SB_ARENA_PUSH(l->arena, l->tree->repositories, l->tree->repository_count, l->tree->repository_cap) = dir;
    while (output.len)
        if (add_entry(l, sb_slice_cut(&output, '\0'), prefix, repository, err) < 0)
            return -1;
    last = l->tree->len;
    for (size_t i = first; l->submodules && i < last; i++) {
        sb_git_entry entry = l->tree->entries[i];
        sb_slice path = prefix.len ? sb_slice_sub(entry.path, prefix.len + 1, entry.path.len) : entry.path;

        if (entry.mode != 0160000)
            continue;
        if (subdir.len)
            path = sb_arena_printf(l->arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(subdir), SB_ARG(path));
        if (list_submodule(l, dir, commit, &entry, path, depth, err) < 0)
            return -1;
    }
    return 0;
}

int sb_git_list_tree(sb_arena *arena, const sb_settings *settings, const char *dir, sb_slice commit,
                     sb_slice subdir, bool submodules, sb_git_tree *ret_tree, sb_error **err)
{
    sb_git_tree tree = {.len = 0};
    listing l = {.arena = arena, .settings = settings, .tree = &tree, .submodules = submodules};

    if (list_one(&l, dir, commit, subdir, SB_NIL, 0, err) < 0)
        return -1;
    if (tree.len)
        qsort(tree.entries, tree.len, sizeof(*tree.entries), compare_entries);
    *ret_tree = tree;
    return 0;
}

/* --- Streaming objects --- */

typedef struct stream {
    const sb_git_reader *reader;
    void *ctx;
    size_t index; /* of the object that is next or on its way */
    char header[HEADER_MAX];
    size_t header_len;
    uint64_t left;
    enum { IN_HEADER, IN_DATA, AT_END } state;
    bool failed;
    sb_error *error;
} stream;

/* "OID TYPE SIZE" */
static int parse_header(stream *s, sb_error **err)
{
    sb_slice rest = sb_slice_of(s->header, s->header_len);
    sb_slice oid = sb_slice_cut(&rest, ' ');
    sb_slice type = sb_slice_cut(&rest, ' ');

    if (!rest.ptr || !sb_slice_to_u64(rest, &s->left)) {
        sb_autofree char *shown = sb_printable(oid);

        return sb_fail(err, SB_ERR_IO, "the git object %s is missing; remove the git cache and try again",
                       shown);
    }
    s->header_len = 0;
    s->state = s->left ? IN_DATA : AT_END;
    return s->reader->start(s->ctx, s->index, type, s->left, err);
}

static int take_piece(stream *s, sb_slice *piece, sb_error **err)
{
    ptrdiff_t end;
    size_t n;

    switch (s->state) {
    case IN_HEADER:
        end = sb_slice_chr(*piece, '\n');
        n = end < 0 ? piece->len : (size_t)end;
        if (n > HEADER_MAX - s->header_len)
            return sb_fail(err, SB_ERR_IO, "git cat-file answers in a way that is not understood");
        memcpy(s->header + s->header_len, piece->ptr, n);
        s->header_len += n;
        *piece = sb_slice_sub(*piece, end < 0 ? n : n + 1, piece->len);
        return end < 0 ? 0 : parse_header(s, err);
    case IN_DATA:
        n = piece->len < s->left ? piece->len : (size_t)s->left;
        if (s->reader->data(s->ctx, sb_slice_sub(*piece, 0, n), err) < 0)
            return -1;
        s->left -= n;
        *piece = sb_slice_sub(*piece, n, piece->len);
        s->state = s->left ? IN_DATA : AT_END;
        return 0;
    case AT_END:
        break;
    }
    /* The newline behind each object. */
    *piece = sb_slice_sub(*piece, 1, piece->len);
    s->state = IN_HEADER;
    s->index++;
    return s->reader->end(s->ctx, err);
}

static void on_output(void *ctx, int number, sb_slice piece)
{
    stream *s = ctx;

    while (number == 1 && !s->failed && piece.len)
        s->failed = take_piece(s, &piece, &s->error) < 0;
}

int sb_git_read_objects(sb_arena *arena, const char *dir, const sb_slice *oids, size_t count,
                        const sb_git_reader *reader, void *ctx, sb_error **err)
{
    static const char *const args[] = {"cat-file", "--batch", NULL};
    sb_autobuf input = SB_BUF_INIT(SB_GIT_LISTING_MAX);
    SB_AUTO(sb_error) ignored = NULL;
    stream s = {.reader = reader, .ctx = ctx};
    sb_git_call call = {.args = args, .dir = dir, .on_output = on_output, .ctx = &s};
    sb_slice output;
    int result;

    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        sb_buf_adds(&input, oids[i]);
        sb_buf_addc(&input, '\n');
    }
    if (sb_buf_check(&input, "the list of git objects", err) < 0)
        return -1;
    call.input = sb_buf_slice(&input);
    result = sb_git_run(arena, &call, &output, s.failed ? &ignored : err);
    if (s.failed) {
        if (err && !*err)
            *err = SB_TAKE(s.error);
        sb_error_free(s.error);
        return -1;
    }
    if (result == 0 && s.index != count)
        return sb_fail(err, SB_ERR_IO, "git cat-file ended early in %s", dir);
    return result;
}
