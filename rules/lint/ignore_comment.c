// SPDX-License-Identifier: Apache-2.0
/* What a comment that silences rules says. */
#include <rules/lint/ignores.h>

/* hadolint's rules, and ours that look at the same: ids, or what they begin with. */
static const struct {
    const char *theirs, *ours;
} hadolint_rules[] = {
    {"DL3000", "WorkdirRelativePath"},
    {"DL3002", "SB101"},
    {"DL3002", "SB102"},
    {"DL3004", "SB108"},
    {"DL3004", "SB109"},
    {"DL3005", "SB2"},
    {"DL3006", "SB401"},
    {"DL3007", "SB402"},
    {"DL3008", "SB501"},
    {"DL3012", "MultipleInstructionsDisallowed"},
    {"DL3013", "SB506"},
    {"DL3013", "SB507"},
    {"DL3016", "SB510"},
    {"DL3017", "SB2"},
    {"DL3018", "SB502"},
    {"DL3024", "DuplicateStageName"},
    {"DL3025", "JSONArgsRecommended"},
    {"DL3028", "SB514"},
    {"DL3029", "FromPlatformFlagConstDisallowed"},
    {"DL3031", "SB2"},
    {"DL3033", "SB503"},
    {"DL3035", "SB2"},
    {"DL3037", "SB504"},
    {"DL3039", "SB2"},
    {"DL3041", "SB503"},
    {"DL3046", "SB111"},
    {"DL3062", "SB516"},
    {"DL3064", "SB7"},
    {"DL3064", "SecretsUsedInArgOrEnv"},
    {"DL3066", "SB103"},
    {"DL4000", "MaintainerDeprecated"},
    {"DL4003", "MultipleInstructionsDisallowed"},
    {"DL4004", "MultipleInstructionsDisallowed"},
};

static bool is_rule_letter(char c)
{
    return sb_ascii_is_alnum(c) || c == '-' || c == '_';
}

static sb_ignored_rule *add(sb_arena *arena, sb_ignore_comment *comment, size_t *cap, sb_slice name)
{
    static sb_ignored_rule surplus;
    sb_ignored_rule *rule = &surplus;

    if (comment->rule_count < SB_LINT_IGNORED_RULES_MAX)
        rule = SB_ARENA_PUSH(arena, comment->rules, comment->rule_count, *cap);
    *rule = (sb_ignored_rule){.name = name};
    return rule;
}

static void add_hadolint_rule(sb_arena *arena, sb_ignore_comment *comment, size_t *cap, sb_slice name)
{
    bool known = false;

    for (size_t i = 0; i < SB_COUNT(hadolint_rules); i++)
        if (sb_slice_eq_nocase(name, sb_slice_z(hadolint_rules[i].theirs))) {
            add(arena, comment, cap, name)->prefix = hadolint_rules[i].ours;
            known = true;
        }
    if (!known)
        add(arena, comment, cap, name);
}

static void add_rule(sb_arena *arena, sb_ignore_comment *comment, size_t *cap, sb_slice name)
{
    const sb_rule *rule;

    if (comment->dialect == SB_IGNORE_HADOLINT) {
        add_hadolint_rule(arena, comment, cap, name);
    } else if (comment->dialect == SB_IGNORE_SBUILD) {
        add(arena, comment, cap, name)->rule = sb_rule_find(name);
    } else if (sb_slice_eq_nocase(name, SB_LIT("all"))) {
        add(arena, comment, cap, name)->prefix = "";
    } else {
        /* BuildKit's names are no others': a check called SB301 is none. */
        rule = sb_rule_find(name);
        add(arena, comment, cap, name)->rule =
            rule && sb_slice_starts(sb_slice_z(rule->id), SB_LIT("SB")) ? NULL : rule;
    }
}

/* "A, B,C" from the beginning of *rest, which keeps what is behind it. */
static void read_rules(sb_arena *arena, sb_ignore_comment *comment, sb_slice *rest)
{
    size_t cap = 0;

    do {
        size_t len = 0;

        *rest = sb_slice_trim(*rest);
        while (len < rest->len && is_rule_letter(rest->ptr[len]))
            len++;
        if (len)
            add_rule(arena, comment, &cap, sb_slice_sub(*rest, 0, len));
        *rest = sb_slice_trim(sb_slice_sub(*rest, len, rest->len));
    } while (rest->len && rest->ptr[0] == ',' && (*rest = sb_slice_sub(*rest, 1, rest->len), true));
}

static bool take(sb_slice *rest, const char *word)
{
    if (!sb_slice_starts(*rest, sb_slice_z(word)))
        return false;
    *rest = sb_slice_sub(*rest, strlen(word), rest->len);
    return true;
}

static sb_slice printable(sb_arena *arena, sb_slice text)
{
    sb_autofree char *shown = sb_printable(text);

    return sb_arena_dup(arena, sb_slice_z(shown));
}

static sb_slice unquoted(sb_slice text)
{
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        return sb_slice_sub(text, 1, text.len - 1);
    return text;
}

/* "sbuild: ignore=SB301 reason=…", "sbuild: ignore-file=…" */
static bool parse_own(sb_arena *arena, sb_slice rest, sb_ignore_comment *comment)
{
    comment->dialect = SB_IGNORE_SBUILD;
    if (!take(&rest, "ignore"))
        return false;
    comment->scope = take(&rest, "-file") ? SB_IGNORE_FILE : SB_IGNORE_INSTRUCTION;
    rest = sb_slice_trim(rest);
    if (!take(&rest, "=")) {
        comment->leftover = printable(arena, rest);
        return true;
    }
    read_rules(arena, comment, &rest);
    if (take(&rest, "reason=")) {
        rest = unquoted(sb_slice_trim(rest));
        comment->reason = rest.len ? printable(arena, rest) : SB_NIL;
    } else if (rest.len) {
        comment->leftover = printable(arena, rest);
    }
    return true;
}

/* "hadolint ignore=DL3008", "hadolint global ignore=…", "hadolint stage ignore=…" */
static bool parse_hadolint(sb_arena *arena, sb_slice rest, sb_ignore_comment *comment)
{
    comment->dialect = SB_IGNORE_HADOLINT;
    rest = sb_slice_trim(rest);
    comment->scope = take(&rest, "global ")  ? SB_IGNORE_FILE
                     : take(&rest, "stage ") ? SB_IGNORE_STAGE
                                             : SB_IGNORE_INSTRUCTION;
    rest = sb_slice_trim(rest);
    if (!take(&rest, "ignore"))
        return false;
    rest = sb_slice_trim(rest);
    if (!take(&rest, "="))
        return false;
    read_rules(arena, comment, &rest);
    while (rest.len && strchr("#;:-", rest.ptr[0]))
        rest = sb_slice_trim(sb_slice_sub(rest, 1, rest.len));
    comment->reason = rest.len ? printable(arena, rest) : SB_NIL;
    return comment->rule_count > 0;
}

/* "skip=A,B;error=true" */
static bool parse_check(sb_arena *arena, sb_slice rest, sb_ignore_comment *comment)
{
    sb_slice field;

    comment->dialect = SB_IGNORE_CHECK;
    while ((field = sb_slice_cut(&rest, ';')).ptr) {
        sb_slice value = field, key = sb_slice_trim(sb_slice_cut(&value, '='));

        if (!value.ptr)
            continue;
        if (sb_slice_eq_nocase(key, SB_LIT("skip")))
            read_rules(arena, comment, &value);
        else if (sb_slice_eq_nocase(key, SB_LIT("error")))
            comment->raises = sb_slice_eq_nocase(sb_slice_trim(value), SB_LIT("true")) ||
                              sb_slice_eqz(sb_slice_trim(value), "1");
    }
    return comment->rule_count > 0 || comment->raises;
}

bool sb_ignore_comment_parse(sb_arena *arena, sb_slice text, sb_ignore_comment *ret_comment)
{
    sb_ignore_comment comment = {.reason = SB_NIL};
    sb_slice rest = sb_slice_trim(text);
    bool ours = false;

    if (take(&rest, "sbuild")) {
        rest = sb_slice_trim(rest);
        if (take(&rest, ":"))
            ours = parse_own(arena, sb_slice_trim(rest), &comment);
    } else if (take(&rest, "hadolint ")) {
        ours = parse_hadolint(arena, rest, &comment);
    } else if (take(&rest, "check")) {
        rest = sb_slice_trim(rest);
        if (take(&rest, "="))
            ours = parse_check(arena, rest, &comment);
        comment.raises = false;
        ours = ours && comment.rule_count;
    }
    if (ours)
        *ret_comment = comment;
    return ours;
}

bool sb_ignore_directive_parse(sb_arena *arena, sb_slice value, sb_ignore_comment *ret_comment)
{
    sb_ignore_comment comment = {.scope = SB_IGNORE_FILE};

    if (!parse_check(arena, value, &comment))
        return false;
    *ret_comment = comment;
    return true;
}
