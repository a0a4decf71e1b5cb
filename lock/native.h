// SPDX-License-Identifier: Apache-2.0
/*
 * The lock files of package managers ("native" ones) that lie in the context: what they say the hash of a
 * package is, the project trusts already, so what a step downloaded is held against it. Read with tolerance:
 * what cannot be read says nothing.
 */
#ifndef SBUILD_LOCK_NATIVE_H
#define SBUILD_LOCK_NATIVE_H

#include <lock/native_hash.h>
#include <lock/packages.h>
#include <sbuild/lock.h>

enum {
    SB_NATIVE_FILES_MAX = 200,       /* lock files of a context */
    SB_NATIVE_FILE_MAX = 32 << 20,   /* bytes of one; larger ones are not read */
    SB_NATIVE_ENTRIES_MAX = 1000000, /* hashes of all */
    SB_NATIVE_DEPTH_MAX = 8,         /* directories */
    SB_NATIVE_DIRENTS_MAX = 100000,  /* names looked at */
};

typedef struct sb_native_entry { /* one hash of one file of one version */
    const char *type;            /* of the purl: "npm" */
    sb_slice name;               /* "@babel/core"; of pypi normalised, of golang in lower case */
    sb_slice version;
    sb_slice variant; /* of gem the platform, of golang "go.mod", of pypi the file's name; empty: any */
    sb_native_hash hash;
    sb_slice text; /* as it is stated */
    sb_slice file; /* where: "package-lock.json" */
} sb_native_entry;

typedef struct sb_native {
    sb_arena *arena;
    sb_progress *progress;
    sb_native_entry *entries; /* sorted by type, name and version */
    size_t count, cap;
    size_t files; /* that were read */
} sb_native;

/* native.c */
/* With nothing in it; `progress` may be NULL. */
sb_native *sb_native_new(sb_progress *progress);
/* Those beneath the context. */
int sb_native_load(sb_project *project, sb_native **ret_native, sb_error **err);
void sb_native_free(sb_native *native);
SB_DEFINE_CLEANUP(sb_native, sb_native_free)
/* The content of one file, whose base name tells its kind; for tests as well. False: no kind that is known.
 */
bool sb_native_read(sb_native *native, sb_slice path, sb_slice text);
/* To be called when all is read. */
void sb_native_sort(sb_native *native);
/*
 * Holds a body against what is stated for its name. *ret_entry is what agrees, or NULL when nothing is
 * stated. SB_ERR_VERIFY when all that is stated differs. The descriptor is read from its start.
 */
int sb_native_check(const sb_native *native, const sb_named *named, int fd, const sb_native_entry **ret_entry,
                    sb_error **err);
/* Does it state anything for this name? */
bool sb_native_knows(const sb_native *native, const sb_named *named);
/* The entry that states this hash in the same words; NULL without one. */
const sb_native_entry *sb_native_find_text(const sb_native *native, const sb_named *named, sb_slice text);

/* --- Readers: native_json.c, native_toml.c, native_lines.c, native_yaml.c --- */
typedef struct sb_native_reader {
    sb_native *native;
    sb_slice file; /* its path, for entries */
    const char *type;
} sb_native_reader;
typedef void (*sb_native_read_fn)(sb_native_reader *r, sb_slice text);
void sb_native_read_npm(sb_native_reader *r, sb_slice text);
void sb_native_read_pipfile(sb_native_reader *r, sb_slice text);
void sb_native_read_cargo(sb_native_reader *r, sb_slice text);
void sb_native_read_python(sb_native_reader *r, sb_slice text); /* poetry.lock, uv.lock, pdm.lock */
void sb_native_read_yarn(sb_native_reader *r, sb_slice text);
void sb_native_read_pnpm(sb_native_reader *r, sb_slice text);
void sb_native_read_requirements(sb_native_reader *r, sb_slice text);
void sb_native_read_gosum(sb_native_reader *r, sb_slice text);
void sb_native_read_gemfile(sb_native_reader *r, sb_slice text);

/* The file as its parser gives it; a warning and NULL when it cannot be read. */
json_t *sb_native_document(const sb_native_reader *r, sb_slice text,
                           int (*parse)(sb_slice text, const char *name, json_t **ret_json, sb_error **err));
/* Adds one; name, version, variant and text are copied. Nothing happens when a part of it is empty. */
void sb_native_add(sb_native_reader *r, sb_slice name, sb_slice version, sb_slice variant,
                   const sb_native_hash *hash, sb_slice text);
/* Subresource integrity: "sha512-BASE64 sha1-BASE64". */
void sb_native_add_sri(sb_native_reader *r, sb_slice name, sb_slice version, sb_slice integrity);
/* "sha256:HEX" or "sha256=HEX" */
void sb_native_add_hex(sb_native_reader *r, sb_slice name, sb_slice version, sb_slice variant, sb_slice text);

#endif
