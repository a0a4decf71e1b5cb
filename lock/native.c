// SPDX-License-Identifier: Apache-2.0
#include <lock/native.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sbuild/fs.h>

sb_native *sb_native_new(sb_progress *progress)
{
    sb_native *native = sb_new(sb_native);

    native->arena = sb_arena_new();
    native->progress = progress;
    return native;
}

void sb_native_free(sb_native *native)
{
    if (!native)
        return;
    free(native->entries);
    sb_arena_free(native->arena);
    free(native);
}

/* --- Entries --- */

void sb_native_add(sb_native_reader *r, sb_slice name, sb_slice version, sb_slice variant,
                   const sb_native_hash *hash, sb_slice text)
{
    sb_native *native = r->native;

    if (!name.len || !version.len || native->count == SB_NATIVE_ENTRIES_MAX)
        return;
    *SB_PUSH(native->entries, native->count, native->cap) =
        (sb_native_entry){.type = r->type,
                          .name = sb_arena_dup(native->arena, name),
                          .version = sb_arena_dup(native->arena, version),
                          .variant = sb_arena_dup(native->arena, variant.ptr ? variant : SB_LIT("")),
                          .hash = *hash,
                          .text = sb_arena_dup(native->arena, text),
                          .file = r->file};
}

void sb_native_add_sri(sb_native_reader *r, sb_slice name, sb_slice version, sb_slice integrity)
{
    while (integrity.ptr) {
        sb_slice one = sb_slice_trim(sb_slice_cut(&integrity, ' ')), base64 = one, options;
        sb_native_algo algo;
        sb_native_hash hash;

        if (!sb_native_algo_named(sb_slice_cut(&base64, '-'), &algo) || !base64.ptr)
            continue;
        options = base64;
        base64 = sb_slice_cut(&options, '?');
        if (sb_native_hash_base64(algo, base64, &hash))
            sb_native_add(r, name, version, SB_NIL, &hash, one);
    }
}

void sb_native_add_hex(sb_native_reader *r, sb_slice name, sb_slice version, sb_slice variant, sb_slice text)
{
    ptrdiff_t mark = sb_slice_chr(text, ':') >= 0 ? sb_slice_chr(text, ':') : sb_slice_chr(text, '=');
    sb_native_algo algo;
    sb_native_hash hash;

    if (mark > 0 && sb_native_algo_named(sb_slice_sub(text, 0, (size_t)mark), &algo) &&
        sb_native_hash_hex(algo, sb_slice_sub(text, (size_t)mark + 1, text.len), &hash))
        sb_native_add(r, name, version, variant, &hash, text);
}

json_t *sb_native_document(const sb_native_reader *r, sb_slice text,
                           int (*parse)(sb_slice text, const char *name, json_t **ret_json, sb_error **err))
{
    sb_autofree char *name = sb_printable(r->file);
    SB_AUTO(sb_error) why = NULL;
    json_t *json = NULL;

    if (parse(text, name, &json, &why) == 0)
        return json;
    sb_progress_line(r->native->progress, SB_EVENT_WARNING, "it vouches for nothing: %s", why->message);
    return NULL;
}

static int by_package(const void *a, const void *b)
{
    const sb_native_entry *one = a, *other = b;
    int order = strcmp(one->type, other->type);

    if (!order)
        order = sb_slice_cmp(one->name, other->name);
    return order ? order : sb_slice_cmp(one->version, other->version);
}

void sb_native_sort(sb_native *native)
{
    if (native->count > 1)
        qsort(native->entries, native->count, sizeof(*native->entries), by_package);
}

/* --- Files --- */

static bool is_requirements(sb_slice name)
{
    return sb_slice_starts(name, SB_LIT("requirements")) && sb_slice_ends(name, SB_LIT(".txt"));
}

static const struct {
    const char *name;
    const char *type;
    sb_native_read_fn read;
} kinds[] = {
    {"package-lock.json", "npm", sb_native_read_npm}, {"npm-shrinkwrap.json", "npm", sb_native_read_npm},
    {"yarn.lock", "npm", sb_native_read_yarn},        {"pnpm-lock.yaml", "npm", sb_native_read_pnpm},
    {"Pipfile.lock", "pypi", sb_native_read_pipfile}, {"poetry.lock", "pypi", sb_native_read_python},
    {"uv.lock", "pypi", sb_native_read_python},       {"pdm.lock", "pypi", sb_native_read_python},
    {"Cargo.lock", "cargo", sb_native_read_cargo},    {"go.sum", "golang", sb_native_read_gosum},
    {"go.work.sum", "golang", sb_native_read_gosum},  {"Gemfile.lock", "gem", sb_native_read_gemfile},
    {"gems.locked", "gem", sb_native_read_gemfile},
};

static sb_native_read_fn reader_of(sb_slice name, const char **ret_type)
{
    for (size_t i = 0; i < SB_COUNT(kinds); i++) {
        if (sb_slice_eqz(name, kinds[i].name)) {
            *ret_type = kinds[i].type;
            return kinds[i].read;
        }
    }
    *ret_type = "pypi";
    return is_requirements(name) ? sb_native_read_requirements : NULL;
}

bool sb_native_read(sb_native *native, sb_slice path, sb_slice text)
{
    sb_native_reader r = {.native = native, .file = sb_arena_dup(native->arena, path)};
    sb_native_read_fn read = reader_of(sb_path_last(path), &r.type);

    if (!read)
        return false;
    native->files++;
    read(&r, text);
    return true;
}

typedef struct walker {
    sb_native *native;
    size_t seen; /* names */
} walker;

/* Directories in which others' lock files lie, or none. */
static bool is_foreign(const char *name)
{
    static const char *const names[] = {"node_modules", "vendor",      "target", "dist", ".git",
                                        ".sbuild",      SB_STORE_NAME, ".venv",  "venv", "__pycache__",
                                        ".tox",         ".yarn",       ".hg",    ".svn"};

    for (size_t i = 0; i < SB_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void read_file(walker *w, int dirfd, const char *name, const char *path)
{
    const char *ignored_type;
    SB_AUTO(sb_error) why = NULL;
    sb_autofree char *data = NULL;
    sb_autofree char *shown = NULL;
    sb_autoclose int fd = -1;
    size_t len = 0;

    if (!reader_of(sb_slice_z(name), &ignored_type))
        return;
    shown = sb_printable(sb_slice_z(path));
    if (w->native->files == SB_NATIVE_FILES_MAX) {
        sb_progress_line(w->native->progress, SB_EVENT_WARNING,
                         "%s: more than %d lock files in the context; it vouches for nothing", shown,
                         SB_NATIVE_FILES_MAX);
        return;
    }
    fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || sb_read_fd(fd, path, SB_NATIVE_FILE_MAX, &data, &len, &why) < 0) {
        sb_progress_line(w->native->progress, SB_EVENT_WARNING,
                         "%s cannot be read, so it vouches for nothing: %s", shown,
                         why ? why->message : strerror(errno));
        return;
    }
    sb_native_read(w->native, sb_slice_z(path), sb_slice_of(data, len));
}

static int walk(walker *w, int dirfd, const char *path, int depth, sb_error **err);

static int walk_entry(walker *w, int dirfd, const char *name, const char *path, int depth, sb_error **err)
{
    sb_autofree char *child = *path ? sb_path_join(path, name) : sb_strdup(name);
    sb_autoclose int fd = -1;
    struct stat st;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (S_ISREG(st.st_mode))
        read_file(w, dirfd, name, child);
    if (!S_ISDIR(st.st_mode) || depth == SB_NATIVE_DEPTH_MAX || is_foreign(name))
        return 0;
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    /* What cannot be entered vouches for nothing. */
    return fd < 0 ? 0 : walk(w, fd, child, depth + 1, err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of names, so that what vouches does not depend on the file system. */
static int walk(walker *w, int dirfd, const char *path, int depth, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    const char **names = NULL;
    size_t count = 0, cap = 0;

    if (!dir) {
        sb_closep(&copy);
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(dir)) && w->seen < SB_NATIVE_DIRENTS_MAX; w->seen++)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
            *SB_ARENA_PUSH(arena, names, count, cap) = sb_arena_strdup(arena, sb_slice_z(entry->d_name));
    closedir(dir);
    if (count > 1)
        qsort(names, count, sizeof(char *), by_text);
    for (size_t i = 0; i < count; i++) {
        if (sb_interrupted)
            return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
        if (walk_entry(w, dirfd, names[i], path, depth, err) < 0)
            return -1;
    }
    return 0;
}

int sb_native_load(sb_project *project, sb_native **ret_native, sb_error **err)
{
    SB_AUTO(sb_native) native = sb_native_new(project->progress);
    walker w = {.native = native};

    if (walk(&w, project->context_fd, "", 0, err) < 0)
        return -1;
    sb_native_sort(native);
    *ret_native = SB_TAKE(native);
    return 0;
}
