// SPDX-License-Identifier: Apache-2.0
/*
 * `lint --fix`. Findings bring exact edits along. In each pass those that do not overlap are made together,
 * and the result is looked at with the same rules: it must parse, what was fixed must be gone, and nothing
 * may be there that was not before. If that fails, half of them are tried, and so on down to the one that is
 * to blame: it is dropped for good.
 */
#include <rules/lint/internal.h>

enum {
    LOOKS_MAX = 400,           /* how often one file is linted */
    FIXED_TEXT_MAX = 256 << 20 /* bytes */
};

typedef struct fixer {
    const char *path;
    const char *context;
    sb_lint_options options;
    sb_buf *text; /* as it is so far */
    sb_arena *arena;
    sb_slice *dropped; /* fingerprints */
    size_t dropped_count, dropped_cap;
    unsigned looks;
    sb_lint_fixes fixes;
} fixer;

/* --- Looking --- */

static int look(fixer *f, sb_slice text, sb_report **ret_report, sb_error **err)
{
    SB_AUTO(sb_report) report = sb_report_new("lint");
    int status = f->path
                     ? sb_lint_source(text, f->path, f->context, &f->options, f->options.shared, report, err)
                     : sb_lint_text(text, "Dockerfile", &f->options, report, err);

    f->looks++;
    if (status < 0)
        return -1;
    *ret_report = SB_TAKE(report);
    return 0;
}

static bool counts(const sb_finding *finding)
{
    return !finding->ignored.ptr;
}

static size_t count_of(const sb_report *report, const sb_rule *rule)
{
    size_t count = 0;

    for (size_t i = 0; i < report->count; i++)
        count += report->items[i].rule == rule && counts(&report->items[i]);
    return count;
}

/* --- Choosing --- */

static bool is_dropped(const fixer *f, const sb_finding *finding)
{
    for (size_t i = 0; i < f->dropped_count; i++)
        if (sb_slice_eq(f->dropped[i], finding->fingerprint))
            return true;
    return false;
}

/* By the first byte that is changed. */
static int by_place(const void *left, const void *right)
{
    const sb_finding *const *a = left, *const *b = right;
    size_t x = (*a)->edits[0].span.start, y = (*b)->edits[0].span.start;

    if (x != y)
        return x < y ? -1 : 1;
    return strcmp((*a)->rule->id, (*b)->rule->id);
}

/* An insertion next to another edit is kept apart, too: which of the two comes first would matter. */
static bool touches(const sb_df_edit *a, const sb_df_edit *b)
{
    return a->span.start <= b->span.end && b->span.start <= a->span.end;
}

static bool is_free(const sb_df_edit *edits, size_t count, const sb_finding *finding)
{
    for (size_t i = 0; i < finding->edit_count; i++)
        for (size_t k = 0; k < count; k++)
            if (touches(&finding->edits[i], &edits[k]))
                return false;
    return true;
}

enum { TOGETHER_MAX = 200 /* findings that are fixed in one pass: what does not touch is found in n² */ };

/* The findings of this pass; the rest waits for the next one. */
static const sb_finding **choose(fixer *f, const sb_report *report, size_t *ret_count)
{
    const sb_finding **all = sb_new_array(const sb_finding *, report->count + 1);
    sb_autofree sb_df_edit *edits = NULL;
    size_t count = 0, chosen = 0, edit_count = 0, edit_cap = 0;

    for (size_t i = 0; i < report->count; i++)
        if (report->items[i].edit_count && counts(&report->items[i]) && !is_dropped(f, &report->items[i]))
            all[count++] = &report->items[i];
    if (count)
        qsort(all, count, sizeof(const sb_finding *), by_place);
    for (size_t i = 0; i < count && chosen < TOGETHER_MAX; i++) {
        if (!is_free(edits, edit_count, all[i]))
            continue;
        for (size_t k = 0; k < all[i]->edit_count; k++)
            *SB_PUSH(edits, edit_count, edit_cap) = all[i]->edits[k];
        all[chosen++] = all[i];
    }
    *ret_count = chosen;
    return all;
}

/* --- Making and checking --- */

static int apply(const fixer *f, const sb_finding *const *chosen, size_t count, sb_buf *out, sb_error **err)
{
    sb_autofree sb_df_edit *edits = NULL;
    size_t edit_count = 0, edit_cap = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < chosen[i]->edit_count; k++)
            *SB_PUSH(edits, edit_count, edit_cap) = chosen[i]->edits[k];
    return sb_df_apply(sb_buf_slice(f->text), edits, edit_count, out, err);
}

static size_t fixed_of(const sb_finding *const *chosen, size_t count, const sb_rule *rule)
{
    size_t fixed = 0;

    for (size_t i = 0; i < count; i++)
        fixed += chosen[i]->rule == rule;
    return fixed;
}

/* Of each rule no more than before, less those that were fixed. */
static bool is_better(const sb_report *before, const sb_report *after, const sb_finding *const *chosen,
                      size_t count)
{
    const sb_rule_set *family;

    for (size_t f = 0; (family = sb_rule_family(f)); f++)
        for (size_t i = 0; i < family->count; i++) {
            const sb_rule *rule = family->rules[i];
            size_t left = count_of(after, rule);

            if (left && left + fixed_of(chosen, count, rule) > count_of(before, rule))
                return false;
        }
    return true;
}

/* 1 when the edits are good, and made; 0 when they are not. */
static int attempt(fixer *f, const sb_report *before, const sb_finding *const *chosen, size_t count,
                   sb_error **err)
{
    SB_AUTO(sb_error) cause = NULL;
    SB_AUTO(sb_dockerfile) df = NULL;
    SB_AUTO(sb_report) after = NULL;
    sb_autobuf out = SB_BUF_INIT(FIXED_TEXT_MAX);
    sb_buf swap;

    /* What cannot be applied, like what does not parse then, is a mistake of the rule: the text stays. */
    if (apply(f, chosen, count, &out, &cause) < 0 ||
        sb_df_parse(sb_buf_slice(&out), "Dockerfile", 0, &df, &cause) < 0)
        return 0;
    if (look(f, sb_buf_slice(&out), &after, err) < 0)
        return -1;
    if (!is_better(before, after, chosen, count))
        return 0;
    swap = *f->text;
    *f->text = out;
    out = swap;
    f->fixes.fixed += count;
    return 1;
}

/* Makes some of the edits, or drops one. */
static int one_pass(fixer *f, const sb_report *before, const sb_finding *const *chosen, size_t count,
                    sb_error **err)
{
    while (f->looks < LOOKS_MAX) {
        int made = attempt(f, before, chosen, count, err);

        if (made)
            return made < 0 ? -1 : 0;
        if (count == 1) {
            *SB_ARENA_PUSH(f->arena, f->dropped, f->dropped_count, f->dropped_cap) =
                sb_arena_dup(f->arena, chosen[0]->fingerprint);
            f->fixes.dropped++;
            return 0;
        }
        count /= 2;
    }
    return 0;
}

static int fix_all(fixer *f, sb_error **err)
{
    while (f->looks < LOOKS_MAX) {
        SB_AUTO(sb_report) report = NULL;
        sb_autofree const sb_finding **chosen = NULL;
        size_t count;

        if (look(f, sb_buf_slice(f->text), &report, err) < 0)
            return -1;
        chosen = choose(f, report, &count);
        if (!count)
            break;
        if (one_pass(f, report, chosen, count, err) < 0)
            return -1;
    }
    return 0;
}

int sb_lint_fix(sb_slice text, const char *path, const char *context, const sb_lint_options *options,
                sb_buf *out, sb_lint_fixes *ret_fixes, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf current = SB_BUF_INIT(FIXED_TEXT_MAX);
    SB_AUTO(sb_lint_shared) shared = options->shared ? NULL : sb_lint_shared_new();
    fixer f = {.path = path, .context = context, .options = *options, .text = &current, .arena = arena};

    if (shared)
        f.options.shared = shared;
    sb_buf_adds(&current, text);
    if (sb_buf_check(&current, "the Dockerfile", err) < 0 || fix_all(&f, err) < 0)
        return -1;
    sb_buf_adds(out, sb_buf_slice(&current));
    if (sb_buf_check(out, "the fixed Dockerfile", err) < 0)
        return -1;
    *ret_fixes = f.fixes;
    return 0;
}
