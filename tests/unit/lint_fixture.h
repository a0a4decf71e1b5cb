// SPDX-License-Identifier: Apache-2.0
/* A Dockerfile as lint's rules see it, for tests of what they stand on; include it behind cmocka.h. */
#ifndef TESTS_LINT_FIXTURE_H
#define TESTS_LINT_FIXTURE_H

#include <rules/lint/internal.h>

#include <stdlib.h>

typedef struct looked {
    sb_lint lint;
    struct sb_lint_private own;
    sb_lint_options options;
    sb_dockerfile *df;
    sb_df_view *view;
    sb_report *report;
} looked;

static inline looked *look_at(const char *text)
{
    looked *l = sb_new(looked);
    sb_df_inputs inputs = {.lenient = true};
    sb_error *err = NULL;

    l->report = sb_report_new("lint");
    if (sb_df_parse(sb_slice_z(text), "Dockerfile", 0, &l->df, &err) < 0 ||
        sb_df_view_new(l->df, &inputs, &l->view, &err) < 0)
        fail_msg("%s", err->message);
    l->own.dirfd = -1;
    l->own.name = l->own.print_name = SB_LIT("Dockerfile");
    l->lint = (sb_lint){.arena = sb_arena_new(),
                        .df = l->df,
                        .view = l->view,
                        .context_fd = -1,
                        .options = &l->options,
                        .report = l->report,
                        .name = l->own.name,
                        .private = &l->own};
    sb_lint_walk(&l->lint, NULL, 0);
    return l;
}

static inline void looked_free(looked *l)
{
    if (!l)
        return;
    sb_arena_free(l->lint.arena);
    sb_df_view_free(l->view);
    sb_df_free(l->df);
    sb_report_free(l->report);
    free(l);
}
SB_DEFINE_CLEANUP(looked, looked_free)

/* Of the whole file's findings. */
static inline const sb_finding *finding_of(const sb_report *report, const char *id)
{
    for (size_t i = 0; i < report->count; i++)
        if (strcmp(report->items[i].rule->id, id) == 0)
            return &report->items[i];
    return NULL;
}

#endif
