// SPDX-License-Identifier: Apache-2.0
/* SB510–SB513: npm, npx, yarn, pnpm, bun, corepack. */
#include <rules/lint/frozen.h>

static const char *const node_with_value[] = {
    "--prefix",
    "-C",
    "--registry",
    "--cache",
    "--userconfig",
    "--globalconfig",
    "--loglevel",
    "--omit",
    "--include",
    "--only",
    "--tag",
    "--network-timeout",
    "--network-concurrency",
    "--fetch-retries",
    "--fetch-timeout",
    "--fetch-retry-mintimeout",
    "--fetch-retry-maxtimeout",
    "--fetch-retry-factor",
    "--maxsockets",
    "--target",
    "--arch",
    "--platform",
    "--workspace",
    "-w",
    "--otp",
    "--scope",
    "--node-options",
    "--script-shell",
    "--before",
    "--install-strategy",
    "--save-prefix",
    "--https-proxy",
    "--proxy",
    "--noproxy",
    "--cafile",
    "--ca",
    "--audit-level",
    "--python",
    "--depth",
    "--cpu",
    "--os",
    "--libc",
    "--node-gyp",
    "--tmp",
    "--user",
    "--cwd",
    "--modules-folder",
    "--cache-folder",
    "--global-folder",
    "--mutex",
    "--use-yarnrc",
    "--filter",
    "-F",
    "--dir",
    "--store-dir",
    "--reporter",
    "--modules-dir",
    "--virtual-store-dir",
    "--config",
    "-c",
    "--backend",
    NULL,
};

/* --- "name", "@scope/name@1.2.3", "user/repository#ref", "name@npm:other@1.2.3" --- */

typedef enum spec_kind { SPEC_FINE, SPEC_LOOSE, SPEC_GIT_TAG } spec_kind;

static spec_kind kind_of_git(sb_slice text)
{
    ptrdiff_t hash = sb_slice_chr(text, '#');

    switch (sb_git_ref_kind_of(hash < 0 ? SB_NIL : sb_slice_sub(text, (size_t)hash + 1, text.len))) {
    case SB_GIT_REF_BRANCH:
        return SPEC_LOOSE;
    case SB_GIT_REF_TAG:
        return SPEC_GIT_TAG;
    case SB_GIT_REF_COMMIT:
    case SB_GIT_REF_UNKNOWN:
        break;
    }
    return SPEC_FINE;
}

static bool is_git(sb_slice text)
{
    static const char *const begins[] = {"git+", "git:", "git@", "github:", "gitlab:", "bitbucket:", "gist:"};
    ptrdiff_t slash = sb_slice_chr(text, '/'), hash = sb_slice_chr(text, '#');

    for (size_t i = 0; i < SB_COUNT(begins); i++)
        if (sb_slice_starts(text, sb_slice_z(begins[i])))
            return true;
    if (hash >= 0)
        text.len = (size_t)hash;
    if (sb_slice_find(text, SB_LIT("://")) >= 0)
        return sb_slice_ends(text, SB_LIT(".git"));
    return slash > 0 && text.ptr[0] != '@' && sb_slice_chr(text, ':') < 0;
}

static spec_kind kind_of_spec(sb_slice text)
{
    ptrdiff_t alias = sb_slice_find(text, SB_LIT("@npm:")), at;
    sb_slice word;

    if (alias > 0)
        text = sb_slice_sub(text, (size_t)alias + 5, text.len);
    if (!text.len || strchr("./~$`", text.ptr[0]) || sb_word_in(text, "true false null") ||
        sb_slice_starts(text, SB_LIT("file:")) || sb_slice_starts(text, SB_LIT("link:")) ||
        sb_slice_starts(text, SB_LIT("workspace:")))
        return SPEC_FINE;
    if (is_git(text))
        return kind_of_git(text);
    if (sb_slice_find(text, SB_LIT("://")) >= 0)
        return sb_url_moves(text, &word) ? SPEC_LOOSE : SPEC_FINE;
    if (sb_slice_ends(text, SB_LIT(".tgz")) || sb_slice_ends(text, SB_LIT(".tar.gz")))
        return SPEC_FINE;
    at = sb_slice_rchr(text, '@');
    if (at > 0) {
        sb_slice version = sb_slice_sub(text, (size_t)at + 1, text.len);

        if (is_git(version))
            return kind_of_git(version);
        return sb_version_is_exact(version, 3) || sb_slice_find(version, SB_LIT("://")) >= 0 ? SPEC_FINE
                                                                                             : SPEC_LOOSE;
    }
    return SPEC_LOOSE;
}

/* False when there is no package at all behind the verb. */
static bool look_at_specs(const sb_frozen *f, size_t at, const char *what, bool only_first)
{
    sb_operands walk = {.command = f->command, .at = at, .with_value = node_with_value};
    sb_unpinned list = {0}, tags = {0};
    const sb_sh_arg *arg;
    bool any = false;

    while ((arg = sb_operand_next(&walk))) {
        spec_kind kind = kind_of_spec(arg->text);

        any = any || !sb_word_in(arg->text, "true false null");
        if (kind != SPEC_FINE)
            sb_unpinned_add(kind == SPEC_LOOSE ? &list : &tags, arg, arg->text);
        if (only_first)
            break;
    }
    sb_unpinned_say(f, &sb510, &list, what,
                    list.count > 1 ? "have no exact version" : "has no exact version");
    sb_unpinned_say(f, &sb520, &tags, what, "is taken at a tag");
    return any;
}

static bool is_global(const sb_frozen *f)
{
    static const char *const global[] = {"-g", "--global", "--location", NULL};

    return sb_frozen_option(f, global);
}

/* --- npm --- */

/* `if [ -f package-lock.json ]; then npm ci; else npm install; fi` */
static bool has_npm_ci(const sb_frozen *f)
{
    const sb_sh_reading *reading = &f->run->reading;

    for (size_t i = 0; i < reading->count && i < SB_LINT_AHEAD_MAX; i++)
        if (sb_sh_is(&reading->commands[i], "npm") && reading->commands[i].count > 1 &&
            sb_word_in(reading->commands[i].args[1].text, "ci clean-install"))
            return true;
    return false;
}

void sb_frozen_npm(const sb_frozen *f)
{
    static const char *const elsewhere[] = {"--prefix", "-C", "--offline", "--package-lock-only", NULL};
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, node_with_value, &at);
    sb_finding *finding;
    sb_there there;

    if (!verb)
        return;
    if (sb_word_in(verb->text, "update up upgrade") && !is_global(f)) {
        sb_lint_say(f->lint, &sb511, sb_lint_command_span(f->lint, f->run, f->command),
                    "npm %s chooses the newest versions during the build",
                    sb_lint_shown(f->lint, verb->text));
        return;
    }
    if (sb_word_in(verb->text, "exec x")) {
        look_at_specs(f, at, "npm exec", true);
        return;
    }
    if (!sb_word_in(verb->text, "install i in ins add update up upgrade"))
        return;
    if (look_at_specs(f, at, "npm install", false) || is_global(f) || sb_frozen_option(f, elsewhere))
        return;
    if (f->command->conditional && has_npm_ci(f))
        return;
    there = sb_frozen_has(f, "package-lock.json");
    if (there != SB_THERE_YES && sb_frozen_has(f, "npm-shrinkwrap.json") == SB_THERE_YES)
        there = SB_THERE_YES;
    finding =
        sb_lint_say(f->lint, &sb511, sb_lint_command_span(f->lint, f->run, f->command),
                    there == SB_THERE_NO ? "npm install chooses versions during the build: no "
                                           "package-lock.json is copied from the context"
                                         : "npm install chooses other versions than package-lock.json when "
                                           "that does not fit package.json");
    if (there == SB_THERE_YES)
        sb_frozen_replace(f, finding, verb, "ci");
}

/* Without -y and without a version it mostly runs what the project has installed. */
void sb_frozen_npx(const sb_frozen *f)
{
    static const char *const npx_with_value[] = {"-p", "--package",   "-c", "--call",
                                                 "-w", "--workspace", NULL};
    static const char *const yes[] = {"-y", "--yes", NULL};
    sb_operands walk = {.command = f->command, .at = 1, .with_value = npx_with_value};
    const sb_sh_arg *arg = sb_operand_next(&walk), *package;
    sb_unpinned list = {0};
    sb_slice value;

    package = sb_sh_option_value(f->command, "--package", &value);
    if (!package)
        package = sb_sh_option_value(f->command, "-p", &value);
    if (package)
        arg = package;
    else if (arg)
        value = arg->text;
    if (arg && kind_of_spec(value) == SPEC_LOOSE &&
        (package || sb_frozen_option(f, yes) || sb_slice_rchr(value, '@') > 0))
        sb_unpinned_add(&list, arg, value);
    sb_unpinned_say(f, &sb510, &list, "npx", "has no exact version");
}

/* --- yarn, pnpm, bun: an install without packages is held against the lock file --- */

static void say_not_frozen(const sb_frozen *f, const sb_rule *rule, const sb_sh_arg *behind,
                           const char *lock_file, const char *option)
{
    sb_there there = sb_frozen_has(f, lock_file);
    sb_finding *finding;

    if (there == SB_THERE_NO)
        sb_lint_say(f->lint, rule, sb_lint_command_span(f->lint, f->run, f->command),
                    "%.*s install chooses versions during the build: no %s is copied from the context",
                    (int)f->name.len, f->name.ptr, lock_file);
    else {
        finding = sb_lint_say(f->lint, rule, sb_lint_command_span(f->lint, f->run, f->command),
                              "%.*s install without%s chooses other versions than %s when that does not fit "
                              "package.json",
                              (int)f->name.len, f->name.ptr, option, lock_file);
        if (there == SB_THERE_YES)
            sb_frozen_insert_behind(f, finding, behind, option);
    }
}

/* Yarn 1 marks its lock file; Yarn 2 and later have another option. */
static const char *yarn_option(const sb_frozen *f)
{
    sb_slice lock = sb_lint_read(f->lint, SB_LIT("yarn.lock"));

    return sb_slice_find(lock, SB_LIT("__metadata:")) >= 0 ? " --immutable" : " --frozen-lockfile";
}

void sb_frozen_yarn(const sb_frozen *f)
{
    static const char *const frozen[] = {"--frozen-lockfile",
                                         "--immutable",
                                         "--immutable-cache",
                                         "--offline",
                                         "-v",
                                         "--version",
                                         "--help",
                                         "-h",
                                         NULL};
    size_t at, behind;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, node_with_value, &at), *second;

    second = verb ? sb_frozen_verb(f, at, node_with_value, &behind) : NULL;
    if (!verb || sb_slice_eqz(verb->text, "install")) {
        if (!second && !sb_frozen_option(f, frozen) &&
            !sb_frozen_env_true(f, "YARN_ENABLE_IMMUTABLE_INSTALLS") && !sb_frozen_env_true(f, "CI"))
            say_not_frozen(f, &sb512, verb ? verb : &f->command->args[0], "yarn.lock", yarn_option(f));
    } else if (sb_slice_eqz(verb->text, "add")) {
        look_at_specs(f, at, "yarn add", false);
    } else if (second && sb_slice_eqz(verb->text, "global") && sb_slice_eqz(second->text, "add")) {
        look_at_specs(f, behind, "yarn global add", false);
    } else if (sb_slice_eqz(verb->text, "dlx")) {
        look_at_specs(f, at, "yarn dlx", true);
    } else if (sb_word_in(verb->text, "upgrade up")) {
        sb_lint_say(f->lint, &sb512, sb_lint_command_span(f->lint, f->run, f->command),
                    "yarn %s chooses the newest versions during the build",
                    sb_lint_shown(f->lint, verb->text));
    } else if (second && sb_slice_eqz(verb->text, "set") && sb_slice_eqz(second->text, "version")) {
        const sb_sh_arg *version = sb_frozen_verb(f, behind, node_with_value, &at);

        if (version && !sb_version_is_exact(version->text, 3) && !strchr("./$", version->text.ptr[0]))
            sb_lint_say(f->lint, &sb510, sb_lint_arg_span(f->lint, f->run, version),
                        "yarn set version %s downloads another Yarn every time",
                        sb_lint_shown(f->lint, version->text));
    }
}

void sb_frozen_pnpm(const sb_frozen *f)
{
    static const char *const frozen[] = {"--frozen-lockfile", "--offline", NULL};
    static const char *const thawed[] = {"--no-frozen-lockfile", NULL};
    size_t at, behind;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, node_with_value, &at);

    if (!verb)
        return;
    if (sb_word_in(verb->text, "add")) {
        look_at_specs(f, at, "pnpm add", false);
    } else if (sb_slice_eqz(verb->text, "dlx")) {
        look_at_specs(f, at, "pnpm dlx", true);
    } else if (sb_word_in(verb->text, "update up upgrade") && !is_global(f)) {
        sb_lint_say(f->lint, &sb513, sb_lint_command_span(f->lint, f->run, f->command),
                    "pnpm %s chooses the newest versions during the build",
                    sb_lint_shown(f->lint, verb->text));
    } else if (sb_word_in(verb->text, "install i")) {
        if (sb_frozen_verb(f, at, node_with_value, &behind))
            look_at_specs(f, at, "pnpm install", false);
        else if (sb_frozen_option(f, thawed))
            sb_lint_say(
                f->lint, &sb513, sb_lint_command_span(f->lint, f->run, f->command),
                "pnpm install --no-frozen-lockfile lets it choose other versions than pnpm-lock.yaml has");
        else if (!is_global(f) && !sb_frozen_option(f, frozen) && !sb_frozen_env_true(f, "CI"))
            say_not_frozen(f, &sb513, verb, "pnpm-lock.yaml", " --frozen-lockfile");
    }
}

void sb_frozen_bun(const sb_frozen *f)
{
    static const char *const frozen[] = {"--frozen-lockfile", NULL};
    size_t at, behind;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, node_with_value, &at);

    if (!verb)
        return;
    if (sb_word_in(verb->text, "add a"))
        look_at_specs(f, at, "bun add", false);
    else if (sb_slice_eqz(verb->text, "x"))
        look_at_specs(f, at, "bun x", true);
    else if (sb_word_in(verb->text, "install i")) {
        if (sb_frozen_verb(f, at, node_with_value, &behind))
            look_at_specs(f, at, "bun install", false);
        else if (!is_global(f) && !sb_frozen_option(f, frozen))
            say_not_frozen(f, &sb513, verb,
                           sb_frozen_has(f, "bun.lockb") == SB_THERE_YES ? "bun.lockb" : "bun.lock",
                           " --frozen-lockfile");
    }
}

/* corepack prepare pnpm@latest --activate; corepack enable takes the version of package.json. */
void sb_frozen_corepack(const sb_frozen *f)
{
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, NULL, &at);

    if (verb && sb_word_in(verb->text, "prepare use install"))
        look_at_specs(f, at, "corepack", false);
}
