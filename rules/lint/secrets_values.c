// SPDX-License-Identifier: Apache-2.0
/* Secrets that are told by their own form, anywhere in the file; comments are read by many, too. */
#include <rules/lint/secrets.h>

typedef struct value_search {
    sk_search *s;
    const sb_df_instruction *ins; /* the one at or behind the last match: matches come in order */
} value_search;

static const sb_df_instruction *instruction_at(value_search *v, size_t offset)
{
    const sb_dockerfile *df = v->s->lint->df;
    const sb_df_instruction *end = df->instructions + df->instruction_count;

    if (!v->ins || v->ins->span.start > offset)
        v->ins = df->instructions;
    while (v->ins < end && v->ins->span.end <= offset)
        v->ins++;
    return v->ins < end && v->ins->span.start <= offset ? v->ins : NULL;
}

static bool found(void *ctx, const sb_secret_match *match)
{
    value_search *v = ctx;
    sk_search *s = v->s;
    sb_span span = {(size_t)match->offset, (size_t)match->offset + match->len};
    const sb_df_instruction *ins = instruction_at(v, span.start);
    int stage = ins ? ins->stage : -1;
    sk_note *note;

    if (span.end > s->lint->df->text.len || span.end <= span.start)
        return true;
    /* Of an assignment it is the name that tells, and the other parts of the search know more of names. */
    if (match->generic && ins && (ins->keyword == SB_DF_ENV || ins->keyword == SB_DF_ARG))
        return true;
    sb_lint_hide(s->lint, span);
    if (match->generic) {
        *SB_ARENA_PUSH(s->lint->arena, s->likely, s->likely_count, s->likely_cap) =
            (sk_note){.span = span, .kind = sb_slice_z(match->id), .stage = stage};
        return s->likely_count < SK_NOTES_MAX;
    }
    *SB_ARENA_PUSH(s->lint->arena, s->known, s->known_count, s->known_cap) = span;
    note = sk_say(s, &sk_value, stage, span, "%s%s", match->title, ins ? "" : ", in a comment");
    if (note)
        note->kind = sb_slice_z(match->id);
    return s->known_count < SK_NOTES_MAX;
}

void sk_find_values(sk_search *s)
{
    sb_secret_scanner *scanner = s->lint->scanner;
    value_search v = {.s = s};

    if (!scanner)
        return;
    sb_secret_scan_begin(scanner, SB_LIT("Dockerfile"), found, &v);
    sb_secret_scan_add(scanner, s->lint->df->text.ptr, s->lint->df->text.len);
    sb_secret_scan_end(scanner);
}

/* Does a finding about this place say it already? */
static bool is_told(const sk_search *s, sb_span span)
{
    for (size_t i = 0; i < s->note_count; i++)
        if (s->notes[i].span.start < span.end && span.start < s->notes[i].span.end)
            return true;
    return false;
}

void sk_tell_likely_values(sk_search *s)
{
    for (size_t i = 0; i < s->likely_count; i++) {
        const sk_note *likely = &s->likely[i];
        sk_note *note;

        if (is_told(s, likely->span))
            continue;
        note = sk_say(s, &sk_likely_value, likely->stage, likely->span,
                      "a value of %zu characters that looks like a secret, and is called like one",
                      likely->span.end - likely->span.start);
        if (note)
            note->kind = likely->kind;
    }
}
