// SPDX-License-Identifier: Apache-2.0
/* UndefinedVar: what ARG, ENV or the base image should have set before it is used. */
#include <rules/lint/buildkit.h>

#include <sbuild/reference.h>

typedef struct use {
    bk_stage *s;
    const bk_instruction *bk;
    size_t known;   /* names of the stage's env that are set before the instruction */
    sb_df_env told; /* of this instruction */
    size_t own;     /* ARG: pairs before the one that is looked at */
    sb_span span;   /* of the word in work */
} use;

/* The base images that set nothing but PATH; of others nobody knows without a lock. */
static bool is_plain_image(sb_lint *lint, sb_slice name)
{
    static const char *const plain[] = {"library/alpine", "library/busybox", "library/debian",
                                        "library/ubuntu"};
    sb_image_ref ref;

    if (sb_image_ref_parse(lint->arena, name, &ref, NULL) < 0 || !sb_slice_eqz(ref.registry, "docker.io"))
        return false;
    for (size_t i = 0; i < SB_COUNT(plain); i++)
        if (sb_slice_eqz(ref.repository, plain[i]))
            return true;
    return false;
}

/* Is everything known that the base sets? */
static bool is_base_known(const bk_stage *s)
{
    const sb_df_stage *stage = s->stage;

    while (stage->base_kind == SB_BASE_STAGE)
        stage = &s->lint->view->stages[stage->base_stage];
    switch (stage->base_kind) {
    case SB_BASE_SCRATCH:
        return true;
    case SB_BASE_IMAGE:
        return stage->base_known || is_plain_image(s->lint, stage->base_expanded);
    case SB_BASE_STAGE:
    case SB_BASE_CONTEXT:
        break;
    }
    return false;
}

static bool is_set_by_own_pair(const use *u, sb_slice name)
{
    for (size_t i = 0; i < u->own; i++)
        if (sb_slice_eq(u->bk->ins->pairs[i].key, name))
            return true;
    return false;
}

/* "$1" and "$@" are nothing that an image could set. */
static bool can_be_set(sb_slice name)
{
    unsigned char c = (unsigned char)name.ptr[0];

    return c == '_' || c >= 0x80 || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Sure enough to say it although the base may set the name: all but the same as one of the file's own. */
static bool is_misspelt(sb_slice name, sb_slice near)
{
    return name.len >= 4 && !sb_slice_eqz(near, "PATH") &&
           (name.len >= 8 || sb_slice_eq_nocase(name, near) || name.len != near.len);
}

static void tell(void *ctx, sb_slice name)
{
    use *u = ctx;
    bk_stage *s = u->s;
    const sb_df_env *env = &s->stage->env;
    ptrdiff_t near;
    sb_finding *finding;

    if (!name.len || sb_df_env_has(env, u->known, name) || is_set_by_own_pair(u, name) ||
        sb_df_env_has(&u->told, u->told.count, name) || sb_slice_eqz(name, "BUILDKIT_SBOM_SCAN_CONTEXT") ||
        sb_slice_eqz(name, "BUILDKIT_SBOM_SCAN_STAGE"))
        return;
    sb_df_env_set(s->lint->arena, &u->told, name, SB_LIT(""));
    near = sb_df_nearest(name, env, u->known);
    if (can_be_set(name) && !is_base_known(s) && (near < 0 || !is_misspelt(name, env->vars[near].key)))
        return;
    finding = sb_lint_say(s->lint, &bk_undefined_var, bk_place(s->lint, u->bk, u->span),
                          "$%" SB_FMT " is used here, and nothing sets it before", SB_ARG(name));
    if (near >= 0)
        sb_lint_help(s->lint, finding, "write $%" SB_FMT ", if that is what is meant",
                     SB_ARG(env->vars[near].key));
}

static void look_at(use *u, sb_slice text, sb_span span, bool heredoc)
{
    if (!text.ptr || !memchr(text.ptr, '$', text.len))
        return;
    u->span = span;
    sb_df_each_variable(u->s->lint->arena, text, u->s->lint->df->escape, heredoc, tell, u, NULL);
}

static void look_at_flags(use *u, const char *const *names)
{
    const sb_df_instruction *ins = u->bk->ins;

    for (size_t i = 0; i < ins->flag_count; i++)
        for (size_t k = 0; names[k]; k++)
            if (sb_slice_eqz(ins->flags[i].name, names[k]))
                look_at(u, ins->flags[i].value, ins->flags[i].span, false);
}

static void look_at_pairs(use *u, const sb_df_instruction *ins)
{
    for (size_t i = 0; i < ins->pair_count; i++) {
        if (ins->keyword == SB_DF_ARG)
            u->own = i;
        else
            look_at(u, ins->pairs[i].key, ins->pairs[i].key_span, false);
        look_at(u, ins->pairs[i].value, ins->pairs[i].value_span, false);
    }
}

static void look_at_copy(use *u, const sb_df_instruction *ins)
{
    static const char *const flags[] = {"chown", "chmod", "checksum", NULL};

    look_at_flags(u, flags);
    for (size_t i = 0; i < ins->arg_count; i++)
        if (!sb_slice_starts(ins->args[i].text, SB_LIT("<<")))
            look_at(u, ins->args[i].text, ins->args[i].span, false);
    for (size_t i = 0; i < ins->heredoc_count; i++)
        if (ins->heredocs[i].expand)
            look_at(u, ins->heredocs[i].body, ins->heredocs[i].span, true);
}

static bool has_dollar(const sb_lint *lint, const bk_instruction *bk)
{
    sb_span span = bk->ins->span;

    /* A trigger has no place, or one within its ONBUILD. */
    return bk->at != bk->ins || memchr(lint->df->text.ptr + span.start, '$', span.end - span.start);
}

void bk_check_variables(bk_stage *s, const bk_instruction *bk)
{
    static const char *const mount[] = {"mount", NULL};
    const sb_df_instruction *ins = bk->ins;
    const sb_df_expanded *first = &s->lint->view->expanded[s->stage->from + 1];
    use u = {.s = s, .bk = bk};

    if (!has_dollar(s->lint, bk))
        return;
    if (bk->expanded)
        u.known = bk->expanded->env_count;
    else if (s->stage->from + 1 < s->lint->df->instruction_count && first->env_count)
        u.known = first->env_count;
    else
        u.known = s->stage->env.count;
    switch (ins->keyword) {
    case SB_DF_ARG:
    case SB_DF_ENV:
    case SB_DF_LABEL:
        look_at_pairs(&u, ins);
        break;
    case SB_DF_ADD:
    case SB_DF_COPY:
        look_at_copy(&u, ins);
        break;
    case SB_DF_RUN:
        look_at_flags(&u, mount);
        break;
    case SB_DF_STOPSIGNAL:
    case SB_DF_USER:
    case SB_DF_VOLUME:
    case SB_DF_WORKDIR:
        for (size_t i = 0; i < ins->arg_count; i++)
            look_at(&u, ins->args[i].text, ins->args[i].span, false);
        break;
    case SB_DF_CMD:
    case SB_DF_ENTRYPOINT:
    case SB_DF_EXPOSE: /* BuildKit does not look at its ports */
    case SB_DF_FROM:
    case SB_DF_HEALTHCHECK:
    case SB_DF_MAINTAINER:
    case SB_DF_ONBUILD:
    case SB_DF_SHELL:
    case SB_DF_UNKNOWN:
        break;
    }
}
