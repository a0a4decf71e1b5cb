// SPDX-License-Identifier: Apache-2.0
/* Which stages are made of which, and what files of the context say. */
#include <fcntl.h>
#include <unistd.h>

#include <rules/lint/lint.h>
#include <sbuild/fs.h>

enum { READ_MAX = 64 << 10 };

bool sb_lint_builds_on(const sb_lint *lint, int stage, int ancestor)
{
    /* A stage builds on an earlier one only, so this ends. */
    while (stage > ancestor) {
        const sb_df_stage *s = &lint->view->stages[stage];

        stage = s->base_kind == SB_BASE_STAGE && s->base_stage < stage ? s->base_stage : -1;
    }
    return stage >= 0 && stage == ancestor;
}

bool sb_lint_ships(const sb_lint *lint, int stage)
{
    if (stage < 0 || (size_t)stage >= lint->stage_count)
        return false;
    return !lint->stages[stage].reachable || sb_lint_builds_on(lint, lint->view->target, stage);
}

sb_slice sb_lint_read(const sb_lint *lint, sb_slice path)
{
    sb_autofree char *name = NULL;
    sb_autoclose int fd = -1;
    struct stat st;
    bool missing = false;
    char *text;
    size_t len = 0, max;

    while (sb_slice_starts(path, SB_LIT("./")) || sb_slice_starts(path, SB_LIT("/")))
        path = sb_slice_sub(path, sb_slice_chr(path, '/') + 1, path.len);
    if (lint->context_fd < 0 || !sb_path_is_plain(path))
        return SB_NIL;
    name = sb_slice_dup(path);
    fd = sb_open_within(lint->context_fd, name, O_RDONLY | O_NONBLOCK, 0, &missing, NULL);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return SB_NIL;
    max = st.st_size < READ_MAX ? (size_t)st.st_size : READ_MAX;
    text = sb_arena_alloc(lint->arena, max + 1);
    while (len < max) {
        ssize_t n = read(fd, text + len, max - len);

        if (n <= 0)
            break;
        len += (size_t)n;
    }
    return sb_slice_of(text, len);
}
