// SPDX-License-Identifier: Apache-2.0
/*
 * yarn.lock of Yarn 1 and pnpm-lock.yaml: written by programs in one layout each, so the few lines that say
 * a hash are found by their indentation, without a YAML reader.
 */
#include <lock/native.h>

static sb_slice next_line(sb_slice *rest)
{
    sb_slice line = sb_slice_cut(rest, '\n');

    if (sb_slice_ends(line, SB_LIT("\r")))
        line.len--;
    return line;
}

static size_t indentation(sb_slice line)
{
    size_t n = 0;

    while (n < line.len && line.ptr[n] == ' ')
        n++;
    return n;
}

static sb_slice unquoted(sb_slice text)
{
    text = sb_slice_trim(text);
    if (text.len >= 2 && (text.ptr[0] == '"' || text.ptr[0] == '\'') && text.ptr[text.len - 1] == text.ptr[0])
        text = sb_slice_sub(text, 1, text.len - 1);
    return text;
}

/* --- yarn.lock --- */

typedef struct yarn_entry {
    sb_slice name, version, integrity, resolved;
} yarn_entry;

/* `"@babel/core@^7.0.0", "@babel/core@^7.1.0":`, an alias `a@npm:b@^1:` is b. */
static sb_slice yarn_name(sb_slice line)
{
    sb_slice first = sb_slice_cut(&line, ','), range;
    ptrdiff_t at;

    if (sb_slice_ends(first, SB_LIT(":")))
        first.len--;
    first = unquoted(first);
    at = first.len > 1 ? sb_slice_chr(sb_slice_sub(first, 1, first.len), '@') : -1;
    if (at < 0)
        return SB_NIL;
    range = sb_slice_sub(first, (size_t)at + 2, first.len);
    if (!sb_slice_starts(range, SB_LIT("npm:")))
        return sb_slice_sub(first, 0, (size_t)at + 1);
    range = sb_slice_sub(range, 4, range.len);
    at = range.len > 1 ? sb_slice_chr(sb_slice_sub(range, 1, range.len), '@') : -1;
    return at < 0 ? range : sb_slice_sub(range, 0, (size_t)at + 1);
}

static void add_yarn(sb_native_reader *r, const yarn_entry *entry)
{
    sb_slice fragment = entry->resolved;
    sb_native_hash hash;

    if (!entry->name.ptr)
        return;
    sb_native_add_sri(r, entry->name, entry->version, entry->integrity);
    sb_slice_cut(&fragment, '#');
    if (fragment.ptr && sb_native_hash_hex(SB_NATIVE_SHA1, fragment, &hash))
        sb_native_add(r, entry->name, entry->version, SB_NIL, &hash,
                      sb_arena_printf(r->native->arena, "sha1:%" SB_FMT, SB_ARG(fragment)));
}

void sb_native_read_yarn(sb_native_reader *r, sb_slice text)
{
    sb_slice rest = text;
    yarn_entry entry = {0};

    while (rest.ptr) {
        sb_slice line = next_line(&rest), value, key;

        if (!line.len || line.ptr[0] == '#')
            continue;
        if (indentation(line) == 0) {
            add_yarn(r, &entry);
            /* The checksums of later versions are of archives that Yarn packs itself. */
            if (sb_slice_starts(line, SB_LIT("__metadata:")))
                return;
            entry = (yarn_entry){.name = yarn_name(line)};
            continue;
        }
        if (indentation(line) != 2)
            continue;
        value = sb_slice_trim(line);
        key = sb_slice_cut(&value, ' ');
        if (!value.ptr)
            continue;
        if (sb_slice_eqz(key, "version"))
            entry.version = unquoted(value);
        else if (sb_slice_eqz(key, "resolved"))
            entry.resolved = unquoted(value);
        else if (sb_slice_eqz(key, "integrity"))
            entry.integrity = unquoted(value);
    }
    add_yarn(r, &entry);
}

/* --- pnpm-lock.yaml --- */

/* `/@babel/core@7.0.0(peer@1):`, `/@babel/core/7.0.0_peer@1:`, `'@babel/core@7.0.0':` */
static bool pnpm_key(sb_slice line, sb_slice *ret_name, sb_slice *ret_version)
{
    sb_slice key = sb_slice_trim(line);
    ptrdiff_t at;

    if (!sb_slice_ends(key, SB_LIT(":")))
        return false;
    key = unquoted(sb_slice_sub(key, 0, key.len - 1));
    if (sb_slice_starts(key, SB_LIT("/")))
        key = sb_slice_sub(key, 1, key.len);
    if (sb_slice_chr(key, '(') > 0)
        key.len = (size_t)sb_slice_chr(key, '(');
    at = key.len > 1 ? sb_slice_chr(sb_slice_sub(key, 1, key.len), '@') + 1 : 0;
    /* An "@" of the peers does not count: it stands behind "/7.0.0_". */
    if (at < 1 || sb_slice_chr(sb_slice_sub(key, 0, (size_t)at), '_') > sb_slice_rchr(key, '/'))
        at = sb_slice_rchr(key, '/');
    if (at < 1)
        return false;
    *ret_name = sb_slice_sub(key, 0, (size_t)at);
    *ret_version = sb_slice_sub(key, (size_t)at + 1, key.len);
    if (sb_slice_chr(*ret_version, '_') > 0)
        ret_version->len = (size_t)sb_slice_chr(*ret_version, '_');
    return true;
}

void sb_native_read_pnpm(sb_native_reader *r, sb_slice text)
{
    sb_slice rest = text, name = SB_NIL, version = SB_NIL, mark = SB_LIT("integrity:");
    bool within = false;

    while (rest.ptr) {
        sb_slice line = next_line(&rest);
        size_t indent = indentation(line);
        ptrdiff_t at;

        if (!sb_slice_trim(line).len)
            continue;
        if (indent == 0) {
            within = sb_slice_eqz(line, "packages:");
            name = SB_NIL;
        } else if (within && indent == 2 && !pnpm_key(line, &name, &version)) {
            name = SB_NIL;
        }
        at = within && name.ptr && indent > 2 ? sb_slice_find(line, mark) : -1;
        if (at >= 0) {
            sb_slice value = sb_slice_trim(sb_slice_sub(line, (size_t)at + mark.len, line.len));
            size_t end = 0;

            while (end < value.len && !strchr(",} \t", value.ptr[end]))
                end++;
            sb_native_add_sri(r, name, version, unquoted(sb_slice_sub(value, 0, end)));
        }
    }
}
