// SPDX-License-Identifier: Apache-2.0
/* SB6xx: who looks at what. */
#include <stdlib.h>

#include <rules/lint/downloads.h>

static const struct looker {
    const char *name;
    void (*look)(const sb_download *d);
} lookers[] = {
    /* Sorted: looked up by bisection. */
    {"add-apt-repository", sb_config_command},
    {"apk", sb_off_apk},
    {"apt", sb_off_apt},
    {"apt-fast", sb_off_apt},
    {"apt-get", sb_off_apt},
    {"apt-key", sb_keys_apt_key},
    {"aptitude", sb_off_apt},
    {"aria2c", sb_off_fetch},
    {"bundle", sb_off_ruby},
    {"cat", sb_config_command},
    {"composer", sb_off_composer},
    {"composer.phar", sb_off_composer},
    {"conda", sb_off_python},
    {"curl", sb_off_fetch},
    {"declare", sb_config_export},
    {"dnf", sb_off_rpm},
    {"echo", sb_config_command},
    {"export", sb_config_export},
    {"gem", sb_off_ruby},
    {"git", sb_off_git},
    {"go", sb_off_go},
    {"gpg", sb_keys_gpg},
    {"gpg2", sb_keys_gpg},
    {"helm", sb_off_images},
    {"kubectl", sb_off_images},
    {"mamba", sb_off_python},
    {"microdnf", sb_off_rpm},
    {"mvn", sb_off_fetch},
    {"npm", sb_off_node},
    {"oc", sb_off_images},
    {"pacman-key", sb_keys_gpg},
    {"php", sb_off_composer},
    {"pip", sb_off_python},
    {"pip3", sb_off_python},
    {"pnpm", sb_off_node},
    {"podman", sb_off_images},
    {"poetry", sb_off_python},
    {"printf", sb_config_command},
    {"python", sb_off_python},
    {"python3", sb_off_python},
    {"rpm", sb_off_rpm},
    {"rpmkeys", sb_keys_rpm},
    {"rsync", sb_off_ssh},
    {"scp", sb_off_ssh},
    {"sed", sb_config_command},
    {"sftp", sb_off_ssh},
    {"skopeo", sb_off_images},
    {"ssh", sb_off_ssh},
    {"ssh-keyscan", sb_off_keyscan},
    {"tdnf", sb_off_rpm},
    {"tee", sb_config_command},
    {"uv", sb_off_python},
    {"wget", sb_off_fetch},
    {"yarn", sb_off_node},
    {"yum", sb_off_rpm},
    {"zypper", sb_off_rpm},
};

static int compare_looker(const void *key, const void *looker)
{
    return sb_slice_cmp(*(const sb_slice *)key, sb_slice_z(((const struct looker *)looker)->name));
}

static void look_at_command(const sb_download *d)
{
    const sb_sh_command *command = d->command;
    const struct looker *looker;

    for (size_t i = 0; i < command->assigned_count; i++)
        sb_config_variable(d->lint, sb_lint_arg_span(d->lint, d->run, &command->assigned[i].value),
                           command->assigned[i].name, command->assigned[i].value.text);
    if (!command->name.len)
        return;
    looker = bsearch(&command->name, lookers, SB_COUNT(lookers), sizeof(*lookers), compare_looker);
    if (looker)
        looker->look(d);
}

/* ENV and ARG: what is set for the commands behind it, and ENV for whoever runs the image. */
static void look_at_pairs(sb_lint *lint, size_t index)
{
    const sb_df_instruction *ins = &lint->df->instructions[index];
    const sb_df_expanded *expanded = &lint->view->expanded[index];

    for (size_t i = 0; i < ins->pair_count; i++) {
        bool known = 2 * i + 1 < expanded->count;
        sb_slice value = known ? expanded->words[2 * i + 1] : ins->pairs[i].value;

        if (ins->pairs[i].value.ptr)
            sb_config_variable(lint, ins->pairs[i].key_span,
                               known ? expanded->words[2 * i] : ins->pairs[i].key, value);
    }
}

/* A configuration file of the context, by its name: what it switches off is told where it is copied. */
static bool is_configuration(sb_slice path)
{
    static const char *const names[] = {".npmrc",   ".yarnrc", ".yarnrc.yml",  "pip.conf",    ".condarc",
                                        ".curlrc",  ".wgetrc", ".gitconfig",   "pacman.conf", "dnf.conf",
                                        "yum.conf", ".gemrc",  "sources.list", "ssh_config",  "apt.conf"};
    sb_slice name = sb_path_last(path);

    for (size_t i = 0; i < SB_COUNT(names); i++)
        if (sb_slice_eqz(name, names[i]))
            return true;
    return sb_slice_ends(name, SB_LIT(".repo")) || sb_slice_ends(name, SB_LIT(".sources")) ||
           sb_slice_ends(name, SB_LIT(".list"));
}

static void look_at_copy(sb_lint *lint, size_t index)
{
    const sb_df_instruction *ins = &lint->df->instructions[index];
    const sb_df_expanded *words = &lint->view->expanded[index];

    for (size_t i = 0; i < ins->heredoc_count; i++)
        sb_config_file(lint, NULL, ins->heredocs[i].span,
                       words->count ? words->words[words->count - 1] : SB_LIT(""), ins->heredocs[i].body);
    if (lint->context_fd < 0 || sb_df_find_flag(ins, "from"))
        return;
    for (size_t i = 0; i + 1 < words->count; i++)
        if (is_configuration(words->words[i]))
            sb_config_file(lint, NULL, ins->span, words->words[i], sb_lint_read(lint, words->words[i]));
}

void sb_lint_downloads(sb_lint *lint)
{
    for (size_t i = 0; i < lint->df->instruction_count; i++) {
        const sb_df_instruction *ins = &lint->df->instructions[i];

        if (ins->keyword == SB_DF_ENV || ins->keyword == SB_DF_ARG)
            look_at_pairs(lint, i);
        else if (ins->keyword == SB_DF_COPY || ins->keyword == SB_DF_ADD)
            look_at_copy(lint, i);
    }
    for (size_t i = 0; i < lint->run_count; i++)
        for (size_t j = 0; j < lint->runs[i].reading.count; j++)
            look_at_command(&(sb_download){.lint = lint,
                                           .run = &lint->runs[i],
                                           .command = &lint->runs[i].reading.commands[j],
                                           .index = j});
    sb_lint_fetched(lint);
}
