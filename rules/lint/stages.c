// SPDX-License-Identifier: Apache-2.0
/*
 * One walk over the instructions, with what is in force at each: SHELL, USER, WORKDIR, ENV and ARG. Gives the
 * stages with the user at their end, and the runs. What only an image that is not locked could tell stays
 * unknown.
 */
#include <rules/lint/internal.h>
#include <rules/users.h>

typedef struct stage_state {
    const sb_slice *shell;
    size_t shell_count;
    sb_slice user, directory; /* absent: not known */
    const sb_df_instruction *user_instruction;
    sb_df_env env;   /* a value that is not known is absent */
    bool unknown;    /* a base image may have set more */
    sb_sh_var *vars; /* what env was when it was last asked for */
    size_t var_count;
    bool changed; /* since */
} stage_state;

typedef struct walker {
    sb_lint *lint;
    stage_state *states;       /* one per stage, as they are at its end */
    size_t run_cap, snapshots; /* variables that runs were told of */
    const sb_run_step *steps;
    size_t step_count;
} walker;

/* --- Variables --- */

/* Does the word use a variable whose value nobody knows? In single quotes a $ is a $. */
static bool is_uncertain(const walker *w, const stage_state *state, sb_slice word)
{
    bool single = false, twice = false;

    for (size_t i = 0; i < word.len; i++) {
        size_t start = i + 1, end;
        sb_slice name;
        bool braces;

        if (word.ptr[i] == w->lint->df->escape && !single) {
            i++;
            continue;
        }
        if (word.ptr[i] == '"' && !single)
            twice = !twice;
        if (word.ptr[i] == '\'' && !twice)
            single = !single;
        if (word.ptr[i] != '$' || single || start == word.len)
            continue;
        braces = word.ptr[start] == '{';
        start += braces;
        for (end = start; end < word.len; end++) {
            char c = sb_ascii_lower(word.ptr[end]);

            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
                break;
        }
        name = sb_slice_sub(word, start, end);
        if (!name.len || sb_df_env_get(&state->env, name).ptr)
            continue;
        /* `${name:-word}` has a value even when the build gives none. */
        if (braces && end < word.len && (word.ptr[end] == ':' || word.ptr[end] == '-') && !state->unknown)
            continue;
        for (size_t v = 0; v < state->env.count; v++)
            if (sb_slice_eq(state->env.vars[v].key, name))
                return true;
        if (state->unknown)
            return true;
    }
    return false;
}

/* What the word becomes; absent when that is not certain. `known` (may be absent) is what the view says. */
static sb_slice expand(const walker *w, const stage_state *state, sb_slice word, sb_slice known)
{
    sb_slice text = known;

    if (!word.ptr || is_uncertain(w, state, word))
        return SB_NIL;
    if (!known.ptr && sb_df_expand(w->lint->arena, word, &state->env, w->lint->df->escape, &text, NULL) < 0)
        return SB_NIL;
    return text;
}

static void set(walker *w, stage_state *state, sb_slice key, sb_slice value)
{
    sb_df_env_set(w->lint->arena, &state->env, key, value);
    state->changed = true;
}

/* What is in force, for the next run. Every run's reader takes it in: of a file that asks for too much of
 * that, the later runs are read without. */
static void take_snapshot(walker *w, stage_state *state)
{
    w->snapshots += state->env.count;
    if (w->snapshots > SB_LINT_SNAPSHOTS_MAX) {
        state->vars = NULL;
        state->var_count = 0;
        return;
    }
    if (!state->changed)
        return;
    state->changed = false;
    state->var_count = 0;
    state->vars = sb_arena_array(w->lint->arena, sb_sh_var, state->env.count + 1);
    for (size_t i = 0; i < state->env.count; i++)
        state->vars[state->var_count++] = (sb_sh_var){state->env.vars[i].key, state->env.vars[i].value};
}

/* --- Instructions --- */

static sb_slice directory_beneath(sb_arena *arena, sb_slice directory, sb_slice path)
{
    if (!path.len || path.ptr[0] == '/')
        return path;
    if (!directory.ptr)
        return SB_NIL;
    return sb_arena_printf(arena, "%" SB_FMT "%s%" SB_FMT, SB_ARG(directory),
                           sb_slice_ends(directory, SB_LIT("/")) ? "" : "/", SB_ARG(path));
}

static void change_variables(walker *w, stage_state *state, const sb_df_instruction *ins,
                             const sb_df_expanded *expanded)
{
    sb_slice *values = sb_arena_array(w->lint->arena, sb_slice, ins->pair_count + 1);
    size_t known = expanded && expanded->count == 2 * ins->pair_count ? ins->pair_count : 0;

    for (size_t i = 0; i < ins->pair_count; i++) {
        sb_slice told = i < known ? expanded->words[2 * i + 1] : SB_NIL;

        /* An ARG has what the build says, whatever its default is made of. */
        values[i] = ins->keyword == SB_DF_ARG && i < known && !ins->pairs[i].value.ptr
                        ? told
                        : expand(w, state, ins->pairs[i].value, told);
    }
    for (size_t i = 0; i < ins->pair_count; i++)
        set(w, state, i < known ? expanded->words[2 * i] : ins->pairs[i].key, values[i]);
}

/* Everything but RUN. `expanded` is the view's; NULL for triggers. */
static void apply(walker *w, stage_state *state, const sb_df_instruction *ins, const sb_df_expanded *expanded)
{
    sb_slice known = expanded && expanded->count ? expanded->words[0] : SB_NIL;

    if (ins->keyword == SB_DF_ARG || ins->keyword == SB_DF_ENV) {
        change_variables(w, state, ins, expanded);
    } else if (ins->keyword == SB_DF_SHELL) {
        sb_slice *words = sb_arena_array(w->lint->arena, sb_slice, ins->arg_count + 1);

        for (size_t i = 0; i < ins->arg_count; i++)
            words[i] = ins->args[i].text;
        state->shell = words;
        state->shell_count = ins->arg_count;
    } else if (ins->keyword == SB_DF_USER && ins->arg_count) {
        state->user = expand(w, state, ins->args[0].text, known);
        state->user_instruction = ins;
    } else if (ins->keyword == SB_DF_WORKDIR && ins->arg_count) {
        state->directory =
            directory_beneath(w->lint->arena, state->directory, expand(w, state, ins->args[0].text, known));
    }
}

/* --- Runs --- */

/* Is every step that this RUN makes in the lock, with what it asked for? (A trigger may run several times.)
 */
static bool is_locked(const walker *w, const sb_df_instruction *ins)
{
    size_t found = 0;

    for (size_t i = 0; i < w->step_count; i++) {
        const sb_lock_step *entry;

        if (w->steps[i].instruction != ins)
            continue;
        entry = sb_lock_find_step(w->lint->lock, &w->steps[i]);
        if (!entry || entry->network.len)
            return false;
        found++;
    }
    return found > 0;
}

static void add_run(walker *w, const sb_lint_stage *stage, stage_state *state, const sb_df_instruction *ins)
{
    sb_lint *lint = w->lint;
    sb_lint_run *run = SB_ARENA_PUSH(lint->arena, lint->runs, lint->run_count, w->run_cap);

    take_snapshot(w, state);
    *run = (sb_lint_run){.stage = stage->stage->index,
                         .reachable = stage->reachable,
                         .locked = lint->lock && stage->reachable && is_locked(w, ins),
                         .user = state->user,
                         .directory = state->directory,
                         .vars = state->vars,
                         .var_count = state->var_count};
    sb_lint_read_run(lint, ins, state->shell, state->shell_count, run);
}

/* --- Stages --- */

static bool holds(sb_slice text, const char *part)
{
    return sb_slice_find(text, sb_slice_z(part)) >= 0;
}

/* Images of Windows have cmd for their shell. What they are is in their names. */
static bool is_windows(const sb_df_stage *stage)
{
    return sb_slice_starts(stage->platform, SB_LIT("windows/")) || holds(stage->base_expanded, "/windows/") ||
           holds(stage->base_expanded, "windowsservercore") || holds(stage->base_expanded, "nanoserver");
}

static void begin_from_image(walker *w, sb_lint_stage *stage, stage_state *state)
{
    static const sb_slice cmd = {"cmd", 3};
    const sb_df_stage *s = stage->stage;

    state->unknown = !s->base_known;
    state->shell = s->shell;
    state->shell_count = s->shell_count;
    if (!s->shell_count && is_windows(s)) {
        state->shell = &cmd;
        state->shell_count = 1;
    }
    for (size_t i = 0; i < s->base_env_count; i++) {
        sb_slice value = s->base_env[i], key = sb_slice_cut(&value, '=');

        set(w, state, key, value.ptr ? value : SB_LIT(""));
    }
    if (state->unknown)
        set(w, state, SB_LIT("PATH"), SB_NIL);
    if (stage->image)
        state->user = stage->image->user.len ? stage->image->user : SB_LIT("root");
}

static void begin_stage(walker *w, sb_lint_stage *stage, stage_state *state)
{
    const sb_df_stage *s = stage->stage;
    const sb_dockerfile *df = w->lint->df;

    switch (s->base_kind) {
    case SB_BASE_STAGE: {
        const stage_state *base = &w->states[s->base_stage];

        *state = *base;
        state->env = (sb_df_env){0};
        state->vars = NULL;
        state->var_count = 0;
        for (size_t i = 0; i < base->env.count; i++)
            set(w, state, base->env.vars[i].key, base->env.vars[i].value);
        for (size_t i = w->lint->stages[s->base_stage].stage->from + 1;
             i < df->instruction_count && df->instructions[i].keyword != SB_DF_FROM; i++)
            if (df->instructions[i].trigger)
                apply(w, state, df->instructions[i].trigger, NULL);
        return;
    }
    case SB_BASE_SCRATCH:
        state->user = SB_LIT("root");
        state->directory = SB_LIT("/");
        return;
    case SB_BASE_CONTEXT:
        state->unknown = true;
        return;
    case SB_BASE_IMAGE:
        begin_from_image(w, stage, state);
        break;
    }
    for (size_t i = 0; i < s->trigger_count; i++)
        apply(w, state, &s->triggers[i], NULL);
}

static sb_lint_user who(sb_slice user)
{
    if (!user.ptr)
        return SB_LINT_USER_UNKNOWN;
    return sb_user_is_root(user) ? SB_LINT_USER_ROOT : SB_LINT_USER_OTHER;
}

static void walk_stage(walker *w, sb_lint_stage *stage, stage_state *state)
{
    const sb_dockerfile *df = w->lint->df;

    begin_stage(w, stage, state);
    for (size_t i = stage->stage->from + 1;
         i < df->instruction_count && df->instructions[i].keyword != SB_DF_FROM; i++) {
        const sb_df_instruction *ins = &df->instructions[i];
        const sb_df_instruction *run = ins->keyword == SB_DF_ONBUILD ? ins->trigger : ins;

        if (run && run->keyword == SB_DF_RUN)
            add_run(w, stage, state, run);
        else if (ins->keyword != SB_DF_ONBUILD)
            apply(w, state, ins, &w->lint->view->expanded[i]);
    }
    stage->user = state->user;
    stage->who = who(state->user);
    stage->user_instruction = state->user_instruction;
}

static const sb_lock_image *locked_base(const sb_lint *lint, const sb_df_stage *stage)
{
    const sb_lock_image *image = lint->lock && stage->base_kind == SB_BASE_IMAGE && stage->base_expanded.len
                                     ? sb_lock_find_image(lint->lock, stage->base_expanded)
                                     : NULL;
    sb_slice platform = stage->platform.len ? stage->platform : lint->view->target_platform;

    return image && sb_lock_image_platform(image, platform) ? image : NULL;
}

void sb_lint_walk(sb_lint *lint, const sb_run_step *steps, size_t step_count)
{
    const sb_df_view *view = lint->view;
    walker w = {.lint = lint, .steps = steps, .step_count = step_count};

    lint->stage_count = view->stage_count;
    lint->stages = sb_arena_array(lint->arena, sb_lint_stage, view->stage_count + 1);
    w.states = sb_arena_array(lint->arena, stage_state, view->stage_count + 1);
    for (size_t i = 0; i < view->stage_count; i++) {
        const sb_df_stage *stage = &view->stages[i];

        lint->stages[i] = (sb_lint_stage){.stage = stage,
                                          .reachable = stage->reachable && !stage->replaced,
                                          .final = view->target == (int)i,
                                          .image = locked_base(lint, stage)};
        walk_stage(&w, &lint->stages[i], &w.states[i]);
    }
    if (!lint->runs)
        lint->runs = sb_arena_array(lint->arena, sb_lint_run, 1);
    lint->private->maps = sb_arena_array(lint->arena, sb_lint_map, lint->run_count + 1);
}
