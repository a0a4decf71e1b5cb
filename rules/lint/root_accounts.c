// SPDX-License-Identifier: Apache-2.0
/* SB108 … SB111: ways back to root, and accounts. */
#include <rules/lint/root.h>

const sb_rule sb_rule_sudo_installed = {
    .id = "SB108",
    .name = "sudo-installed",
    .summary = "The image has sudo, or a file is given the setuid bit: its USER can become root again",
    .remedy = "do what needs root in RUN steps before USER; where a process must change its user at start, "
              "gosu, su-exec "
              "or setpriv do it in one direction only",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb_rule_sudo_used = {
    .id = "SB109",
    .name = "sudo-used",
    .summary = "RUN uses sudo: the step's user is USER's to say",
    .remedy = "leave sudo away where the step runs as root anyway; else put the step between USER root and "
              "USER NAME",
    .severity = SB_SEVERITY_INFO,
};
const sb_rule sb_rule_password = {
    .id = "SB110",
    .name = "password-in-run",
    .summary = "A password is set while the image is built: it is in the image's history, and the same in "
               "every container",
    .remedy = "lock the account (passwd -l NAME, useradd without a password does), or set the password when "
              "the container "
              "starts, from a secret",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb_rule_sparse_lastlog = {
    .id = "SB111",
    .name = "sparse-lastlog",
    .summary = "useradd with a high UID makes /var/log/lastlog and faillog huge, and the layer with them",
    .remedy = "useradd --no-log-init",
    .severity = SB_SEVERITY_WARNING,
    .fixes = true,
};

/* --- sudo --- */

static bool is_sudo(sb_slice package)
{
    return sb_slice_eqz(package, "sudo") || sb_slice_eqz(package, "doas") ||
           sb_slice_starts(package, SB_LIT("sudo="));
}

static bool is_package_manager(const sb_sh_command *cmd)
{
    static const char *const names[] = {"apt-get", "apt",  "aptitude", "apk",    "yum",
                                        "dnf",     "dnf5", "microdnf", "zypper", "pacman"};

    for (size_t i = 0; cmd->name.len && i < SB_COUNT(names); i++)
        if (names[i][0] == cmd->name.ptr[0] && sb_slice_eqz(cmd->name, names[i]))
            return true;
    return false;
}

static bool names_sudo(const sb_sh_command *cmd)
{
    for (size_t i = 1; i < cmd->count; i++)
        if (is_sudo(cmd->args[i].text))
            return true;
    return false;
}

static bool installs(const sb_sh_command *cmd)
{
    if (sb_sh_has_word(cmd, "install") || sb_sh_has_word(cmd, "add") || sb_sh_has_word(cmd, "in"))
        return true;
    for (size_t i = 1; sb_sh_is(cmd, "pacman") && i < cmd->count; i++)
        if (sb_slice_starts(cmd->args[i].text, SB_LIT("-S")))
            return true;
    return false;
}

static bool writes_sudoers(const sb_sh_command *cmd)
{
    for (size_t i = 0; i < cmd->file_count; i++)
        if (cmd->files[i].op.len && cmd->files[i].op.ptr[0] == '>' &&
            sb_slice_starts(cmd->files[i].target.text, SB_LIT("/etc/sudoers")))
            return true;
    for (size_t i = 1; sb_sh_is(cmd, "tee") && i < cmd->count; i++)
        if (sb_slice_starts(cmd->args[i].text, SB_LIT("/etc/sudoers")))
            return true;
    return false;
}

static bool is_admin_group(sb_slice text)
{
    sb_slice name;

    while ((name = sb_slice_cut(&text, ',')).ptr)
        if (sb_slice_eqz(name, "sudo") || sb_slice_eqz(name, "wheel"))
            return true;
    return false;
}

/* usermod -aG sudo, useradd -G wheel, adduser NAME sudo */
static bool makes_admin(const sb_sh_command *cmd)
{
    sb_slice groups = SB_NIL;

    if (sb_sh_is(cmd, "usermod") || sb_sh_is(cmd, "useradd"))
        return (sb_sh_option_value(cmd, "-G", &groups) || sb_sh_option_value(cmd, "--groups", &groups)) &&
               is_admin_group(groups);
    if (sb_sh_is(cmd, "adduser") || sb_sh_is(cmd, "addgroup") || sb_sh_is(cmd, "gpasswd"))
        return cmd->count > 2 && is_admin_group(cmd->args[cmd->count - 1].text);
    return false;
}

/* "4755", "u+s": not setgid alone, which directories have that are shared. */
static bool is_setuid_mode(sb_slice mode)
{
    sb_slice clause;

    if (mode.len && mode.ptr[0] >= '0' && mode.ptr[0] <= '7')
        return (mode.len == 4 && strchr("4567", mode.ptr[0])) ||
               (mode.len == 5 && mode.ptr[0] == '0' && strchr("4567", mode.ptr[1]));
    while ((clause = sb_slice_cut(&mode, ',')).ptr) {
        sb_slice who = clause;
        size_t end = 0;

        while (end < who.len && strchr("ugoa", who.ptr[end]))
            end++;
        who.len = end;
        if (end < clause.len && strchr("+=", clause.ptr[end]) &&
            sb_slice_chr(sb_slice_sub(clause, end, clause.len), 's') >= 0 &&
            (!end || sb_slice_chr(who, 'u') >= 0 || sb_slice_chr(who, 'a') >= 0))
            return true;
    }
    return false;
}

static bool gives_setuid(const sb_sh_command *cmd)
{
    sb_slice mode;
    size_t at = 1;

    if (sb_sh_is(cmd, "install"))
        return (sb_sh_option_value(cmd, "-m", &mode) || sb_sh_option_value(cmd, "--mode", &mode)) &&
               is_setuid_mode(mode);
    while (at < cmd->count && cmd->args[at].text.len && cmd->args[at].text.ptr[0] == '-')
        at++;
    return sb_sh_is(cmd, "chmod") && at < cmd->count && is_setuid_mode(cmd->args[at].text);
}

/* Of each kind, one finding for a RUN is enough. */
static void check_sudo(sb_lint *lint, const sb_lint_run *run)
{
    const sb_sh_command *all = run->reading.commands, *permitted = NULL, *installed = NULL, *used = NULL;
    bool removed = false;

    for (const sb_sh_command *cmd = all; cmd < all + run->reading.count; cmd++) {
        for (size_t i = 0; !used && i < cmd->wrapper_count; i++)
            if (is_sudo(cmd->wrappers[i]))
                used = cmd;
        if (is_package_manager(cmd) && names_sudo(cmd)) {
            removed |= !installs(cmd);
            if (!installed && installs(cmd))
                installed = cmd;
        } else if (!permitted && (writes_sudoers(cmd) || makes_admin(cmd))) {
            permitted = cmd;
        }
    }
    if (permitted && !removed && sb_lint_ships(lint, run->stage))
        sb_lint_say(lint, &sb_rule_sudo_installed, sb_lint_command_span(lint, run, permitted),
                    "this lets a user of the image become root with sudo");
    /* The program alone does no harm where everything runs as root anyway. */
    else if (installed && !removed && sb_lint_ships(lint, run->stage) &&
             lint->stages[lint->view->target].who == SB_LINT_USER_OTHER)
        sb_lint_say(lint, &sb_rule_sudo_installed, sb_lint_command_span(lint, run, installed),
                    "sudo stays in the image: a program that is there to make its USER root again");
    if (used)
        sb_lint_say(lint, &sb_rule_sudo_used, sb_lint_command_span(lint, run, used),
                    run->user.ptr && (sb_slice_eqz(run->user, "root") || sb_slice_eqz(run->user, "0"))
                        ? "sudo does nothing here: the step runs as root"
                        : "sudo in a build says at each command what USER says once");
}

/* --- Passwords --- */

/* Of an account that nobody can log in to. */
static bool is_locked_password(sb_slice text)
{
    return sb_slice_eqz(text, "*") || sb_slice_eqz(text, "!") || sb_slice_eqz(text, "!!") ||
           sb_slice_eqz(text, "x") || sb_slice_ends(text, SB_LIT(":*")) || sb_slice_ends(text, SB_LIT(":!"));
}

/* What is read from a secret or made at random is no password that is known. */
static bool is_secret_source(sb_slice text)
{
    return sb_slice_find(text, SB_LIT("/run/secrets")) >= 0 || sb_slice_find(text, SB_LIT("rand")) >= 0 ||
           sb_slice_find(text, SB_LIT("uuid")) >= 0 || is_locked_password(text);
}

/* chpasswd and passwd read it from a pipe or a here-string: is there a text at all, and no secret? */
static bool reads_password(const sb_lint_run *run, const sb_sh_command *cmd)
{
    const sb_sh_command *all = run->reading.commands;
    bool found = false;

    for (size_t i = 0; i < cmd->file_count; i++) {
        if (cmd->files[i].op.len == 0 || cmd->files[i].op.ptr[0] != '<')
            continue;
        if (is_secret_source(cmd->files[i].target.text))
            return false;
        found |= cmd->files[i].op.len > 1; /* a file that nobody sees here may be anything */
    }
    for (const sb_sh_command *c = all; c < cmd; c++) {
        if (c->pipeline != cmd->pipeline)
            continue;
        for (size_t i = 0; i < c->count; i++)
            if (is_secret_source(c->args[i].text))
                return false;
        for (size_t i = 0; i < c->file_count; i++)
            if (is_secret_source(c->files[i].target.text))
                return false;
        found = true;
    }
    return found;
}

static void check_password(sb_lint *lint, const sb_lint_run *run, const sb_sh_command *cmd)
{
    sb_slice value = SB_NIL;
    const char *how = NULL;

    if (sb_sh_is(cmd, "chpasswd") ||
        (sb_sh_is(cmd, "passwd") && !sb_sh_has_word(cmd, "-l") && !sb_sh_has_word(cmd, "-d"))) {
        if (reads_password(run, cmd))
            how = "sets a password that is known to whoever has the Dockerfile or the image";
    } else if (sb_sh_is(cmd, "passwd") && sb_sh_has_word(cmd, "-d")) {
        how = "takes the account's password away: anybody can log in without one";
    } else if (sb_sh_is(cmd, "usermod") || sb_sh_is(cmd, "useradd")) {
        if ((sb_sh_option_value(cmd, "-p", &value) || sb_sh_option_value(cmd, "--password", &value)) &&
            !is_secret_source(value))
            how = value.len ? "sets a password that is known to whoever has the Dockerfile or the image"
                            : "gives the account an empty password";
    }
    if (how)
        sb_lint_say(lint, &sb_rule_password, sb_lint_command_span(lint, run, cmd), "%" SB_FMT " %s",
                    SB_ARG(cmd->name), how);
}

/* --- useradd --- */

static void check_useradd(sb_lint *lint, const sb_lint_run *run, const sb_sh_command *cmd)
{
    enum { HIGH = 100000 }; /* a lastlog of 28 MB */
    sb_slice value = SB_NIL;
    sb_finding *finding;
    sb_span span;
    uint64_t uid;

    if ((!sb_sh_option_value(cmd, "-u", &value) && !sb_sh_option_value(cmd, "--uid", &value)) ||
        !sb_slice_to_u64(value, &uid) || uid < HIGH || sb_sh_has_option(cmd, "-l", NULL) ||
        sb_sh_has_option(cmd, "--no-log-init", NULL))
        return;
    finding =
        sb_lint_say(lint, &sb_rule_sparse_lastlog, sb_lint_command_span(lint, run, cmd),
                    "UID %" SB_FMT " makes useradd write /var/log/lastlog up to that number", SB_ARG(value));
    span = sb_lint_arg_span(lint, run, &cmd->args[0]);
    if (!run->instruction->json && span.end <= lint->df->text.len && span.start < span.end &&
        sb_slice_eq(sb_slice_sub(lint->df->text, span.start, span.end), cmd->args[0].text))
        sb_lint_edit(lint, finding, (sb_span){span.end, span.end}, SB_LIT(" --no-log-init"));
}

/* COPY sudoers /etc/sudoers.d/ */
static void check_copy(sb_lint *lint, size_t index)
{
    const sb_df_instruction *ins = &lint->df->instructions[index];

    if (ins->arg_count > 1 && sb_lint_ships(lint, ins->stage) &&
        sb_slice_starts(sb_root_word(lint, index, ins->arg_count - 1), SB_LIT("/etc/sudoers")))
        sb_lint_say(lint, &sb_rule_sudo_installed, ins->span,
                    "this lets a user of the image become root with sudo");
}

void sb_root_accounts(sb_lint *lint)
{
    for (size_t i = 0; i < lint->run_count; i++) {
        const sb_lint_run *run = &lint->runs[i];

        check_sudo(lint, run);
        for (size_t j = 0; j < run->reading.count; j++) {
            const sb_sh_command *cmd = &run->reading.commands[j];

            if (cmd->name.len < 5)
                continue;
            check_password(lint, run, cmd);
            if (gives_setuid(cmd) && sb_lint_ships(lint, run->stage))
                sb_lint_say(lint, &sb_rule_sudo_installed, sb_lint_command_span(lint, run, cmd),
                            "the setuid bit lets whoever runs this file have the rights of its owner");
            if (sb_sh_is(cmd, "useradd"))
                check_useradd(lint, run, cmd);
        }
    }
    for (size_t i = 0; i < lint->df->instruction_count; i++)
        if (lint->df->instructions[i].keyword == SB_DF_COPY || lint->df->instructions[i].keyword == SB_DF_ADD)
            check_copy(lint, i);
}
