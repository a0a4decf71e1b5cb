// SPDX-License-Identifier: Apache-2.0
/*
 * The build context of a Dockerfile for which none was named. Its lock knows it. Without one it is the
 * nearest directory, at or above the Dockerfile, that has all that COPY and ADD name; nobody else can tell.
 */
#include <rules/lint/internal.h>

#include <fcntl.h>
#include <unistd.h>

#include <sbuild/fs.h>

enum { SOURCES_MAX = 50 /* that are asked for */ };

static bool is_plain_source(sb_slice source)
{
    for (size_t i = 0; i < source.len; i++)
        if (strchr("$*?[\\\"'", source.ptr[i]) || !source.ptr[i])
            return false;
    return source.len > 0 && !sb_slice_starts(source, SB_LIT("<<")) &&
           sb_df_source_classify(source) == SB_SOURCE_LOCAL;
}

static bool has_source(int dirfd, sb_slice source)
{
    sb_autofree char *path = NULL;

    while (sb_slice_starts(source, SB_LIT("/")) || sb_slice_starts(source, SB_LIT("./")))
        source = sb_slice_sub(source, source.ptr[0] == '/' ? 1 : 2, source.len);
    if (!source.len || sb_slice_eqz(source, "."))
        return true;
    path = sb_slice_dup(source);
    return faccessat(dirfd, path, F_OK, 0) == 0;
}

static bool has_all_sources(const sb_dockerfile *df, const char *dir)
{
    sb_autoclose int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    size_t asked = 0;

    if (dirfd < 0)
        return false;
    for (size_t i = 0; i < df->instruction_count && asked < SOURCES_MAX; i++) {
        const sb_df_instruction *ins = &df->instructions[i];

        if ((ins->keyword != SB_DF_COPY && ins->keyword != SB_DF_ADD) || sb_df_find_flag(ins, "from"))
            continue;
        for (size_t k = 0; k + 1 < ins->arg_count; k++) {
            if (!is_plain_source(ins->args[k].text))
                continue;
            asked++;
            if (!has_source(dirfd, ins->args[k].text))
                return false;
        }
    }
    return true;
}

/* The lock's Dockerfile is named from its context on. NULL: that is not how this path ends. */
static char *context_of_lock(const char *path, sb_slice named)
{
    size_t len;

    if (!sb_slice_ends(sb_slice_z(path), named))
        return NULL;
    len = strlen(path) - named.len;
    if (!len)
        return sb_strdup(".");
    if (path[len - 1] != '/')
        return NULL;
    return sb_strndup(path, len > 1 ? len - 1 : 1);
}

char *sb_lint_guess_context(const sb_dockerfile *df, const char *path, const char *dir, const sb_lock *lock)
{
    char *at = lock ? context_of_lock(path, lock->dockerfile) : NULL;

    if (at)
        return at;
    for (at = sb_strdup(dir); at && !has_all_sources(df, at);) {
        char *above = sb_lint_parent(at);

        free(at);
        at = above;
    }
    return at ? at : sb_strdup(dir);
}
