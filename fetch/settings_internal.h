// SPDX-License-Identifier: Apache-2.0
/* How settings are put together from several files: whoever comes first counts. */
#ifndef SBUILD_FETCH_SETTINGS_INTERNAL_H
#define SBUILD_FETCH_SETTINGS_INTERNAL_H

#include <sbuild/http.h>
#include <sbuild/json.h>
#include <sbuild/settings.h>

enum { SB_SETTINGS_FILE_MAX = 1 << 20, SB_SETTINGS_ENTRIES_MAX = 4096 };

typedef struct sb_settings_builder {
    sb_settings *settings;
    size_t registry_cap, allow_cap, recording_cap, trust_cap, volatile_cap;
    const char *user_file; /* for messages */
} sb_settings_builder;

/* One of our own files in work. */
typedef struct sb_settings_reader {
    sb_settings_builder *builder;
    const char *name;
    bool own; /* the user's, otherwise the repository's */
    sb_error **err;
} sb_settings_reader;
/* SB_ERR_USAGE 'FILE: "key" why'. */
int sb_settings_fail_key(const sb_settings_reader *r, const char *key, const char *why);
/* Refuses members that are not in the NULL-terminated list. */
int sb_settings_check_keys(const sb_settings_reader *r, json_t *object, const char *const *known);
int sb_settings_read_string(const sb_settings_reader *r, json_t *object, const char *key,
                            sb_slice *ret_value);
int sb_settings_read_bool(const sb_settings_reader *r, json_t *object, const char *key, bool *ret_value);

/* settings_rules.c: the members "lint" and "scan". */
int sb_settings_read_rules(const sb_settings_reader *r, json_t *root);

/*
 * The entry of that prefix, made if missing. What is set already stays: files are read in the order of their
 * weight. NULL when there are too many.
 */
sb_registry_settings *sb_settings_entry(sb_settings_builder *builder, sb_slice prefix, sb_error **err);
void sb_settings_set(sb_settings_builder *builder, sb_slice *member, sb_slice value);
void sb_settings_set_mirrors(sb_settings_builder *builder, sb_registry_settings *entry,
                             const sb_mirror *mirrors, size_t count);

/* One of our own files; `own` for the user's, otherwise the repository's. */
int sb_settings_add_json(sb_settings_builder *builder, sb_slice text, const char *name, bool own,
                         sb_error **err);
/* Docker's daemon.json. */
int sb_settings_add_daemon(sb_settings_builder *builder, sb_slice text, const char *name, sb_error **err);
/* containers' registries.conf, version 2. */
int sb_settings_add_containers(sb_settings_builder *builder, sb_slice text, const char *name, sb_error **err);
/* A certs.d directory: HOST/{*.crt,*.cert,*.key}. */
int sb_settings_add_certificates(sb_settings_builder *builder, const char *path, sb_error **err);
/* All files of Docker's and containers' that exist and are readable. */
int sb_settings_add_system(sb_settings_builder *builder, sb_error **err);

sb_settings *sb_settings_new(void);
/* TLS for a host: of the entry that names just it. */
sb_http_tls sb_settings_tls(const sb_settings *settings, sb_slice host);
/* Did somebody who may say so declare that the host does without (valid) TLS? */
bool sb_settings_insecure(const sb_settings *settings, sb_slice host);

#endif
