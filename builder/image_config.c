// SPDX-License-Identifier: Apache-2.0
/*
 * The one form of an image configuration: the members that the OCI specification (and Docker's health check)
 * give a meaning, none that is empty or a default, none that an engine adds about itself, times equal to the
 * epoch. Engines order variables differently and tell history in words of their own, so variables are sorted
 * by name, and history has one entry per layer: the base's as they were, then one form for all new ones.
 */
#include <builder/image.h>

#include <sbuild/timefmt.h>

/* An empty array, object, string, 0, false or null says nothing. */
static bool says_nothing(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return json_object_size(value) == 0;
    case JSON_ARRAY:
        return json_array_size(value) == 0;
    case JSON_STRING:
        return json_string_length(value) == 0;
    case JSON_INTEGER:
        return json_integer_value(value) == 0;
    case JSON_FALSE:
    case JSON_NULL:
        return true;
    case JSON_REAL:
    case JSON_TRUE:
        break;
    }
    return false;
}

static void keep_member(json_t *to, const json_t *from, const char *key, json_type type)
{
    json_t *value = json_object_get(from, key);

    if (value && json_typeof(value) == type && !says_nothing(value))
        json_object_set(to, key, value);
}

typedef struct variable {
    sb_slice name;
    json_t *text;
    size_t index;
} variable;

static int compare_variables(const void *a, const void *b)
{
    const variable *left = a, *right = b;
    int order = sb_slice_cmp(left->name, right->name);

    return order ? order : left->index < right->index ? -1 : 1;
}

/* Sorted by name; of several with one name the last counts, as it does for a container. */
static json_t *canonical_env(const json_t *env)
{
    size_t count = json_array_size(env);
    sb_autofree variable *all = sb_new_array(variable, count + 1);
    json_t *sorted = json_array();

    for (size_t i = 0; i < count; i++) {
        sb_slice rest = sb_slice_z(json_string_value(json_array_get(env, i)));

        all[i] = (variable){.text = json_array_get(env, i), .index = i};
        all[i].name = rest.ptr ? sb_slice_cut(&rest, '=') : SB_LIT("");
    }
    qsort(all, count, sizeof(*all), compare_variables);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || !sb_slice_eq(all[i].name, all[i + 1].name))
            json_array_append(sorted, all[i].text);
    return sorted;
}

static json_t *canonical_labels(const json_t *labels)
{
    json_t *kept = json_copy((json_t *)(uintptr_t)labels);

    json_object_del(kept, "io.buildah.version");
    return kept;
}

/* "80" and "80/tcp" are the same port. */
static json_t *canonical_ports(json_t *ports)
{
    json_t *all = json_object();
    const char *port;
    json_t *value;

    json_object_foreach(ports, port, value)
    {
        sb_autofree char *full = strchr(port, '/') ? sb_strdup(port) : sb_asprintf("%s/tcp", port);

        json_object_set_new(all, full, json_object());
    }
    return all;
}

static json_t *canonical_health(json_t *health)
{
    json_t *kept = json_object();
    const char *key;
    json_t *value;

    json_object_foreach(health, key, value) if (!says_nothing(value)) json_object_set(kept, key, value);
    return kept;
}

/* The shell that is meant without one. Engines write it down where a SHELL instruction sets it back. */
static bool is_default_shell(const json_t *shell)
{
    static const char *const words[] = {"/bin/sh", "-c"};

    if (json_array_size(shell) != SB_COUNT(words))
        return false;
    for (size_t i = 0; i < SB_COUNT(words); i++)
        if (!sb_slice_eqz(sb_slice_z(json_string_value(json_array_get(shell, i))), words[i]))
            return false;
    return true;
}

static json_t *canonical_runtime(const json_t *config, bool windows)
{
    static const char *const lists[] = {"Cmd", "Entrypoint", "OnBuild", "Shell"};
    json_t *kept = json_object();
    sb_slice dir = sb_json_str(config, "WorkingDir");
    json_t *part;

    for (size_t i = 0; i < SB_COUNT(lists); i++)
        keep_member(kept, config, lists[i], JSON_ARRAY);
    if (!windows && is_default_shell(json_object_get(kept, "Shell")))
        json_object_del(kept, "Shell");
    keep_member(kept, config, "User", JSON_STRING);
    keep_member(kept, config, "StopSignal", JSON_STRING);
    keep_member(kept, config, "Volumes", JSON_OBJECT);
    if (!sb_slice_eqz(dir, "/"))
        keep_member(kept, config, "WorkingDir", JSON_STRING);
    if (windows)
        keep_member(kept, config, "ArgsEscaped", JSON_TRUE);
    if ((part = sb_json_array(config, "Env")))
        json_object_set_new(kept, "Env", canonical_env(part));
    if ((part = sb_json_object(config, "Labels")))
        json_object_set_new(kept, "Labels", canonical_labels(part));
    if ((part = sb_json_object(config, "ExposedPorts")))
        json_object_set_new(kept, "ExposedPorts", canonical_ports(part));
    if ((part = sb_json_object(config, "Healthcheck")))
        json_object_set_new(kept, "Healthcheck", canonical_health(part));
    for (size_t i = 0; i < 4; i++) {
        static const char *const made[] = {"Env", "Labels", "ExposedPorts", "Healthcheck"};
        json_t *value = json_object_get(kept, made[i]);

        if (value && says_nothing(value))
            json_object_del(kept, made[i]);
    }
    return kept;
}

/* The base's entries are those of its layers: what made no layer cannot be told from what the build added. */
static json_t *canonical_history(const json_t *old, const sb_canonical_layers *layers, const char *epoch)
{
    static const char *const members[] = {"author", "comment", "created", "created_by"};
    json_t *history = json_array();
    const json_t *entry;
    size_t i;

    json_array_foreach(old, i, entry)
    {
        json_t *kept;

        if (json_array_size(history) == layers->base || !json_is_object(entry))
            break;
        if (sb_json_bool(entry, "empty_layer", false))
            continue;
        kept = json_object();
        for (size_t m = 0; m < SB_COUNT(members); m++)
            keep_member(kept, entry, members[m], JSON_STRING);
        json_array_append_new(history, kept);
    }
    /* A base without a history of its own. */
    if (json_array_size(history) < layers->base)
        json_array_clear(history);
    while (json_array_size(history) < layers->count) {
        bool base = json_array_size(history) < layers->base;

        json_array_append_new(
            history, json_pack("{s:s, s:s}", "created", epoch, "created_by", base ? "base" : "sbuild"));
    }
    return history;
}

static json_t *rootfs_of(const sb_canonical_layers *layers)
{
    json_t *diff_ids = json_array();

    for (size_t i = 0; i < layers->count; i++) {
        char text[SB_DIGEST_TEXT];

        sb_digest_format(&layers->diff_ids[i], text);
        json_array_append_new(diff_ids, json_string(text));
    }
    return json_pack("{s:s, s:o}", "type", "layers", "diff_ids", diff_ids);
}

int sb_image_config_canonical(const json_t *config, const sb_canonical_layers *layers, int64_t epoch,
                              sb_buf *out, sb_error **err)
{
    static const char *const strings[] = {"architecture", "author", "os", "os.version"};
    sb_autojson *image = json_object();
    sb_slice arch = sb_json_str(config, "architecture");
    sb_slice variant = sb_json_str(config, "variant");
    bool windows = sb_slice_eqz(sb_json_str(config, "os"), "windows");
    char when[SB_TIME_TEXT];

    sb_time_format(epoch, when);
    for (size_t i = 0; i < SB_COUNT(strings); i++)
        keep_member(image, config, strings[i], JSON_STRING);
    keep_member(image, config, "os.features", JSON_ARRAY);
    /* The variant that is meant without one. */
    if (!(sb_slice_eqz(arch, "arm64") && sb_slice_eqz(variant, "v8")) &&
        !(sb_slice_eqz(arch, "amd64") && sb_slice_eqz(variant, "v1")))
        keep_member(image, config, "variant", JSON_STRING);
    json_object_set_new(image, "created", json_string(when));
    json_object_set_new(image, "config", canonical_runtime(sb_json_object(config, "config"), windows));
    json_object_set_new(image, "history", canonical_history(sb_json_array(config, "history"), layers, when));
    json_object_set_new(image, "rootfs", rootfs_of(layers));
    return sb_json_write(image, out, err);
}
