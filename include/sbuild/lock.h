// SPDX-License-Identifier: Apache-2.0
/*
 * The lock: `<Dockerfile>.lock`, JSON, sorted, one entry per line. docs/lock-format.md describes it to
 * people. Entries are keyed by what is written in the Dockerfile, never by position. All slices live in the
 * lock's arena, all JSON values in its `keep`: entries borrow both, so they may be dropped, reordered and
 * copied within the lock, and an entry of another lock lives only as long as that lock. `extra` keeps members
 * that this version does not know; they are written back.
 */
#ifndef SBUILD_LOCK_H
#define SBUILD_LOCK_H

#include <sbuild/json.h>
#include <sbuild/project.h>
#include <sbuild/registry.h>
#include <sbuild/step.h>
#include <sbuild/verify.h>

enum { SB_LOCK_VERSION = 1, SB_LOCK_MAX = 64 << 20, SB_LOCK_ENTRIES_MAX = 100000 };

typedef struct sb_lock_profile { /* one set of inputs that was locked */
    sb_slice target;             /* empty: the last stage */
    sb_df_var *args;             /* sorted; only those that can reach a locked reference */
    size_t arg_count;
    sb_slice *platforms; /* sorted */
    size_t platform_count;
    json_t *extra;
} sb_lock_profile;

typedef struct sb_lock_platform {
    sb_slice platform; /* "linux/amd64" */
    sb_digest manifest;
    sb_digest config; /* index, manifest and config are in the store, so that expansion needs no network */
    json_t *extra;
} sb_lock_platform;

typedef struct sb_lock_image {
    sb_slice ref;    /* as written: "node:${V}" */
    sb_slice name;   /* normalised, with the requested tag: "docker.io/library/node:20" */
    sb_slice *where; /* sorted, of FROM COPY MOUNT SYNTAX ONBUILD */
    size_t where_count;
    sb_slice version;  /* the versioned tag; absent when none has this digest */
    sb_slice reason;   /* why there is no version; absent with one */
    sb_slice *aliases; /* other tags of the same digest that were seen, sorted */
    size_t alias_count;
    sb_digest digest; /* of the index, or of the manifest where there is no index */
    sb_slice media_type;
    sb_lock_platform *platforms; /* sorted */
    size_t platform_count;
    sb_slice user;     /* config.User of the base; absent when it is root's default */
    sb_slice *onbuild; /* triggers, in order */
    size_t onbuild_count;
    sb_slice created; /* RFC 3339; absent when not known */
    json_t *evidence; /* array; NULL without */
    json_t *extra;
} sb_lock_image;

typedef enum sb_evidence_kind {
    SB_EVIDENCE_TOFU,      /* nothing vouches: trust on first use */
    SB_EVIDENCE_CHECKSUM,  /* a hash given in the Dockerfile or a comment */
    SB_EVIDENCE_CHECKSUMS, /* a list from the network: unsigned it is a hint only */
    SB_EVIDENCE_OPENPGP,
    SB_EVIDENCE_MINISIGN,
} sb_evidence_kind;

typedef struct sb_lock_signer {
    sb_slice fingerprint; /* of the (sub)key that signed */
    sb_slice primary;
    int64_t created; /* when it signed */
    json_t *extra;
} sb_lock_signer;

typedef struct sb_lock_evidence {
    sb_evidence_kind kind;
    sb_slice checksum;      /* CHECKSUM: "sha512:…" as given; CHECKSUMS: the entry found */
    sb_slice url;           /* of the signature or the list, expanded */
    sb_slice signature_url; /* CHECKSUMS: of the list's detached signature, expanded; absent without one */
    bool has_signature, has_list;
    sb_digest signature; /* in the store */
    sb_digest list;      /* in the store */
    sb_digest *keys;     /* key files, in the store */
    size_t key_count;
    sb_slice *pins; /* the fingerprints that were demanded */
    size_t pin_count;
    unsigned threshold;
    sb_lock_signer *signers;
    size_t signer_count;
    sb_slice minisign_key; /* "RW…" */
    int64_t verified_at;   /* when it was verified; expiry is judged at this time ever after */
    json_t *extra;
} sb_lock_evidence;

typedef struct sb_lock_file {
    sb_slice url; /* as written */
    sb_slice expanded;
    sb_digest digest;      /* sha256 */
    uint64_t size;         /* bytes */
    sb_slice final_host;   /* absent when it is the URL's own */
    int64_t last_modified; /* seconds since 1970, -1 unknown */
    sb_lock_evidence *evidence;
    size_t evidence_count;
    json_t *extra;
} sb_lock_file;

typedef struct sb_lock_git {
    sb_slice url; /* as written, fragment and query included */
    sb_slice expanded;
    sb_slice remote;
    sb_slice ref; /* full name; empty for a bare commit */
    sb_slice commit;
    sb_slice tag_object; /* absent without */
    sb_slice subdir;     /* absent: the root */
    bool git_dir;
    bool submodules;
    sb_digest archive; /* in the store */
    uint64_t size;
    sb_lock_evidence *evidence;
    size_t evidence_count;
    json_t *extra;
} sb_lock_git;

/* One RUN for one platform. Keyed by stage, text, number and platform, never by position. */
typedef struct sb_lock_step {
    sb_slice stage;    /* name of its stage; empty for one without */
    sb_slice command;  /* the beginning of the text, for people */
    sb_digest text;    /* sha256 of the whole text: what is behind RUN and its flags, heredocs included */
    unsigned nth;      /* 0 for the first of several with this text in stages of this name, 1 … */
    sb_slice platform; /* "linux/amd64" */
    sb_slice network;  /* "default", "host": left unsealed by the Dockerfile, nothing recorded; else absent */
    size_t requests;   /* in the manifest */
    uint64_t size;     /* bytes of all different bodies */
    bool has_manifest; /* false: asked for nothing */
    sb_digest manifest; /* the step manifest, in the store */
    json_t *extra;
} sb_lock_step;

typedef struct sb_lock_package { /* something in an answer that has a name */
    sb_slice purl;               /* "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u14?arch=amd64" */
    sb_digest digest;            /* sha256 of the bytes */
    sb_slice integrity;          /* as a native lock file states it: "sha512-…"; absent without */
    sb_slice vouched;            /* that file: "package-lock.json"; absent without */
    sb_slice *steps;             /* ids of the steps that ask for it, sorted */
    size_t step_count;
    json_t *extra;
} sb_lock_package;

typedef struct sb_lock {
    sb_arena *arena;
    json_t *keep; /* array that owns every JSON value of the lock */
    int64_t version;
    sb_slice dockerfile; /* path as in sb_project.dockerfile_name */
    sb_digest dockerfile_digest;
    int64_t epoch; /* SOURCE_DATE_EPOCH of builds, seconds since 1970 */
    sb_lock_profile *profiles;
    size_t profile_count;
    sb_lock_image *images;
    size_t image_count;
    sb_lock_file *files;
    size_t file_count;
    sb_lock_git *git;
    size_t git_count;
    sb_lock_package *packages;
    size_t package_count;
    sb_lock_step *steps;
    size_t step_count;
    json_t *extra;
} sb_lock;

/* --- The file (lock/lockfile.c) --- */
sb_lock *sb_lock_new(void);
void sb_lock_free(sb_lock *lock);
SB_DEFINE_CLEANUP(sb_lock, sb_lock_free)
/* SB_ERR_PARSE with "NAME:LINE…"; a newer `version` is SB_ERR_USAGE naming it. Merge conflict markers get a
 * message of their own. */
int sb_lock_parse(sb_slice text, const char *name, sb_lock **ret_lock, sb_error **err);
/* Sorts and writes; the same lock always gives the same bytes. */
int sb_lock_format(sb_lock *lock, sb_buf *out, sb_error **err);
/* SB_ERR_STALE "… run sbuild lock" when there is none. */
int sb_lock_load(const sb_project *project, sb_lock **ret_lock, sb_error **err);
int sb_lock_save(const sb_project *project, sb_lock *lock, sb_error **err);

/* --- Looking up what a reference is locked to (lock/lookup.c); NULL when it is not --- */
const sb_lock_image *sb_lock_find_image(const sb_lock *lock,
                                        sb_slice expanded); /* any spelling of the reference */
const sb_lock_platform *sb_lock_image_platform(const sb_lock_image *image, sb_slice platform);
const sb_lock_file *sb_lock_find_file(const sb_lock *lock, sb_slice expanded);
const sb_lock_git *sb_lock_find_git(const sb_lock *lock, sb_slice expanded);

/* --- The RUN steps of a view (lock/run_steps.c) --- */
enum { SB_STEP_ID_LEN = 12 };
typedef struct sb_run_step { /* a RUN that a build of the view's target runs, in the order of the file */
    int stage;               /* the stage that it runs in */
    sb_slice stage_name;
    const sb_df_instruction *instruction; /* the RUN itself, of the file, an ONBUILD, or a base's trigger */
    int trigger;                          /* index of the base image's trigger, else -1 */
    sb_slice text;                        /* what sb_lock_step.text is the digest of */
    sb_digest text_digest;
    unsigned nth;
    sb_slice platform;           /* of its stage */
    sb_slice network;            /* value of --network; absent without */
    char id[SB_STEP_ID_LEN + 1]; /* lower-case hex of stage name, text, number and platform */
    sb_slice label;              /* "RUN npm ci", printable, at most 60 bytes */
    unsigned line;
} sb_run_step;
/* In `arena`. */
int sb_run_steps(const sb_df_view *view, sb_arena *arena, sb_run_step **ret_steps, size_t *ret_count,
                 sb_error **err);
/* The id that a step with these has. */
void sb_step_id(sb_slice stage, const sb_digest *text, unsigned nth, sb_slice platform,
                char ret_id[SB_STEP_ID_LEN + 1]);
/* The lock's entry of this step; NULL when it is not in it. */
const sb_lock_step *sb_lock_find_step(const sb_lock *lock, const sb_run_step *step);
/*
 * What the step may ask for, from the store: its own manifest; of a step that is not in the lock (new, or its
 * text was edited), all that entries of the same stage and platform have that no step of the Dockerfile
 * claims any more. Empty without either.
 */
int sb_lock_step_manifest(sb_project *project, const sb_lock *lock, const sb_run_step *steps, size_t count,
                          size_t index, sb_step_manifest **ret_manifest, sb_error **err);

/* What an entry asked for; empty when it asked for nothing. */
int sb_lock_read_manifest(sb_project *project, const sb_lock_step *entry, sb_step_manifest **ret_manifest,
                          sb_error **err);
/* A new entry for this step, with nothing recorded yet. */
sb_lock_step sb_lock_step_of(sb_lock *lock, const sb_run_step *step);
/*
 * Makes lock->packages anew from the manifests of all its steps; their bodies must be in store or cache. (Of
 * a manifest that is in neither, what was known stays.) What lock files of package managers in the context
 * say of them is checked: SB_ERR_VERIFY when bytes differ from it. To be called when steps have changed,
 * before the lock is saved.
 */
int sb_lock_fill_packages(sb_project *project, sb_lock *lock, sb_error **err);
/* Drops the steps of stages that the Dockerfile does not have any more, and what only they asked for. */
void sb_lock_drop_stages(sb_lock *lock, const sb_dockerfile *df);

/* --- A view with everything from the lock (lock/frozen.c): what `build`, `verify`, `rewrite` stand on --- */
typedef struct sb_frozen_options {
    const sb_df_var *build_args;
    size_t build_arg_count;
    const char *target;
    const char *platform;        /* NULL: the host's */
    const char *const *contexts; /* names of the user's own --build-context */
    size_t context_count;
    bool lenient; /* as sb_df_inputs has it */
} sb_frozen_options;
/*
 * Expands the Dockerfile with base configs from lock and store. SB_ERR_STALE when a reference is not in the
 * lock, when a build arg changes a locked reference or a platform is not locked, naming instruction, line and
 * the `sbuild lock` command that helps.
 */
int sb_frozen_view(sb_project *project, const sb_lock *lock, const sb_frozen_options *options,
                   sb_df_view **ret_view, sb_error **err);
/* SB_ERR_STALE when this is the lock of a Dockerfile with another name. sb_frozen_view() looks at it first.
 */
int sb_lock_check_owner(const sb_project *project, const sb_lock *lock, sb_error **err);
/* "linux/amd64" of the machine. */
const char *sb_host_platform(void);

/* --- sbuild lock (lock/update.c) --- */
typedef struct sb_update_options {
    const char *target;
    const sb_df_var *build_args;
    size_t build_arg_count;
    const char *const *platforms; /* NULL-terminated; NULL: those of the lock, else the host's */
    const char *const *contexts;  /* names of --build-context: what they replace is not locked */
    size_t context_count;
    bool update_all;           /* --update */
    const char *const *update; /* --update=NAME, NULL-terminated; may be NULL */
    int64_t min_age;           /* seconds; 0: the settings' */
    bool require_signatures;
    bool no_run;
    bool pull_images; /* fetch base images into the image cache as well (default of the command) */
} sb_update_options;

typedef struct sb_lock_change {
    const char *kind; /* "image", "file", "git" */
    sb_slice name;    /* as written */
    sb_slice pinned;  /* to what: "20.19.4 sha256:1234abcd5678" */
    sb_slice
        vouched;  /* who vouches: "OpenPGP 0123…CDEF", "checksum in the Dockerfile", "nobody (first use)" */
    bool changed; /* new or different in this run */
} sb_lock_change;

typedef struct sb_update_report {
    sb_arena *arena;
    sb_lock_change *changes; /* every entry, in lock order */
    size_t count;
    bool written;                 /* the lock file changed */
    const char *const *run_names; /* of --update: those that mean RUN instructions; NULL-terminated */
} sb_update_report;
void sb_update_report_free(sb_update_report *report);
SB_DEFINE_CLEANUP(sb_update_report, sb_update_report_free)
int sb_lock_update(sb_project *project, const sb_update_options *options, sb_update_report **ret_report,
                   sb_error **err);

/* --- sbuild verify (lock/check.c) --- */
typedef struct sb_lock_finding {
    sb_errc code; /* STALE, UNPINNED, DRIFT, GONE, VERIFY … */
    sb_slice message;
} sb_lock_finding;
typedef struct sb_lock_findings {
    sb_arena *arena;
    sb_lock_finding *items;
    size_t count;
    size_t checked; /* things looked at */
} sb_lock_findings;
void sb_lock_findings_free(sb_lock_findings *findings);
SB_DEFINE_CLEANUP(sb_lock_findings, sb_lock_findings_free)
/* All that is wrong, not just the first. -1 only when it could not be judged. */
int sb_lock_verify(sb_project *project, bool online, sb_lock_findings **ret_findings, sb_error **err);

/* --- sbuild diff, why, vendor (lock/diff.c, why.c, vendor.c) --- */
/* One line per change, in words; empty when nothing differs. */
int sb_lock_diff(const sb_lock *old_lock, const sb_lock *new_lock, sb_buf *out, sb_error **err);
/* Which instructions need `what` (a URL, image, digest, or part of one), and who vouches. SB_ERR_NOT_FOUND
 * when nothing does. */
int sb_lock_why(sb_project *project, const sb_lock *lock, const char *what, sb_buf *out, sb_error **err);

/* --- sbuild sbom (lock/sbom.c) --- */
typedef enum sb_sbom_format { SB_SBOM_CYCLONEDX, SB_SBOM_SPDX } sb_sbom_format;
/* A bill of materials of what is locked, as JSON; the same lock gives the same bytes. Sorts the lock. */
int sb_lock_sbom(sb_lock *lock, sb_sbom_format format, sb_buf *out, sb_error **err);

typedef struct sb_vendor_options {
    bool images;    /* base images into the repository's store as well */
    bool prune;     /* remove what no lock beneath the context, and not this one, names */
    const char *to; /* a directory; NULL: the store */
} sb_vendor_options;
typedef struct sb_vendor_report {
    size_t present, fetched, removed;
    uint64_t bytes, freed; /* of what was fetched; of what was removed */
} sb_vendor_report;
/* Makes the store hold everything the lock names: from the cache, else refetched and verified against the
 * lock. */
int sb_vendor(sb_project *project, const sb_lock *lock, const sb_vendor_options *options,
              sb_vendor_report *ret_report, sb_error **err);

typedef struct sb_vendored {
    sb_slice name; /* what the lock calls it, printable; absent for an object that this lock does not name */
    sb_digest digest;
    uint64_t size; /* bytes */
    bool present;  /* in the store */
} sb_vendored;
/* What the lock names and what the store holds, in lock order, then by digest. */
int sb_vendor_list(sb_project *project, const sb_lock *lock, sb_arena *arena, sb_vendored **ret_items,
                   size_t *ret_count, sb_error **err);
/*
 * Makes sure the image cache (an OCI layout) holds this image for the platform: from the repository's store,
 * else (unless offline) from the registry.
 */
int sb_ensure_image(sb_project *project, const sb_lock_image *image, sb_slice platform, bool offline,
                    sb_layout *layout, sb_error **err);

#endif
