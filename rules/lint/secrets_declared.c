// SPDX-License-Identifier: Apache-2.0
/* ENV and ARG whose names say that they hold a secret. */
#include <rules/lint/secrets.h>

/* Without the quotes around it; the span goes along. */
static sb_slice unquoted(sb_slice value, sb_span *span)
{
    if (value.len > 1 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
        value.ptr[value.len - 1] == value.ptr[0]) {
        if (span->end - span->start == value.len) {
            span->start++;
            span->end--;
        }
        value = sb_slice_sub(value, 1, value.len - 1);
    }
    return value;
}

/* "$NAME", "${NAME}" or "${NAME:-…}" and nothing else: the name. */
static sb_slice only_reference(sb_slice value)
{
    bool braces = sb_slice_starts(value, SB_LIT("${"));
    size_t start = braces ? 2 : 1, end = start;

    if (value.len < 2 || value.ptr[0] != '$')
        return SB_NIL;
    while (end < value.len &&
           (value.ptr[end] == '_' || (value.ptr[end] >= '0' && value.ptr[end] <= '9') ||
            (sb_ascii_lower(value.ptr[end]) >= 'a' && sb_ascii_lower(value.ptr[end]) <= 'z')))
        end++;
    if (end == start || (braces ? value.ptr[value.len - 1] != '}' : end != value.len))
        return SB_NIL;
    return sb_slice_sub(value, start, end);
}

/* Is it an ARG, of this stage or one that this builds on, above the instruction? */
static bool is_argument(const sk_search *s, const sb_df_instruction *before, sb_slice name)
{
    for (const sb_df_instruction *ins = s->lint->df->instructions; ins < before; ins++)
        for (size_t k = 0; ins->keyword == SB_DF_ARG && k < ins->pair_count; k++)
            if (sb_slice_eq(ins->pairs[k].key, name) && ins->stage >= 0 &&
                sb_lint_builds_on(s->lint, before->stage, ins->stage))
                return true;
    return false;
}

static void check_environment(sk_search *s, const sb_df_instruction *ins, const sb_df_pair *pair)
{
    sb_span span = pair->value_span;
    sb_slice value = unquoted(pair->value, &span), reference = only_reference(value);
    sk_note *note;

    if (reference.ptr && is_argument(s, ins, reference)) {
        note = sk_say(s, &sk_environment, ins->stage, pair->key_span,
                      "ENV %" SB_FMT " keeps the build argument %" SB_FMT " in the image's configuration",
                      SB_ARG(pair->key), SB_ARG(reference));
        sk_help(s, note, "use RUN --mount=type=secret,id=%" SB_FMT ",env=%" SB_FMT " where it is needed",
                SB_ARG(pair->key), SB_ARG(pair->key));
        return;
    }
    if (!sk_is_real_value(pair->key, value))
        return;
    sb_lint_hide(s->lint, span);
    if (sk_is_known(s, span))
        return;
    sk_say(s, &sk_environment, ins->stage, pair->key_span,
           "ENV %" SB_FMT " holds a secret (%zu characters) that everybody who has the image can read",
           SB_ARG(pair->key), value.len);
}

static void check_argument(sk_search *s, const sb_df_instruction *ins, const sb_df_pair *pair)
{
    sb_span span = pair->value_span;
    sb_slice value = pair->value.ptr ? unquoted(pair->value, &span) : SB_LIT("");
    sk_note *note;

    if (sk_is_real_value(pair->key, value)) {
        sb_lint_hide(s->lint, span);
        if (sk_is_known(s, span))
            return;
        sk_say(s, &sk_environment, ins->stage, pair->key_span,
               "ARG %" SB_FMT " has a secret as its default (%zu characters)", SB_ARG(pair->key), value.len);
        return;
    }
    /* A default that is a path, a switch or a number says what kind of value it takes. */
    if (value.len && !memchr(value.ptr, '$', value.len) && !sk_is_placeholder(value))
        return;
    note = sk_say(s, &sk_build_argument, ins->stage, pair->key_span,
                  "build argument %" SB_FMT
                  " looks like a secret: the image's history and its provenance keep it",
                  SB_ARG(pair->key));
    sk_help(s, note,
            "use RUN --mount=type=secret,id=%" SB_FMT ",env=%" SB_FMT
            " and docker build --secret id=%" SB_FMT,
            SB_ARG(pair->key), SB_ARG(pair->key), SB_ARG(pair->key));
}

void sk_find_declarations(sk_search *s)
{
    const sb_dockerfile *df = s->lint->df;

    for (size_t i = 0; i < df->instruction_count; i++) {
        const sb_df_instruction *ins =
            df->instructions[i].trigger ? df->instructions[i].trigger : &df->instructions[i];

        if (ins->keyword != SB_DF_ENV && ins->keyword != SB_DF_ARG)
            continue;
        for (size_t k = 0; k < ins->pair_count; k++) {
            if (!sk_is_secret_name(ins->pairs[k].key))
                continue;
            if (ins->keyword == SB_DF_ENV)
                check_environment(s, &df->instructions[i], &ins->pairs[k]);
            else
                check_argument(s, &df->instructions[i], &ins->pairs[k]);
        }
    }
}
