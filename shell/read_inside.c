// SPDX-License-Identifier: Apache-2.0
/* Texts and commands in the arguments of a command. */
#include <shell/read.h>

typedef struct inside_text {
    sh_value value;
    sb_span span; /* of what holds it, in the outermost text */
    size_t arg;   /* as sb_sh_command.inside_arg */
    sb_sh_dialect dialect;
    bool own;                   /* a process of its own, which sees what is exported */
    const sh_value *docs;       /* the values of the command's files; NULL: none */
    const sh_field *positional; /* $1 …; NULL: not known */
    size_t positional_count;
} inside_text;

/* What the command is given before it: NAME=value. */
static void export_assigned(sh_reader *r, const sb_sh_command *command)
{
    for (size_t i = 0; i < command->assigned_count; i++) {
        size_t index = sh_variable_index(r, command->assigned[i].name);

        if (command->assigned[i].value.known)
            sh_set_text(r, index, command->assigned[i].value.text);
        else
            sh_set_unknown(r, index);
        r->variables.items[index].exported = true;
    }
}

static void set_positional(sh_reader *r, const inside_text *inside)
{
    sh_variable all = {.array = true, .count = inside->positional_count};

    if (!inside->positional || all.count > SB_SH_VALUES_MAX) {
        if (inside->own)
            sh_set_unknown(r, sh_variable_index(r, SB_LIT("@")));
        return;
    }
    all.values = sb_arena_array(r->arena, sh_value, all.count);
    for (size_t i = 0; i < all.count; i++)
        all.values[i] = inside->positional[i].value;
    sh_set(r, sh_variable_index(r, SB_LIT("@")), all);
}

/* The redirections of the command hold for the commands of its text, but for an input that is the text. */
static void pass_files(sh_reader *r, const sb_sh_command *command, const inside_text *inside,
                       const sh_value *docs, sh_context *inner)
{
    sb_sh_file *files = sb_arena_array(r->arena, sb_sh_file, command->file_count);
    sh_value *values = sb_arena_array(r->arena, sh_value, command->file_count);

    inner->file_count = 0;
    for (size_t i = 0; i < command->file_count && i < SH_FILES_MAX; i++) {
        if (inside->arg >= command->count && command->files[i].fd == 0)
            continue;
        files[inner->file_count] = command->files[i];
        values[inner->file_count++] = docs[i];
    }
    inner->files = files;
    inner->docs = values;
}

static void read_text(sh_reader *r, size_t index, const inside_text *inside, const sh_context *context)
{
    sh_context inner = *context;
    sb_sh_dialect dialect = r->dialect;
    size_t trail = r->trail.len;
    const sb_sh_script *script;
    sb_span *told;
    sb_slice text = sh_value_ranges(r, &inside->value, &told, &inner.told_count);

    if (!text.len || (inside->value.count == 1 && inside->value.pieces->symbolic))
        return;
    inner.told = told;
    if (inside->docs)
        pass_files(r, &r->commands.items[index], inside, inside->docs, &inner);
    inner.place = SB_SH_PLACE_SCRIPT;
    inner.inside = (ptrdiff_t)index;
    inner.inside_arg = inside->arg;
    inner.variable = SB_NIL;
    inner.more = false;
    inner.wrappers = r->commands.items[index].wrappers;
    inner.wrapper_count = r->commands.items[index].wrapper_count;
    inner.user = r->commands.items[index].user;
    inner.fixed = !r->text.ptr || text.ptr < r->text.ptr || text.ptr + text.len > r->text.ptr + r->text.len;
    inner.span = inside->span;
    inner.shift = inner.fixed ? 0 : text.ptr - r->text.ptr;
    if (!sh_deeper(r, &inner, (sb_span){0, 0}))
        return;
    r->level += inside->own;
    if (inside->own)
        export_assigned(r, &r->commands.items[index]);
    set_positional(r, inside);
    r->dialect = inside->dialect;
    script = sb_sh_parse(text, inside->dialect, r->arena);
    if (script->trouble)
        sh_read_trouble(r, &inner, script->trouble, script->trouble_span);
    sh_walk(r, script->root, &inner);
    r->dialect = dialect;
    if (inside->own)
        sh_take_back(r, trail);
    r->level -= inside->own;
    r->depth--;
}

/* The heredoc or <<< that is the command's input. */
static bool input_text(const sb_sh_command *command, const sh_value *docs, inside_text *inside)
{
    bool found = false;

    for (size_t i = 0; docs && i < command->file_count; i++) {
        const sb_sh_file *file = &command->files[i];

        if (file->fd != 0)
            continue;
        found = sb_slice_starts(file->op, SB_LIT("<<"));
        if (!found)
            continue;
        inside->value = docs[i];
        inside->span = file->target.span;
        inside->arg = command->count + i;
    }
    return found;
}

static void take_arg(const sh_field *fields, size_t i, inside_text *inside)
{
    inside->value = fields[i].value;
    inside->span = fields[i].span;
    inside->arg = i;
}

static bool is_cluster(sb_slice text)
{
    return text.len > 1 && (text.ptr[0] == '-' || text.ptr[0] == '+') && text.ptr[1] != '-';
}

static bool has_letter(sb_slice cluster, char letter)
{
    return cluster.len && memchr(cluster.ptr + 1, letter, cluster.len - 1) != NULL;
}

/* sh, bash: -c TEXT NAME ARG…, or a text on standard input. */
static void in_shell(sh_reader *r, size_t index, const sh_field *fields, const sh_value *docs,
                     const sh_context *context)
{
    const sb_sh_command command = r->commands.items[index];
    inside_text inside = {.own = true, .dialect = sb_sh_dialect_of(command.name), .docs = docs};
    bool wants_text = false, from_input = false;
    size_t i = 1;

    for (; i < command.count; i++) {
        sb_slice text = command.args[i].text;

        if (sb_slice_eqz(text, "--") || sb_slice_eqz(text, "-")) {
            i++;
            break;
        }
        if (sb_slice_eqz(text, "--rcfile") || sb_slice_eqz(text, "--init-file")) {
            i++;
        } else if (is_cluster(text)) {
            wants_text = wants_text || (text.ptr[0] == '-' && has_letter(text, 'c'));
            from_input = from_input || has_letter(text, 's');
            i += has_letter(text, 'o') || has_letter(text, 'O');
        } else if (!sb_slice_starts(text, SB_LIT("--"))) {
            break;
        }
    }
    if (wants_text && i < command.count) {
        take_arg(fields, i, &inside);
        inside.positional = fields + i + 1 + (i + 1 < command.count);
        inside.positional_count = i + 2 < command.count ? command.count - i - 2 : 0;
        read_text(r, index, &inside, context);
    } else if (!wants_text && (from_input || i >= command.count) && input_text(&command, docs, &inside)) {
        read_text(r, index, &inside, context);
    }
}

/* eval: its arguments with blanks between them are a text for this shell. */
static void in_eval(sh_reader *r, size_t index, const sh_field *fields, const sh_context *context)
{
    size_t count = r->commands.items[index].count;
    inside_text inside = {.dialect = r->dialect};
    size_t mark = r->pieces.len;
    size_t first = 1;

    if (first < count && sb_slice_eqz(r->commands.items[index].args[1].text, "--"))
        first++;
    if (first >= count)
        return;
    take_arg(fields, first, &inside);
    if (first + 1 < count) {
        for (size_t i = first; i < count; i++) {
            if (i > first)
                SH_STACK_PUSH(r->pieces, ((sh_piece){SB_LIT(" "), false}));
            for (size_t j = 0; j < fields[i].value.count; j++)
                SH_STACK_PUSH(r->pieces, fields[i].value.pieces[j]);
        }
        inside.value.pieces = SH_STACK_TAKE(r, r->pieces, mark, &inside.value.count);
    }
    read_text(r, index, &inside, context);
}

/* su and runuser without -u: [-] [USER] [-c TEXT] [-s SHELL], in any order. */
static void in_su(sh_reader *r, size_t index, const sh_field *fields, const sh_value *docs,
                  const sh_context *context)
{
    const sb_sh_command command = r->commands.items[index];
    inside_text inside = {.own = true, .dialect = r->dialect, .docs = docs};
    bool found = false;
    sb_slice user = SB_NIL;

    for (size_t i = 1; i < command.count; i++) {
        sb_slice text = command.args[i].text;
        sb_slice value = text;
        sb_slice name = sb_slice_cut(&value, '=');

        if (sb_slice_eqz(name, "--command") || sb_slice_eqz(name, "--session-command")) {
            if (value.ptr && fields[i].value.count) {
                size_t len = name.len + 1;

                take_arg(fields, i, &inside);
                inside.value.pieces = sb_arena_array(r->arena, sh_piece, inside.value.count);
                memcpy(inside.value.pieces, fields[i].value.pieces, inside.value.count * sizeof(sh_piece));
                if (inside.value.pieces[0].text.len < len)
                    continue;
                inside.value.pieces[0].text =
                    sb_slice_sub(inside.value.pieces[0].text, len, inside.value.pieces[0].text.len);
                found = true;
            } else if (i + 1 < command.count) {
                take_arg(fields, ++i, &inside);
                found = true;
            }
        } else if (sb_slice_eqz(name, "--shell") || sb_slice_eqz(name, "--group") ||
                   sb_slice_eqz(name, "--supp-group")) {
            i += !value.ptr;
        } else if (is_cluster(text) && text.ptr[0] == '-' && has_letter(text, 'c') && i + 1 < command.count) {
            take_arg(fields, ++i, &inside);
            found = true;
        } else if (is_cluster(text)) {
            i += strchr("sgGwT", text.ptr[text.len - 1]) != NULL;
        } else if (text.len && text.ptr[0] != '-' && !user.ptr) {
            user = text;
        }
    }
    r->commands.items[index].user = user.ptr ? user : SB_LIT("root");
    if (found || input_text(&command, docs, &inside))
        read_text(r, index, &inside, context);
}

/* The text behind an option: "script -c TEXT", "env -S TEXT". */
static void in_option(sh_reader *r, size_t index, const sh_field *fields, const sh_context *context,
                      char letter)
{
    const sb_sh_command command = r->commands.items[index];
    inside_text inside = {.own = true, .dialect = r->dialect};

    for (size_t i = 1; i + 1 < command.count; i++) {
        if (!is_cluster(command.args[i].text) || !has_letter(command.args[i].text, letter))
            continue;
        take_arg(fields, i + 1, &inside);
        read_text(r, index, &inside, context);
        return;
    }
}

/* The last argument: "scl enable NAME TEXT". */
static void in_scl(sh_reader *r, size_t index, const sh_field *fields, const sh_context *context)
{
    const sb_sh_command command = r->commands.items[index];
    inside_text inside = {.own = true, .dialect = r->dialect};

    if (command.count < 4 ||
        (!sb_slice_eqz(command.args[1].text, "enable") && !sb_slice_eqz(command.args[1].text, "run")))
        return;
    take_arg(fields, command.count - 1, &inside);
    read_text(r, index, &inside, context);
}

static void in_trap(sh_reader *r, size_t index, const sh_field *fields, const sh_context *context)
{
    const sb_sh_command command = r->commands.items[index];
    inside_text inside = {.dialect = r->dialect};
    size_t trail = r->trail.len;
    size_t i = 1;

    if (i < command.count && sb_slice_eqz(command.args[i].text, "--"))
        i++;
    if (i + 1 >= command.count || is_cluster(command.args[i].text) || sb_slice_eqz(command.args[i].text, "-"))
        return;
    take_arg(fields, i, &inside);
    read_text(r, index, &inside, context);
    sh_take_back(r, trail);
}

/* find … -exec COMMAND {} ; */
static void in_find(sh_reader *r, size_t index, const sh_field *fields, const sh_context *context)
{
    static const char *const actions[] = {"-exec", "-execdir", "-ok", "-okdir"};
    const sb_sh_command command = r->commands.items[index];

    for (size_t i = 1; i < command.count; i++) {
        sb_sh_command base = {.span = command.span};
        sh_context inner = *context;
        sb_slice *wrappers;
        size_t from = i + 1;
        bool is_action = false;

        for (size_t j = 0; j < SB_COUNT(actions); j++)
            is_action = is_action || sb_slice_eqz(command.args[i].text, actions[j]);
        if (!is_action)
            continue;
        while (++i < command.count && !sb_slice_eqz(command.args[i].text, ";") &&
               !(sb_slice_eqz(command.args[i].text, "+") && sb_slice_eqz(command.args[i - 1].text, "{}")))
            ;
        if (i == from || !sh_deeper(r, context, command.span))
            continue;
        wrappers = sb_arena_array(r->arena, sb_slice, command.wrapper_count + 1);
        if (command.wrapper_count)
            memcpy(wrappers, command.wrappers, command.wrapper_count * sizeof(*wrappers));
        wrappers[command.wrapper_count] = command.name;
        inner.wrappers = wrappers;
        inner.wrapper_count = command.wrapper_count + 1;
        inner.user = command.user;
        inner.conditional = true;
        inner.looped = true;
        inner.place = SB_SH_PLACE_SCRIPT;
        inner.inside = (ptrdiff_t)index;
        inner.inside_arg = from;
        inner.fixed = false; /* the fields are where they are in the outermost text */
        inner.shift = 0;
        if (!context->fixed && fields[from].span.start < fields[i - 1].span.end)
            base.span = (sb_span){fields[from].span.start, fields[i - 1].span.end};
        {
            sh_field *copy = sb_arena_array(r->arena, sh_field, i - from);

            memcpy(copy, fields + from, (i - from) * sizeof(*copy));
            sh_tell(r, copy, i - from, &base, NULL, &inner);
        }
        r->depth--;
    }
}

void sh_look_inside(sh_reader *r, size_t index, const sh_field *fields, const sh_value *docs,
                    const sh_context *context)
{
    const sb_sh_command *command = &r->commands.items[index];
    sb_slice name = command->name;

    if (!command->args[0].known || !name.len)
        return;
    switch (name.ptr[0]) {
    case 'e':
        if (sb_slice_eqz(name, "eval"))
            in_eval(r, index, fields, context);
        else if (sb_slice_eqz(name, "env"))
            in_option(r, index, fields, context, 'S');
        break;
    case 'f':
        if (sb_slice_eqz(name, "find"))
            in_find(r, index, fields, context);
        else if (sb_slice_eqz(name, "flock"))
            in_option(r, index, fields, context, 'c');
        break;
    case 's':
        if (sb_slice_eqz(name, "su"))
            in_su(r, index, fields, docs, context);
        else if (sb_slice_eqz(name, "scl"))
            in_scl(r, index, fields, context);
        else if (sb_slice_eqz(name, "script"))
            in_option(r, index, fields, context, 'c');
        break;
    case 'r':
        if (sb_slice_eqz(name, "runuser"))
            in_su(r, index, fields, docs, context);
        break;
    case 't':
        if (sb_slice_eqz(name, "trap"))
            in_trap(r, index, fields, context);
        break;
    default:
        break;
    }
    if (!sb_slice_eqz(name, "busybox") && sb_sh_dialect_of(name) != SB_SH_OTHER)
        in_shell(r, index, fields, docs, context);
}
