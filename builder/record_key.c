// SPDX-License-Identifier: Apache-2.0
/*
 * What the downloads of a step depend on, in one digest: as long as that is the same, the step need not be
 * recorded again. Results of earlier steps do not count, their instructions do.
 */
#include <builder/record.h>

typedef struct keyed { /* one walk; with `files` it only collects what is to be read */
    const sb_record_input *input;
    sb_record_files *collect;
    const sb_record_files *files;
    sb_digest *stages; /* of whole stages, once known */
    bool *known;
} keyed;

/* --- Parts of a digest, each with its length, so that none runs into the next --- */

static void add(sb_hasher *hasher, const char *what, sb_slice value)
{
    char head[64];
    int n = snprintf(head, sizeof(head), "%s %zu\n", what, value.ptr ? value.len : SIZE_MAX);

    sb_hasher_add(hasher, head, (size_t)n);
    sb_hasher_add(hasher, value.ptr ? value.ptr : "", value.len);
}

static void add_digest(sb_hasher *hasher, const char *what, const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT] = "none";

    if (digest)
        sb_digest_format(digest, text);
    add(hasher, what, sb_slice_z(text));
}

static void add_context(keyed *k, sb_hasher *hasher, sb_slice source)
{
    if (k->collect)
        sb_record_files_want(k->collect, source);
    else {
        add(hasher, "context", source);
        sb_record_files_hash(k->files, source, hasher);
    }
}

/* --- What one instruction takes --- */

static void add_stage(keyed *k, sb_hasher *hasher, int index);

static void add_image(const keyed *k, sb_hasher *hasher, sb_slice expanded, sb_slice platform)
{
    const sb_lock_image *image = sb_lock_find_image(k->input->lock, expanded);
    const sb_lock_platform *locked = image ? sb_lock_image_platform(image, platform) : NULL;

    add_digest(hasher, "image", locked ? &locked->manifest : NULL);
}

static void add_ref(keyed *k, sb_hasher *hasher, const sb_df_ref *ref)
{
    const sb_lock_file *file;
    const sb_lock_git *git;

    if (ref->context) {
        add(hasher, "named", ref->expanded);
        return;
    }
    if (ref->resolved_stage >= 0) {
        add_stage(k, hasher, ref->resolved_stage);
        return;
    }
    switch (ref->kind) {
    case SB_REF_ADD_URL:
        file = sb_lock_find_file(k->input->lock, ref->expanded);
        add_digest(hasher, "file", file ? &file->digest : NULL);
        break;
    case SB_REF_ADD_GIT:
        git = sb_lock_find_git(k->input->lock, ref->expanded);
        add_digest(hasher, "git", git ? &git->archive : NULL);
        break;
    case SB_REF_COPY:
    case SB_REF_MOUNT:
        add_image(k, hasher, ref->expanded, ref->platform);
        break;
    case SB_REF_FROM:
    case SB_REF_SYNTAX:
        break;
    }
}

static bool is_ref_source(const keyed *k, const sb_df_instruction *ins, sb_slice source)
{
    for (size_t i = 0; i < k->input->view->ref_count; i++) {
        const sb_df_ref *ref = &k->input->view->refs[i];

        if (ref->instruction == ins && !ref->flag && sb_slice_eq(ref->expanded, source))
            return true;
    }
    return false;
}

/* The words of an instruction of the file; none of a trigger, whose variables are not expanded. */
static const sb_df_expanded *words_of(const keyed *k, const sb_df_instruction *ins)
{
    const sb_df_view *view = k->input->view;
    uintptr_t first = (uintptr_t)view->df->instructions, place = (uintptr_t)ins;
    size_t index = (place - first) / sizeof(*ins);

    if (place < first || index >= view->df->instruction_count)
        return NULL;
    return view->expanded[index].count == ins->arg_count ? &view->expanded[index] : NULL;
}

static void add_sources(keyed *k, sb_hasher *hasher, const sb_df_instruction *ins)
{
    const sb_df_expanded *words = words_of(k, ins);

    if (sb_df_find_flag(ins, "from"))
        return;
    for (size_t i = 0; i + 1 < ins->arg_count; i++) {
        sb_slice source = words ? words->words[i] : ins->args[i].text;
        bool heredoc = ins->heredoc_count && sb_slice_starts(source, SB_LIT("<<"));

        if (words)
            add(hasher, "source", source);
        if (!heredoc && !is_ref_source(k, ins, source) &&
            (ins->keyword == SB_DF_COPY || sb_df_source_classify(source) == SB_SOURCE_LOCAL))
            add_context(k, hasher, source);
    }
}

/* RUN --mount=type=bind,source=…: from the context unless it says from. */
static void add_mount(keyed *k, sb_hasher *hasher, sb_slice value)
{
    sb_slice type = SB_LIT("bind"), source = SB_LIT("."), from = SB_NIL;

    while (value.ptr) {
        sb_slice rest = sb_slice_cut(&value, ',');
        sb_slice key = sb_slice_cut(&rest, '=');

        if (sb_slice_eq_nocase(key, SB_LIT("type")))
            type = rest;
        else if (sb_slice_eq_nocase(key, SB_LIT("source")) || sb_slice_eq_nocase(key, SB_LIT("src")))
            source = rest;
        else if (sb_slice_eq_nocase(key, SB_LIT("from")))
            from = rest;
    }
    if (sb_slice_eq_nocase(type, SB_LIT("bind")) && !from.len)
        add_context(k, hasher, source);
}

static sb_slice given_arg(const sb_record_input *input, sb_slice key)
{
    for (size_t i = input->build_arg_count; i-- > 0;)
        if (sb_slice_eq(input->build_args[i].key, key))
            return input->build_args[i].value;
    return SB_NIL;
}

static void add_args(const keyed *k, sb_hasher *hasher, const sb_df_instruction *ins)
{
    for (size_t i = 0; i < ins->pair_count; i++) {
        sb_slice value = given_arg(k->input, ins->pairs[i].key);

        if (!value.ptr && !ins->pairs[i].value.ptr)
            value = sb_df_env_get(&k->input->view->global, ins->pairs[i].key);
        add(hasher, "arg", ins->pairs[i].key);
        add(hasher, "is", value);
    }
}

/* Neither file system nor environment of what follows depends on these. */
static bool is_beside(sb_df_keyword keyword)
{
    return keyword == SB_DF_CMD || keyword == SB_DF_ENTRYPOINT || keyword == SB_DF_EXPOSE ||
           keyword == SB_DF_HEALTHCHECK || keyword == SB_DF_LABEL || keyword == SB_DF_MAINTAINER ||
           keyword == SB_DF_ONBUILD || keyword == SB_DF_STOPSIGNAL;
}

static void add_instruction(keyed *k, sb_hasher *hasher, const sb_df_instruction *ins)
{
    const sb_df_view *view = k->input->view;

    if (is_beside(ins->keyword) || ins->keyword == SB_DF_FROM)
        return;
    add(hasher, "instruction", ins->original);
    for (size_t i = 0; i < ins->heredoc_count; i++)
        add(hasher, "heredoc", ins->heredocs[i].body);
    if (ins->keyword == SB_DF_ARG)
        add_args(k, hasher, ins);
    for (size_t i = 0; i < view->ref_count; i++)
        if (view->refs[i].instruction == ins)
            add_ref(k, hasher, &view->refs[i]);
    if (ins->keyword == SB_DF_COPY || ins->keyword == SB_DF_ADD)
        add_sources(k, hasher, ins);
    for (size_t i = 0; ins->keyword == SB_DF_RUN && i < ins->flag_count; i++)
        if (sb_slice_eqz(ins->flags[i].name, "mount"))
            add_mount(k, hasher, ins->flags[i].value);
}

/* --- Stages --- */

/* ONBUILD instructions of the stage that this one starts from. True when `end` is among them. */
static bool add_onbuild(keyed *k, sb_hasher *hasher, int base, const sb_df_instruction *end)
{
    const sb_dockerfile *df = k->input->view->df;

    for (size_t i = 0; i < df->instruction_count; i++) {
        const sb_df_instruction *trigger = df->instructions[i].trigger;

        if (df->instructions[i].stage != base || !trigger)
            continue;
        if (trigger == end)
            return true;
        add_instruction(k, hasher, trigger);
    }
    return false;
}

/* All that the stage is made of before the instruction `end`; NULL: all of it. */
static void add_until(keyed *k, sb_hasher *hasher, const sb_df_stage *stage, const sb_df_instruction *end)
{
    const sb_df_view *view = k->input->view;
    const sb_dockerfile *df = view->df;
    sb_slice platform = stage->platform.len ? stage->platform : SB_LIT("");

    add(hasher, "platform", platform);
    if (stage->replaced || stage->base_kind == SB_BASE_CONTEXT)
        add(hasher, "named", stage->base_expanded);
    else if (stage->base_kind == SB_BASE_STAGE)
        add_stage(k, hasher, stage->base_stage);
    else if (stage->base_kind == SB_BASE_IMAGE)
        add_image(k, hasher, stage->base_expanded, platform.len ? platform : view->target_platform);
    if (stage->replaced)
        return;
    for (size_t i = 0; i < stage->trigger_count; i++) {
        if (&stage->triggers[i] == end)
            return;
        add_instruction(k, hasher, &stage->triggers[i]);
    }
    if (stage->base_kind == SB_BASE_STAGE && add_onbuild(k, hasher, stage->base_stage, end))
        return;
    for (size_t i = 0; i < df->instruction_count; i++) {
        if (df->instructions[i].stage != stage->index)
            continue;
        if (&df->instructions[i] == end)
            return;
        add_instruction(k, hasher, &df->instructions[i]);
    }
}

/* A whole stage stands in others by its digest. */
static void add_stage(keyed *k, sb_hasher *hasher, int index)
{
    if (!k->known[index]) {
        SB_AUTO(sb_hasher) own = sb_hasher_new(SB_HASH_SHA256);

        k->known[index] = true;
        add_until(k, own, &k->input->view->stages[index], NULL);
        sb_hasher_finish(own, &k->stages[index]);
    }
    add_digest(hasher, "stage", &k->stages[index]);
}

static void walk(keyed *k, const sb_run_step *step, sb_digest *ret_key)
{
    const sb_df_view *view = k->input->view;
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    sb_autofree sb_digest *stages = sb_new_array(sb_digest, view->stage_count + 1);
    sb_autofree bool *known = sb_new_array(bool, view->stage_count + 1);

    k->stages = stages;
    k->known = known;
    add(hasher, "sbuild", SB_LIT(SBUILD_VERSION));
    add(hasher, "step", sb_slice_z(step->id));
    add_digest(hasher, "text", &step->text_digest);
    add_until(k, hasher, &view->stages[step->stage], step->instruction);
    /* Its own flags and what they mount. */
    add_instruction(k, hasher, step->instruction);
    sb_hasher_finish(hasher, ret_key);
}

void sb_record_key_files(const sb_record_input *input, const sb_run_step *step, sb_record_files *files)
{
    keyed k = {.input = input, .collect = files};
    sb_digest ignored;

    walk(&k, step, &ignored);
}

void sb_record_key(const sb_record_input *input, const sb_run_step *step, const sb_record_files *files,
                   sb_digest *ret_key)
{
    keyed k = {.input = input, .files = files};

    walk(&k, step, ret_key);
}
