// SPDX-License-Identifier: Apache-2.0
#include <shell/read.h>

/* --- Assignments --------------------------------------------------------------------------------------- */

/* What was there with this behind it: of an array more elements, of others longer text, each with each. */
static sh_variable appended(sh_reader *r, const sh_variable *old, const sh_variable *more)
{
    sh_variable result = {.array = old->array || more->array};
    size_t count = result.array ? old->count + more->count : old->count * more->count;

    if (!old->count || !more->count || count > SB_SH_VALUES_MAX)
        return (sh_variable){0};
    result.values = sb_arena_array(r->arena, sh_value, count);
    result.count = count;
    if (result.array) {
        memcpy(result.values, old->values, old->count * sizeof(*old->values));
        memcpy(result.values + old->count, more->values, more->count * sizeof(*more->values));
        return result;
    }
    for (size_t i = 0; i < count; i++) {
        const sh_value *a = &old->values[i % old->count];
        const sh_value *b = &more->values[i / old->count];
        size_t bytes = (a->count + b->count) * sizeof(sh_piece);
        sh_value *value = &result.values[i];

        if (a->count + b->count > SH_PIECES_MAX || bytes > r->bytes_left)
            return (sh_variable){0};
        r->bytes_left -= bytes;
        value->count = a->count + b->count;
        value->pieces = sb_arena_array(r->arena, sh_piece, value->count);
        if (a->count)
            memcpy(value->pieces, a->pieces, a->count * sizeof(sh_piece));
        if (b->count)
            memcpy(value->pieces + a->count, b->pieces, b->count * sizeof(sh_piece));
    }
    return result;
}

static void set_or_append(sh_reader *r, sb_slice name, sh_variable variable, bool append)
{
    size_t index = sh_variable_index(r, name);
    const sh_variable *old = sh_variable_find(r, name);

    if (append)
        variable = old ? appended(r, old, &variable) : (sh_variable){0};
    sh_set(r, index, variable);
}

void sh_assign(sh_reader *r, const sb_sh_assignment *assignment)
{
    size_t mark = r->fields.len;
    sh_variable variable = {.array = assignment->array};

    if (assignment->index) { /* one element of an array, which is no longer followed */
        sh_set_unknown(r, sh_variable_index(r, assignment->name));
        return;
    }
    for (size_t i = 0; i < assignment->count; i++)
        sh_expand(r, &assignment->values[i], assignment->array);
    variable.values = sh_take_values(r, mark, &variable.count);
    for (size_t i = 0; assignment->array && i < variable.count; i++) /* of an associative array */
        if (variable.values[i].count && variable.values[i].pieces[0].text.len &&
            variable.values[i].pieces[0].text.ptr[0] == '[')
            variable.count = 0;
    set_or_append(r, assignment->name, variable, assignment->append);
}

/* --- export, unset, read ------------------------------------------------------------------------------- */

/* The value behind "NAME=" or "NAME+=". */
static sh_value behind_name(sh_reader *r, const sh_value *value, size_t len)
{
    sh_value rest = {sb_arena_array(r->arena, sh_piece, value->count), value->count};

    memcpy(rest.pieces, value->pieces, value->count * sizeof(sh_piece));
    rest.pieces[0].text = sb_slice_sub(rest.pieces[0].text, len, rest.pieces[0].text.len);
    return rest;
}

/* "NAME=value" and "NAME" among the arguments of export, local, declare, readonly. */
static void declare(sh_reader *r, const sh_field *fields, size_t count, bool export, bool local)
{
    for (size_t i = 1; i < count; i++) {
        sb_slice text = fields[i].value.count ? fields[i].value.pieces[0].text : SB_LIT("");
        size_t n = sh_name_length(text);
        sb_slice name = sb_slice_sub(text, 0, n);
        bool append = n + 1 < text.len && text.ptr[n] == '+' && text.ptr[n + 1] == '=';
        size_t index;

        if (!n || fields[i].value.pieces[0].symbolic)
            continue;
        index = sh_variable_index(r, name);
        if (local)
            SH_STACK_PUSH(r->locals, index);
        if (append || (n < text.len && text.ptr[n] == '=')) {
            size_t first = i;
            sh_variable variable = {0};

            while (i + 1 < count && fields[i + 1].also && fields[i + 1].value.count &&
                   sb_slice_starts(fields[i + 1].value.pieces[0].text, sb_slice_sub(text, 0, n + 1)))
                i++;
            variable.count = i + 1 - first;
            variable.values = sb_arena_array(r->arena, sh_value, variable.count);
            for (size_t j = 0; j < variable.count; j++)
                variable.values[j] = behind_name(r, &fields[first + j].value, n + 1 + append);
            set_or_append(r, name, variable, append);
        }
        if (export && !r->variables.items[index].exported) {
            sh_set(r, index, r->variables.items[index]);
            r->variables.items[index].exported = true;
        }
    }
}

static void forget(sh_reader *r, const sb_sh_command *command, bool unset)
{
    for (size_t i = 1; i < command->count; i++) {
        sb_slice name = command->args[i].text;

        if (!name.len || sh_name_length(name) != name.len)
            continue;
        if (unset) {
            sh_set_text(r, sh_variable_index(r, name), SB_LIT(""));
            r->variables.items[sh_variable_index(r, name)].unset = true;
        } else {
            sh_set_unknown(r, sh_variable_index(r, name));
        }
    }
}

/* --- set, shift ---------------------------------------------------------------------------------------- */

static void set_positional(sh_reader *r, const sh_field *fields, size_t count)
{
    sh_variable all = {.array = true};
    size_t i = 1;

    while (i < count && !(fields[i].value.count == 1 && sb_slice_eqz(fields[i].value.pieces[0].text, "--")))
        i++;
    if (i >= count)
        return;
    all.count = count - i - 1;
    all.values = sb_arena_array(r->arena, sh_value, all.count);
    for (size_t j = 0; j < all.count; j++)
        all.values[j] = fields[i + 1 + j].value;
    if (all.count > SB_SH_VALUES_MAX)
        all.count = 0;
    sh_set(r, sh_variable_index(r, SB_LIT("@")), all);
}

static void shift(sh_reader *r)
{
    size_t index = sh_variable_index(r, SB_LIT("@"));
    sh_variable all = r->variables.items[index];

    if (!all.count)
        return;
    all.values++;
    all.count--;
    sh_set(r, index, all);
}

/* --- cd ------------------------------------------------------------------------------------------------ */

/* Joins a path to a directory, taking "." and ".." away. */
static sb_slice join_path(sb_arena *arena, sb_slice directory, sb_slice path)
{
    size_t len = 0;
    char *text = sb_arena_alloc(arena, directory.len + path.len + 3);
    sb_slice both[2] = {path.len && path.ptr[0] == '/' ? SB_LIT("/") : directory, path};

    for (size_t i = 0; i < 2; i++) {
        sb_slice rest = both[i];

        while (rest.ptr) {
            sb_slice name = sb_slice_cut(&rest, '/');

            if (!name.len || sb_slice_eqz(name, "."))
                continue;
            if (sb_slice_eqz(name, "..")) {
                while (len && text[--len] != '/')
                    ;
                continue;
            }
            text[len++] = '/';
            memcpy(text + len, name.ptr, name.len);
            len += name.len;
        }
    }
    if (!len)
        text[len++] = '/';
    return sb_slice_of(text, len);
}

static void change_directory(sh_reader *r, const sb_sh_command *command)
{
    const sh_variable *now = &r->variables.items[SH_DIRECTORY];
    const sh_variable *home = sh_variable_find(r, SB_LIT("HOME"));
    bool from_known = now->count == 1 && sh_is_known(now->values);
    sb_slice from = from_known ? now->values->pieces->text : SB_NIL;
    sb_slice to = SB_NIL;
    size_t i = 1;

    while (i < command->count && command->args[i].text.len > 1 && command->args[i].text.ptr[0] == '-')
        i++;
    if (i < command->count && command->args[i].known &&
        (i + 1 == command->count || !command->args[i + 1].also))
        to = command->args[i].text;
    else if (i >= command->count && home && home->count == 1 && home->values->count == 1)
        to = home->values->pieces->text;
    if (to.ptr && to.len && to.ptr[0] != '-' && to.ptr[0] != '~' && (to.ptr[0] == '/' || from.ptr))
        sh_set_text(r, SH_DIRECTORY, join_path(r->arena, from, to));
    else
        sh_set_unknown(r, SH_DIRECTORY);
}

/* --- Which is which ------------------------------------------------------------------------------------ */

static void call_function(sh_reader *r, sb_slice name)
{
    for (size_t i = r->functions.len; i-- > 0;) {
        const sh_function *function = &r->functions.items[i];
        size_t mark = r->outcomes.len;

        if (!sb_slice_eq(function->name, name))
            continue;
        for (size_t j = 0; j < function->count; j++)
            SH_STACK_PUSH(r->outcomes, function->changes[j]);
        sh_join(r, mark, 1, true);
        return;
    }
}

typedef enum builtin { CD, POPD, DECLARE, EXPORT, UNSET, FORGET, SET, SHIFT } builtin;

static const struct {
    const char *name;
    builtin what;
} builtins[] = {
    {"cd", CD},           {"pushd", CD},        {"popd", POPD},      {"export", EXPORT},
    {"declare", DECLARE}, {"typeset", DECLARE}, {"local", DECLARE},  {"readonly", DECLARE},
    {"unset", UNSET},     {"read", FORGET},     {"mapfile", FORGET}, {"readarray", FORGET},
    {"getopts", FORGET},  {"let", FORGET},      {"printf", FORGET},  {"set", SET},
    {"shift", SHIFT},
};

void sh_run_builtin(sh_reader *r, const sb_sh_command *command, const sh_field *fields)
{
    if (r->functions.len)
        call_function(r, command->name);
    for (size_t i = 0; i < SB_COUNT(builtins); i++) {
        if (builtins[i].name[0] != (command->name.len ? command->name.ptr[0] : '\0') ||
            !sb_slice_eqz(command->name, builtins[i].name))
            continue;
        switch (builtins[i].what) {
        case CD:
            change_directory(r, command);
            break;
        case POPD:
            sh_set_unknown(r, SH_DIRECTORY);
            break;
        case DECLARE:
        case EXPORT:
            declare(r, fields, command->count, builtins[i].what == EXPORT,
                    command->function && builtins[i].what == DECLARE);
            break;
        case UNSET:
            forget(r, command, true);
            break;
        case FORGET: /* printf only with -v */
            if (command->name.ptr[0] != 'p' ||
                (command->count > 2 && sb_slice_eqz(command->args[1].text, "-v")))
                forget(r, command, false);
            break;
        case SET:
            set_positional(r, fields, command->count);
            break;
        case SHIFT:
            shift(r);
            break;
        }
        return;
    }
}
