// SPDX-License-Identifier: Apache-2.0
/* What surrounds the server in a step: the user's command, and what is prepared for it. */
#ifndef SBUILD_STEP_RUN_H
#define SBUILD_STEP_RUN_H

#include <builder/step/step.h>

#include <signal.h>
#include <sys/types.h>

/*
 * The user's command (builder/step/child.c). From step_signals_hold() on no signal interrupts this process
 * or a thread that it starts; step_child_start() gives the command the mask and dispositions that were
 * before; step_child_wait() hands on what arrives, reaps what is left behind, and returns when the
 * command has ended.
 */
typedef struct step_child {
    sigset_t mask;            /* as it was */
    struct sigaction sigchld; /* as it was */
    pid_t pid;
} step_child;

void step_signals_hold(step_child *child);
/* `argv` and `env` end with NULL. A command that cannot be run is told on standard error by the child, which
 * ends as a shell would: 127 for none of this name, else 126. */
int step_child_start(step_child *child, char *const *argv, char *const *env, sb_error **err);
/* Its exit status, or 128 and the number of the signal that ended it. */
int step_child_wait(const step_child *child);

/* builder/step/run.c: the life of a step, from SB_STEP_DIR on. Its exit status; -1: it was refused, or could
 * not be brought to its end. */
int step_run(char *const *argv, sb_error **err);

/* builder/step/outside.c: proxies and credentials for upstream, from the environment; for a recording. */
#define STEP_CREDENTIALS "SBUILD_STEP_CREDENTIALS"
int step_config_outside(step_config *config, char *const *env, sb_error **err);

/* --- builder/step/network.c ------------------------------------------------------------------------------
 */

/* SB_ERR_ENGINE when an interface other than loopback is up and has an address. */
int step_network_sealed(sb_error **err);
/* What is to be known of a step before one is made, as JSON: name servers, interfaces, user, kernel. */
int step_probe(sb_buf *out, sb_error **err);

/* builder/step/export.c: copies the finished ones of the recordings in the directories `from` to TO/NAME, by
 * the last part of their names. */
int step_export(char *const *from, size_t count, const char *to, sb_error **err);
/* The recordings are on the host now: what is in their directories goes, as far as it can. */
void step_forget(char *const *directories, size_t count);

/* builder/step/dnf.c: the line in dnf.conf that has dnf trust the step's server, for the time of the command.
 * *ret_dnf is NULL where there is no such file, or it is not ours to write. */
#define STEP_DNF_CONF "/etc/dnf/dnf.conf"
typedef struct step_dnf step_dnf;
int step_dnf_trust(const char *path, const char *trust, step_dnf **ret_dnf, sb_error **err);
/* Takes the line away again; a file that was left alone is what it was. */
int step_dnf_restore(const step_dnf *dnf, sb_error **err);
void step_dnf_free(step_dnf *dnf);
SB_DEFINE_CLEANUP(step_dnf, step_dnf_free)

/* --- builder/step/files.c: what clients read, in one directory below SB_STEP_TMP_DIR ------------------ */

typedef struct step_files {
    char *dir;       /* absolute; removed, with what is in it, by step_files_free */
    char *ca;        /* PEM: the step's authority alone */
    char *trust;     /* PEM: that, and what the image trusts */
    char *trust_p12; /* the step's authority as Java wants it */
    char *wgetrc, *wget2rc;
    char *php_dir; /* of settings */
    char *apt_conf;
    char *apt_proxy; /* link to this program, by the name under which it tells apt its proxy */
    /* On replay, as apt's program for signatures wants it; else NULL: */
    char *gpgv;       /* link to this program, by the name under which it stands before the real gpgv */
    char *sqv_policy; /* view of algorithms as of the lock */
} step_files;

/* `tmp` is SB_STEP_TMP_DIR but for tests, `env` the environment of the user's command. Any user can read what
 * is made. */
int step_files_new(const char *tmp, const step_config *config, const step_ca *ca, unsigned port,
                   char *const *env, step_files **ret_files, sb_error **err);
void step_files_free(step_files *files);
SB_DEFINE_CLEANUP(step_files, step_files_free)

/* builder/step/java.c: the authority in the one form of PKCS#12 that every Java since 8 takes for trusted. */
int step_java_trust(const step_ca *ca, sb_buf *out, sb_error **err);
/* builder/step/apt.c: apt's configuration; `chosen` is the user's own, or NULL. */
void step_apt_conf(const step_files *files, const step_config *config, unsigned port, const char *chosen,
                   sb_buf *out);
/* This program, asked by apt for the proxy of a host. Returns its exit status. */
#define STEP_APT_PROXY "apt-proxy"
int step_apt_proxy(void);
/* Does apt verify by sqv, which goes by the time of the signature, but by today's view of algorithms? */
bool step_apt_has_sqv(void);
/* sqv's view of algorithms (a policy file) as it was at `epoch`: what was not out of date then never is. */
void step_apt_policy(sb_slice policy, int64_t epoch, sb_buf *out);
/* builder/step/gpgv.c: this program, called as gpgv by apt. `argv` is its own. Returns its exit status. */
#define STEP_GPGV "gpgv"
int step_gpgv(char **argv);

/* --- builder/step/environment.c: the one table of variables ----------------------------------------------
 */

#define STEP_JAVA_PASSWORD "changeit" /* Java's own default; there is no secret in a trust store */

/* The environment of the command: `env` with what the table sets; without files, what concerns no server. In
 * `arena`, NULL-terminated. */
char **step_environment(sb_arena *arena, char *const *env, const step_config *config, const step_files *files,
                        unsigned port);
/* The value of a variable in `env`; NULL without. */
const char *step_environment_get(char *const *env, const char *name);

#endif
