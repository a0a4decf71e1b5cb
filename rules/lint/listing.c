// SPDX-License-Identifier: Apache-2.0
/* Names in a context: walked once for all of its Dockerfiles. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rules/lint/internal.h>
#include <rules/lint/operands.h>
#include <sbuild/fs.h>

enum {
    DEPTH_MAX = 4,
    ENTRIES_MAX = 10000, /* that are looked at */
    PATHS_MAX = 1000,    /* that are kept */
};

typedef struct walk {
    sb_lint_listing *listing;
    int context_fd;
    bool (*wanted)(sb_slice path);
} walk;

/* What other tools keep, and what is for tests, is none of the project's own. */
static bool is_walked(const char *name)
{
    return !sb_word_in(sb_slice_z(name),
                       ". .. .git node_modules vendor sbuild.vendor .sbuild testdata test tests fixtures "
                       "__tests__ example examples docs spec .venv venv target");
}

/* Of what the file system does not say at once it is asked. */
static mode_t type_of(DIR *dir, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN)
        return DTTOIF(entry->d_type);
    return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode & S_IFMT : 0;
}

static void walk_directory(walk *w, sb_slice path, unsigned depth)
{
    sb_autofree char *name = path.len ? sb_slice_dup(path) : sb_strdup(".");
    bool missing = false;
    int fd = sb_open_within(w->context_fd, name, O_RDONLY | O_DIRECTORY, 0, &missing, NULL);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    sb_lint_listing *l = w->listing;
    struct dirent *entry;

    if (!dir) {
        sb_closep(&fd);
        return;
    }
    while ((entry = readdir(dir)) && l->entries < ENTRIES_MAX && l->count < PATHS_MAX) {
        mode_t type = type_of(dir, entry);
        bool is_directory = type == S_IFDIR && depth < DEPTH_MAX && is_walked(entry->d_name);
        sb_slice child = sb_slice_z(entry->d_name);

        l->entries++;
        if (!is_directory && (type != S_IFREG || !w->wanted(child)) && !path.len)
            continue;
        child =
            sb_arena_printf(l->arena, "%" SB_FMT "%s%s", SB_ARG(path), path.len ? "/" : "", entry->d_name);
        if (is_directory)
            walk_directory(w, child, depth + 1);
        else if (type == S_IFREG && w->wanted(child))
            *SB_ARENA_PUSH(l->arena, l->paths, l->count, l->cap) = child;
    }
    closedir(dir);
}

void sb_lint_listing_free(sb_lint_listing *listing)
{
    if (!listing)
        return;
    sb_arena_free(listing->arena);
    free(listing);
}

const sb_lint_listing *sb_lint_list(const sb_lint *lint, bool (*wanted)(sb_slice path))
{
    sb_lint_listing **kept = lint->private->listing;
    walk w = {.context_fd = lint->context_fd, .wanted = wanted};
    struct stat st;

    if (!kept || lint->context_fd < 0 || fstat(lint->context_fd, &st) < 0)
        return NULL;
    if (*kept && (*kept)->device == st.st_dev && (*kept)->directory == st.st_ino)
        return *kept;
    sb_lint_listing_free(*kept);
    w.listing = *kept = sb_new(sb_lint_listing);
    **kept = (sb_lint_listing){.arena = sb_arena_new(), .device = st.st_dev, .directory = st.st_ino};
    walk_directory(&w, SB_LIT(""), 0);
    return *kept;
}
