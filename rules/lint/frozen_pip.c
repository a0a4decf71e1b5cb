// SPDX-License-Identifier: Apache-2.0
/* SB506, SB507: pip and pipx. */
#include <rules/lint/python.h>

static const char *const pip_with_value[] = {
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "--constraints",
    "--requirements",
    "-e",
    "--editable",
    "-t",
    "--target",
    "--platform",
    "--python-version",
    "--implementation",
    "--abi",
    "--root",
    "--prefix",
    "--src",
    "--upgrade-strategy",
    "-C",
    "--config-settings",
    "--config-setting",
    "--global-option",
    "--install-option",
    "--build-option",
    "--no-binary",
    "--only-binary",
    "--progress-bar",
    "--root-user-action",
    "--report",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--log",
    "--proxy",
    "--retries",
    "--timeout",
    "--exists-action",
    "--trusted-host",
    "--cert",
    "--client-cert",
    "--cache-dir",
    "--use-feature",
    "--use-deprecated",
    "--python",
    "--group",
    "--keyring-provider",
    "-w",
    "--wheel-dir",
    "-d",
    "--dest",
    /* of uv pip */
    "--index",
    "--default-index",
    "--index-strategy",
    "--allow-insecure-host",
    "--link-mode",
    "--exclude-newer",
    "--resolution",
    "--prerelease",
    "--override",
    "--extra",
    "--torch-backend",
    "--project",
    "--directory",
    "--build-constraint",
    "-b",
    "-p",
    NULL,
};

/* "name @ git+https://…@REF", "git+https://…@REF#egg=name": the REF, empty without. */
static sb_slice vcs_ref(sb_slice text)
{
    ptrdiff_t scheme = sb_slice_find(text, SB_LIT("://")), hash, at, slash;

    text = sb_slice_sub(text, (size_t)scheme + 3, text.len);
    hash = sb_slice_chr(text, '#');
    if (hash >= 0)
        text.len = (size_t)hash;
    at = sb_slice_rchr(text, '@');
    slash = sb_slice_chr(text, '/');
    if (at < 0 || at < slash) /* "git+ssh://git@host/…" */
        return sb_slice_sub(text, text.len, text.len);
    return sb_slice_sub(text, (size_t)at + 1, text.len);
}

sb_requirement sb_requirement_of(sb_slice text)
{
    ptrdiff_t equals, url = sb_slice_find(text, SB_LIT("://"));
    sb_slice word;
    size_t end = 0;

    if (url >= 0 && sb_slice_find(sb_slice_sub(text, 0, (size_t)url), SB_LIT("git+")) >= 0)
        switch (sb_git_ref_kind_of(vcs_ref(text))) {
        case SB_GIT_REF_BRANCH:
            return SB_REQUIREMENT_GIT_BRANCH;
        case SB_GIT_REF_TAG:
            return SB_REQUIREMENT_GIT_TAG;
        case SB_GIT_REF_COMMIT:
        case SB_GIT_REF_UNKNOWN:
            return SB_REQUIREMENT_PINNED;
        }
    if (url >= 0)
        return sb_url_moves(sb_slice_sub(text, 0, text.len), &word) ? SB_REQUIREMENT_LOOSE
                                                                    : SB_REQUIREMENT_PINNED;
    if (!text.len || strchr("./$`~", text.ptr[0]) || sb_slice_ends(text, SB_LIT(".whl")) ||
        sb_slice_find(text, SB_LIT(".whl[")) >= 0 || sb_slice_ends(text, SB_LIT(".tar.gz")) ||
        sb_slice_ends(text, SB_LIT(".zip")) || sb_slice_starts(text, SB_LIT("file:")))
        return SB_REQUIREMENT_LOCAL;
    equals = sb_slice_find(text, SB_LIT("=="));
    while (end < text.len && !strchr("=<>!~;[ ", text.ptr[end]))
        end++;
    if (equals < 0) /* "dir/sub" is a path */
        return sb_slice_chr(sb_slice_sub(text, 0, end), '/') >= 0 ? SB_REQUIREMENT_LOCAL
                                                                  : SB_REQUIREMENT_LOOSE;
    if (equals > 0 && strchr("<>!~", text.ptr[equals - 1]))
        return SB_REQUIREMENT_LOOSE;
    text = sb_slice_sub(text, (size_t)equals, text.len);
    for (end = 0; end < text.len && text.ptr[end] != ';'; end++)
        if (text.ptr[end] == '*')
            return SB_REQUIREMENT_LOOSE;
    return SB_REQUIREMENT_PINNED;
}

/* "name" of "Name[extra]>=1", for comparing: lower case, "_" and "." as "-". */
sb_slice sb_requirement_name(sb_arena *arena, sb_slice text)
{
    size_t end = 0;
    char *name;

    while (end < text.len && !strchr("=<>!~;[ @\t", text.ptr[end]))
        end++;
    name = sb_arena_strdup(arena, sb_slice_sub(text, 0, end));
    for (size_t i = 0; i < end; i++)
        name[i] = strchr("_.", name[i]) ? '-' : sb_ascii_lower(name[i]);
    return sb_slice_of(name, end);
}

/* --- Options that name files: -r and -c --- */

/* The value of "-r FILE", "-qr FILE", "-rFILE", "--requirement=FILE" when args[i] is it. */
static bool file_option(const sb_sh_command *command, size_t i, char letter, const char *name,
                        const sb_sh_arg **ret_arg, sb_slice *ret_value)
{
    sb_slice text = command->args[i].text, option = sb_slice_z(name), value;

    if (text.len < 2 || text.ptr[0] != '-')
        return false;
    if (text.ptr[1] == letter)
        value = sb_slice_sub(text, 2, text.len);
    else if (text.ptr[1] != '-' && text.ptr[text.len - 1] == letter && sb_slice_chr(text, '=') < 0)
        value = sb_slice_sub(text, text.len, text.len);
    else if (sb_slice_starts(text, option))
        value = sb_slice_sub(text, option.len, text.len);
    else
        return false;
    if (sb_slice_starts(value, SB_LIT("s"))) /* uv has them in the plural too */
        value = text.ptr[1] == '-' ? sb_slice_sub(value, 1, value.len) : value;
    if (sb_slice_starts(value, SB_LIT("="))) {
        value = sb_slice_sub(value, 1, value.len);
    } else if (!value.len) {
        if (i + 1 >= command->count)
            return false;
        i++;
        value = command->args[i].text;
    } else if (text.ptr[1] == '-') {
        return false; /* another option that begins like it */
    }
    *ret_arg = &command->args[i];
    *ret_value = value;
    return true;
}

typedef struct pip_files {
    bool constrained;           /* -c is given */
    sb_constraints constraints; /* what could be read of it */
} pip_files;

static void look_at_files(const sb_frozen *f, size_t at, pip_files *files)
{
    const sb_sh_arg *arg;
    sb_slice value;

    for (size_t i = at; i < f->command->count; i++)
        if (file_option(f->command, i, 'c', "--constraint", &arg, &value)) {
            files->constrained = true;
            sb_constraints_read(f, value, &files->constraints);
        }
    for (size_t i = at; i < f->command->count; i++)
        if (file_option(f->command, i, 'r', "--requirement", &arg, &value))
            sb_requirements_look(f, arg, value, files->constrained ? &files->constraints : NULL);
}

static bool is_constrained(const sb_frozen *f, const pip_files *files, sb_slice text)
{
    if (!files->constrained)
        return false;
    return !files->constraints.read ||
           sb_constraints_pin(&files->constraints, sb_requirement_name(f->lint->arena, text));
}

/* -e git+https://…@main: the only value of an option that is fetched. */
static void look_at_editable(const sb_frozen *f, size_t at, sb_unpinned *list, sb_unpinned *tags)
{
    const sb_sh_arg *arg;
    sb_slice value;

    for (size_t i = at; i < f->command->count; i++)
        if (file_option(f->command, i, 'e', "--editable", &arg, &value)) {
            sb_requirement kind = sb_requirement_of(value);

            if (kind == SB_REQUIREMENT_GIT_BRANCH)
                sb_unpinned_add(list, arg, value);
            else if (kind == SB_REQUIREMENT_GIT_TAG)
                sb_unpinned_add(tags, arg, value);
        }
}

void sb_frozen_pip_install(const sb_frozen *f, size_t at, const char *what)
{
    static const char *const hashes[] = {"--require-hashes", "--no-index", NULL};
    sb_operands walk = {.command = f->command, .at = at, .with_value = pip_with_value};
    sb_unpinned list = {0}, tags = {0};
    pip_files files = {0};
    const sb_sh_arg *arg;

    /* With hashes pip itself refuses what is not pinned; without an index nothing is downloaded. */
    if (sb_frozen_option(f, hashes) || sb_frozen_env_true(f, "PIP_REQUIRE_HASHES") ||
        sb_frozen_env_true(f, "PIP_NO_INDEX"))
        return;
    files.constrained = sb_frozen_env(f, "PIP_CONSTRAINT").len > 0;
    look_at_files(f, at, &files);
    look_at_editable(f, at, &list, &tags);
    while ((arg = sb_operand_next(&walk))) {
        sb_requirement kind = sb_requirement_of(arg->text);

        if (kind == SB_REQUIREMENT_GIT_TAG)
            sb_unpinned_add(&tags, arg, arg->text);
        else if (kind == SB_REQUIREMENT_GIT_BRANCH ||
                 (kind == SB_REQUIREMENT_LOOSE && !is_constrained(f, &files, arg->text)))
            sb_unpinned_add(&list, arg, arg->text);
    }
    sb_unpinned_say(f, &sb506, &list, what,
                    list.count > 1 ? "have no exact version" : "has no exact version");
    sb_unpinned_say(f, &sb520, &tags, what, "is taken at a tag");
}

void sb_frozen_pip(const sb_frozen *f)
{
    static const char *const before_verb[] = {"--log",     "--proxy",   "--python", "--cache-dir",
                                              "--timeout", "--retries", "--cert",   NULL};
    size_t at;
    const sb_sh_arg *verb = sb_frozen_verb(f, 1, before_verb, &at);

    if (verb && sb_word_in(verb->text, "install download wheel"))
        sb_frozen_pip_install(f, at, "pip install");
}

void sb_frozen_python(const sb_frozen *f)
{
    static const char *const python_with_value[] = {"-W", "-X", NULL};

    for (size_t i = 1; i + 2 < f->command->count; i++) {
        sb_slice text = f->command->args[i].text;

        if (sb_slice_eqz(text, "-c") || !sb_sh_is_option(&f->command->args[i]))
            return;
        if (sb_word_in(text, "-W -X"))
            i++;
        else if (sb_slice_ends(text, SB_LIT("m")) && sb_slice_eqz(f->command->args[i + 1].text, "pip")) {
            size_t at;
            const sb_sh_arg *verb = sb_frozen_verb(f, i + 2, python_with_value, &at);

            if (verb && sb_word_in(verb->text, "install download wheel"))
                sb_frozen_pip_install(f, at, "pip install");
            return;
        }
    }
}

/* pipx install name==1.2; --spec says what is really installed. */
void sb_frozen_pipx(const sb_frozen *f)
{
    static const char *const with_value[] = {"--spec",   "--python",     "--pip-args", "--index-url", "-i",
                                             "--suffix", "--preinstall", "--backend",  NULL};
    sb_operands walk = {.command = f->command, .at = 1, .with_value = with_value};
    const sb_sh_arg *verb = sb_operand_next(&walk), *arg = NULL;
    sb_unpinned list = {0};
    sb_slice spec;

    if (!verb || !sb_word_in(verb->text, "install run inject"))
        return;
    if (sb_slice_eqz(verb->text, "inject"))
        sb_operand_next(&walk);
    if (sb_sh_option_value(f->command, "--spec", &spec) && sb_requirement_of(spec) != SB_REQUIREMENT_LOOSE)
        return;
    while ((arg = sb_operand_next(&walk))) {
        sb_requirement kind = sb_requirement_of(arg->text);

        if (kind == SB_REQUIREMENT_LOOSE || kind == SB_REQUIREMENT_GIT_BRANCH)
            sb_unpinned_add(&list, arg, arg->text);
        if (sb_slice_eqz(verb->text, "run"))
            break; /* the rest is the program's */
    }
    sb_unpinned_say(f, &sb506, &list, "pipx",
                    list.count > 1 ? "have no exact version" : "has no exact version");
}
