// SPDX-License-Identifier: Apache-2.0
/* The beginning, the threads, and the end of it all. */
#include <builder/step/fetch.h>
#include <builder/step/listen.h>
#include <builder/step/recording.h>
#include <builder/step/server.h>
#include <builder/step/upstream.h>

#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

enum {
    FETCH_SECONDS = 60, /* that a transfer may take after the command's end */
    ABORT_SECONDS = 20,
    END_SECONDS = 5,
};

/* --- Accepting --- */

static void *connection_thread(void *arg)
{
    step_connection *connection = arg;
    step_server *server = connection->server;

    step_connection_serve(connection);
    free(connection);
    pthread_mutex_lock(&server->lock);
    server->connection_count--;
    pthread_cond_broadcast(&server->idle);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

void step_connection_unlist(step_connection *connection)
{
    step_server *server = connection->server;

    pthread_mutex_lock(&server->lock);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    pthread_mutex_unlock(&server->lock);
}

static void begin_connection(step_server *server, int fd, step_entrance entrance)
{
    step_connection *connection = sb_new(step_connection);

    *connection = (step_connection){.server = server, .entrance = entrance, .fd = fd};
    pthread_mutex_lock(&server->lock);
    while (server->connection_count >= STEP_CONNECTIONS_MAX && !server->stopping)
        pthread_cond_wait(&server->idle, &server->lock);
    connection->next = server->connections;
    connection->link = &server->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    server->connections = connection;
    server->connection_count++;
    pthread_mutex_unlock(&server->lock);
    if (server->stopping || !step_thread(connection_thread, connection)) {
        step_connection_unlist(connection);
        close(fd);
        free(connection);
        pthread_mutex_lock(&server->lock);
        server->connection_count--;
        pthread_mutex_unlock(&server->lock);
    }
}

static size_t list_ports(struct step_listeners *listeners, struct pollfd *ports, step_entrance *entrances)
{
    size_t count;

    pthread_mutex_lock(&listeners->lock);
    count = listeners->count;
    for (size_t i = 0; i < count; i++) {
        ports[i] = (struct pollfd){.fd = listeners->all[i].fd, .events = POLLIN};
        entrances[i] = listeners->all[i].entrance;
    }
    pthread_mutex_unlock(&listeners->lock);
    ports[count] = (struct pollfd){.fd = listeners->wake, .events = POLLIN};
    return count;
}

static void *accept_thread(void *arg)
{
    step_server *server = arg;
    struct pollfd ports[STEP_LISTENERS_MAX + 1];
    step_entrance entrances[STEP_LISTENERS_MAX];
    uint64_t woken;

    while (!server->stopping) {
        size_t count = list_ports(server->listeners, ports, entrances);

        if (poll(ports, count + 1, -1) < 0 && errno != EINTR)
            break;
        if (ports[count].revents)
            (void)!read(server->listeners->wake, &woken, sizeof(woken));
        for (size_t i = 0; i < count; i++) {
            int fd = ports[i].revents ? accept4(ports[i].fd, NULL, NULL, SOCK_CLOEXEC) : -1;

            if (fd >= 0)
                begin_connection(server, fd, entrances[i]);
            else if (ports[i].revents && (errno == EMFILE || errno == ENFILE))
                nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        }
    }
    return NULL;
}

/* Hundreds of connections want descriptors; the command was started with the limit that the engine set. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int step_server_run(step_server *server, sb_error **err)
{
    sigset_t all, before;
    int status;

    raise_limit();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&server->listeners->thread, NULL, accept_thread, server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status)
        return sb_fail(err, SB_ERR_IO, "cannot start a thread: %s", strerror(status));
    server->listeners->running = true;
    return 0;
}

unsigned step_server_port(const step_server *server)
{
    return server->port;
}

/* --- The beginning --- */

static int load_manifest(step_server *server, sb_error **err)
{
    sb_autofree char *path = sb_asprintf("%s/manifest", server->config->dir);
    sb_autofree char *objects = sb_asprintf("%s/objects", server->config->dir);
    sb_autofree char *text = NULL;
    bool missing = false;
    size_t len;

    server->objects = step_objects_new(open(objects, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (sb_read_file(AT_FDCWD, path, SB_STEP_MANIFEST_MAX, &text, &len, &missing, err) < 0 && !missing)
        return -1;
    if (missing && server->config->mode == STEP_REPLAY)
        /* As empty it would miss everything, and say so of each request instead of once. */
        return sb_fail(err, SB_ERR_IO, "%s is missing; the engine has to mount what sbuild made for the step",
                       path);
    if (missing) {
        server->locked = sb_step_manifest_new();
        return 0;
    }
    return sb_step_manifest_parse(sb_slice_of(text, len), path, &server->locked, err);
}

static void set_date(step_server *server)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t when = (time_t)server->config->epoch;
    struct tm tm;

    if (!gmtime_r(&when, &tm))
        tm = (struct tm){.tm_mday = 1, .tm_year = 70, .tm_wday = 4};
    snprintf(server->date, sizeof(server->date), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
             tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

int step_server_new(const step_config *config, step_ca *ca, step_server **ret_server, sb_error **err)
{
    SB_AUTO(step_server) server = sb_new(step_server);

    server->config = config;
    server->ca = ca;
    server->listeners = sb_new(struct step_listeners);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->idle, NULL);
    pthread_mutex_init(&server->listeners->lock, NULL);
    set_date(server);
    server->listeners->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->listeners->wake < 0)
        return sb_fail(err, SB_ERR_IO, "cannot make an eventfd: %s", strerror(errno));
    if (load_manifest(server, err) < 0 || step_tls_new(ca, &server->tls, err) < 0 ||
        step_listen_as_proxy(server, err) < 0)
        return -1;
    if (config->mode == STEP_RECORD &&
        (step_recording_new(config->rec_dir, server->locked, &server->recording, err) < 0 ||
         step_upstream_new(server, &server->upstream, err) < 0))
        return -1;
    *ret_server = SB_TAKE(server);
    return 0;
}

/* --- The end --- */

static void stop_connections(step_server *server)
{
    struct timespec until;
    int status = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += END_SECONDS;
    pthread_mutex_lock(&server->lock);
    for (step_connection *c = server->connections; c; c = c->next)
        (void)shutdown(c->fd, SHUT_RDWR);
    while (server->connection_count && status == 0)
        status = pthread_cond_timedwait(&server->idle, &server->lock, &until);
    pthread_mutex_unlock(&server->lock);
}

static void stop(step_server *server)
{
    struct step_listeners *listeners = server->listeners;

    if (!listeners->running)
        return;
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_broadcast(&server->idle);
    pthread_mutex_unlock(&server->lock);
    step_listen_wake(listeners);
    pthread_join(listeners->thread, NULL);
    listeners->running = false;
    if (server->recording && !step_fetch_wait(server, FETCH_SECONDS)) {
        step_upstream_abort(server->upstream);
        (void)step_fetch_wait(server, ABORT_SECONDS);
    }
    stop_connections(server);
}

int step_server_finish(step_server *server, unsigned *ret_fatal, unsigned *ret_other, sb_error **err)
{
    stop(server);
    if (server->recording && step_recording_finish(server, err) < 0)
        return -1;
    pthread_mutex_lock(&server->lock);
    *ret_fatal = server->missed_fatal;
    *ret_other = server->missed_other;
    pthread_mutex_unlock(&server->lock);
    return 0;
}

void step_server_free(step_server *server)
{
    if (!server)
        return;
    stop(server);
    /* A thread that could not be ended still needs it; the process ends soon. */
    if (server->connection_count || server->fetch_count)
        return;
    for (size_t i = 0; i < server->listeners->count; i++)
        close(server->listeners->all[i].fd);
    if (server->listeners->wake >= 0)
        close(server->listeners->wake);
    pthread_mutex_destroy(&server->listeners->lock);
    free(server->listeners);
    step_upstream_free(server->upstream);
    step_recording_free(server->recording);
    step_objects_free(server->objects);
    step_table_clear(&server->asked);
    sb_step_manifest_free(server->locked);
    SSL_CTX_free(server->tls);
    pthread_cond_destroy(&server->idle);
    pthread_mutex_destroy(&server->lock);
    free(server->notices);
    free(server);
}
