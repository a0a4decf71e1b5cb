// SPDX-License-Identifier: Apache-2.0
/*
 * Secrets in RUN: given to commands, written to files, taken from where they are mounted. What a variable
 * holds is known by its name and by where it comes from: ARG and ENV are kept in the image, a secret mount
 * is not, but a file that is made of it is.
 */
#include <rules/lint/operands.h>
#include <rules/lint/secrets.h>
#include <rules/lint/secrets_tables.h>

enum { MOUNTS_MAX = 20, NAMES_MAX = 20, WORD_MAX = 65536 };

typedef enum origin {
    FROM_NOWHERE,
    FROM_BUILD, /* an ARG or ENV */
    FROM_MOUNT, /* a secret mount: its file, or a variable that has what is in it */
} origin;

typedef struct use { /* of a secret in a word */
    origin from;
    sb_slice name; /* of the variable or the file */
} use;

typedef struct run_search {
    sk_search *s;
    const sb_lint_run *run;
    sb_slice files[MOUNTS_MAX]; /* where secrets are mounted */
    size_t file_count;
    sb_slice fleeting[MOUNTS_MAX]; /* directories in memory: nothing of them is kept */
    size_t fleeting_count;
    sb_slice names[NAMES_MAX]; /* variables that hold what is mounted */
    size_t name_count;
} run_search;

/* --- Mounts --- */

static void add_mount(run_search *r, sb_slice options)
{
    sb_slice id = SB_NIL, target = SB_NIL, env = SB_NIL, field;
    bool secret = false, memory = false;

    while ((field = sb_slice_cut(&options, ',')).ptr) {
        sb_slice value = field, key = sb_slice_cut(&value, '=');

        if (sb_slice_eq_nocase(key, SB_LIT("type"))) {
            secret = sb_slice_eqz(value, "secret");
            memory = sb_slice_eqz(value, "tmpfs");
        }
        if (sb_slice_eq_nocase(key, SB_LIT("id")))
            id = value;
        else if (sb_slice_eq_nocase(key, SB_LIT("target")) || sb_slice_eq_nocase(key, SB_LIT("dst")) ||
                 sb_slice_eq_nocase(key, SB_LIT("destination")))
            target = value;
        else if (sb_slice_eq_nocase(key, SB_LIT("env")))
            env = value;
    }
    if (memory && target.len && r->fleeting_count < MOUNTS_MAX)
        r->fleeting[r->fleeting_count++] = target;
    if (!secret)
        return;
    if (env.ptr && r->name_count < NAMES_MAX)
        r->names[r->name_count++] = env;
    if (!target.ptr && id.ptr && !env.ptr)
        target = sb_arena_printf(r->s->lint->arena, "/run/secrets/%" SB_FMT, SB_ARG(id));
    if (target.len && r->file_count < MOUNTS_MAX)
        r->files[r->file_count++] = target;
}

static void read_mounts(run_search *r)
{
    for (size_t i = 0; i < r->run->instruction->flag_count; i++)
        if (sb_slice_eqz(r->run->instruction->flags[i].name, "mount"))
            add_mount(r, r->run->instruction->flags[i].value);
}

/* --- What a word uses --- */

static bool is_name_char(char c)
{
    return sb_ascii_is_alnum(c) || c == '_';
}

/* The bytes of the RUN that the word was written as. */
static sb_slice written(const run_search *r, sb_span span)
{
    if (span.start > span.end || span.end > r->run->text.len || span.end - span.start > WORD_MAX)
        return SB_LIT("");
    return sb_slice_sub(r->run->text, span.start, span.end);
}

static bool is_in_force(const run_search *r, sb_slice name)
{
    for (size_t i = 0; i < r->run->var_count; i++)
        if (sb_slice_eq(r->run->vars[i].name, name))
            return true;
    return false;
}

static bool is_mounted_name(const run_search *r, sb_slice name)
{
    for (size_t i = 0; i < r->name_count; i++)
        if (sb_slice_eq(r->names[i], name))
            return true;
    return false;
}

static use of_variable(const run_search *r, sb_slice name)
{
    if (is_mounted_name(r, name))
        return (use){FROM_MOUNT, name};
    if (sk_is_secret_name(name) && is_in_force(r, name))
        return (use){FROM_BUILD, name};
    return (use){FROM_NOWHERE, SB_NIL};
}

/* Does the text, as the shell left it, still have the variable in it? Then it stood in single quotes or
 * behind a backslash, and whoever reads the file puts the value in. */
static bool is_left_alone(const sb_sh_arg *arg, sb_slice reference)
{
    return arg->known && sb_slice_find(arg->text, reference) >= 0;
}

static use of_file(const run_search *r, sb_slice text)
{
    for (size_t i = 0; i < r->file_count; i++)
        if (sb_slice_find(text, r->files[i]) >= 0)
            return (use){FROM_MOUNT, r->files[i]};
    return (use){FROM_NOWHERE, SB_NIL};
}

/* The first secret that the word expands: "$NAME", "${NAME}", "$(cat /run/secrets/name)". */
static use used_by(const run_search *r, const sb_sh_arg *arg)
{
    sb_slice text = written(r, arg->span);
    use found = {FROM_NOWHERE, SB_NIL};

    for (size_t i = 0; i + 1 < text.len; i++) {
        size_t start = i + 1 + (text.ptr[i + 1] == '{'), end = start;

        if (text.ptr[i] != '$')
            continue;
        while (end < text.len && is_name_char(text.ptr[end]))
            end++;
        if (end > start) {
            found = of_variable(r, sb_slice_sub(text, start, end));
            if (found.from && !is_left_alone(arg, sb_slice_sub(text, i, end)))
                return found;
        }
    }
    if (arg->fetched && (sb_slice_find(text, SB_LIT("$(")) >= 0 || memchr(text.ptr, '`', text.len)))
        return of_file(r, text);
    return (use){FROM_NOWHERE, SB_NIL};
}

/* TOKEN=$(cat /run/secrets/token) and TOKEN="$OTHER": the name holds the secret from here on. */
static void follow_assignments(run_search *r, const sb_sh_command *command)
{
    for (size_t i = 0; i < command->assigned_count; i++) {
        const sb_sh_assigned *a = &command->assigned[i];
        use u = used_by(r, &a->value);

        if (u.from == FROM_MOUNT && r->name_count < NAMES_MAX && !is_mounted_name(r, a->name))
            r->names[r->name_count++] = a->name;
    }
    if (!sb_sh_is(command, "export") && !sb_sh_is(command, "declare") && !sb_sh_is(command, "local"))
        return;
    for (size_t i = 1; i < command->count; i++) {
        sb_slice value = command->args[i].text, name = sb_slice_cut(&value, '=');

        if (value.ptr && used_by(r, &command->args[i]).from == FROM_MOUNT && r->name_count < NAMES_MAX &&
            !is_mounted_name(r, name))
            r->names[r->name_count++] = name;
    }
}

/* --- Given as they are --- */

static bool has_variable(const run_search *r, sb_span span)
{
    sb_slice text = written(r, span);

    return text.len && (memchr(text.ptr, '$', text.len) || memchr(text.ptr, '`', text.len));
}

/* Where the secret stands in the file: in its word, where that can be told, else the whole word. */
static sb_span place_of(const run_search *r, const sb_sh_arg *arg, sb_slice secret)
{
    sb_span span = sb_lint_arg_span(r->s->lint, r->run, arg);
    sb_slice bytes = sb_slice_sub(r->s->lint->df->text, span.start, span.end);
    ptrdiff_t at = -1;

    for (size_t i = bytes.len; secret.len && i >= secret.len && at < 0; i--)
        if (sb_slice_eq(sb_slice_sub(bytes, i - secret.len, i), secret))
            at = (ptrdiff_t)(i - secret.len);
    if (at < 0)
        return span;
    return (sb_span){span.start + (size_t)at, span.start + (size_t)at + secret.len};
}

static void tell_literal(run_search *r, const sb_sh_command *command, const sb_sh_arg *arg, sb_slice secret,
                         const char *what)
{
    sb_span span;
    sb_slice name = sb_slice_z("value");

    if (!arg->known || has_variable(r, arg->span) || !sk_is_real_value(name, secret))
        return;
    span = place_of(r, arg, secret);
    sb_lint_hide(r->s->lint, span);
    if (sk_is_known(r->s, span))
        return;
    sk_say(r->s, &sk_command_line, r->run->stage, span,
           "%s is given %s as it is: the image's history keeps it",
           command->name.len ? sb_lint_shown(r->s->lint, command->name) : "the shell", what);
}

static bool has_verb(const sb_sh_command *command, const char *verbs)
{
    sb_slice rest = sb_slice_z(verbs);
    size_t at = 1;

    while (rest.len) {
        sb_slice word = sb_slice_cut(&rest, ' ');

        while (at < command->count && !sb_slice_eq(command->args[at].text, word))
            at++;
        if (at++ >= command->count)
            return false;
    }
    return true;
}

/* "user:password": what is behind the colon; the whole when the option takes a password alone. */
static sb_slice secret_part(const sk_password_option *option, sb_slice value)
{
    ptrdiff_t at;

    switch (option->form) {
    case SK_FORM_USER_AND_PASSWORD:
        at = sb_slice_chr(value, ':');
        return at >= 0 ? sb_slice_sub(value, (size_t)at + 1, value.len) : SB_LIT("");
    case SK_FORM_USER_COMMA_PASSWORD:
        at = sb_slice_chr(value, ',');
        return at >= 0 ? sb_slice_sub(value, (size_t)at + 1, value.len) : SB_LIT("");
    case SK_FORM_PASS_PREFIX:
        return sb_slice_starts(value, SB_LIT("pass:")) ? sb_slice_sub(value, 5, value.len) : SB_LIT("");
    case SK_FORM_HEADER:
        return sk_header_secret(value);
    case SK_FORM_PLAIN:
        break;
    }
    return value;
}

/* "-psecret" only: "-p" alone asks, and what is behind it is a database. */
static const sb_sh_arg *attached_value(const sb_sh_command *command, const char *option, sb_slice *ret_value)
{
    size_t len = strlen(option);

    for (size_t i = 1; i < command->count; i++) {
        sb_slice text = command->args[i].text;

        if (text.len <= len || !sb_slice_starts(text, sb_slice_z(option)))
            continue;
        *ret_value = sb_slice_sub(text, len, text.len);
        return &command->args[i];
    }
    return NULL;
}

static void check_options(run_search *r, const sb_sh_command *command)
{
    for (const sk_password_option *o = sk_password_options; o->command; o++) {
        const sb_sh_arg *arg;
        sb_slice value;

        if (!sb_word_in(command->name, o->command) || !has_verb(command, o->verbs))
            continue;
        arg = o->attached ? attached_value(command, o->option, &value)
                          : sb_sh_option_value(command, o->option, &value);
        if (!arg || !value.len)
            continue;
        tell_literal(r, command, arg, secret_part(o, value), o->what);
    }
}

static void check_operands(run_search *r, const sb_sh_command *command)
{
    for (const sk_password_operand *o = sk_password_operands; o->command; o++) {
        const sb_sh_arg *arg;
        size_t at = 0;

        if (!sb_word_in(command->name, o->command) || !has_verb(command, o->verbs))
            continue;
        /* Counted from the last verb on. */
        for (sb_slice rest = sb_slice_z(o->verbs); rest.len;) {
            sb_slice word = sb_slice_cut(&rest, ' ');

            while (at < command->count && !sb_slice_eq(command->args[at].text, word))
                at++;
        }
        if (o->behind) {
            while (at < command->count && sb_slice_find(command->args[at].text, sb_slice_z(o->behind)) < 0)
                at++;
        }
        at += o->nth;
        if (at >= command->count)
            continue;
        arg = &command->args[at];
        if (!sb_sh_is_option(arg))
            tell_literal(r, command, arg, arg->text, o->what);
        return; /* `npm config set` is also an `npm set` */
    }
}

/* PGPASSWORD=… psql, export API_TOKEN=… */
static void check_assignments(run_search *r, const sb_sh_command *command)
{
    for (size_t i = 0; i < command->assigned_count; i++)
        if (sk_is_secret_name(command->assigned[i].name))
            tell_literal(
                r, command, &command->assigned[i].value, command->assigned[i].value.text,
                sb_arena_printf(r->s->lint->arena, "the variable %" SB_FMT, SB_ARG(command->assigned[i].name))
                    .ptr);
    if (!sb_sh_is(command, "export"))
        return;
    for (size_t i = 1; i < command->count; i++) {
        sb_slice value = command->args[i].text, name = sb_slice_cut(&value, '=');

        if (value.ptr && sk_is_secret_name(name))
            tell_literal(r, command, &command->args[i], value,
                         sb_arena_printf(r->s->lint->arena, "the variable %" SB_FMT, SB_ARG(name)).ptr);
    }
}

/* echo root:secret | chpasswd: SB110 tells it, and here it is hidden. */
static void hide_chpasswd(run_search *r, const sb_sh_reading *reading, size_t at)
{
    const sb_sh_command *command = &reading->commands[at];

    for (size_t i = 0; i < at && sb_sh_is(command, "chpasswd"); i++) {
        const sb_sh_command *echo = &reading->commands[i];
        const sb_sh_arg *last = echo->count > 1 ? &echo->args[echo->count - 1] : NULL;
        ptrdiff_t colon = last ? sb_slice_chr(last->text, ':') : -1;

        if (echo->pipeline == command->pipeline && colon > 0)
            sb_lint_hide(r->s->lint, place_of(r, last,
                                              sb_slice_trim(sb_slice_sub(last->text, (size_t)colon + 1,
                                                                         last->text.len))));
    }
}

/* echo secret | docker login --password-stdin: the pipe keeps it from ps, not from the history. */
static void check_piped(run_search *r, const sb_sh_reading *reading, size_t at)
{
    const sb_sh_command *command = &reading->commands[at];
    const sb_sh_arg *last = command->count > 1 ? &command->args[command->count - 1] : NULL;

    if (!last || command->last || !sb_word_in(command->name, "echo printf"))
        return;
    for (size_t i = at + 1; i < reading->count && i - at < SB_LINT_AHEAD_MAX; i++) {
        const sb_sh_command *next = &reading->commands[i];

        if (next->pipeline != command->pipeline)
            continue;
        if (sb_sh_has_option(next, "--password-stdin", NULL) || sb_sh_has_option(next, "--with-token", NULL))
            tell_literal(r, next, last, sb_slice_trim(last->text), "a password");
        return;
    }
}

/* "machine HOST login USER password SECRET", of a .netrc. */
static void check_netrc(run_search *r, const sb_sh_command *command, const sb_sh_arg *arg)
{
    sb_slice text = arg->text;
    bool password = false;

    if (!sb_slice_starts(sb_slice_trim(text), SB_LIT("machine ")))
        return;
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        sb_slice word;

        while (end < text.len && !strchr(" \t\n\\", text.ptr[end]))
            end++;
        word = sb_slice_sub(text, at, end);
        if (password && word.len)
            tell_literal(r, command, arg, word, "a password");
        if (word.len)
            password = sb_slice_eqz(word, "password");
        at = end + 1 + (end + 1 < text.len && text.ptr[end] == '\\'); /* "\\n" */
    }
}

static void check_netrc_words(run_search *r, const sb_sh_command *command)
{
    if (!sb_word_in(command->name, "echo printf cat tee"))
        return;
    for (size_t i = 1; i < command->count; i++)
        check_netrc(r, command, &command->args[i]);
    for (size_t i = 0; i < command->file_count; i++)
        if (sb_slice_starts(command->files[i].op, SB_LIT("<<")))
            check_netrc(r, command, &command->files[i].target);
}

/* --- Put into files --- */

typedef struct target { /* where a secret ends up */
    sb_slice path;      /* or what it is, for people: "git's configuration" */
    const char *config; /* the command whose configuration it is; NULL: a file */
} target;

static bool is_kept(const run_search *r, sb_slice path)
{
    for (size_t i = 0; i < r->fleeting_count; i++)
        if (sb_slice_starts(path, r->fleeting[i]))
            return false;
    return path.len && !sb_slice_starts(path, SB_LIT("/dev/")) && !sb_slice_starts(path, SB_LIT("/proc/")) &&
           !sb_slice_starts(path, SB_LIT("/run/")) && !sb_slice_starts(path, SB_LIT("&"));
}

static bool redirects_to_file(const run_search *r, const sb_sh_command *command, sb_slice *ret_path)
{
    for (size_t i = 0; i < command->file_count; i++) {
        const sb_sh_file *file = &command->files[i];

        if (file->fd == 2 || !file->op.len || !memchr(file->op.ptr, '>', file->op.len) ||
            sb_slice_eqz(file->op, ">&") || !is_kept(r, file->target.text))
            continue;
        *ret_path = file->target.text;
        return true;
    }
    return false;
}

/* tee's file, or the one that a command at the end of the pipe is redirected to. */
static bool pipes_to_file(const run_search *r, const sb_sh_reading *reading, size_t at, sb_slice *ret_path)
{
    static const char *const passes_on = "base64 tee sed tr cat envsubst gunzip sponge";

    for (size_t i = at + 1; i < reading->count; i++) {
        const sb_sh_command *next = &reading->commands[i];
        sb_operands walk = {.command = next, .at = 1};
        const sb_sh_arg *arg;

        if (next->pipeline != reading->commands[at].pipeline)
            continue;
        if (!sb_word_in(next->name, passes_on))
            return false;
        if (redirects_to_file(r, next, ret_path))
            return true;
        arg = sb_sh_is(next, "tee") ? sb_operand_next(&walk) : NULL;
        if (arg && is_kept(r, arg->text)) {
            *ret_path = arg->text;
            return true;
        }
    }
    return false;
}

/* `npm config set`, `git config`, `git clone https://…@…`: files that the command itself knows. */
static bool configures(const sb_sh_command *command, const sb_sh_arg *arg, target *ret_target)
{
    for (const sk_config_command *c = sk_config_commands; c->command; c++) {
        if (!sb_word_in(command->name, c->command) || !has_verb(command, c->verbs))
            continue;
        if (c->in_url &&
            (sb_slice_find(arg->text, SB_LIT("://")) < 0 || !memchr(arg->text.ptr, '@', arg->text.len)))
            continue;
        *ret_target = (target){.path = sb_slice_z(c->where), .config = c->command};
        return true;
    }
    return false;
}

/* Does a later command of the same RUN take it away again? */
static bool is_taken_away(const sb_sh_reading *reading, size_t at, const target *t)
{
    sb_slice base = t->config ? SB_NIL : sb_lint_base_name(t->path);

    for (size_t i = at + 1; i < reading->count && i - at < SB_LINT_AHEAD_MAX; i++) {
        const sb_sh_command *c = &reading->commands[i];

        if (t->config && sb_word_in(c->name, t->config) &&
            (has_verb(c, "config delete") || has_verb(c, "config rm") || has_verb(c, "config --unset") ||
             has_verb(c, "config --global --unset") || has_verb(c, "config --global --unset-all") ||
             has_verb(c, "config --global --remove-section") || has_verb(c, "config unset") ||
             has_verb(c, "remote set-url") || has_verb(c, "logout")))
            return true;
        if (!sb_word_in(c->name, "rm shred unlink srm"))
            continue;
        for (size_t k = 1; k < c->count; k++) {
            sb_slice removed = sb_lint_base_name(c->args[k].text);

            if (t->config ? sk_is_config_file(t->config, removed)
                          : sb_slice_eq(removed, base) ||
                                (c->args[k].text.len > 1 && sb_slice_starts(t->path, c->args[k].text)))
                return true;
        }
    }
    return false;
}

static void tell_written(run_search *r, const sb_sh_command *command, const use *u, const target *t)
{
    sb_span span = sb_lint_command_span(r->s->lint, r->run, command);
    const char *where = sb_lint_shown(r->s->lint, t->path);
    unsigned line = r->run->instruction->start_line;

    if (u->from == FROM_BUILD)
        sk_say(r->s, &sk_written, r->run->stage, span,
               "$%" SB_FMT " is written to %s, which stays in the layer", SB_ARG(u->name), where);
    else
        sk_say(r->s, &sk_mount_copied, r->run->stage, span,
               "the mounted secret %" SB_FMT " gets into %s, which stays in the layer", SB_ARG(u->name),
               where);
    if (!t->config)
        sk_add_file(r->s, t->path, r->run->stage, line);
}

static use used_by_command(const run_search *r, const sb_sh_command *command, size_t *ret_arg)
{
    use u = {FROM_NOWHERE, SB_NIL};

    for (size_t i = 1; i < command->count && !u.from; i++) {
        u = used_by(r, &command->args[i]);
        *ret_arg = i;
    }
    for (size_t i = 0; i < command->file_count && !u.from; i++)
        if (sb_slice_starts(command->files[i].op, SB_LIT("<<"))) {
            u = used_by(r, &command->files[i].target);
            *ret_arg = 0;
        }
    return u;
}

static void check_writing(run_search *r, const sb_sh_reading *reading, size_t at)
{
    const sb_sh_command *command = &reading->commands[at];
    target t = {.config = NULL};
    bool prints = sb_word_in(command->name, "echo printf cat tee envsubst");
    size_t arg = 0;
    use u;

    if (!prints && !sk_is_in_tables(command->name))
        return;
    u = used_by_command(r, command, &arg);
    if (!u.from)
        return;
    if (prints) {
        if (!redirects_to_file(r, command, &t.path) && !pipes_to_file(r, reading, at, &t.path))
            return;
    } else if (!arg || !configures(command, &command->args[arg], &t)) {
        return;
    }
    if (!is_taken_away(reading, at, &t))
        tell_written(r, command, &u, &t);
}

/* --- Mounted files that are copied --- */

static use mounted_operand(const run_search *r, const sb_sh_command *command, size_t *ret_arg)
{
    for (size_t i = 1; i < command->count; i++) {
        use u = of_file(r, command->args[i].text);

        if (u.from && !command->args[i].fetched) {
            *ret_arg = i;
            return u;
        }
    }
    for (size_t i = 0; i < command->file_count; i++)
        if (sb_slice_eqz(command->files[i].op, "<")) {
            *ret_arg = command->count;
            return of_file(r, command->files[i].target.text);
        }
    return (use){FROM_NOWHERE, SB_NIL};
}

static void check_copying(run_search *r, const sb_sh_reading *reading, size_t at)
{
    const sb_sh_command *command = &reading->commands[at];
    target t = {.config = NULL};
    size_t arg = 0;
    use u;

    if (!r->file_count)
        return;
    u = mounted_operand(r, command, &arg);
    if (!u.from)
        return;
    if (sb_word_in(command->name, "cp mv install rsync")) {
        /* The last operand is where it goes; a secret there is written, not read. */
        if (arg + 1 >= command->count)
            return;
        t.path = command->args[command->count - 1].text;
        if (sb_slice_ends(t.path, SB_LIT("/")) || sb_slice_eqz(t.path, "."))
            t.path = sb_arena_printf(r->s->lint->arena, "%" SB_FMT "%s%" SB_FMT, SB_ARG(t.path),
                                     sb_slice_ends(t.path, SB_LIT("/")) ? "" : "/",
                                     SB_ARG(sb_lint_base_name(u.name)));
        if (!is_kept(r, t.path))
            return;
    } else if (!sb_word_in(command->name, "cat tee base64 sed head tail envsubst dd") ||
               (!redirects_to_file(r, command, &t.path) && !pipes_to_file(r, reading, at, &t.path))) {
        return;
    }
    if (!is_taken_away(reading, at, &t))
        tell_written(r, command, &u, &t);
}

/* --- Removed too late --- */

static bool same_file(const sb_lint *lint, const sk_file *file, const sb_lint_run *run, sb_slice removed)
{
    sb_slice base = sb_lint_base_name(removed);

    if (file->line >= run->instruction->start_line || !sb_lint_builds_on(lint, run->stage, file->stage))
        return false;
    return sb_slice_eq(base, sb_lint_base_name(file->path)) ||
           (removed.len > 1 && removed.ptr[0] == '/' && file->path.len > removed.len &&
            sb_slice_starts(file->path, removed) && file->path.ptr[removed.len] == '/');
}

static void check_removing(run_search *r, const sb_sh_command *command)
{
    if (!r->s->file_count || !sb_word_in(command->name, "rm shred unlink srm"))
        return;
    for (size_t i = 1; i < command->count; i++) {
        if (sb_sh_is_option(&command->args[i]))
            continue;
        for (size_t k = 0; k < r->s->file_count; k++) {
            const sk_file *file = &r->s->files[k];

            if (!same_file(r->s->lint, file, r->run, command->args[i].text))
                continue;
            sk_say(r->s, &sk_removed, r->run->stage, sb_lint_arg_span(r->s->lint, r->run, &command->args[i]),
                   "%s is removed here, and is still in the layer of line %u",
                   sb_lint_shown(r->s->lint, file->path), file->line);
            break;
        }
    }
}

void sk_find_in_runs(sk_search *s)
{
    for (size_t i = 0; i < s->lint->run_count; i++) {
        run_search r = {.s = s, .run = &s->lint->runs[i]};
        const sb_sh_reading *reading = &r.run->reading;

        read_mounts(&r);
        for (size_t k = 0; k < reading->count; k++) {
            const sb_sh_command *command = &reading->commands[k];

            follow_assignments(&r, command);
            check_assignments(&r, command);
            if (!command->name.len)
                continue;
            if (sk_is_in_tables(command->name)) {
                check_options(&r, command);
                check_operands(&r, command);
            }
            hide_chpasswd(&r, reading, k);
            check_piped(&r, reading, k);
            check_netrc_words(&r, command);
            check_writing(&r, reading, k);
            check_copying(&r, reading, k);
            check_removing(&r, command);
        }
    }
}
