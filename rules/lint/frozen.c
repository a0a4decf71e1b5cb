// SPDX-License-Identifier: Apache-2.0
/* SB5xx: who looks at which command, and what all of them ask. */
#include <stdlib.h>

#include <rules/lint/frozen.h>

static const struct looker {
    const char *name;
    void (*look)(const sb_frozen *f);
} lookers[] = {
    /* Sorted: looked up by bisection. */
    {"apk", sb_frozen_apk},
    {"apt", sb_frozen_apt},
    {"apt-fast", sb_frozen_apt},
    {"apt-get", sb_frozen_apt},
    {"aptitude", sb_frozen_apt},
    {"bun", sb_frozen_bun},
    {"bundle", sb_frozen_bundle},
    {"bundler", sb_frozen_bundle},
    {"cargo", sb_frozen_cargo},
    {"composer", sb_frozen_composer},
    {"composer.phar", sb_frozen_composer},
    {"conda", sb_frozen_conda},
    {"corepack", sb_frozen_corepack},
    {"curl", sb_frozen_download},
    {"dnf", sb_frozen_dnf},
    {"gem", sb_frozen_gem},
    {"git", sb_frozen_git},
    {"go", sb_frozen_go},
    {"mamba", sb_frozen_conda},
    {"microdnf", sb_frozen_dnf},
    {"micromamba", sb_frozen_conda},
    {"npm", sb_frozen_npm},
    {"npx", sb_frozen_npx},
    {"pacman", sb_frozen_pacman},
    {"pdm", sb_frozen_pdm},
    {"php", sb_frozen_php},
    {"pip", sb_frozen_pip},
    {"pipenv", sb_frozen_pipenv},
    {"pipx", sb_frozen_pipx},
    {"pnpm", sb_frozen_pnpm},
    {"poetry", sb_frozen_poetry},
    {"python", sb_frozen_python},
    {"rustup", sb_frozen_rustup},
    {"tdnf", sb_frozen_dnf},
    {"uv", sb_frozen_uv},
    {"uvx", sb_frozen_uvx},
    {"wget", sb_frozen_download},
    {"yarn", sb_frozen_yarn},
    {"yarnpkg", sb_frozen_yarn},
    {"yay", sb_frozen_pacman},
    {"yum", sb_frozen_dnf},
    {"zypper", sb_frozen_zypper},
};

static int compare_looker(const void *key, const void *looker)
{
    return sb_slice_cmp(*(const sb_slice *)key, sb_slice_z(((const struct looker *)looker)->name));
}

/* "pip3.11", "dnf-3" */
static sb_slice without_version(sb_slice name)
{
    size_t len = name.len;

    while (len && strchr("0123456789.-", name.ptr[len - 1]))
        len--;
    return sb_slice_sub(name, 0, len);
}

void sb_lint_frozen(sb_lint *lint)
{
    for (size_t i = 0; i < lint->run_count; i++) {
        const sb_lint_run *run = &lint->runs[i];

        for (size_t j = 0; j < run->reading.count && !run->locked; j++) {
            const sb_sh_command *command = &run->reading.commands[j];
            sb_frozen f = {.lint = lint, .run = run, .command = command, .index = j, .name = command->name};
            const struct looker *looker;

            if (!command->count)
                continue;
            if (sb_slice_starts(f.name, SB_LIT("xx-"))) /* helpers for building across platforms */
                f.name = sb_slice_sub(f.name, 3, f.name.len);
            looker = bsearch(&f.name, lookers, SB_COUNT(lookers), sizeof(*lookers), compare_looker);
            if (!looker) {
                size_t len = f.name.len;

                f.name = without_version(f.name);
                if (f.name.len == len)
                    continue;
                looker = bsearch(&f.name, lookers, SB_COUNT(lookers), sizeof(*lookers), compare_looker);
            }
            if (looker)
                looker->look(&f);
        }
    }
}

/* --- What is without a version --- */

void sb_unpinned_add(sb_unpinned *list, const sb_sh_arg *arg, sb_slice name)
{
    if (!list->count)
        list->first = arg;
    if (list->count < SB_UNPINNED_SHOWN)
        list->names[list->count] = name;
    list->count++;
}

sb_finding *sb_unpinned_say(const sb_frozen *f, const sb_rule *rule, const sb_unpinned *list,
                            const char *what, const char *why)
{
    sb_autobuf names = SB_BUF_INIT(1024);
    size_t shown = list->count <= SB_UNPINNED_SHOWN ? list->count : SB_UNPINNED_SHOWN - 1;

    if (!list->count)
        return NULL;
    for (size_t i = 0; i < shown; i++) {
        if (i)
            sb_buf_addz(&names, i + 1 == list->count ? " and " : ", ");
        sb_buf_add_shown(&names, list->names[i], 60);
    }
    if (shown < list->count)
        sb_buf_printf(&names, " and %zu more", list->count - shown);
    return sb_lint_say(f->lint, rule, sb_lint_arg_span(f->lint, f->run, list->first), "%s: %s %s", what,
                       names.data, why);
}

/* --- Asking --- */

/*
 * Of a command that works in a directory below: "/app/web" may be what the context calls web, or app/web.
 * NO: it has such a directory, and the file is not in there; UNKNOWN: it has none.
 */
static sb_there has_below(const sb_frozen *f, const char *name)
{
    enum { COMPONENTS_MAX = 4 };
    sb_slice rest = f->command->directory;
    sb_there there = SB_THERE_UNKNOWN;

    while (sb_slice_ends(rest, SB_LIT("/")))
        rest.len--;
    for (size_t i = 0, end = rest.len; i < COMPONENTS_MAX && end > 0; i++) {
        ptrdiff_t slash = sb_slice_rchr(sb_slice_sub(rest, 0, end), '/');
        sb_slice tail = sb_slice_sub(rest, (size_t)(slash + 1), rest.len);
        sb_slice path = sb_arena_printf(f->lint->arena, "%" SB_FMT "/%s", SB_ARG(tail), name);

        if (sb_lint_has_file(f->lint, path.ptr))
            return SB_THERE_YES;
        if (sb_lint_has_file(f->lint, sb_arena_strdup(f->lint->arena, tail)))
            there = SB_THERE_NO;
        end = slash > 0 ? (size_t)slash : 0;
    }
    return there;
}

/* A repository or archive that was fetched before, or another stage, has files of its own. */
static bool brings_own_files(const sb_frozen *f)
{
    size_t looked_at = 0;

    for (const sb_lint_run *run = f->run + 1; run-- > f->lint->runs && looked_at < SB_LINT_AHEAD_MAX;
         looked_at++) {
        if (!sb_lint_builds_on(f->lint, f->run->stage, run->stage))
            continue;
        for (size_t i = run == f->run ? f->index : run->reading.count;
             i-- > 0 && looked_at < SB_LINT_AHEAD_MAX; looked_at++) {
            const sb_sh_command *command = &run->reading.commands[i];

            if ((sb_sh_is(command, "git") && command->count > 2) ||
                (run == f->run && (sb_sh_is(command, "tar") || sb_sh_is(command, "unzip"))))
                return true;
        }
    }
    for (size_t i = 0; i < f->lint->view->ref_count && i < SB_LINT_AHEAD_MAX; i++) {
        const sb_df_ref *ref = &f->lint->view->refs[i];

        if (ref->kind == SB_REF_COPY && ref->resolved_stage >= 0 &&
            sb_lint_builds_on(f->lint, f->run->stage, ref->stage) &&
            ref->line < f->run->instruction->start_line)
            return true;
    }
    return false;
}

sb_there sb_frozen_has(const sb_frozen *f, const char *name)
{
    const sb_df_instruction *run = f->run->instruction;
    sb_there below;

    for (size_t i = 0; i < run->flag_count; i++)
        if (sb_slice_eqz(run->flags[i].name, "mount") &&
            sb_slice_find(run->flags[i].value, sb_slice_z(name)) >= 0)
            return SB_THERE_YES;
    below = f->lint->context_fd >= 0 ? has_below(f, name) : SB_THERE_UNKNOWN;
    if (sb_lint_copied(f->lint, f->run->stage, run, name))
        return below == SB_THERE_NO ? SB_THERE_UNKNOWN : SB_THERE_YES;
    if (f->lint->context_fd < 0 || (f->run->directory.ptr && !f->command->directory.ptr))
        return SB_THERE_UNKNOWN;
    if (below == SB_THERE_YES)
        return SB_THERE_YES;
    return brings_own_files(f) ? SB_THERE_UNKNOWN : SB_THERE_NO;
}

sb_slice sb_frozen_env(const sb_frozen *f, const char *name)
{
    sb_slice value = SB_NIL;

    for (size_t i = 0; i < f->command->assigned_count; i++)
        if (sb_slice_eqz(f->command->assigned[i].name, name))
            return f->command->assigned[i].value.text;
    for (size_t i = 0; i < f->run->var_count; i++)
        if (sb_slice_eqz(f->run->vars[i].name, name))
            value = f->run->vars[i].value;
    for (size_t i = f->index; i-- > 0 && f->index - i < SB_LINT_AHEAD_MAX;) { /* export NAME=value */
        const sb_sh_command *command = &f->run->reading.commands[i];

        for (size_t j = 1; sb_sh_is(command, "export") && j < command->count; j++) {
            sb_slice set = command->args[j].text, key = sb_slice_cut(&set, '=');

            if (set.ptr && sb_slice_eqz(key, name))
                return set;
        }
    }
    return value;
}

bool sb_frozen_env_true(const sb_frozen *f, const char *name)
{
    sb_slice value = sb_frozen_env(f, name);

    return sb_slice_eqz(value, "1") || sb_slice_eq_nocase(value, SB_LIT("true")) ||
           sb_slice_eq_nocase(value, SB_LIT("yes"));
}

bool sb_frozen_option(const sb_frozen *f, const char *const *options)
{
    for (size_t i = 1; i < f->command->count; i++) {
        sb_slice text = f->command->args[i].text;

        if (!sb_sh_is_option(&f->command->args[i]))
            continue;
        if (sb_slice_eqz(text, "--"))
            break;
        for (const char *const *o = options; *o; o++) {
            sb_slice option = sb_slice_z(*o);

            if (sb_slice_starts(text, option) && (text.len == option.len || text.ptr[option.len] == '='))
                return true;
        }
    }
    return false;
}

const sb_sh_arg *sb_frozen_verb(const sb_frozen *f, size_t from, const char *const *with_value,
                                size_t *ret_at)
{
    sb_operands walk = {.command = f->command, .at = from, .with_value = with_value};
    const sb_sh_arg *arg = sb_operand_next(&walk);

    *ret_at = walk.at;
    return arg;
}

bool sb_version_is_exact(sb_slice version, unsigned min_parts)
{
    unsigned parts = 1;

    if (sb_slice_chr(version, '$') >= 0)
        return true;
    if (version.len && (version.ptr[0] == 'v' || version.ptr[0] == '='))
        version = sb_slice_sub(version, 1, version.len);
    if (!version.len || version.ptr[0] < '0' || version.ptr[0] > '9')
        return false;
    for (size_t i = 0; i < version.len; i++) {
        if (strchr("*<>~^|, ", version.ptr[i]))
            return false;
        if (version.ptr[i] == '.') {
            parts++;
            if (i + 1 < version.len && (version.ptr[i + 1] == 'x' || version.ptr[i + 1] == 'X'))
                return false;
        }
    }
    return parts >= min_parts;
}

/* --- Safe fixes --- */

static bool written_as(const sb_frozen *f, const sb_sh_arg *arg, sb_span *ret_span)
{
    sb_span span = sb_lint_arg_span(f->lint, f->run, arg);

    if (f->run->instruction->json || span.end > f->lint->df->text.len || span.start >= span.end ||
        !sb_slice_eq(sb_slice_sub(f->lint->df->text, span.start, span.end), arg->text))
        return false;
    *ret_span = span;
    return true;
}

void sb_frozen_replace(const sb_frozen *f, sb_finding *finding, const sb_sh_arg *arg, const char *text)
{
    sb_span span;

    if (finding && written_as(f, arg, &span))
        sb_lint_edit(f->lint, finding, span, sb_slice_z(text));
}

void sb_frozen_insert_behind(const sb_frozen *f, sb_finding *finding, const sb_sh_arg *arg, const char *text)
{
    sb_span span;

    if (finding && written_as(f, arg, &span))
        sb_lint_edit(f->lint, finding, (sb_span){span.end, span.end}, sb_slice_z(text));
}
