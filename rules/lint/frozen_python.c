// SPDX-License-Identifier: Apache-2.0
/* SB506, SB508, SB509, SB522: uv, poetry, pdm, pipenv, conda. */
#include <rules/lint/python.h>

/* --- uv --- */

static const char *const uv_with_value[] = {
    "--directory",
    "--project",
    "--config-file",
    "--cache-dir",
    "--color",
    "--allow-insecure-host",
    "--python",
    "-p",
    "--index-url",
    "-i",
    "--extra-index-url",
    "--index",
    "--default-index",
    "--find-links",
    "-f",
    "--index-strategy",
    "--keyring-provider",
    "--link-mode",
    "--group",
    "--no-group",
    "--only-group",
    "--extra",
    "--no-extra",
    "--package",
    "--no-install-package",
    "--with",
    "--with-requirements",
    "--with-editable",
    "--from",
    "--exclude-newer",
    "--resolution",
    "--prerelease",
    "--upgrade-package",
    "-P",
    "--reinstall-package",
    "--refresh-package",
    "--no-build-package",
    "--no-binary-package",
    "--config-setting",
    "-C",
    "--tag",
    "--branch",
    "--rev",
    "-c",
    "--constraints",
    "-r",
    "--requirements",
    NULL,
};

static bool is_loose_tool(sb_slice text)
{
    ptrdiff_t at = sb_slice_chr(text, '@');
    sb_requirement kind = sb_requirement_of(text);

    if (at > 0 && sb_slice_find(text, SB_LIT("://")) < 0)
        return !sb_version_is_exact(sb_slice_sub(text, (size_t)at + 1, text.len), 2);
    return kind == SB_REQUIREMENT_LOOSE || kind == SB_REQUIREMENT_GIT_BRANCH;
}

/* The operands of `uv tool install`, `uvx`, `uv add`; of a tool that is run only the first is a package. */
static void look_at_tools(const sb_frozen *f, size_t at, const char *what, bool only_first)
{
    sb_operands walk = {.command = f->command, .at = at, .with_value = uv_with_value};
    sb_unpinned list = {0};
    const sb_sh_arg *arg;
    sb_slice from;

    if (sb_sh_option_value(f->command, "--from", &from) && !is_loose_tool(from))
        return;
    while ((arg = sb_operand_next(&walk))) {
        if (is_loose_tool(arg->text))
            sb_unpinned_add(&list, arg, arg->text);
        if (only_first)
            break;
    }
    sb_unpinned_say(f, &sb506, &list, what,
                    list.count > 1 ? "have no exact version" : "has no exact version");
}

static void look_at_sync(const sb_frozen *f, const sb_sh_arg *verb)
{
    static const char *const frozen[] = {"--frozen", "--locked", "--no-sync", "--offline", NULL};
    sb_finding *finding;
    sb_there there;

    if (sb_frozen_option(f, frozen) || sb_frozen_env_true(f, "UV_FROZEN") ||
        sb_frozen_env_true(f, "UV_LOCKED"))
        return;
    there = sb_frozen_has(f, "uv.lock");
    finding =
        sb_lint_say(f->lint, &sb508, sb_lint_command_span(f->lint, f->run, f->command),
                    there == SB_THERE_NO ? "uv sync chooses versions during the build: no uv.lock is "
                                           "copied from the context"
                                         : "uv sync chooses other versions than uv.lock when that does not "
                                           "fit pyproject.toml");
    if (there == SB_THERE_YES)
        sb_frozen_insert_behind(f, finding, verb, " --locked");
}

void sb_frozen_uv(const sb_frozen *f)
{
    size_t at, behind;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, uv_with_value, &at), *second;

    if (!verb)
        return;
    second = sb_frozen_verb(f, at, uv_with_value, &behind);
    if (sb_slice_eqz(verb->text, "sync"))
        look_at_sync(f, verb);
    else if (sb_slice_eqz(verb->text, "lock"))
        sb_lint_say(f->lint, &sb508, sb_lint_command_span(f->lint, f->run, f->command),
                    "uv lock chooses versions during the build");
    else if (sb_slice_eqz(verb->text, "add"))
        look_at_tools(f, at, "uv add", false);
    else if (second && sb_slice_eqz(verb->text, "pip") && sb_word_in(second->text, "install"))
        sb_frozen_pip_install(f, behind, "uv pip install");
    else if (second && sb_slice_eqz(verb->text, "pip") && sb_slice_eqz(second->text, "sync"))
        for (size_t i = behind; i < f->command->count; i++)
            sb_requirements_look(f, &f->command->args[i], f->command->args[i].text, NULL);
    else if (second && sb_slice_eqz(verb->text, "tool") && sb_word_in(second->text, "install run"))
        look_at_tools(f, behind, "uv tool", true);
}

void sb_frozen_uvx(const sb_frozen *f)
{
    look_at_tools(f, 1, "uvx", true);
}

/* --- poetry, pdm, pipenv --- */

static void say_no_lock(const sb_frozen *f, sb_slice verb, const char *lock_file)
{
    sb_lint_say(f->lint, &sb509, sb_lint_command_span(f->lint, f->run, f->command),
                "%.*s %s chooses versions during the build: no %s is copied from the context",
                (int)f->name.len, f->name.ptr, sb_lint_shown(f->lint, verb), lock_file);
}

static void say_chooses(const sb_frozen *f, sb_slice verb)
{
    sb_lint_say(f->lint, &sb509, sb_lint_command_span(f->lint, f->run, f->command),
                "%.*s %s chooses versions during the build", (int)f->name.len, f->name.ptr,
                sb_lint_shown(f->lint, verb));
}

/* `poetry add name==1.2`, `name@1.2` */
static void look_at_added(const sb_frozen *f, size_t at, const char *const *with_value)
{
    sb_operands walk = {.command = f->command, .at = at, .with_value = with_value};
    sb_unpinned list = {0};
    sb_autofree char *what = NULL;
    const sb_sh_arg *arg;

    while ((arg = sb_operand_next(&walk)))
        if (is_loose_tool(arg->text))
            sb_unpinned_add(&list, arg, arg->text);
    what = sb_asprintf("%.*s add", (int)f->name.len, f->name.ptr);
    sb_unpinned_say(f, &sb509, &list, what,
                    list.count > 1 ? "have no exact version" : "has no exact version");
}

void sb_frozen_poetry(const sb_frozen *f)
{
    static const char *const with_value[] = {"-C",     "--directory", "-P",       "--project",  "--group",
                                             "-G",     "-E",          "--extras", "--with",     "--without",
                                             "--only", "--source",    "--python", "--platform", NULL};
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, with_value, &at);

    if (!verb)
        return;
    if (sb_word_in(verb->text, "install sync")) {
        if (sb_frozen_has(f, "poetry.lock") == SB_THERE_NO)
            say_no_lock(f, verb->text, "poetry.lock");
    } else if (sb_word_in(verb->text, "update lock")) {
        say_chooses(f, verb->text);
    } else if (sb_slice_eqz(verb->text, "add")) {
        look_at_added(f, at, with_value);
    }
}

void sb_frozen_pdm(const sb_frozen *f)
{
    static const char *const with_value[] = {"-c",      "--config", "-p",         "--project", "-G",
                                             "--group", "-L",       "--lockfile", "--venv",    NULL};
    static const char *const frozen[] = {"--frozen-lockfile", "--no-lock", "--check", NULL};
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, with_value, &at);

    if (!verb || sb_frozen_option(f, frozen) || sb_frozen_env_true(f, "PDM_FROZEN_LOCKFILE"))
        return;
    if (sb_word_in(verb->text, "update lock"))
        say_chooses(f, verb->text);
    else if (sb_slice_eqz(verb->text, "add"))
        look_at_added(f, at, with_value);
    else if (sb_word_in(verb->text, "install sync") && sb_frozen_has(f, "pdm.lock") == SB_THERE_NO)
        say_no_lock(f, verb->text, "pdm.lock");
    else if (sb_slice_eqz(verb->text, "install"))
        sb_lint_say(
            f->lint, &sb509, sb_lint_command_span(f->lint, f->run, f->command),
            "pdm install makes pdm.lock anew when it does not fit; write pdm sync or --frozen-lockfile");
}

void sb_frozen_pipenv(const sb_frozen *f)
{
    static const char *const with_value[] = {"--python", "--pypi-mirror",    "--categories",
                                             "-r",       "--requirements",   "-i",
                                             "--index",  "--extra-pip-args", NULL};
    static const char *const frozen[] = {"--deploy", "--ignore-pipfile", NULL};
    size_t at, behind;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, with_value, &at);

    if (!verb)
        return;
    if (sb_word_in(verb->text, "update lock upgrade"))
        say_chooses(f, verb->text);
    else if (sb_word_in(verb->text, "install sync") && sb_frozen_verb(f, at, with_value, &behind))
        look_at_added(f, at, with_value);
    else if (sb_word_in(verb->text, "install sync") && sb_frozen_has(f, "Pipfile.lock") == SB_THERE_NO)
        say_no_lock(f, verb->text, "Pipfile.lock");
    else if (sb_slice_eqz(verb->text, "install") && !sb_frozen_option(f, frozen))
        sb_lint_say(
            f->lint, &sb509, sb_lint_command_span(f->lint, f->run, f->command),
            "pipenv install makes Pipfile.lock anew when it does not fit; write pipenv sync or --deploy");
}

/* --- conda, mamba, micromamba --- */

/* "name=1.2.3", "name==1.2", "name=1.2=build", "channel::name=1"; "name=1.2" takes any 1.2.x: near enough. */
static bool conda_is_fine(sb_slice text)
{
    ptrdiff_t equals = sb_slice_chr(text, '=');

    if (!text.len || strchr("./$`", text.ptr[0]) || sb_slice_find(text, SB_LIT("://")) >= 0 ||
        sb_slice_ends(text, SB_LIT(".conda")) || sb_slice_ends(text, SB_LIT(".tar.bz2")))
        return true;
    return equals > 0 && !strchr("<>!~", text.ptr[equals - 1]) && sb_slice_chr(text, '*') < 0;
}

void sb_frozen_conda(const sb_frozen *f)
{
    static const char *const with_value[] = {
        "-n", "--name",   "-p",         "--prefix", "-c", "--channel",     "--file",
        "-f", "--solver", "--platform", "--subdir", "-r", "--root-prefix", "--repodata-fn",
        NULL};
    static const char *const local[] = {"--offline", "--use-local", NULL};
    sb_operands walk = {.command = f->command, .at = 1, .with_value = with_value};
    const sb_sh_arg *verb = sb_operand_next(&walk), *arg;
    sb_unpinned list = {0};

    if (!verb || !sb_word_in(verb->text, "install create update upgrade") || sb_frozen_option(f, local))
        return;
    while ((arg = sb_operand_next(&walk)))
        if (!conda_is_fine(arg->text))
            sb_unpinned_add(&list, arg, arg->text);
    sb_unpinned_say(f, &sb522, &list, "conda install", list.count > 1 ? "have no version" : "has no version");
}
