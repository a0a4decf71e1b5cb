// SPDX-License-Identifier: Apache-2.0
/* CopyIgnoredFile: what COPY and ADD want, and .dockerignore keeps from them. */
#include <rules/lint/buildkit.h>

static bool is_ignored(const sb_ignore *ignore, sb_slice path)
{
    if (sb_slice_eqz(path, ".") || sb_slice_eqz(path, "/"))
        return sb_ignore_leaves_out_all(ignore);
    return sb_ignore_matches(ignore, path);
}

void bk_check_copy(bk_stage *s, const bk_instruction *bk)
{
    const sb_df_instruction *ins = bk->ins;
    const sb_ignore *ignore = sb_df_find_flag(ins, "from") ? NULL : sb_lint_ignore(s->lint);

    /* With "!" rules nobody can tell from the names alone. */
    if (!ignore || sb_ignore_brings_back(ignore) || !bk->expanded || bk->expanded->count != ins->arg_count)
        return;
    for (size_t i = 0; i + 1 < ins->arg_count; i++) {
        sb_slice source = bk->expanded->words[i];

        if (sb_slice_starts(ins->args[i].text, SB_LIT("<<")) ||
            sb_df_source_classify(source) != SB_SOURCE_LOCAL ||
            !is_ignored(ignore, sb_df_clean_path(s->lint->arena, source)))
            continue;
        sb_lint_say(s->lint, &bk_copy_ignored_file, bk_place(s->lint, bk, ins->args[i].span),
                    "\"%" SB_FMT "\" is left out of the context by .dockerignore", SB_ARG(source));
    }
}
