// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/view.h>

static void viewer_clear(df_viewer *v)
{
    df_expander_clear(&v->expander);
    free(v->stack);
}
#define autoviewer __attribute__((cleanup(viewer_clear))) df_viewer

/* The frontend; --build-arg BUILDKIT_SYNTAX beats the file. */
static void add_syntax(df_viewer *v)
{
    size_t given = df_env_find(&v->args, SB_LIT("BUILDKIT_SYNTAX"));
    sb_slice expanded = v->df->syntax;
    df_origin *origin = NULL;
    unsigned line = 1, column;

    if (given != DF_NO_VAR && v->args.vars[given].value.len) {
        sb_slice rest = v->args.vars[given].value;

        expanded = sb_slice_cut(&rest, ' ');
        origin = df_origin_of_arg(v, SB_LIT("BUILDKIT_SYNTAX"), NULL);
    }
    if (!expanded.len)
        return;
    if (v->df->syntax_span.end)
        sb_df_position(v->df, v->df->syntax_span.start, &line, &column);
    df_add_ref(v,
               &(sb_df_ref){
                   .kind = SB_REF_SYNTAX,
                   .text = v->df->syntax.len ? v->df->syntax : expanded,
                   .expanded = expanded,
                   .resolved_stage = -1,
                   .stage = -1,
                   .reachable = true,
                   .platform = v->build_platform,
                   .trigger = -1,
                   .span = v->df->syntax_span,
                   .line = line,
               },
               origin);
}

static int make(df_viewer *v, df_view_box *box, sb_error **err)
{
    for (size_t i = 0; i < v->inputs->build_arg_count; i++) {
        const sb_df_var *arg = &v->inputs->build_args[i];

        if (arg->value.ptr)
            sb_df_env_set(v->arena, &v->args, sb_arena_dup(v->arena, arg->key),
                          sb_arena_dup(v->arena, arg->value));
    }
    if (df_view_globals(v, err) < 0)
        return -1;
    add_syntax(v);
    if (df_view_stages(v, err) < 0 || df_view_graph(v, box, err) < 0 || df_view_run(v, err) < 0)
        return -1;
    v->view->global = v->global.env;
    return 0;
}

int sb_df_view_new(const sb_dockerfile *df, const sb_df_inputs *inputs, sb_df_view **ret_view, sb_error **err)
{
    df_view_box *box = sb_new(df_view_box);
    SB_AUTO(sb_df_view) view = &box->view;
    sb_autofree char *name = sb_printable(df->name);
    autoviewer v = {.view = view, .df = df, .inputs = inputs, .name = name, .unknown = {.incomplete = true}};

    v.arena = view->arena = sb_arena_new();
    view->df = df;
    view->expanded = sb_arena_array(v.arena, sb_df_expanded, df->instruction_count + 1);
    df_expander_init(&v.expander, v.arena, &v.global.env, df->escape);
    v.expander.bytes_left = DF_VIEW_BYTES_MAX + df->text.len;
    v.expander.steps_left = DF_VIEW_STEPS_MAX + df->text.len;
    if (make(&v, box, err) < 0)
        return -1;
    *ret_view = SB_TAKE(view);
    return 0;
}

void sb_df_view_free(sb_df_view *view)
{
    df_view_box *box = (df_view_box *)view;

    if (!view)
        return;
    for (size_t i = 0; i < box->trigger_count; i++)
        sb_df_free(box->triggers[i]);
    free(box->triggers);
    sb_arena_free(view->arena);
    free(box);
}

const char *sb_df_ref_kind_name(sb_df_ref_kind kind)
{
    static const char *const names[] = {
        [SB_REF_FROM] = "from",     [SB_REF_COPY] = "copy",       [SB_REF_MOUNT] = "mount",
        [SB_REF_SYNTAX] = "syntax", [SB_REF_ADD_URL] = "add-url", [SB_REF_ADD_GIT] = "add-git",
    };

    return names[kind];
}
