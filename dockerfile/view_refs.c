// SPDX-License-Identifier: Apache-2.0
/* References: where they stand, and what they name. */
#include <dockerfile/heredoc.h>
#include <dockerfile/view.h>

/* --- COPY --from and RUN --mount --- */

/* The next field of a line of CSV, without its quotes. False when the line is malformed. */
static bool next_field(sb_arena *arena, sb_slice *rest, sb_slice *ret_field)
{
    sb_slice text = *rest;
    char *out;
    size_t len = 0, i = 1;

    if (!text.len || text.ptr[0] != '"') {
        *ret_field = sb_slice_cut(rest, ',');
        return true;
    }
    out = sb_arena_alloc(arena, text.len);
    for (;; i++) {
        if (i >= text.len)
            return false;
        if (text.ptr[i] == '"') {
            if (i + 1 >= text.len || text.ptr[i + 1] != '"')
                break;
            i++;
        }
        out[len++] = text.ptr[i];
    }
    *rest = sb_slice_sub(text, i + 1, text.len);
    *ret_field = sb_slice_of(out, len);
    return sb_slice_cut(rest, ',').len == 0;
}

static bool is_target(sb_slice key)
{
    return sb_slice_eq_nocase(key, SB_LIT("target")) || sb_slice_eq_nocase(key, SB_LIT("dst")) ||
           sb_slice_eq_nocase(key, SB_LIT("destination"));
}

static bool read_mount(df_viewer *v, const sb_df_flag *flag, df_from *from)
{
    sb_slice rest = flag->value;

    *from = (df_from){.flag = flag, .mount = true, .text = SB_NIL, .target = SB_NIL, .stage = -1};
    while (rest.ptr) {
        sb_slice value, key;

        if (!next_field(v->arena, &rest, &value))
            return false;
        key = sb_slice_cut(&value, '=');
        if (sb_slice_eq_nocase(key, SB_LIT("from")))
            from->text = value;
        else if (is_target(key))
            from->target = value;
    }
    return from->text.len > 0;
}

bool df_next_from(df_viewer *v, const sb_df_instruction *ins, size_t *i, df_from *ret_from)
{
    if (ins->keyword != SB_DF_COPY && ins->keyword != SB_DF_RUN)
        return false;
    for (; *i < ins->flag_count; ++*i) {
        const sb_df_flag *flag = &ins->flags[*i];

        if (ins->keyword == SB_DF_COPY && sb_slice_eqz(flag->name, "from") && flag->value.len) {
            *ret_from = (df_from){.flag = flag, .text = flag->value, .target = SB_NIL, .stage = -1};
            return true;
        }
        if (ins->keyword == SB_DF_RUN && sb_slice_eqz(flag->name, "mount") && read_mount(v, flag, ret_from))
            return true;
    }
    return false;
}

/* As Go's Atoi: an optional sign and digits. */
static bool to_index(sb_slice text, bool *ret_negative, uint64_t *ret_value)
{
    *ret_negative = text.len && text.ptr[0] == '-';
    if (text.len && (text.ptr[0] == '-' || text.ptr[0] == '+'))
        text = sb_slice_sub(text, 1, text.len);
    return text.len && sb_slice_to_u64(text, ret_value);
}

int df_resolve_from(const df_viewer *v, df_from *from, unsigned line, sb_error **err)
{
    sb_df_env nothing = {0};
    bool negative;
    uint64_t index;
    sb_slice plain;

    from->stage = -1;
    if (!from->mount) {
        if (sb_df_expand(v->arena, from->text, &nothing, v->df->escape, &plain, err) < 0)
            return sb_wrap(err, "%s:%u", v->name, line);
        if (!sb_slice_eq(plain, from->text))
            return df_view_fail(
                v, line, err,
                "variable expansion is not supported for --from, define a new stage with FROM "
                "using ARG from global scope as a workaround");
        if (to_index(from->text, &negative, &index)) {
            if ((negative && index) || index >= v->view->stage_count)
                return df_view_fail(v, line, err, "invalid stage index %s%llu", negative ? "-" : "",
                                    (unsigned long long)index);
            from->stage = (int)index;
            return 0;
        }
    } else {
        ptrdiff_t dollar = sb_slice_chr(from->text, '$');

        if (dollar >= 0 && (size_t)dollar + 1 != from->text.len)
            return df_view_fail(v, line, err,
                                "'from' doesn't support variable expansion, define alias stage instead");
    }
    from->stage = df_stage_named(v, from->text);
    return 0;
}

/* --- Where they stand --- */

/* Does the reference end at `end`, as the value of a flag or the field of a mount does? */
static bool ends_here(sb_slice text, size_t end)
{
    return end >= text.len || strchr(",\"'", text.ptr[end]);
}

static bool follows_from(sb_slice text, size_t start)
{
    return start >= 5 && sb_slice_eq_nocase(sb_slice_sub(text, start - 5, start), SB_LIT("from="));
}

/* The bytes of "from=VALUE" within the flag, if they stand there exactly once; else the whole flag. */
static sb_span locate(const df_viewer *v, const df_from *from)
{
    sb_span flag = from->flag->span;
    sb_slice there, needle;
    size_t at = 0, found = 0, place = 0;

    if (flag.end <= flag.start || flag.end > v->df->text.len)
        return flag;
    there = sb_slice_sub(v->df->text, flag.start, flag.end);
    needle = from->text;
    while (at < there.len) {
        ptrdiff_t next = sb_slice_find(sb_slice_sub(there, at, there.len), needle);
        size_t start;

        if (next < 0)
            break;
        start = at + (size_t)next;
        at = start + 1;
        if (!follows_from(there, start) || !ends_here(there, start + needle.len))
            continue;
        found++;
        place = start;
    }
    if (found != 1)
        return flag;
    return (sb_span){flag.start + place, flag.start + place + needle.len};
}

/* --- Collecting --- */

void df_add_ref(df_viewer *v, const sb_df_ref *ref, df_origin *origin)
{
    sb_df_view *view = v->view;
    sb_df_ref *added = SB_ARENA_PUSH(v->arena, view->refs, view->ref_count, v->ref_cap);

    *added = *ref;
    added->incomplete = origin && origin->incomplete;
    if (added->reachable)
        df_lock_args(v, origin);
}

static sb_slice platform_of(const df_viewer *v, int stage)
{
    sb_slice platform = v->view->stages[stage].platform;

    return platform.len ? platform : v->target_platform;
}

/* A stage that is not built yet cannot be copied from. */
static int check_order(const df_viewer *v, const df_from *from, int stage, unsigned line, sb_error **err)
{
    sb_autofree char *name = sb_printable(from->text);
    sb_autofree char *own = sb_printable(df_stage_label(v, stage));
    sb_autofree char *target = sb_printable(from->target);

    if (from->stage < stage)
        return 0;
    if (from->mount)
        return df_view_fail(
            v, line, err,
            "cannot mount from stage \"%s\" to \"%s\", stage needs to be defined before current "
            "command",
            name, target);
    return df_view_fail(v, line, err,
                        "cannot copy from stage \"%s\", it needs to be defined before current stage \"%s\"",
                        name, own);
}

int df_view_refs(df_viewer *v, const sb_df_instruction *ins, int stage, int trigger, unsigned line,
                 sb_error **err)
{
    bool reachable = v->view->stages[stage].reachable && !v->work[stage].replaced;
    df_from from;

    for (size_t i = 0; df_next_from(v, ins, &i, &from); i++) {
        if (df_resolve_from(v, &from, line, err) < 0)
            return -1;
        if (from.stage < 0 && sb_slice_eqz(from.text, "scratch"))
            continue;
        if (from.stage >= 0 && reachable && check_order(v, &from, stage, line, err) < 0)
            return -1;
        df_add_ref(v,
                   &(sb_df_ref){
                       .kind = from.mount ? SB_REF_MOUNT : SB_REF_COPY,
                       .text = from.text,
                       .expanded = from.text,
                       .resolved_stage = from.stage,
                       .context = from.stage < 0 && df_is_context(v, from.text, v->target_platform),
                       .stage = stage,
                       .reachable = reachable,
                       .platform = v->target_platform,
                       .instruction = ins,
                       .trigger = trigger,
                       .flag = from.flag,
                       .span = locate(v, &from),
                       .line = line,
                   },
                   NULL);
    }
    return 0;
}

bool df_is_heredoc_arg(df_viewer *v, const sb_df_instruction *ins, sb_slice word)
{
    sb_df_heredoc doc;

    if (!ins->heredoc_count || sb_slice_find(word, SB_LIT("<<")) < 0 ||
        df_heredoc_word(v->arena, word, &doc, NULL) != 1)
        return false;
    for (size_t i = 0; i < ins->heredoc_count; i++)
        if (sb_slice_eq(ins->heredocs[i].name, doc.name))
            return true;
    return false;
}

static int check_checksum(df_viewer *v, const sb_df_instruction *ins, sb_slice checksum,
                          const sb_slice *words, unsigned line, sb_error **err)
{
    if (!checksum.len)
        return 0;
    if (ins->arg_count != 2)
        return df_view_fail(v, line, err, "checksum can't be specified for multiple sources");
    if (sb_df_source_classify(words[0]) == SB_SOURCE_LOCAL)
        return df_view_fail(v, line, err, "checksum requires HTTP(S) or Git sources");
    return 0;
}

/* Is this source a remote one that this instruction may have? */
static int check_source(df_viewer *v, const sb_df_instruction *ins, sb_slice word, sb_df_source_kind kind,
                        unsigned line, sb_error **err)
{
    sb_df_git_source git;

    if (kind == SB_SOURCE_GIT && sb_df_git_source_parse(v->arena, word, &git, err) < 0)
        return sb_wrap(err, "%s:%u", v->name, line);
    if (kind != SB_SOURCE_LOCAL && ins->keyword == SB_DF_COPY)
        return df_view_fail(v, line, err,
                            kind == SB_SOURCE_GIT ? "source can't be a git ref for COPY"
                                                  : "source can't be a URL for COPY");
    return 0;
}

int df_view_sources(df_viewer *v, const sb_df_instruction *ins, int stage, int trigger, unsigned line,
                    const sb_slice *words, df_origin *const *origins, sb_error **err)
{
    bool reachable = v->view->stages[stage].reachable && !v->work[stage].replaced;
    const sb_df_flag *flag = ins->keyword == SB_DF_ADD ? sb_df_find_flag(ins, "checksum") : NULL;
    sb_slice checksum = SB_NIL;
    df_origin *origin = NULL;

    if (flag && flag->value.len) {
        v->origin = NULL;
        if (df_view_expand(v, flag->value, line, &checksum, err) < 0 ||
            check_checksum(v, ins, checksum, words, line, err) < 0)
            return -1;
        origin = v->origin;
    }
    for (size_t i = 0; i + 1 < ins->arg_count; i++) {
        sb_df_source_kind kind = sb_df_source_classify(words[i]);

        if (kind == SB_SOURCE_LOCAL || df_is_heredoc_arg(v, ins, ins->args[i].text))
            continue;
        if (check_source(v, ins, words[i], kind, line, err) < 0)
            return -1;
        df_add_ref(v,
                   &(sb_df_ref){
                       .kind = kind == SB_SOURCE_GIT ? SB_REF_ADD_GIT : SB_REF_ADD_URL,
                       .text = ins->args[i].text,
                       .expanded = words[i],
                       .checksum = checksum,
                       .resolved_stage = -1,
                       .stage = stage,
                       .reachable = reachable,
                       .platform = platform_of(v, stage),
                       .instruction = ins,
                       .trigger = trigger,
                       .span = ins->args[i].span,
                       .line = line,
                   },
                   df_origin_join(v, origins[i], origin));
    }
    return 0;
}
