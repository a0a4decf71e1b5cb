// SPDX-License-Identifier: Apache-2.0
#include <fetch/git.h>

#include <sbuild/fs.h>

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/evp.h>

typedef struct signed_object {
    sb_slice payload; /* what was signed */
    sb_slice signature;
} signed_object;

static bool begins_signature(sb_slice line)
{
    static const char *const begins[] = {"-----BEGIN PGP SIGNATURE-----", "-----BEGIN PGP MESSAGE-----",
                                         "-----BEGIN SSH SIGNATURE-----", "-----BEGIN SIGNED MESSAGE-----"};

    for (size_t i = 0; i < SB_COUNT(begins); i++)
        if (sb_slice_starts(line, sb_slice_z(begins[i])))
            return true;
    return false;
}

/* A tag's signature stands at its end; what looks like one before it is text of the message, as git has it.
 */
static void split_tag(sb_slice content, signed_object *ret_object)
{
    signed_object object = {content, SB_NIL};
    sb_slice rest = content;

    while (rest.ptr) {
        size_t at = content.len - rest.len;

        if (begins_signature(sb_slice_cut(&rest, '\n')))
            object = (signed_object){sb_slice_sub(content, 0, at), sb_slice_sub(content, at, content.len)};
    }
    *ret_object = object;
}

/* A commit's signature stands in a header, each line but the first behind a space; it signs all the rest. */
static void split_commit(sb_arena *arena, sb_slice content, const char *header, signed_object *ret_object)
{
    sb_autobuf payload = SB_BUF_INIT(SB_GIT_OBJECT_MAX);
    sb_autobuf signature = SB_BUF_INIT(SB_GIT_OBJECT_MAX);
    sb_autofree char *wanted = sb_asprintf("%s ", header);
    enum { KEPT, SIGNATURE, DROPPED } state = KEPT;
    sb_slice rest = content;

    while (rest.ptr && rest.len && rest.ptr[0] != '\n') {
        sb_slice before = rest;
        sb_slice line = sb_slice_cut(&rest, '\n');

        if (!line.len || line.ptr[0] != ' ')
            state = sb_slice_starts(line, sb_slice_z(wanted)) ? SIGNATURE
                    : sb_slice_starts(line, SB_LIT("gpgsig")) ? DROPPED
                                                              : KEPT;
        if (state == KEPT)
            sb_buf_add(&payload, before.ptr, line.len + (rest.ptr ? 1 : 0));
        if (state == SIGNATURE) {
            size_t skip = sb_slice_starts(line, SB_LIT(" ")) ? 1 : strlen(wanted);

            sb_buf_adds(&signature, sb_slice_sub(line, skip, line.len));
            sb_buf_addc(&signature, '\n');
        }
    }
    sb_buf_adds(&payload, rest);
    *ret_object = (signed_object){sb_arena_dup(arena, sb_buf_slice(&payload)),
                                  signature.len ? sb_arena_dup(arena, sb_buf_slice(&signature)) : SB_NIL};
}

/* A signed tag of another version, put under this name, would pass else. */
static int check_name(const sb_git_resolved *resolved, sb_slice content, sb_error **err)
{
    static const char tags[] = "refs/tags/";
    sb_slice name = sb_git_object_header(content, "tag");
    sb_autofree char *shown = sb_printable(name);
    sb_autofree char *ref = sb_printable(resolved->ref);

    if (!sb_slice_starts(resolved->ref, sb_slice_z(tags)) ||
        sb_slice_eq(sb_slice_sub(resolved->ref, sizeof(tags) - 1, resolved->ref.len), name))
        return 0;
    return sb_fail(err, SB_ERR_VERIFY, "the tag object behind %s calls itself \"%s\"", ref, shown);
}

static int as_file(sb_slice data, int *ret_fd, sb_error **err)
{
    sb_autoclose int fd = memfd_create("sbuild", MFD_CLOEXEC);

    if (fd < 0)
        return sb_fail(err, SB_ERR_IO, "cannot create a file in memory: %s", strerror(errno));
    if (sb_write_all(fd, data.ptr, data.len, "a file in memory", err) < 0)
        return -1;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* The bytes are the object that was resolved, by git's own naming, and a tag's is of the commit that was. */
static int check_object(const sb_git_resolved *resolved, sb_slice content, const char *kind, sb_slice oid,
                        sb_error **err)
{
    sb_autofree char *head = sb_asprintf("%s %zu", kind, content.len);
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
    unsigned len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, oid.len == 64 ? EVP_sha256() : EVP_sha1(), NULL) &&
              EVP_DigestUpdate(ctx, head, strlen(head) + 1) &&
              EVP_DigestUpdate(ctx, content.ptr, content.len) && EVP_DigestFinal_ex(ctx, hash, &len);

    EVP_MD_CTX_free(ctx);
    if (!ok)
        return sb_fail(err, SB_ERR_INTERNAL, "cannot compute the name of a git object");
    for (unsigned i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    if (!sb_slice_eqz(oid, hex))
        return sb_fail(err, SB_ERR_VERIFY, "the git %s is %s, not %.*s", kind, hex, (int)oid.len, oid.ptr);
    if (resolved->tag_object.len && !sb_slice_eq(sb_git_object_header(content, "object"), resolved->commit)) {
        sb_autofree char *target = sb_printable(sb_git_object_header(content, "object"));

        return sb_fail(err, SB_ERR_VERIFY, "the tag object points to %s, not to the commit %.*s", target,
                       (int)resolved->commit.len, resolved->commit.ptr);
    }
    return 0;
}

static sb_slice signed_oid(const sb_git_resolved *resolved, const char **ret_kind)
{
    *ret_kind = resolved->tag_object.len ? "tag" : "commit";
    return resolved->tag_object.len ? resolved->tag_object : resolved->commit;
}

int sb_git_signed_object(sb_arena *arena, const char *cache_dir, const sb_git_resolved *resolved,
                         sb_slice *ret_content, sb_error **err)
{
    const char *kind;
    sb_slice oid = signed_oid(resolved, &kind);

    if (!sb_git_is_oid(oid))
        return sb_fail(err, SB_ERR_USAGE,
                       "this is no reference to a git commit; expected 40 or 64 hex digits");
    return sb_git_read_object(arena, cache_dir, kind, oid, ret_content, err);
}

int sb_git_verify_object(sb_arena *arena, const sb_git_resolved *resolved, sb_slice content,
                         const sb_slice *keys, size_t key_count, int64_t now, sb_pgp_result *ret_result,
                         sb_error **err)
{
    const char *kind;
    sb_slice oid = signed_oid(resolved, &kind);
    bool tag = resolved->tag_object.len > 0;
    sb_autoclose int fd = -1;
    signed_object object;

    if (check_object(resolved, content, kind, oid, err) < 0 ||
        (tag && check_name(resolved, content, err) < 0))
        return -1;
    if (tag)
        split_tag(content, &object);
    else
        split_commit(arena, content, oid.len == 64 ? "gpgsig-sha256" : "gpgsig", &object);
    if (!object.signature.len)
        return sb_fail(err, SB_ERR_VERIFY, "the %s %.*s is not signed", kind, (int)oid.len, oid.ptr);
    if (!sb_slice_starts(object.signature, SB_LIT("-----BEGIN PGP ")))
        return sb_fail(err, SB_ERR_VERIFY,
                       "the %s %.*s is not signed with OpenPGP, the only kind that is verified", kind,
                       (int)oid.len, oid.ptr);
    if (as_file(object.payload, &fd, err) < 0)
        return -1;
    return sb_pgp_verify_detached(arena, keys, key_count, object.signature, fd, now, ret_result, err);
}

int sb_git_verify(sb_arena *arena, const char *cache_dir, const sb_git_resolved *resolved,
                  const sb_slice *keys, size_t key_count, int64_t now, sb_pgp_result *ret_result,
                  sb_error **err)
{
    sb_slice content;

    if (sb_git_signed_object(arena, cache_dir, resolved, &content, err) < 0)
        return -1;
    return sb_git_verify_object(arena, resolved, content, keys, key_count, now, ret_result, err);
}
