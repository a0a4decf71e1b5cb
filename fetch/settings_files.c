// SPDX-License-Identifier: Apache-2.0
/* Docker's and containers' own files. */
#include <fetch/settings_internal.h>

#include <fetch/toml.h>
#include <sbuild/fs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { FILES_MAX = 256 };

static sb_slice without_scheme(sb_slice url, bool *ret_http)
{
    *ret_http = sb_slice_starts(url, SB_LIT("http://"));
    if (*ret_http)
        url = sb_slice_sub(url, strlen("http://"), url.len);
    else if (sb_slice_starts(url, SB_LIT("https://")))
        url = sb_slice_sub(url, strlen("https://"), url.len);
    while (sb_slice_ends(url, SB_LIT("/")))
        url.len--;
    return url;
}

int sb_settings_add_daemon(sb_settings_builder *builder, sb_slice text, const char *name, sb_error **err)
{
    sb_autojson *root = NULL;
    sb_autofree sb_mirror *mirrors = NULL;
    size_t count = 0, cap = 0, i;
    sb_registry_settings *entry;
    json_t *item;

    if (sb_json_parse(text, name, &root, err) < 0)
        return -1;
    json_array_foreach(sb_json_array(root, "registry-mirrors"), i, item)
    {
        sb_mirror mirror = {0};

        if (!json_is_string(item) || count >= FILES_MAX)
            continue;
        mirror.location = without_scheme(sb_slice_z(json_string_value(item)), &mirror.insecure);
        if (mirror.location.len)
            *SB_PUSH(mirrors, count, cap) = mirror;
    }
    if (count) {
        entry = sb_settings_entry(builder, SB_LIT("docker.io"), err);
        if (!entry)
            return -1;
        sb_settings_set_mirrors(builder, entry, mirrors, count);
    }
    json_array_foreach(sb_json_array(root, "insecure-registries"), i, item)
    {
        bool http;
        sb_slice host =
            json_is_string(item) ? without_scheme(sb_slice_z(json_string_value(item)), &http) : SB_NIL;

        if (!host.len)
            continue;
        entry = sb_settings_entry(builder, host, err);
        if (!entry)
            return -1;
        entry->insecure = true;
    }
    return 0;
}

static int add_table(sb_settings_builder *builder, json_t *table, sb_error **err)
{
    sb_slice location = sb_json_str(table, "location"), prefix = sb_json_str(table, "prefix");
    bool by_digest = sb_json_bool(table, "mirror-by-digest-only", false);
    sb_autofree sb_mirror *mirrors = NULL;
    sb_registry_settings *entry;
    size_t count = 0, cap = 0, i;
    json_t *item;

    if (!prefix.len)
        prefix = location;
    if (!prefix.len)
        return 0;
    entry = sb_settings_entry(builder, prefix, err);
    if (!entry)
        return -1;
    if (!sb_slice_eq(prefix, location))
        sb_settings_set(builder, &entry->location, location);
    entry->insecure |= sb_json_bool(table, "insecure", false);
    entry->blocked |= sb_json_bool(table, "blocked", false);
    json_array_foreach(sb_json_array(table, "mirror"), i, item)
    {
        sb_mirror mirror = {.location = sb_json_str(item, "location"),
                            .insecure = sb_json_bool(item, "insecure", false)};

        /* Tags are resolved where sbuild's own settings say so; a mirror for tags alone has nothing else to
         * give. */
        if (!mirror.location.len || count >= FILES_MAX ||
            (!by_digest && sb_slice_eqz(sb_json_str(item, "pull-from-mirror"), "tag-only")))
            continue;
        *SB_PUSH(mirrors, count, cap) = mirror;
    }
    sb_settings_set_mirrors(builder, entry, mirrors, count);
    return 0;
}

int sb_settings_add_containers(sb_settings_builder *builder, sb_slice text, const char *name, sb_error **err)
{
    sb_autojson *root = NULL;
    json_t *table;
    size_t i;

    if (sb_toml_parse(text, name, &root, err) < 0)
        return -1;
    json_array_foreach(sb_json_array(root, "registry"), i,
                       table) if (json_is_object(table) && add_table(builder, table, err) < 0) return -1;
    return 0;
}

/* ---- directories ---- */

typedef struct names {
    char **items;
    size_t count, cap;
} names;

static void free_names(names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->items[i]);
    free(n->items);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries of a directory, sorted; none when it cannot be read. */
static names list_dir(const char *path)
{
    DIR *dir = opendir(path);
    names n = {0};

    for (struct dirent *entry; dir && (entry = readdir(dir)) && n.count < FILES_MAX;)
        if (entry->d_name[0] != '.')
            *SB_PUSH(n.items, n.count, n.cap) = sb_strdup(entry->d_name);
    if (dir)
        closedir(dir);
    if (n.count)
        qsort(n.items, n.count, sizeof(*n.items), by_text);
    return n;
}

static bool ends_with(const char *name, const char *suffix)
{
    return sb_slice_ends(sb_slice_z(name), sb_slice_z(suffix));
}

static int add_host_dir(sb_settings_builder *builder, const char *dir, const char *host, sb_error **err)
{
    sb_autofree char *path = sb_path_join(dir, host);
    __attribute__((cleanup(free_names))) names files = list_dir(path);
    sb_registry_settings *entry;

    if (!files.count)
        return 0;
    entry = sb_settings_entry(builder, sb_slice_z(host), err);
    if (!entry)
        return -1;
    for (size_t i = 0; i < files.count; i++) {
        sb_autofree char *file = sb_path_join(path, files.items[i]);
        sb_slice *member = ends_with(file, ".crt")    ? &entry->ca_file
                           : ends_with(file, ".cert") ? &entry->client_cert
                           : ends_with(file, ".key")  ? &entry->client_key
                                                      : NULL;

        if (member && access(file, R_OK) == 0)
            sb_settings_set(builder, member, sb_slice_z(file));
    }
    return 0;
}

int sb_settings_add_certificates(sb_settings_builder *builder, const char *path, sb_error **err)
{
    __attribute__((cleanup(free_names))) names hosts = list_dir(path);

    for (size_t i = 0; i < hosts.count; i++)
        if (add_host_dir(builder, path, hosts.items[i], err) < 0)
            return -1;
    return 0;
}

/* ---- where they are ---- */

typedef int (*adder)(sb_settings_builder *builder, sb_slice text, const char *name, sb_error **err);

/* *ret_there tells whether the file counted; one that exists and cannot be read does not. */
static int add_file(sb_settings_builder *builder, const char *path, adder add, bool *ret_there,
                    sb_error **err)
{
    sb_autofree char *data = NULL;
    size_t len;

    *ret_there = false;
    if (access(path, R_OK) < 0)
        return 0;
    if (sb_read_file(AT_FDCWD, path, SB_SETTINGS_FILE_MAX, &data, &len, NULL, err) < 0)
        return -1;
    *ret_there = true;
    if (!sb_slice_trim(sb_slice_of(data, len)).len)
        return 0;
    return add(builder, sb_slice_of(data, len), path, err);
}

static int add_containers_dir(sb_settings_builder *builder, const char *path, sb_error **err)
{
    __attribute__((cleanup(free_names))) names files = list_dir(path);
    bool there;

    /* Of two drop-ins that say something, the later name counts. */
    for (size_t i = files.count; i-- > 0;) {
        sb_autofree char *file = sb_path_join(path, files.items[i]);

        if (ends_with(file, ".conf") && add_file(builder, file, sb_settings_add_containers, &there, err) < 0)
            return -1;
    }
    return 0;
}

static int add_containers(sb_settings_builder *builder, const char *config, sb_error **err)
{
    const char *chosen = getenv("CONTAINERS_REGISTRIES_CONF");
    sb_autofree char *own = sb_path_join(config, "containers/registries.conf");
    sb_autofree char *own_dir = sb_asprintf("%s.d", own);
    bool there;

    if (chosen && *chosen)
        return add_file(builder, chosen, sb_settings_add_containers, &there, err);
    if (add_containers_dir(builder, own_dir, err) < 0 ||
        add_containers_dir(builder, "/etc/containers/registries.conf.d", err) < 0 ||
        add_file(builder, own, sb_settings_add_containers, &there, err) < 0)
        return -1;
    return there ? 0
                 : add_file(builder, "/etc/containers/registries.conf", sb_settings_add_containers, &there,
                            err);
}

int sb_settings_add_system(sb_settings_builder *builder, sb_error **err)
{
    sb_autofree char *ours = sb_config_dir(err); /* …/sbuild */
    sb_autofree char *config = NULL, *daemon = NULL, *docker_certs = NULL, *containers_certs = NULL;
    bool there;

    if (!ours)
        return -1;
    config = sb_strndup(ours, strlen(ours) - strlen("/sbuild"));
    daemon = sb_path_join(config, "docker/daemon.json");
    docker_certs = sb_path_join(config, "docker/certs.d");
    containers_certs = sb_path_join(config, "containers/certs.d");
    if (add_file(builder, daemon, sb_settings_add_daemon, &there, err) < 0 ||
        add_file(builder, "/etc/docker/daemon.json", sb_settings_add_daemon, &there, err) < 0 ||
        add_containers(builder, config, err) < 0)
        return -1;
    if (sb_settings_add_certificates(builder, docker_certs, err) < 0 ||
        sb_settings_add_certificates(builder, containers_certs, err) < 0 ||
        sb_settings_add_certificates(builder, "/etc/docker/certs.d", err) < 0)
        return -1;
    return sb_settings_add_certificates(builder, "/etc/containers/certs.d", err);
}
