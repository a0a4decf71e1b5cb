// SPDX-License-Identifier: Apache-2.0
/*
 * RUN in the pinned Dockerfile: the program of sealed steps stands before the user's command, which stays as
 * it is. Where the engine has heredocs, shell form stays byte for byte: SHELL puts the program in front of
 * it, and is put back behind it. Elsewhere it becomes exec form.
 */
#include <builder/pin.h>

#include <lock/lockfile.h>

/* --- SHELL in force --- */

/* As the elements of a JSON array, a comma behind each. */
static int join_words(sb_pin_doc *doc, const sb_slice *words, size_t count, sb_slice *ret_text,
                      sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(1 << 20);

    for (size_t i = 0; i < count; i++) {
        sb_slice quoted;

        if (sb_pin_json(doc, words[i], &quoted, err) < 0)
            return -1;
        sb_buf_adds(&out, quoted);
        sb_buf_addc(&out, ',');
    }
    *ret_text = sb_arena_dup(doc->arena, sb_buf_slice(&out));
    return sb_buf_check(&out, "SHELL", err);
}

int sb_pin_shell(sb_pin_doc *doc, const sb_df_instruction *ins, sb_slice *ret_shell, sb_error **err)
{
    sb_slice *words = sb_arena_array(doc->arena, sb_slice, ins->arg_count + 1);

    for (size_t i = 0; i < ins->arg_count; i++)
        words[i] = ins->args[i].text;
    return join_words(doc, words, ins->arg_count, ret_shell, err);
}

int sb_pin_begin_stage(sb_pin_doc *doc, int index, sb_error **err)
{
    const sb_df_stage *stage = &doc->plan->view->stages[index];

    if (stage->base_kind == SB_BASE_STAGE && stage->base_stage >= 0)
        doc->shells[index] = doc->shells[stage->base_stage];
    else if (stage->shell_count)
        return join_words(doc, stage->shell, stage->shell_count, &doc->shells[index], err);
    if (!doc->shells[index].ptr)
        doc->shells[index] = SB_LIT("\"/bin/sh\",\"-c\",");
    return 0;
}

/* --- Sealing --- */

/* The entry of this instruction; a trigger of a base image goes by its number. */
static sb_plan_step *step_of(const sb_pin_doc *doc, const sb_df_instruction *ins, int stage)
{
    sb_plan *plan = doc->plan;

    for (size_t i = 0; i < plan->step_count; i++) {
        sb_plan_step *step = &plan->steps[i];

        if (doc->own ? step->run.instruction == ins
                     : step->run.stage == stage && step->run.trigger == doc->trigger)
            return step;
    }
    return NULL;
}

/* The program in front, as elements of a JSON array; nothing in front of what is not wrapped. */
static const char *program_words(const sb_plan_step *step)
{
    return step ? "\"" SB_STEP_BIN_DIR "/" SB_STEP_PROGRAM "\",\"--\"," : "";
}

/* The one context that all steps share: an engine sends each separately. */
static int need_context(sb_pin_doc *doc, sb_error **err)
{
    sb_plan *plan = doc->plan;
    sb_plan_context *context;

    for (size_t i = 0; i < plan->context_count; i++)
        if (plan->contexts[i].kind == SB_CONTEXT_STEPS)
            return 0;
    context = sb_pin_context(doc, SB_CONTEXT_STEPS, SB_SEAL_CONTEXT, err);
    if (!context)
        return -1;
    context->name = SB_LIT(SB_SEAL_CONTEXT);
    return 0;
}

/* Its directory is named by its content, too: a cache that looks at the text alone must see a difference. */
static int name_directory(sb_pin_doc *doc, sb_plan_step *step, sb_error **err)
{
    sb_digest digest;
    char hex[SB_DIGEST_HEX];

    if (step->directory.ptr)
        return 0;
    if (sb_seal_tell(doc->plan, step, doc->arena, &digest, err) < 0)
        return -1;
    sb_digest_hex(&digest, hex);
    step->directory = sb_arena_printf(doc->arena, "%s-%.12s", step->run.id, hex);
    return 0;
}

static int add_mounts(sb_pin_doc *doc, sb_plan_step *step, sb_buf *out, sb_error **err)
{
    const sb_engine_abilities *can = &doc->plan->engine->can;
    sb_slice arch = sb_seal_architecture(doc->arena, step->run.platform);

    if (need_context(doc, err) < 0 || name_directory(doc, step, err) < 0)
        return -1;
    sb_buf_printf(out,
                  " --mount=type=bind,from=" SB_SEAL_CONTEXT ",source=program/%" SB_FMT
                  ",target=" SB_STEP_BIN_DIR " --mount=type=bind,from=" SB_SEAL_CONTEXT ",source=%" SB_FMT
                  ",target=" SB_STEP_DIR " --mount=type=tmpfs,target=" SB_STEP_TMP_DIR "%s",
                  SB_ARG(arch), SB_ARG(step->directory), can->tmpfs_private ? ",tmpfs-mode=1777" : "");
    if (step->mode != SB_STEP_OPEN)
        sb_buf_printf(out,
                      " --mount=type=bind,from=" SB_SEAL_CONTEXT ",source=%" SB_FMT
                      "/resolv.conf,target=/etc/resolv.conf",
                      SB_ARG(step->directory));
    if (step->mode == SB_STEP_RECORD) {
        sb_buf_printf(out, " --mount=type=cache,id=%" SB_FMT ",target=" SB_STEP_REC_DIR ",sharing=locked",
                      SB_ARG(step->cache));
        if (doc->plan->record->credentials)
            sb_buf_addz(out, " --mount=type=secret,id=" SB_SEAL_SECRET ",env=" SB_SEAL_SECRET_VARIABLE);
    }
    return 0;
}

/*
 * The user's cache mounts hold what this lock's builds put there, and nothing that came another way: their
 * ids name the lock (a recording's, the recording). The last id of a mount counts.
 */
static int own_caches(sb_pin_doc *doc, const sb_df_instruction *ins, sb_error **err)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:${}";
    sb_slice scope;

    if (sb_seal_cache_scope(doc->plan, doc->arena, &scope, err) < 0)
        return -1;
    for (size_t i = 0; i < ins->flag_count; i++) {
        const sb_df_flag *flag = &ins->flags[i];
        sb_slice id, name;

        if (!sb_slice_eqz(flag->name, "mount") || !sb_pin_mount_cache(flag->value, &id))
            continue;
        name = id;
        for (size_t k = 0; k < id.len; k++) {
            if (!strchr(plain, id.ptr[k])) {
                char hex[SB_DIGEST_HEX];
                sb_digest digest;

                sb_digest_of(SB_HASH_SHA256, id, &digest);
                sb_digest_hex(&digest, hex);
                name = sb_arena_printf(doc->arena, "%.16s", hex);
                break;
            }
        }
        sb_pin_edit(doc, flag->span.end, flag->span.end,
                    sb_arena_printf(doc->arena, ",id=%" SB_FMT "-%" SB_FMT, SB_ARG(scope), SB_ARG(name)));
    }
    return 0;
}

/* Flags go right behind the keyword, before the user's own. */
static int add_flags(sb_pin_doc *doc, const sb_df_instruction *ins, sb_plan_step *step, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(64 << 10);

    if (step->mode == SB_STEP_REPLAY && doc->plan->engine->can.run_network)
        sb_buf_addz(&out, " --network=none");
    if (add_mounts(doc, step, &out, err) < 0 || own_caches(doc, ins, err) < 0)
        return -1;
    if (sb_buf_check(&out, "the flags of RUN", err) < 0)
        return -1;
    sb_pin_edit(doc, ins->keyword_span.end, ins->keyword_span.end,
                sb_arena_dup(doc->arena, sb_buf_slice(&out)));
    return 0;
}

/* SHELL [program…, the shell in force] above the instruction, and back below it. */
static void set_shell(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_plan_step *step, int stage)
{
    sb_slice shell = sb_slice_sub(doc->shells[stage], 0, doc->shells[stage].len - 1);

    sb_pin_edit(doc, ins->span.start, ins->span.start,
                sb_arena_printf(doc->arena, "SHELL [%s%" SB_FMT "]\n%s", program_words(step), SB_ARG(shell),
                                doc->prefix));
    sb_pin_edit(doc, ins->span.end, ins->span.end,
                sb_arena_printf(doc->arena, "\n%sSHELL [%" SB_FMT "]", doc->prefix, SB_ARG(shell)));
}

/* The words of exec form; the first behind "[". */
static int wrap_exec(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_plan_step *step, sb_error **err)
{
    size_t at = ins->rest_span.start;

    while (at < ins->rest_span.end && doc->df->text.ptr[at] != '[')
        at++;
    if (at == ins->rest_span.end)
        return sb_fail(err, SB_ERR_INTERNAL, "no exec form on line %u", ins->start_line);
    sb_pin_edit(doc, at + 1, at + 1, sb_slice_z(program_words(step)));
    return 0;
}

/* --- Heredocs, for an engine without them --- */

/* Is the whole command one heredoc: "<<EOF", "3<<-'EOF'"? */
static bool is_bare_heredoc(const sb_df_instruction *ins)
{
    sb_slice text = ins->arg_count ? sb_slice_trim(ins->args[0].text) : SB_NIL;
    size_t i = 0;

    if (ins->heredoc_count != 1 || ins->arg_count != 1)
        return false;
    while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
        i++;
    return sb_slice_starts(sb_slice_sub(text, i, text.len), SB_LIT("<<")) && sb_slice_chr(text, ' ') < 0 &&
           sb_slice_chr(text, '\t') < 0;
}

/* A script with an interpreter line is a file that is run, where the frontend would put it. */
static int lower_script(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_plan_step *step, int stage,
                        sb_slice body, sb_error **err)
{
    sb_plan_context *context;
    char hex[SB_DIGEST_HEX];
    sb_digest digest;
    sb_slice text;

    /* A cache that looks at the instruction's text alone must see other content. */
    sb_digest_of(SB_HASH_SHA256, body, &digest);
    sb_digest_hex(&digest, hex);
    hex[12] = '\0';
    context = sb_pin_context(doc, SB_CONTEXT_TEXT, "sbuild-script", err);
    if (!context)
        return -1;
    context->name = sb_arena_printf(doc->arena, "%" SB_FMT "-%s", SB_ARG(context->name), hex);
    context->text = body;
    context->file_name = SB_LIT("script");
    context->mode = 0755;
    text = sb_arena_printf(doc->arena,
                           "--mount=type=bind,from=%" SB_FMT ",target=/dev/pipes [%s%" SB_FMT
                           "\"/dev/pipes/script\"]",
                           SB_ARG(context->name), program_words(step), SB_ARG(doc->shells[stage]));
    sb_pin_edit(doc, ins->rest_span.start, ins->span.end, text);
    return 0;
}

static int lower_heredoc(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_plan_step *step, int stage,
                         sb_error **err)
{
    sb_autobuf full = SB_BUF_INIT(SB_DOCKERFILE_MAX);
    sb_slice quoted;

    if (ins->json || !ins->arg_count)
        return sb_pin_refuse(doc, ins, "heredocs", err);
    if (is_bare_heredoc(ins)) {
        sb_slice body = sb_pin_chomped(doc->arena, &ins->heredocs[0]);

        if (sb_slice_starts(body, SB_LIT("#!")))
            return lower_script(doc, ins, step, stage, body, err);
        sb_buf_adds(&full, body);
    } else {
        sb_buf_adds(&full, ins->args[0].text);
        for (size_t i = 0; i < ins->heredoc_count; i++) {
            sb_buf_addc(&full, '\n');
            sb_buf_adds(&full, ins->heredocs[i].body);
            sb_buf_adds(&full, ins->heredocs[i].name);
        }
    }
    if (sb_buf_check(&full, "a heredoc", err) < 0 || sb_pin_json(doc, sb_buf_slice(&full), &quoted, err) < 0)
        return -1;
    sb_pin_edit(doc, ins->rest_span.start, ins->span.end,
                sb_arena_printf(doc->arena, "[%s%" SB_FMT "%" SB_FMT "]", program_words(step),
                                SB_ARG(doc->shells[stage]), SB_ARG(quoted)));
    return 0;
}

/* --- The instruction --- */

/* Flags that this engine does not know: dropped where they say what holds anyway, else refused. */
static int lower_flags(sb_pin_doc *doc, const sb_df_instruction *ins, const sb_plan_step *step,
                       sb_error **err)
{
    const sb_engine_abilities *can = &doc->plan->engine->can;

    for (size_t i = 0; i < ins->flag_count; i++) {
        const sb_df_flag *flag = &ins->flags[i];
        bool network = sb_slice_eqz(flag->name, "network");
        /* A sealed step's network is said by the seal. */
        bool said = network && (!step || step->mode != SB_STEP_OPEN) && doc->plan->options->offline;

        if (sb_slice_eqz(flag->name, "mount") || (can->run_network && !said))
            continue;
        if (said || (network && sb_slice_eqz(flag->value, doc->plan->record ? "default" : "none")) ||
            (sb_slice_eqz(flag->name, "security") && sb_slice_eqz(flag->value, "sandbox")))
            sb_pin_drop_flag(doc, flag);
        else
            return sb_pin_refuse(doc, ins,
                                 sb_arena_printf(doc->arena, "RUN --%" SB_FMT, SB_ARG(flag->name)).ptr, err);
    }
    return 0;
}

int sb_pin_run(sb_pin_doc *doc, const sb_df_instruction *ins, int stage, sb_error **err)
{
    const sb_engine_abilities *can = &doc->plan->engine->can;
    sb_plan_step *step = step_of(doc, ins, stage);

    if (step && step->networked && !can->run_network && !doc->plan->record)
        return sb_fail(err, SB_ERR_ENGINE,
                       "%" SB_FMT ": %" SB_FMT " %" SB_FMT
                       " takes the network from all steps or from none; use --engine docker for a step that "
                       "keeps it",
                       SB_ARG(sb_pin_place(doc, ins)), SB_ARG(doc->plan->engine->name),
                       SB_ARG(doc->plan->engine->version));
    if (lower_flags(doc, ins, step, err) < 0)
        return -1;
    if (step && add_flags(doc, ins, step, err) < 0)
        return -1;
    if (ins->heredoc_count && !can->heredocs)
        return lower_heredoc(doc, ins, step, stage, err);
    if (!step)
        return 0;
    if (ins->json)
        return wrap_exec(doc, ins, step, err);
    set_shell(doc, ins, step, stage);
    return 0;
}
