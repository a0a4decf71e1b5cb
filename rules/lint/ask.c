// SPDX-License-Identifier: Apache-2.0
/* Questions that several families have about commands and about the files of the context. */
#include <rules/lint/internal.h>

#include <fcntl.h>
#include <fnmatch.h>
#include <unistd.h>

#include <sbuild/fs.h>

/* --- Commands --- */

bool sb_sh_is(const sb_sh_command *command, const char *name)
{
    return sb_slice_eqz(command->name, name);
}

bool sb_sh_is_wrapped(const sb_sh_command *command, const char *name)
{
    for (size_t i = 0; i < command->wrapper_count; i++)
        if (sb_slice_eqz(command->wrappers[i], name))
            return true;
    return false;
}

bool sb_sh_has_word(const sb_sh_command *command, const char *word)
{
    for (size_t i = 1; i < command->count; i++)
        if (sb_slice_eqz(command->args[i].text, word))
            return true;
    return false;
}

bool sb_sh_has_letter(const sb_sh_command *command, char letter)
{
    for (size_t i = 1; i < command->count; i++) {
        sb_slice text = command->args[i].text;

        if (text.len > 1 && text.ptr[0] == '-' && text.ptr[1] != '-' && sb_slice_chr(text, letter) > 0)
            return true;
    }
    return false;
}

/* Letters of short options that take a value, which may follow at once: "-okernel" is no "-k". */
static const struct {
    const char *command, *letters;
} value_letters[] = {
    {"curl", "AbcCdDeEFhHKmoPQrtTuUwxXyYz"},
    {"wget", "aeiBotOTwQPUlARDIX"},
    {"tar", "fCTXbIKLNVgH"},
    {"apt-get", "cotaP"},
    {"apt", "cotaP"},
    {"apk", "pXt"},
    {"git", "Cc"},
    {"pip", "rcetipf"},
    {"pip3", "rcetipf"},
    {"unzip", "dPx"},
    {"gpg", "uroN"},
    {"gpg2", "uroN"},
    {"sudo", "ugpCrtTUhD"},
    {"useradd", "bcdefgGkKpRsuZ"},
    {"adduser", "hgsGuk"},
    {"chmod", ""},
    {"install", "gmotS"},
};

static bool takes_value(const sb_sh_command *command, char letter)
{
    for (size_t i = 0; i < SB_COUNT(value_letters); i++)
        if (sb_slice_eqz(command->name, value_letters[i].command))
            return letter && strchr(value_letters[i].letters, letter);
    return false;
}

/*
 * Is the option in this argument? *ret_value is what follows it in the same argument ("-ox", "--output=x"),
 * absent when nothing does.
 */
static bool arg_has_option(const sb_sh_command *command, sb_slice arg, sb_slice option, sb_slice *ret_value)
{
    *ret_value = SB_NIL;
    if (option.len > 2) { /* "--output", or "-name" as find has it */
        if (!sb_slice_starts(arg, option))
            return false;
        if (arg.len > option.len && arg.ptr[option.len] == '=')
            *ret_value = sb_slice_sub(arg, option.len + 1, arg.len);
        return arg.len == option.len || ret_value->ptr;
    }
    if (option.len < 2 || arg.len < 2 || arg.ptr[0] != '-' || arg.ptr[1] == '-')
        return false;
    for (size_t i = 1; i < arg.len; i++) {
        if (arg.ptr[i] == option.ptr[1]) {
            if (i + 1 < arg.len)
                *ret_value = sb_slice_sub(arg, i + 1, arg.len);
            return true;
        }
        if (takes_value(command, arg.ptr[i]))
            return false;
    }
    return false;
}

/* The argument is the value of the one before it: "-o x". */
static bool is_value_word(const sb_sh_command *command, size_t index)
{
    sb_slice before = index > 1 ? command->args[index - 1].text : SB_NIL;

    if (before.len < 2 || before.ptr[0] != '-' || before.ptr[1] == '-')
        return false;
    for (size_t i = 1; i < before.len; i++)
        if (takes_value(command, before.ptr[i]))
            return i + 1 == before.len && !is_value_word(command, index - 1);
    return false;
}

static const sb_sh_arg *find_option(const sb_sh_command *command, const char *option, sb_slice *ret_value,
                                    size_t *ret_index)
{
    sb_slice wanted = sb_slice_z(option);
    bool is_value = false;

    for (size_t i = 1; i < command->count; i++) {
        sb_slice arg = command->args[i].text;

        is_value = !is_value && is_value_word(command, i);
        if (is_value)
            continue;
        if (sb_slice_eqz(arg, "--"))
            return NULL;
        if (arg.len && arg.ptr[0] == '-' && arg_has_option(command, arg, wanted, ret_value)) {
            *ret_index = i;
            return &command->args[i];
        }
    }
    return NULL;
}

bool sb_sh_has_option(const sb_sh_command *command, const char *option, const sb_sh_arg **ret_arg)
{
    size_t index;
    sb_slice value;
    const sb_sh_arg *arg = find_option(command, option, &value, &index);

    if (arg && ret_arg)
        *ret_arg = arg;
    return arg != NULL;
}

const sb_sh_arg *sb_sh_option_value(const sb_sh_command *command, const char *option, sb_slice *ret_value)
{
    size_t index;
    sb_slice value;
    const sb_sh_arg *arg = find_option(command, option, &value, &index);

    if (!arg)
        return NULL;
    if (!value.ptr) {
        if (index + 1 >= command->count)
            return NULL;
        arg = &command->args[index + 1];
        value = arg->text;
    }
    *ret_value = value;
    return arg;
}

static bool is_listed(const char *const *list, sb_slice text)
{
    for (; list && *list; list++)
        if (sb_slice_eqz(text, *list))
            return true;
    return false;
}

sb_slice sb_sh_verb(const sb_sh_command *command, const char *const *with_value, size_t *ret_index)
{
    for (size_t i = 1; i < command->count; i++) {
        sb_slice arg = command->args[i].text;

        if (is_listed(with_value, arg)) {
            i++;
            continue;
        }
        if (arg.len > 1 && arg.ptr[0] == '-')
            continue;
        if (ret_index)
            *ret_index = i;
        return arg;
    }
    return SB_NIL;
}

/* --- Files of the context --- */

static void read_ignore(const sb_lint *lint)
{
    struct sb_lint_private *own = lint->private;
    static const char *const shared = ".dockerignore";
    enum { IGNORE_MAX = 1 << 20 };
    sb_autofree char *data = NULL;
    const char *name = own->ignore_name;
    bool missing = true;
    size_t len = 0;

    own->ignore_read = true;
    /* A file that cannot be read or parsed is for `sbuild build` to complain about. */
    if (own->ignore_name && own->dirfd >= 0 &&
        sb_read_file(own->dirfd, name, IGNORE_MAX, &data, &len, &missing, NULL) < 0 && !missing)
        return;
    if (missing && sb_read_file(lint->context_fd, name = shared, IGNORE_MAX, &data, &len, &missing, NULL) < 0)
        return;
    sb_ignore_parse(sb_slice_of(data, len), name, &own->ignore, NULL);
}

const sb_ignore *sb_lint_ignore(const sb_lint *lint)
{
    if (!lint->private->ignore_read && lint->context_fd >= 0)
        read_ignore(lint);
    return lint->private->ignore;
}

bool sb_lint_has_file(const sb_lint *lint, const char *path)
{
    sb_slice text = sb_slice_z(path);
    sb_autoclose int fd = -1;
    bool missing;

    while (sb_slice_starts(text, SB_LIT("./")))
        text = sb_slice_sub(text, 2, text.len);
    if (lint->context_fd < 0 || !sb_path_is_plain(text))
        return false;
    fd = sb_open_within(lint->context_fd, text.ptr, O_PATH, 0, &missing, NULL);
    if (fd < 0)
        return false;
    return !sb_lint_ignore(lint) || !sb_ignore_matches(lint->private->ignore, text);
}

/* --- Was it copied? --- */

struct sb_lint_known { /* the first instruction of a stage that brings a file of this name */
    const char *name;
    size_t first; /* index among the file's instructions; SIZE_MAX: none */
    sb_lint_known *next;
};

sb_slice sb_lint_base_name(sb_slice path)
{
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    return sb_path_last(path);
}

/* A source that is a directory brings the file if it is in there; without a context, anything may be. */
static bool source_brings(const sb_lint *lint, sb_slice source, const char *name)
{
    sb_autofree char *pattern = NULL, *path = NULL;
    sb_slice base = sb_lint_base_name(source);

    while (sb_slice_starts(source, SB_LIT("/")) || sb_slice_starts(source, SB_LIT("./")))
        source = sb_slice_sub(source, source.ptr[0] == '/' ? 1 : 2, source.len);
    while (sb_slice_ends(source, SB_LIT("/")))
        source.len--;
    if (sb_slice_eqz(source, "."))
        source.len = 0;
    if (sb_slice_eqz(base, name))
        return true;
    pattern = sb_slice_dup(base);
    if (strpbrk(pattern, "*?[") && fnmatch(pattern, name, 0) == 0)
        return true;
    if (lint->context_fd < 0)
        return !source.len;
    path = sb_asprintf("%" SB_FMT "%s%s", SB_ARG(source), source.len ? "/" : "", name);
    return sb_lint_has_file(lint, path);
}

static bool copy_brings(const sb_lint *lint, const sb_df_instruction *ins, const sb_df_expanded *expanded,
                        const char *name)
{
    bool given = expanded->count == ins->arg_count;

    if (ins->arg_count < 2)
        return false;
    if (ins->arg_count == 2 &&
        sb_slice_eqz(sb_lint_base_name(given ? expanded->words[1] : ins->args[1].text), name))
        return true;
    if (sb_df_find_flag(ins, "from"))
        return false;
    for (size_t i = 0; i + 1 < ins->arg_count; i++)
        if (source_brings(lint, given ? expanded->words[i] : ins->args[i].text, name))
            return true;
    return false;
}

static size_t first_of_stage(const sb_lint *lint, int stage, const char *name)
{
    struct sb_lint_private *own = lint->private;
    const sb_dockerfile *df = lint->df;
    sb_lint_known *known;

    if (!own->known) /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
        own->known = sb_arena_array(lint->arena, sb_lint_known *, lint->stage_count);
    for (known = own->known[stage]; known; known = known->next)
        if (strcmp(known->name, name) == 0)
            return known->first;
    known = sb_arena_new_of(lint->arena, sb_lint_known);
    *known = (sb_lint_known){
        .name = sb_arena_strdup(lint->arena, sb_slice_z(name)), .first = SIZE_MAX, .next = own->known[stage]};
    for (size_t i = lint->view->stages[stage].from + 1;
         i < df->instruction_count && df->instructions[i].keyword != SB_DF_FROM && known->first == SIZE_MAX;
         i++) {
        const sb_df_instruction *ins = &df->instructions[i];

        if ((ins->keyword == SB_DF_COPY || ins->keyword == SB_DF_ADD) &&
            copy_brings(lint, ins, &lint->view->expanded[i], name))
            known->first = i;
    }
    own->known[stage] = known;
    return known->first;
}

/* RUN --mount=type=bind,source=package-lock.json,… has it for this one RUN. */
static bool mount_brings(const sb_df_instruction *ins, const char *name)
{
    for (size_t i = 0; i < ins->flag_count; i++) {
        sb_slice rest = ins->flags[i].value, field;

        if (!sb_slice_eqz(ins->flags[i].name, "mount"))
            continue;
        while ((field = sb_slice_cut(&rest, ',')).ptr) {
            sb_slice value = field, key = sb_slice_cut(&value, '=');

            if (value.ptr && sb_slice_eqz(sb_lint_base_name(value), name) &&
                (sb_slice_eqz(key, "source") || sb_slice_eqz(key, "src") || sb_slice_eqz(key, "target") ||
                 sb_slice_eqz(key, "dst") || sb_slice_eqz(key, "destination")))
                return true;
        }
    }
    return false;
}

bool sb_lint_copied(const sb_lint *lint, int stage, const sb_df_instruction *before, const char *name)
{
    const sb_df_view *view = lint->view;
    size_t first;

    if (stage < 0 || (size_t)stage >= lint->stage_count)
        return false;
    if (before && before->keyword == SB_DF_RUN && mount_brings(before, name))
        return true;
    first = first_of_stage(lint, stage, name);
    if (first != SIZE_MAX && (!before || lint->df->instructions[first].start_line < before->start_line))
        return true;
    while (view->stages[stage].base_kind == SB_BASE_STAGE) {
        stage = view->stages[stage].base_stage;
        if (first_of_stage(lint, stage, name) != SIZE_MAX)
            return true;
    }
    return false;
}
