// SPDX-License-Identifier: Apache-2.0
#include <fetch/settings_internal.h>

#include <fetch/address.h>
#include <fetch/url.h>
#include <sbuild/fs.h>

#include <fcntl.h>

enum { PARALLEL = 4, PARALLEL_MAX = 64 };

sb_settings *sb_settings_new(void)
{
    sb_settings *settings = sb_new(sb_settings);

    settings->arena = sb_arena_new();
    settings->parallel = PARALLEL;
    return settings;
}

void sb_settings_free(sb_settings *settings)
{
    if (!settings)
        return;
    sb_arena_free(settings->arena);
    free(settings);
}

/* ---- putting together ---- */

sb_registry_settings *sb_settings_entry(sb_settings_builder *builder, sb_slice prefix, sb_error **err)
{
    sb_settings *s = builder->settings;
    sb_registry_settings *entry;

    while (prefix.len && prefix.ptr[prefix.len - 1] == '/')
        prefix.len--;
    if (sb_slice_eqz(prefix, "index.docker.io") || sb_slice_eqz(prefix, "registry-1.docker.io"))
        prefix = SB_LIT("docker.io");
    for (size_t i = 0; i < s->registry_count; i++)
        if (sb_slice_eq(s->registries[i].prefix, prefix))
            return &s->registries[i];
    if (s->registry_count >= SB_SETTINGS_ENTRIES_MAX) {
        sb_fail(err, SB_ERR_LIMIT, "the settings name more than %d registries", SB_SETTINGS_ENTRIES_MAX);
        return NULL;
    }
    entry = SB_ARENA_PUSH(s->arena, s->registries, s->registry_count, builder->registry_cap);
    *entry = (sb_registry_settings){.prefix = sb_arena_dup(s->arena, prefix)};
    return entry;
}

void sb_settings_set(sb_settings_builder *builder, sb_slice *member, sb_slice value)
{
    if (!member->ptr && value.len)
        *member = sb_arena_dup(builder->settings->arena, value);
}

void sb_settings_set_mirrors(sb_settings_builder *builder, sb_registry_settings *entry,
                             const sb_mirror *mirrors, size_t count)
{
    if (entry->mirror_count || !count)
        return;
    entry->mirrors = sb_arena_array(builder->settings->arena, sb_mirror, count);
    for (size_t i = 0; i < count; i++) {
        entry->mirrors[i] = mirrors[i];
        entry->mirrors[i].location = sb_arena_dup(builder->settings->arena, mirrors[i].location);
    }
    entry->mirror_count = count;
}

/* ---- our own files ---- */

typedef sb_settings_reader reader;

int sb_settings_fail_key(const reader *r, const char *key, const char *why)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(key));

    return sb_fail(r->err, SB_ERR_USAGE, "%s: \"%s\" %s", r->name, shown, why);
}

static int for_user_only(const reader *r, const char *key)
{
    if (r->own)
        return 0;
    return sb_fail(r->err, SB_ERR_USAGE,
                   "%s: \"%s\" loosens what protects the user, which a repository may not; put it into %s",
                   r->name, key, r->builder->user_file);
}

int sb_settings_check_keys(const reader *r, json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        const char *const *k = known;

        while (*k && strcmp(*k, key) != 0)
            k++;
        if (!*k)
            return sb_settings_fail_key(r, key, "is no setting");
    }
    return 0;
}

int sb_settings_read_string(const reader *r, json_t *object, const char *key, sb_slice *ret_value)
{
    json_t *value = json_object_get(object, key);

    *ret_value = SB_NIL;
    if (!value)
        return 0;
    *ret_value = sb_json_str(object, key);
    return ret_value->len ? 0 : sb_settings_fail_key(r, key, "must be a string that is not empty");
}

int sb_settings_read_bool(const reader *r, json_t *object, const char *key, bool *ret_value)
{
    json_t *value = json_object_get(object, key);

    if (value && !json_is_boolean(value))
        return sb_settings_fail_key(r, key, "must be true or false");
    *ret_value = json_is_true(value);
    return 0;
}

/* "host[:port][/prefix]" without a scheme. */
static int read_location(const reader *r, json_t *object, sb_slice *ret_location)
{
    sb_slice rest, host;

    if (sb_settings_read_string(r, object, "location", ret_location) < 0)
        return -1;
    if (!ret_location->ptr)
        return 0;
    if (sb_slice_find(*ret_location, SB_LIT("://")) >= 0)
        return sb_settings_fail_key(r, "location", "must be HOST[:PORT][/PREFIX], without a scheme");
    while (ret_location->len && ret_location->ptr[ret_location->len - 1] == '/')
        ret_location->len--;
    rest = *ret_location;
    host = sb_host_name(sb_slice_cut(&rest, '/'));
    if (!host.len)
        return sb_settings_fail_key(r, "location", "has no host");
    if (sb_host_is_loopback(host) || sb_address_text_is_local(host))
        return for_user_only(r, "location");
    return 0;
}

static int read_mirrors(const reader *r, json_t *object, sb_registry_settings *entry)
{
    static const char *const known[] = {"location", "resolve", "insecure", NULL};
    json_t *list = json_object_get(object, "mirrors"), *item;
    sb_autofree sb_mirror *mirrors = NULL;
    size_t count = 0, cap = 0, i;

    if (list && !json_is_array(list))
        return sb_settings_fail_key(r, "mirrors", "must be a list");
    json_array_foreach(list, i, item)
    {
        sb_mirror mirror = {0};

        if (!json_is_object(item))
            return sb_settings_fail_key(r, "mirrors", "must be a list of objects");
        if (sb_settings_check_keys(r, item, known) < 0 || read_location(r, item, &mirror.location) < 0 ||
            sb_settings_read_bool(r, item, "resolve", &mirror.resolve) < 0 ||
            sb_settings_read_bool(r, item, "insecure", &mirror.insecure) < 0)
            return -1;
        if (!mirror.location.ptr)
            return sb_settings_fail_key(r, "mirrors", "must each have a \"location\"");
        /* Who says what a tag is, is whom the user trusts. */
        if ((mirror.insecure && for_user_only(r, "insecure") < 0) ||
            (mirror.resolve && for_user_only(r, "resolve") < 0))
            return -1;
        *SB_PUSH(mirrors, count, cap) = mirror;
    }
    sb_settings_set_mirrors(r->builder, entry, mirrors, count);
    return 0;
}

/* What the user has said about this part of a registry; a longer prefix does not get a repository out of it.
 */
static const sb_registry_settings *said_by_user(const reader *r, sb_slice prefix)
{
    return r->own ? NULL : sb_settings_registry(r->builder->settings, prefix);
}

static bool says_where(const sb_registry_settings *entry)
{
    return entry->location.ptr || entry->mirror_count || entry->ca_file.ptr || entry->client_cert.ptr;
}

static int read_registry(const reader *r, sb_slice prefix, json_t *object)
{
    static const char *const known[] = {"location",    "insecure",   "blocked", "ca-file",
                                        "client-cert", "client-key", "mirrors", NULL};
    static const char *const private[] = {"ca-file", "client-cert", "client-key"};
    const sb_registry_settings *wider;
    sb_registry_settings *entry;
    sb_slice location, paths[3];
    bool insecure, blocked, settled;

    if (!json_is_object(object))
        return sb_settings_fail_key(r, "registries", "must be an object of objects");
    if (!prefix.len)
        return sb_settings_fail_key(r, "registries", "has an empty name");
    if (sb_settings_check_keys(r, object, known) < 0 || read_location(r, object, &location) < 0 ||
        sb_settings_read_bool(r, object, "insecure", &insecure) < 0 ||
        sb_settings_read_bool(r, object, "blocked", &blocked) < 0)
        return -1;
    if ((insecure && for_user_only(r, "insecure") < 0) || (location.ptr && for_user_only(r, "location") < 0))
        return -1;
    for (size_t i = 0; i < SB_COUNT(private); i++) {
        if (sb_settings_read_string(r, object, private[i], &paths[i]) < 0)
            return -1;
        if (paths[i].ptr && for_user_only(r, private[i]) < 0)
            return -1;
    }
    wider = said_by_user(r, prefix);
    blocked = blocked || (wider && wider->blocked);
    settled = wider && says_where(wider);
    if (settled && !blocked) {
        sb_registry_settings ignored = {0};

        return read_mirrors(r, object, &ignored);
    }
    entry = sb_settings_entry(r->builder, prefix, r->err);
    if (!entry)
        return -1;
    sb_settings_set(r->builder, &entry->location, location);
    sb_settings_set(r->builder, &entry->ca_file, paths[0]);
    sb_settings_set(r->builder, &entry->client_cert, paths[1]);
    sb_settings_set(r->builder, &entry->client_key, paths[2]);
    entry->insecure |= insecure;
    entry->blocked |= blocked;
    return read_mirrors(r, object, entry);
}

/* A list of host names, which is the user's own. */
static int read_hosts(const reader *r, json_t *list, const char *key, sb_slice **hosts, size_t *count,
                      size_t *cap)
{
    sb_arena *arena = r->builder->settings->arena;
    json_t *item;
    size_t i;

    if (!list)
        return 0;
    if (for_user_only(r, key) < 0)
        return -1;
    if (!json_is_array(list) || json_array_size(list) > SB_SETTINGS_ENTRIES_MAX)
        return sb_settings_fail_key(r, key, "must be a list of host names");
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item) || !json_string_length(item))
            return sb_settings_fail_key(r, key, "must be a list of host names");
        *SB_ARENA_PUSH(arena, *hosts, *count, *cap) =
            sb_arena_dup(arena, sb_slice_z(json_string_value(item)));
    }
    return 0;
}

static int read_recording(const reader *r, json_t *object)
{
    static const char *const known[] = {"credentials", NULL};
    sb_settings *s = r->builder->settings;

    if (!object)
        return 0;
    if (!json_is_object(object))
        return sb_settings_fail_key(r, "recording", "must be an object");
    if (sb_settings_check_keys(r, object, known) < 0)
        return -1;
    return read_hosts(r, json_object_get(object, "credentials"), "recording.credentials",
                      &s->recording_credentials, &s->recording_credential_count, &r->builder->recording_cap);
}

static int read_trust(const reader *r, json_t *object)
{
    sb_settings *s = r->builder->settings;
    const char *prefix;
    json_t *options;

    if (!object)
        return 0;
    if (!json_is_object(object) || json_object_size(object) > SB_SETTINGS_ENTRIES_MAX)
        return sb_settings_fail_key(r, "trust", "must be an object of URL prefixes");
    json_object_foreach(object, prefix, options)
    {
        if (!json_is_string(options))
            return sb_settings_fail_key(r, prefix, "must be a string of the words of \"# sbuild: verify\"");
        *SB_ARENA_PUSH(s->arena, s->trust, s->trust_count, r->builder->trust_cap) = (sb_trust_rule){
            sb_arena_dup(s->arena, sb_slice_z(prefix)),
            sb_arena_dup(s->arena, sb_json_text(options)),
        };
    }
    return 0;
}

static int read_rule_names(const reader *r, json_t *list, bool drop)
{
    sb_settings *s = r->builder->settings;
    json_t *item;
    size_t i;

    if (list && (!json_is_array(list) || json_array_size(list) > SB_SETTINGS_ENTRIES_MAX))
        return sb_settings_fail_key(r, "volatile", "must hold lists of rules: {\"keep\": [\"npm-cache\"]}");
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item) || !json_string_length(item))
            return sb_settings_fail_key(r, "volatile",
                                        "must hold lists of rules: {\"keep\": [\"npm-cache\"]}");
        *SB_ARENA_PUSH(s->arena, s->volatile_rules, s->volatile_count, r->builder->volatile_cap) =
            (sb_volatile_setting){sb_arena_dup(s->arena, sb_slice_z(json_string_value(item))), drop};
    }
    return 0;
}

/* Part of what the image is: what one user has for himself must not have a say. */
static int read_volatile(const reader *r, json_t *object)
{
    static const char *const known[] = {"keep", "drop", NULL};

    if (!object)
        return 0;
    if (r->own)
        return sb_settings_fail_key(r, "volatile",
                                    "changes the image, so it belongs into the repository's sbuild.json");
    if (!json_is_object(object))
        return sb_settings_fail_key(r, "volatile", "must hold lists of rules: {\"keep\": [\"npm-cache\"]}");
    if (sb_settings_check_keys(r, object, known) < 0 ||
        read_rule_names(r, json_object_get(object, "keep"), false) < 0)
        return -1;
    return read_rule_names(r, json_object_get(object, "drop"), true);
}

/* Seconds, or a number with s, m, h, d or w behind it. */
static int read_age(const reader *r, json_t *value)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    sb_settings *s = r->builder->settings;
    int64_t age = -1;
    uint64_t n;

    if (!value)
        return 0;
    if (json_is_integer(value)) {
        age = json_integer_value(value);
    } else if (json_is_string(value) && json_string_length(value)) {
        sb_slice text = sb_json_text(value);

        for (size_t i = 0; i < SB_COUNT(units); i++)
            if (text.ptr[text.len - 1] == units[i].unit &&
                sb_slice_to_u64(sb_slice_sub(text, 0, text.len - 1), &n) && n < 1000000)
                age = (int64_t)n * units[i].seconds;
    }
    if (age < 0)
        return sb_settings_fail_key(r, "min-age", "must be a time like \"7d\" or \"12h\"");
    /* Both files can ask for more patience, neither for less than the other. */
    if (age > s->min_age)
        s->min_age = age;
    return 0;
}

static int read_parallel(const reader *r, json_t *value)
{
    if (!value)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > PARALLEL_MAX)
        return sb_settings_fail_key(r, "parallel", "must be a number from 1 to 64");
    if (r->own)
        r->builder->settings->parallel = (unsigned)json_integer_value(value);
    return 0;
}

int sb_settings_add_json(sb_settings_builder *builder, sb_slice text, const char *name, bool own,
                         sb_error **err)
{
    static const char *const known[] = {"registries", "allow-hosts", "trust",    "require-signatures",
                                        "min-age",    "parallel",    "volatile", "recording",
                                        "lint",       "scan",        "$schema",  NULL};
    reader r = {builder, name, own, err};
    sb_autojson *root = NULL;
    json_t *registries, *entry;
    const char *prefix;
    bool require;

    if (sb_json_parse(text, name, &root, err) < 0)
        return -1;
    if (!json_is_object(root))
        return sb_fail(err, SB_ERR_USAGE, "%s: expected an object", name);
    if (sb_settings_check_keys(&r, root, known) < 0)
        return -1;
    registries = json_object_get(root, "registries");
    if (registries && !json_is_object(registries))
        return sb_settings_fail_key(&r, "registries", "must be an object");
    json_object_foreach(registries, prefix,
                        entry) if (read_registry(&r, sb_slice_z(prefix), entry) < 0) return -1;
    if (read_hosts(&r, json_object_get(root, "allow-hosts"), "allow-hosts", &builder->settings->allow_hosts,
                   &builder->settings->allow_host_count, &builder->allow_cap) < 0 ||
        read_recording(&r, json_object_get(root, "recording")) < 0 ||
        read_trust(&r, json_object_get(root, "trust")) < 0 ||
        sb_settings_read_bool(&r, root, "require-signatures", &require) < 0 ||
        read_volatile(&r, json_object_get(root, "volatile")) < 0 || sb_settings_read_rules(&r, root) < 0 ||
        read_age(&r, json_object_get(root, "min-age")) < 0)
        return -1;
    builder->settings->require_signatures |= require;
    return read_parallel(&r, json_object_get(root, "parallel"));
}

/* ---- all of them ---- */

static int add_user_file(sb_settings_builder *builder, sb_error **err)
{
    sb_autofree char *data = NULL;
    bool missing;
    size_t len;

    if (sb_read_file(AT_FDCWD, builder->user_file, SB_SETTINGS_FILE_MAX, &data, &len, &missing, err) < 0)
        return missing ? 0 : -1;
    return sb_settings_add_json(builder, sb_slice_of(data, len), builder->user_file, true, err);
}

static int add_repository_file(sb_settings_builder *builder, const char *context, sb_error **err)
{
    sb_autoclose int dirfd = -1, fd = -1;
    sb_autofree char *data = NULL;
    bool missing;
    size_t len;

    if (sb_open_dir(context, &dirfd, err) < 0)
        return -1;
    fd = sb_open_beneath(dirfd, "sbuild.json", O_RDONLY | O_NONBLOCK, 0, &missing, err);
    if (fd < 0)
        return missing ? 0 : -1;
    if (sb_read_fd(fd, "sbuild.json", SB_SETTINGS_FILE_MAX, &data, &len, err) < 0)
        return -1;
    return sb_settings_add_json(builder, sb_slice_of(data, len), "sbuild.json", false, err);
}

static int load(const char *context, bool system, sb_settings **ret_settings, sb_error **err)
{
    SB_AUTO(sb_settings) settings = sb_settings_new();
    sb_settings_builder builder = {.settings = settings};
    sb_autofree char *dir = sb_config_dir(err);
    sb_autofree char *user_file = dir ? sb_path_join(dir, "config.json") : NULL;

    if (!user_file)
        return -1;
    builder.user_file = user_file;
    /* The repository's comes last: what is said first stands. */
    if (add_user_file(&builder, err) < 0 || (system && sb_settings_add_system(&builder, err) < 0) ||
        (context && add_repository_file(&builder, context, err) < 0))
        return -1;
    *ret_settings = SB_TAKE(settings);
    return 0;
}

int sb_settings_load(const char *context, sb_settings **ret_settings, sb_error **err)
{
    return load(context, true, ret_settings, err);
}

int sb_settings_load_own(const char *context, sb_settings **ret_settings, sb_error **err)
{
    return load(context, false, ret_settings, err);
}

/* ---- asking ---- */

/* How much of the name the prefix covers, 0 for nothing: whole components, "*.domain" for hosts. */
static size_t covers(sb_slice prefix, sb_slice name)
{
    sb_slice rest = name, host = sb_slice_cut(&rest, '/');

    if (sb_address_in_block(sb_host_name(host), prefix))
        return 1;
    if (sb_slice_starts(prefix, SB_LIT("*."))) {
        sb_slice domain = sb_slice_sub(prefix, 1, prefix.len);

        return sb_slice_ends(host, domain) && host.len > domain.len ? domain.len : 0;
    }
    if (!sb_slice_starts(name, prefix))
        return 0;
    return name.len == prefix.len || name.ptr[prefix.len] == '/' ? prefix.len : 0;
}

const sb_registry_settings *sb_settings_registry(const sb_settings *settings, sb_slice name)
{
    const sb_registry_settings *best = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < settings->registry_count; i++) {
        size_t n = covers(settings->registries[i].prefix, name);

        if (n > longest) {
            longest = n;
            best = &settings->registries[i];
        }
    }
    return best;
}

bool sb_settings_host_allowed(const sb_settings *settings, sb_slice host)
{
    for (size_t i = 0; i < settings->allow_host_count; i++)
        if (sb_slice_eq_nocase(settings->allow_hosts[i], host) ||
            sb_slice_eq_nocase(settings->allow_hosts[i], sb_host_name(host)))
            return true;
    return false;
}

sb_http_tls sb_settings_tls(const sb_settings *settings, sb_slice host)
{
    sb_http_tls tls = {0};

    for (size_t i = 0; i < settings->registry_count; i++) {
        const sb_registry_settings *entry = &settings->registries[i];

        if (!sb_slice_eq(entry->prefix, host))
            continue;
        tls = (sb_http_tls){
            .ca_file = entry->ca_file, .client_cert = entry->client_cert, .client_key = entry->client_key};
    }
    return tls;
}

bool sb_settings_insecure(const sb_settings *settings, sb_slice host)
{
    for (size_t i = 0; i < settings->registry_count; i++)
        if (settings->registries[i].insecure && covers(settings->registries[i].prefix, host))
            return true;
    return false;
}
