// SPDX-License-Identifier: Apache-2.0
#include <cli/plugin.h>

#include <string.h>

#include <sbuild/json.h>

#define QUESTION "docker-cli-plugin-metadata"
#define TLS_REASON "set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH instead"

typedef struct docker_options {
    const char *config, *context, *host, *log_level;
    bool debug;
} docker_options;

/* The global options of the Docker CLI. */
static const cli_option options[] = {
    {"config", 0, CLI_STRING(docker_options, config), "DIR", "client configuration"},
    {"context", 'c', CLI_STRING(docker_options, context), "NAME", "context"},
    {"host", 'H', CLI_STRING(docker_options, host), "SOCKET", "daemon"},
    {"log-level", 'l', CLI_STRING(docker_options, log_level), "LEVEL", "verbosity"},
    {"debug", 'D', CLI_FLAG(docker_options, debug), NULL, "debug mode"},
    {"tls", 0, CLI_REFUSED, NULL, TLS_REASON},
    {"tlsverify", 0, CLI_REFUSED, NULL, TLS_REASON},
    {"tlscacert", 0, CLI_REFUSED, NULL, TLS_REASON},
    {"tlscert", 0, CLI_REFUSED, NULL, TLS_REASON},
    {"tlskey", 0, CLI_REFUSED, NULL, TLS_REASON},
    CLI_OPTIONS_END,
};

bool cli_plugin_called(const char *program, char *const *arguments, size_t count)
{
    const char *slash = strrchr(program, '/');

    return strcmp(slash ? slash + 1 : program, "docker-sbuild") == 0 ||
           (count > 0 && strcmp(arguments[0], QUESTION) == 0);
}

static int answer(sb_error **err)
{
    sb_autojson *about = json_object();
    sb_autobuf text = SB_BUF_INIT(4096);

    sb_json_set_strz(about, "SchemaVersion", "0.1.0");
    sb_json_set_strz(about, "Vendor", "sbuild");
    sb_json_set_strz(about, "Version", SBUILD_VERSION);
    sb_json_set_strz(about, "ShortDescription", "docker build with a lockfile");
    if (sb_json_write(about, &text, err) < 0)
        return -1;
    printf("%.*s\n", (int)text.len, text.data);
    return 0;
}

static void set_env(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
}

int cli_plugin_start(char ***arguments, size_t *count, bool *ret_answered, sb_error **err)
{
    docker_options docker = {0};
    const cli_option_set set = {options, &docker};
    cli_autolist words = {0};

    if (cli_parse(&set, 1, *arguments, *count, CLI_STOP_AT_OPERAND, &words, err) < 0)
        return -1;
    if (words.count > 0 && strcmp(words.items[0], QUESTION) == 0) {
        *ret_answered = true;
        return answer(err);
    }
    set_env("DOCKER_CONFIG", docker.config);
    set_env("DOCKER_CONTEXT", docker.context);
    set_env("DOCKER_HOST", docker.host);
    /* "docker help sbuild" asks with "help sbuild". */
    if (words.count == 2 && strcmp(words.items[0], "help") == 0 && strcmp(words.items[1], "sbuild") == 0)
        *count -= 1;
    if (words.count > 0 && strcmp(words.items[0], "sbuild") == 0) {
        *arguments += *count - words.count + 1;
        *count = words.count - 1;
    }
    *ret_answered = false;
    return 0;
}
