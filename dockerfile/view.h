// SPDX-License-Identifier: Apache-2.0
/*
 * What the parts of a view share. A view is made in three passes: the stages and what they start from
 * (view_stages.c), who needs whom, with the triggers that base images bring along (view_graph.c), and then
 * every instruction in order with the variables in force (view_run.c), which is where references are
 * collected (view_refs.c).
 */
#ifndef SBUILD_DOCKERFILE_VIEW_H
#define SBUILD_DOCKERFILE_VIEW_H

#include <dockerfile/expand.h>

enum {
    DF_INHERITED_MAX = 4000000,     /* variables that stages copy from the stages that they start from */
    DF_TRIGGERS_MAX = 100000,       /* ONBUILD triggers that run, of all stages together */
    DF_TRIGGER_BYTES_MAX = 1 << 20, /* of one of them */
    DF_VIEW_BYTES_MAX = 256 << 20,  /* that a Dockerfile may grow by when its variables are expanded */
};
#define DF_VIEW_STEPS_MAX ((uint64_t)2 << 30)

/* Where a value comes from: build arguments, perhaps an image that nobody knows. NULL: the file alone. */
typedef struct df_origin {
    sb_slice arg; /* or absent */
    struct df_origin *a, *b;
    bool incomplete;
    bool seen;
} df_origin;

typedef struct df_scope {
    sb_df_env env;
    df_origin **origins; /* of env.vars */
    size_t origin_cap;
    bool shared;  /* with another scope: copied before it is changed */
    bool unknown; /* a base image may have set more */
} df_scope;

typedef struct df_stage_work {
    df_scope scope;
    df_origin *from_origin; /* of base and platform */
    size_t end;             /* index of the instruction behind its last one */
    bool replaced;          /* a named context stands for the whole stage: its instructions do not run */
    bool known;             /* `config` is the base image's */
    sb_df_image_config config;
    const sb_df_instruction **onbuild; /* what the stage's own ONBUILD instructions hold */
    size_t onbuild_count, onbuild_cap;
    int *needs; /* stages */
    size_t need_count, need_cap;
} df_stage_work;

typedef struct df_viewer {
    sb_df_view *view;
    const sb_dockerfile *df;
    const sb_df_inputs *inputs;
    sb_arena *arena;
    const char *name;    /* of the file, printable */
    df_stage_work *work; /* of view->stages */
    df_scope global;
    sb_df_env args;     /* --build-arg */
    sb_df_env contexts; /* named contexts, as keys */
    sb_df_env names;    /* stage names; the positions are those in last_of */
    int *last_of;       /* the last stage of each name */
    size_t last_cap;
    sb_slice build_platform, target_platform;
    size_t inherited, triggers;
    size_t ref_cap, arg_cap;
    sb_df_env locked; /* locked_args, as keys */
    df_origin **stack;
    size_t stack_cap;

    /* The expansion in work. */
    df_expander expander;
    df_scope *scope;
    df_origin *origin; /* of what was expanded since df_expand_from() */
    df_origin unknown;
} df_viewer;

/* What lives as long as the view: triggers are parsed as Dockerfiles of their own. */
typedef struct df_view_box {
    sb_df_view view; /* first: the caller sees no more */
    sb_dockerfile **triggers;
    size_t trigger_count, trigger_cap;
} df_view_box;

int df_view_fail(const df_viewer *v, unsigned line, sb_error **err, const char *fmt, ...) SB_PRINTF(4, 5);

/* view_scope.c */
df_origin *df_origin_join(df_viewer *v, df_origin *a, df_origin *b);
df_origin *df_origin_of_arg(df_viewer *v, sb_slice arg, df_origin *more);
/* Notes the build arguments that a reference depends on. */
void df_lock_args(df_viewer *v, df_origin *origin);
int df_scope_set(df_viewer *v, df_scope *scope, sb_slice key, sb_slice value, df_origin *origin,
                 unsigned line, sb_error **err);
void df_scope_share(df_scope *from, df_scope *to);
/* From now on expansion uses this scope, and notes in v->origin what it used. */
void df_expand_in(df_viewer *v, df_scope *scope);
int df_view_expand(df_viewer *v, sb_slice text, unsigned line, sb_slice *ret_text, sb_error **err);
/* One variable of ARG, with the global value behind the default; *ret_value is what it has then. */
int df_scope_arg(df_viewer *v, df_scope *scope, const sb_df_pair *pair, unsigned line, sb_slice *ret_value,
                 sb_error **err);

/* view_stages.c */
int df_view_globals(df_viewer *v, sb_error **err);
int df_view_stages(df_viewer *v, sb_error **err);
/* The last stage of that name in any case, or -1. */
int df_stage_named(const df_viewer *v, sb_slice name);
/* Does a named context stand for this image or stage? */
bool df_is_context(const df_viewer *v, sb_slice name, sb_slice platform);
sb_slice df_stage_label(const df_viewer *v, int stage);

/* view_graph.c */
int df_view_graph(df_viewer *v, df_view_box *box, sb_error **err);

/* view_refs.c */
typedef struct df_from {
    const sb_df_flag *flag;
    bool mount;
    sb_slice text;   /* the reference */
    sb_slice target; /* of a mount, or absent */
    int stage;       /* that it names, or -1 */
} df_from;
/* COPY --from and RUN --mount=…from=…: the next one at or behind flag *i; false behind the last. */
bool df_next_from(df_viewer *v, const sb_df_instruction *ins, size_t *i, df_from *ret_from);
/* Fills from->stage. */
int df_resolve_from(const df_viewer *v, df_from *from, unsigned line, sb_error **err);
void df_add_ref(df_viewer *v, const sb_df_ref *ref, df_origin *origin);
/* References of an instruction in a stage; `words` are the expanded arguments of ADD and COPY. */
int df_view_refs(df_viewer *v, const sb_df_instruction *ins, int stage, int trigger, unsigned line,
                 sb_error **err);
bool df_is_heredoc_arg(df_viewer *v, const sb_df_instruction *ins, sb_slice word);
int df_view_sources(df_viewer *v, const sb_df_instruction *ins, int stage, int trigger, unsigned line,
                    const sb_slice *words, df_origin *const *origins, sb_error **err);

/* view_run.c */
int df_view_run(df_viewer *v, sb_error **err);

#endif
