// SPDX-License-Identifier: Apache-2.0
#include <fetch/credentials.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>
#include <sbuild/process.h>

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

enum { FILE_MAX = 4 << 20, HELPER_OUTPUT_MAX = 1 << 16, HELPER_SECONDS = 120, AUTH_MAX = 1 << 16 };

static const char hub_key[] = "https://index.docker.io/v1/";

static bool is_hub(sb_slice host)
{
    return sb_slice_eqz(host, "docker.io") || sb_slice_eqz(host, "index.docker.io") ||
           sb_slice_eqz(host, "registry-1.docker.io");
}

/* ---- the members of one entry ---- */

static int decode_base64(sb_arena *arena, sb_slice text, sb_slice *ret_data)
{
    sb_slice s = sb_slice_trim(text);
    unsigned char *out;
    size_t padding = 0;
    int n;

    while (padding < 2 && padding < s.len && s.ptr[s.len - 1 - padding] == '=')
        padding++;
    if (s.len > AUTH_MAX || s.len % 4)
        return -1;
    out = sb_arena_alloc(arena, s.len + 1);
    n = EVP_DecodeBlock(out, (const unsigned char *)s.ptr, (int)s.len);
    if (n < 0 || (size_t)n < padding)
        return -1;
    *ret_data = sb_slice_of((const char *)out, (size_t)n - padding);
    return 0;
}

/* "user:password" in base64; the password may contain colons, and some files have NULs behind it. */
static int read_auth(sb_arena *arena, sb_slice auth, const char *name, sb_credentials *credentials,
                     sb_error **err)
{
    sb_slice pair, rest;

    if (decode_base64(arena, auth, &pair) < 0 || sb_slice_chr(pair, ':') < 0)
        return sb_fail(err, SB_ERR_USAGE, "%s: an \"auth\" is not USER:PASSWORD in base64; log in again",
                       name);
    while (pair.len && pair.ptr[pair.len - 1] == '\0')
        pair.len--;
    rest = pair;
    credentials->username = sb_slice_cut(&rest, ':');
    credentials->password = rest;
    return 0;
}

static int read_entry(sb_arena *arena, const json_t *entry, const char *name, sb_credentials *ret_credentials,
                      sb_error **err)
{
    sb_slice auth = sb_json_str(entry, "auth"), user = sb_json_str(entry, "username");
    sb_slice password = sb_json_str(entry, "password");
    sb_slice identity = sb_json_str(entry, "identitytoken"), token = sb_json_str(entry, "registrytoken");
    sb_credentials c = {0};

    if (user.len && password.len)
        c = (sb_credentials){.username = sb_arena_dup(arena, user),
                             .password = sb_arena_dup(arena, password)};
    else if (auth.len && read_auth(arena, auth, name, &c, err) < 0)
        return -1;
    if (identity.len)
        c.identity_token = sb_arena_dup(arena, identity);
    if (token.len)
        c.registry_token = sb_arena_dup(arena, token);
    if (!c.username.len && !c.identity_token.len && !c.registry_token.len)
        return 0;
    *ret_credentials = c;
    return 1;
}

/* ---- helpers ---- */

static bool is_helper_name(sb_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              memchr("._-", c, 3)))
            return false;
    }
    return name.len > 0 && name.ptr[0] != '.';
}

static int read_helper(sb_arena *arena, const char *program, sb_slice output, sb_credentials *ret_credentials,
                       sb_error **err)
{
    sb_autojson *json = NULL;
    sb_slice user, secret;

    if (sb_json_parse(output, program, &json, NULL) < 0)
        return sb_fail(err, SB_ERR_AUTH, "the credential helper %s answered something that is no JSON",
                       program);
    user = sb_json_str(json, "Username");
    secret = sb_json_str(json, "Secret");
    if (!user.len && !secret.len)
        return 0;
    if (sb_slice_eqz(user, "<token>"))
        *ret_credentials = (sb_credentials){.identity_token = sb_arena_dup(arena, secret)};
    else
        *ret_credentials =
            (sb_credentials){.username = sb_arena_dup(arena, user), .password = sb_arena_dup(arena, secret)};
    return 1;
}

static int ask_helper(sb_arena *arena, sb_slice helper, sb_slice server, const char *name,
                      sb_credentials *ret_credentials, sb_error **err)
{
    sb_autofree char *program = NULL, *shown = NULL;
    sb_autobuf output = SB_BUF_INIT(HELPER_OUTPUT_MAX), errors = SB_BUF_INIT(HELPER_OUTPUT_MAX);
    const char *argv[] = {NULL, "get", NULL};
    sb_process_options options = {
        .argv = argv, .input = server, .output = &output, .errors = &errors, .timeout = HELPER_SECONDS};
    sb_slice said;
    int status, result;

    if (!is_helper_name(helper)) {
        shown = sb_printable(helper);
        return sb_fail(err, SB_ERR_USAGE, "%s: \"%s\" is no name of a credential helper", name, shown);
    }
    program = sb_asprintf("docker-credential-%" SB_FMT, SB_ARG(helper));
    argv[0] = program;
    sb_buf_addz(&output, "");
    sb_buf_addz(&errors, "");
    if (sb_process_run(&options, &status, err) < 0)
        return sb_wrap(err, "%s names a credential helper", name);
    if (status == 0) {
        result = read_helper(arena, program, sb_buf_slice(&output), ret_credentials, err);
        explicit_bzero(output.data, output.len);
        return result;
    }
    said = sb_slice_trim(sb_buf_slice(&output));
    if (sb_slice_find(said, SB_LIT("credentials not found in native keychain")) >= 0 ||
        sb_slice_find(said, SB_LIT("no credentials server URL")) >= 0)
        return 0;
    if (!said.len)
        said = sb_slice_trim(sb_buf_slice(&errors));
    shown = sb_printable(said);
    return sb_fail(err, SB_ERR_AUTH, "the credential helper %s failed with status %d: %s", program, status,
                   shown);
}

/* ---- one file ---- */

/* "https://host/v1/" and "host/" name the same as "host". */
static sb_slice plain_key(sb_slice key)
{
    if (sb_slice_starts(key, SB_LIT("https://")))
        key = sb_slice_sub(key, strlen("https://"), key.len);
    else if (sb_slice_starts(key, SB_LIT("http://")))
        key = sb_slice_sub(key, strlen("http://"), key.len);
    else
        return key;
    return sb_slice_cut(&key, '/');
}

static bool same_host(sb_slice key, sb_slice host)
{
    key = plain_key(key);
    while (key.len && key.ptr[key.len - 1] == '/')
        key.len--;
    return sb_slice_eq_nocase(key, host) || (is_hub(key) && is_hub(host));
}

/* The value of a member whose key names the host; one with just this spelling wins. */
static json_t *by_host(json_t *object, sb_slice host)
{
    sb_autofree char *z = sb_slice_dup(is_hub(host) ? sb_slice_z(hub_key) : host);
    json_t *value = json_object_get(object, z);
    const char *key;

    if (value)
        return value;
    json_object_foreach(object, key, value) if (same_host(sb_slice_z(key), host)) return value;
    return NULL;
}

/* containers: "host/namespace/image" as the key, the longest that covers the repository counts. */
static json_t *by_longest_prefix(json_t *object, sb_slice host, sb_slice repository)
{
    sb_autofree char *name = sb_asprintf("%" SB_FMT "/%" SB_FMT, SB_ARG(host), SB_ARG(repository));
    sb_slice rest = sb_slice_z(name);
    json_t *value, *best = NULL;
    const char *key;
    size_t longest = host.len;

    json_object_foreach(object, key, value)
    {
        size_t len = strlen(key);

        if (len > longest && sb_slice_starts(rest, sb_slice_z(key)) &&
            (name[len] == '\0' || name[len] == '/')) {
            longest = len;
            best = value;
        }
    }
    return best ? best : by_host(object, host);
}

int sb_credentials_in_file(sb_arena *arena, sb_slice text, const char *name, bool containers, sb_slice host,
                           sb_slice repository, sb_credentials *ret_credentials, sb_error **err)
{
    sb_slice server = is_hub(host) && !containers ? sb_slice_z(hub_key) : host;
    sb_autojson *root = NULL;
    json_t *helper, *entry;
    sb_slice store;
    int found;

    if (sb_json_parse(text, name, &root, err) < 0)
        return -1;
    helper = by_host(sb_json_object(root, "credHelpers"), host);
    if (json_is_string(helper) && json_string_length(helper))
        return ask_helper(arena, sb_slice_z(json_string_value(helper)), server, name, ret_credentials, err);
    store = sb_json_str(root, "credsStore");
    if (store.len) {
        found = ask_helper(arena, store, server, name, ret_credentials, err);
        if (found != 0)
            return found;
    }
    entry = containers ? by_longest_prefix(sb_json_object(root, "auths"), host, repository)
                       : by_host(sb_json_object(root, "auths"), host);
    return json_is_object(entry) ? read_entry(arena, entry, name, ret_credentials, err) : 0;
}

/* ---- all files ---- */

static char *below_env(const char *variable, const char *rest)
{
    const char *value = getenv(variable);

    return value && *value ? sb_path_join(value, rest) : NULL;
}

int sb_credentials_find(sb_arena *arena, sb_slice host, sb_slice repository, sb_credentials *ret_credentials,
                        sb_error **err)
{
    const char *auth_file = getenv("REGISTRY_AUTH_FILE"), *docker = getenv("DOCKER_CONFIG");
    sb_autofree char *docker_file =
        docker && *docker ? sb_path_join(docker, "config.json") : below_env("HOME", ".docker/config.json");
    sb_autofree char *runtime = below_env("XDG_RUNTIME_DIR", "containers/auth.json");
    sb_autofree char *config = below_env("XDG_CONFIG_HOME", "containers/auth.json");
    sb_autofree char *home = below_env("HOME", ".config/containers/auth.json");
    const struct {
        const char *path;
        bool containers;
    } files[] = {
        {docker_file, false},
        {auth_file && *auth_file ? auth_file : NULL, true},
        {runtime, true},
        {config ? config : home, true},
    };

    for (size_t i = 0; i < SB_COUNT(files); i++) {
        sb_autofree char *data = NULL;
        bool missing;
        size_t len;
        int found;

        if (!files[i].path || access(files[i].path, R_OK) < 0)
            continue;
        if (sb_read_file(AT_FDCWD, files[i].path, FILE_MAX, &data, &len, &missing, err) < 0)
            return -1;
        if (!sb_slice_trim(sb_slice_of(data, len)).len)
            continue;
        found = sb_credentials_in_file(arena, sb_slice_of(data, len), files[i].path, files[i].containers,
                                       host, repository, ret_credentials, err);
        explicit_bzero(data, len);
        if (found != 0)
            return found;
    }
    return 0;
}

sb_slice sb_credentials_basic(sb_arena *arena, const sb_credentials *credentials)
{
    sb_slice pair = sb_arena_printf(arena, "%" SB_FMT ":%" SB_FMT, SB_ARG(credentials->username),
                                    SB_ARG(credentials->password));
    unsigned char *encoded = sb_arena_alloc(arena, pair.len * 4 / 3 + 8);
    int n = EVP_EncodeBlock(encoded, (const unsigned char *)pair.ptr, (int)pair.len);

    return sb_arena_printf(arena, "Basic %.*s", n, (const char *)encoded);
}
