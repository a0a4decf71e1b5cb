// SPDX-License-Identifier: Apache-2.0
/* What FROM starts from: its arguments, its platform, its image. */
#include <rules/lint/buildkit.h>

#include <sbuild/reference.h>

/* The variables that a word of FROM uses. */
typedef struct from_word {
    sb_lint *lint;
    sb_df_env names;   /* each once */
    size_t undeclared; /* of them, no global argument */
} from_word;

static void note_name(void *ctx, sb_slice name)
{
    from_word *w = ctx;

    if (sb_df_env_has(&w->names, w->names.count, name))
        return;
    sb_df_env_set(w->lint->arena, &w->names, name, SB_LIT(""));
    w->undeclared += !sb_df_env_has(&w->lint->view->global, w->lint->view->global.count, name);
}

static void read_word(sb_lint *lint, sb_slice text, from_word *ret_word)
{
    *ret_word = (from_word){.lint = lint};
    if (memchr(text.ptr, '$', text.len))
        sb_df_each_variable(lint->arena, text, lint->df->escape, false, note_name, ret_word, NULL);
}

static void check_arguments(sb_lint *lint, const bk_instruction *bk, sb_span span, const from_word *word)
{
    const sb_df_env *global = &lint->view->global;

    for (size_t i = 0; word->undeclared && i < word->names.count; i++) {
        sb_slice name = word->names.vars[i].key;
        ptrdiff_t near;
        sb_finding *finding;

        if (sb_df_env_has(global, global->count, name))
            continue;
        finding = sb_lint_say(lint, &bk_undefined_arg_in_from, bk_place(lint, bk, span),
                              "FROM uses $%" SB_FMT ", which no ARG above it declares", SB_ARG(name));
        near = sb_df_nearest(name, global, global->count);
        if (near >= 0)
            sb_lint_help(lint, finding, "write $%" SB_FMT ", if that is what is meant",
                         SB_ARG(global->vars[near].key));
    }
}

/* --- Platforms --- */

/* The flag goes with the blanks behind it. */
static void remove_flag(sb_lint *lint, sb_finding *finding, const sb_df_flag *flag)
{
    sb_slice text = lint->df->text;
    sb_span span = flag->span;

    while (span.end < text.len && (text.ptr[span.end] == ' ' || text.ptr[span.end] == '\t'))
        span.end++;
    if (span.end > flag->span.end)
        sb_lint_edit(lint, finding, span, SB_LIT(""));
}

static void check_platform(sb_lint *lint, const bk_instruction *bk, const sb_df_stage *stage,
                           const sb_df_flag *flag)
{
    sb_slice target = sb_df_env_get(&lint->view->global, SB_LIT("TARGETPLATFORM")), value;
    sb_df_platform platform;
    from_word word;

    read_word(lint, flag->value, &word);
    check_arguments(lint, bk, flag->span, &word);
    if (sb_df_expand(lint->arena, flag->value, &lint->view->global, lint->df->escape, &value, NULL) < 0)
        return;
    if (word.names.count == 1 && sb_slice_eqz(word.names.vars[0].key, "TARGETPLATFORM") && target.ptr &&
        sb_slice_eq(value, target))
        remove_flag(lint,
                    sb_lint_say(lint, &bk_redundant_target_platform, bk_place(lint, bk, flag->span),
                                "--platform=%" SB_FMT " is what FROM does without it", SB_ARG(flag->value)),
                    flag);
    if (word.names.count || sb_df_platform_parse(lint->arena, value, &platform, NULL) < 0 ||
        sb_slice_find(stage->name, platform.os) >= 0 || sb_slice_find(stage->name, platform.arch) >= 0)
        return;
    sb_lint_say(lint, &bk_from_platform_const, bk_place(lint, bk, flag->span),
                "FROM is for %" SB_FMT " whatever platform is built", SB_ARG(value));
}

/* --- Images --- */

/* The global arguments as they are when no --build-arg is given; false when that cannot be told. */
static bool default_arguments(sb_lint *lint, sb_df_env *ret_env)
{
    static const char *const built_in[] = {"PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT", "STAGE"};

    for (size_t i = 0; i < 2 * SB_COUNT(built_in); i++) {
        sb_slice name = sb_arena_printf(lint->arena, "%s%s", i % 2 ? "TARGET" : "BUILD", built_in[i / 2]);

        if (sb_df_env_has(&lint->view->global, lint->view->global.count, name))
            sb_df_env_set(lint->arena, ret_env, name, sb_df_env_get(&lint->view->global, name));
    }
    for (size_t i = 0; i < lint->df->instruction_count && lint->df->instructions[i].stage < 0; i++) {
        const sb_df_instruction *ins = &lint->df->instructions[i];

        for (size_t k = 0; k < ins->pair_count; k++) {
            sb_slice value;

            if (!ins->pairs[k].value.ptr)
                continue;
            if (sb_df_expand(lint->arena, ins->pairs[k].value, ret_env, lint->df->escape, &value, NULL) < 0)
                return false;
            sb_df_env_set(lint->arena, ret_env, ins->pairs[k].key, value);
        }
    }
    return true;
}

static void check_defaults(sb_lint *lint)
{
    sb_df_env own = {0};
    const sb_df_env *env = &lint->view->global;

    if (lint->options->build_arg_count) {
        if (!default_arguments(lint, &own))
            return;
        env = &own;
    }
    for (size_t i = 0; i < lint->view->stage_count; i++) {
        const sb_df_stage *stage = &lint->view->stages[i];
        const sb_df_instruction *ins = &lint->df->instructions[stage->from];
        bk_instruction bk = {.ins = ins, .at = ins};
        sb_image_ref ref;
        sb_slice name;

        if (sb_df_expand(lint->arena, stage->base, env, lint->df->escape, &name, NULL) < 0)
            return;
        if (sb_image_ref_parse(lint->arena, name, &ref, NULL) == 0)
            continue;
        sb_lint_say(lint, &bk_invalid_default_arg_in_from, bk_place(lint, &bk, ins->args[0].span),
                    "%" SB_FMT " is no valid name of an image%s", SB_ARG(stage->base),
                    memchr(stage->base.ptr, '$', stage->base.len) ? " unless a --build-arg makes it one"
                                                                  : "");
    }
}

/* Only the lock knows what an image is made for. */
static void check_image(sb_lint *lint, const bk_instruction *bk, const sb_df_stage *stage)
{
    sb_slice wanted = stage->platform.len ? stage->platform : lint->view->target_platform;
    sb_df_platform platform;

    if (stage->base_kind != SB_BASE_IMAGE || !stage->base_os.len || !stage->base_arch.len ||
        !stage->reachable || sb_df_platform_parse(lint->arena, wanted, &platform, NULL) < 0)
        return;
    if (sb_slice_eq(platform.os, stage->base_os) && sb_slice_eq(platform.arch, stage->base_arch))
        return;
    sb_lint_say(lint, &bk_invalid_base_image_platform, bk_place(lint, bk, bk->ins->args[0].span),
                "%" SB_FMT " is made for %" SB_FMT "/%" SB_FMT ", and %" SB_FMT " is built",
                SB_ARG(stage->base), SB_ARG(stage->base_os), SB_ARG(stage->base_arch), SB_ARG(wanted));
}

void bk_check_froms(sb_lint *lint)
{
    check_defaults(lint);
    for (size_t i = 0; i < lint->view->stage_count; i++) {
        const sb_df_stage *stage = &lint->view->stages[i];
        const sb_df_instruction *ins = &lint->df->instructions[stage->from];
        const sb_df_flag *flag = sb_df_find_flag(ins, "platform");
        bk_instruction bk = {.ins = ins, .at = ins};
        from_word word;

        read_word(lint, ins->args[0].text, &word);
        check_arguments(lint, &bk, ins->args[0].span, &word);
        if (flag && flag->value.len)
            check_platform(lint, &bk, stage, flag);
        check_image(lint, &bk, stage);
    }
}
