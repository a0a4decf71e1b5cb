// SPDX-License-Identifier: Apache-2.0
#include <cli/options.h>

#include <string.h>

#include <sbuild/buf.h>

/* An option in the set that knows it. */
typedef struct found {
    const cli_option *option;
    char *values; /* the set's struct */
} found;

void cli_list_add(cli_list *list, const char *text, size_t len)
{
    list->items = sb_grow(list->items, list->count + 1, &list->cap, sizeof(*list->items)); /* a NULL behind */
    list->items[list->count++] = sb_strndup(text, len);
    list->items[list->count] = NULL;
}

void cli_list_clear(cli_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (cli_list){0};
}

static bool holds_list(const cli_option *option)
{
    switch (option->kind) {
    case CLI_KIND_LIST:
    case CLI_KIND_WORDS:
    case CLI_KIND_OPTIONAL:
    case CLI_KIND_PASS:
    case CLI_KIND_PASS_FLAG:
        return true;
    case CLI_KIND_FLAG:
    case CLI_KIND_STRING:
    case CLI_KIND_CHOICE:
    case CLI_KIND_FILE:
    case CLI_KIND_REFUSED:
        break;
    }
    return false;
}

void cli_options_clear(const cli_option_set *set)
{
    for (const cli_option *o = set->options; o->name; o++)
        if (holds_list(o))
            cli_list_clear((cli_list *)(void *)((char *)set->values + o->offset));
}

bool cli_option_needs_value(const cli_option *option)
{
    switch (option->kind) {
    case CLI_KIND_STRING:
    case CLI_KIND_CHOICE:
    case CLI_KIND_FILE:
    case CLI_KIND_LIST:
    case CLI_KIND_WORDS:
    case CLI_KIND_PASS:
        return true;
    case CLI_KIND_FLAG:
    case CLI_KIND_OPTIONAL:
    case CLI_KIND_PASS_FLAG:
    case CLI_KIND_REFUSED:
        break;
    }
    return false;
}

/* --- Suggestions --- */

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

enum { NEAREST_LENGTH_MAX = 40 };

/* Edits (insertion, deletion, replacement, swap of neighbours) that make one word of the other. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NEAREST_LENGTH_MAX + 1];
    size_t la = strlen(a), lb = strlen(b);

    if (la > NEAREST_LENGTH_MAX || lb > NEAREST_LENGTH_MAX)
        return NEAREST_LENGTH_MAX;
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
    }
    return rows[la % 3][lb];
}

const char *cli_nearest(const char *typed, const char *(*name_of)(const void *ctx, size_t i), const void *ctx,
                        size_t count)
{
    size_t best = strlen(typed) / 3 + 2; /* the fewer letters, the fewer of them may be wrong */
    const char *nearest = NULL;

    for (size_t i = 0; i < count; i++) {
        const char *name = name_of(ctx, i);
        /* A beginning of the name is as good as one slip. */
        size_t d = *typed && strncmp(name, typed, strlen(typed)) == 0 ? 1 : distance(typed, name);

        if (d < best) {
            best = d;
            nearest = name;
        }
    }
    return nearest;
}

typedef struct option_names {
    const cli_option_set *sets;
    size_t set_count;
} option_names;

static const char *option_name_at(const void *ctx, size_t i)
{
    const option_names *names = ctx;

    for (size_t s = 0; s < names->set_count; s++)
        for (const cli_option *o = names->sets[s].options; o->name; o++)
            if (i-- == 0)
                return o->name;
    return "";
}

static int unknown_option(const cli_option_set *sets, size_t set_count, sb_slice name, sb_error **err)
{
    sb_autofree char *typed = sb_slice_dup(name);
    sb_autofree char *shown = sb_printable(name);
    option_names names = {sets, set_count};
    const char *nearest;
    size_t count = 0;

    for (size_t s = 0; s < set_count; s++)
        for (const cli_option *o = sets[s].options; o->name; o++)
            count++;
    nearest = cli_nearest(typed, option_name_at, &names, count);
    if (nearest)
        return sb_fail(err, SB_ERR_USAGE, "unknown option --%s; did you mean --%s?", shown, nearest);
    return sb_fail(err, SB_ERR_USAGE, "unknown option --%s", shown);
}

/* --- Setting values --- */

static int set_flag(const found *f, sb_slice value, sb_error **err)
{
    static const char *const yes[] = {"true", "1", "t", "yes"}, *const no[] = {"false", "0", "f", "no"};
    bool *flag = (bool *)(void *)(f->values + f->option->offset);
    sb_autofree char *shown = NULL;

    if (!value.ptr) {
        *flag = true;
        return 0;
    }
    for (size_t i = 0; i < SB_COUNT(yes); i++) {
        if (sb_slice_eqz(value, yes[i]) || sb_slice_eqz(value, no[i])) {
            *flag = sb_slice_eqz(value, yes[i]);
            return 0;
        }
    }
    shown = sb_printable(value);
    return sb_fail(err, SB_ERR_USAGE, "--%s is true or false, not \"%s\"", f->option->name, shown);
}

static int set_choice(const found *f, const char *value, sb_error **err)
{
    sb_slice rest = sb_slice_z(f->option->value);
    sb_autofree char *shown = NULL;

    while (rest.ptr) {
        if (sb_slice_eqz(sb_slice_cut(&rest, '|'), value)) {
            *(const char **)(void *)(f->values + f->option->offset) = value;
            return 0;
        }
    }
    shown = sb_printable(sb_slice_z(value));
    return sb_fail(err, SB_ERR_USAGE, "--%s is one of %s, not \"%s\"", f->option->name, f->option->value,
                   shown);
}

static int add_words(const found *f, cli_list *list, sb_slice value, sb_error **err)
{
    while (value.ptr) {
        sb_slice word = sb_slice_trim(sb_slice_cut(&value, ','));

        if (!word.len)
            return sb_fail(err, SB_ERR_USAGE, "--%s holds an empty word", f->option->name);
        cli_list_add(list, word.ptr, word.len);
    }
    return 0;
}

static void add_passed(const found *f, cli_list *list, sb_slice value)
{
    sb_autofree char *text =
        sb_asprintf("--%s%s%s", f->option->name, value.ptr ? "=" : "", value.ptr ? value.ptr : "");

    cli_list_add(list, text, strlen(text));
}

/* `value` is absent when none was given; it ends where its argument ends. */
static int set_value(const found *f, sb_slice value, sb_error **err)
{
    void *member = f->values + f->option->offset;

    switch (f->option->kind) {
    case CLI_KIND_FLAG:
        return set_flag(f, value, err);
    case CLI_KIND_STRING:
    case CLI_KIND_FILE:
        *(const char **)member = value.ptr;
        return 0;
    case CLI_KIND_CHOICE:
        return set_choice(f, value.ptr, err);
    case CLI_KIND_LIST:
        cli_list_add(member, value.ptr, value.len);
        return 0;
    case CLI_KIND_WORDS:
        return add_words(f, member, value, err);
    case CLI_KIND_OPTIONAL:
        if (value.ptr)
            cli_list_add(member, value.ptr, value.len);
        else
            ((cli_list *)member)->bare = true;
        return 0;
    case CLI_KIND_PASS:
    case CLI_KIND_PASS_FLAG:
        add_passed(f, member, value);
        return 0;
    case CLI_KIND_REFUSED:
        return sb_fail(err, SB_ERR_USAGE, "--%s: %s", f->option->name, f->option->help);
    }
    return sb_fail(err, SB_ERR_INTERNAL, "option kind %d", (int)f->option->kind);
}

/* --- Parsing --- */

typedef struct parser {
    const cli_option_set *sets;
    size_t set_count;
    char **argv;
    size_t argc;
    size_t next; /* index of the argument behind the current one */
} parser;

static bool find_long(const parser *p, sb_slice name, found *ret_found)
{
    for (size_t s = 0; s < p->set_count; s++) {
        for (const cli_option *o = p->sets[s].options; o->name; o++) {
            if (sb_slice_eqz(name, o->name)) {
                *ret_found = (found){o, p->sets[s].values};
                return true;
            }
        }
    }
    return false;
}

static bool find_short(const parser *p, char letter, found *ret_found)
{
    for (size_t s = 0; s < p->set_count; s++) {
        for (const cli_option *o = p->sets[s].options; o->name; o++) {
            if (o->letter == letter) {
                *ret_found = (found){o, p->sets[s].values};
                return true;
            }
        }
    }
    return false;
}

/* Sets an option that may take the next argument as its value. */
static int set_or_take(parser *p, const found *f, sb_slice value, sb_error **err)
{
    if (!value.ptr && cli_option_needs_value(f->option)) {
        if (p->next == p->argc)
            return sb_fail(err, SB_ERR_USAGE, "--%s needs a value: --%s %s", f->option->name, f->option->name,
                           f->option->value);
        value = sb_slice_z(p->argv[p->next++]);
    }
    return set_value(f, value, err);
}

static int parse_long(parser *p, const char *argument, sb_error **err)
{
    sb_slice value = sb_slice_z(argument + 2);
    sb_slice name = sb_slice_cut(&value, '=');
    found f;

    if (!find_long(p, name, &f))
        return unknown_option(p->sets, p->set_count, name, err);
    return set_or_take(p, &f, value, err);
}

/* "-q", "-qv", "-fFILE", "-f=FILE", "-f FILE" */
static int parse_short(parser *p, const char *argument, sb_error **err)
{
    for (const char *letter = argument + 1; *letter; letter++) {
        found f;

        if (!find_short(p, *letter, &f)) {
            sb_autofree char *shown = sb_printable(sb_slice_z(letter));

            return sb_fail(err, SB_ERR_USAGE, "unknown option -%s", shown);
        }
        if (cli_option_needs_value(f.option)) {
            const char *rest = letter + 1 + (letter[1] == '=');

            return set_or_take(p, &f, letter[1] ? sb_slice_z(rest) : SB_NIL, err);
        }
        if (set_value(&f, SB_NIL, err) < 0)
            return -1;
    }
    return 0;
}

int cli_parse(const cli_option_set *sets, size_t set_count, char **argv, size_t argc, unsigned flags,
              cli_list *operands, sb_error **err)
{
    parser p = {sets, set_count, argv, argc, 0};
    bool options = true;

    while (p.next < argc) {
        const char *argument = argv[p.next++];

        if (!options || argument[0] != '-' || !argument[1]) {
            cli_list_add(operands, argument, strlen(argument));
            options = options && !(flags & CLI_STOP_AT_OPERAND);
        } else if (strcmp(argument, "--") == 0) {
            options = false;
        } else if ((argument[1] == '-' ? parse_long : parse_short)(&p, argument, err) < 0) {
            return -1;
        }
    }
    return 0;
}
