// SPDX-License-Identifier: Apache-2.0
/*
 * Finds secrets in bytes: tokens and keys by their own form, and assignments whose value looks like one. The
 * rules are data (TOML files in rules/secrets), built into the program; more can be loaded. A rule runs only
 * where one of its keywords stands (Aho-Corasick over the bytes), its expression only over a window around it
 * (PCRE2, with limits), and what it matches must get by entropy, allow lists, stop words and the checks that
 * the format has (checksums, structure). Nothing is ever asked of a network.
 */
#ifndef SBUILD_SECRETS_H
#define SBUILD_SECRETS_H

#include <sbuild/arena.h>
#include <sbuild/buf.h>
#include <sbuild/error.h>
#include <sbuild/slice.h>

typedef struct sb_secret_rules sb_secret_rules; /* immutable: any number of threads */
/* The built-in ones, and those in `extra` (TOML, NULL-terminated paths; may be NULL). SB_ERR_PARSE
 * "FILE:LINE: …". */
int sb_secret_rules_new(const char *const *extra, sb_secret_rules **ret_rules, sb_error **err);
/* One file's text by itself, for tests. */
int sb_secret_rules_parse(sb_slice toml, const char *name, sb_secret_rules **ret_rules, sb_error **err);
void sb_secret_rules_free(sb_secret_rules *rules);
SB_DEFINE_CLEANUP(sb_secret_rules, sb_secret_rules_free)
size_t sb_secret_rules_count(const sb_secret_rules *rules);

typedef struct sb_secret_match {
    const char *id;    /* "github-token" */
    const char *title; /* "GitHub personal access token" */
    bool generic;      /* an assignment that looks like one: likely, not certain */
    uint64_t offset;   /* of the secret in the stream, and the bytes that it takes there */
    size_t len;
    uint64_t line;      /* from 1 */
    sb_slice secret;    /* raw; lives until the callback returns. Never to be shown, stored or logged */
    size_t prefix_len;  /* bytes of the secret that are the format's own, "ghp_", and no secret */
    sb_slice context;   /* the line that it stands in, or a part of it; raw, likewise */
    size_t context_at;  /* of the secret in it */
    size_t context_len; /* bytes that it takes there: more than secret.len when it is written in Base64 */
} sb_secret_match;
/* Returns false to stop. */
typedef bool (*sb_secret_found)(void *ctx, const sb_secret_match *match);

/* One per thread. */
typedef struct sb_secret_scanner sb_secret_scanner;
sb_secret_scanner *sb_secret_scanner_new(const sb_secret_rules *rules);
void sb_secret_scanner_free(sb_secret_scanner *scanner);
SB_DEFINE_CLEANUP(sb_secret_scanner, sb_secret_scanner_free)
/*
 * A stream of bytes (a file) in pieces of any size: a match may span two. `path` (may be absent) decides
 * which rules do not apply (test data, documentation, lock files …), and which do that are about certain
 * files
 * (.netrc, .env …; "config.Env[0]" and "history[0]" are an image's).
 */
void sb_secret_scan_begin(sb_secret_scanner *scanner, sb_slice path, sb_secret_found found, void *ctx);
void sb_secret_scan_add(sb_secret_scanner *scanner, const void *data, size_t len);
void sb_secret_scan_end(sb_secret_scanner *scanner);

/* "ghp_…(40)": the public prefix of the format, never more than 4 bytes of the secret itself, and its length.
 */
void sb_secret_redact(const sb_secret_match *match, sb_buf *out);
/* A line with the secret in it replaced by what sb_secret_redact says; printable. */
void sb_secret_redact_line(const sb_secret_match *match, sb_buf *out);

enum { SB_SECRET_HASH = 32 };
/* Tells secrets apart without keeping them. It can be guessed from: it stays in memory. */
void sb_secret_hash(const sb_secret_match *match, unsigned char ret_hash[SB_SECRET_HASH]);
/* Some milliseconds (PBKDF2), so that the secret cannot be guessed from it at a useful speed; once per
 * secret. */
void sb_secret_key(const char *id, const unsigned char hash[SB_SECRET_HASH],
                   unsigned char ret_key[SB_SECRET_HASH]);
/* 32 hex digits that identify rule, secret, and place. */
sb_slice sb_secret_fingerprint(sb_arena *arena, const unsigned char key[SB_SECRET_HASH], sb_slice place);

#endif
