// SPDX-License-Identifier: Apache-2.0
/*
 * The pinned Dockerfile: the user's bytes with every reference to the network replaced by what the lock says,
 * and nothing else changed.
 */
#include <builder/pin.h>

#include <sbuild/json.h>

void sb_pin_edit(sb_pin_doc *doc, size_t start, size_t end, sb_slice text)
{
    *SB_ARENA_PUSH(doc->arena, doc->edits, doc->count, doc->cap) =
        (sb_df_edit){.span = {start, end}, .text = text};
}

sb_plan_context *sb_pin_context(sb_pin_doc *doc, sb_plan_context_kind kind, const char *prefix,
                                sb_error **err)
{
    sb_plan *plan = doc->plan;
    sb_plan_context *context;

    if (plan->context_count >= SB_PLAN_ITEMS_MAX) {
        (void)sb_fail(err, SB_ERR_LIMIT, "the Dockerfile needs more than the maximum of %d contexts",
                      SB_PLAN_ITEMS_MAX);
        return NULL;
    }
    context = SB_ARENA_PUSH(doc->arena, plan->contexts, plan->context_count, plan->context_cap);
    *context = (sb_plan_context){
        .kind = kind,
        .name = sb_arena_printf(doc->arena, "%s-%zu", prefix, plan->context_count),
    };
    return context;
}

sb_slice sb_pin_place(const sb_pin_doc *doc, const sb_df_instruction *ins)
{
    if (doc->own)
        return sb_arena_printf(doc->arena, "%" SB_FMT ":%u", SB_ARG(doc->df->name), ins->start_line);
    return sb_arena_printf(doc->arena, "%" SB_FMT, SB_ARG(doc->df->name));
}

int sb_pin_json(sb_pin_doc *doc, sb_slice text, sb_slice *ret_json, sb_error **err)
{
    sb_autojson *json = json_stringn(text.ptr ? text.ptr : "", text.len);
    sb_autofree char *dump = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;

    if (!dump)
        return sb_fail(err, SB_ERR_PARSE, "text that is no UTF-8 cannot be put into exec form");
    *ret_json = sb_arena_dup(doc->arena, sb_slice_z(dump));
    return 0;
}

sb_slice sb_pin_quote(sb_pin_doc *doc, sb_slice literal, bool pattern)
{
    sb_autobuf out = SB_BUF_INIT(8 * literal.len + 1);
    char escape = doc->df->escape;

    for (size_t i = 0; i < literal.len; i++) {
        char c = literal.ptr[i];

        if (pattern && strchr("*?[\\", c)) {
            /* Patterns always escape with a backslash, which must itself survive expansion. */
            if (escape == '\\')
                sb_buf_addc(&out, '\\');
            sb_buf_addc(&out, '\\');
        }
        if (c == escape || strchr("$'\"", c))
            sb_buf_addc(&out, escape);
        sb_buf_addc(&out, c);
    }
    return sb_arena_dup(doc->arena, sb_buf_slice(&out));
}

/* --- Images --- */

/* "docker.io/library/node:20.19.4@sha256:…": the tag for people, the digest for the machine. */
static int pinned_text(sb_arena *arena, const sb_lock_image *locked, sb_slice *ret_text, sb_error **err)
{
    char digest[SB_DIGEST_TEXT];
    sb_image_ref ref;

    if (sb_image_ref_parse(arena, locked->name, &ref, err) < 0)
        return sb_wrap(err, "the lock's entry of %" SB_FMT, SB_ARG(locked->ref));
    sb_digest_format(&locked->digest, digest);
    ref.digest = sb_slice_z(digest);
    if (locked->version.len)
        ref.tag = locked->version;
    *ret_text = sb_image_ref_format(arena, &ref);
    /* It goes into the Dockerfile: a lock must not be able to write instructions. */
    if (sb_image_ref_parse(arena, *ret_text, &ref, err) < 0)
        return sb_wrap(err, "the lock's entry of %" SB_FMT, SB_ARG(locked->ref));
    return 0;
}

static int pin_image(sb_pin_doc *doc, const sb_df_ref *ref, sb_slice *ret_text, sb_error **err)
{
    sb_plan *plan = doc->plan;
    const sb_lock_image *locked = sb_lock_find_image(plan->lock, ref->expanded);
    bool strip = ref->kind == SB_REF_FROM && locked && locked->onbuild_count;
    sb_slice platform = ref->platform.len ? ref->platform : plan->platform;
    sb_plan_image image = {.locked = locked, .platform = platform, .strip = strip};

    if (!locked) {
        sb_autofree char *shown = sb_printable(ref->expanded);

        return sb_fail(err, SB_ERR_STALE, "%" SB_FMT ":%u: %s is not in the lock; run \"sbuild lock\"",
                       SB_ARG(doc->df->name), ref->line, shown);
    }
    if (pinned_text(doc->arena, locked, &image.text, err) < 0)
        return -1;
    *ret_text = image.text;
    for (size_t i = 0; i < plan->image_count; i++) {
        sb_plan_image *known = &plan->images[i];

        if (!sb_slice_eq(known->text, image.text) || !sb_slice_eq(known->platform, platform))
            continue;
        /* Triggers run for FROM alone, so one without them serves both. */
        known->strip |= strip;
        return 0;
    }
    if (plan->image_count >= SB_PLAN_ITEMS_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "the Dockerfile names more than the maximum of %d images",
                       SB_PLAN_ITEMS_MAX);
    *SB_ARENA_PUSH(doc->arena, plan->images, plan->image_count, plan->image_cap) = image;
    return 0;
}

static int pin_image_ref(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_df_ref *ref, sb_error **err)
{
    const sb_df_flag *flag = NULL;
    sb_slice text;

    if (pin_image(doc, ref, &text, err) < 0)
        return -1;
    if (doc->own && ref->span.end > ref->span.start) {
        sb_slice there = sb_slice_sub(doc->df->text, ref->span.start, ref->span.end);

        if (ref->kind == SB_REF_FROM || sb_slice_eq(there, ref->text)) {
            sb_pin_edit(doc, ref->span.start, ref->span.end, text);
            return 0;
        }
    }
    /* The reference is quoted or continued somehow: the whole flag is written anew. */
    if (ref->flag && ref->instruction)
        flag = &ins->flags[ref->flag - ref->instruction->flags];
    if (!flag)
        return sb_fail(err, SB_ERR_INTERNAL, "no place for %" SB_FMT " on line %u", SB_ARG(ref->text),
                       ref->line);
    if (ref->kind == SB_REF_MOUNT)
        text = sb_pin_mount_from(doc, flag, text);
    else
        text = sb_arena_printf(doc->arena, "--from=%" SB_FMT, SB_ARG(text));
    sb_pin_edit(doc, flag->span.start, flag->span.end, text);
    return 0;
}

/* --- The frontend --- */

/* Docker's own, whose stable features an engine has built in. */
static bool is_stock_frontend(sb_arena *arena, sb_slice text)
{
    sb_image_ref ref;

    if (sb_image_ref_parse(arena, text, &ref, NULL) < 0)
        return false;
    return sb_slice_eqz(ref.registry, "docker.io") &&
           (sb_slice_eqz(ref.repository, "docker/dockerfile") ||
            sb_slice_eqz(ref.repository, "docker/dockerfile-upstream")) &&
           !sb_slice_ends(ref.tag, SB_LIT("labs"));
}

/* Takes the directive away without moving the lines below it, where that is possible. */
static void drop_directive(sb_pin_doc *doc, const sb_df_directive *directive)
{
    sb_slice text = doc->df->text;
    size_t start = directive->value_span.start, end = directive->value_span.end;
    bool last = directive == &doc->df->directives[doc->df->directive_count - 1];

    while (start > 0 && text.ptr[start - 1] != '\n')
        start--;
    if (start == 0 && sb_slice_starts(text, SB_LIT("\xef\xbb\xbf")))
        start = 3;
    while (end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '\r')
        end++;
    if (last) {
        sb_pin_edit(doc, start, end, SB_LIT("#"));
        return;
    }
    /* A comment or an empty line here would end the directives. */
    while (end < text.len && text.ptr[end] != '\n')
        end++;
    sb_pin_edit(doc, start, end < text.len ? end + 1 : end, SB_LIT(""));
}

/* Does an instruction use what the engine's built-in frontend does not know yet? */
static bool needs_frontend(const sb_pin_doc *doc)
{
    for (size_t i = 0; i < doc->df->instruction_count; i++)
        if (sb_pin_lacking(&doc->plan->engine->can, &doc->df->instructions[i]))
            return true;
    return false;
}

static int pin_syntax(sb_pin_doc *doc, const sb_df_ref *ref, sb_error **err)
{
    sb_plan *plan = doc->plan;
    const sb_lock_image *locked;
    sb_slice text;

    if (!plan->engine->can.frontends)
        return 0;
    if (is_stock_frontend(doc->arena, ref->expanded) && !needs_frontend(doc)) {
        for (size_t i = 0; i < doc->df->directive_count; i++) {
            if (sb_slice_eqz(doc->df->directives[i].name, "syntax")) {
                drop_directive(doc, &doc->df->directives[i]);
                return 0;
            }
        }
    }
    locked = sb_lock_find_image(plan->lock, ref->expanded);
    if (!locked)
        return sb_fail(err, SB_ERR_STALE,
                       "%" SB_FMT ":%u: the frontend %" SB_FMT " is not in the lock; run \"sbuild lock\"",
                       SB_ARG(doc->df->name), ref->line, SB_ARG(ref->expanded));
    if (plan->options->offline)
        return sb_fail(err, SB_ERR_ENGINE,
                       "%" SB_FMT ":%u: an engine takes the frontend %" SB_FMT
                       " from its registry only; build without --offline, or remove what names it",
                       SB_ARG(doc->df->name), ref->line, SB_ARG(ref->expanded));
    if (pinned_text(doc->arena, locked, &text, err) < 0)
        return -1;
    plan->own_frontend = true;
    plan->frontend = text;
    plan->frontend_named = ref->span.end <= ref->span.start;
    if (!plan->frontend_named)
        sb_pin_edit(doc, ref->span.start, ref->span.end, text);
    return 0;
}

/* --- Instructions --- */

static int pin_instruction(sb_pin_doc *doc, const sb_df_instruction *ins, int stage,
                           const sb_df_ref *const *refs, size_t ref_count, sb_error **err)
{
    bool remote = false;

    for (size_t i = 0; i < ref_count; i++) {
        if (refs[i]->kind == SB_REF_ADD_URL || refs[i]->kind == SB_REF_ADD_GIT)
            remote = true;
        else if (pin_image_ref(doc, ins, refs[i], err) < 0)
            return -1;
    }
    if (remote)
        return sb_pin_add(doc, ins, refs, ref_count, err);
    return sb_pin_lower(doc, ins, stage, err);
}

static void collect(sb_arena *arena, const sb_df_ref *ref, const sb_df_ref ***refs, size_t *count,
                    size_t *cap)
{
    if (!ref->reachable || ref->resolved_stage >= 0 || ref->context)
        return;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    *SB_ARENA_PUSH(arena, *refs, *count, *cap) = ref;
}

/*
 * What must be pinned of one instruction. References stand in file order, and so are instructions looked at:
 * `cursor` is where the last one's ended.
 */
static size_t refs_of(const sb_df_view *view, sb_arena *arena, const sb_df_instruction *ins, size_t *cursor,
                      const sb_df_ref ***ret_refs)
{
    size_t count = 0, cap = 0, i = *cursor;

    *ret_refs = NULL;
    /* A frontend of an argument has the first line, where an instruction may stand. */
    while (i < view->ref_count && (view->refs[i].trigger >= 0 || view->refs[i].kind == SB_REF_SYNTAX ||
                                   view->refs[i].line < ins->start_line))
        i++;
    for (; i < view->ref_count && view->refs[i].instruction == ins; i++)
        collect(arena, &view->refs[i], ret_refs, &count, &cap);
    *cursor = i;
    return count;
}

static size_t refs_of_trigger(const sb_df_view *view, sb_arena *arena, int stage, int trigger,
                              const sb_df_ref ***ret_refs)
{
    size_t count = 0, cap = 0;

    *ret_refs = NULL;
    for (size_t i = 0; i < view->ref_count; i++)
        if (view->refs[i].stage == stage && view->refs[i].trigger == trigger)
            collect(arena, &view->refs[i], ret_refs, &count, &cap);
    return count;
}

/* The trigger as a line among others: it must not take the next one in. */
static int check_trigger_ends(sb_slice text, sb_slice name, sb_error **err)
{
    sb_autofree char *more = sb_asprintf("%" SB_FMT "USER 0\n", SB_ARG(text));
    SB_AUTO(sb_dockerfile) df = NULL;

    if (sb_df_parse(sb_slice_z(more), name.ptr, 0, &df, err) < 0)
        return -1;
    if (df->instruction_count != 3)
        return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT " ends in a continuation", SB_ARG(name));
    return 0;
}

/* One trigger of a base image, pinned, as the text of an instruction. */
static int pin_trigger(sb_pin_doc *outer, const sb_df_stage *stage, size_t index, sb_slice trigger,
                       sb_buf *out, sb_error **err)
{
    sb_slice text = sb_arena_printf(outer->arena, "FROM scratch\n%" SB_FMT "\n", SB_ARG(trigger));
    sb_autofree char *shown = sb_printable(stage->base);
    sb_slice name = sb_arena_printf(outer->arena, "ONBUILD trigger %zu of %s", index + 1, shown);
    SB_AUTO(sb_dockerfile) df = NULL;
    sb_pin_doc doc = *outer;
    sb_autobuf edited = SB_BUF_INIT(SB_DOCKERFILE_MAX);
    const sb_df_instruction *ins;
    const sb_df_ref **refs;
    size_t count;

    if (sb_df_parse(text, name.ptr, 0, &df, err) < 0)
        return -1;
    if (df->instruction_count != 2)
        return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT " is not one instruction", SB_ARG(name));
    if (check_trigger_ends(text, name, err) < 0)
        return -1;
    if (outer->df->escape != '\\' && memchr(trigger.ptr, '\\', trigger.len))
        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT " holds a backslash, and \"# escape\" of %" SB_FMT
                       " gives that another meaning; remove the directive",
                       SB_ARG(name), SB_ARG(outer->df->name));
    ins = &df->instructions[1];
    doc.df = df;
    doc.own = false;
    doc.trigger = (int)index;
    doc.edits = NULL;
    doc.count = doc.cap = 0;
    count = refs_of_trigger(outer->plan->view, outer->arena, stage->index, (int)index, &refs);
    if (pin_instruction(&doc, ins, stage->index, refs, count, err) < 0 ||
        sb_df_apply(df->text, doc.edits, doc.count, &edited, err) < 0)
        return -1;
    sb_buf_addc(out, '\n');
    /* Behind "FROM scratch\n", without the last line end. */
    sb_buf_adds(out, sb_slice_sub(sb_buf_slice(&edited), 13, edited.len - 1));
    return sb_buf_check(out, "the pinned Dockerfile", err);
}

static int inline_triggers(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_df_stage *stage,
                           sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(SB_DOCKERFILE_MAX);
    const sb_lock_image *locked;

    if (!stage->trigger_count)
        return 0;
    locked = sb_lock_find_image(doc->plan->lock, stage->base_expanded);
    if (!locked || locked->onbuild_count != stage->trigger_count)
        return sb_fail(err, SB_ERR_STALE,
                       "%" SB_FMT ":%u: the lock does not have the ONBUILD triggers of %" SB_FMT
                       "; run \"sbuild lock\"",
                       SB_ARG(doc->df->name), ins->start_line, SB_ARG(stage->base_expanded));
    /* As the image has them; what the lock says of them is for people. */
    for (size_t i = 0; i < stage->trigger_count; i++)
        if (pin_trigger(doc, stage, i, stage->trigger_texts[i], &out, err) < 0)
            return -1;
    sb_pin_edit(doc, ins->span.end, ins->span.end, sb_arena_dup(doc->arena, sb_buf_slice(&out)));
    return 0;
}

/* --- ONBUILD of the file's own stages --- */

/* Does a stage that is built start from this one, and so run its triggers? */
static bool is_consumed(const sb_df_view *view, int stage)
{
    for (size_t i = 0; i < view->stage_count; i++)
        if (view->stages[i].reachable && view->stages[i].base_kind == SB_BASE_STAGE &&
            view->stages[i].base_stage == stage)
            return true;
    return false;
}

/* Each consumer has the trigger's references once more, at the same places. */
static int refs_of_onbuild(const sb_pin_doc *doc, const sb_df_instruction *trigger,
                           const sb_df_ref ***ret_refs, size_t *ret_count, sb_error **err)
{
    const sb_df_view *view = doc->plan->view;
    size_t cap = 0;

    *ret_refs = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < view->ref_count; i++) {
        const sb_df_ref *ref = &view->refs[i], *same = NULL;

        if (ref->instruction != trigger)
            continue;
        for (size_t k = 0; k < *ret_count && !same; k++)
            if ((*ret_refs)[k]->kind == ref->kind && (*ret_refs)[k]->span.start == ref->span.start)
                same = (*ret_refs)[k];
        if (!same) {
            collect(doc->arena, ref, ret_refs, ret_count, &cap);
        } else if (!sb_slice_eq(same->expanded, ref->expanded)) {
            sb_autofree char *one = sb_printable(same->expanded), *other = sb_printable(ref->expanded);

            return sb_fail(err, SB_ERR_PARSE,
                           "%" SB_FMT ":%u: ONBUILD names %s for one stage and %s for another; write the "
                           "instruction into these stages",
                           SB_ARG(doc->df->name), ref->line, one, other);
        }
    }
    return 0;
}

/* The SHELL that the stage of this instruction ends with: a trigger is run by that one. */
static int shell_at_end(sb_pin_doc *doc, const sb_df_instruction *ins, sb_slice *ret_shell, sb_error **err)
{
    const sb_df_instruction *end = doc->df->instructions + doc->df->instruction_count;

    for (const sb_df_instruction *i = ins + 1; i < end && i->stage == ins->stage; i++)
        if (i->keyword == SB_DF_SHELL && sb_pin_shell(doc, i, ret_shell, err) < 0)
            return -1;
    return 0;
}

/*
 * A trigger that runs in this build is pinned where it stands. Of one that does not, the image's config gets
 * the text as it is.
 */
static int pin_onbuild(sb_pin_doc *doc, const sb_df_instruction *ins, sb_error **err)
{
    const sb_df_instruction *trigger = ins->trigger;
    sb_slice outer_shell = doc->shells[ins->stage], inner_shell = outer_shell;
    sb_pin_doc inner = *doc;
    const sb_df_ref **refs;
    size_t count;
    int result;

    if (!is_consumed(doc->plan->view, ins->stage))
        return 0;
    if (refs_of_onbuild(doc, trigger, &refs, &count, err) < 0)
        return -1;
    if (shell_at_end(doc, ins, &inner_shell, err) < 0)
        return -1;
    inner.prefix = "ONBUILD ";
    /* In other words only what the engine would let out else. */
    if (count == 0 && (trigger->keyword != SB_DF_RUN || trigger->heredoc_count))
        return 0;
    doc->shells[ins->stage] = inner_shell;
    result = pin_instruction(&inner, trigger, ins->stage, refs, count, err);
    doc->shells[ins->stage] = outer_shell;
    doc->edits = inner.edits;
    doc->count = inner.count;
    doc->cap = inner.cap;
    return result;
}

int sb_plan_pin(sb_plan *plan, sb_error **err)
{
    const sb_df_view *view = plan->view;
    sb_pin_doc doc = {.plan = plan, .arena = plan->arena, .df = view->df, .own = true, .prefix = ""};
    sb_autobuf out = SB_BUF_INIT(SB_DOCKERFILE_MAX);
    size_t cursor = 0;

    doc.shells = sb_arena_array(plan->arena, sb_slice, view->stage_count + 1);
    for (size_t i = 0; i < view->ref_count; i++)
        if (view->refs[i].kind == SB_REF_SYNTAX && pin_syntax(&doc, &view->refs[i], err) < 0)
            return -1;
    for (size_t i = 0; i < view->df->instruction_count; i++) {
        const sb_df_instruction *ins = &view->df->instructions[i];
        const sb_df_stage *stage = ins->stage >= 0 ? &view->stages[ins->stage] : NULL;
        const sb_df_ref **refs;
        size_t count;

        if (!stage || !stage->reachable)
            continue;
        if (ins->keyword == SB_DF_ONBUILD) {
            if (pin_onbuild(&doc, ins, err) < 0)
                return -1;
            continue;
        }
        count = refs_of(view, plan->arena, ins, &cursor, &refs);
        if (pin_instruction(&doc, ins, stage->index, refs, count, err) < 0)
            return -1;
        if (ins->keyword == SB_DF_FROM && inline_triggers(&doc, ins, stage, err) < 0)
            return -1;
    }
    if (sb_df_apply(view->df->text, doc.edits, doc.count, &out, err) < 0)
        return sb_wrap(err, "while pinning %" SB_FMT, SB_ARG(view->df->name));
    plan->dockerfile = sb_arena_dup(plan->arena, sb_buf_slice(&out));
    return sb_pin_check(plan, err);
}
