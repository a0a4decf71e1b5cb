// SPDX-License-Identifier: Apache-2.0
/*
 * The Dockerfiles beneath a directory. A name may say that a file is one, that it is none, or leave it open:
 * then the content decides, which has to begin like a Dockerfile and to parse as one.
 */
#include <rules/lint/lint.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <sbuild/fs.h>

enum {
    DEPTH_MAX = 100,
    ENTRIES_MAX = 5000000, /* names that are looked at */
    FOUND_MAX = 200000,
    CONTENT_MAX = 256 << 10, /* bytes of a file whose content decides */
    BEGIN_MAX = 4096,        /* of these, the first ones, in which a FROM must be */
};

typedef struct finder {
    sb_arena *arena;
    sb_slice *paths;
    size_t count, cap;
    sb_slice *todo; /* directories */
    size_t todo_count, todo_cap;
    size_t entries;
} finder;

/* --- Names --- */

static bool is_one_of(sb_slice name, const char *const *list)
{
    for (; *list; list++)
        if (sb_slice_eq_nocase(name, sb_slice_z(*list)))
            return true;
    return false;
}

static bool is_left_out(sb_slice dir)
{
    static const char *const names[] = {".git",        ".hg",     ".svn",          ".bzr",   "node_modules",
                                        "vendor",      ".sbuild", "sbuild.vendor", "venv",   ".venv",
                                        "__pycache__", ".tox",    ".terraform",    ".cache", NULL};

    return is_one_of(dir, names);
}

typedef enum kind { NONE, MAYBE, SURE } kind;

/* What is behind the last dot; absent without one, or when the name begins with it. */
static sb_slice extension(sb_slice name)
{
    ptrdiff_t dot = sb_slice_rchr(name, '.');

    return dot > 0 ? sb_slice_sub(name, (size_t)dot + 1, name.len) : SB_NIL;
}

static bool contains(sb_arena *arena, sb_slice name, const char *part)
{
    return sb_slice_find(sb_arena_lower(arena, name), sb_slice_z(part)) >= 0;
}

static kind kind_of_name(sb_arena *arena, sb_slice name)
{
    static const char *const whole[] = {"dockerfile", "containerfile", NULL};
    /* Beside a Dockerfile, about it, or what one is made from. */
    static const char *const foreign[] = {"dockerignore",
                                          "containerignore",
                                          "lock",
                                          "md",
                                          "json",
                                          "yml",
                                          "yaml",
                                          "sh",
                                          "py",
                                          "rb",
                                          "js",
                                          "ts",
                                          "go",
                                          "c",
                                          "h",
                                          "html",
                                          "toml",
                                          "sarif",
                                          "patch",
                                          "diff",
                                          "swp",
                                          "png",
                                          "svg",
                                          "gz",
                                          "zip",
                                          "tar",
                                          NULL};
    static const char *const templates[] = {"j2",  "jinja",    "jinja2", "tmpl", "tpl",    "template",
                                            "in",  "mustache", "erb",    "hbs",  "liquid", "m4",
                                            "bak", "orig",     "old",    "txt",  "gotmpl", "mako",
                                            "ejs", "rej",      "tt",     "dist", NULL};
    sb_slice last = extension(name), rest = name, first = sb_slice_cut(&rest, '.');

    if (is_one_of(name, whole))
        return SURE;
    if (!last.ptr && name.len && name.ptr[0] != '.')
        return MAYBE;
    if (is_one_of(last, foreign))
        return NONE;
    if (is_one_of(first, whole) || is_one_of(last, whole))
        return is_one_of(last, templates) ? MAYBE : SURE;
    return contains(arena, name, "dockerfile") || contains(arena, name, "containerfile") ? MAYBE : NONE;
}

/* --- Content --- */

/* Comments, empty lines and ARGs, then a FROM that stands alone as a word. */
static bool begins_like_one(sb_slice text)
{
    sb_slice rest = text, bom = SB_LIT("\xef\xbb\xbf");

    if (sb_slice_starts(rest, bom))
        rest = sb_slice_sub(rest, bom.len, rest.len);
    if (rest.len > BEGIN_MAX)
        rest.len = BEGIN_MAX;
    while (rest.ptr) {
        sb_slice line = sb_slice_trim(sb_slice_cut(&rest, '\n'));

        if (sb_slice_starts(line, SB_LIT("FROM ")) || sb_slice_starts(line, SB_LIT("from ")))
            return true;
        if (line.len && line.ptr[0] != '#' && !sb_slice_starts(line, SB_LIT("ARG ")) &&
            !sb_slice_starts(line, SB_LIT("arg ")))
            return false;
    }
    return false;
}

/* "FROM users" alone is rather the end of a query: a Dockerfile does something with its image. */
static bool is_dockerfile(sb_slice text)
{
    SB_AUTO(sb_dockerfile) df = NULL;

    if (memchr(text.ptr, '\0', text.len) || !begins_like_one(text) || sb_df_parse(text, "", 0, &df, NULL) < 0)
        return false;
    return df->instructions[df->instruction_count - 1].keyword != SB_DF_FROM;
}

static bool has_content(int dirfd, const char *name)
{
    sb_autoclose int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char begin[BEGIN_MAX];
    sb_autofree char *data = NULL;
    struct stat st;
    ssize_t n;
    size_t len;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > CONTENT_MAX || st.st_size == 0)
        return false;
    n = read(fd, begin, sizeof(begin));
    if (n <= 0 || !begins_like_one(sb_slice_of(begin, (size_t)n)) || lseek(fd, 0, SEEK_SET) < 0)
        return false;
    return sb_read_fd(fd, name, CONTENT_MAX, &data, &len, NULL) == 0 && is_dockerfile(sb_slice_of(data, len));
}

/* --- Walking --- */

static sb_slice beneath(finder *f, sb_slice dir, const char *name)
{
    if (sb_slice_eqz(dir, "."))
        return sb_arena_dup(f->arena, sb_slice_z(name));
    return sb_arena_printf(f->arena, "%" SB_FMT "%s%s", SB_ARG(dir),
                           sb_slice_ends(dir, SB_LIT("/")) ? "" : "/", name);
}

static size_t depth_of(sb_slice path)
{
    size_t depth = 0;

    for (size_t i = 0; i < path.len; i++)
        depth += path.ptr[i] == '/';
    return depth;
}

static int take(finder *f, int dirfd, sb_slice dir, const struct dirent *entry, size_t top, sb_error **err)
{
    sb_slice name = sb_slice_z(entry->d_name);
    struct stat st;
    kind what;

    if (sb_slice_eqz(name, ".") || sb_slice_eqz(name, ".."))
        return 0;
    if (++f->entries > ENTRIES_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "more than %d files; name a smaller directory", ENTRIES_MAX);
    if (entry->d_type == DT_LNK || fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (S_ISDIR(st.st_mode)) {
        if (!is_left_out(name) && depth_of(dir) - top < DEPTH_MAX)
            *SB_ARENA_PUSH(f->arena, f->todo, f->todo_count, f->todo_cap) = beneath(f, dir, entry->d_name);
        return 0;
    }
    if (!S_ISREG(st.st_mode))
        return 0;
    what = kind_of_name(f->arena, name);
    if (what == NONE || (what == MAYBE && !has_content(dirfd, entry->d_name)))
        return 0;
    if (f->count == FOUND_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "more than %d Dockerfiles; name a smaller directory", FOUND_MAX);
    *SB_ARENA_PUSH(f->arena, f->paths, f->count, f->cap) = beneath(f, dir, entry->d_name);
    return 0;
}

/* A directory below that may not be read is no reason to look at none. */
static int walk(finder *f, sb_slice dir, bool first, size_t top, sb_error **err)
{
    sb_autofree char *path = sb_slice_dup(dir);
    sb_autofree char *shown = sb_printable(dir);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (first ? 0 : O_NOFOLLOW));
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    int status = 0, saved;

    if (!stream) {
        saved = errno;
        sb_closep(&fd);
        if (!first && (saved == EACCES || saved == ENOENT || saved == ENOTDIR || saved == ELOOP))
            return 0;
        return sb_fail(err, SB_ERR_IO, "cannot read the directory %s: %s", shown, strerror(saved));
    }
    while (status == 0 && (entry = readdir(stream)))
        status = take(f, fd, dir, entry, top, err);
    closedir(stream);
    return status < 0 ? sb_wrap(err, "%s", shown) : 0;
}

static int by_bytes(const void *a, const void *b)
{
    return sb_slice_cmp(*(const sb_slice *)a, *(const sb_slice *)b);
}

int sb_lint_find(const char *directory, sb_arena *arena, sb_slice **ret_paths, size_t *ret_count,
                 sb_error **err)
{
    finder f = {.arena = arena};
    sb_slice top = sb_arena_dup(arena, sb_slice_z(directory));

    while (sb_slice_starts(top, SB_LIT("./")) && top.len > 2)
        top = sb_slice_sub(top, 2, top.len);
    while (top.len > 1 && top.ptr[top.len - 1] == '/')
        top.len--;
    *SB_ARENA_PUSH(arena, f.todo, f.todo_count, f.todo_cap) = top;
    for (bool first = true; f.todo_count; first = false)
        if (walk(&f, f.todo[--f.todo_count], first, depth_of(top), err) < 0)
            return -1;
    if (f.count)
        qsort(f.paths, f.count, sizeof(*f.paths), by_bytes);
    *ret_paths = f.paths;
    *ret_count = f.count;
    return 0;
}
