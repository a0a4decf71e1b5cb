// SPDX-License-Identifier: Apache-2.0
/*
 * The program inside a RUN: what its parts promise each other. The main part (main, environment, processes,
 * DNS) and the server (HTTP, TLS, replay, record) meet here and nowhere else.
 *
 * Order: step_config_load, step_ca_new (the main part writes the trust files from it), step_server_new (the
 * ports are bound and known), fork of the command, step_server_run (threads start), …, the command ends,
 * step_server_finish.
 */
#ifndef SBUILD_STEP_PROGRAM_H
#define SBUILD_STEP_PROGRAM_H

#include <sbuild/arena.h>
#include <sbuild/error.h>
#include <sbuild/step.h>

/* --- builder/step/config.c: step.json ---------------------------------------------------------------- */

typedef enum step_mode {
    STEP_REPLAY,
    STEP_RECORD,
    STEP_OPEN, /* no server: the network, or none, as it is */
} step_mode;

typedef struct step_credential { /* recording only */
    sb_slice host;               /* "host" or "host:port", lower case; sent over https alone */
    sb_slice authorization;      /* the value of the Authorization header */
} step_credential;

typedef struct step_config {
    sb_arena *arena;     /* all slices live here */
    const char *dir;     /* SB_STEP_DIR, but for tests: manifest, objects/, upstream-ca.pem */
    const char *rec_dir; /* SB_STEP_REC_DIR; used when recording alone */
    sb_slice id;         /* 12 hex digits */
    sb_slice label;      /* "RUN npm ci" */
    step_mode mode;
    int64_t epoch; /* seconds since 1970: the Date of replayed answers */
    bool tolerate_expiry;
    /* Recording alone: */
    sb_slice *nameservers; /* addresses; with none, the system's own resolver is asked */
    size_t nameserver_count;
    sb_slice http_proxy; /* URL of the proxy for http and https, user:password in it; absent without */
    sb_slice https_proxy;
    sb_slice no_proxy; /* as in the variable of this name */
    step_credential *credentials;
    size_t credential_count;
} step_config;

int step_config_load(const char *dir, step_config **ret_config, sb_error **err);
void step_config_free(step_config *config);
SB_DEFINE_CLEANUP(step_config, step_config_free)

/* --- builder/step/ca.c: the certificate authority of this step, in memory ------------------------------- */

typedef struct step_ca step_ca;

int step_ca_new(step_ca **ret_ca, sb_error **err);
void step_ca_free(step_ca *ca);
SB_DEFINE_CLEANUP(step_ca, step_ca_free)
/* The authority's certificate, PEM with a newline at its end. */
sb_slice step_ca_pem(const step_ca *ca);
/* The same for OpenSSL; borrowed. */
struct x509_st *step_ca_certificate(const step_ca *ca);

/* --- builder/step/server.c: the loopback server --------------------------------------------------------- */

typedef struct step_server step_server;

/*
 * Loads the manifest and listens on a free port of 127.0.0.1 (and the same of ::1, where there is one).
 * Starts no thread. `config` and `ca` must outlive it. Descriptors are O_CLOEXEC.
 */
int step_server_new(const step_config *config, step_ca *ca, step_server **ret_server, sb_error **err);
/* Starts to answer: in the process that waits for the command, after the fork. */
int step_server_run(step_server *server, sb_error **err);
unsigned step_server_port(const step_server *server);
/*
 * Answers on ports 80 and 443 of this loopback address ("127.0.0.53") too, for clients that ignore proxies. A
 * port that somebody else has is left to them. Any thread may call it; the second call with an address does
 * nothing.
 */
int step_server_listen_transparent(step_server *server, const char *address, sb_error **err);
/*
 * For the recording's report.jsonl; any thread. `kind` is of docs/sealed.md, `url` may be absent. Does
 * nothing in replay.
 */
void step_server_report(step_server *server, const char *kind, sb_slice url, sb_slice text);
/*
 * The command has ended: no new connections, transfers that are recorded come to their end (a minute at the
 * most), then manifest and report.jsonl are written ("done" is the main part's). How many different requests
 * were not in the lock: GET and HEAD, which fail the step, and others, which do so only if the command
 * failed.
 */
int step_server_finish(step_server *server, unsigned *ret_fatal, unsigned *ret_other, sb_error **err);
/* After step_server_finish, or if step_server_run was never called. */
void step_server_free(step_server *server);
SB_DEFINE_CLEANUP(step_server, step_server_free)

#endif
