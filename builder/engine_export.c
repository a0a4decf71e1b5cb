// SPDX-License-Identifier: Apache-2.0
/* A finished image of an engine: what it is, its bytes as a stream, and its way to a registry. */
#include <builder/engine.h>

#include <sbuild/fs.h>
#include <sbuild/process.h>
#include <sbuild/progress.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAID_MAX = 64 << 10, PATIENCE_MS = 10000, PAUSE_MS = 10 };

struct sb_engine_export {
    sb_arena *arena;
    sb_argv argv;
    int from, to;    /* the ends of a pipe */
    int said;        /* a file in memory: what the engine says on its standard error */
    bool daemonless; /* looks for credentials, though it needs none here */
    pid_t pid;
};

/* In a child of ours: the engine writes to the pipe, and the scan reads meanwhile. */
static int run_export(void *ctx)
{
    const sb_engine_export *export = ctx;
    sb_process_options options = {.argv = export->argv.items,
                                  .unset = export->daemonless ? sb_engine_credentials : NULL,
                                  .output_fd = export->to,
                                  .errors_fd = export->said};
    int status = 1;

    close(export->from);
    return sb_process_run(&options, &status, NULL) < 0 ? 127 : status;
}

static void free_export(sb_engine_export *export)
{
    sb_closep(&export->from);
    sb_closep(&export->to);
    sb_closep(&export->said);
    sb_arena_free(export->arena);
    free(export);
}
SB_DEFINE_CLEANUP(sb_engine_export, free_export)

int sb_engine_export_begin(const sb_engine *engine, const char *image, sb_engine_export **ret_export,
                           int *ret_fd, sb_error **err)
{
    SB_AUTO(sb_engine_export) export = sb_new(sb_engine_export);
    int ends[2];

    export->arena = sb_arena_new();
    export->argv.arena = export->arena;
    export->from = export->to = export->said = -1;
    export->daemonless = engine->kind != SB_ENGINE_DOCKER;
    sb_engine_ops_of(engine->kind)->export(engine, image, &export->argv);
    (void)sb_argv_end(&export->argv);
    export->said = memfd_create("engine", MFD_CLOEXEC);
    if (export->said < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot create a pipe: %s", strerror(errno));
    export->from = ends[0];
    export->to = ends[1];
    if (sb_process_fork(run_export, export, &export->pid, err) < 0)
        return -1;
    sb_closep(&export->to);
    *ret_fd = export->from;
    *ret_export = SB_TAKE(export);
    return 0;
}

/* Who has written everything, or can write no more, ends soon; an engine that hangs is not waited for. */
static bool ends_by_itself(pid_t pid)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

    for (unsigned waited = 0; waited < PATIENCE_MS && !sb_interrupted; waited += PAUSE_MS) {
        siginfo_t ended = {0};

        if (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 || ended.si_pid == pid)
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

int sb_engine_export_end(sb_engine_export *ended, bool complete, sb_error **err)
{
    SB_AUTO(sb_engine_export) export = ended;
    sb_autofree char *said = NULL;
    sb_autofree char *shown = NULL;
    size_t len = 0;
    int status = 0;

    /* Whoever has read enough does not wait for the rest. */
    sb_closep(&export->from);
    if (!complete || !ends_by_itself(export->pid))
        (void)kill(export->pid, SIGTERM);
    if (sb_process_wait(export->pid, &status, err) < 0)
        return -1;
    if (!complete || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return 0;
    if (lseek(export->said, 0, SEEK_SET) == 0)
        (void)sb_read_fd(export->said, "the engine's messages", SAID_MAX, &said, &len, NULL);
    shown = sb_printable(said ? sb_engine_last_line(sb_slice_of(said, len)) : SB_LIT(""));
    return sb_fail(err, SB_ERR_ENGINE, "\"%s %s\" failed: %s", export->argv.items[0], export->argv.items[1],
                   shown);
}

int sb_engine_image_id(const sb_engine *engine, const char *image, sb_arena *arena, sb_slice *ret_id,
                       sb_error **err)
{
    sb_argv argv = {.arena = arena};
    sb_slice id;

    sb_engine_ops_of(engine->kind)->identify(engine, image, &argv);
    if (sb_engine_ask(arena, sb_argv_end(&argv), &id, err) < 0)
        return -1;
    if (id.len == 0)
        return sb_fail(err, SB_ERR_ENGINE, "%" SB_FMT " does not tell the ID of %s", SB_ARG(engine->name),
                       image);
    *ret_id = id;
    return 0;
}

int sb_engine_push(const sb_engine *engine, const char *image, sb_error **err)
{
    return sb_engine_ops_of(engine->kind)->push(engine, image, err);
}
