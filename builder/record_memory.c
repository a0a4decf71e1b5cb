// SPDX-License-Identifier: Apache-2.0
/*
 * What this user has recorded: under the key of a step's inputs, the step manifest that came out. In the
 * user's cache and not in the lock, since it says nothing about what is built: without it `sbuild lock`
 * records again, from the lock.
 *
 * A nonce takes part in the id of a recording's cache mount. It stays until the recording is taken, so that a
 * run that was killed is continued from the engine's cache, and changes then, so that nothing is taken twice.
 */
#include <builder/record.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>
#include <unistd.h>

enum { ENTRY_MAX = 4096 };

static void to_hex(const unsigned char *bytes, size_t len, char *ret_hex)
{
    for (size_t i = 0; i < len; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", bytes[i]);
}

static int random_bytes(unsigned char *bytes, size_t len, sb_error **err)
{
    if (getrandom(bytes, len, 0) != (ssize_t)len)
        return sb_fail(err, SB_ERR_IO, "the kernel gives no random numbers: %s", strerror(errno));
    return 0;
}

int sb_record_nonce(char ret_nonce[SB_NONCE_LEN + 1], sb_error **err)
{
    unsigned char bytes[SB_NONCE_LEN / 2];

    if (random_bytes(bytes, sizeof(bytes), err) < 0)
        return -1;
    to_hex(bytes, sizeof(bytes), ret_nonce);
    return 0;
}

/* --- One entry per key --- */

static char *entry_path(const sb_digest *key, bool make, sb_error **err)
{
    sb_autofree char *cache = sb_cache_dir(err);
    sb_autofree char *dir = NULL;
    char hex[SB_DIGEST_HEX];

    if (!cache)
        return NULL;
    dir = sb_path_join(cache, "recorded");
    if (make && sb_mkdirs(dir, err) < 0)
        return NULL;
    sb_digest_hex(key, hex);
    return sb_path_join(dir, hex);
}

static bool is_nonce(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (sb_hex_value(text.ptr[i]) < 0)
            return false;
    return text.len == SB_NONCE_LEN;
}

int sb_recorded_load(const sb_digest *key, sb_recorded *ret_recorded, sb_error **err)
{
    sb_autofree char *path = entry_path(key, false, err);
    sb_autofree char *data = NULL;
    sb_autojson *json = NULL;
    sb_recorded found = {0};
    sb_slice manifest, nonce;
    bool missing = false;
    size_t len = 0;

    if (!path)
        return -1;
    if (sb_read_file(AT_FDCWD, path, ENTRY_MAX, &data, &len, &missing, err) < 0) {
        if (missing)
            *ret_recorded = found;
        return missing ? 0 : -1;
    }
    /* A damaged entry of a cache is none. */
    if (sb_json_parse(sb_slice_of(data, len), path, &json, NULL) == 0) {
        manifest = sb_json_str(json, "manifest");
        nonce = sb_json_str(json, "nonce");
        found.has_manifest = manifest.len > 0;
        found.known =
            is_nonce(nonce) && (!found.has_manifest || sb_digest_parse(manifest, &found.manifest, NULL) == 0);
        if (found.known)
            memcpy(found.nonce, nonce.ptr, nonce.len);
    }
    *ret_recorded = found;
    return 0;
}

int sb_recorded_save(const sb_digest *key, const sb_digest *manifest, sb_error **err)
{
    sb_autofree char *path = entry_path(key, true, err);
    sb_autofree char *digest = manifest ? sb_digest_dup(manifest) : NULL;
    sb_autojson *json = json_object();
    sb_autobuf out = SB_BUF_INIT(ENTRY_MAX);
    char nonce[SB_NONCE_LEN + 1] = "";

    if (!path || sb_record_nonce(nonce, err) < 0)
        return -1;
    sb_json_set_strz(json, "manifest", digest ? digest : "");
    sb_json_set_strz(json, "nonce", nonce);
    if (sb_json_write(json, &out, err) < 0)
        return -1;
    return sb_write_file(AT_FDCWD, path, sb_buf_slice(&out), 0600, err);
}

/* --- The secret --- */

/* False when there is none that only this user can have read. */
static bool read_secret(const char *path, unsigned char ret_secret[SB_RECORD_SECRET])
{
    sb_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 077) &&
           st.st_uid == geteuid() && read(fd, ret_secret, SB_RECORD_SECRET) == SB_RECORD_SECRET;
}

int sb_record_secret(unsigned char ret_secret[SB_RECORD_SECRET], sb_error **err)
{
    sb_autofree char *cache = sb_cache_dir(err);
    sb_autofree char *path = cache ? sb_path_join(cache, "recording.key") : NULL;
    unsigned char fresh[SB_RECORD_SECRET];

    if (!path)
        return -1;
    if (read_secret(path, ret_secret))
        return 0;
    if (sb_mkdirs(cache, err) < 0 || random_bytes(fresh, sizeof(fresh), err) < 0 ||
        sb_write_file(AT_FDCWD, path, sb_slice_of((const char *)fresh, sizeof(fresh)), 0600, err) < 0)
        return -1;
    /* Of two runs that make it at once the last one's stays, and both must have that. */
    if (!read_secret(path, ret_secret))
        return sb_fail(err, SB_ERR_IO, "cannot read %s, which was just written", path);
    return 0;
}

sb_slice sb_record_id(sb_arena *arena, const unsigned char secret[SB_RECORD_SECRET], sb_slice text)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char *hex;

    sb_not_null(
        HMAC(EVP_sha256(), secret, SB_RECORD_SECRET, (const unsigned char *)text.ptr, text.len, mac, &len));
    hex = sb_arena_alloc(arena, 2 * (size_t)len + 1);
    to_hex(mac, len, hex);
    return sb_slice_of(hex, 2 * (size_t)len);
}
