// SPDX-License-Identifier: Apache-2.0
/* Lock files that are read line by line: requirements with hashes, go.sum, Gemfile.lock. */
#include <lock/native.h>

static sb_slice next_line(sb_slice *rest)
{
    sb_slice line = sb_slice_cut(rest, '\n');

    if (sb_slice_ends(line, SB_LIT("\r")))
        line.len--;
    return line;
}

/* --- requirements*.txt --- */

/* "name[extra]==1.0 ; marker": only an exact version has hashes that say something. */
static bool read_requirement(sb_arena *arena, sb_slice line, sb_slice *ret_name, sb_slice *ret_version)
{
    ptrdiff_t equals = sb_slice_find(line, SB_LIT("=="));
    sb_slice name, version;
    size_t end = 0;

    if (equals < 1)
        return false;
    name = sb_slice_trim(sb_slice_sub(line, 0, (size_t)equals));
    if (sb_slice_chr(name, '[') > 0)
        name = sb_slice_trim(sb_slice_sub(name, 0, (size_t)sb_slice_chr(name, '[')));
    version = sb_slice_sub(line, (size_t)equals + 2, line.len);
    if (sb_slice_starts(version, SB_LIT("="))) /* "===" */
        version = sb_slice_sub(version, 1, version.len);
    version = sb_slice_trim(version);
    while (end < version.len && !strchr(" \t;\\#,", version.ptr[end]))
        end++;
    version.len = end;
    if (!sb_purl_is_word(name, "._-") || !sb_purl_is_word(version, "._+!-"))
        return false;
    *ret_name = sb_purl_python_name(arena, name);
    *ret_version = version;
    return true;
}

static void add_hashes(sb_native_reader *r, sb_slice name, sb_slice version, sb_slice line)
{
    sb_slice mark = SB_LIT("--hash=");
    ptrdiff_t at;

    while ((at = sb_slice_find(line, mark)) >= 0) {
        sb_slice hash;
        size_t end = 0;

        line = sb_slice_sub(line, (size_t)at + mark.len, line.len);
        while (end < line.len && !strchr(" \t\\\"'#", line.ptr[end]))
            end++;
        hash = sb_slice_sub(line, 0, end);
        sb_native_add_hex(r, name, version, SB_NIL, hash);
    }
}

void sb_native_read_requirements(sb_native_reader *r, sb_slice text)
{
    sb_slice rest = text, name = SB_NIL, version = SB_NIL;
    bool goes_on = false;

    while (rest.ptr) {
        sb_slice line = sb_slice_trim(next_line(&rest));

        if (sb_slice_starts(line, SB_LIT("#")))
            continue;
        if (!goes_on && !read_requirement(r->native->arena, line, &name, &version))
            name = SB_NIL;
        if (name.ptr)
            add_hashes(r, name, version, line);
        goes_on = sb_slice_ends(line, SB_LIT("\\"));
    }
}

/* --- go.sum: "MODULE VERSION[/go.mod] h1:BASE64" --- */

void sb_native_read_gosum(sb_native_reader *r, sb_slice text)
{
    sb_slice rest = text, mod = SB_LIT("/go.mod"), h1 = SB_LIT("h1:");

    while (rest.ptr) {
        sb_slice hash = sb_slice_trim(next_line(&rest)), module = sb_slice_cut(&hash, ' '), version;
        bool is_mod;
        sb_native_hash found;

        version = hash.ptr ? sb_slice_cut(&hash, ' ') : SB_NIL;
        if (!hash.ptr || !sb_slice_starts(hash, h1))
            continue;
        is_mod = sb_slice_ends(version, mod);
        if (is_mod)
            version.len -= mod.len;
        if (sb_native_hash_base64(is_mod ? SB_NATIVE_GO_MOD : SB_NATIVE_GO_ZIP,
                                  sb_slice_sub(hash, h1.len, hash.len), &found))
            sb_native_add(r, sb_arena_lower(r->native->arena, module), version,
                          is_mod ? SB_LIT("go.mod") : SB_NIL, &found, hash);
    }
}

/* --- Gemfile.lock: in CHECKSUMS "  NAME (VERSION[-PLATFORM]) sha256=HEX" --- */

static void read_checksum(sb_native_reader *r, sb_slice line)
{
    sb_slice hashes = sb_slice_trim(line), name = sb_slice_cut(&hashes, ' '), version, platform;

    if (!hashes.ptr || !sb_slice_starts(hashes, SB_LIT("(")))
        return;
    hashes = sb_slice_sub(hashes, 1, hashes.len);
    platform = sb_slice_cut(&hashes, ')');
    version = sb_slice_cut(&platform, '-');
    while (hashes.ptr) {
        sb_slice one = sb_slice_trim(sb_slice_cut(&hashes, ','));

        sb_native_add_hex(r, name, version, platform, one);
    }
}

void sb_native_read_gemfile(sb_native_reader *r, sb_slice text)
{
    sb_slice rest = text;
    bool within = false;

    while (rest.ptr) {
        sb_slice line = next_line(&rest);

        if (line.len && line.ptr[0] != ' ')
            within = sb_slice_eqz(line, "CHECKSUMS");
        else if (within)
            read_checksum(r, line);
    }
}
