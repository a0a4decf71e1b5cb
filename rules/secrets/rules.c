// SPDX-License-Identifier: Apache-2.0
/* Rule files. docs/secrets.md describes them. */
#include <rules/secrets/engine.h>

#include <fcntl.h>

#include <fetch/toml.h>
#include <sbuild/fs.h>

enum { AFTER = 256, WORDS_MAX = 4096, KEYWORDS_MAX = 256, REGEXES_MAX = 16384 };

typedef struct loader {
    sb_secret_rules *rules;
    const char *name;
    json_int_t line; /* of the table that is read */
    bool check;      /* expressions are compiled now */
    sb_error **err;
} loader;

static int wrong(const loader *l, const char *what, sb_slice detail)
{
    sb_autofree char *text = sb_printable(detail);

    return sb_fail(l->err, SB_ERR_PARSE, "%s:%lld: %s%s%s", l->name, (long long)l->line, what,
                   detail.ptr ? ": " : "", detail.ptr ? text : "");
}

/* Every member of a table is one that is known. */
static int check_members(const loader *l, json_t *table, const char *const *known)
{
    const char *key;
    json_t *value;

    json_object_foreach(table, key, value)
    {
        size_t i = 0;

        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i] && strcmp(key, SB_TOML_LINE) != 0)
            return wrong(l, "there is no such key", sb_slice_z(key));
    }
    return 0;
}

/* *ret_list is a list of strings, or NULL without the member. */
static int get_list(const loader *l, const json_t *table, const char *key, json_t **ret_list)
{
    json_t *list = json_object_get(table, key);

    if (list && (!json_is_array(list) || json_array_size(list) > WORDS_MAX))
        return wrong(l, "must be a list of strings", sb_slice_z(key));
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!sb_json_text(json_array_get(list, i)).len)
            return wrong(l, "must be a list of strings, none of them empty", sb_slice_z(key));
    *ret_list = list;
    return 0;
}

static int get_text(const loader *l, const json_t *table, const char *key, sb_slice *ret_text)
{
    const json_t *value = json_object_get(table, key);

    if (value && !json_is_string(value))
        return wrong(l, "must be a string", sb_slice_z(key));
    *ret_text = sb_json_text(value);
    return 0;
}

static int get_number(const loader *l, const json_t *table, const char *key, double max, double *number)
{
    const json_t *value = json_object_get(table, key);

    if (!value)
        return 0;
    if (!json_is_number(value) || json_number_value(value) < 0 || json_number_value(value) > max)
        return wrong(l, "must be a number and not too large", sb_slice_z(key));
    *number = json_number_value(value);
    return 0;
}

static int get_bool(const loader *l, const json_t *table, const char *key, bool *flag)
{
    const json_t *value = json_object_get(table, key);

    if (value && !json_is_boolean(value))
        return wrong(l, "must be true or false", sb_slice_z(key));
    if (value)
        *flag = json_is_true(value);
    return 0;
}

static int add_regex(const loader *l, sb_slice pattern, secret_anchor anchor, bool no_case,
                     secret_regex **ret_regex)
{
    sb_secret_rules *rules = l->rules;
    SB_AUTO(sb_error) err = NULL;
    secret_regex *regex;

    if (rules->regex_count == REGEXES_MAX)
        return wrong(l, "there are too many expressions", SB_NIL);
    if (secret_regex_new(rules->arena, pattern, anchor, no_case, l->check, &regex, &err) < 0)
        return wrong(l, err->message, pattern);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    *SB_ARENA_PUSH(rules->arena, rules->regexes, rules->regex_count, rules->regex_cap) = regex;
    *ret_regex = regex;
    return 0;
}

static int add_regexes(const loader *l, const json_t *list, bool no_case, secret_regex ***ret_regexes,
                       size_t *ret_count)
{
    size_t count = json_array_size(list);
    secret_regex **regexes = sb_arena_array(l->rules->arena, secret_regex *, count + 1);

    for (size_t i = 0; i < count; i++)
        if (add_regex(l, sb_json_text(json_array_get(list, i)), SECRET_SEARCH, no_case, &regexes[i]) < 0)
            return -1;
    *ret_regexes = regexes;
    *ret_count = count;
    return 0;
}

static const sb_slice *add_words(const loader *l, const json_t *list, bool lower)
{
    sb_slice *words = sb_arena_array(l->rules->arena, sb_slice, json_array_size(list) + 1);

    for (size_t i = 0; i < json_array_size(list); i++) {
        sb_slice word = sb_json_text(json_array_get(list, i));

        words[i] = lower ? sb_arena_lower(l->rules->arena, word) : sb_arena_dup(l->rules->arena, word);
    }
    return words;
}

static int read_path_set(loader *l, json_t *table)
{
    static const char *const known[] = {"name", "match", NULL};
    sb_secret_rules *rules = l->rules;
    secret_path_set set = {SB_NIL, NULL, 0};
    json_t *list;
    size_t i = 0;

    if (check_members(l, table, known) < 0 || get_text(l, table, "name", &set.name) < 0 ||
        get_list(l, table, "match", &list) < 0 || add_regexes(l, list, true, &set.patterns, &set.count) < 0)
        return -1;
    if (!set.name.len || !set.count)
        return wrong(l, "a set of paths needs \"name\" and \"match\"", SB_NIL);
    while (i < rules->path_set_count && !sb_slice_eq(rules->path_sets[i].name, set.name))
        i++;
    if (i == SECRET_PATH_SETS_MAX)
        return wrong(l, "there are too many sets of paths", SB_NIL);
    set.name = sb_arena_dup(rules->arena, set.name);
    rules->path_sets[i] = set; /* a later one of the same name replaces it */
    rules->path_set_count += i == rules->path_set_count;
    return 0;
}

static int get_path_sets(const loader *l, const json_t *table, const char *key, uint64_t *ret_sets)
{
    json_t *list;

    if (get_list(l, table, key, &list) < 0)
        return -1;
    for (size_t i = 0; i < json_array_size(list); i++) {
        sb_slice name = sb_json_text(json_array_get(list, i));
        size_t set = 0;

        while (set < l->rules->path_set_count && !sb_slice_eq(l->rules->path_sets[set].name, name))
            set++;
        if (set == l->rules->path_set_count)
            return wrong(l, "there is no set of paths of this name", name);
        *ret_sets |= UINT64_C(1) << set;
    }
    return 0;
}

static int get_keywords(const loader *l, const json_t *table, secret_rule *rule)
{
    json_t *list;

    if (get_list(l, table, "keywords", &list) < 0 || get_bool(l, table, "any-case", &rule->any_case) < 0)
        return -1;
    if (json_array_size(list) > KEYWORDS_MAX)
        return wrong(l, "a rule has at most 256 keywords", SB_NIL);
    for (size_t i = 0; i < json_array_size(list); i++) {
        sb_slice word = sb_json_text(json_array_get(list, i));

        if (word.len < SECRET_KEYWORD_MIN || word.len > SECRET_KEYWORD_MAX)
            return wrong(l, "a keyword must have 3 to 64 bytes", word);
    }
    rule->keywords = add_words(l, list, rule->any_case);
    rule->keyword_count = json_array_size(list);
    if (!rule->keyword_count != (rule->kind == SECRET_FILE))
        return wrong(l, "a rule needs \"keywords\", unless it is about a kind of file", SB_NIL);
    return 0;
}

static int get_kind(const loader *l, const json_t *table, secret_rule *rule)
{
    static const char *const names[] = {[SECRET_TOKEN] = "token",
                                        [SECRET_ASSIGNMENT] = "assignment",
                                        [SECRET_URL] = "url",
                                        [SECRET_FILE] = "file"};
    sb_slice kind;
    size_t i = 0;

    if (get_text(l, table, "kind", &kind) < 0)
        return -1;
    if (!kind.ptr)
        kind = SB_LIT("token");
    while (i < SB_COUNT(names) && !sb_slice_eqz(kind, names[i]))
        i++;
    if (i == SB_COUNT(names))
        return wrong(l, "\"kind\" must be token, assignment, url or file", kind);
    rule->kind = (secret_kind)i;
    rule->any_case = rule->kind == SECRET_ASSIGNMENT;
    return 0;
}

static int get_expressions(const loader *l, const json_t *table, secret_rule *rule)
{
    static const secret_anchor anchors[] = {[SECRET_TOKEN] = SECRET_AT_START,
                                            [SECRET_ASSIGNMENT] = SECRET_WHOLE,
                                            [SECRET_URL] = SECRET_WHOLE,
                                            [SECRET_FILE] = SECRET_SEARCH};
    secret_anchor anchor = rule->kind == SECRET_TOKEN && rule->before ? SECRET_SEARCH : anchors[rule->kind];
    sb_slice regex, name;
    json_t *allow;

    if (get_text(l, table, "regex", &regex) < 0 || get_text(l, table, "name", &name) < 0 ||
        get_list(l, table, "allow", &allow) < 0)
        return -1;
    if (!regex.ptr && (rule->kind == SECRET_TOKEN || rule->kind == SECRET_FILE))
        return wrong(l, "a rule needs \"regex\"", SB_NIL);
    if (name.ptr && rule->kind != SECRET_ASSIGNMENT)
        return wrong(l, "\"name\" is for assignments", SB_NIL);
    if ((regex.ptr && add_regex(l, regex, anchor, false, &rule->regex) < 0) ||
        (name.ptr && add_regex(l, name, SECRET_WHOLE, true, &rule->name) < 0))
        return -1;
    return add_regexes(l, allow, false, &rule->allow, &rule->allow_count);
}

static int get_check(const loader *l, const json_t *table, secret_rule *rule)
{
    sb_slice check;

    if (get_text(l, table, "check", &check) < 0)
        return -1;
    rule->check = check.ptr ? secret_check_find(check) : NULL;
    return check.ptr && !rule->check ? wrong(l, "there is no such check", check) : 0;
}

static int get_numbers(const loader *l, const json_t *table, secret_rule *rule)
{
    double entropy = 0, before = 0, after = AFTER, group = 1;

    if (get_number(l, table, "entropy", 8, &entropy) < 0 ||
        get_number(l, table, "before", SECRET_BEFORE_MAX, &before) < 0 ||
        get_number(l, table, "after", SECRET_AFTER_MAX, &after) < 0 ||
        get_number(l, table, "group", 7, &group) < 0)
        return -1;
    rule->entropy = (unsigned)(entropy * 100 + 0.5);
    rule->before = (size_t)before;
    rule->after = (size_t)after;
    rule->group = (unsigned)group;
    return 0;
}

static int read_rule(loader *l, json_t *table)
{
    static const char *const known[] = {"id",         "title", "kind",    "keywords", "any-case", "regex",
                                        "name",       "group", "entropy", "check",    "allow",    "before",
                                        "stop-words", "after", "only-in", "not-in",   "generic",  NULL};
    sb_secret_rules *rules = l->rules;
    secret_rule rule = {0};
    sb_slice id, title;
    json_t *words;
    size_t i = 0;

    if (check_members(l, table, known) < 0 || get_text(l, table, "id", &id) < 0 ||
        get_text(l, table, "title", &title) < 0)
        return -1;
    if (!id.len || !title.len)
        return wrong(l, "a rule needs \"id\" and \"title\"", SB_NIL);
    rule.id = sb_arena_strdup(rules->arena, id);
    rule.title = sb_arena_strdup(rules->arena, title);
    if (get_kind(l, table, &rule) < 0 || get_numbers(l, table, &rule) < 0 ||
        get_keywords(l, table, &rule) < 0 || get_expressions(l, table, &rule) < 0 ||
        get_check(l, table, &rule) < 0 || get_list(l, table, "stop-words", &words) < 0 ||
        get_bool(l, table, "generic", &rule.generic) < 0 ||
        get_path_sets(l, table, "only-in", &rule.only_in) < 0 ||
        get_path_sets(l, table, "not-in", &rule.not_in) < 0)
        return -1;
    if (rule.kind == SECRET_FILE && !rule.only_in)
        return wrong(l, "a rule about a kind of file needs \"only-in\"", SB_NIL);
    rule.stop_words = add_words(l, words, true);
    rule.stop_word_count = json_array_size(words);
    while (i < rules->count && strcmp(rules->items[i].id, rule.id) != 0)
        i++;
    if (i == SECRET_RULES_MAX)
        return wrong(l, "there are too many rules", SB_NIL);
    if (i < rules->count)
        rules->items[i] = rule; /* a later one of the same id replaces it */
    else
        *SB_ARENA_PUSH(rules->arena, rules->items, rules->count, rules->cap) = rule;
    return 0;
}

/* What is no secret, whatever the rule. */
static int read_allow(loader *l, json_t *table)
{
    static const char *const known[] = {"regexes", "stop-words", "sha256", NULL};
    sb_secret_rules *rules = l->rules;
    json_t *regexes, *words, *hashes;

    if (check_members(l, table, known) < 0 || get_list(l, table, "regexes", &regexes) < 0 ||
        get_list(l, table, "stop-words", &words) < 0 || get_list(l, table, "sha256", &hashes) < 0)
        return -1;
    for (size_t i = 0; i < json_array_size(regexes); i++) {
        secret_regex *regex;

        if (add_regex(l, sb_json_text(json_array_get(regexes, i)), SECRET_SEARCH, false, &regex) < 0)
            return -1;
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
        *SB_ARENA_PUSH(rules->arena, rules->allow, rules->allow_count, rules->allow_cap) = regex;
    }
    for (size_t i = 0; i < json_array_size(words); i++)
        *SB_ARENA_PUSH(rules->arena, rules->stop_words, rules->stop_word_count, rules->stop_word_cap) =
            sb_arena_lower(rules->arena, sb_json_text(json_array_get(words, i)));
    for (size_t i = 0; i < json_array_size(hashes); i++) {
        sb_slice hex = sb_json_text(json_array_get(hashes, i));
        sb_digest digest;

        if (!sb_digest_from_hex(hex, &digest) || digest.algo != SB_HASH_SHA256)
            return wrong(l, "\"sha256\" must be 64 hexadecimal digits", hex);
        *SB_ARENA_PUSH(rules->arena, rules->known, rules->known_count, rules->known_cap) = digest;
    }
    return 0;
}

static int read_tables(loader *l, json_t *root, const char *key, int (*read)(loader *l, json_t *table))
{
    json_t *list = json_object_get(root, key);

    if (list && !json_is_array(list))
        return wrong(l, "must be an array of tables, [[…]]", sb_slice_z(key));
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *table = json_array_get(list, i);

        if (!json_is_object(table))
            return wrong(l, "must be an array of tables, [[…]]", sb_slice_z(key));
        l->line = json_integer_value(json_object_get(table, SB_TOML_LINE));
        if (read(l, table) < 0)
            return -1;
        l->line = 1;
    }
    return 0;
}

static int load(sb_secret_rules *rules, sb_slice text, const char *name, bool check, sb_error **err)
{
    static const char *const known[] = {"paths", "allow", "rules", NULL};
    loader l = {.rules = rules, .name = name, .line = 1, .check = check, .err = err};
    sb_autojson *root = NULL;

    if (sb_toml_parse_lines(text, name, &root, err) < 0 || check_members(&l, root, known) < 0)
        return -1;
    return read_tables(&l, root, "paths", read_path_set) < 0 ||
                   read_tables(&l, root, "allow", read_allow) < 0 ||
                   read_tables(&l, root, "rules", read_rule) < 0
               ? -1
               : 0;
}

int secret_compare_known(const void *a, const void *b)
{
    return sb_digest_cmp(a, b);
}

static int finish(sb_secret_rules *rules, sb_error **err)
{
    if (rules->known_count)
        qsort(rules->known, rules->known_count, sizeof(*rules->known), secret_compare_known);
    rules->keywords = secret_keywords_new(rules->items, rules->count);
    return rules->keywords ? 0 : sb_fail(err, SB_ERR_LIMIT, "the secret rules have too many keywords");
}

static sb_secret_rules *new_rules(void)
{
    sb_secret_rules *rules = sb_new(sb_secret_rules);

    rules->arena = sb_arena_new();
    return rules;
}

static int load_built_in(sb_secret_rules *rules, sb_error **err)
{
    for (const secret_embedded *file = secret_rule_files; file->name; file++)
        if (load(rules, (sb_slice){(const char *)file->data, file->len}, file->name, false, err) < 0)
            return -1;
    return 0;
}

static int load_file(sb_secret_rules *rules, const char *path, sb_error **err)
{
    sb_autofree char *text = NULL;
    sb_autofree char *name = sb_printable(sb_slice_z(path));
    size_t len;

    if (sb_read_file(AT_FDCWD, path, SECRET_FILE_MAX, &text, &len, NULL, err) < 0)
        return -1;
    return load(rules, (sb_slice){text, len}, name, true, err);
}

int sb_secret_rules_new(const char *const *extra, sb_secret_rules **ret_rules, sb_error **err)
{
    SB_AUTO(sb_secret_rules) rules = new_rules();

    if (load_built_in(rules, err) < 0)
        return -1;
    for (; extra && *extra; extra++)
        if (load_file(rules, *extra, err) < 0)
            return -1;
    if (finish(rules, err) < 0)
        return -1;
    *ret_rules = SB_TAKE(rules);
    return 0;
}

int sb_secret_rules_parse(sb_slice toml, const char *name, sb_secret_rules **ret_rules, sb_error **err)
{
    SB_AUTO(sb_secret_rules) rules = new_rules();

    if (load(rules, toml, name, true, err) < 0 || finish(rules, err) < 0)
        return -1;
    *ret_rules = SB_TAKE(rules);
    return 0;
}

void sb_secret_rules_free(sb_secret_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->regex_count; i++)
        secret_regex_free(rules->regexes[i]);
    secret_keywords_free(rules->keywords);
    sb_arena_free(rules->arena);
    free(rules);
}

size_t sb_secret_rules_count(const sb_secret_rules *rules)
{
    return rules->count;
}
