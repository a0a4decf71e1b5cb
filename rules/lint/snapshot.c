// SPDX-License-Identifier: Apache-2.0
/* Package sources of one day: what is installed or upgraded from them is the same in every build. */
#include <rules/lint/operands.h>

static bool all_digits(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

/* 20240131T000000Z or 20240131, /2024/01/31, or a release with its date (2023.6.20241031). */
static bool has_date(sb_slice text)
{
    for (size_t i = 0; i + 8 <= text.len; i++) {
        const char *p = text.ptr + i;

        if (p[0] != '2' || p[1] != '0')
            continue;
        /* A directory's name; in a file's name it is the file's own date. */
        if (all_digits(p, 8) && (i == 0 || !all_digits(p - 1, 1)) &&
            (i + 8 == text.len || p[8] == '/' || p[8] == 'T'))
            return true;
        if (i + 10 <= text.len && all_digits(p, 4) && all_digits(p + 5, 2) && all_digits(p + 8, 2) &&
            (p[4] == '/' || p[4] == '-') && p[7] == p[4])
            return true;
    }
    return false;
}

/* Apt lines, URLs and options that name a snapshot: "snapshot" itself, or a date in what is behind "://". */
static bool names_snapshot(sb_slice text)
{
    static const char *const words[] = {"snapshot.",     "snapshots.", "/snapshot/",
                                        "APT::Snapshot", "--snapshot", "repro-sources-list"};

    for (size_t i = 0; i < SB_COUNT(words); i++)
        if (sb_slice_find(text, sb_slice_z(words[i])) >= 0)
            return true;
    for (;;) {
        ptrdiff_t at = sb_slice_find(text, SB_LIT("://"));
        size_t end;

        if (at < 0)
            return false;
        text = sb_slice_sub(text, (size_t)at + 3, text.len);
        for (end = 0; end < text.len && !strchr(" \t\n\"'", text.ptr[end]);)
            end++;
        if (has_date(sb_slice_sub(text, 0, end)))
            return true;
    }
}

static bool run_names_snapshot(const sb_lint_run *run)
{
    if (names_snapshot(run->text))
        return true;
    for (size_t i = 0; i < run->reading.count; i++) {
        const sb_sh_command *cmd = &run->reading.commands[i];

        for (size_t j = 1; j < cmd->count; j++)
            if (names_snapshot(cmd->args[j].text) ||
                (sb_slice_starts(cmd->args[j].text, SB_LIT("--releasever=")) && has_date(cmd->args[j].text)))
                return true;
    }
    return false;
}

/* A COPY or ADD of package sources: their text is in a heredoc or in the context. */
static bool copy_names_snapshot(const sb_lint *lint, const sb_df_instruction *ins)
{
    static const char *const places[] = {"/etc/apt/",  "/etc/apk/",   "/etc/yum.repos.d",
                                         "/etc/zypp/", "/etc/pacman", "/etc/dnf/"};
    sb_slice to;
    bool sources = false;

    if (ins->arg_count < 2 || sb_df_find_flag(ins, "from"))
        return false;
    to = ins->args[ins->arg_count - 1].text;
    for (size_t i = 0; i < SB_COUNT(places); i++)
        sources |= sb_slice_starts(to, sb_slice_z(places[i]));
    if (!sources)
        return false;
    for (size_t i = 0; i < ins->heredoc_count; i++)
        if (names_snapshot(ins->heredocs[i].body))
            return true;
    for (size_t i = 0; i + 1 < ins->arg_count; i++)
        if (names_snapshot(sb_lint_read(lint, ins->args[i].text)))
            return true;
    return false;
}

/* Index of the first instruction of each stage that sets such sources; SIZE_MAX: none does. */
static const size_t *find_all(sb_lint *lint)
{
    const sb_dockerfile *df = lint->df;
    size_t *first = sb_arena_array(lint->arena, size_t, lint->stage_count + 1), next_run = 0;

    for (size_t s = 0; s < lint->stage_count; s++) {
        const sb_df_stage *stage = &lint->view->stages[s];
        bool inherited = stage->base_kind == SB_BASE_STAGE && stage->base_stage < stage->index &&
                         first[stage->base_stage] != SIZE_MAX;

        first[s] = inherited ? 0 : SIZE_MAX;
        for (size_t i = stage->from + 1;
             i < df->instruction_count && df->instructions[i].keyword != SB_DF_FROM; i++) {
            const sb_df_instruction *ins = &df->instructions[i];
            bool names = (ins->keyword == SB_DF_COPY || ins->keyword == SB_DF_ADD) && first[s] == SIZE_MAX &&
                         copy_names_snapshot(lint, ins);

            if (next_run < lint->run_count && (lint->runs[next_run].instruction == ins ||
                                               lint->runs[next_run].instruction == ins->trigger)) {
                names = first[s] == SIZE_MAX && run_names_snapshot(&lint->runs[next_run]);
                next_run++;
            }
            if (names)
                first[s] = i;
        }
    }
    return first;
}

bool sb_lint_uses_snapshot(sb_lint *lint, int stage, const sb_df_instruction *at)
{
    size_t first;

    if (stage < 0 || (size_t)stage >= lint->stage_count)
        return false;
    if (!lint->snapshots)
        lint->snapshots = find_all(lint);
    first = lint->snapshots[stage];
    return first != SIZE_MAX && lint->df->instructions[first].span.start <= at->span.start;
}
