// SPDX-License-Identifier: Apache-2.0
/* The members "lint" and "scan". Whether there is such a rule is not known here. */
#include <fetch/settings_internal.h>

enum { RULES_MAX = 1000, EXCEPTIONS_MAX = 1000, SECRET_FILES_MAX = 100 };

typedef struct section {
    const char *name;
    const char *accepted;     /* the member that names the file of accepted findings */
    const char *const *known; /* members */
    size_t offset;            /* in sb_settings */
} section;

static const char *const lint_keys[] = {"rules", "fail-on", "require-reason", "baseline", "ignore", NULL};
static const char *const scan_keys[] = {"rules",       "fail-on",      "require-reason",
                                        "ignore-file", "secret-rules", NULL};
static const section sections[] = {
    {"lint", "baseline", lint_keys, offsetof(sb_settings, lint)},
    {"scan", "ignore-file", scan_keys, offsetof(sb_settings, scan)},
};

static bool is_severity(sb_slice text)
{
    return sb_slice_eqz(text, "off") || sb_slice_eqz(text, "info") || sb_slice_eqz(text, "warning") ||
           sb_slice_eqz(text, "error");
}

static sb_slice text_of(sb_arena *arena, json_t *value)
{
    return json_is_string(value) ? sb_arena_dup(arena, sb_json_text(value)) : SB_LIT("");
}

/* A copy of what the user's file has, with room behind it for what the repository's adds. */
static void *grown(sb_arena *arena, const void *old, size_t count, size_t more, size_t size)
{
    void *items = sb_arena_alloc(arena, (count + more) * size);

    if (count)
        memcpy(items, old, count * size);
    return items;
}

static int read_choices(const sb_settings_reader *r, json_t *object, sb_rules_settings *out)
{
    sb_arena *arena = r->builder->settings->arena;
    const char *id;
    json_t *value;

    if (!object)
        return 0;
    if (!json_is_object(object) || json_object_size(object) > RULES_MAX)
        return sb_settings_fail_key(r, "rules", "must be an object like {\"SB301\": \"off\"}");
    out->rules = grown(arena, out->rules, out->rule_count, json_object_size(object), sizeof(*out->rules));
    json_object_foreach(object, id, value)
    {
        sb_slice severity = text_of(arena, value);

        if (!is_severity(severity))
            return sb_settings_fail_key(r, id, "must be \"off\", \"info\", \"warning\" or \"error\"");
        out->rules[out->rule_count++] = (sb_rule_choice){sb_arena_dup(arena, sb_slice_z(id)), severity};
    }
    return 0;
}

static int read_exceptions(const sb_settings_reader *r, json_t *list, sb_rules_settings *out)
{
    static const char *const known[] = {"rule", "path", "reason", NULL};
    sb_arena *arena = r->builder->settings->arena;
    json_t *item;
    size_t i;

    if (!list)
        return 0;
    if (r->own)
        return sb_settings_fail_key(r, "ignore", "belongs into the repository's sbuild.json");
    if (!json_is_array(list) || json_array_size(list) > EXCEPTIONS_MAX)
        return sb_settings_fail_key(r, "ignore",
                                    "must be a list of objects with \"rule\", \"path\", \"reason\"");
    out->exceptions = sb_arena_array(arena, sb_rule_exception, json_array_size(list) + 1);
    json_array_foreach(list, i, item)
    {
        sb_rule_exception exception;

        if (!json_is_object(item))
            return sb_settings_fail_key(r, "ignore",
                                        "must be a list of objects with \"rule\", \"path\", \"reason\"");
        if (sb_settings_check_keys(r, item, known) < 0 ||
            sb_settings_read_string(r, item, "rule", &exception.rule) < 0 ||
            sb_settings_read_string(r, item, "path", &exception.path) < 0 ||
            sb_settings_read_string(r, item, "reason", &exception.reason) < 0)
            return -1;
        if (!exception.rule.ptr && !exception.path.ptr)
            return sb_settings_fail_key(r, "ignore",
                                        "must have a \"rule\" or a \"path\" in each of its objects");
        out->exceptions[out->exception_count++] =
            (sb_rule_exception){exception.rule.ptr ? sb_arena_dup(arena, exception.rule) : SB_NIL,
                                exception.path.ptr ? sb_arena_dup(arena, exception.path) : SB_NIL,
                                exception.reason.ptr ? sb_arena_dup(arena, exception.reason) : SB_NIL};
    }
    return 0;
}

static int read_secret_rules(const sb_settings_reader *r, json_t *list, sb_rules_settings *out)
{
    sb_arena *arena = r->builder->settings->arena;
    json_t *item;
    size_t i;

    if (!list)
        return 0;
    if (!json_is_array(list) || json_array_size(list) > SECRET_FILES_MAX)
        return sb_settings_fail_key(r, "secret-rules", "must be a list of files");
    out->secret_rules = grown(arena, out->secret_rules, out->secret_rule_count, json_array_size(list),
                              sizeof(*out->secret_rules));
    json_array_foreach(list, i, item)
    {
        sb_slice path = text_of(arena, item);

        if (!path.len || (r->own && path.ptr[0] != '/'))
            return sb_settings_fail_key(
                r, "secret-rules", r->own ? "must be a list of absolute paths" : "must be a list of files");
        out->secret_rules[out->secret_rule_count++] = path;
    }
    return 0;
}

/* The repository's word is for everybody who works on it; the user's own holds where it is silent. */
static int read_section(const sb_settings_reader *r, const section *about, json_t *object,
                        sb_rules_settings *out)
{
    sb_slice fail_on, accepted;
    bool require;

    if (!json_is_object(object))
        return sb_settings_fail_key(r, about->name, "must be an object");
    if (sb_settings_check_keys(r, object, about->known) < 0 ||
        read_choices(r, json_object_get(object, "rules"), out) < 0 ||
        sb_settings_read_string(r, object, "fail-on", &fail_on) < 0 ||
        sb_settings_read_bool(r, object, "require-reason", &require) < 0 ||
        sb_settings_read_string(r, object, about->accepted, &accepted) < 0 ||
        read_exceptions(r, json_object_get(object, "ignore"), out) < 0 ||
        read_secret_rules(r, json_object_get(object, "secret-rules"), out) < 0)
        return -1;
    if (fail_on.ptr &&
        (sb_slice_eqz(fail_on, "off") || (!is_severity(fail_on) && !sb_slice_eqz(fail_on, "never"))))
        return sb_settings_fail_key(r, "fail-on", "must be \"info\", \"warning\", \"error\" or \"never\"");
    if (accepted.ptr && r->own)
        return sb_settings_fail_key(r, about->accepted, "belongs into the repository's sbuild.json");
    if (fail_on.ptr)
        out->fail_on = sb_arena_dup(r->builder->settings->arena, fail_on);
    if (accepted.ptr)
        out->accepted = sb_arena_dup(r->builder->settings->arena, accepted);
    out->require_reason |= require;
    return 0;
}

int sb_settings_read_rules(const sb_settings_reader *r, json_t *root)
{
    for (size_t i = 0; i < SB_COUNT(sections); i++) {
        json_t *object = json_object_get(root, sections[i].name);
        sb_rules_settings *out =
            (sb_rules_settings *)(void *)((char *)r->builder->settings + sections[i].offset);

        if (object && read_section(r, &sections[i], object, out) < 0)
            return -1;
    }
    return 0;
}
