// SPDX-License-Identifier: Apache-2.0
/*
 * Settings: what the user and the repository say about registries, hosts and trust.
 *
 * The user's file is $XDG_CONFIG_HOME/sbuild/config.json; the repository's is `sbuild.json` in the context.
 * The repository can add policy and tighten; keys of it that would loosen TLS, reach loopback or link-local
 * addresses or send credentials somewhere are refused with SB_ERR_USAGE, naming the user's file. Docker's and
 * containers' own files (daemon.json mirrors, certs.d, registries.conf) are read where they exist and are
 * readable.
 */
#ifndef SBUILD_SETTINGS_H
#define SBUILD_SETTINGS_H

#include <sbuild/arena.h>
#include <sbuild/error.h>
#include <sbuild/slice.h>

typedef struct sb_mirror {
    sb_slice location; /* "host[:port][/prefix]" */
    bool resolve;      /* trusted to resolve tags; otherwise digests only */
    bool insecure;     /* plain http or unverified TLS: the user's own configuration only */
} sb_mirror;

typedef struct sb_registry_settings {
    sb_slice prefix;   /* "docker.io", "docker.io/library", "*.example.org": the longest match counts */
    sb_slice location; /* absent: the prefix itself */
    bool insecure;
    bool blocked;
    sb_slice ca_file; /* absent: the system's */
    sb_slice client_cert;
    sb_slice client_key;
    sb_mirror *mirrors;
    size_t mirror_count;
} sb_registry_settings;

/* What vouches for URLs below a prefix (design: the same words as in `# sbuild: verify`). */
typedef struct sb_trust_rule {
    sb_slice url_prefix;
    sb_slice options; /* "signature={url}.asc key=keys/x.asc fingerprint=…", parsed by lock/ */
} sb_trust_rule;

typedef struct sb_volatile_setting { /* a rule of volatile files (builder.h) that the repository switches */
    sb_slice name;
    bool drop; /* else: keep */
} sb_volatile_setting;

typedef struct sb_rule_choice { /* "SB301": "off" */
    sb_slice rule;
    sb_slice severity; /* "off", "info", "warning", "error" */
} sb_rule_choice;

typedef struct sb_rule_exception { /* findings that do not count */
    sb_slice rule;                 /* absent: all rules */
    sb_slice path;                 /* a pattern, in which * also matches "/"; absent: all files */
    sb_slice reason;               /* absent without one */
} sb_rule_exception;

typedef struct sb_rules_settings { /* "lint" and "scan": what rules/ makes of it is its own affair */
    sb_rule_choice *rules;         /* the user's first: of two for one rule the later one counts */
    size_t rule_count;
    sb_slice fail_on; /* a severity, or "never"; absent: the command's default */
    bool require_reason;
    sb_slice accepted; /* the repository's alone: lint's "baseline", scan's "ignore-file"; relative to the
                          context */
    sb_rule_exception *exceptions; /* lint's "ignore", the repository's alone */
    size_t exception_count;
    sb_slice *secret_rules; /* scan's "secret-rules": files, the repository's relative to the context */
    size_t secret_rule_count;
} sb_rules_settings;

typedef struct sb_settings {
    sb_arena *arena;
    sb_registry_settings *registries;
    size_t registry_count;
    sb_slice *allow_hosts; /* loopback or link-local hosts that files and git may reach: user's file only */
    size_t allow_host_count;
    sb_slice
        *recording_credentials; /* hosts that get this user's login while RUN is recorded: user's file only */
    size_t recording_credential_count;
    sb_trust_rule *trust;
    size_t trust_count;
    sb_volatile_setting *volatile_rules; /* the repository's alone: everybody gets the same image */
    size_t volatile_count;
    bool require_signatures;
    int64_t min_age;   /* seconds an image tag or file must have existed for; 0: none */
    unsigned parallel; /* transfers at once, default 4 */
    sb_rules_settings lint, scan;
} sb_settings;

/* `context` may be NULL (no repository file). */
int sb_settings_load(const char *context, sb_settings **ret_settings, sb_error **err);
/* The same without the files of Docker and containers: for what does not go to the network. */
int sb_settings_load_own(const char *context, sb_settings **ret_settings, sb_error **err);
void sb_settings_free(sb_settings *settings);
SB_DEFINE_CLEANUP(sb_settings, sb_settings_free)

/* The entry with the longest matching prefix for "registry/repository", or NULL. */
const sb_registry_settings *sb_settings_registry(const sb_settings *settings, sb_slice name);
bool sb_settings_host_allowed(const sb_settings *settings, sb_slice host);

#endif
