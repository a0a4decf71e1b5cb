// SPDX-License-Identifier: Apache-2.0
/* Ignore files: the lines, and what all patterns together say about a path. */
#include <dockerfile/ignore_pattern.h>
#include <dockerfile/space.h>

enum { IGNORE_MAX = 8 << 20, LINE_MAX_BYTES = 65535, PATTERNS_MAX = 100000 };

struct sb_ignore {
    sb_arena *arena;
    df_glob *globs;
    size_t count, cap;
    bool exclusions;
};

sb_slice sb_df_clean_path(sb_arena *arena, sb_slice path)
{
    char *out = sb_arena_alloc(arena, path.len + 2);
    bool rooted = path.len && path.ptr[0] == '/';
    size_t len = rooted, floor = rooted;

    out[0] = '/';
    while (path.ptr) {
        sb_slice part = sb_slice_cut(&path, '/');

        if (!part.len || sb_slice_eqz(part, "."))
            continue;
        if (sb_slice_eqz(part, "..")) {
            if (len > floor) {
                while (len > floor && out[len - 1] != '/')
                    len--;
                if (len > floor)
                    len--;
                continue;
            }
            if (rooted)
                continue;
        }
        if (len > rooted)
            out[len++] = '/';
        memcpy(out + len, part.ptr, part.len);
        len += part.len;
        if (sb_slice_eqz(part, ".."))
            floor = len;
    }
    if (!len)
        out[len++] = '.';
    return sb_slice_of(out, len);
}

static int add_line(sb_ignore *ignore, sb_slice line, sb_error **err)
{
    df_glob glob = {0};

    if (sb_slice_starts(line, SB_LIT("#")))
        return 0;
    line = df_trim(line);
    if (!line.len)
        return 0;
    if (line.ptr[0] == '!') {
        glob.exclusion = true;
        line = df_trim(sb_slice_sub(line, 1, line.len));
        if (!line.len)
            return sb_fail(err, SB_ERR_PARSE, "illegal exclusion pattern: \"!\"");
    }
    glob.text = sb_df_clean_path(ignore->arena, line);
    if (glob.text.len > 1 && glob.text.ptr[0] == '/')
        glob.text = sb_slice_sub(glob.text, 1, glob.text.len);
    if (df_glob_compile(ignore->arena, &glob, err) < 0)
        return -1;
    if (ignore->count >= PATTERNS_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "more than the maximum of %d patterns", PATTERNS_MAX);
    ignore->exclusions |= glob.exclusion;
    *SB_ARENA_PUSH(ignore->arena, ignore->globs, ignore->count, ignore->cap) = glob;
    return 0;
}

int sb_ignore_parse(sb_slice text, const char *name, sb_ignore **ret_ignore, sb_error **err)
{
    SB_AUTO(sb_ignore) ignore = sb_new(sb_ignore);
    sb_autofree char *shown = sb_printable(sb_slice_z(name));
    unsigned number = 0;
    sb_slice rest;

    ignore->arena = sb_arena_new();
    if (text.len > IGNORE_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "%s is larger than the maximum of %d bytes", shown, IGNORE_MAX);
    rest = sb_arena_dup(ignore->arena, text);
    if (sb_slice_starts(rest, SB_LIT("\xef\xbb\xbf")))
        rest = sb_slice_sub(rest, 3, rest.len);
    while (rest.ptr) {
        sb_slice line = sb_slice_cut(&rest, '\n');

        number++;
        if (line.len > LINE_MAX_BYTES)
            return sb_fail(err, SB_ERR_LIMIT, "%s:%u: the line is longer than the maximum of %d bytes", shown,
                           number, LINE_MAX_BYTES);
        if (add_line(ignore, line, err) < 0)
            return sb_wrap(err, "%s:%u", shown, number);
    }
    *ret_ignore = SB_TAKE(ignore);
    return 0;
}

void sb_ignore_free(sb_ignore *ignore)
{
    if (!ignore)
        return;
    sb_arena_free(ignore->arena);
    free(ignore);
}

/*
 * Docker walks from the root and keeps, per directory and pattern, whether it matched: what matched a parent
 * matches everything below, but a pattern that could not have changed the parent's result was never asked.
 */
bool sb_ignore_matches(const sb_ignore *ignore, sb_slice path)
{
    sb_autofree bool *matched = sb_new_array(bool, ignore->count + 1);
    bool left_out = false;

    if (!path.len || sb_slice_eqz(path, "."))
        return false;
    for (size_t start = 0, end; start < path.len; start = end + 1) {
        ptrdiff_t slash = sb_slice_chr(sb_slice_sub(path, start, path.len), '/');

        end = slash < 0 ? path.len : start + (size_t)slash;
        left_out = false;
        for (size_t i = 0; i < ignore->count; i++) {
            const df_glob *glob = &ignore->globs[i];

            if (!matched[i] && glob->exclusion == left_out)
                matched[i] = df_glob_match(glob, sb_slice_sub(path, 0, end));
            if (matched[i])
                left_out = !glob->exclusion;
        }
    }
    return left_out;
}

bool sb_ignore_prunes(const sb_ignore *ignore, sb_slice dir)
{
    if (!dir.len || sb_slice_eqz(dir, "."))
        return false;
    for (size_t i = 0; ignore->exclusions && i < ignore->count; i++)
        if (ignore->globs[i].exclusion && df_glob_reaches_below(&ignore->globs[i], dir))
            return false;
    return true;
}

bool sb_ignore_brings_back(const sb_ignore *ignore)
{
    return ignore->exclusions;
}

bool sb_ignore_leaves_out_all(const sb_ignore *ignore)
{
    for (size_t i = 0; i < ignore->count; i++)
        if (!ignore->globs[i].exclusion &&
            (sb_slice_eqz(ignore->globs[i].text, "*") || sb_slice_eqz(ignore->globs[i].text, "**") ||
             sb_slice_eqz(ignore->globs[i].text, "**/*")))
            return true;
    return false;
}
