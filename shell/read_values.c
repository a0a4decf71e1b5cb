// SPDX-License-Identifier: Apache-2.0
#include <shell/read.h>

/* --- The table ----------------------------------------------------------------------------------------- */

static size_t hash_of(sb_slice name)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * 1099511628211u;
    return (size_t)(hash ^ (hash >> 32));
}

static size_t *slot_of(const sh_reader *r, sb_slice name)
{
    size_t at = hash_of(name) & (r->slot_count - 1);

    while (r->slots[at] && !sb_slice_eq(r->variables.items[r->slots[at] - 1].name, name))
        at = (at + 1) & (r->slot_count - 1);
    return &r->slots[at];
}

static void make_room(sh_reader *r)
{
    if (r->slot_count > 2 * r->variables.len)
        return;
    r->slot_count = r->slot_count ? 2 * r->slot_count : 64;
    free(r->slots);
    r->slots = sb_new_array(size_t, r->slot_count);
    for (size_t i = 0; i < r->variables.len; i++)
        *slot_of(r, r->variables.items[i].name) = i + 1;
}

size_t sh_variable_index(sh_reader *r, sb_slice name)
{
    size_t *slot;

    make_room(r);
    slot = slot_of(r, name);
    if (!*slot) {
        SH_STACK_PUSH(r->variables, (sh_variable){.name = name});
        *slot = r->variables.len;
    }
    return *slot - 1;
}

sh_variable *sh_variable_find(sh_reader *r, sb_slice name)
{
    size_t *slot = r->slot_count ? slot_of(r, name) : NULL;

    sh_variable *variable = slot && *slot ? &r->variables.items[*slot - 1] : NULL;

    return variable && (variable->exported || variable->level == r->level) ? variable : NULL;
}

/* --- Setting and taking back --------------------------------------------------------------------------- */

void sh_set(sh_reader *r, size_t index, sh_variable value)
{
    sh_variable *variable = &r->variables.items[index];

    SH_STACK_PUSH(r->trail, ((sh_undo){index, *variable}));
    value.name = variable->name;
    value.exported = value.exported || variable->exported;
    value.level = r->level;
    value.choice = 0;
    *variable = value;
}

void sh_set_unknown(sh_reader *r, size_t index)
{
    sh_set(r, index, (sh_variable){0});
}

void sh_set_text(sh_reader *r, size_t index, sb_slice text)
{
    sh_value *value = sb_arena_new_of(r->arena, sh_value);

    value->pieces = sb_arena_new_of(r->arena, sh_piece);
    value->pieces->text = text;
    value->count = 1;
    sh_set(r, index, (sh_variable){.values = value, .count = 1});
}

void sh_take_back(sh_reader *r, size_t trail_mark)
{
    while (r->trail.len > trail_mark) {
        const sh_undo *undo = &r->trail.items[--r->trail.len];

        r->variables.items[undo->variable] = undo->before;
    }
}

/* --- Branches ------------------------------------------------------------------------------------------ */

void sh_branch_end(sh_reader *r, size_t trail_mark, size_t branch, bool leaves)
{
    for (size_t i = trail_mark; i < r->trail.len && !leaves; i++) {
        size_t index = r->trail.items[i].variable;

        SH_STACK_PUSH(r->outcomes, ((sh_outcome){index, branch, r->variables.items[index]}));
    }
    sh_take_back(r, trail_mark);
}

static int by_variable(const void *left, const void *right)
{
    const sh_outcome *a = left, *b = right;

    if (a->variable != b->variable)
        return a->variable < b->variable ? -1 : 1;
    return a->branch < b->branch ? -1 : a->branch > b->branch;
}

bool sh_is_known(const sh_value *value)
{
    for (size_t i = 0; i < value->count; i++)
        if (value->pieces[i].symbolic)
            return false;
    return true;
}

static bool same_value(const sh_value *a, const sh_value *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->pieces[i].symbolic != b->pieces[i].symbolic ||
            !sb_slice_eq(a->pieces[i].text, b->pieces[i].text))
            return false;
    return true;
}

static bool has_value(const sh_value *values, size_t count, const sh_value *value)
{
    for (size_t i = 0; i < count; i++)
        if (same_value(&values[i], value))
            return true;
    return false;
}

/* What is not known stays as it would be written. */
static sh_value written(sh_reader *r, sb_slice name)
{
    sh_value value = {sb_arena_new_of(r->arena, sh_piece), 1};

    value.pieces->text = sb_arena_printf(r->arena, "${%" SB_FMT "}", SB_ARG(name));
    value.pieces->symbolic = true;
    return value;
}

/* More values than this are no longer told apart. */
enum { JOINED_MAX = 32 };

static void add_alternatives(sh_reader *r, sh_variable *joined, const sh_variable *more, bool *unknown)
{
    sh_value nothing;
    const sh_value *values = more->values;
    size_t count = more->count;

    if (more->array || count > JOINED_MAX) {
        *unknown = true;
        return;
    }
    if (!count) {
        nothing = written(r, joined->name);
        values = &nothing;
        count = 1;
    }
    for (size_t i = 0; i < count && !*unknown; i++) {
        if (has_value(joined->values, joined->count, &values[i]))
            continue;
        if (joined->count == JOINED_MAX)
            *unknown = true;
        else
            joined->values[joined->count++] = values[i];
    }
}

static void join_one(sh_reader *r, const sh_outcome *outcomes, size_t count, size_t branches, bool complete)
{
    sh_variable joined = {.name = r->variables.items[outcomes->variable].name};
    sh_variable before = r->variables.items[outcomes->variable];
    size_t ran = 0;
    bool unknown = false;

    if (count == 1 && branches == 1 && complete) {
        sh_set(r, outcomes->variable, outcomes->value);
        return;
    }
    joined.values = sb_arena_array(r->arena, sh_value, JOINED_MAX);
    for (size_t i = 0; i < count; i++) {
        if (i && outcomes[i].branch == outcomes[i - 1].branch)
            continue;
        ran++;
        joined.exported = joined.exported || outcomes[i].value.exported;
        add_alternatives(r, &joined, &outcomes[i].value, &unknown);
    }
    if (ran < branches || !complete)
        add_alternatives(r, &joined, &before, &unknown);
    if (unknown || (joined.count == 1 && !sh_is_known(joined.values) && !before.count && ran < branches))
        joined.count = 0;
    sh_set(r, outcomes->variable, joined);
}

void sh_join(sh_reader *r, size_t mark, size_t branches, bool complete)
{
    size_t count = r->outcomes.len - mark;
    sh_outcome *outcomes;

    if (!count)
        return;
    outcomes = r->outcomes.items + mark;
    qsort(outcomes, count, sizeof(*outcomes), by_variable);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && outcomes[end].variable == outcomes[i].variable; end++)
            ;
        join_one(r, outcomes + i, end - i, branches, complete);
    }
    r->outcomes.len = mark;
}
