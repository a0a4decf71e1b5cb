// SPDX-License-Identifier: Apache-2.0
#include <sbuild/verify.h>

#include <sbuild/buf.h>

typedef struct entry {
    sb_slice hash;
    sb_slice name; /* absent for a bare hash */
    bool escaped;  /* the name has \\, \n and \r in it */
    sb_slice algo; /* as BSD lists name it; absent: by the length of the hash */
} entry;

typedef struct search {
    sb_slice name;
    size_t entries; /* lines that are entries, for whatever file */
    size_t bare;
    sb_digest bare_digest;
    bool weak; /* the file is listed with a hash that counts for nothing */
    bool found;
    bool contradiction;
    sb_digest digest;
} search;

/* As many hex digits as MD5, SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512 have. */
static bool is_hash(sb_slice s)
{
    return (s.len == 32 || s.len == 40 || s.len == 56 || s.len == 64 || s.len == 96 || s.len == 128) &&
           sb_slice_is_hex(s);
}

/* "SHA256 (name) = hash", also as openssl writes it: "SHA256(name)= hash". */
static bool parse_bsd(sb_slice line, entry *ret_entry)
{
    ptrdiff_t open = sb_slice_chr(line, '(');
    ptrdiff_t close = sb_slice_rchr(line, ')');
    sb_slice algo, hash;

    if (open <= 0 || close <= open + 1)
        return false;
    algo = sb_slice_trim(sb_slice_sub(line, 0, (size_t)open));
    hash = sb_slice_trim(sb_slice_sub(line, (size_t)close + 1, line.len));
    if (!hash.len || hash.ptr[0] != '=' || !algo.len || sb_slice_chr(algo, ' ') >= 0)
        return false;
    hash = sb_slice_trim(sb_slice_sub(hash, 1, hash.len));
    if (!sb_slice_is_hex(hash))
        return false;
    *ret_entry =
        (entry){.hash = hash, .name = sb_slice_sub(line, (size_t)open + 1, (size_t)close), .algo = algo};
    return true;
}

/* "hash  name", "hash *name", or a bare hash. */
static bool parse_gnu(sb_slice line, entry *ret_entry)
{
    sb_slice rest = line, hash, name;
    size_t n = 0;

    while (n < line.len && line.ptr[n] != ' ' && line.ptr[n] != '\t')
        n++;
    hash = sb_slice_sub(line, 0, n);
    if (!is_hash(hash))
        return false;
    rest = sb_slice_sub(line, n, line.len);
    name = sb_slice_trim(rest);
    if (name.len && name.ptr[0] == '*')
        name = sb_slice_sub(name, 1, name.len);
    /* What a hashing program prints for its standard input. */
    if (!name.len || sb_slice_eqz(name, "-"))
        name = SB_NIL;
    *ret_entry = (entry){.hash = hash, .name = name};
    return true;
}

static bool parse_line(sb_slice line, entry *ret_entry)
{
    bool escaped = line.len > 1 && line.ptr[0] == '\\';

    if (escaped)
        line = sb_slice_sub(line, 1, line.len);
    if (!parse_gnu(line, ret_entry) && !parse_bsd(line, ret_entry))
        return false;
    ret_entry->escaped = escaped;
    return true;
}

/* The name as it is meant; a new string that the caller frees. *ret_len, since it may hold anything. */
static char *unescape(const entry *e, size_t *ret_len)
{
    char *out = sb_malloc(e->name.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < e->name.len; i++) {
        char c = e->name.ptr[i];

        if (e->escaped && c == '\\' && i + 1 < e->name.len) {
            c = e->name.ptr[++i];
            c = c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        out[len++] = c;
    }
    *ret_len = len;
    return out;
}

static bool has_dot_dot(sb_slice path)
{
    while (path.ptr)
        if (sb_slice_eqz(sb_slice_cut(&path, '/'), ".."))
            return true;
    return false;
}

/* The algorithm that a BSD list names must be the one that the length tells. */
static bool strong_digest(const entry *e, sb_digest *ret_digest)
{
    static const struct {
        const char *name;
        sb_hash_algo algo;
    } names[] = {
        {"SHA256", SB_HASH_SHA256},   {"SHA384", SB_HASH_SHA384},   {"SHA512", SB_HASH_SHA512},
        {"SHA2-256", SB_HASH_SHA256}, {"SHA2-384", SB_HASH_SHA384}, {"SHA2-512", SB_HASH_SHA512},
    };

    if (!sb_digest_from_hex(e->hash, ret_digest))
        return false;
    for (size_t i = 0; e->algo.ptr && i < SB_COUNT(names); i++)
        if (sb_slice_eq_nocase(e->algo, sb_slice_z(names[i].name)))
            return ret_digest->algo == names[i].algo;
    return !e->algo.ptr;
}

static void take(search *s, const sb_digest *digest)
{
    if (!s->found || digest->algo > s->digest.algo) {
        s->found = true;
        s->contradiction = false;
        s->digest = *digest;
    } else if (digest->algo == s->digest.algo && !sb_digest_eq(digest, &s->digest)) {
        s->contradiction = true;
    }
}

static int consider(search *s, const entry *e, sb_error **err)
{
    sb_autofree char *name = NULL;
    sb_slice full, base;
    sb_digest digest;
    size_t len;

    s->entries++;
    if (!e->name.ptr) {
        if (strong_digest(e, &digest)) {
            s->bare_digest = digest;
            s->bare++;
        } else {
            s->weak = true;
        }
        return 0;
    }
    name = unescape(e, &len);
    full = sb_slice_of(name, len);
    base = sb_path_last(full);
    if (!sb_slice_eq(base, s->name))
        return 0;
    if (has_dot_dot(full)) {
        sb_autofree char *shown = sb_printable(full);

        return sb_fail(err, SB_ERR_VERIFY, "the checksum list names \"%s\", a path with \"..\"", shown);
    }
    if (strong_digest(e, &digest))
        take(s, &digest);
    else
        s->weak = true;
    return 0;
}

static int conclude(const search *s, sb_digest *ret_digest, sb_error **err)
{
    sb_autofree char *shown = sb_printable(s->name);

    if (s->entries == 0)
        return sb_fail(err, SB_ERR_PARSE, "this is no checksum list: no line of it holds a hash");
    if (s->contradiction)
        return sb_fail(err, SB_ERR_VERIFY, "the checksum list gives different hashes for %s", shown);
    if (s->found) {
        *ret_digest = s->digest;
        return 0;
    }
    /* A bare hash says nothing about which file it is of, so it must be all that there is. */
    if (s->bare == 1 && s->entries == 1) {
        *ret_digest = s->bare_digest;
        return 0;
    }
    if (s->weak)
        return sb_fail(
            err, SB_ERR_VERIFY,
            "the checksum list has no hash of %s that counts; expected SHA-256, SHA-384 or SHA-512", shown);
    return sb_fail(err, SB_ERR_NOT_FOUND, "the checksum list does not name %s", shown);
}

int sb_checksums_find(sb_slice list, sb_slice name, sb_digest *ret_digest, sb_error **err)
{
    search s = {.name = sb_path_last(name)};

    if (list.len > SB_CHECKSUMS_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the checksum list is larger than the maximum of %d bytes",
                       SB_CHECKSUMS_MAX);
    if (!s.name.len)
        return sb_fail(err, SB_ERR_USAGE, "a checksum list was asked for a file without a name");
    if (sb_slice_starts(list, SB_LIT("\xef\xbb\xbf")))
        list = sb_slice_sub(list, 3, list.len);
    while (list.ptr) {
        sb_slice line = sb_slice_cut(&list, '\n');
        entry e;

        while (line.len && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' '))
            line.len--;
        if (parse_line(line, &e) && consider(&s, &e, err) < 0)
            return -1;
    }
    return conclude(&s, ret_digest, err);
}
