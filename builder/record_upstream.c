// SPDX-License-Identifier: Apache-2.0
/*
 * How recording steps reach the network: the engine, the host's proxies and the authorities that it trusts.
 * Proxies go by the build arguments that engines have for them, by name alone: their values, which may hold
 * passwords, are in no argument, file or layer.
 */
#include <builder/record.h>

#include <sbuild/fs.h>
#include <sbuild/http.h>
#include <sbuild/json.h>

#include <errno.h>
#include <sys/stat.h>

enum { BUNDLE_MAX = 32 << 20, CREDENTIALS_MAX = 64 << 10 };

static const char *const proxy_variables[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                              "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

static void add_argument(sb_recorder *r, const char *argument)
{
    *SB_ARENA_PUSH(r->arena, r->arguments, r->argument_count, r->argument_cap) = argument;
}

static void add_environment(sb_recorder *r, const char *entry)
{
    *SB_ARENA_PUSH(r->arena, r->environment, r->environment_count, r->environment_cap) = entry;
    *SB_ARENA_PUSH(r->arena, r->environment, r->environment_count, r->environment_cap) = NULL;
    r->environment_count--;
}

static bool is_given(const sb_recorder *r, const char *name)
{
    for (size_t i = 0; i < r->options->build.build_arg_count; i++)
        if (sb_slice_eqz(r->options->build.build_args[i].key, name))
            return true;
    return false;
}

static void add_proxies(sb_recorder *r)
{
    for (size_t i = 0; i < SB_COUNT(proxy_variables); i++) {
        const char *value = getenv(proxy_variables[i]);

        if (value && *value && !is_given(r, proxy_variables[i]))
            add_argument(r, sb_arena_printf(r->arena, "--build-arg=%s", proxy_variables[i]).ptr);
    }
}

/*
 * Engines without a daemon keep cache mounts among their temporary files, whose usual directory is
 * everybody's; and since steps of any user record, everybody could write to a recording there.
 */
static int set_private_temp(sb_recorder *r, sb_error **err)
{
    sb_autofree char *cache = NULL;
    sb_autofree char *dir = NULL;

    if (r->engine->kind == SB_ENGINE_DOCKER)
        return 0;
    cache = sb_cache_dir(err);
    dir = cache ? sb_path_join(cache, "recording-tmp") : NULL;
    if (!dir || sb_mkdirs(dir, err) < 0)
        return -1;
    if (chmod(dir, 0700) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot make %s private: %s", dir, strerror(errno));
    add_environment(r, sb_arena_printf(r->arena, "TMPDIR=%s", dir).ptr);
    return 0;
}

/*
 * Logins of this user for the hosts that the user's own settings opt in. They are in the environment of the
 * engine's client and in that of the step's program, which gives them to nobody; in no argument and no file.
 */
static int add_credentials(sb_recorder *r, sb_error **err)
{
    const sb_settings *settings = r->project->settings;
    sb_autojson *logins = json_object();
    sb_autobuf out = SB_BUF_INIT(CREDENTIALS_MAX);

    for (size_t i = 0; i < settings->recording_credential_count; i++) {
        sb_slice host = sb_arena_lower(r->arena, settings->recording_credentials[i]), authorization;
        int found = sb_http_login(r->arena, host, &authorization, err);

        if (found < 0)
            return -1;
        if (found)
            sb_json_set_str(logins, host.ptr, authorization);
        else
            sb_progress_line(r->project->progress, SB_EVENT_WARNING,
                             "no login for %" SB_FMT ", which \"recording\" in the settings names",
                             SB_ARG(host));
    }
    if (!json_object_size(logins))
        return 0;
    if (!r->engine->can.env_secrets)
        return sb_fail(err, SB_ERR_ENGINE,
                       "%" SB_FMT " %" SB_FMT
                       " cannot keep credentials from steps, which \"recording\" in the "
                       "settings asks for; use Docker 28 or newer, or leave the setting out",
                       SB_ARG(r->engine->name), SB_ARG(r->engine->version));
    sb_buf_addz(&out, SB_SEAL_SECRET_VARIABLE "=");
    if (sb_json_write(logins, &out, err) < 0)
        return -1;
    r->secrets = sb_arena_dup(r->arena, sb_buf_slice(&out));
    explicit_bzero(out.data, out.len);
    add_environment(r, r->secrets.ptr);
    add_argument(r, "--secret=id=" SB_SEAL_SECRET ",env=" SB_SEAL_SECRET_VARIABLE);
    r->credentials = true;
    return 0;
}

int sb_record_connect(sb_recorder *r, sb_error **err)
{
    const sb_build_options *build = &r->options->build;
    sb_autobuf bundle = SB_BUF_INIT(BUNDLE_MAX);

    if (sb_engine_select(build->engine, build->builder, &r->engine, err) < 0)
        return -1;
    r->ops = sb_engine_ops_of(r->engine->kind);
    for (size_t i = 0; i < build->engine_argument_count; i++)
        add_argument(r, build->engine_arguments[i]);
    if (sb_engine_takes(r->engine, r->arguments, r->argument_count, err) < 0 ||
        set_private_temp(r, err) < 0 || sb_record_secret(r->secret, err) < 0 ||
        sb_http_authorities(r->project->settings, &bundle, err) < 0 || add_credentials(r, err) < 0)
        return -1;
    add_proxies(r);
    r->upstream_ca = sb_arena_dup(r->arena, sb_buf_slice(&bundle));
    return 0;
}
