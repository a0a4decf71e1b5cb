// SPDX-License-Identifier: Apache-2.0
/*
 * Which instruction made which layer. An engine's history has an entry per instruction, in its own words, and
 * says which of them made no layer; the others are told apart by kind (RUN, COPY or ADD, WORKDIR) and matched
 * with the instructions of the target's stages, in order. Where WORKDIR makes no layer, builder/pin_lower.c
 * puts a COPY right before it that does.
 */
#include <builder/origin.h>

enum { INSTRUCTION_MAX = 100 }; /* bytes that are shown of one */

typedef enum layer_kind { KIND_RUN, KIND_COPY, KIND_WORKDIR } layer_kind;

typedef struct maker { /* an instruction that can make a layer */
    layer_kind kind;
    unsigned line;
    sb_slice text;
} maker;

typedef struct chain {
    sb_arena *arena;
    maker *items;
    size_t count, cap;
} chain;

static bool kind_of(sb_df_keyword keyword, layer_kind *ret_kind)
{
    *ret_kind = keyword == SB_DF_RUN ? KIND_RUN : keyword == SB_DF_WORKDIR ? KIND_WORKDIR : KIND_COPY;
    return keyword == SB_DF_RUN || keyword == SB_DF_COPY || keyword == SB_DF_ADD || keyword == SB_DF_WORKDIR;
}

static void add_maker(chain *c, const sb_df_instruction *ins, unsigned line)
{
    sb_autobuf shown = SB_BUF_INIT(1 << 12);
    layer_kind kind;
    sb_slice text = ins->original, first = sb_slice_trim(sb_slice_cut(&text, '\n'));

    if (!kind_of(ins->keyword, &kind))
        return;
    sb_buf_add_printable(&shown, first, INSTRUCTION_MAX);
    *SB_ARENA_PUSH(c->arena, c->items, c->count, c->cap) =
        (maker){kind, line, sb_arena_dup(c->arena, sb_buf_slice(&shown))};
}

static void add_stage(chain *c, const sb_df_view *view, int index, unsigned depth)
{
    const sb_df_stage *stage = &view->stages[index];
    const sb_dockerfile *df = view->df;

    if (stage->base_kind == SB_BASE_STAGE && stage->base_stage < index && depth < view->stage_count)
        add_stage(c, view, stage->base_stage, depth + 1);
    for (size_t i = 0; i < stage->trigger_count; i++)
        add_maker(c, &stage->triggers[i], df->instructions[stage->from].start_line);
    for (size_t i = stage->from + 1; i < df->instruction_count && df->instructions[i].stage == index; i++)
        add_maker(c, &df->instructions[i], df->instructions[i].start_line);
}

/* "COPY a b # buildkit", "/bin/sh -c #(nop) COPY file:… in /b", "/bin/sh -c make", "RUN /bin/sh -c make". */
static layer_kind kind_of_history(sb_slice told)
{
    static const char nop[] = "#(nop)";
    ptrdiff_t at = sb_slice_find(told, SB_LIT("#(nop)"));

    if (at >= 0)
        told = sb_slice_trim(sb_slice_sub(told, (size_t)at + sizeof(nop) - 1, told.len));
    if (sb_slice_starts(told, SB_LIT("COPY ")) || sb_slice_starts(told, SB_LIT("ADD ")))
        return KIND_COPY;
    return sb_slice_starts(told, SB_LIT("WORKDIR ")) ? KIND_WORKDIR : KIND_RUN;
}

typedef struct entry { /* of the history, that made a layer */
    sb_slice told;
    bool before_workdir; /* a WORKDIR that made none follows */
} entry;

/* What made the layers, as the engine tells it: in the order of layers, the last ones if there are more. */
static entry *history_of(const json_t *config, size_t layer_count, sb_arena *arena)
{
    json_t *history = sb_json_array(config, "history"), *item;
    entry *entries = sb_arena_array(arena, entry, layer_count + 1), *last = NULL;
    size_t count = 0, seen = 0, i;

    json_array_foreach(history, i, item) count += !sb_json_bool(item, "empty_layer", false);
    json_array_foreach(history, i, item)
    {
        sb_slice told = sb_json_str(item, "created_by");
        bool empty = sb_json_bool(item, "empty_layer", false);

        if (last && empty && kind_of_history(told) == KIND_WORKDIR)
            last->before_workdir = true;
        last = NULL;
        if (!empty && seen++ + layer_count >= count) {
            last = &entries[seen - 1 + layer_count - count];
            last->told = sb_arena_dup(arena, told);
        }
    }
    return entries;
}

/* The instruction from `next` on that this entry tells of; WORKDIR may make no layer, the others do. NULL:
 * none fits. */
static const maker *find_maker(const chain *c, layer_kind kind, size_t *next)
{
    for (size_t i = *next; i < c->count; i++) {
        if (c->items[i].kind == kind) {
            *next = i + 1;
            return &c->items[i];
        }
        if (c->items[i].kind != KIND_WORKDIR)
            return NULL;
    }
    return NULL;
}

static const maker *maker_of(const chain *c, const entry *e, size_t *next)
{
    const maker *found = e->before_workdir ? find_maker(c, KIND_WORKDIR, next) : NULL;

    if (!e->told.ptr)
        return NULL;
    return found ? found : find_maker(c, kind_of_history(e->told), next);
}

sb_layer_origin *sb_layer_origins(const sb_df_view *view, const json_t *config, size_t base_layers,
                                  size_t layer_count, sb_arena *arena)
{
    chain c = {.arena = arena};
    sb_layer_origin *origins = sb_arena_array(arena, sb_layer_origin, layer_count + 1);
    entry *entries = history_of(config, layer_count, arena);
    size_t next = 0;
    const maker *found = NULL;

    add_stage(&c, view, view->target, 0);
    for (size_t i = 0; i < layer_count; i++) {
        if (i < base_layers) {
            origins[i] = (sb_layer_origin){.key = i + 1, .instruction = SB_LIT("the base image")};
            continue;
        }
        found = i == base_layers || found ? maker_of(&c, &entries[i], &next) : NULL;
        if (found) {
            origins[i] = (sb_layer_origin){base_layers + next, found->line, found->text};
        } else {
            sb_autobuf shown = SB_BUF_INIT(1 << 12);

            sb_buf_add_printable(&shown, entries[i].told, INSTRUCTION_MAX);
            origins[i].instruction = sb_arena_dup(arena, sb_slice_of(shown.len ? shown.data : "", shown.len));
        }
    }
    return origins;
}
