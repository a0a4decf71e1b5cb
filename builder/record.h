// SPDX-License-Identifier: Apache-2.0
/*
 * The parts of builder/record*.c among themselves. Recording: which steps of which builds are stale (key,
 * memory), one real build in which these have the network behind a recording (run), and what the host takes
 * of it (take, entries). docs/sealed.md says what a step leaves.
 */
#ifndef SBUILD_BUILDER_RECORD_H
#define SBUILD_BUILDER_RECORD_H

#include <builder/engine.h>

/* --- record_files.c: the content of the context, as far as steps depend on it --- */
typedef struct sb_record_files sb_record_files;
sb_record_files *sb_record_files_new(void);
void sb_record_files_free(sb_record_files *files);
SB_DEFINE_CLEANUP(sb_record_files, sb_record_files_free)
/* A source of COPY as the Dockerfile has it. Patterns and variables count for all that they could mean. */
void sb_record_files_want(sb_record_files *files, sb_slice source);
/* Reads what is wanted; what the context ignores does not count. */
int sb_record_files_load(sb_record_files *files, const sb_project *project, sb_error **err);
/* Names, kinds and contents of all that the source could mean. It was wanted before. */
void sb_record_files_hash(const sb_record_files *files, sb_slice source, sb_hasher *hasher);

/* --- record_key.c: what a step's downloads depend on, in one digest --- */
typedef struct sb_record_input {
    const sb_lock *lock;
    const sb_df_view *view;
    const sb_df_var *build_args;
    size_t build_arg_count;
} sb_record_input;
/* Tells `files` what the step depends on. */
void sb_record_key_files(const sb_record_input *input, const sb_run_step *step, sb_record_files *files);
/*
 * Base images, build arguments, the instructions before it in its stage and in those that this one is made
 * of, files of the context and of the lock that they take, its own text.
 */
void sb_record_key(const sb_record_input *input, const sb_run_step *step, const sb_record_files *files,
                   sb_digest *ret_key);

/* --- record_memory.c: what this user has recorded, in the cache --- */
enum { SB_NONCE_LEN = 32 };
typedef struct sb_recorded {
    bool known;        /* there is a recording under this key */
    bool has_manifest; /* it asked for something */
    sb_digest manifest;
    char nonce[SB_NONCE_LEN + 1]; /* of the next recording */
} sb_recorded;
int sb_recorded_load(const sb_digest *key, sb_recorded *ret_recorded, sb_error **err);
/* `manifest` NULL: it asked for nothing. The next recording gets a new nonce. */
int sb_recorded_save(const sb_digest *key, const sb_digest *manifest, sb_error **err);
int sb_record_nonce(char ret_nonce[SB_NONCE_LEN + 1], sb_error **err);
/* The secret of this user that makes ids of cache mounts unguessable; made on first use. */
enum { SB_RECORD_SECRET = 32 };
int sb_record_secret(unsigned char ret_secret[SB_RECORD_SECRET], sb_error **err);
/* The id of a cache mount: 64 hex digits that only the owner of the secret can tell. */
sb_slice sb_record_id(sb_arena *arena, const unsigned char secret[SB_RECORD_SECRET], sb_slice text);

/* --- record_take.c: a recording that was exported. Nothing in it is trusted. --- */
typedef enum sb_note_kind {
    SB_NOTE_POST,         /* a request that changes something, or may */
    SB_NOTE_NO_STORE,     /* an answer that asks not to be kept */
    SB_NOTE_FAILED,       /* no answer came */
    SB_NOTE_UNRECORDABLE, /* something that is no HTTP */
    SB_NOTE_SCRUBBED,     /* a client without the environment */
    SB_NOTE_OTHER,
} sb_note_kind;
typedef struct sb_record_note { /* a line of report.jsonl; printable */
    sb_note_kind kind;
    sb_slice url;  /* absent without */
    sb_slice text; /* absent without */
} sb_record_note;
enum { SB_NOTES_MAX = 1000 }; /* of one step; more are counted only */

typedef struct sb_taken {
    sb_arena *arena;
    bool complete;              /* the command has ended */
    int status;                 /* its exit status */
    sb_step_manifest *manifest; /* complete with status 0: what it asked for */
    sb_record_note *notes;
    size_t note_count;
    size_t notes_left_out;
} sb_taken;
void sb_taken_free(sb_taken *taken);
SB_DEFINE_CLEANUP(sb_taken, sb_taken_free)
/*
 * Reads the recording in `dirfd`, hashes every object that its manifest names and puts it into the cache.
 * `offered` is what the step was given: what that has stays as it is, and its bytes need not be there.
 * SB_ERR_VERIFY for whatever is not as a step leaves it; `label` names the step in messages.
 */
int sb_record_take(sb_project *project, int dirfd, const char *label, const sb_step_manifest *offered,
                   sb_taken **ret_taken, sb_error **err);

/* --- record_builds.c: which builds are locked, and which steps they have --- */
typedef struct sb_recording { /* one step of the lock, whatever the builds that have it */
    sb_run_step run;          /* as in the first of them */
    bool sealed;              /* else it has no network, or keeps its own */
    bool networked;
    sb_digest *keys; /* of its inputs in each build */
    size_t key_count, key_cap;
    sb_digest key; /* of all */
    bool was_locked;
    sb_lock_step was; /* its entry before this run */
    sb_recorded memory;
    char nonce[SB_NONCE_LEN + 1];
    bool update; /* is to start with nothing locked */
    bool stale;  /* is to be recorded */
    /* What this run has taken; NULL: nothing yet. */
    sb_step_manifest *manifest;
} sb_recording;

typedef struct sb_record_build { /* one target on one platform */
    const sb_lock_profile *profile;
    const sb_df_var *args;
    size_t arg_count;
    char *target; /* NULL: the last stage */
    char *platform;
    sb_df_view *view; /* owned */
    sb_run_step *steps;
    size_t step_count;
    size_t *recordings; /* parallel to steps: index of each */
    sb_digest *keys;    /* likewise: of its inputs in this build */
    bool *done;         /* likewise: taken in this run */
} sb_record_build;

typedef struct sb_recorder {
    sb_project *project;
    const sb_record_options *options;
    sb_arena *arena;
    sb_lock *lock;
    sb_record_build *builds;
    size_t build_count, build_cap;
    sb_recording *recordings;
    size_t recording_count, recording_cap;
    unsigned char secret[SB_RECORD_SECRET];
    sb_engine *engine; /* NULL until one is needed */
    const sb_engine_ops *ops;
    sb_slice upstream_ca;
    sb_slice *nameservers;
    size_t nameserver_count;
    const char **arguments; /* for the engine: the user's and ours */
    size_t argument_count, argument_cap;
    const char **environment; /* more for the engine's, NULL-terminated; NULL: nothing */
    size_t environment_count, environment_cap;
    sb_slice secrets; /* the entry of it that is to be forgotten */
    bool credentials;
    bool changed; /* entries are, so that packages may be */
    sb_record_report *report;
} sb_recorder;

/* Views and steps of all builds of the lock, and what they depend on. */
int sb_record_builds(sb_recorder *r, sb_error **err);
void sb_record_builds_clear(sb_recorder *r);

/* --- record_stale.c: which steps are to be recorded --- */
int sb_record_find_stale(sb_recorder *r, sb_error **err);
/*
 * Builds tell here what sealed steps asked for in vain: their inputs may be the same, but what was recorded
 * does not do. The next lock records them again and starts from what it has.
 */
int sb_record_note_missed(sb_project *project, const char *const *ids, size_t count, sb_error **err);
/* These have been recorded since. */
int sb_record_forget_missed(sb_recorder *r, sb_error **err);

/* --- record_run.c: one build with its stale steps recording --- */
int sb_record_build_steps(sb_recorder *r, sb_record_build *build, sb_error **err);

/* --- record_upstream.c: how steps reach the network --- */
/* The engine, and what it is given beside the plan. */
int sb_record_connect(sb_recorder *r, sb_error **err);

/* --- record_engine.c: small builds beside the real one --- */
/* Copies the recordings of these cache mounts (parallel: `ids` of steps) to *ret_path, below the plan's
 * directory. */
int sb_record_export(const sb_plan *plan, const sb_engine_ops *ops, const sb_slice *caches,
                     const char *const *ids, size_t count, const char **ret_path, sb_error **err);
/* They have been taken: the engine need not keep them. */
void sb_record_discard(const sb_plan *plan, const sb_engine_ops *ops, const sb_slice *caches,
                       const char *const *ids, size_t count);
/*
 * Asks the engine for the name servers that a step has. What steps record into becomes every user's with
 * that: engines make caches under a umask of their own, whatever mode is asked for.
 */
int sb_record_probe(sb_recorder *r, const sb_build_options *options, sb_slice platform,
                    const sb_slice *caches, const char *const *ids, size_t count, sb_error **err);

/* --- record_entries.c: the lock's entries --- */
/*
 * Recordings have been taken: they are entered, held against the project's own lock files and kept in the
 * store. When something is wrong, nothing of any of them is.
 */
int sb_record_enter(sb_recorder *r, sb_recording *const *recordings, size_t count, sb_error **err);
/* Entries of steps that are gone are dropped, once nothing is stale any more; packages follow. */
int sb_record_finish_entries(sb_recorder *r, sb_error **err);
/* Writes the lock, if it has changed. */
int sb_record_save(sb_recorder *r, sb_error **err);

/* --- record_report.c --- */
void sb_record_add_notes(sb_recorder *r, const sb_run_step *step, const sb_taken *taken);
/* What can be told from the step's text, before it runs. */
void sb_record_add_worries(sb_recorder *r, const sb_run_step *step);
void sb_record_report_steps(sb_recorder *r);

#endif
