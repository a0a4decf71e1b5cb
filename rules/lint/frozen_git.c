// SPDX-License-Identifier: Apache-2.0
/* SB519–SB521: git, and downloads of whatever is newest. */
#include <rules/lint/frozen.h>

static const char *const git_with_value[] = {"-C",          "-c",          "--git-dir", "--work-tree",
                                             "--exec-path", "--namespace", NULL};
static const char *const clone_with_value[] = {
    "-b",
    "--branch",
    "-o",
    "--origin",
    "-u",
    "--upload-pack",
    "--reference",
    "--reference-if-able",
    "--separate-git-dir",
    "--depth",
    "-j",
    "--jobs",
    "--template",
    "-c",
    "--config",
    "--shallow-since",
    "--shallow-exclude",
    "--filter",
    "--server-option",
    "--revision",
    "--recurse-submodules=",
    NULL,
};

static sb_slice last_component(sb_slice path)
{
    while (sb_slice_ends(path, SB_LIT("/")))
        path.len--;
    path = sb_path_last(path);
    if (sb_slice_ends(path, SB_LIT(".git")))
        path.len -= 4;
    return path;
}

/* Is the command in the clone that lies in a directory of this name, as far as can be told? */
static bool works_in(const sb_sh_command *command, const sb_sh_command *clone, sb_slice directory)
{
    sb_slice value;

    if (sb_sh_option_value(command, "-C", &value) || sb_sh_option_value(command, "--git-dir", &value)) {
        if (sb_slice_ends(value, SB_LIT("/.git")))
            value.len -= 5;
        return sb_slice_eq(last_component(value), directory);
    }
    if (!command->directory.ptr || sb_slice_eqz(directory, "."))
        return true;
    return sb_slice_find(command->directory, directory) >= 0 ||
           sb_slice_eq(command->directory, clone->directory);
}

/* What `git checkout`, `reset --hard`, `switch --detach`, `fetch` … take; false for another command. */
static bool checkout_of(const sb_sh_command *command, sb_git_ref_kind *ret_kind, sb_slice *ret_ref)
{
    sb_operands walk = {.command = command, .at = 1, .with_value = git_with_value};
    const sb_sh_arg *verb = sb_sh_is(command, "git") ? sb_operand_next(&walk) : NULL, *arg;

    if (!verb || !sb_word_in(verb->text, "checkout reset switch"))
        return false;
    while ((arg = sb_operand_next(&walk)) && !walk.only) {
        ptrdiff_t tilde = sb_slice_chr(arg->text, '~');
        sb_slice ref = tilde > 0 ? sb_slice_sub(arg->text, 0, (size_t)tilde) : arg->text;

        if (sb_word_in(ref, "FETCH_HEAD HEAD") || sb_slice_starts(ref, SB_LIT(".")))
            continue;
        *ret_kind = sb_git_ref_kind_of(ref);
        if (!arg->known)
            *ret_kind = SB_GIT_REF_UNKNOWN;
        *ret_ref = ref;
        return true;
    }
    return false;
}

/* The best that later commands of this RUN, or of later ones of the stage, check out in the clone. */
static sb_git_ref_kind checked_out(const sb_frozen *f, sb_slice directory, sb_slice *ret_ref)
{
    const sb_lint_run *end = f->lint->runs + f->lint->run_count;
    sb_git_ref_kind best = SB_GIT_REF_BRANCH, kind;
    size_t looked_at = 0;
    sb_slice ref;

    for (const sb_lint_run *run = f->run; run < end && looked_at < SB_LINT_AHEAD_MAX; run++) {
        looked_at++;
        if (!sb_lint_builds_on(f->lint, run->stage, f->run->stage))
            continue;
        for (size_t i = run == f->run ? f->index + 1 : 0;
             i < run->reading.count && looked_at < SB_LINT_AHEAD_MAX; i++, looked_at++) {
            const sb_sh_command *command = &run->reading.commands[i];

            if (!checkout_of(command, &kind, &ref) || (command->conditional && kind == SB_GIT_REF_UNKNOWN) ||
                !works_in(command, f->command, directory))
                continue;
            if (kind == SB_GIT_REF_COMMIT || kind == SB_GIT_REF_UNKNOWN)
                return kind;
            if (kind == SB_GIT_REF_TAG || best == SB_GIT_REF_BRANCH) {
                best = kind;
                *ret_ref = ref;
            }
        }
    }
    return best;
}

static bool is_local(sb_slice url)
{
    return !url.len || (sb_slice_find(url, SB_LIT("://")) < 0 && sb_slice_chr(url, ':') < 0) ||
           sb_slice_starts(url, SB_LIT("file:"));
}

static void look_at_clone(const sb_frozen *f, size_t at)
{
    sb_operands walk = {.command = f->command, .at = at, .with_value = clone_with_value};
    const sb_sh_arg *url = sb_operand_next(&walk), *into = url ? sb_operand_next(&walk) : NULL, *option;
    sb_slice branch = SB_NIL, ref = SB_NIL, directory;
    sb_git_ref_kind kind;

    /* "$url" may be anything; a repository of the machine came in by another way. */
    if (!url || (!url->known && url->text.ptr[0] == '$') || is_local(url->text) ||
        sb_sh_option_value(f->command, "--revision", &branch))
        return;
    option = sb_sh_option_value(f->command, "--branch", &branch);
    if (!option)
        option = sb_sh_option_value(f->command, "-b", &branch);
    directory = last_component(into ? into->text : url->text);
    kind = checked_out(f, directory, &ref);
    if (kind == SB_GIT_REF_BRANCH && option) {
        kind = sb_git_ref_kind_of(branch);
        if (!option->known)
            kind = SB_GIT_REF_UNKNOWN;
        ref = branch;
    }
    if (kind == SB_GIT_REF_TAG)
        sb_lint_say(f->lint, &sb520, sb_lint_command_span(f->lint, f->run, f->command),
                    "git clone of %s takes the tag %s, which its owner can move",
                    sb_lint_shown(f->lint, url->text), sb_lint_shown(f->lint, ref));
    else if (kind == SB_GIT_REF_BRANCH)
        sb_lint_say(f->lint, &sb519, sb_lint_command_span(f->lint, f->run, f->command),
                    ref.len ? "git clone of %s takes the newest commit of %s"
                            : "git clone of %s takes the newest commit of its default branch%s",
                    sb_lint_shown(f->lint, url->text), ref.len ? sb_lint_shown(f->lint, ref) : "");
}

/* `git pull && git checkout COMMIT` only brings the commit in. */
static bool pulls_newest(const sb_frozen *f)
{
    sb_slice ref;

    return checked_out(f, SB_LIT("."), &ref) == SB_GIT_REF_BRANCH;
}

void sb_frozen_git(const sb_frozen *f)
{
    static const char *const remote[] = {"--remote", NULL};
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, git_with_value, &at);

    if (!verb)
        return;
    if (sb_slice_eqz(verb->text, "clone"))
        look_at_clone(f, at);
    else if (sb_slice_eqz(verb->text, "submodule") && sb_frozen_option(f, remote))
        sb_lint_say(f->lint, &sb519, sb_lint_command_span(f->lint, f->run, f->command),
                    "git submodule update --remote takes the newest commits of the submodules");
    else if (sb_slice_eqz(verb->text, "pull") && pulls_newest(f))
        sb_lint_say(f->lint, &sb519, sb_lint_command_span(f->lint, f->run, f->command),
                    "git pull takes the newest commit");
}

/* --- curl and wget --- */

void sb_frozen_download(const sb_frozen *f)
{
    sb_slice word;

    for (size_t i = 1; i < f->command->count; i++) {
        const sb_sh_arg *arg = &f->command->args[i];

        if (arg->also || sb_slice_find(arg->text, SB_LIT("://")) <= 0 || !sb_url_moves(arg->text, &word))
            continue;
        sb_lint_say(f->lint, &sb521, sb_lint_arg_span(f->lint, f->run, arg),
                    "%s: \"%s\" leads to the newest file, another one every time",
                    sb_lint_shown(f->lint, arg->text), sb_lint_shown(f->lint, word));
    }
}
