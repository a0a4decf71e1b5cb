// SPDX-License-Identifier: Apache-2.0
/* Which rules of volatile files are switched, by the command line and by the repository's settings. */
#include <builder/image.h>

static int check_name(sb_slice name, const char *where, sb_error **err)
{
    sb_autobuf names = SB_BUF_INIT(1 << 16);
    sb_autofree char *shown = NULL;

    for (size_t i = 0; i < sb_volatile_rule_count; i++) {
        if (sb_slice_eqz(name, sb_volatile_rules[i].name))
            return 0;
        sb_buf_printf(&names, "%s%s", i ? ", " : "", sb_volatile_rules[i].name);
    }
    shown = sb_printable(name);
    return sb_fail(err, SB_ERR_USAGE, "%s: there is no rule \"%s\" of volatile files; there are %s", where,
                   shown, names.data);
}

typedef struct name_list {
    const char **items; /* NULL-terminated */
    size_t count, cap;
} name_list;

static int add_name(sb_arena *arena, name_list *list, sb_slice name, const char *where, sb_error **err)
{
    if (check_name(name, where, err) < 0)
        return -1;
    *SB_ARENA_PUSH(arena, list->items, list->count, list->cap) = sb_arena_strdup(arena, name);
    *SB_ARENA_PUSH(arena, list->items, list->count, list->cap) = NULL;
    list->count--;
    return 0;
}

static int add_names(sb_arena *arena, name_list *list, const char *const *names, const char *where,
                     sb_error **err)
{
    for (; names && *names; names++)
        if (add_name(arena, list, sb_slice_z(*names), where, err) < 0)
            return -1;
    return 0;
}

int sb_volatile_options(const sb_settings *settings, const sb_build_options *options, sb_arena *arena,
                        sb_canonical_options *canonical, sb_error **err)
{
    name_list keep = {0}, drop = {0};

    if (add_names(arena, &keep, options->keep_volatile, "--keep-volatile", err) < 0 ||
        add_names(arena, &drop, options->drop_volatile, "--drop-volatile", err) < 0)
        return -1;
    /* The command line has the last word. */
    for (size_t i = 0; i < settings->volatile_count; i++) {
        const sb_volatile_setting *setting = &settings->volatile_rules[i];
        bool said = false;

        for (size_t k = 0; k < keep.count + drop.count; k++)
            said |= sb_slice_eqz(setting->name, k < keep.count ? keep.items[k] : drop.items[k - keep.count]);
        if (!said && add_name(arena, setting->drop ? &drop : &keep, setting->name, "sbuild.json", err) < 0)
            return -1;
    }
    for (size_t i = 0; i < keep.count; i++)
        for (size_t k = 0; k < drop.count; k++)
            if (strcmp(keep.items[i], drop.items[k]) == 0)
                return sb_fail(err, SB_ERR_USAGE,
                               "volatile files of the rule \"%s\" cannot be both kept and dropped",
                               keep.items[i]);
    canonical->keep_volatile = options->keep_all_volatile;
    canonical->keep = keep.items;
    canonical->drop = drop.items;
    return 0;
}

void sb_volatile_switched(const sb_canonical_options *canonical, sb_buf *out)
{
    static const sb_canonical_options none = {0};

    for (size_t i = 0; i < sb_volatile_rule_count; i++) {
        const char *name = sb_volatile_rules[i].name;
        bool on = sb_volatile_enabled(canonical, name);

        if (on != sb_volatile_enabled(&none, name))
            sb_buf_printf(out, "%s%s %s", out->len ? ", " : "", on ? "drop" : "keep", name);
    }
}
