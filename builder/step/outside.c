// SPDX-License-Identifier: Apache-2.0
/*
 * What a recording step is told of the world outside by its environment: the host's proxies, which engines
 * hand over as build arguments, and the credentials that the user's own configuration gives to single hosts.
 * Neither is in a file of the step, and the command gets neither.
 */
#include <builder/step/run.h>

#include <sbuild/json.h>

enum { CREDENTIALS_MAX = 256, CREDENTIAL_LEN_MAX = 8192 };

/* The first of these variables that says something; absent without. */
static sb_slice first_of(char *const *env, const char *const *names, sb_arena *arena)
{
    for (; *names; names++) {
        const char *value = step_environment_get(env, *names);

        if (value && *value)
            return sb_arena_dup(arena, sb_slice_z(value));
    }
    return SB_NIL;
}

/* HTTP_PROXY in upper case is left out as curl does: a web server's environment may have that from a client.
 */
static void read_proxies(step_config *config, char *const *env)
{
    static const char *const http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
    static const char *const none[] = {"no_proxy", "NO_PROXY", NULL};

    config->http_proxy = first_of(env, http, config->arena);
    config->https_proxy = first_of(env, https, config->arena);
    config->no_proxy = first_of(env, none, config->arena);
}

/* As one header's value: nothing in it may end the line. */
static bool is_header_value(sb_slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 0x7f)
            return false;
    return value.len && value.len <= CREDENTIAL_LEN_MAX;
}

/* What the kernel shows of this process's environment is this memory. */
static void wipe(char *const *env, const char *name)
{
    size_t len = strlen(name);

    for (; *env; env++)
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
            explicit_bzero(*env + len + 1, strlen(*env + len + 1));
}

/* {"host" or "host:port": "Basic …"}. The messages say nothing of what is in it. */
static int read_credentials(step_config *config, char *const *env, sb_error **err)
{
    static const char name[] = STEP_CREDENTIALS;
    const char *text = step_environment_get(env, name);
    sb_autojson *json = NULL;
    const char *host;
    json_t *value;

    if (!text || !*text)
        return 0;
    if (sb_json_parse(sb_slice_z(text), name, &json, NULL) < 0 || !json_is_object(json) ||
        json_object_size(json) > CREDENTIALS_MAX)
        return sb_fail(err, SB_ERR_PARSE, "%s is no object of credentials", name);
    config->credentials = sb_arena_array(config->arena, step_credential, json_object_size(json) + 1);
    json_object_foreach(json, host, value)
    {
        sb_slice authorization = sb_json_text(value);

        if (!authorization.ptr || !is_header_value(authorization))
            return sb_fail(err, SB_ERR_PARSE, "%s is no object of credentials", name);
        config->credentials[config->credential_count++] = (step_credential){
            sb_arena_lower(config->arena, sb_slice_z(host)), sb_arena_dup(config->arena, authorization)};
    }
    return 0;
}

int step_config_outside(step_config *config, char *const *env, sb_error **err)
{
    int status;

    read_proxies(config, env);
    status = read_credentials(config, env, err);
    wipe(env, STEP_CREDENTIALS);
    return status;
}
