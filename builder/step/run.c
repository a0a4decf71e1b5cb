// SPDX-License-Identifier: Apache-2.0
/* The life of a step, from step.json to its exit status. */
#include <builder/step/dns.h>
#include <builder/step/run.h>

#include <sbuild/fs.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { DNS_PORT = 53 };

/* Where outside names lead: loopback, but nobody's own address. */
#define OUTSIDE "127.83.66.1"

/* Everything that lives as long as the command does, in the order in which it is made. */
typedef struct step_life {
    step_config *config;
    step_ca *ca;
    step_server *server;
    step_dns *dns; /* NULL: not allowed here */
    step_files *files;
    step_dnf *dnf;   /* NULL: nothing to take back */
    sb_arena *arena; /* of the environment */
} step_life;

static void step_life_free(step_life *step)
{
    if (step->dnf)
        step_dnf_free(step->dnf);
    if (step->files)
        step_files_free(step->files);
    if (step->dns)
        step_dns_free(step->dns);
    if (step->server)
        step_server_free(step->server);
    if (step->ca)
        step_ca_free(step->ca);
    if (step->config)
        step_config_free(step->config);
    if (step->arena)
        sb_arena_free(step->arena);
    free(step);
}
SB_DEFINE_CLEANUP(step_life, step_life_free)

/* Only when somebody asks for an outside name: a step that has a server of its own keeps the ports. A failure
 * is what the client sees as a refused connection. */
static void open_outside(void *ctx)
{
    step_server_listen_transparent(ctx, OUTSIDE, NULL);
}

static int prepare(step_life *step, sb_error **err)
{
    if ((step->config->mode == STEP_REPLAY && step_network_sealed(err) < 0) ||
        (step->config->mode == STEP_RECORD && step_config_outside(step->config, environ, err) < 0) ||
        step_ca_new(&step->ca, err) < 0 || step_server_new(step->config, step->ca, &step->server, err) < 0 ||
        step_dns_new(OUTSIDE, DNS_PORT, open_outside, step->server, &step->dns, err) < 0)
        return -1;
    if (step_files_new(SB_STEP_TMP_DIR, step->config, step->ca, step_server_port(step->server), environ,
                       &step->files, err) < 0)
        return -1;
    return step_dnf_trust(STEP_DNF_CONF, step->files->trust, &step->dnf, err);
}

static int start(step_life *step, step_child *child, char *const *argv, sb_error **err)
{
    char **env =
        step_environment(step->arena, environ, step->config, step->files, step_server_port(step->server));

    /* What upstream wants to know of us is not for the command to read. */
    if (step->config->mode == STEP_RECORD)
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    step_signals_hold(child);
    /* The fork comes before any thread; until they run, clients wait in the queue of the socket. */
    if (step_child_start(child, argv, env, err) < 0 || step_server_run(step->server, err) < 0)
        return -1;
    return step->dns ? step_dns_run(step->dns, err) : 0;
}

/* The command with nothing but the settings that make it do the same every time. */
static int run_open(const step_life *step, char *const *argv, sb_error **err)
{
    char **env = step_environment(step->arena, environ, step->config, NULL, 0);
    step_child child = {0};

    step_signals_hold(&child);
    return step_child_start(&child, argv, env, err) < 0 ? -1 : step_child_wait(&child);
}

/* The last thing of a recording: without it, it is not complete. */
static int write_done(const step_life *step, int status, sb_error **err)
{
    sb_autofree char *path = sb_asprintf("%s/done", step->config->rec_dir);
    sb_autofree char *text = sb_asprintf("{\"status\":%d}\n", status);

    return sb_write_file(AT_FDCWD, path, sb_slice_z(text), 0644, err);
}

static int finish(const step_life *step, int status, sb_error **err)
{
    unsigned fatal = 0, other = 0;

    if (step->dnf && step_dnf_restore(step->dnf, err) < 0)
        return -1;
    if (step_server_finish(step->server, &fatal, &other, err) < 0)
        return -1;
    if (step->config->mode == STEP_RECORD)
        return write_done(step, status, err) < 0 ? -1 : status;
    return fatal || (other && status) ? SB_STEP_EXIT_MISS : status;
}

int step_run(char *const *argv, sb_error **err)
{
    SB_AUTO(step_life) step = sb_new(step_life);
    step_child child = {0};

    step->arena = sb_arena_new();
    if (step_config_load(SB_STEP_DIR, &step->config, err) < 0)
        return -1;
    if (step->config->mode == STEP_OPEN)
        return run_open(step, argv, err);
    if (prepare(step, err) < 0 || start(step, &child, argv, err) < 0)
        return -1;
    return finish(step, step_child_wait(&child), err);
}
