// SPDX-License-Identifier: Apache-2.0
/* SB631–SB634: keys. One that nobody checks proves nothing, and neither does one that nobody uses. */
#include <rules/lint/downloads.h>

/* --- Where keys lie --- */

bool sb_is_keyring(sb_slice path)
{
    static const char *const places[] = {"/etc/apt/trusted.gpg.d/", "/etc/apt/keyrings/",
                                         "/usr/share/keyrings/", "/etc/apk/keys/", "/etc/pki/rpm-gpg/"};

    for (size_t i = 0; i < SB_COUNT(places); i++)
        if (sb_slice_starts(path, sb_slice_z(places[i])))
            return true;
    return false;
}

/* --- Ids and fingerprints --- */

/* 8 or 16 digits, with or without 0x. Longer ones are fingerprints. */
static bool is_short_id(sb_slice text)
{
    if (sb_slice_starts(text, SB_LIT("0x")) || sb_slice_starts(text, SB_LIT("0X")))
        text = sb_slice_sub(text, 2, text.len);
    return (text.len == 8 || text.len == 16) && sb_slice_is_hex(text);
}

static bool fetches(sb_slice option)
{
    return sb_word_in(option, "--recv-keys --recv-key --recv --receive-keys -r");
}

/* *ret_by_key: a key is fetched by its fingerprint or id. */
static void look_at_ids(const sb_download *d, bool *ret_by_id)
{
    bool behind = false;

    *ret_by_id = false;
    for (size_t i = 1; i < d->command->count; i++) {
        const sb_sh_arg *arg = &d->command->args[i];

        if (fetches(arg->text)) {
            behind = true;
            *ret_by_id = true;
        } else if (behind && is_short_id(arg->text)) {
            sb_lint_say(d->lint, &sb632, sb_lint_arg_span(d->lint, d->run, arg),
                        "%s is a short id: anybody can make a key that has it",
                        sb_lint_shown(d->lint, arg->text));
            return;
        }
    }
}

/* --- Is something verified with it? --- */

static bool mentions(const sb_sh_command *command, const char *part)
{
    for (size_t i = 0; i < command->count; i++)
        if (sb_slice_find(command->args[i].text, sb_slice_z(part)) >= 0)
            return true;
    return false;
}

static bool has_arg(const sb_sh_command *command, const char *words)
{
    for (size_t i = 1; i < command->count; i++)
        if (sb_word_in(command->args[i].text, words))
            return true;
    return false;
}

/* Uses the keys that gpg knows: to verify, or by handing them to somebody who does. */
static bool uses_keys(const sb_sh_command *command)
{
    if (sb_sh_is(command, "gpg") || sb_sh_is(command, "gpg2"))
        return has_arg(
                   command,
                   "--verify --verify-files --decrypt -d --export --export-options --dearmor --batch-verify "
                   "-o --output") ||
               (command->count > 1 && !sb_sh_is_option(&command->args[command->count - 1]) &&
                (sb_slice_ends(command->args[command->count - 1].text, SB_LIT(".asc")) ||
                 sb_slice_ends(command->args[command->count - 1].text, SB_LIT(".sig"))));
    /* Programs and scripts with the word in their name or arguments: git verify-tag, ./verify.sh, dpkg-sig.
     */
    return mentions(command, "verify") || sb_sh_is(command, "gpgv") || sb_sh_is(command, "debsig-verify") ||
           sb_sh_is(command, "rvm") || (sb_sh_is(command, "git") && has_arg(command, "-v --show-signature"));
}

static bool is_used(const sb_download *d)
{
    const sb_lint_run *end = d->lint->runs + d->lint->run_count;
    size_t looked_at = 0;

    for (const sb_lint_run *run = d->run; run < end; run++) {
        if (++looked_at > SB_LINT_AHEAD_MAX)
            return true; /* nobody can tell */
        if (run != d->run && !sb_lint_builds_on(d->lint, run->stage, d->run->stage))
            continue;
        if (run->reading.trouble)
            return true;
        for (size_t i = run == d->run ? d->index + 1 : 0; i < run->reading.count; i++)
            if (++looked_at > SB_LINT_AHEAD_MAX || uses_keys(&run->reading.commands[i]))
                return true;
    }
    return false;
}

/* --- Who checks what came in --- */

bool sb_key_is_compared(const sb_lint_run *run, size_t index)
{
    const sb_sh_reading *reading = &run->reading;
    size_t begin = index > SB_LINT_AHEAD_MAX ? index - SB_LINT_AHEAD_MAX : 0;

    for (size_t i = begin; i < reading->count && i < index + SB_LINT_AHEAD_MAX; i++) {
        const sb_sh_command *command = &reading->commands[i];

        if ((sb_sh_is(command, "gpg") || sb_sh_is(command, "gpg2")) &&
            has_arg(command,
                    "--fingerprint --show-keys --with-fingerprint --list-keys -k --list-public-keys"))
            return true;
    }
    return false;
}

/* Keys that the command fetches itself; those of curl and wget are told with other downloads. */
static void say_unverified(const sb_download *d)
{
    if (!d->run->locked && !sb_key_is_compared(d->run, d->index))
        sb_lint_say(d->lint, &sb633, sb_lint_command_span(d->lint, d->run, d->command),
                    "%s takes a key from the network, and nobody checks that it is the right one",
                    sb_lint_shown(d->lint, d->command->name));
}

/* --- Commands --- */

void sb_keys_gpg(const sb_download *d)
{
    bool by_id, keyring = false;

    look_at_ids(d, &by_id);
    if (sb_sh_is(d->command, "pacman-key"))
        return;
    if (has_arg(d->command, "--fetch-keys --fetch-key")) {
        say_unverified(d);
        return;
    }
    for (size_t i = 1; i < d->command->count; i++) /* for apt */
        keyring = keyring || sb_is_keyring(d->command->args[i].text) ||
                  sb_slice_find(d->command->args[i].text, SB_LIT("gnupg-ring:")) >= 0;
    if (by_id && !keyring && !is_used(d))
        sb_lint_say(d->lint, &sb631, sb_lint_command_span(d->lint, d->run, d->command),
                    "%s fetches a key, and nothing behind it verifies anything",
                    sb_lint_shown(d->lint, d->command->name));
}

void sb_keys_apt_key(const sb_download *d)
{
    bool by_id;

    if (!has_arg(d->command, "add adv"))
        return;
    look_at_ids(d, &by_id);
    sb_lint_say(d->lint, &sb634, sb_lint_command_span(d->lint, d->run, d->command),
                "apt-key is deprecated, and a key that it adds may sign any package of any repository");
    if (has_arg(d->command, "--fetch-keys"))
        say_unverified(d);
}

/* rpm --import https://… */
void sb_keys_rpm(const sb_download *d)
{
    if (!has_arg(d->command, "--import"))
        return;
    for (size_t i = 1; i < d->command->count; i++)
        if (sb_slice_starts(d->command->args[i].text, SB_LIT("http://")) ||
            sb_slice_starts(d->command->args[i].text, SB_LIT("https://"))) {
            say_unverified(d);
            return;
        }
}
