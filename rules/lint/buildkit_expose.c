// SPDX-License-Identifier: Apache-2.0
/* Ports of EXPOSE: [address:][host-port:]port[/protocol]. */
#include <rules/lint/buildkit.h>

static bool is_protocol(sb_slice text)
{
    return !text.len || sb_slice_eq_nocase(text, SB_LIT("tcp")) || sb_slice_eq_nocase(text, SB_LIT("udp")) ||
           sb_slice_eq_nocase(text, SB_LIT("sctp"));
}

/* Where a port that was written as it is stands; SB_NIL when a variable made it. */
static const sb_df_word *word_of(const sb_df_instruction *ins, sb_slice port)
{
    for (size_t i = 0; i < ins->arg_count; i++)
        if (sb_slice_eq(ins->args[i].text, port))
            return &ins->args[i];
    return NULL;
}

static void check_port(bk_stage *s, const bk_instruction *bk, sb_slice port)
{
    const sb_df_word *word = word_of(bk->ins, port);
    sb_span place = bk_place(s->lint, bk, word ? word->span : bk->ins->keyword_span);
    ptrdiff_t colon = sb_slice_rchr(port, ':'), slash;
    sb_slice container = sb_slice_sub(port, (size_t)(colon + 1), port.len), protocol = SB_LIT("");
    sb_finding *finding;

    slash = sb_slice_chr(container, '/');
    if (slash >= 0)
        protocol = sb_slice_sub(container, (size_t)slash + 1, container.len);
    if (!slash || !container.len || !is_protocol(protocol))
        return;
    if (!bk_is_lower(protocol)) {
        finding = sb_lint_say(s->lint, &bk_expose_proto_casing, place,
                              "the protocol of %" SB_FMT " has capital letters", SB_ARG(port));
        if (word && bk->at == bk->ins && word->span.end - word->span.start == port.len)
            sb_lint_edit(s->lint, finding, (sb_span){word->span.end - protocol.len, word->span.end},
                         sb_arena_lower(s->lint->arena, protocol));
    }
    if (colon > 0)
        sb_lint_say(s->lint, &bk_expose_invalid_format, place,
                    "%" SB_FMT " is more than a port of the container", SB_ARG(port));
}

void bk_check_expose(bk_stage *s, const bk_instruction *bk)
{
    if (bk->expanded) {
        for (size_t i = 0; i < bk->expanded->count; i++)
            check_port(s, bk, bk->expanded->words[i]);
        return;
    }
    for (size_t i = 0; i < bk->ins->arg_count; i++)
        if (!memchr(bk->ins->args[i].text.ptr, '$', bk->ins->args[i].text.len))
            check_port(s, bk, bk->ins->args[i].text);
}
