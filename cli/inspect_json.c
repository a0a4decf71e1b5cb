// SPDX-License-Identifier: Apache-2.0
/*
 * Written straight into a buffer: a Dockerfile may have a hundred thousand instructions, and a tree of JSON
 * nodes would be larger and slower than the Dockerfile's own.
 */
#include <cli/inspect.h>
#include <sbuild/json.h>
#include <sbuild/reference.h>

#include <string.h>

enum { CHUNK = 8192 };

/* Collects small pieces before they go to the buffer. */
typedef struct writer {
    sb_buf *out;
    size_t used;
    char chunk[CHUNK];
} writer;

static void flush(writer *w)
{
    sb_buf_add(w->out, w->chunk, w->used);
    w->used = 0;
}

static inline void put(writer *w, const char *data, size_t len)
{
    if (len > CHUNK - w->used) {
        flush(w);
        if (len > CHUNK) {
            sb_buf_add(w->out, data, len);
            return;
        }
    }
    memcpy(w->chunk + w->used, data, len);
    w->used += len;
}

#define PUT(w, literal) put((w), "" literal, sizeof(literal) - 1)

static inline bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_string(writer *w, sb_slice s)
{
    size_t i = 0;

    while (i < s.len && is_plain((unsigned char)s.ptr[i]))
        i++;
    if (i < s.len) { /* seldom */
        flush(w);
        sb_buf_add_json(w->out, s);
        return;
    }
    PUT(w, "\"");
    if (s.len)
        put(w, s.ptr, s.len);
    PUT(w, "\"");
}

static void put_number(writer *w, long long value)
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
    put(w, digits + i, sizeof(digits) - i);
}

/* `key` is a literal with its quotes and colon, and with the comma before it where one is due. */
#define MEMBER(w, key, value) (PUT(w, key), put_string((w), (value)))
#define MEMBER_NUMBER(w, key, value) (PUT(w, key), put_number((w), (value)))
#define MEMBER_BOOL(w, key, value) ((value) ? PUT(w, key "true") : PUT(w, key "false"))

static void put_comma(writer *w, size_t i)
{
    if (i > 0)
        PUT(w, ",");
}

static void put_directives(writer *w, const sb_dockerfile *df)
{
    PUT(w, "\"directives\":[");
    for (size_t i = 0; i < df->directive_count; i++) {
        const sb_df_directive *directive = &df->directives[i];

        put_comma(w, i);
        MEMBER(w, "{\"name\":", directive->name);
        MEMBER(w, ",\"value\":", directive->value);
        MEMBER_NUMBER(w, ",\"line\":", directive->line);
        PUT(w, "}");
    }
    PUT(w, "]");
}

static void put_stages(writer *w, const sb_dockerfile *df, const sb_df_view *view)
{
    PUT(w, "\"stages\":[");
    for (size_t i = 0; i < view->stage_count; i++) {
        const sb_df_stage *stage = &view->stages[i];

        put_comma(w, i);
        MEMBER_NUMBER(w, "{\"index\":", stage->index);
        MEMBER(w, ",\"name\":", stage->name);
        MEMBER(w, ",\"base\":", stage->base);
        MEMBER_NUMBER(w, ",\"line\":", df->instructions[stage->from].start_line);
        MEMBER(w, ",\"expanded\":", stage->base_expanded);
        if (stage->base_kind == SB_BASE_STAGE)
            MEMBER_NUMBER(w, ",\"stage\":", stage->base_stage);
        if (stage->platform.len > 0)
            MEMBER(w, ",\"platform\":", stage->platform);
        MEMBER_BOOL(w, ",\"reachable\":", stage->reachable);
        PUT(w, "}");
    }
    PUT(w, "]");
}

/* The image by its full name; as it is where that cannot be told. */
static void put_image(writer *w, sb_arena *arena, const sb_df_ref *ref)
{
    sb_slice name = ref->expanded;
    sb_image_ref image;

    if (sb_image_ref_parse(arena, name, &image, NULL) == 0)
        name = sb_image_ref_format(arena, &image);
    MEMBER(w, ",\"image\":", name);
    if (ref->platform.len > 0)
        MEMBER(w, ",\"platform\":", ref->platform);
}

static void put_reference(writer *w, sb_arena *arena, const sb_df_ref *ref)
{
    MEMBER(w, "{\"kind\":", sb_slice_z(sb_df_ref_kind_name(ref->kind)));
    MEMBER(w, ",\"text\":", ref->text);
    MEMBER(w, ",\"expanded\":", ref->expanded);
    if (ref->resolved_stage >= 0)
        MEMBER_NUMBER(w, ",\"stage\":", ref->resolved_stage);
    else if (ref->context)
        MEMBER(w, ",\"context\":", ref->expanded);
    else if (ref->kind != SB_REF_ADD_URL && ref->kind != SB_REF_ADD_GIT)
        put_image(w, arena, ref);
    if (ref->incomplete)
        MEMBER_BOOL(w, ",\"incomplete\":", true);
    MEMBER_BOOL(w, ",\"reachable\":", ref->reachable);
    MEMBER_NUMBER(w, ",\"line\":", ref->line);
    PUT(w, "}");
}

static void put_references(writer *w, const sb_df_view *view)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();

    PUT(w, "\"references\":[");
    for (size_t i = 0; i < view->ref_count; i++) {
        put_comma(w, i);
        put_reference(w, arena, &view->refs[i]);
    }
    PUT(w, "]");
}

static void put_words(writer *w, const sb_df_instruction *ins)
{
    PUT(w, ",\"flags\":[");
    for (size_t i = 0; i < ins->flag_count; i++) {
        put_comma(w, i);
        put_string(w, ins->flags[i].text);
    }
    PUT(w, "],\"args\":[");
    for (size_t i = 0; i < ins->arg_count; i++) {
        put_comma(w, i);
        put_string(w, ins->args[i].text);
    }
    PUT(w, "]");
}

static void put_pairs(writer *w, const sb_df_instruction *ins)
{
    PUT(w, ",\"pairs\":[");
    for (size_t i = 0; i < ins->pair_count; i++) {
        put_comma(w, i);
        MEMBER(w, "{\"key\":", ins->pairs[i].key);
        MEMBER(w, ",\"value\":", ins->pairs[i].value);
        MEMBER(w, ",\"sep\":", ins->pairs[i].sep);
        PUT(w, "}");
    }
    PUT(w, "]");
}

static void put_heredocs(writer *w, const sb_df_instruction *ins)
{
    PUT(w, ",\"heredocs\":[");
    for (size_t i = 0; i < ins->heredoc_count; i++) {
        const sb_df_heredoc *doc = &ins->heredocs[i];

        put_comma(w, i);
        MEMBER(w, "{\"name\":", doc->name);
        MEMBER_BOOL(w, ",\"expand\":", doc->expand);
        MEMBER_BOOL(w, ",\"chomp\":", doc->chomp);
        MEMBER(w, ",\"body\":", doc->body);
        PUT(w, "}");
    }
    PUT(w, "]");
}

/* `expanded` may be NULL. Triggers are nested at most as deep as the parser allows. */
static void put_instruction(writer *w, const sb_df_instruction *ins, const sb_df_expanded *expanded)
{
    MEMBER(w, "{\"keyword\":", ins->keyword_text);
    put_words(w, ins);
    if (ins->keyword == SB_DF_ENV || ins->keyword == SB_DF_LABEL)
        put_pairs(w, ins);
    if (expanded && expanded->count > 0) {
        PUT(w, ",\"expanded\":[");
        for (size_t i = 0; i < expanded->count; i++) {
            put_comma(w, i);
            put_string(w, expanded->words[i]);
        }
        PUT(w, "]");
    }
    MEMBER_BOOL(w, ",\"json\":", ins->json);
    put_heredocs(w, ins);
    if (ins->trigger) {
        PUT(w, ",\"trigger\":");
        put_instruction(w, ins->trigger, NULL);
    }
    MEMBER_NUMBER(w, ",\"start\":", ins->start_line);
    MEMBER_NUMBER(w, ",\"end\":", ins->end_line);
    MEMBER(w, ",\"original\":", ins->original);
    PUT(w, "}");
}

static void put_instructions(writer *w, const cli_inspection *inspection)
{
    const sb_dockerfile *df = inspection->df;

    PUT(w, "\"instructions\":[");
    for (size_t i = 0; i < df->instruction_count; i++) {
        put_comma(w, i);
        put_instruction(w, &df->instructions[i], inspection->view ? &inspection->view->expanded[i] : NULL);
    }
    PUT(w, "]");
}

void cli_inspect_json(const cli_inspection *inspection, sb_buf *out)
{
    writer writing, *w = &writing;

    w->out = out;
    w->used = 0;
    PUT(w, "{");
    if (inspection->named) {
        MEMBER(w, "\"file\":", inspection->df->name);
        PUT(w, ",");
    }
    put_directives(w, inspection->df);
    if (inspection->view) {
        PUT(w, ",");
        put_stages(w, inspection->df, inspection->view);
        PUT(w, ",");
        put_references(w, inspection->view);
    }
    PUT(w, ",");
    put_instructions(w, inspection);
    PUT(w, "}\n");
    flush(w);
}
