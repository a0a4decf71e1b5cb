// SPDX-License-Identifier: Apache-2.0
/*
 * The environment of the user's command: what makes clients use the server and trust it, and what makes them
 * do the same every time. This is the only place; docs/sealed.md has the same table for people, and a test
 * compares the two.
 */
#include <builder/step/run.h>

#include <unistd.h>

typedef enum rule {
    OURS,   /* set, whatever the image says */
    IF_SET, /* set when the image has it, whose value would lead astray */
    KEEP,   /* set unless the image has it: the user's choice wins */
    APPEND, /* put behind what the image has */
    GONE,   /* not for the command to see */
} rule;

typedef enum source {
    TEXT, /* as it stands */
    PROXY,
    NO_PROXY,
    CA,    /* file: the step's authority alone, where it is added to those that are built in */
    TRUST, /* file: that and the image's, where it replaces them */
    WGETRC,
    WGET2RC,
    PHP,
    APT_CONF,
    SQV_POLICY,
    JAVA,
    EPOCH,
    REPLAYED, /* the text, on replay alone */
} source;

static const struct {
    const char *name;
    rule rule;
    source source;
    const char *text;
} variables[] = {
    {"SBUILD_STEP_CREDENTIALS", GONE, TEXT, NULL},
    /* The way to the server. curl takes http_proxy in lower case alone, others in upper case alone. */
    {"http_proxy", OURS, PROXY, NULL},
    {"HTTP_PROXY", OURS, PROXY, NULL},
    {"https_proxy", OURS, PROXY, NULL},
    {"HTTPS_PROXY", OURS, PROXY, NULL},
    {"all_proxy", IF_SET, PROXY, NULL},
    {"ALL_PROXY", IF_SET, PROXY, NULL},
    {"ftp_proxy", IF_SET, PROXY, NULL},
    {"FTP_PROXY", IF_SET, PROXY, NULL},
    {"no_proxy", OURS, NO_PROXY, NULL},
    {"NO_PROXY", OURS, NO_PROXY, NULL},
    {"NODE_USE_ENV_PROXY", OURS, TEXT, "1"},
    /* Also because an .npmrc may say otherwise: variables go before files. */
    {"YARN_HTTP_PROXY", OURS, PROXY, NULL},
    {"YARN_HTTPS_PROXY", OURS, PROXY, NULL},
    {"npm_config_proxy", OURS, PROXY, NULL},
    {"npm_config_https_proxy", OURS, PROXY, NULL},
    {"npm_config_noproxy", OURS, NO_PROXY, NULL},
    {"PIP_PROXY", IF_SET, PROXY, NULL},
    {"CARGO_HTTP_PROXY", IF_SET, PROXY, NULL},
    /* Trust. */
    {"SSL_CERT_FILE", OURS, TRUST, NULL},
    {"SSL_CA_CERT_FILE", OURS, TRUST, NULL},
    {"CURL_CA_BUNDLE", OURS, TRUST, NULL},
    {"GIT_SSL_CAINFO", OURS, TRUST, NULL},
    {"NODE_EXTRA_CA_CERTS", OURS, CA, NULL},
    {"YARN_HTTPS_CA_FILE_PATH", OURS, TRUST, NULL},
    {"npm_config_ca", IF_SET, TEXT, ""},
    {"npm_config_cafile", OURS, TRUST, NULL},
    {"DENO_CERT", OURS, CA, NULL},
    {"PIP_CERT", OURS, TRUST, NULL},
    {"REQUESTS_CA_BUNDLE", OURS, TRUST, NULL},
    {"HTTPLIB2_CA_CERTS", OURS, TRUST, NULL},
    {"BUNDLE_SSL_CA_CERT", OURS, TRUST, NULL},
    {"CARGO_HTTP_CAINFO", OURS, TRUST, NULL},
    {"AWS_CA_BUNDLE", OURS, TRUST, NULL},
    {"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", OURS, TRUST, NULL},
    {"PERL_LWP_SSL_CA_FILE", OURS, TRUST, NULL},
    {"HEX_CACERTS_PATH", OURS, TRUST, NULL},
    {"SYSTEM_CERTIFICATE_PATH", OURS, TRUST, NULL},
    {"NIX_SSL_CERT_FILE", OURS, TRUST, NULL},
    {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", OURS, TRUST, NULL},
    /* Both at once. */
    {"WGETRC", OURS, WGETRC, NULL},
    {"WGET2RC", OURS, WGET2RC, NULL},
    {"PHP_INI_SCAN_DIR", APPEND, PHP, NULL},
    {"APT_CONFIG", OURS, APT_CONF, NULL},
    {"APT_SEQUOIA_CRYPTO_POLICY", OURS, SQV_POLICY, NULL},
    {"JAVA_TOOL_OPTIONS", APPEND, JAVA, NULL},
    /* What Go asks its checksum database depends on the order of its own threads; the lock vouches by now. */
    {"GONOSUMDB", OURS, REPLAYED, "*"},
    /* The same every time. */
    {"SOURCE_DATE_EPOCH", KEEP, EPOCH, NULL},
    {"PYTHONHASHSEED", KEEP, TEXT, "0"},
    {"PERL_HASH_SEED", KEEP, TEXT, "0"},
    /* No questions about newer versions of the client itself, which depend on the day … */
    {"PIP_DISABLE_PIP_VERSION_CHECK", KEEP, TEXT, "1"},
    {"npm_config_update_notifier", KEEP, TEXT, "false"},
    {"NO_UPDATE_NOTIFIER", KEEP, TEXT, "1"},
    {"CHECKPOINT_DISABLE", KEEP, TEXT, "1"},
    /* … and no telemetry, which is different every time. */
    {"DO_NOT_TRACK", KEEP, TEXT, "1"},
    {"YARN_ENABLE_TELEMETRY", KEEP, TEXT, "0"},
    {"NEXT_TELEMETRY_DISABLED", KEEP, TEXT, "1"},
    {"NUXT_TELEMETRY_DISABLED", KEEP, TEXT, "1"},
    {"GATSBY_TELEMETRY_DISABLED", KEEP, TEXT, "1"},
    {"ASTRO_TELEMETRY_DISABLED", KEEP, TEXT, "1"},
    {"DOTNET_CLI_TELEMETRY_OPTOUT", KEEP, TEXT, "1"},
};

const char *step_environment_get(char *const *env, const char *name)
{
    size_t len = strlen(name);

    for (; *env; env++)
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
            return *env + len + 1;
    return NULL;
}

/* Addresses both as themselves and as a network, since not every client knows networks; and the step's own
 * host name, by which it may call a server of its own. */
static sb_slice no_proxy(sb_arena *arena)
{
    enum { HOST_NAME_SIZE = 256 };
    char host[HOST_NAME_SIZE] = "";

    if (gethostname(host, sizeof(host) - 1) < 0)
        host[0] = 0;
    return sb_arena_printf(arena, "localhost,127.0.0.1,127.0.0.0/8,::1%s%s", *host ? "," : "", host);
}

static sb_slice java_options(sb_arena *arena, const step_files *files, unsigned port)
{
    return sb_arena_printf(arena,
                           "-Djavax.net.ssl.trustStore=%s -Djavax.net.ssl.trustStoreType=PKCS12 "
                           "-Djavax.net.ssl.trustStorePassword=" STEP_JAVA_PASSWORD
                           " -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=%u -Dhttps.proxyHost=127.0.0.1 "
                           "-Dhttps.proxyPort=%u -Dhttp.nonProxyHosts=localhost|127.*|[::1]"
                           /* Maven 3.9 alone wants to be told that it may look at them. */
                           " -Daether.connector.http.useSystemProperties=true",
                           files->trust_p12, port, port);
}

static sb_slice value_of(sb_arena *arena, source wanted, const char *text, const step_config *config,
                         const step_files *files, unsigned port)
{
    switch (wanted) {
    case TEXT:
        return sb_slice_z(text);
    case PROXY:
        return sb_arena_printf(arena, "http://127.0.0.1:%u", port);
    case NO_PROXY:
        return no_proxy(arena);
    case CA:
        return sb_slice_z(files->ca);
    case TRUST:
        return sb_slice_z(files->trust);
    case WGETRC:
        return sb_slice_z(files->wgetrc);
    case WGET2RC:
        return sb_slice_z(files->wget2rc);
    case PHP:
        return sb_arena_printf(arena, ":%s", files->php_dir); /* behind what is built in */
    case APT_CONF:
        return sb_slice_z(files->apt_conf);
    case SQV_POLICY:
        return sb_slice_z(files->sqv_policy); /* absent: not set */
    case JAVA:
        return java_options(arena, files, port);
    case REPLAYED:
        return config->mode == STEP_REPLAY ? sb_slice_z(text) : SB_NIL;
    case EPOCH:
        return sb_arena_printf(arena, "%lld", (long long)config->epoch);
    }
    return SB_NIL;
}

static void drop(char **env, size_t *count, const char *name)
{
    size_t len = strlen(name);
    size_t kept = 0;

    for (size_t i = 0; i < *count; i++)
        if (strncmp(env[i], name, len) != 0 || env[i][len] != '=')
            env[kept++] = env[i];
    env[kept] = NULL;
    *count = kept;
}

/* Sets or replaces; `env` has room. */
static void put(sb_arena *arena, char **env, size_t *count, const char *name, sb_slice value)
{
    char *entry = sb_arena_strdup(arena, sb_arena_printf(arena, "%s=%" SB_FMT, name, SB_ARG(value)));
    size_t len = strlen(name);

    for (size_t i = 0; i < *count; i++) {
        if (strncmp(env[i], name, len) == 0 && env[i][len] == '=') {
            env[i] = entry;
            return;
        }
    }
    env[(*count)++] = entry;
}

char **step_environment(sb_arena *arena, char *const *env, const step_config *config, const step_files *files,
                        unsigned port)
{
    static const step_files none = {0};
    bool served = files != NULL;
    size_t count = 0;
    char **made;

    while (env[count])
        count++;
    made = sb_arena_array(arena, char *, count + SB_COUNT(variables) + 1);
    memcpy(made, env, count * sizeof(*made));
    for (size_t i = 0; i < SB_COUNT(variables); i++) {
        const char *set = step_environment_get(env, variables[i].name);
        sb_slice value;

        if (variables[i].rule == GONE) {
            drop(made, &count, variables[i].name);
            continue;
        }
        if ((variables[i].rule == IF_SET && !set) || (variables[i].rule == KEEP && set) ||
            (!served && variables[i].rule != KEEP))
            continue;
        value = value_of(arena, variables[i].source, variables[i].text, config, served ? files : &none, port);
        if (!value.ptr)
            continue;
        if (variables[i].rule == APPEND && set && *set)
            value =
                sb_arena_printf(arena, "%s%s%" SB_FMT, set, value.ptr[0] == ':' ? "" : " ", SB_ARG(value));
        put(arena, made, &count, variables[i].name, value);
    }
    return made;
}
