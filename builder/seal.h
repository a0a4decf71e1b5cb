// SPDX-License-Identifier: Apache-2.0
/*
 * Sealing: every RUN of a plan gets no network but a loopback server that answers from its step manifest
 * (docs/sealed.md). Recording is the same with the network behind a miss.
 */
#ifndef SBUILD_BUILDER_SEAL_H
#define SBUILD_BUILDER_SEAL_H

#include <sbuild/lock.h>

typedef struct sb_plan sb_plan;

/* The named context that holds the program and a directory for each step. */
#define SB_SEAL_CONTEXT "sbuild-steps"
/* The environment secret with the credentials that a recording may use, and the variable that it becomes. */
#define SB_SEAL_SECRET "sbuild-credentials"
#define SB_SEAL_SECRET_VARIABLE "SBUILD_STEP_CREDENTIALS"

typedef enum sb_step_mode {
    SB_STEP_REPLAY,
    SB_STEP_RECORD,
    SB_STEP_OPEN, /* left as the Dockerfile or the user has it: with a network, or with none at all */
} sb_step_mode;

typedef struct sb_plan_step {
    sb_run_step run;
    sb_step_mode mode;
    bool networked;             /* OPEN with a network: what it downloads is in no lock */
    sb_step_manifest *manifest; /* what it may ask for; owned */
    sb_slice directory;         /* its directory in the context, once pinned: "3f2a9c1b77de-0123456789ab" */
    sb_slice settings_text, manifest_text; /* its step.json and manifest, once pinned */
    sb_slice cache;                        /* RECORD: id of the cache mount that the recording goes to */
} sb_plan_step;

/* What recording adds to a plan. Everything is borrowed for as long as the plan lives. */
typedef struct sb_seal_record {
    /* The unguessable id of the step's cache mount, in `arena`; an absent slice leaves the step in replay. */
    sb_slice (*cache_id)(void *ctx, const sb_run_step *step, sb_arena *arena);
    /* Starts with nothing locked? */
    bool (*starts_empty)(void *ctx, const sb_run_step *step);
    void *ctx;
    sb_slice cold;               /* goes into the ids of the user's cache mounts, so that they are empty */
    sb_slice upstream_ca;        /* PEM: who vouches for upstream servers */
    const sb_slice *nameservers; /* that the engine's /etc/resolv.conf has */
    size_t nameserver_count;
    const char *const *environment; /* more for the engine's: "NAME=value", NULL-terminated; may be NULL */
    bool credentials;               /* there is a secret SB_SEAL_SECRET */
} sb_seal_record;

/* builder/seal.c: fills plan->steps from the plan's view. SB_ERR_USAGE for an --allow-network that means no
 * step, or several. */
int sb_seal_steps(sb_plan *plan, sb_error **err);
/* Sets what the files of its directory say, in `arena`. *ret_digest, of all that it is told, is equal for
 * steps that may do the same. */
int sb_seal_tell(const sb_plan *plan, sb_plan_step *step, sb_arena *arena, sb_digest *ret_digest,
                 sb_error **err);
/* What the ids of the user's cache mounts begin with: "sbuild-0123456789ab". */
int sb_seal_cache_scope(const sb_plan *plan, sb_arena *arena, sb_slice *ret_scope, sb_error **err);
/* "amd64" of "linux/amd64", "arm-v7" of "linux/arm/v7". */
sb_slice sb_seal_architecture(sb_arena *arena, sb_slice platform);
/* A build failed: when that is for something that is not in the lock, *err says so instead. Always -1. */
int sb_seal_failed(const sb_plan *plan, sb_error **err);
/* Warns of each step that keeps a network. */
void sb_seal_warn(const sb_plan *plan);
void sb_seal_clear(sb_plan *plan);
/* The one step that `text` means: a line number, an id, or a part of the instruction's text. SB_ERR_USAGE. */
int sb_seal_find(const char *option, const char *text, const sb_run_step *steps, size_t count, size_t stride,
                 size_t *ret_index, sb_error **err);

#endif
