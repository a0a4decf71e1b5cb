// SPDX-License-Identifier: Apache-2.0
/* SB101, SB102, SB103, SB105: whom the finished image runs as. Stages that only lend files are not asked. */
#include <rules/lint/root.h>
#include <rules/users.h>

static const sb_rule no_user = {
    .id = "SB101",
    .name = "no-user",
    .summary = "The image runs as root, as far as can be told: nothing sets a USER",
    .remedy =
        "make a user and end with USER 10001:10001 (a number, so that Kubernetes can tell that it is not "
        "root)",
    .severity = SB_SEVERITY_WARNING,
    .summarised = true,
};
static const sb_rule user_is_root = {
    .id = "SB102",
    .name = "user-is-root",
    .summary = "The last USER of the image is root",
    .remedy = "switch to a user without privileges behind the last step that needs root",
    .severity = SB_SEVERITY_WARNING,
};
static const sb_rule user_by_name = {
    .id = "SB103",
    .name = "user-by-name",
    .summary = "USER is a name: Kubernetes cannot tell that it is not root (runAsNonRoot wants a number)",
    .remedy = "give the user a fixed number (useradd --uid 10001) and write that: USER 10001:10001",
    .severity = SB_SEVERITY_INFO,
    .summarised = true,
};
static const sb_rule missing_preload = {
    .id = "SB105",
    .name = "preload-without-library",
    .summary = "LD_PRELOAD names a library that the image does not have",
    .remedy = "copy the library and what it needs into the image, or set LD_PRELOAD only where it is; static "
              "programs do not look at it at all",
    .severity = SB_SEVERITY_WARNING,
};
static const sb_rule *const rules[] = {
    &no_user,           &user_is_root,          &user_by_name,           &sb_rule_writable_accounts,
    &missing_preload,   &sb_rule_arbitrary_uid, &sb_rule_world_writable, &sb_rule_sudo_installed,
    &sb_rule_sudo_used, &sb_rule_password,      &sb_rule_sparse_lastlog,
};
const sb_rule_set sb_rules_root = {"Root", rules, SB_COUNT(rules)};

bool sb_root_is_of_target(const sb_lint *lint, int stage)
{
    return stage >= 0 && sb_lint_builds_on(lint, lint->view->target, stage);
}

sb_slice sb_root_word(const sb_lint *lint, size_t instruction, size_t word)
{
    const sb_df_expanded *expanded = &lint->view->expanded[instruction];
    const sb_df_instruction *ins = &lint->df->instructions[instruction];

    if (expanded->count == ins->arg_count && word < expanded->count)
        return expanded->words[word];
    return word < ins->arg_count ? ins->args[word].text : SB_LIT("");
}

static bool has(sb_slice text, const char *part)
{
    return sb_slice_find(text, sb_slice_z(part)) >= 0;
}

/* --- Does what it starts give up root? --- */

static const char *const droppers[] = {"gosu",  "su-exec",           "setpriv",      "runuser",
                                       "chpst", "setuidgid",         "s6-setuidgid", "setuser",
                                       "su",    "start-stop-daemon", "capsh",        NULL};

static bool is_dropper(sb_slice word)
{
    word = sb_path_last(word);
    for (const char *const *d = droppers; *d; d++)
        if (sb_slice_eqz(word, *d))
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '"' || c == '\'' || c == ';' || c == '(' ||
           c == '[' || c == ',';
}

/* Takes the next word of a command line, roughly; absent at the end. */
static sb_slice next_word(sb_slice *rest)
{
    size_t start = 0, end;
    sb_slice word;

    while (start < rest->len && is_blank(rest->ptr[start]))
        start++;
    for (end = start; end < rest->len && !is_blank(rest->ptr[end]);)
        end++;
    word = end > start ? sb_slice_sub(*rest, start, end) : SB_NIL;
    *rest = sb_slice_sub(*rest, end, rest->len);
    return word;
}

/* A script: one of its lines begins a command that is a dropper. Comments do not count. */
static bool script_drops(sb_slice text)
{
    while (text.ptr) {
        sb_slice line = sb_slice_trim(sb_slice_cut(&text, '\n')), word;

        if (line.len && line.ptr[0] == '#')
            continue;
        while ((word = next_word(&line)).ptr)
            if (is_dropper(word) && line.len)
                return true;
    }
    return false;
}

typedef enum script { NOT_SEEN, KEEPS_ROOT, DROPS_ROOT } script;

static script judge(script so_far, sb_slice text)
{
    if (!text.len || so_far == DROPS_ROOT)
        return so_far;
    return script_drops(text) ? DROPS_ROOT : KEEPS_ROOT;
}

/* The file of the context that this source of a COPY has for the name: itself, or one in the directory. */
static sb_slice file_of_source(const sb_lint *lint, sb_slice from, sb_slice name, bool same)
{
    sb_slice base;

    while (from.len && from.ptr[from.len - 1] == '/')
        from.len--;
    base = sb_path_last(from);
    if (same || sb_slice_eq(base, name))
        return from;
    if (sb_slice_eqz(from, ".") || from.len == 0)
        return name;
    if (sb_slice_chr(base, '*') >= 0) /* a pattern */
        return sb_arena_printf(lint->arena, "%" SB_FMT "%" SB_FMT,
                               SB_ARG(sb_slice_sub(from, 0, from.len - base.len)), SB_ARG(name));
    return sb_arena_printf(lint->arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(from), SB_ARG(name));
}

/* The script of this name that is copied from the context into the image. */
static script copied_script(const sb_lint *lint, sb_slice name)
{
    enum { READS_MAX = 64 };
    const sb_dockerfile *df = lint->df;
    script found = NOT_SEEN;
    int reads = 0;

    for (size_t i = 0; i < df->instruction_count; i++) {
        const sb_df_instruction *ins = &df->instructions[i];
        sb_slice to;

        if ((ins->keyword != SB_DF_COPY && ins->keyword != SB_DF_ADD) || ins->arg_count < 2 ||
            !sb_root_is_of_target(lint, ins->stage) || sb_df_find_flag(ins, "from"))
            continue;
        to = sb_path_last(sb_root_word(lint, i, ins->arg_count - 1));
        for (size_t j = 0; j < ins->heredoc_count; j++)
            if (sb_slice_eq(to, name))
                found = judge(found, ins->heredocs[j].body);
        for (size_t j = 0; j + 1 < ins->arg_count && !ins->heredoc_count && reads < READS_MAX; j++, reads++)
            found = judge(found,
                          sb_lint_read(lint, file_of_source(lint, sb_root_word(lint, i, j), name,
                                                            ins->arg_count == 2 && sb_slice_eq(to, name))));
    }
    return found;
}

/* Is a program for it put into the image: apk add su-exec, COPY --from=… /gosu …? */
static bool has_dropper(const sb_lint *lint)
{
    static const char *const names[] = {"gosu", "su-exec"};

    for (size_t n = 0; n < SB_COUNT(names); n++) {
        for (size_t i = 0; i < lint->run_count; i++) {
            const sb_sh_reading *reading = &lint->runs[i].reading;

            for (size_t j = 0; sb_root_is_of_target(lint, lint->runs[i].stage) && j < reading->count; j++)
                for (size_t k = 0; k < reading->commands[j].count; k++) {
                    sb_slice word = sb_path_last(reading->commands[j].args[k].text);

                    word = sb_slice_cut(&word, '=');
                    if (sb_slice_eqz(word, names[n]))
                        return true;
                }
        }
        for (size_t i = 0; i < lint->df->instruction_count; i++) {
            const sb_df_instruction *ins = &lint->df->instructions[i];

            for (size_t j = 0; (ins->keyword == SB_DF_COPY || ins->keyword == SB_DF_ADD) &&
                               sb_root_is_of_target(lint, ins->stage) && j < ins->arg_count;
                 j++)
                if (sb_slice_eqz(sb_path_last(sb_root_word(lint, i, j)), names[n]))
                    return true;
        }
    }
    return false;
}

static bool is_script_name(sb_slice word)
{
    return has(word, "entrypoint") || sb_slice_ends(word, SB_LIT(".sh"));
}

static bool command_drops(const sb_lint *lint, const sb_df_instruction *ins)
{
    enum { WORDS_MAX = 64 };
    sb_slice rest = ins->rest, word;
    bool unseen = false;

    for (int i = 0; i < WORDS_MAX && (word = next_word(&rest)).ptr; i++) {
        script found;

        if (is_dropper(word))
            return true;
        if (!is_script_name(word) && word.ptr[0] != '/' && word.ptr[0] != '.')
            continue;
        found = copied_script(lint, sb_path_last(word));
        if (found == DROPS_ROOT)
            return true;
        unseen |= found == NOT_SEEN && is_script_name(word);
    }
    /* A script that cannot be seen, and a program that is there for nothing but that. */
    return unseen && has_dropper(lint);
}

/* Of the target; *ret_starts: there is an ENTRYPOINT or CMD at all. */
static bool drops_privileges(const sb_lint *lint, bool *ret_starts)
{
    const sb_df_instruction *entrypoint = NULL, *cmd = NULL;

    for (size_t i = 0; i < lint->df->instruction_count; i++) {
        const sb_df_instruction *ins = &lint->df->instructions[i];

        if (!sb_root_is_of_target(lint, ins->stage))
            continue;
        if (ins->keyword == SB_DF_ENTRYPOINT)
            entrypoint = ins;
        else if (ins->keyword == SB_DF_CMD)
            cmd = ins;
    }
    *ret_starts = entrypoint || cmd;
    return (entrypoint && command_drops(lint, entrypoint)) || (cmd && command_drops(lint, cmd));
}

/* --- The base of it all --- */

static const sb_df_stage *root_of(const sb_lint *lint, int stage)
{
    const sb_df_stage *s = &lint->view->stages[stage];

    while (s->base_kind == SB_BASE_STAGE && s->base_stage < s->index)
        s = &lint->view->stages[s->base_stage];
    return s;
}

/* Images whose name says that they do not run as root. */
static bool is_rootless_by_name(sb_slice image)
{
    return has(image, "nonroot") || has(image, "non-root") || has(image, "rootless") ||
           has(image, "unprivileged");
}

static bool is_windows(const sb_df_stage *s)
{
    return sb_slice_starts(s->platform, SB_LIT("windows")) || has(s->base_expanded, "windows") ||
           has(s->base_expanded, "nanoserver");
}

/* --- USER --- */

/* A USER before this one, in the same line of stages, that is not root. */
static const sb_df_instruction *earlier_user(const sb_lint *lint, const sb_df_instruction *last)
{
    const sb_df_instruction *found = NULL;

    for (size_t i = 0; i < lint->df->instruction_count && &lint->df->instructions[i] != last; i++) {
        const sb_df_instruction *ins = &lint->df->instructions[i];
        sb_slice user;

        if (ins->keyword != SB_DF_USER || !sb_root_is_of_target(lint, ins->stage))
            continue;
        user = sb_root_word(lint, i, 0);
        if (!sb_slice_starts(user, SB_LIT("root")) && !sb_slice_starts(user, SB_LIT("0")) &&
            !sb_slice_starts(user, SB_LIT("$")))
            found = ins;
    }
    return found;
}

static void say_root_user(sb_lint *lint, const sb_lint_stage *target)
{
    const sb_df_instruction *ins = target->user_instruction, *before = earlier_user(lint, ins);

    if (before)
        sb_lint_say(lint, &user_is_root, ins->span,
                    "the image runs as root: the user of line %u is switched off here and never comes back",
                    before->start_line);
    else
        sb_lint_say(lint, &user_is_root, ins->span, "the image runs as root: this is its last USER");
}

static void say_no_user(sb_lint *lint, const sb_lint_stage *target)
{
    const sb_df_stage *base = root_of(lint, target->stage->index);
    const sb_df_instruction *from = &lint->df->instructions[target->stage->from];
    sb_autofree char *image = sb_printable(base->base_expanded.ptr ? base->base_expanded : base->base);
    sb_finding *finding;

    if (target->who == SB_LINT_USER_ROOT) {
        sb_lint_say(lint, &no_user, from->span, "the image runs as root: it sets no USER, and %s %s", image,
                    base->base_kind == SB_BASE_SCRATCH ? "has none" : "runs as root");
        return;
    }
    finding = sb_lint_say(
        lint, &no_user, from->span,
        "no USER: the image runs as whom %s says, most likely root; the base image's user is not known",
        image);
    sb_lint_help(
        lint, finding,
        "end with USER and a number, such as 10001:10001; where the base image has a user already, lock it "
        "(\"sbuild lock\") and this is known");
}

static void check_user(sb_lint *lint)
{
    const sb_lint_stage *target = &lint->stages[lint->view->target];
    const sb_df_stage *base = root_of(lint, target->stage->index);
    bool starts;

    if (is_windows(base) || target->stage->replaced)
        return;
    if (target->who == SB_LINT_USER_OTHER) {
        sb_autofree char *user = sb_printable(target->user);

        if (target->user_instruction && !sb_user_is_number(target->user) &&
            !sb_slice_starts(target->user, SB_LIT("Container"))) /* Windows' ContainerUser */
            sb_lint_say(lint, &user_by_name, target->user_instruction->span,
                        "whether \"%s\" is root is known inside of the image only", user);
        return;
    }
    if (target->user_instruction) {
        if (target->who == SB_LINT_USER_ROOT && !drops_privileges(lint, &starts))
            say_root_user(lint, target);
        return;
    }
    if (target->who == SB_LINT_USER_UNKNOWN &&
        (base->base_kind != SB_BASE_IMAGE || is_rootless_by_name(base->base_expanded)))
        return;
    /* From scratch and with nothing to start: files to be copied from, not an image to be run. */
    if (drops_privileges(lint, &starts) || (base->base_kind == SB_BASE_SCRATCH && !starts))
        return;
    say_no_user(lint, target);
}

/* --- LD_PRELOAD --- */

static bool may_bring(const sb_lint *lint, size_t index, sb_slice path)
{
    const sb_df_instruction *ins = &lint->df->instructions[index];
    sb_slice to;

    if (ins->arg_count < 2)
        return false;
    to = sb_root_word(lint, index, ins->arg_count - 1);
    for (size_t j = 0; j + 1 < ins->arg_count; j++) {
        sb_slice from = sb_path_last(sb_root_word(lint, index, j));

        if (sb_slice_eq(from, sb_path_last(path)) || sb_slice_chr(from, '*') >= 0 || has(from, "preload"))
            return true;
    }
    while (to.len > 1 && to.ptr[to.len - 1] == '/')
        to.len--;
    /* A directory above, and what is copied there is more than a file. */
    return sb_slice_eqz(to, "/") ||
           (sb_slice_starts(path, to) && path.len > to.len && path.ptr[to.len] == '/' &&
            !has(sb_path_last(sb_root_word(lint, index, 0)), "."));
}

static void check_preload(sb_lint *lint)
{
    const sb_df_stage *base = root_of(lint, lint->view->target);
    const sb_dockerfile *df = lint->df;

    if (base->base_kind != SB_BASE_SCRATCH && !has(base->base_expanded, "distroless") &&
        !has(base->base_expanded, "/static") && !sb_slice_starts(base->base_expanded, SB_LIT("static")))
        return;
    for (size_t i = 0; i < df->instruction_count; i++) {
        const sb_df_instruction *ins = &df->instructions[i];

        if (ins->keyword != SB_DF_ENV || !sb_root_is_of_target(lint, ins->stage))
            continue;
        for (size_t j = 0; j < ins->pair_count; j++) {
            sb_slice path = ins->pairs[j].value;
            bool brought = false;

            if (!sb_slice_eqz(ins->pairs[j].key, "LD_PRELOAD") || path.len < 2)
                continue;
            for (size_t k = 0; k < df->instruction_count && !brought; k++)
                if ((df->instructions[k].keyword == SB_DF_COPY || df->instructions[k].keyword == SB_DF_ADD) &&
                    sb_root_is_of_target(lint, df->instructions[k].stage))
                    brought = may_bring(lint, k, path);
            for (size_t k = 0; k < lint->run_count; k++) /* a RUN may make it */
                brought |= sb_root_is_of_target(lint, lint->runs[k].stage);
            if (!brought)
                sb_lint_say(lint, &missing_preload, ins->pairs[j].value_span,
                            "nothing brings this library into the image: every dynamic program in it "
                            "complains or fails");
        }
    }
}

void sb_lint_root(sb_lint *lint)
{
    if (lint->stage_count == 0)
        return;
    check_user(lint);
    check_preload(lint);
    sb_root_files(lint);
    sb_root_accounts(lint);
}
