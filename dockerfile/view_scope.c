// SPDX-License-Identifier: Apache-2.0
/* Variables, their values and where these come from. */
#include <dockerfile/view.h>

#include <stdarg.h>
#include <stdio.h>

int df_view_fail(const df_viewer *v, unsigned line, sb_error **err, const char *fmt, ...)
{
    sb_autofree char *message = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&message, fmt, ap) < 0)
        message = NULL;
    va_end(ap);
    return sb_fail(err, SB_ERR_PARSE, "%s:%u: %s", v->name, line, message ? message : fmt);
}

df_origin *df_origin_join(df_viewer *v, df_origin *a, df_origin *b)
{
    df_origin *both;

    if (!a || !b || a == b)
        return a ? a : b;
    /* What `a` was joined from last need not be joined again. */
    if (a->b == b || a->a == b)
        return a;
    both = sb_arena_new_of(v->arena, df_origin);
    *both = (df_origin){.a = a, .b = b, .incomplete = a->incomplete || b->incomplete};
    return both;
}

df_origin *df_origin_of_arg(df_viewer *v, sb_slice arg, df_origin *more)
{
    df_origin *origin = sb_arena_new_of(v->arena, df_origin);

    *origin = (df_origin){.arg = arg, .a = more, .incomplete = more && more->incomplete};
    return origin;
}

static void push(df_viewer *v, size_t *count, df_origin *origin)
{
    if (!origin || origin->seen)
        return;
    origin->seen = true;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    *SB_PUSH(v->stack, *count, v->stack_cap) = origin;
}

void df_lock_args(df_viewer *v, df_origin *origin)
{
    sb_df_view *view = v->view;
    size_t count = 0;

    push(v, &count, origin);
    while (count) {
        origin = v->stack[--count];
        if (origin->arg.ptr && df_env_find(&v->locked, origin->arg) == DF_NO_VAR) {
            sb_df_env_set(v->arena, &v->locked, origin->arg, SB_LIT(""));
            *SB_ARENA_PUSH(v->arena, view->locked_args, view->locked_arg_count, v->arg_cap) = origin->arg;
        }
        push(v, &count, origin->b);
        push(v, &count, origin->a);
    }
}

/* --- Scopes --- */

void df_scope_share(df_scope *from, df_scope *to)
{
    from->shared = true;
    *to = *from;
}

static int unshare(df_viewer *v, df_scope *scope, unsigned line, sb_error **err)
{
    df_scope copy = {.unknown = scope->unknown};
    size_t count = scope->env.count;

    v->inherited += count;
    if (v->inherited > DF_INHERITED_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "%s:%u: stages inherit more than the maximum of %d variables",
                       v->name, line, DF_INHERITED_MAX);
    copy.origins = sb_arena_array(v->arena, df_origin *, count + 1);
    copy.origin_cap = count + 1;
    for (size_t i = 0; i < count; i++) {
        sb_df_env_set(v->arena, &copy.env, scope->env.vars[i].key, scope->env.vars[i].value);
        copy.origins[i] = scope->origins[i];
    }
    *scope = copy;
    return 0;
}

int df_scope_set(df_viewer *v, df_scope *scope, sb_slice key, sb_slice value, df_origin *origin,
                 unsigned line, sb_error **err)
{
    size_t index;

    if (scope->shared && unshare(v, scope, line, err) < 0)
        return -1;
    index = df_env_put(v->arena, &scope->env, key, value);
    if (index == DF_NO_VAR)
        return sb_fail(err, SB_ERR_LIMIT, "%s:%u: more than the maximum of %d variables", v->name, line,
                       DF_ENV_MAX);
    if (index >= scope->origin_cap)
        scope->origins = sb_arena_grow(v->arena, scope->origins, index, &scope->origin_cap,
                                       sizeof(df_origin *)); /* NOLINT(bugprone-sizeof-expression) */
    scope->origins[index] = origin;
    return 0;
}

/* --- Expansion --- */

static bool used(void *ctx, sb_slice name, size_t index)
{
    df_viewer *v = ctx;
    df_origin *origin;

    (void)name;
    if (index == DF_NO_VAR)
        origin = v->scope->unknown ? &v->unknown : NULL;
    else
        origin = v->scope->origins[index];
    v->origin = df_origin_join(v, v->origin, origin);
    return origin && origin->incomplete;
}

void df_expand_in(df_viewer *v, df_scope *scope)
{
    v->scope = scope;
    v->origin = NULL;
    v->expander.env = &scope->env;
    v->expander.used = used;
    v->expander.ctx = v;
}

int df_view_expand(df_viewer *v, sb_slice text, unsigned line, sb_slice *ret_text, sb_error **err)
{
    if (df_expand_text(&v->expander, text, ret_text, err) < 0)
        return sb_wrap(err, "%s:%u", v->name, line);
    return 0;
}

int df_scope_arg(df_viewer *v, df_scope *scope, const sb_df_pair *pair, unsigned line, sb_slice *ret_value,
                 sb_error **err)
{
    size_t given = df_env_find(&v->args, pair->key), global = df_env_find(&v->global.env, pair->key);
    size_t before = df_env_find(&scope->env, pair->key);
    df_origin *origin = NULL;
    sb_slice value = SB_NIL;

    if (given != DF_NO_VAR) {
        value = v->args.vars[given].value;
    } else if (pair->value.ptr) {
        df_expand_in(v, scope);
        if (df_view_expand(v, pair->value, line, &value, err) < 0)
            return -1;
        origin = v->origin;
    } else if (scope != &v->global && global != DF_NO_VAR && v->global.env.vars[global].value.ptr) {
        value = v->global.env.vars[global].value;
        origin = v->global.origins[global];
    } else if (before != DF_NO_VAR) {
        value = scope->env.vars[before].value;
        origin = scope->origins[before];
    } else if (scope->unknown) {
        origin = &v->unknown;
    }
    *ret_value = value;
    return df_scope_set(v, scope, pair->key, value, df_origin_of_arg(v, pair->key, origin), line, err);
}
