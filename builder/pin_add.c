// SPDX-License-Identifier: Apache-2.0
/*
 * ADD of URLs and git repositories becomes COPY from a named context that holds the locked bytes. What remote
 * ADD does differently from COPY is in the context: name, mode 0600, time. An instruction that mixes sources
 * is split into several, in the same order.
 */
#include <builder/pin.h>

#include <sbuild/fs.h>

static bool is_plain_word(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (!(sb_ascii_is_alnum(c) || strchr("/._+-@%=,~^:", c)))
            return false;
    }
    return true;
}

/* The flags as written, but those that only ADD has. */
static void add_flags(sb_pin_doc *doc, const sb_df_instruction *ins, bool copy, sb_buf *out)
{
    for (size_t i = 0; i < ins->flag_count; i++) {
        const sb_df_flag *flag = &ins->flags[i];

        if (sb_slice_eqz(flag->name, "checksum") || sb_slice_eqz(flag->name, "keep-git-dir") ||
            (copy && sb_slice_eqz(flag->name, "unpack")) ||
            (sb_slice_eqz(flag->name, "link") && !doc->plan->engine->can.copy_link))
            continue;
        sb_buf_addc(out, ' ');
        sb_buf_adds(out, sb_slice_sub(doc->df->text, flag->span.start, flag->span.end));
    }
}

/* One instruction: keyword and flags are there already, `sources` and the destination follow. */
static int add_words(sb_pin_doc *doc, const sb_df_instruction *ins, bool json, const sb_slice *sources,
                     size_t count, sb_buf *out, sb_error **err)
{
    sb_slice dest = ins->args[ins->arg_count - 1].text;

    if (!json) {
        for (size_t i = 0; i <= count; i++) {
            sb_buf_addc(out, ' ');
            sb_buf_adds(out, i < count ? sources[i] : dest);
        }
        return 0;
    }
    for (size_t i = 0; i <= count; i++) {
        sb_slice quoted;

        if (sb_pin_json(doc, i < count ? sources[i] : dest, &quoted, err) < 0)
            return -1;
        sb_buf_addz(out, i ? ", " : " [");
        sb_buf_adds(out, quoted);
    }
    sb_buf_addc(out, ']');
    return 0;
}

static void next_line(const sb_pin_doc *doc, sb_buf *out)
{
    if (!out->len)
        return;
    sb_buf_addc(out, '\n');
    sb_buf_addz(out, doc->prefix);
}

static int add_local(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_slice *sources, size_t count,
                     sb_buf *out, sb_error **err)
{
    if (!count)
        return 0;
    next_line(doc, out);
    sb_buf_addz(out, "ADD");
    add_flags(doc, ins, false, out);
    return add_words(doc, ins, ins->json, sources, count, out, err);
}

static int not_locked(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_df_ref *ref, sb_error **err)
{
    sb_slice place = sb_pin_place(doc, ins);
    sb_autofree char *shown = sb_printable(ref->text);

    return sb_fail(err, SB_ERR_STALE, "%" SB_FMT ": ADD %s is not in the lock; run \"sbuild lock\"",
                   SB_ARG(place), shown);
}

/* The context with the file, and what COPY calls the file in it. */
static int file_context(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_df_ref *ref,
                        sb_plan_context **ret_context, sb_slice *ret_source, sb_error **err)
{
    const sb_lock_file *file = sb_lock_find_file(doc->plan->lock, ref->expanded);
    const sb_df_flag *unpack = sb_df_find_flag(ins, "unpack");
    bool unpacked = unpack && (!unpack->value.ptr || sb_slice_eqz(unpack->value, "true"));
    sb_plan_context *context;

    if (!file)
        return not_locked(doc, ins, ref, err);
    context = sb_pin_context(doc, unpacked ? SB_CONTEXT_UNPACK : SB_CONTEXT_FILE, "sbuild-add", err);
    if (!context)
        return -1;
    context->file = file;
    context->file_name = sb_df_url_filename(doc->arena, ref->expanded);
    if (!sb_path_is_plain(context->file_name) || sb_slice_chr(context->file_name, '/') >= 0)
        context->file_name = SB_LIT("__unnamed__");
    *ret_source = unpacked ? SB_LIT("/tree/")
                           : sb_arena_printf(doc->arena, "/%" SB_FMT,
                                             SB_ARG(sb_pin_quote(doc, context->file_name, true)));
    *ret_context = context;
    return 0;
}

static int git_context(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_df_ref *ref,
                       sb_plan_context **ret_context, sb_slice *ret_source, sb_error **err)
{
    const sb_lock_git *git = sb_lock_find_git(doc->plan->lock, ref->expanded);
    sb_plan_context *context;

    if (!git)
        return not_locked(doc, ins, ref, err);
    context = sb_pin_context(doc, SB_CONTEXT_GIT, "sbuild-add", err);
    if (!context)
        return -1;
    context->git = git;
    *ret_source = SB_LIT("/tree/");
    *ret_context = context;
    return 0;
}

static int add_remote(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_df_ref *ref, sb_buf *out,
                      sb_error **err)
{
    sb_plan_context *context;
    sb_slice source;
    int result = ref->kind == SB_REF_ADD_GIT ? git_context(doc, ins, ref, &context, &source, err)
                                             : file_context(doc, ins, ref, &context, &source, err);

    if (result < 0)
        return -1;
    next_line(doc, out);
    sb_buf_printf(out, "COPY --from=%" SB_FMT, SB_ARG(context->name));
    add_flags(doc, ins, true, out);
    return add_words(doc, ins, ins->json || !is_plain_word(source), &source, 1, out, err);
}

int sb_pin_add(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_df_ref *const *refs, size_t ref_count,
               sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(SB_DOCKERFILE_MAX);
    sb_slice *local = sb_arena_array(doc->arena, sb_slice, ins->arg_count + 1);
    size_t local_count = 0;

    if (ins->heredoc_count) {
        sb_slice place = sb_pin_place(doc, ins);

        return sb_fail(err, SB_ERR_PARSE,
                       "%" SB_FMT ": ADD mixes a heredoc with a source from the network; split it in two",
                       SB_ARG(place));
    }
    for (size_t i = 0; i + 1 < ins->arg_count; i++) {
        const sb_df_ref *ref = NULL;

        for (size_t k = 0; k < ref_count && !ref; k++)
            if (sb_slice_eq(refs[k]->text, ins->args[i].text))
                ref = refs[k];
        if (!ref) {
            local[local_count++] = ins->args[i].text;
            continue;
        }
        if (add_local(doc, ins, local, local_count, &out, err) < 0 ||
            add_remote(doc, ins, ref, &out, err) < 0)
            return -1;
        local_count = 0;
    }
    if (add_local(doc, ins, local, local_count, &out, err) < 0 ||
        sb_buf_check(&out, "the pinned Dockerfile", err) < 0)
        return -1;
    sb_pin_edit(doc, ins->span.start, ins->span.end, sb_arena_dup(doc->arena, sb_buf_slice(&out)));
    return 0;
}
