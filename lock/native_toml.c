// SPDX-License-Identifier: Apache-2.0
/* Cargo.lock, poetry.lock, uv.lock and pdm.lock. */
#include <lock/native.h>

#include <fetch/toml.h>

/* Version 1 has its checksums in a table of their own: "checksum NAME VERSION (SOURCE)". */
static void read_metadata(sb_native_reader *r, json_t *metadata)
{
    const char *key;
    json_t *value;

    json_object_foreach(metadata, key, value)
    {
        sb_slice rest = sb_slice_z(key), name, version;
        sb_native_hash hash;

        if (!sb_slice_eqz(sb_slice_cut(&rest, ' '), "checksum") || !rest.ptr)
            continue;
        name = sb_slice_cut(&rest, ' ');
        version = rest.ptr ? sb_slice_cut(&rest, ' ') : SB_NIL;
        if (sb_native_hash_hex(SB_NATIVE_SHA256, sb_json_str(metadata, key), &hash))
            sb_native_add(r, name, version, SB_NIL, &hash, sb_json_str(metadata, key));
    }
}

void sb_native_read_cargo(sb_native_reader *r, sb_slice text)
{
    sb_autojson *json = sb_native_document(r, text, sb_toml_parse);
    json_t *entry;
    size_t i;

    json_array_foreach(json ? sb_json_array(json, "package") : NULL, i, entry)
    {
        sb_slice checksum = sb_json_str(entry, "checksum");
        sb_native_hash hash;

        if (sb_native_hash_hex(SB_NATIVE_SHA256, checksum, &hash))
            sb_native_add(r, sb_json_str(entry, "name"), sb_json_str(entry, "version"), SB_NIL, &hash,
                          checksum);
    }
    if (json)
        read_metadata(r, sb_json_object(json, "metadata"));
}

static sb_slice file_of(const json_t *file)
{
    sb_slice url = sb_json_str(file, "url"), name = sb_json_str(file, "file");

    if (name.len)
        return name;
    if (!url.len)
        return SB_NIL;
    url = sb_slice_cut(&url, '#');
    url = sb_slice_cut(&url, '?');
    return sb_path_last(url);
}

static void add_files(sb_native_reader *r, sb_slice name, sb_slice version, json_t *files)
{
    json_t *file;
    size_t i;

    json_array_foreach(files, i, file)
        sb_native_add_hex(r, name, version, file_of(file), sb_json_str(file, "hash"));
}

static void add_python(sb_native_reader *r, const json_t *package, json_t *old_files)
{
    json_t *sdist = sb_json_object(package, "sdist");
    sb_slice own = sb_json_str(package, "name"), version = sb_json_str(package, "version"), name;
    sb_autofree char *key = NULL;

    if (!own.len)
        return;
    key = sb_slice_dup(own);
    name = sb_purl_python_name(r->native->arena, own);
    add_files(r, name, version, sb_json_array(package, "files"));  /* poetry, pdm */
    add_files(r, name, version, sb_json_array(package, "wheels")); /* uv */
    if (sdist)
        sb_native_add_hex(r, name, version, file_of(sdist), sb_json_str(sdist, "hash"));
    add_files(r, name, version, sb_json_array(old_files, key)); /* poetry before 1.3 */
}

void sb_native_read_python(sb_native_reader *r, sb_slice text)
{
    sb_autojson *json = sb_native_document(r, text, sb_toml_parse);
    json_t *metadata = json ? sb_json_object(json, "metadata") : NULL, *package;
    json_t *old_files = metadata ? sb_json_object(metadata, "files") : NULL;
    size_t i;

    json_array_foreach(json ? sb_json_array(json, "package") : NULL, i, package)
        add_python(r, package, old_files);
}
