// SPDX-License-Identifier: Apache-2.0
/* SB514–SB518: gem, bundle, go, cargo, composer. */
#include <rules/lint/frozen.h>

/* --- gem --- */

void sb_frozen_gem(const sb_frozen *f)
{
    static const char *const with_value[] = {"-v",         "--version",    "-i",        "--install-dir",
                                             "-n",         "--bindir",     "-P",        "--trust-policy",
                                             "-s",         "--source",     "-p",        "--http-proxy",
                                             "--platform", "--build-root", "-B",        "--bulk-threshold",
                                             "-g",         "--file",       "--without", NULL};
    sb_operands walk = {.command = f->command, .at = 1, .with_value = with_value};
    const sb_sh_arg *verb = sb_operand_next(&walk), *arg, *option;
    sb_unpinned list = {0};
    sb_slice version = SB_NIL;

    if (!verb || !sb_word_in(verb->text, "install i update fetch"))
        return;
    option = sb_sh_option_value(f->command, "--version", &version);
    if (!option)
        option = sb_sh_option_value(f->command, "-v", &version);
    if (option && sb_version_is_exact(sb_slice_trim(version), 2))
        return;
    if (sb_slice_eqz(verb->text, "update")) {
        static const char *const system[] = {"--system", NULL};

        arg = sb_operand_next(&walk);
        if (sb_frozen_option(f, system) && arg && sb_version_is_exact(arg->text, 2))
            return;
        sb_lint_say(f->lint, &sb514, sb_lint_command_span(f->lint, f->run, f->command),
                    "gem update installs the newest versions");
        return;
    }
    while ((arg = sb_operand_next(&walk)) && !walk.only) { /* behind "--" are flags for compiling */
        ptrdiff_t colon = sb_slice_rchr(arg->text, ':');

        if (!arg->text.len || strchr("./$`", arg->text.ptr[0]) || sb_slice_ends(arg->text, SB_LIT(".gem")) ||
            sb_slice_chr(arg->text, '/') >= 0)
            continue;
        if (colon > 0 && sb_version_is_exact(sb_slice_sub(arg->text, (size_t)colon + 1, arg->text.len), 2))
            continue;
        sb_unpinned_add(&list, arg, arg->text);
    }
    sb_unpinned_say(f, &sb514, &list, "gem install",
                    list.count > 1 ? "have no exact version" : "has no exact version");
}

/* --- bundle --- */

/* `bundle config set --global frozen true`, `bundle config deployment 1`, by any RUN that is behind it. */
static bool freezes(const sb_sh_command *command)
{
    bool named = false;

    if (!sb_sh_is(command, "bundle") || command->count < 3 || !sb_slice_eqz(command->args[1].text, "config"))
        return false;
    for (size_t i = 2; i < command->count; i++) {
        sb_slice text = command->args[i].text;

        if (sb_word_in(text, "frozen deployment BUNDLE_FROZEN BUNDLE_DEPLOYMENT"))
            named = true;
        else if (named)
            return sb_word_in(text, "true 1");
    }
    return false;
}

/* .bundle/config of the context: BUNDLE_FROZEN: "true" */
static bool config_freezes(const sb_frozen *f)
{
    sb_slice text = sb_lint_read(f->lint, SB_LIT(".bundle/config"));

    return sb_slice_find(text, SB_LIT("BUNDLE_FROZEN: \"true\"")) >= 0 ||
           sb_slice_find(text, SB_LIT("BUNDLE_DEPLOYMENT: \"true\"")) >= 0;
}

static bool is_frozen(const sb_frozen *f)
{
    static const char *const options[] = {"--frozen", "--deployment", "--local", NULL};
    size_t looked_at = 0;

    if (sb_frozen_option(f, options) || sb_frozen_env_true(f, "BUNDLE_FROZEN") ||
        sb_frozen_env_true(f, "BUNDLE_DEPLOYMENT") || config_freezes(f))
        return true;
    for (const sb_lint_run *run = f->run + 1; run-- > f->lint->runs && looked_at < SB_LINT_AHEAD_MAX;
         looked_at++)
        for (size_t i = run == f->run ? f->index : run->reading.count;
             i-- > 0 && looked_at < SB_LINT_AHEAD_MAX; looked_at++)
            if (freezes(&run->reading.commands[i]) && sb_lint_builds_on(f->lint, f->run->stage, run->stage))
                return true;
    return false;
}

void sb_frozen_bundle(const sb_frozen *f)
{
    static const char *const with_value[] = {"--gemfile", "--path",         "--jobs", "-j",
                                             "--retry",   "--without",      "--with", "--binstubs",
                                             "--shebang", "--trust-policy", NULL};
    static const char *const asks[] = {"--version", "-v", "--help", "-h", NULL};
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, with_value, &at);

    if (verb && sb_slice_eqz(verb->text, "update")) {
        sb_lint_say(f->lint, &sb515, sb_lint_command_span(f->lint, f->run, f->command),
                    "bundle update chooses the newest versions during the build");
        return;
    }
    if ((verb && !sb_slice_eqz(verb->text, "install")) || sb_frozen_option(f, asks) || is_frozen(f))
        return;
    if (sb_frozen_has(f, "Gemfile.lock") == SB_THERE_NO)
        sb_lint_say(
            f->lint, &sb515, sb_lint_command_span(f->lint, f->run, f->command),
            "bundle install chooses versions during the build: no Gemfile.lock is copied from the context");
    else
        sb_lint_say(
            f->lint, &sb515, sb_lint_command_span(f->lint, f->run, f->command),
            "bundle install chooses other versions than Gemfile.lock when that does not fit the Gemfile: "
            "neither BUNDLE_FROZEN nor BUNDLE_DEPLOYMENT is set");
}

/* --- go --- */

/* Behind the @: a version of three numbers, a pseudo-version or a commit; not "latest", "master", "v1". */
static bool go_query_is_exact(sb_slice query)
{
    return sb_git_ref_kind_of(query) == SB_GIT_REF_COMMIT ||
           sb_git_ref_kind_of(query) == SB_GIT_REF_UNKNOWN || sb_version_is_exact(query, 3);
}

void sb_frozen_go(const sb_frozen *f)
{
    static const char *const with_value[] = {
        "-ldflags", "-tags", "-gcflags",   "-asmflags", "-mod",    "-modfile",
        "-o",       "-p",    "-buildmode", "-C",        "-pkgdir", "-installsuffix",
        "-overlay", "-exec", "--ldflags",  "--tags",    NULL};
    static const char *const newest[] = {"-u", NULL};
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, with_value, &at), *arg;
    sb_operands walk = {.command = f->command, .at = at, .with_value = with_value};
    sb_unpinned list = {0};
    sb_autofree char *what = NULL;
    bool gets;

    if (!verb || !sb_word_in(verb->text, "install get run mod"))
        return;
    if (sb_slice_eqz(verb->text, "mod")) {
        arg = sb_operand_next(&walk);
        if (arg && sb_slice_eqz(arg->text, "tidy"))
            sb_lint_say(f->lint, &sb516, sb_lint_command_span(f->lint, f->run, f->command),
                        "go mod tidy takes the newest version of each module that go.mod does not name");
        return;
    }
    gets = sb_slice_eqz(verb->text, "get");
    while ((arg = sb_operand_next(&walk))) {
        ptrdiff_t sign = sb_slice_rchr(arg->text, '@'), dot = sb_slice_chr(arg->text, '.'),
                  slash = sb_slice_chr(arg->text, '/');

        if (sign > 0) {
            if (!go_query_is_exact(sb_slice_sub(arg->text, (size_t)sign + 1, arg->text.len)))
                sb_unpinned_add(&list, arg, arg->text);
        } else if (gets && dot > 0 && slash > dot && !strchr("$./", arg->text.ptr[0])) {
            sb_unpinned_add(&list, arg, arg->text); /* "example.org/tool" */
        }
        if (sb_slice_eqz(verb->text, "run"))
            break;
    }
    what = sb_asprintf("go %.*s", (int)verb->text.len, verb->text.ptr);
    if (!list.count && gets && sb_frozen_option(f, newest))
        sb_lint_say(f->lint, &sb516, sb_lint_command_span(f->lint, f->run, f->command),
                    "go get -u takes the newest versions");
    sb_unpinned_say(f, &sb516, &list, what,
                    list.count > 1 ? "have no exact version" : "has no exact version");
}

/* --- cargo --- */

static const char *const cargo_with_value[] = {
    "--version", "--vers",           "--git",        "--branch",  "--tag",    "--rev",
    "--path",    "--registry",       "--index",      "--root",    "-F",       "--features",
    "--profile", "--target",         "--target-dir", "-j",        "--jobs",   "-p",
    "--package", "--manifest-path",  "--bin",        "--example", "--config", "-Z",
    "--color",   "--message-format", "-C",           "--exclude", "--test",   "--bench",
    NULL,
};
static const char *const cargo_locked[] = {"--locked", "--frozen", "--offline", NULL};

static void look_at_cargo_git(const sb_frozen *f, const sb_sh_arg *git)
{
    sb_slice value;

    if (sb_sh_option_value(f->command, "--rev", &value))
        return;
    if (sb_sh_option_value(f->command, "--tag", &value))
        sb_lint_say(f->lint, &sb520, sb_lint_arg_span(f->lint, f->run, git),
                    "cargo install takes the tag %s, which its owner can move",
                    sb_lint_shown(f->lint, value));
    else
        sb_lint_say(f->lint, &sb517, sb_lint_arg_span(f->lint, f->run, git),
                    "cargo install --git without --rev takes the newest commit");
}

static void look_at_cargo_install(const sb_frozen *f, const sb_sh_arg *verb, size_t at)
{
    static const char *const path[] = {"--path", NULL};
    sb_operands walk = {.command = f->command, .at = at, .with_value = cargo_with_value};
    bool binary = sb_slice_eqz(verb->text, "binstall");
    const sb_sh_arg *arg, *git;
    sb_unpinned list = {0};
    size_t exact = 0;
    sb_slice version;
    bool versioned;

    git = sb_sh_option_value(f->command, "--git", &version);
    if (git) {
        look_at_cargo_git(f, git);
        return;
    }
    versioned = (sb_sh_option_value(f->command, "--version", &version) ||
                 sb_sh_option_value(f->command, "--vers", &version)) &&
                sb_version_is_exact(version, 3);
    while ((arg = sb_operand_next(&walk))) {
        ptrdiff_t sign = sb_slice_rchr(arg->text, '@');

        if (arg->text.len && strchr("$`+", arg->text.ptr[0]))
            continue;
        if (versioned ||
            (sign > 0 && sb_version_is_exact(sb_slice_sub(arg->text, (size_t)sign + 1, arg->text.len), 3)))
            exact++;
        else
            sb_unpinned_add(&list, arg, arg->text);
    }
    if (list.count) {
        sb_unpinned_say(f, &sb517, &list, "cargo install",
                        list.count > 1 ? "have no exact version" : "has no exact version");
    } else if (!sb_frozen_option(f, cargo_locked) && !binary &&
               (exact || (sb_frozen_option(f, path) && sb_frozen_has(f, "Cargo.lock") == SB_THERE_YES))) {
        sb_finding *finding = sb_lint_say(f->lint, &sb517, sb_lint_command_span(f->lint, f->run, f->command),
                                          "cargo install without --locked takes the newest versions of all "
                                          "dependencies");

        sb_frozen_insert_behind(f, finding, verb, " --locked");
    }
}

void sb_frozen_cargo(const sb_frozen *f)
{
    size_t at, from = 1;
    const sb_sh_arg *verb;

    if (f->command->count > 1 && sb_slice_starts(f->command->args[1].text, SB_LIT("+"))) /* a toolchain */
        from = 2;
    verb = sb_frozen_verb(f, from, cargo_with_value, &at);
    if (!verb)
        return;
    if (sb_word_in(verb->text, "install binstall"))
        look_at_cargo_install(f, verb, at);
    else if (sb_slice_eqz(verb->text, "update"))
        sb_lint_say(f->lint, &sb517, sb_lint_command_span(f->lint, f->run, f->command),
                    "cargo update chooses the newest versions during the build");
    else if (sb_word_in(verb->text, "build b test t run r check c bench rustc fetch") &&
             !sb_frozen_option(f, cargo_locked) && !sb_frozen_env_true(f, "CARGO_NET_OFFLINE") &&
             sb_frozen_has(f, "Cargo.lock") == SB_THERE_YES)
        sb_lint_say(f->lint, &sb517, sb_lint_command_span(f->lint, f->run, f->command),
                    "cargo %s without --locked changes Cargo.lock when that does not fit Cargo.toml",
                    sb_lint_shown(f->lint, verb->text));
}

/* rustup toolchain install nightly; "nightly-2024-05-01", "1.79.0" are one toolchain. */
void sb_frozen_rustup(const sb_frozen *f)
{
    static const char *const with_value[] = {"--toolchain", "--profile", "-c", "--component",
                                             "-t",          "--target",  NULL};
    sb_operands walk = {.command = f->command, .at = 1, .with_value = with_value};
    const sb_sh_arg *verb = sb_operand_next(&walk), *arg;

    if (verb && sb_slice_eqz(verb->text, "toolchain"))
        verb = sb_operand_next(&walk);
    if (!verb || !sb_word_in(verb->text, "install default update add"))
        return;
    arg = sb_operand_next(&walk);
    if (arg && sb_word_in(arg->text, "stable beta nightly"))
        sb_lint_say(f->lint, &sb517, sb_lint_arg_span(f->lint, f->run, arg),
                    "rustup takes the newest %s toolchain; name a version, or a day as in nightly-2024-05-01",
                    sb_lint_shown(f->lint, arg->text));
    else if (!arg && sb_slice_eqz(verb->text, "update"))
        sb_lint_say(f->lint, &sb517, sb_lint_command_span(f->lint, f->run, f->command),
                    "rustup update takes the newest toolchain");
}

/* --- composer --- */

static void look_at_composer(const sb_frozen *f, size_t from)
{
    static const char *const with_value[] = {
        "-d", "--working-dir", "--repository", "--prefer-install", "-s", "--stability", NULL};
    sb_operands walk = {.command = f->command, .at = from, .with_value = with_value};
    const sb_sh_arg *verb = sb_operand_next(&walk), *arg;
    sb_unpinned list = {0};

    if (verb && sb_slice_eqz(verb->text, "global"))
        verb = sb_operand_next(&walk);
    if (!verb)
        return;
    if (sb_word_in(verb->text, "update u upgrade")) {
        sb_lint_say(f->lint, &sb518, sb_lint_command_span(f->lint, f->run, f->command),
                    "composer update chooses the newest versions during the build");
    } else if (sb_word_in(verb->text, "install i")) {
        if (sb_frozen_has(f, "composer.lock") == SB_THERE_NO)
            sb_lint_say(
                f->lint, &sb518, sb_lint_command_span(f->lint, f->run, f->command),
                "composer install chooses versions during the build: no composer.lock is copied from the "
                "context");
    } else if (sb_word_in(verb->text, "require req create-project")) {
        while ((arg = sb_operand_next(&walk))) {
            sb_slice text = arg->text;
            size_t end = 0;

            while (end < text.len && text.ptr[end] != ':' && text.ptr[end] != '=')
                end++;
            if (sb_slice_chr(text, '/') < 0 || strchr("./$`", text.ptr[0]))
                continue;
            if (sb_slice_eqz(verb->text, "create-project"))
                sb_operand_next(&walk); /* where to */
            if (end < text.len)
                text = sb_slice_sub(text, end + 1, text.len);
            else if (walk.at < f->command->count && !sb_sh_is_option(&f->command->args[walk.at]) &&
                     sb_slice_chr(f->command->args[walk.at].text, '/') < 0)
                text = f->command->args[walk.at++].text; /* composer require vendor/name 1.2.3 */
            else
                text = SB_NIL;
            if (!sb_version_is_exact(text, 3))
                sb_unpinned_add(&list, arg, arg->text);
        }
        sb_unpinned_say(f, &sb518, &list, "composer",
                        list.count > 1 ? "have no exact version" : "has no exact version");
    }
}

void sb_frozen_composer(const sb_frozen *f)
{
    look_at_composer(f, 1);
}

void sb_frozen_php(const sb_frozen *f)
{
    static const char *const with_value[] = {"-d", "-c", NULL};
    size_t at;
    const sb_sh_arg *script = sb_frozen_verb(f, 1, with_value, &at);

    if (script &&
        (sb_slice_ends(script->text, SB_LIT("composer.phar")) ||
         sb_slice_ends(script->text, SB_LIT("/composer")) || sb_slice_eqz(script->text, "composer")))
        look_at_composer(f, at);
}
