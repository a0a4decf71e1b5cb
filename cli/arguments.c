// SPDX-License-Identifier: Apache-2.0
/* What several commands do with their options and operands. */
#include <cli/cli.h>

#include <string.h>

int cli_open_project(cli_app *app, const char *context, const char *dockerfile, sb_project **ret_project,
                     sb_error **err)
{
    sb_project_options options = {.context = context, .dockerfile = dockerfile, .progress = app->progress};

    return sb_project_open(&options, ret_project, err);
}

int cli_build_args(const cli_list *list, sb_arena *arena, sb_df_var **ret_vars, size_t *ret_count,
                   sb_error **err)
{
    sb_df_var *vars = sb_arena_array(arena, sb_df_var, list->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        sb_slice value = sb_arena_dup(arena, sb_slice_z(list->items[i]));
        sb_slice key = sb_slice_cut(&value, '=');

        if (!key.len)
            return sb_fail(err, SB_ERR_USAGE, "--build-arg wants KEY=VALUE, not \"%s\"", list->items[i]);
        if (!value.ptr) {
            sb_autofree char *name = sb_slice_dup(key);
            const char *own = getenv(name);

            if (!own)
                continue;
            value = sb_arena_dup(arena, sb_slice_z(own));
        }
        vars[count++] = (sb_df_var){key, value};
    }
    *ret_vars = vars;
    *ret_count = count;
    return 0;
}

int cli_check_platforms(const char *const *platforms, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_df_platform parsed;

    for (; platforms && *platforms; platforms++) {
        sb_autofree char *shown = sb_printable(sb_slice_z(*platforms));

        if (sb_df_platform_parse(arena, sb_slice_z(*platforms), &parsed, NULL) < 0)
            return sb_fail(err, SB_ERR_USAGE,
                           "--platform wants OS/ARCH[/VARIANT] such as linux/arm64, not \"%s\"", shown);
    }
    return 0;
}

int cli_duration(const char *text, const char *option, int64_t *ret_seconds, sb_error **err)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    sb_slice digits = sb_slice_z(text);
    sb_autofree char *shown = NULL;
    int64_t unit = 1;
    uint64_t number;

    for (size_t i = 0; i < SB_COUNT(units) && digits.len; i++) {
        if (digits.ptr[digits.len - 1] == units[i].letter) {
            unit = units[i].seconds;
            digits.len--;
            break;
        }
    }
    if (sb_slice_to_u64(digits, &number) && number <= (uint64_t)(INT64_MAX / unit)) {
        *ret_seconds = (int64_t)number * unit;
        return 0;
    }
    shown = sb_printable(sb_slice_z(text));
    return sb_fail(err, SB_ERR_USAGE, "--%s wants a time like 12h, 7d or 2w, not \"%s\"", option, shown);
}
