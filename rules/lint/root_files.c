// SPDX-License-Identifier: Apache-2.0
/* SB104, SB106, SB107: files and directories that more people may write than should. */
#include <rules/lint/root.h>

const sb_rule sb_rule_writable_accounts = {
    .id = "SB104",
    .name = "writable-passwd",
    .summary =
        "/etc/passwd, group or shadow can be written by others than root: whoever runs in the image can make "
        "himself root",
    .remedy = "leave the mode as it is; Kubernetes and OpenShift since 4.2 (CRI-O) enter an arbitrary UID "
              "themselves, "
              "and elsewhere libnss_wrapper gives it a name",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb_rule_arbitrary_uid = {
    .id = "SB106",
    .name = "not-writable-by-any-uid",
    .summary =
        "A directory for data belongs to root alone, though the image is to run under any UID of group 0",
    .remedy = "chgrp -R 0 DIR && chmod -R g=u DIR",
    .severity = SB_SEVERITY_INFO,
};
const sb_rule sb_rule_world_writable = {
    .id = "SB107",
    .name = "world-writable",
    .summary = "Files or directories of the image can be written by everybody",
    .remedy =
        "give them to the user who needs them (chown, COPY --chown), or to group 0 with the owner's rights "
        "(chgrp 0 DIR && chmod g=u DIR)",
    .severity = SB_SEVERITY_WARNING,
};

/* --- Modes --- */

typedef struct grant {
    bool group, others; /* may write afterwards */
    bool sticky;
} grant;

static bool numeric_mode(sb_slice mode, grant *ret)
{
    unsigned bits = 0;

    if (mode.len < 3 || mode.len > 5)
        return false;
    for (size_t i = 0; i < mode.len; i++) {
        if (mode.ptr[i] < '0' || mode.ptr[i] > '7')
            return false;
        bits = bits * 8 + (unsigned)(mode.ptr[i] - '0');
    }
    *ret = (grant){bits & 020, bits & 02, bits & 01000};
    return true;
}

/* One clause of "ug+rwX,o=": what it adds to. */
static void symbolic_clause(sb_slice clause, grant *ret)
{
    bool group = false, others = false, adds = false;
    size_t i = 0;

    for (; i < clause.len && strchr("ugoa", clause.ptr[i]); i++) {
        group |= clause.ptr[i] == 'g' || clause.ptr[i] == 'a';
        others |= clause.ptr[i] == 'o' || clause.ptr[i] == 'a';
    }
    /* Without u, g, o or a the umask counts, and lets nobody but the owner write. */
    for (; i < clause.len; i++) {
        char c = clause.ptr[i];

        if (c == '+' || c == '=' || c == '-')
            adds = c != '-';
        else if (c == 't')
            ret->sticky |= adds;
        else if ((c == 'w' || c == 'u' || c == 'g') && adds) {
            ret->group |= group && c != 'g';
            ret->others |= others && c != 'g';
        }
    }
}

static grant grant_of(sb_slice mode)
{
    grant g = {false, false, false};
    sb_slice clause;

    if (numeric_mode(mode, &g))
        return g;
    if (sb_slice_chr(mode, '+') < 0 && sb_slice_chr(mode, '=') < 0)
        return g;
    while ((clause = sb_slice_cut(&mode, ',')).ptr)
        symbolic_clause(clause, &g);
    return g;
}

/* --- Paths --- */

static bool is_accounts(sb_slice path)
{
    static const char *const names[] = {"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"};

    for (size_t i = 0; i < SB_COUNT(names); i++)
        if (sb_slice_eqz(path, names[i]))
            return true;
    return sb_slice_starts(path, SB_LIT("/etc/passwd*")) || sb_slice_starts(path, SB_LIT("/etc/{passwd"));
}

/* With -R, what lies beneath counts. */
static bool covers_accounts(sb_slice path, bool recursive)
{
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    return is_accounts(path) || (recursive && (sb_slice_eqz(path, "/etc") || sb_slice_eqz(path, "/") ||
                                               sb_slice_eqz(path, "/etc/*")));
}

/* Places where everybody may write anyway, and devices. */
static bool is_open_anyway(sb_slice path)
{
    static const char *const names[] = {"/tmp", "/var/tmp", "/dev", "/proc", "/run/lock", "/var/lock"};

    for (size_t i = 0; i < SB_COUNT(names); i++) {
        sb_slice name = sb_slice_z(names[i]);

        if (sb_slice_eq(path, name) || (sb_slice_starts(path, name) && path.ptr[name.len] == '/'))
            return true;
    }
    return false;
}

static sb_slice full_path(const sb_lint *lint, const sb_sh_command *cmd, sb_slice path)
{
    sb_slice directory = cmd->directory;

    if (!directory.ptr || path.len == 0 || path.ptr[0] == '/' || path.ptr[0] == '$' || path.ptr[0] == '~')
        return path;
    if (sb_slice_starts(path, SB_LIT("./")))
        path = sb_slice_sub(path, 2, path.len);
    if (sb_slice_eqz(path, "."))
        return directory;
    return sb_arena_printf(lint->arena, "%" SB_FMT "%s%" SB_FMT, SB_ARG(directory),
                           sb_slice_ends(directory, SB_LIT("/")) ? "" : "/", SB_ARG(path));
}

/* --- chmod, chown and their kin --- */

typedef struct change { /* what a command changes */
    grant grant;
    bool owner; /* gives files to somebody else */
    bool recursive;
    bool indirect; /* which files is said elsewhere: find, xargs */
    size_t first;  /* argument: the first path */
} change;

/* The index of the first word that is no option; chmod's "-w" is a mode. */
static size_t first_operand(const sb_sh_command *cmd, size_t from)
{
    while (from < cmd->count && cmd->args[from].text.len > 1 && cmd->args[from].text.ptr[0] == '-')
        from++;
    return from;
}

static bool read_change(const sb_sh_command *cmd, change *ret)
{
    sb_slice value = SB_NIL;
    size_t at = 1;

    *ret = (change){0};
    if (cmd->name.len < 5)
        return false;
    if (sb_sh_is(cmd, "chmod")) {
        at = first_operand(cmd, 1);
        if (at >= cmd->count)
            return false;
        ret->grant = grant_of(cmd->args[at].text);
    } else if (sb_sh_is(cmd, "chown")) {
        at = first_operand(cmd, 1);
        if (at >= cmd->count)
            return false;
        value = cmd->args[at].text;
        ret->owner = value.len && value.ptr[0] != ':' && value.ptr[0] != '0' &&
                     !sb_slice_starts(value, SB_LIT("root"));
    } else if (sb_sh_is(cmd, "install") || sb_sh_is(cmd, "mkdir")) {
        if (!sb_sh_option_value(cmd, "-m", &value) && !sb_sh_option_value(cmd, "--mode", &value))
            return false;
        ret->grant = grant_of(value);
        at = 0; /* any word may be a path */
    } else {
        return false;
    }
    ret->first = at + 1;
    ret->recursive = sb_sh_has_option(cmd, "-R", NULL) || sb_sh_has_option(cmd, "--recursive", NULL);
    ret->indirect = sb_sh_is_wrapped(cmd, "find") || sb_sh_is_wrapped(cmd, "xargs");
    return true;
}

/* The words that say on which files find or xargs run the command: find's own, and those before in the pipe.
 */
static bool named_elsewhere(const sb_lint_run *run, const sb_sh_command *cmd)
{
    const sb_sh_command *all = run->reading.commands;
    bool in_etc = false;

    if (cmd->inside >= 0) {
        const sb_sh_command *find = &all[cmd->inside];

        for (size_t i = 1; i < find->count; i++) {
            sb_slice word = find->args[i].text;

            in_etc |= sb_slice_starts(word, SB_LIT("/etc"));
            if (is_accounts(word) ||
                (in_etc && (sb_slice_eqz(word, "passwd") || sb_slice_eqz(word, "group") ||
                            sb_slice_eqz(word, "shadow"))))
                return true;
        }
    }
    for (const sb_sh_command *c = all; c < cmd; c++)
        for (size_t i = 1; c->pipeline == cmd->pipeline && i < c->count; i++)
            if (sb_slice_find(c->args[i].text, SB_LIT("/etc/passwd")) >= 0 ||
                sb_slice_find(c->args[i].text, SB_LIT("/etc/group")) >= 0)
                return true;
    return false;
}

static void check_command(sb_lint *lint, const sb_lint_run *run, const sb_sh_command *cmd)
{
    bool accounts = false, open = false;
    change c;

    if (!read_change(cmd, &c) || (!c.grant.group && !c.grant.others && !c.owner))
        return;
    if (c.indirect) {
        accounts = named_elsewhere(run, cmd);
        open = c.grant.others;
    }
    for (size_t i = c.first; i < cmd->count; i++) {
        sb_slice path;

        if (cmd->args[i].text.len && cmd->args[i].text.ptr[0] == '-')
            continue;
        path = full_path(lint, cmd, cmd->args[i].text);
        accounts |= covers_accounts(path, c.recursive);
        open |= c.grant.others && !is_open_anyway(path) &&
                (c.first > 1 || i + 1 == cmd->count || sb_sh_is(cmd, "mkdir"));
    }
    if (accounts)
        sb_lint_say(lint, &sb_rule_writable_accounts, sb_lint_command_span(lint, run, cmd),
                    "%" SB_FMT
                    " lets others than root write the list of accounts: one line of text makes any user root",
                    SB_ARG(cmd->name));
    else if (open && !c.grant.sticky && sb_lint_ships(lint, run->stage))
        sb_lint_say(lint, &sb_rule_world_writable, sb_lint_command_span(lint, run, cmd),
                    "%" SB_FMT " lets everybody write here: any process in the container can change it",
                    SB_ARG(cmd->name));
}

/* COPY --chmod=666 … */
static void check_copy(sb_lint *lint, size_t index)
{
    const sb_df_instruction *ins = &lint->df->instructions[index];
    const sb_df_flag *flag = sb_df_find_flag(ins, "chmod");
    sb_slice to, path;
    bool accounts = false;
    grant g;

    if (!flag || ins->arg_count < 2)
        return;
    g = grant_of(flag->value);
    if (!g.group && !g.others)
        return;
    to = sb_root_word(lint, index, ins->arg_count - 1);
    accounts = is_accounts(to);
    for (size_t i = 0; !accounts && i + 1 < ins->arg_count; i++) {
        path = sb_root_word(lint, index, i);
        path = sb_path_last(path);
        accounts =
            (sb_slice_eqz(to, "/etc/") || sb_slice_eqz(to, "/etc")) &&
            (sb_slice_eqz(path, "passwd") || sb_slice_eqz(path, "group") || sb_slice_eqz(path, "shadow"));
    }
    if (accounts)
        sb_lint_say(lint, &sb_rule_writable_accounts, flag->span,
                    "the list of accounts comes into the image so that others than root can write it");
    else if (g.others && !g.sticky && sb_lint_ships(lint, ins->stage) && !is_open_anyway(to))
        sb_lint_say(lint, &sb_rule_world_writable, flag->span,
                    "everybody may write what is copied here: any process in the container can change it");
}

/* --- Directories for any UID --- */

enum { DIRECTORIES_MAX = 100 /* that are asked about: each is looked for in all steps */ };

static bool is_root_group(sb_slice user)
{
    sb_slice uid = sb_slice_cut(&user, ':');
    uint64_t number;

    return sb_slice_to_u64(uid, &number) && number != 0 &&
           (sb_slice_eqz(user, "0") || sb_slice_eqz(user, "root"));
}

/* Does the author say that the image runs under UIDs that nobody knows before? USER 1001:0, a label of
 * OpenShift's, or a comment at USER. */
static bool wants_any_uid(const sb_lint *lint)
{
    const sb_lint_stage *target = &lint->stages[lint->view->target];

    if (target->who != SB_LINT_USER_OTHER)
        return false;
    if (target->user.ptr && is_root_group(target->user))
        return true;
    for (size_t i = 0; i < lint->df->instruction_count; i++) {
        const sb_df_instruction *ins = &lint->df->instructions[i];

        if (!sb_root_is_of_target(lint, ins->stage))
            continue;
        for (size_t j = 0; ins->keyword == SB_DF_LABEL && j < ins->pair_count; j++)
            if (sb_slice_find(ins->pairs[j].key, SB_LIT("io.openshift.")) >= 0)
                return true;
        for (size_t j = 0; ins->keyword == SB_DF_USER && j < ins->comment_count; j++)
            if (sb_slice_find(ins->comments[j].text, SB_LIT("arbitrary")) >= 0 ||
                sb_slice_find(ins->comments[j].text, SB_LIT("penShift")) >= 0)
                return true;
    }
    return false;
}

static bool is_beneath(sb_slice path, sb_slice directory)
{
    while (directory.len > 1 && directory.ptr[directory.len - 1] == '/')
        directory.len--;
    return sb_slice_starts(path, directory) &&
           (path.len == directory.len || directory.len == 1 || path.ptr[directory.len] == '/');
}

/* Is there a command or COPY in the image that lets a group write the path? What cannot be seen counts. */
static bool is_given_to_group(const sb_lint *lint, sb_slice path)
{
    for (size_t i = 0; i < lint->run_count; i++) {
        const sb_lint_run *run = &lint->runs[i];

        for (size_t j = 0; sb_root_is_of_target(lint, run->stage) && j < run->reading.count; j++) {
            const sb_sh_command *cmd = &run->reading.commands[j];
            change c;

            if (sb_slice_find(cmd->name, SB_LIT("permission")) >= 0) /* fix-permissions and other helpers */
                return true;
            if (!read_change(cmd, &c) || !c.grant.group)
                continue;
            if (c.indirect)
                return true;
            for (size_t k = c.first; k < cmd->count; k++) {
                sb_slice to = full_path(lint, cmd, cmd->args[k].text);

                if (!cmd->args[k].known || sb_slice_eq(to, path) || is_beneath(path, to))
                    return true;
            }
        }
    }
    for (size_t i = 0; i < lint->df->instruction_count; i++) {
        const sb_df_instruction *ins = &lint->df->instructions[i];
        const sb_df_flag *flag = sb_df_find_flag(ins, "chmod");

        if (flag && ins->arg_count && sb_root_is_of_target(lint, ins->stage) && grant_of(flag->value).group &&
            is_beneath(path, sb_root_word(lint, i, ins->arg_count - 1)))
            return true;
    }
    return false;
}

static void check_directories(sb_lint *lint)
{
    unsigned left = DIRECTORIES_MAX;

    if (!wants_any_uid(lint))
        return;
    for (size_t i = 0; i < lint->df->instruction_count; i++) {
        const sb_df_instruction *ins = &lint->df->instructions[i];

        for (size_t j = 0;
             ins->keyword == SB_DF_VOLUME && sb_root_is_of_target(lint, ins->stage) && j < ins->arg_count;
             j++) {
            sb_slice path = sb_root_word(lint, i, j);

            if (!is_open_anyway(path) && left && left-- && !is_given_to_group(lint, path))
                sb_lint_say(lint, &sb_rule_arbitrary_uid, ins->args[j].span,
                            "nothing makes this volume writable for group 0: a container with another UID "
                            "cannot use it");
        }
    }
    for (size_t i = 0; i < lint->run_count; i++) {
        const sb_lint_run *run = &lint->runs[i];

        for (size_t j = 0; sb_root_is_of_target(lint, run->stage) && j < run->reading.count; j++) {
            const sb_sh_command *cmd = &run->reading.commands[j];

            for (size_t k = 1; sb_sh_is(cmd, "mkdir") && k < cmd->count; k++) {
                sb_slice path = cmd->args[k].text;

                if ((sb_slice_starts(path, SB_LIT("/var/lib/")) ||
                     sb_slice_starts(path, SB_LIT("/var/log/")) ||
                     sb_slice_starts(path, SB_LIT("/var/cache/")) ||
                     sb_slice_starts(path, SB_LIT("/data"))) &&
                    !sb_slice_starts(path, SB_LIT("/var/lib/apt")) &&
                    !sb_slice_starts(path, SB_LIT("/var/lib/dpkg")) && left && left-- &&
                    !is_given_to_group(lint, path))
                    sb_lint_say(lint, &sb_rule_arbitrary_uid, sb_lint_arg_span(lint, run, &cmd->args[k]),
                                "nothing makes this directory writable for group 0: a process with another "
                                "UID cannot use it");
            }
        }
    }
}

void sb_root_files(sb_lint *lint)
{
    for (size_t i = 0; i < lint->run_count; i++)
        for (size_t j = 0; j < lint->runs[i].reading.count; j++)
            check_command(lint, &lint->runs[i], &lint->runs[i].reading.commands[j]);
    for (size_t i = 0; i < lint->df->instruction_count; i++)
        if (lint->df->instructions[i].keyword == SB_DF_COPY || lint->df->instructions[i].keyword == SB_DF_ADD)
            check_copy(lint, i);
    check_directories(lint);
}
