// SPDX-License-Identifier: Apache-2.0
#include <lock/git_object.h>

#include <stdio.h>

#include <openssl/evp.h>

#include <sbuild/buf.h>

/* The object's name by its bytes; SHA-1 here is git's naming, nothing rests on it but agreement with the
 * lock. */
static int object_id(sb_slice raw, const char *type, size_t hex_len, char ret_hex[129], sb_error **err)
{
    const EVP_MD *md = hex_len == 64 ? EVP_sha256() : EVP_sha1();
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char head[64];
    int head_len = snprintf(head, sizeof(head), "%s %zu", type, raw.len) + 1;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, md, NULL) && EVP_DigestUpdate(ctx, head, (size_t)head_len) &&
              EVP_DigestUpdate(ctx, raw.ptr, raw.len) && EVP_DigestFinal_ex(ctx, hash, &len);

    EVP_MD_CTX_free(ctx);
    if (!ok)
        return sb_fail(err, SB_ERR_INTERNAL, "cannot compute the name of a git object");
    for (unsigned i = 0; i < len; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", hash[i]);
    return 0;
}

static bool signature_begins(sb_slice line)
{
    return sb_slice_starts(line, SB_LIT("-----BEGIN PGP SIGNATURE-----")) ||
           sb_slice_starts(line, SB_LIT("-----BEGIN PGP MESSAGE-----")) ||
           sb_slice_starts(line, SB_LIT("-----BEGIN SSH SIGNATURE-----"));
}

static void split_tag(sb_slice raw, sb_git_object *object)
{
    sb_slice rest = raw;

    object->payload = raw;
    for (;;) { /* the headers end with an empty line */
        sb_slice line = sb_slice_cut(&rest, '\n');

        if (!line.len)
            break;
        if (sb_slice_starts(line, SB_LIT("object ")))
            object->target = sb_slice_sub(line, strlen("object "), line.len);
        if (sb_slice_starts(line, SB_LIT("tag ")))
            object->name = sb_slice_sub(line, strlen("tag "), line.len);
    }
    while (rest.ptr) {
        sb_slice line = sb_slice_cut(&rest, '\n');
        size_t at = (size_t)(line.ptr - raw.ptr);

        /* The last one counts: a message may quote another. */
        if (signature_begins(line)) {
            object->payload = sb_slice_sub(raw, 0, at);
            object->signature = sb_slice_sub(raw, at, raw.len);
        }
    }
}

/* The header "gpgsig" and its continuation lines taken out. */
static int split_commit(sb_arena *arena, sb_slice raw, sb_git_object *object, sb_error **err)
{
    sb_autobuf payload = SB_BUF_INIT(SB_GIT_SIGNED_MAX), signature = SB_BUF_INIT(SB_GIT_SIGNED_MAX);
    sb_slice rest = raw;
    bool inside = false, mine = false, found = false;

    while (rest.ptr) {
        size_t start = (size_t)(rest.ptr - raw.ptr);
        sb_slice line = sb_slice_cut(&rest, '\n');
        size_t end = rest.ptr ? (size_t)(rest.ptr - raw.ptr) : raw.len;

        if (!line.len) { /* the end of the headers */
            sb_buf_adds(&payload, sb_slice_sub(raw, start, raw.len));
            break;
        }
        if (inside && line.ptr[0] == ' ') {
            if (mine)
                sb_buf_adds(&signature, sb_slice_sub(raw, start + 1, end));
            continue;
        }
        mine = sb_slice_starts(line, SB_LIT("gpgsig "));
        inside = mine || sb_slice_starts(line, SB_LIT("gpgsig-sha256 "));
        if (mine && found)
            return sb_fail(err, SB_ERR_VERIFY, "the commit carries two signatures");
        if (mine)
            sb_buf_adds(&signature, sb_slice_sub(raw, start + strlen("gpgsig "), end));
        found = found || mine;
        if (!inside)
            sb_buf_adds(&payload, sb_slice_sub(raw, start, end));
    }
    if (sb_buf_check(&payload, "a commit", err) < 0 || sb_buf_check(&signature, "a signature", err) < 0)
        return -1;
    object->payload = sb_arena_dup(arena, sb_buf_slice(&payload));
    object->signature = found ? sb_arena_dup(arena, sb_buf_slice(&signature)) : SB_NIL;
    return 0;
}

int sb_git_object_parse(sb_arena *arena, sb_slice raw, const char *type, sb_slice id,
                        sb_git_object *ret_object, sb_error **err)
{
    sb_git_object object = {0};
    char hex[129];

    if (raw.len > SB_GIT_SIGNED_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the git %s is larger than %d bytes", type, SB_GIT_SIGNED_MAX);
    if (object_id(raw, type, id.len, hex, err) < 0)
        return -1;
    if (!sb_slice_eq_nocase(sb_slice_z(hex), id))
        return sb_fail(err, SB_ERR_VERIFY, "the stored git %s is %s, not %" SB_FMT, type, hex, SB_ARG(id));
    if (strcmp(type, "tag") == 0)
        split_tag(raw, &object);
    else if (split_commit(arena, raw, &object, err) < 0)
        return -1;
    *ret_object = object;
    return 0;
}
