// SPDX-License-Identifier: Apache-2.0
/*
 * Written straight into a buffer: a Dockerfile may have a hundred thousand instructions, and a tree of JSON
 * nodes would be larger and slower than the Dockerfile's own.
 */
#include <cli/inspect.h>
#include <sbuild/reference.h>
#include <sbuild/utf8.h>

static void add_escaped(sb_buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        sb_buf_addz(out, "\\\"");
        return;
    case '\\':
        sb_buf_addz(out, "\\\\");
        return;
    case '\n':
        sb_buf_addz(out, "\\n");
        return;
    case '\r':
        sb_buf_addz(out, "\\r");
        return;
    case '\t':
        sb_buf_addz(out, "\\t");
        return;
    default:
        sb_buf_printf(out, "\\u%04x", c);
    }
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c < 0x7f;
}

/* What is not UTF-8 becomes U+FFFD, byte by byte. */
static void add_string(sb_buf *out, sb_slice s)
{
    size_t done = 0;

    sb_buf_addc(out, '"');
    for (size_t i = 0; i < s.len;) {
        unsigned char c = (unsigned char)s.ptr[i];
        uint32_t decoded;
        size_t n;

        if (is_plain(c)) {
            i++;
            continue;
        }
        n = c < 0x80 ? 0 : sb_utf8_decode(s.ptr + i, s.len - i, &decoded);
        if (n > 0) {
            i += n;
            continue;
        }
        sb_buf_adds(out, sb_slice_sub(s, done, i));
        if (c < 0x80)
            add_escaped(out, c);
        else
            sb_buf_addz(out, "\xef\xbf\xbd");
        done = ++i;
    }
    if (s.len > done)
        sb_buf_adds(out, sb_slice_sub(s, done, s.len));
    sb_buf_addc(out, '"');
}

static void add_number(sb_buf *out, long long value)
{
    char digits[24];
    size_t i = sizeof(digits);
    unsigned long long rest = value < 0 ? 0ULL - (unsigned long long)value : (unsigned long long)value;

    do {
        digits[--i] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        digits[--i] = '-';
    sb_buf_add(out, digits + i, sizeof(digits) - i);
}

/* Keys are ours: `key` is "\"name\":" with the comma before it where one is due. */
static void member(sb_buf *out, const char *key, sb_slice value)
{
    sb_buf_addz(out, key);
    add_string(out, value);
}

static void member_number(sb_buf *out, const char *key, long long value)
{
    sb_buf_addz(out, key);
    add_number(out, value);
}

static void member_bool(sb_buf *out, const char *key, bool value)
{
    sb_buf_addz(out, key);
    sb_buf_addz(out, value ? "true" : "false");
}

static void add_directives(sb_buf *out, const sb_dockerfile *df)
{
    sb_buf_addz(out, "\"directives\":[");
    for (size_t i = 0; i < df->directive_count; i++) {
        const sb_df_directive *directive = &df->directives[i];

        sb_buf_addz(out, i > 0 ? "," : "");
        member(out, "{\"name\":", directive->name);
        member(out, ",\"value\":", directive->value);
        member_number(out, ",\"line\":", directive->line);
        sb_buf_addc(out, '}');
    }
    sb_buf_addc(out, ']');
}

static void add_stages(sb_buf *out, const sb_dockerfile *df, const sb_df_view *view)
{
    sb_buf_addz(out, "\"stages\":[");
    for (size_t i = 0; i < view->stage_count; i++) {
        const sb_df_stage *stage = &view->stages[i];

        sb_buf_addz(out, i > 0 ? "," : "");
        member_number(out, "{\"index\":", stage->index);
        member(out, ",\"name\":", stage->name);
        member(out, ",\"base\":", stage->base);
        member_number(out, ",\"line\":", df->instructions[stage->from].start_line);
        member(out, ",\"expanded\":", stage->base_expanded);
        if (stage->base_kind == SB_BASE_STAGE)
            member_number(out, ",\"stage\":", stage->base_stage);
        if (stage->platform.len > 0)
            member(out, ",\"platform\":", stage->platform);
        member_bool(out, ",\"reachable\":", stage->reachable);
        sb_buf_addc(out, '}');
    }
    sb_buf_addc(out, ']');
}

/* The image by its full name; as it is where that cannot be told. */
static void member_image(sb_buf *out, sb_arena *arena, sb_slice text)
{
    sb_image_ref ref;

    if (sb_image_ref_parse(arena, text, &ref, NULL) == 0)
        text = sb_image_ref_format(arena, &ref);
    member(out, ",\"image\":", text);
}

static void add_reference(sb_buf *out, sb_arena *arena, const sb_df_ref *ref)
{
    member(out, "{\"kind\":", sb_slice_z(sb_df_ref_kind_name(ref->kind)));
    member(out, ",\"text\":", ref->text);
    member(out, ",\"expanded\":", ref->expanded);
    if (ref->resolved_stage >= 0)
        member_number(out, ",\"stage\":", ref->resolved_stage);
    else if (ref->context)
        member(out, ",\"context\":", ref->expanded);
    else if (ref->kind != SB_REF_ADD_URL && ref->kind != SB_REF_ADD_GIT)
        member_image(out, arena, ref->expanded);
    if (ref->platform.len > 0)
        member(out, ",\"platform\":", ref->platform);
    if (ref->incomplete)
        member_bool(out, ",\"incomplete\":", true);
    member_bool(out, ",\"reachable\":", ref->reachable);
    member_number(out, ",\"line\":", ref->line);
    sb_buf_addc(out, '}');
}

static void add_references(sb_buf *out, const sb_df_view *view)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();

    sb_buf_addz(out, "\"references\":[");
    for (size_t i = 0; i < view->ref_count; i++) {
        sb_buf_addz(out, i > 0 ? "," : "");
        add_reference(out, arena, &view->refs[i]);
    }
    sb_buf_addc(out, ']');
}

static void add_words(sb_buf *out, const sb_df_instruction *ins)
{
    sb_buf_addz(out, ",\"flags\":[");
    for (size_t i = 0; i < ins->flag_count; i++)
        member(out, i > 0 ? "," : "", ins->flags[i].text);
    sb_buf_addz(out, "],\"args\":[");
    for (size_t i = 0; i < ins->arg_count; i++)
        member(out, i > 0 ? "," : "", ins->args[i].text);
    sb_buf_addc(out, ']');
}

static void add_pairs(sb_buf *out, const sb_df_instruction *ins)
{
    sb_buf_addz(out, ",\"pairs\":[");
    for (size_t i = 0; i < ins->pair_count; i++) {
        sb_buf_addz(out, i > 0 ? "," : "");
        member(out, "{\"key\":", ins->pairs[i].key);
        member(out, ",\"value\":", ins->pairs[i].value);
        member(out, ",\"sep\":", ins->pairs[i].sep);
        sb_buf_addc(out, '}');
    }
    sb_buf_addc(out, ']');
}

static void add_heredocs(sb_buf *out, const sb_df_instruction *ins)
{
    sb_buf_addz(out, ",\"heredocs\":[");
    for (size_t i = 0; i < ins->heredoc_count; i++) {
        const sb_df_heredoc *doc = &ins->heredocs[i];

        sb_buf_addz(out, i > 0 ? "," : "");
        member(out, "{\"name\":", doc->name);
        member_bool(out, ",\"expand\":", doc->expand);
        member_bool(out, ",\"chomp\":", doc->chomp);
        member(out, ",\"body\":", doc->body);
        sb_buf_addc(out, '}');
    }
    sb_buf_addc(out, ']');
}

/* `expanded` may be NULL. Triggers are nested at most as deep as the parser allows. */
static void add_instruction(sb_buf *out, const sb_df_instruction *ins, const sb_df_expanded *expanded)
{
    member(out, "{\"keyword\":", ins->keyword_text);
    add_words(out, ins);
    if (ins->keyword == SB_DF_ENV || ins->keyword == SB_DF_LABEL)
        add_pairs(out, ins);
    if (expanded && expanded->count > 0) {
        sb_buf_addz(out, ",\"expanded\":[");
        for (size_t i = 0; i < expanded->count; i++)
            member(out, i > 0 ? "," : "", expanded->words[i]);
        sb_buf_addc(out, ']');
    }
    member_bool(out, ",\"json\":", ins->json);
    add_heredocs(out, ins);
    if (ins->trigger) {
        sb_buf_addz(out, ",\"trigger\":");
        add_instruction(out, ins->trigger, NULL);
    }
    member_number(out, ",\"start\":", ins->start_line);
    member_number(out, ",\"end\":", ins->end_line);
    member(out, ",\"original\":", ins->original);
    sb_buf_addc(out, '}');
}

static void add_instructions(sb_buf *out, const cli_inspection *inspection)
{
    const sb_dockerfile *df = inspection->df;

    sb_buf_addz(out, "\"instructions\":[");
    for (size_t i = 0; i < df->instruction_count; i++) {
        sb_buf_addz(out, i > 0 ? "," : "");
        add_instruction(out, &df->instructions[i], inspection->view ? &inspection->view->expanded[i] : NULL);
    }
    sb_buf_addc(out, ']');
}

void cli_inspect_json(const cli_inspection *inspection, sb_buf *out)
{
    sb_buf_addc(out, '{');
    if (inspection->named) {
        member(out, "\"file\":", inspection->df->name);
        sb_buf_addc(out, ',');
    }
    add_directives(out, inspection->df);
    if (inspection->view) {
        sb_buf_addc(out, ',');
        add_stages(out, inspection->df, inspection->view);
        sb_buf_addc(out, ',');
        add_references(out, inspection->view);
    }
    sb_buf_addc(out, ',');
    add_instructions(out, inspection);
    sb_buf_addz(out, "}\n");
}
