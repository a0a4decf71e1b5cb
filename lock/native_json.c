// SPDX-License-Identifier: Apache-2.0
/* package-lock.json, npm-shrinkwrap.json and Pipfile.lock. */
#include <lock/native.h>

#include <sbuild/json.h>

enum { NESTING_MAX = 64 };

/* The name in the registry: an alias is called otherwise in the tree. */
static sb_slice registry_name(sb_arena *arena, const json_t *entry, sb_slice key)
{
    sb_slice resolved = sb_json_str(entry, "resolved"), name = sb_json_str(entry, "name");
    sb_purl purl;

    if (name.len)
        return name;
    if (resolved.len && sb_purl_of_url(arena, resolved, &purl) && strcmp(purl.type, "npm") == 0)
        return purl.space.len
                   ? sb_arena_printf(arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(purl.space), SB_ARG(purl.name))
                   : purl.name;
    return key;
}

static void add_npm(sb_native_reader *r, const json_t *entry, sb_slice key)
{
    sb_slice integrity = sb_json_str(entry, "integrity");

    if (integrity.len)
        sb_native_add_sri(r, registry_name(r->native->arena, entry, key), sb_json_str(entry, "version"),
                          integrity);
}

/* "node_modules/a/node_modules/@b/c" is @b/c. */
static sb_slice last_module(sb_slice path)
{
    sb_slice mark = SB_LIT("node_modules/");
    ptrdiff_t at;

    while ((at = sb_slice_find(path, mark)) >= 0)
        path = sb_slice_sub(path, (size_t)at + mark.len, path.len);
    return path;
}

/* Version 1 nests what is below a package in it. */
static void read_tree(sb_native_reader *r, json_t *dependencies, int depth)
{
    const char *key;
    json_t *entry;

    json_object_foreach(dependencies, key, entry)
    {
        add_npm(r, entry, sb_slice_z(key));
        if (depth < NESTING_MAX)
            read_tree(r, sb_json_object(entry, "dependencies"), depth + 1);
    }
}

void sb_native_read_npm(sb_native_reader *r, sb_slice text)
{
    sb_autojson *json = sb_native_document(r, text, sb_json_parse);
    json_t *packages = json ? sb_json_object(json, "packages") : NULL, *entry;
    const char *key;

    json_object_foreach(packages, key, entry) add_npm(r, entry, last_module(sb_slice_z(key)));
    if (json && !packages)
        read_tree(r, sb_json_object(json, "dependencies"), 0);
}

void sb_native_read_pipfile(sb_native_reader *r, sb_slice text)
{
    sb_autojson *json = sb_native_document(r, text, sb_json_parse);
    json_t *section, *entry, *hash;
    const char *group, *key;
    size_t i;

    json_object_foreach(json, group, section)
    {
        if (strcmp(group, "_meta") == 0)
            continue;
        json_object_foreach(section, key, entry)
        {
            sb_slice version = sb_json_str(entry, "version");
            sb_slice name = sb_purl_python_name(r->native->arena, sb_slice_z(key));

            if (!sb_slice_starts(version, SB_LIT("==")))
                continue;
            version = sb_slice_sub(version, 2, version.len);
            json_array_foreach(sb_json_array(entry, "hashes"), i, hash)
                sb_native_add_hex(r, name, version, SB_NIL, sb_json_text(hash));
        }
    }
}
