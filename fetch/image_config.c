// SPDX-License-Identifier: Apache-2.0
#include <sbuild/json.h>
#include <sbuild/registry.h>

enum { STRINGS_MAX = 4096 };

static sb_slice dup_str(sb_arena *arena, const json_t *object, const char *key)
{
    sb_slice s = sb_json_str(object, key);

    return s.ptr ? sb_arena_dup(arena, s) : SB_LIT("");
}

static int read_strings(sb_arena *arena, const json_t *object, const char *key, sb_slice **ret_items,
                        size_t *ret_count, sb_error **err)
{
    json_t *list = sb_json_array(object, key), *item;
    size_t count = json_array_size(list), i;
    sb_slice *items;

    if (count > STRINGS_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "an image config has more than %d entries in \"%s\"", STRINGS_MAX,
                       key);
    items = sb_arena_array(arena, sb_slice, count + 1);
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item))
            return sb_fail(err, SB_ERR_PARSE,
                           "not a valid image config: \"%s\" holds something else than strings", key);
        items[i] = sb_arena_dup(arena, sb_json_text(item));
    }
    *ret_items = items;
    *ret_count = count;
    return 0;
}

int sb_image_config_parse(sb_arena *arena, sb_slice raw, sb_image_config *ret_config, sb_error **err)
{
    sb_autojson *root = NULL;
    const json_t *config;
    sb_image_config c = {0};
    sb_slice version;

    if (sb_json_parse(raw, "image config", &root, err) < 0)
        return -1;
    if (!json_is_object(root))
        return sb_fail(err, SB_ERR_PARSE, "not a valid image config: no object");
    config = sb_json_object(root, "config");
    c.os = dup_str(arena, root, "os");
    c.arch = dup_str(arena, root, "architecture");
    c.variant = dup_str(arena, root, "variant");
    c.os_version = dup_str(arena, root, "os.version");
    c.created = dup_str(arena, root, "created");
    c.user = dup_str(arena, config, "User");
    version = sb_json_str(sb_json_object(config, "Labels"), "org.opencontainers.image.version");
    c.version = version.ptr ? sb_arena_dup(arena, version) : SB_NIL;
    c.raw = sb_arena_dup(arena, raw);
    if (read_strings(arena, config, "Env", &c.env, &c.env_count, err) < 0 ||
        read_strings(arena, config, "OnBuild", &c.onbuild, &c.onbuild_count, err) < 0 ||
        read_strings(arena, config, "Shell", &c.shell, &c.shell_count, err) < 0 ||
        read_strings(arena, sb_json_object(root, "rootfs"), "diff_ids", &c.diff_ids, &c.diff_id_count, err) <
            0)
        return -1;
    *ret_config = c;
    return 0;
}
