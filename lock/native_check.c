// SPDX-License-Identifier: Apache-2.0
/* What was downloaded, against what the project's own lock files say of it. */
#include <lock/native.h>

/* The name by which native lock files know a package. */
static sb_slice key_name(sb_arena *arena, const sb_purl *purl)
{
    return purl->space.len
               ? sb_arena_printf(arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(purl->space), SB_ARG(purl->name))
               : purl->name;
}

static bool is_less(const sb_native_entry *entry, const char *type, sb_slice name, sb_slice version)
{
    int order = strcmp(entry->type, type);

    if (!order)
        order = sb_slice_cmp(entry->name, name);
    return order ? order < 0 : sb_slice_cmp(entry->version, version) < 0;
}

typedef struct range {
    const sb_native_entry *first;
    size_t count;
    sb_slice variant; /* what of these is meant */
} range;

static sb_slice platform_of(const sb_purl *purl)
{
    for (size_t i = 0; i < SB_PURL_QUALIFIERS; i++)
        if (purl->qualifiers[i].value.len && strcmp(purl->qualifiers[i].key, "platform") == 0)
            return purl->qualifiers[i].value;
    return SB_LIT("");
}

static sb_slice variant_of(const sb_named *named)
{
    if (strcmp(named->purl.type, "golang") == 0)
        return named->purl.subpath.ptr ? named->purl.subpath : SB_LIT("");
    if (strcmp(named->purl.type, "gem") == 0)
        return platform_of(&named->purl);
    return strcmp(named->purl.type, "pypi") == 0 ? named->file : SB_LIT("");
}

static range entries_of(const sb_native *native, const sb_named *named)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice name = key_name(arena, &named->purl), version = named->purl.version;
    const char *type = named->purl.type;
    size_t low = 0, high = native->count;
    range r = {.variant = variant_of(named)};

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (is_less(&native->entries[middle], type, name, version))
            low = middle + 1;
        else
            high = middle;
    }
    r.first = native->entries + low;
    while (low + r.count < native->count && strcmp(r.first[r.count].type, type) == 0 &&
           sb_slice_eq(r.first[r.count].name, name) && sb_slice_eq(r.first[r.count].version, version))
        r.count++;
    return r;
}

/* Of Python's files an entry without a file name is one of several, and which one it does not say. */
static bool applies(const range *r, const sb_native_entry *entry)
{
    return sb_slice_eq(entry->variant, r->variant) ||
           (!entry->variant.len && strcmp(entry->type, "pypi") == 0);
}

bool sb_native_knows(const sb_native *native, const sb_named *named)
{
    range r = entries_of(native, named);

    for (size_t i = 0; i < r.count; i++)
        if (applies(&r, &r.first[i]))
            return true;
    return false;
}

const sb_native_entry *sb_native_find_text(const sb_native *native, const sb_named *named, sb_slice text)
{
    range r = entries_of(native, named);

    for (size_t i = 0; i < r.count; i++)
        if (applies(&r, &r.first[i]) && sb_slice_eq(r.first[i].text, text))
            return &r.first[i];
    return NULL;
}

static int differs(const sb_named *named, const sb_native_entry *stated, const sb_native_hash *got,
                   sb_error **err)
{
    bool hex = sb_slice_chr(stated->text, '-') < 0 && got->algo < SB_NATIVE_GO_ZIP;
    sb_autofree char *file = sb_printable(stated->file);
    sb_autofree char *purl = sb_printable(named->text);
    sb_autofree char *url = sb_printable(named->url);
    sb_autofree char *expected = sb_printable(stated->text);
    sb_autofree char *found = sb_native_hash_text(got, hex);

    return sb_fail(err, SB_ERR_VERIFY,
                   "%s: %s is %s there, but what %s gave is %s; find out who changed it before you "
                   "trust it, and bring %s up to date if that is what is old",
                   file, purl, expected, url, found, file);
}

int sb_native_check(const sb_native *native, const sb_named *named, int fd, const sb_native_entry **ret_entry,
                    sb_error **err)
{
    range r = entries_of(native, named);
    sb_native_hash got[SB_NATIVE_ALGOS];
    bool known[SB_NATIVE_ALGOS] = {false};
    const sb_native_entry *other = NULL;

    /* The strongest first: it is what the lock then states. */
    for (int algo = SB_NATIVE_ALGOS - 1; algo >= 0; algo--) {
        for (size_t i = 0; i < r.count; i++) {
            const sb_native_entry *entry = &r.first[i];

            if (entry->hash.algo != (sb_native_algo)algo || !applies(&r, entry))
                continue;
            if (!known[algo] && sb_native_hash_of_fd(entry->hash.algo, fd, &got[algo], err) < 0)
                return sb_wrap(err, "%" SB_FMT, SB_ARG(named->text));
            known[algo] = true;
            if (sb_native_hash_eq(&got[algo], &entry->hash)) {
                *ret_entry = entry;
                return 0;
            }
            if (!other)
                other = entry;
        }
        /* A weaker hash does not outweigh a stronger one that differs. */
        if (other)
            return differs(named, other, &got[other->hash.algo], err);
    }
    *ret_entry = NULL;
    return 0;
}
