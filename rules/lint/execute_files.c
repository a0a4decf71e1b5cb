// SPDX-License-Identifier: Apache-2.0
/* Files that have bytes of a download, by path. */
#include <fnmatch.h>

#include <rules/lint/execute.h>

sb_slice sb_path_base(sb_slice path)
{
    size_t start = 0, depth = 0;

    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    for (size_t i = 0; i < path.len; i++) { /* a slash in $(…) is none of the path's */
        char c = path.ptr[i];

        if (c == '$' && i + 1 < path.len && (path.ptr[i + 1] == '(' || path.ptr[i + 1] == '{'))
            depth++;
        else if ((c == ')' || c == '}') && depth > 0)
            depth--;
        else if (c == '/' && depth == 0)
            start = i + 1;
    }
    return start < path.len ? sb_slice_sub(path, start, path.len) : path;
}

static bool is_name_char(char c)
{
    return sb_ascii_is_alnum(c) || c == '_';
}

/* ${name} becomes $name. Returns the new length; in place. */
static size_t drop_braces(char *s, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '$' && i + 1 < len && s[i + 1] == '{') {
            size_t end = i + 2;

            while (end < len && is_name_char(s[end]))
                end++;
            if (end < len && s[end] == '}') {
                s[out++] = '$';
                for (size_t j = i + 2; j < end; j++)
                    s[out++] = s[j];
                i = end;
                continue;
            }
        }
        s[out++] = s[i];
    }
    return out;
}

/* "." and ".." and empty components go. In place. */
static size_t drop_dots(char *s, size_t len)
{
    bool absolute = len > 0 && s[0] == '/';
    size_t out = 0, i = 0;

    while (i < len) {
        size_t end = i, n;

        while (end < len && s[end] != '/')
            end++;
        n = end - i;
        if (n == 2 && s[i] == '.' && s[i + 1] == '.' && (out > 0 || absolute)) {
            while (out > 0 && s[--out] != '/')
                ;
        } else if (n > 0 && !(n == 1 && s[i] == '.')) {
            if (out > 0 || absolute)
                s[out++] = '/';
            memmove(s + out, s + i, n);
            out += n;
        }
        i = end + 1;
    }
    return out;
}

sb_slice sb_plain_vars(sb_arena *arena, sb_slice text)
{
    char *s;

    if (sb_slice_find(text, SB_LIT("${")) < 0)
        return text;
    s = sb_arena_strdup(arena, text);
    return sb_slice_of(s, drop_braces(s, text.len));
}

sb_slice sb_files_path(sb_arena *arena, sb_slice directory, sb_slice written)
{
    sb_slice path;
    char *s;
    size_t len;

    if (sb_slice_starts(written, SB_LIT("~/")))
        path = sb_arena_printf(arena, "$HOME%" SB_FMT, SB_ARG(sb_slice_sub(written, 1, written.len)));
    else if (directory.ptr && written.len && written.ptr[0] != '/' && written.ptr[0] != '$')
        path = sb_arena_printf(arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(directory), SB_ARG(written));
    else
        path = written;
    s = sb_arena_strdup(arena, path);
    len = drop_braces(s, path.len);
    return sb_slice_of(s, drop_dots(s, len));
}

static void make_own(sb_arena *arena, sb_files *files)
{
    sb_named *items = files->items;

    if (!files->shared)
        return;
    files->shared = false;
    files->cap = files->count + 8;
    files->items = sb_arena_array(arena, sb_named, files->cap);
    if (files->count)
        memcpy(files->items, items, files->count * sizeof(*items));
}

void sb_files_put(sb_arena *arena, sb_files *files, sb_slice path, int origin, sb_slice text)
{
    if (path.len == 0 || sb_slice_starts(path, SB_LIT("/dev/")))
        return;
    sb_files_drop(arena, files, path);
    if (files->count == SB_FILES_MAX)
        return;
    make_own(arena, files);
    *SB_ARENA_PUSH(arena, files->items, files->count, files->cap) = (sb_named){path, origin, text};
}

void sb_files_drop(sb_arena *arena, sb_files *files, sb_slice path)
{
    size_t i = 0;

    while (i < files->count && !sb_slice_eq(files->items[i].path, path))
        i++;
    if (i == files->count)
        return;
    make_own(arena, files);
    files->count--;
    memmove(files->items + i, files->items + i + 1, (files->count - i) * sizeof(*files->items));
}

static bool is_pattern(sb_slice path)
{
    return sb_slice_chr(path, '*') >= 0 || sb_slice_chr(path, '?') >= 0 || sb_slice_chr(path, '[') >= 0;
}

static bool is_relative(sb_slice path)
{
    return path.len > 0 && path.ptr[0] != '/' && path.ptr[0] != '$';
}

/* "x.sh" is the end of "dir/x.sh". */
static bool is_end_of(sb_slice path, sb_slice end)
{
    return path.len > end.len && sb_slice_ends(path, end) && path.ptr[path.len - end.len - 1] == '/';
}

const sb_named *sb_files_find(const sb_files *files, sb_slice path)
{
    bool pattern = is_pattern(path), relative = is_relative(path);
    sb_autofree char *pattern_z = pattern ? sb_slice_dup(path) : NULL;

    for (size_t i = files->count; i > 0; i--) {
        const sb_named *f = &files->items[i - 1];

        if (sb_slice_eq(f->path, path))
            return f;
        if (pattern) {
            sb_autofree char *name = sb_slice_dup(f->path);

            if (fnmatch(pattern_z, name, FNM_PATHNAME | FNM_PERIOD) == 0)
                return f;
        }
    }
    /* In a directory that is not known, `cd` may have come between. */
    for (size_t i = files->count; relative && i > 0; i--) {
        const sb_named *f = &files->items[i - 1];

        if (is_relative(f->path) && (is_end_of(f->path, path) || is_end_of(path, f->path)))
            return f;
    }
    return NULL;
}

/* Is it `directory`/`name`? */
static bool is_at(sb_slice path, sb_slice directory, sb_slice name)
{
    return directory.len > 0 && path.len == directory.len + 1 + name.len &&
           sb_slice_starts(path, directory) && path.ptr[directory.len] == '/' && sb_slice_ends(path, name);
}

const sb_named *sb_files_find_program(const sb_files *files, sb_slice name, sb_slice search_path)
{
    static const char standard[] =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$HOME/.local/bin:/root/.local/bin";

    if (name.len == 0)
        return NULL;
    for (size_t i = files->count; i > 0; i--) {
        const sb_named *f = &files->items[i - 1];

        if (!sb_slice_ends(f->path, name))
            continue;
        for (int known = 0; known < 2; known++) {
            sb_slice rest = known ? sb_slice_z(standard) : search_path;

            while (rest.ptr)
                if (is_at(f->path, sb_slice_cut(&rest, ':'), name))
                    return f;
        }
    }
    return NULL;
}
