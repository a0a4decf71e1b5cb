// SPDX-License-Identifier: Apache-2.0
/* Which settings count for which Dockerfile. */
#include <rules/lint/internal.h>

#include <unistd.h>

#include <sbuild/fs.h>

typedef struct place { /* a directory that has settings of its own */
    const char *dir;
    sb_lint_settings settings;
    struct place *next;
} place;

struct sb_lint_shared {
    sb_arena *arena;
    place *places;
    char *last; /* the directory that was asked about last, and what counts there */
    const place *last_place;
    sb_lint_listing *listing;
    sb_secret_scanner *scanner;
};

sb_lint_shared *sb_lint_shared_new(void)
{
    sb_lint_shared *shared = sb_new(sb_lint_shared);

    shared->arena = sb_arena_new();
    return shared;
}

void sb_lint_shared_free(sb_lint_shared *shared)
{
    if (!shared)
        return;
    for (place *p = shared->places; p; p = p->next)
        sb_settings_free(p->settings.source);
    free(shared->last);
    sb_lint_listing_free(shared->listing);
    sb_secret_scanner_free(shared->scanner);
    sb_arena_free(shared->arena);
    free(shared);
}

sb_lint_listing **sb_lint_shared_listing(sb_lint_shared *shared)
{
    return &shared->listing;
}

sb_secret_scanner **sb_lint_shared_scanner(sb_lint_shared *shared)
{
    return &shared->scanner;
}

int sb_rule_choices(const sb_rule_choice *choices, size_t count, const char *name, sb_arena *arena,
                    sb_rule_setting **ret_settings, size_t *ret_count, sb_error **err)
{
    sb_rule_setting *settings = sb_arena_array(arena, sb_rule_setting, count + 1);

    for (size_t i = 0; i < count; i++) {
        sb_autofree char *shown = sb_printable(choices[i].rule);

        settings[i].rule = sb_rule_find(choices[i].rule);
        if (!settings[i].rule)
            return sb_fail(err, SB_ERR_USAGE,
                           "%s: there is no rule \"%s\"; \"sbuild lint --list-rules\" lists them", name,
                           shown);
        if (!sb_severity_parse(choices[i].severity, &settings[i].severity))
            return sb_fail(err, SB_ERR_USAGE, "%s: rule %s wants \"off\", \"info\", \"warning\" or \"error\"",
                           name, shown);
    }
    *ret_settings = settings;
    *ret_count = count;
    return 0;
}

static int understand(sb_arena *arena, const sb_rules_settings *said, const char *name,
                      sb_lint_settings *settings, sb_error **err)
{
    if (sb_rule_choices(said->rules, said->rule_count, name, arena, &settings->rules, &settings->rule_count,
                        err) < 0)
        return -1;
    settings->require_reason = said->require_reason;
    settings->exceptions = sb_arena_array(arena, sb_lint_exception, said->exception_count + 1);
    for (size_t i = 0; i < said->exception_count; i++) {
        const sb_rule_exception *from = &said->exceptions[i];
        sb_lint_exception *to = &settings->exceptions[settings->exception_count++];
        sb_autofree char *shown = sb_printable(from->rule);

        *to = (sb_lint_exception){.reason = from->reason};
        if (from->rule.ptr && !(to->rule = sb_rule_find(from->rule)))
            return sb_fail(err, SB_ERR_USAGE,
                           "%s: \"ignore\": there is no rule \"%s\"; \"sbuild lint --list-rules\" lists them",
                           name, shown);
        if (from->path.ptr)
            to->path = sb_arena_strdup(arena, from->path);
        if (said->require_reason && !from->reason.ptr)
            return sb_fail(err, SB_ERR_USAGE,
                           "%s: \"ignore\": an entry has no \"reason\", and \"require-reason\" "
                           "is set",
                           name);
    }
    return 0;
}

static bool has_settings(const char *dir)
{
    sb_autofree char *path = sb_path_join(dir, "sbuild.json");

    return access(path, F_OK) == 0;
}

char *sb_lint_parent(const char *dir)
{
    sb_slice path = sb_slice_z(dir);
    ptrdiff_t slash = sb_slice_rchr(path, '/');

    if (sb_slice_eqz(path, ".") || dir[0] == '/' || sb_slice_find(path, SB_LIT("..")) >= 0)
        return NULL;
    return slash < 0 ? sb_strdup(".") : sb_strndup(path.ptr, (size_t)slash);
}

static int load(sb_lint_shared *shared, const char *dir, place **ret_place, sb_error **err)
{
    sb_autofree char *name =
        strcmp(dir, ".") == 0 ? sb_strdup("sbuild.json") : sb_path_join(dir, "sbuild.json");
    sb_autofree char *shown = sb_printable(sb_slice_z(name));
    SB_AUTO(sb_settings) source = NULL;
    sb_lint_settings settings = {0};
    place *p;

    if (sb_settings_load_own(dir, &source, err) < 0 ||
        understand(shared->arena, &source->lint, shown, &settings, err) < 0)
        return -1;
    settings.source = SB_TAKE(source);
    p = sb_arena_new_of(shared->arena, place);
    *p = (place){sb_arena_strdup(shared->arena, sb_slice_z(dir)), settings, shared->places};
    p->settings.dir = p->dir;
    *ret_place = shared->places = p;
    return 0;
}

int sb_lint_settings_for(sb_lint_shared *shared, const char *dir, const char *context,
                         const sb_lint_settings **ret_settings, sb_error **err)
{
    sb_autofree char *at = sb_strdup(context ? context : dir);
    sb_autofree char *asked = sb_strdup(at);
    place *p = NULL;

    if (shared->last && strcmp(shared->last, asked) == 0) {
        *ret_settings = &shared->last_place->settings;
        return 0;
    }
    /* Where nothing is said, not even in the working directory, the user's own file still counts. */
    while (!context && !has_settings(at)) {
        char *above = sb_lint_parent(at);

        if (!above)
            break;
        free(at);
        at = above;
    }
    for (p = shared->places; p && strcmp(p->dir, at) != 0;)
        p = p->next;
    if (!p && load(shared, at, &p, err) < 0)
        return -1;
    free(shared->last);
    shared->last = SB_TAKE(asked);
    shared->last_place = p;
    *ret_settings = &p->settings;
    return 0;
}
