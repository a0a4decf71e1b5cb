// SPDX-License-Identifier: Apache-2.0
/*
 * The RUN steps of a view. A step is known by what it does and where (stage, text, platform), not by its
 * place, so that lines may move and other instructions come and go. Numbers tell equal ones apart; they are
 * given over the whole file, whatever the target needs of it.
 */
#include <sbuild/lock.h>

enum { LABEL_MAX = 60 };

typedef struct stepper {
    const sb_df_view *view;
    sb_arena *arena;
    sb_run_step *steps; /* of stages that are not needed, too: they count for the numbers */
    size_t count, cap;
} stepper;

/* --- What a step is called --- */

void sb_step_id(sb_slice stage, const sb_digest *text, unsigned nth, sb_slice platform,
                char ret_id[SB_STEP_ID_LEN + 1])
{
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    char hex[SB_DIGEST_HEX], number[16];
    sb_digest digest;

    sb_digest_hex(text, hex);
    snprintf(number, sizeof(number), "%u", nth);
    sb_hasher_add(hasher, stage.len ? stage.ptr : "", stage.len);
    sb_hasher_add(hasher, "", 1);
    sb_hasher_add(hasher, hex, strlen(hex) + 1);
    sb_hasher_add(hasher, number, strlen(number) + 1);
    sb_hasher_add(hasher, platform.len ? platform.ptr : "", platform.len);
    sb_hasher_finish(hasher, &digest);
    sb_digest_hex(&digest, hex);
    memcpy(ret_id, hex, SB_STEP_ID_LEN);
    ret_id[SB_STEP_ID_LEN] = '\0';
}

/* White space becomes one blank. */
static void add_words(sb_buf *out, sb_slice text)
{
    bool gap = false;

    for (size_t i = 0; i < text.len; i++) {
        if (strchr(" \t\r\n\v\f", text.ptr[i]) && text.ptr[i]) {
            gap = out->len > 0;
            continue;
        }
        if (gap)
            sb_buf_addc(out, ' ');
        gap = false;
        sb_buf_addc(out, text.ptr[i]);
    }
}

static sb_slice label_of(sb_arena *arena, const sb_df_instruction *ins)
{
    sb_autobuf words = SB_BUF_INIT(4 * LABEL_MAX), out = SB_BUF_INIT(16 * LABEL_MAX);
    size_t len;

    sb_buf_addz(&words, "RUN ");
    add_words(&words, ins->rest);
    /* What a lone heredoc does is in its body. */
    if (ins->heredoc_count && sb_slice_starts(ins->rest, SB_LIT("<<"))) {
        sb_buf_addc(&words, ' ');
        add_words(&words, ins->heredocs[0].body);
    }
    len = words.len;
    if (len > LABEL_MAX) {
        /* No character is cut in two, and the "…" has room. */
        for (len = LABEL_MAX - 3; len > 0 && ((unsigned char)words.data[len] & 0xC0) == 0x80;)
            len--;
    }
    sb_buf_add_printable(&out, sb_slice_of(words.data, len), len);
    if (len < words.len || words.overflow)
        sb_buf_addz(&out, "…");
    return sb_arena_dup(arena, sb_buf_slice(&out));
}

static void add_lf(sb_buf *out, sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\r' || i + 1 == text.len || text.ptr[i + 1] != '\n')
            sb_buf_addc(out, text.ptr[i]);
}

/* The logical line behind the flags, and the heredocs with it. */
static sb_slice text_of(sb_arena *arena, const sb_df_instruction *ins)
{
    sb_autobuf out = SB_BUF_INIT(SB_DOCKERFILE_MAX);

    add_lf(&out, ins->rest);
    for (size_t i = 0; i < ins->heredoc_count; i++) {
        sb_buf_addc(&out, '\n');
        add_lf(&out, ins->heredocs[i].body);
        sb_buf_adds(&out, ins->heredocs[i].name);
    }
    return sb_arena_dup(arena, sb_buf_slice(&out));
}

/* --- Where it runs --- */

/* A stage has the platform of the stage that it starts from, whatever its FROM says. */
static sb_slice platform_of(const sb_df_view *view, int stage)
{
    const sb_df_stage *s = &view->stages[stage];

    while (s->base_kind == SB_BASE_STAGE)
        s = &view->stages[s->base_stage];
    return s->platform.len ? s->platform : view->target_platform;
}

static unsigned number_of(const stepper *s, sb_slice stage_name, const sb_digest *text)
{
    unsigned n = 0;

    for (size_t i = 0; i < s->count; i++)
        n += sb_digest_eq(&s->steps[i].text_digest, text) && sb_slice_eq(s->steps[i].stage_name, stage_name);
    return n;
}

static int add_run(stepper *s, const sb_df_stage *stage, const sb_df_instruction *ins, int trigger,
                   sb_error **err)
{
    const sb_df_flag *network = sb_df_find_flag(ins, "network");
    sb_run_step step = {.stage = stage->index,
                        .stage_name = stage->name,
                        .instruction = ins,
                        .trigger = trigger,
                        .text = text_of(s->arena, ins),
                        .platform = platform_of(s->view, stage->index),
                        .network = network ? network->value : SB_NIL,
                        .label = label_of(s->arena, ins),
                        .line = ins->start_line};

    if (s->count == SB_LOCK_ENTRIES_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "more than %d RUN instructions", SB_LOCK_ENTRIES_MAX);
    sb_digest_of(SB_HASH_SHA256, step.text, &step.text_digest);
    step.nth = number_of(s, step.stage_name, &step.text_digest);
    sb_step_id(step.stage_name, &step.text_digest, step.nth, step.platform, step.id);
    *SB_ARENA_PUSH(s->arena, s->steps, s->count, s->cap) = step;
    return 0;
}

/* The ONBUILD instructions of a stage run where another one starts from it. */
static int add_onbuild(stepper *s, const sb_df_stage *stage, sb_error **err)
{
    const sb_df_stage *base = &s->view->stages[stage->base_stage];
    const sb_dockerfile *df = s->view->df;

    if (base->replaced)
        return 0;
    for (size_t i = base->from + 1; i < df->instruction_count && df->instructions[i].keyword != SB_DF_FROM;
         i++) {
        const sb_df_instruction *trigger = df->instructions[i].trigger;

        if (df->instructions[i].keyword == SB_DF_ONBUILD && trigger && trigger->keyword == SB_DF_RUN &&
            add_run(s, stage, trigger, -1, err) < 0)
            return -1;
    }
    return 0;
}

static int add_stage(stepper *s, const sb_df_stage *stage, sb_error **err)
{
    const sb_dockerfile *df = s->view->df;

    if (stage->replaced)
        return 0;
    for (size_t i = 0; i < stage->trigger_count; i++)
        if (stage->triggers[i].keyword == SB_DF_RUN &&
            add_run(s, stage, &stage->triggers[i], (int)i, err) < 0)
            return -1;
    if (stage->base_kind == SB_BASE_STAGE && add_onbuild(s, stage, err) < 0)
        return -1;
    for (size_t i = stage->from + 1; i < df->instruction_count && df->instructions[i].keyword != SB_DF_FROM;
         i++)
        if (df->instructions[i].keyword == SB_DF_RUN && add_run(s, stage, &df->instructions[i], -1, err) < 0)
            return -1;
    return 0;
}

int sb_run_steps(const sb_df_view *view, sb_arena *arena, sb_run_step **ret_steps, size_t *ret_count,
                 sb_error **err)
{
    stepper s = {.view = view, .arena = arena};
    size_t count = 0;

    for (size_t i = 0; i < view->stage_count; i++)
        if (add_stage(&s, &view->stages[i], err) < 0)
            return -1;
    for (size_t i = 0; i < s.count; i++)
        if (view->stages[s.steps[i].stage].reachable)
            s.steps[count++] = s.steps[i];
    *ret_steps = s.steps;
    *ret_count = count;
    return 0;
}
