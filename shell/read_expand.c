// SPDX-License-Identifier: Apache-2.0
#include <shell/read.h>

/* The fields of one word while they are made. */
typedef struct expansion {
    sh_reader *r;
    size_t mark; /* of the pieces of the field at hand */
    bool open;   /* there is a field, even if nothing is in it yet */
    bool split;
    bool quoted; /* the word begins with a quote */
    bool fetched;
    sb_span span;
} expansion;

static void spend(sh_reader *r, size_t bytes)
{
    r->bytes_left -= bytes < r->bytes_left ? bytes : r->bytes_left;
}

static void end_field(expansion *e)
{
    sh_field field = {.quoted = e->quoted, .fetched = e->fetched, .span = e->span};

    if (!e->open)
        return;
    field.value.pieces = SH_STACK_TAKE(e->r, e->r->pieces, e->mark, &field.value.count);
    spend(e->r, sizeof(sh_field) + sizeof(sb_sh_arg) + field.value.count * sizeof(sh_piece));
    SH_STACK_PUSH(e->r->fields, field);
    e->open = false;
    e->fetched = false;
}

static void add_piece(expansion *e, sb_slice text, bool symbolic)
{
    e->open = true;
    if (text.len)
        SH_STACK_PUSH(e->r->pieces, ((sh_piece){text, symbolic}));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Of an expansion without quotes: blanks end the field. */
static void add_split(expansion *e, sb_slice text)
{
    size_t from = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && !is_blank(text.ptr[i]))
            continue;
        if (i > from)
            add_piece(e, sb_slice_sub(text, from, i), false);
        if (i < text.len)
            end_field(e);
        from = i + 1;
    }
}

static void add_value(expansion *e, const sh_value *value, bool quoted)
{
    if (quoted || !e->split)
        e->open = true;
    for (size_t i = 0; i < value->count; i++) {
        if (value->pieces[i].symbolic || quoted || !e->split)
            add_piece(e, value->pieces[i].text, value->pieces[i].symbolic);
        else
            add_split(e, value->pieces[i].text);
    }
}

static void add_operand(expansion *e, const sb_sh_word *word, bool quoted);

/* All elements of an array: one field each, the first and the last joined with what is around them. */
static void add_elements(expansion *e, const sh_variable *variable, bool quoted, bool as_one)
{
    for (size_t i = 0; i < variable->count; i++) {
        if (i && !as_one && e->split)
            end_field(e);
        else if (i)
            add_piece(e, SB_LIT(" "), false);
        add_value(e, &variable->values[i], quoted);
    }
}

static void add_as_written(expansion *e, const sb_sh_part *part)
{
    add_piece(e, part->text, true);
}

/* "1", "@", "*": positional parameters are elements of the array "@". */
static const sh_variable *variable_of(sh_reader *r, sb_slice name, const sh_value **ret_element)
{
    const sh_variable *all;
    uint64_t n;

    *ret_element = NULL;
    if (!name.len || !sh_is_digit(name.ptr[0]))
        return sh_variable_find(r, sb_slice_eqz(name, "*") ? SB_LIT("@") : name);
    all = sh_variable_find(r, SB_LIT("@"));
    if (!all || !all->array || !sb_slice_to_u64(name, &n) || !n || n > all->count)
        return NULL;
    *ret_element = &all->values[n - 1];
    return all;
}

static bool is_all_elements(const sb_sh_part *part, bool *ret_as_one)
{
    char c = part->name.ptr[0];

    if (part->index && part->index->count == 1 && part->index->parts[0].kind == SB_SH_LITERAL &&
        part->index->parts[0].text.len == 1)
        c = part->index->parts[0].text.ptr[0];
    else if (part->index || part->name.len != 1)
        return false;
    *ret_as_one = c == '*' && part->quoted;
    return c == '@' || c == '*';
}

/* The value that the name stands for; NULL: not known. */
static const sh_value *scalar(sh_reader *r, const sb_sh_part *part)
{
    const sh_value *element;
    const sh_variable *variable = variable_of(r, part->name, &element);
    uint64_t index = 0;

    if (!variable || !variable->count)
        return NULL;
    if (element)
        return part->index ? NULL : element;
    if (part->index) {
        const sb_sh_word *word = part->index;

        if (!variable->array || word->count != 1 || word->parts[0].kind != SB_SH_LITERAL ||
            !sb_slice_to_u64(word->parts[0].text, &index) || index >= variable->count)
            return NULL;
        return &variable->values[index];
    }
    return &variable->values[variable->array ? 0 : variable->choice];
}

static bool is_unset(sh_reader *r, const sb_sh_part *part)
{
    const sh_variable *variable = sh_variable_find(r, part->name);

    return variable && variable->unset;
}

static bool is_default(sb_slice op, char what)
{
    return op.len && op.ptr[op.len - 1] == what && (op.len == 1 || (op.len == 2 && op.ptr[0] == ':'));
}

static bool is_empty(const sh_value *value)
{
    for (size_t i = 0; i < value->count; i++)
        if (value->pieces[i].text.len)
            return false;
    return true;
}

/* Too much was put in for variables: the rest stays as it is written. */
static bool is_spent(sh_reader *r)
{
    if (r->bytes_left >= SH_SPENT)
        return false;
    if (!r->trouble)
        r->trouble = "its variables make too much text";
    return true;
}

static void add_parameter(expansion *e, const sb_sh_part *part, bool quoted)
{
    sh_reader *r = e->r;
    const sh_value *value;
    const sh_variable *variable;
    const sh_value *element;
    sb_slice text;
    bool as_one, known;

    quoted = quoted || part->quoted;
    if (!part->op.len && is_all_elements(part, &as_one)) {
        variable = variable_of(r, part->name, &element);
        if (variable && variable->array && !is_spent(r))
            add_elements(e, variable, quoted, as_one);
        else
            add_as_written(e, part);
        return;
    }
    value = scalar(r, part);
    if (!value || is_spent(r)) {
        add_as_written(e, part);
        return;
    }
    if (!part->op.len) {
        add_value(e, value, quoted);
        return;
    }
    if (is_default(part->op, '-') || is_default(part->op, '=') || is_default(part->op, '?')) {
        if ((part->op.len == 2 ? is_empty(value) : is_unset(r, part)) &&
            part->op.ptr[part->op.len - 1] != '?')
            add_operand(e, part->operand, quoted);
        else
            add_value(e, value, quoted);
        return;
    }
    if (is_default(part->op, '+')) {
        if (part->op.len == 2 ? !is_empty(value) : !is_unset(r, part))
            add_operand(e, part->operand, quoted);
        else if (quoted)
            e->open = true;
        return;
    }
    text = sh_value_text(r, value, &known);
    if (known && ((is_unset(r, part) && part->op.ptr[0] == '/') || /* of nothing, nothing is replaced */
                  sh_apply(r, text, part->op, part->operand, &text))) {
        sh_piece piece = {text, false};

        add_value(e, &(sh_value){&piece, 1}, quoted);
    } else {
        add_as_written(e, part);
    }
}

static void add_part(expansion *e, const sb_sh_part *part, bool quoted)
{
    switch (part->kind) {
    case SB_SH_LITERAL:
        if (part->quoted || quoted || part->text.len)
            add_piece(e, part->text, false);
        break;
    case SB_SH_GLOB:
        add_piece(e, part->text, false);
        break;
    case SB_SH_PARAM:
        add_parameter(e, part, quoted);
        break;
    case SB_SH_COMMAND:
    case SB_SH_PROCESS_IN:
    case SB_SH_PROCESS_OUT:
        e->fetched = true;
        add_as_written(e, part);
        break;
    case SB_SH_ARITH:
        add_as_written(e, part);
        break;
    }
}

/* What stands for the whole expansion: its text is divided at blanks like a value. */
static void add_operand(expansion *e, const sb_sh_word *word, bool quoted)
{
    if (quoted)
        e->open = true;
    for (size_t i = 0; i < word->count; i++) {
        const sb_sh_part *part = &word->parts[i];

        if (part->kind == SB_SH_LITERAL && !part->quoted && !quoted && e->split)
            add_split(e, part->text);
        else
            add_part(e, part, quoted);
    }
}

static void expand_once(sh_reader *r, const sb_sh_word *word, bool split)
{
    expansion e = {.r = r, .mark = r->pieces.len, .split = split, .span = word->span};

    e.quoted = word->count && word->parts[0].quoted;
    e.open = !split;
    for (size_t i = 0; i < word->count; i++)
        add_part(&e, &word->parts[i], false);
    end_field(&e);
}

/* --- Variables with several values --------------------------------------------------------------------- */

enum { CHOICES_MAX = 4 };

/* The variables of a word that have several values each. */
static size_t find_choices(sh_reader *r, const sb_sh_word *word, size_t choices[CHOICES_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < word->count && count < CHOICES_MAX; i++) {
        const sb_sh_part *part = &word->parts[i];
        const sh_variable *variable;
        size_t index;
        bool seen = false;

        if (part->kind != SB_SH_PARAM)
            continue;
        variable = sh_variable_find(r, part->name);
        if (!variable || variable->array || variable->count < 2)
            continue;
        index = (size_t)(variable - r->variables.items);
        for (size_t j = 0; j < count; j++)
            seen = seen || choices[j] == index;
        if (!seen)
            choices[count++] = index;
    }
    return count;
}

/* Every combination once. Where there are too many, only the first values of the last variables. */
static void expand_all(sh_reader *r, const sb_sh_word *word, bool split, const size_t *choices, size_t count)
{
    size_t mark = r->fields.len;
    size_t combinations = 1;
    size_t used = 0;

    for (; used < count; used++) {
        size_t values = r->variables.items[choices[used]].count;

        if (values * combinations > SB_SH_VALUES_MAX)
            break;
        combinations *= values;
    }
    for (size_t n = 0; n < combinations && (!n || !is_spent(r)); n++) {
        size_t rest = n;
        size_t from = r->fields.len;

        for (size_t i = 0; i < used; i++) {
            sh_variable *variable = &r->variables.items[choices[i]];

            variable->choice = rest % variable->count;
            rest /= variable->count;
        }
        expand_once(r, word, split);
        for (size_t i = from; i < r->fields.len; i++)
            r->fields.items[i].also = from > mark;
    }
    for (size_t i = 0; i < used; i++)
        r->variables.items[choices[i]].choice = 0;
}

static bool has_brace(const sb_sh_word *word)
{
    for (size_t i = 0; i < word->count; i++)
        if (word->parts[i].kind == SB_SH_LITERAL && !word->parts[i].quoted &&
            sb_slice_chr(word->parts[i].text, '{') >= 0)
            return true;
    return false;
}

void sh_expand(sh_reader *r, const sb_sh_word *word, bool split)
{
    if (split && r->dialect == SB_SH_BASH && has_brace(word))
        sh_expand_braces(r, word);
    else
        sh_expand_one(r, word, split);
}

void sh_expand_one(sh_reader *r, const sb_sh_word *word, bool split)
{
    size_t choices[CHOICES_MAX];
    size_t count;

    if (word->count == 1 && word->parts[0].kind == SB_SH_LITERAL) {
        sh_field field = {.quoted = word->parts[0].quoted, .span = word->span};

        field.value.pieces = sb_arena_new_of(r->arena, sh_piece);
        field.value.pieces->text = word->parts[0].text;
        field.value.count = 1;
        SH_STACK_PUSH(r->fields, field);
        return;
    }
    count = find_choices(r, word, choices);
    if (count)
        expand_all(r, word, split, choices, count);
    else
        expand_once(r, word, split);
}

sh_value *sh_take_values(sh_reader *r, size_t mark, size_t *ret_count)
{
    size_t count = r->fields.len - mark;
    sh_value *values = sb_arena_array(r->arena, sh_value, count);

    for (size_t i = 0; i < count; i++) {
        size_t len = 0;

        values[i] = r->fields.items[mark + i].value;
        for (size_t j = 0; j < values[i].count; j++)
            len += values[i].pieces[j].text.len;
        if (len > SH_VALUE_MAX || values[i].count > SH_PIECES_MAX)
            count = 0;
    }
    r->fields.len = mark;
    *ret_count = count <= SB_SH_VALUES_MAX ? count : 0;
    return values;
}

/* --- Text ---------------------------------------------------------------------------------------------- */

static bool is_name_byte(char c)
{
    return sh_is_name_start(c) || sh_is_digit(c);
}

/* "$x" before "y" has to be "${x}y". */
static bool needs_braces(const sh_value *value, size_t i)
{
    sb_slice text = value->pieces[i].text;

    return value->pieces[i].symbolic && text.len > 1 && text.ptr[0] == '$' && sh_is_name_start(text.ptr[1]) &&
           i + 1 < value->count && value->pieces[i + 1].text.len &&
           is_name_byte(value->pieces[i + 1].text.ptr[0]);
}

/* `ranges`, as many as there are symbolic pieces, may be NULL. */
static sb_slice concatenate(sh_reader *r, const sh_value *value, sb_span *ranges)
{
    size_t len = 0;
    char *text, *out;

    for (size_t i = 0; i < value->count; i++)
        len += value->pieces[i].text.len + 2;
    if (len > r->bytes_left) {
        r->bytes_left = 0;
        return SB_NIL;
    }
    r->bytes_left -= len;
    out = text = sb_arena_alloc(r->arena, len + 1);
    for (size_t i = 0; i < value->count; i++) {
        sb_slice piece = value->pieces[i].text;
        size_t from = (size_t)(out - text);
        bool braces = needs_braces(value, i);

        if (braces) {
            *out++ = '$';
            *out++ = '{';
            piece = sb_slice_sub(piece, 1, piece.len);
        }
        memcpy(out, piece.ptr, piece.len);
        out += piece.len;
        if (braces)
            *out++ = '}';
        if (ranges && value->pieces[i].symbolic)
            *ranges++ = (sb_span){from, (size_t)(out - text)};
    }
    return sb_slice_of(text, (size_t)(out - text));
}

sb_slice sh_value_text(sh_reader *r, const sh_value *value, bool *ret_known)
{
    sb_slice text;

    *ret_known = sh_is_known(value);
    if (!value->count)
        return SB_LIT("");
    if (value->count == 1)
        return value->pieces->text;
    text = concatenate(r, value, NULL);
    if (text.ptr)
        return text;
    *ret_known = false;
    return value->pieces->text;
}

sb_slice sh_value_ranges(sh_reader *r, const sh_value *value, sb_span **ret_ranges, size_t *ret_count)
{
    size_t count = 0;

    for (size_t i = 0; i < value->count; i++)
        count += value->pieces[i].symbolic;
    *ret_ranges = sb_arena_array(r->arena, sb_span, count);
    *ret_count = count;
    if (value->count != 1)
        return concatenate(r, value, *ret_ranges);
    if (count)
        **ret_ranges = (sb_span){0, value->pieces->text.len};
    return value->pieces->text;
}

sb_sh_arg sh_arg(sh_reader *r, const sh_field *field)
{
    sb_sh_arg arg = {
        .quoted = field->quoted, .fetched = field->fetched, .also = field->also, .span = field->span};

    arg.text = sh_value_text(r, &field->value, &arg.known);
    return arg;
}
