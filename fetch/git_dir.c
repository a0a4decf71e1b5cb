// SPDX-License-Identifier: Apache-2.0
#include <fetch/git.h>
#include <fetch/tar.h>

#include <openssl/evp.h>

enum { INDEX_MAX = 512 << 20, STAT_SIZE = 40, NAME_FLAG_MAX = 0xfff };

static void add_u32(sb_buf *out, uint32_t value)
{
    const unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                    (unsigned char)(value >> 8), (unsigned char)value};

    sb_buf_add(out, bytes, sizeof(bytes));
}

static int compare_paths(const void *a, const void *b)
{
    return sb_slice_cmp(((const sb_git_entry *)a)->path, ((const sb_git_entry *)b)->path);
}

/* One entry of the index: no times and no size, so that git compares the content when it first looks. */
static void add_index_entry(sb_buf *out, const sb_git_entry *entry)
{
    static const char zeros[24];
    size_t start = out->len;
    unsigned char id[32];
    size_t id_len = sb_git_oid_bytes(entry->oid, id);
    uint32_t mode = entry->mode == 0120000 || entry->mode == 0160000 ? entry->mode
                    : entry->mode & 0100                             ? 0100755
                                                                     : 0100644;
    uint32_t length = entry->path.len < NAME_FLAG_MAX ? (uint32_t)entry->path.len : NAME_FLAG_MAX;
    const unsigned char flags[2] = {(unsigned char)(length >> 8), (unsigned char)length};

    sb_buf_add(out, zeros, 24);
    add_u32(out, mode);
    sb_buf_add(out, zeros, 12);
    sb_buf_add(out, id, id_len);
    sb_buf_add(out, flags, sizeof(flags));
    sb_buf_adds(out, entry->path);
    sb_buf_add(out, zeros, 8 - (out->len - start) % 8);
}

int sb_git_make_index(const sb_git_tree *tree, size_t hash_size, sb_buf *out, sb_error **err)
{
    sb_autofree sb_git_entry *entries = sb_new_array(sb_git_entry, tree->len);
    unsigned char hash[EVP_MAX_MD_SIZE];
    size_t count = 0;

    for (size_t i = 0; i < tree->len; i++)
        if (tree->entries[i].repository == 0 && tree->entries[i].mode != 040000)
            entries[count++] = tree->entries[i];
    if (count)
        qsort(entries, count, sizeof(*entries), compare_paths);
    sb_buf_add(out, "DIRC\0\0\0\2", 8);
    add_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        add_index_entry(out, &entries[i]);
    if (sb_buf_check(out, "the git index", err) < 0)
        return -1;
    if (EVP_Digest(out->data, out->len, hash, NULL, hash_size == 20 ? EVP_sha1() : EVP_sha256(), NULL) != 1)
        return sb_fail(err, SB_ERR_INTERNAL, "libcrypto cannot compute SHA-1");
    sb_buf_add(out, hash, hash_size);
    return sb_buf_check(out, "the git index", err);
}

typedef struct writer {
    sb_arena *arena;
    const sb_git_dir *git;
    const char *prefix;
    sb_tar *tar;
} writer;

static sb_slice place(const writer *w, const char *name)
{
    return sb_arena_printf(w->arena, "%s/%s", w->prefix, name);
}

static int add_file(const writer *w, const char *name, sb_slice content, sb_error **err)
{
    return sb_tar_add_file(w->tar, place(w, name), 0644, w->git->mtime, content, err);
}

static int add_directory(const writer *w, const char *name, sb_error **err)
{
    return sb_tar_add_directory(w->tar, place(w, name), w->git->mtime, err);
}

static int add_config(const writer *w, sb_error **err)
{
    bool sha256 = w->git->resolved->commit.len == 64;
    sb_autobuf out = SB_BUF_INIT(16384);

    sb_buf_printf(&out, "[core]\n\trepositoryformatversion = %d\n\tfilemode = true\n\tbare = false\n",
                  sha256);
    if (sha256)
        sb_buf_addz(&out, "[extensions]\n\tobjectformat = sha256\n");
    if (w->git->remote.len)
        sb_buf_printf(&out,
                      "[remote \"origin\"]\n\turl = \"%" SB_FMT
                      "\"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
                      SB_ARG(w->git->remote));
    return add_file(w, "config", sb_buf_slice(&out), err);
}

static int add_index(const writer *w, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(INDEX_MAX);

    if (sb_git_make_index(w->git->tree, w->git->resolved->commit.len / 2, &out, err) < 0)
        return -1;
    return add_file(w, "index", sb_buf_slice(&out), err);
}

static int add_pack(const writer *w, sb_slice commit, sb_error **err)
{
    const sb_git_tree *tree = w->git->tree;
    sb_slice *oids = sb_arena_array(w->arena, sb_slice, tree->len + 3);
    size_t count = 0;

    oids[count++] = w->git->resolved->commit;
    oids[count++] = sb_git_object_header(commit, "tree");
    if (w->git->resolved->tag_object.len)
        oids[count++] = w->git->resolved->tag_object;
    for (size_t i = 0; i < tree->len; i++)
        if (tree->entries[i].repository == 0 && tree->entries[i].mode != 0160000)
            oids[count++] = tree->entries[i].oid;
    return sb_git_write_pack(w->arena, w->git->dir, oids, count, place(w, "objects/pack").ptr, w->git->mtime,
                             w->tar, err);
}

/* So that `git describe --tags` knows the tag that was asked for. */
static int add_refs(const writer *w, sb_error **err)
{
    const sb_git_resolved *r = w->git->resolved;
    sb_autobuf out = SB_BUF_INIT(16384);

    if (!sb_slice_starts(r->ref, SB_LIT("refs/tags/")))
        return 0;
    sb_buf_addz(&out, "# pack-refs with: peeled fully-peeled sorted \n");
    sb_buf_printf(&out, "%" SB_FMT " %" SB_FMT "\n", SB_ARG(r->tag_object.len ? r->tag_object : r->commit),
                  SB_ARG(r->ref));
    if (r->tag_object.len)
        sb_buf_printf(&out, "^%" SB_FMT "\n", SB_ARG(r->commit));
    return add_file(w, "packed-refs", sb_buf_slice(&out), err);
}

int sb_git_write_dir(sb_arena *arena, const sb_git_dir *git, const char *prefix, sb_tar *tar, sb_error **err)
{
    writer w = {arena, git, prefix, tar};
    sb_slice head = sb_arena_printf(arena, "%" SB_FMT "\n", SB_ARG(git->resolved->commit));
    sb_slice commit;

    if (sb_git_read_object(arena, git->dir, "commit", git->resolved->commit, &commit, err) < 0)
        return -1;
    /* In the order of their names, but the pack before its index, which needs its checksums. */
    if (sb_tar_add_directory(tar, sb_slice_z(prefix), git->mtime, err) < 0 ||
        add_file(&w, "HEAD", head, err) < 0 || add_config(&w, err) < 0 || add_index(&w, err) < 0 ||
        add_directory(&w, "objects", err) < 0 || add_directory(&w, "objects/pack", err) < 0 ||
        add_pack(&w, commit, err) < 0 || add_refs(&w, err) < 0 || add_directory(&w, "refs", err) < 0)
        return -1;
    /* History ends here. */
    return sb_git_object_header(commit, "parent").len ? add_file(&w, "shallow", head, err) : 0;
}
