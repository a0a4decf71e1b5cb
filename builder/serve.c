// SPDX-License-Identifier: Apache-2.0
#include <builder/serve.h>

#include <sbuild/digest.h>
#include <sbuild/fs.h>
#include <sbuild/json.h>
#include <sbuild/process.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    REQUEST_MAX = 16384, /* bytes of a request's head */
    MANIFEST_MAX = 4 << 20,
    TOKEN_BYTES = 16,
    IDLE_SECONDS = 120,
    CONNECTIONS_MAX = 256, /* at a time: anybody on this machine may connect */
};

struct sb_serve {
    pid_t pid;
    char *address;
};

/* In the child: */
typedef struct server {
    int blobs; /* directory descriptor of blobs/sha256 */
    int listener;
    char token[2 * TOKEN_BYTES + 1];
    atomic_uint connections;
} server;

typedef struct connection {
    server *server;
    int fd;
} connection;

typedef struct request {
    bool head;
    bool manifest;
    sb_digest digest;
    bool ranged;
    uint64_t first, last; /* inclusive; last UINT64_MAX: to the end */
} request;

static bool send_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool answer_short(int fd, const char *status, const char *body)
{
    sb_autofree char *text = sb_asprintf("HTTP/1.1 %s\r\nDocker-Distribution-Api-Version: registry/2.0\r\n"
                                         "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                                         status, strlen(body), body);

    return send_all(fd, text, strlen(text));
}

/* It becomes part of a header. */
static bool is_media_type(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return text.len > 0;
}

/* A manifest says itself what it is; older ones by their members. */
static char *media_type_of(int fd)
{
    sb_autofree char *text = NULL;
    sb_autojson *json = NULL;
    size_t len;

    if (sb_read_fd(fd, "manifest", MANIFEST_MAX, &text, &len, NULL) < 0 ||
        sb_json_parse(sb_slice_of(text, len), "manifest", &json, NULL) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return NULL;
    if (is_media_type(sb_json_str(json, "mediaType")))
        return sb_slice_dup(sb_json_str(json, "mediaType"));
    return sb_strdup(sb_json_array(json, "manifests") ? "application/vnd.oci.image.index.v1+json"
                                                      : "application/vnd.oci.image.manifest.v1+json");
}

static bool send_file(int to, int from, off_t start, uint64_t len)
{
    while (len) {
        ssize_t n = sendfile(to, from, &start, len > (1u << 30) ? (1u << 30) : (size_t)len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        len -= (uint64_t)n;
    }
    return true;
}

static bool answer_blob(const connection *c, const request *r)
{
    char hex[SB_DIGEST_HEX];
    sb_autofree char *type = NULL;
    sb_autofree char *range = NULL;
    sb_autofree char *head = NULL;
    sb_autoclose int fd = -1;
    struct stat st;
    uint64_t size, first = 0, count;

    sb_digest_hex(&r->digest, hex);
    fd = openat(c->server->blobs, hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return answer_short(c->fd, "404 Not Found", "{\"errors\":[{\"code\":\"BLOB_UNKNOWN\"}]}");
    type = r->manifest ? media_type_of(fd) : sb_strdup("application/octet-stream");
    if (!type)
        return answer_short(c->fd, "404 Not Found", "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
    size = count = (uint64_t)st.st_size;
    if (r->ranged) {
        uint64_t last = r->last < size ? r->last : size - 1;

        if (r->first >= size || last < r->first)
            return answer_short(c->fd, "416 Range Not Satisfiable", "{}");
        first = r->first;
        count = last - first + 1;
        range = sb_asprintf("Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)first,
                            (unsigned long long)last, (unsigned long long)size);
    }
    head = sb_asprintf(
        "HTTP/1.1 %s\r\nDocker-Distribution-Api-Version: registry/2.0\r\nContent-Type: %s\r\n"
        "Docker-Content-Digest: sha256:%s\r\nAccept-Ranges: bytes\r\n%sContent-Length: %llu\r\n\r\n",
        r->ranged ? "206 Partial Content" : "200 OK", type, hex, range ? range : "",
        (unsigned long long)count);
    if (!send_all(c->fd, head, strlen(head)))
        return false;
    return r->head || send_file(c->fd, fd, (off_t)first, count);
}

/* "bytes=A-B", "bytes=A-"; anything else is answered in full, as the protocol allows. */
static void parse_range(sb_slice value, request *r)
{
    sb_slice first;

    if (!sb_slice_starts(value, SB_LIT("bytes=")))
        return;
    value = sb_slice_sub(value, 6, value.len);
    first = sb_slice_cut(&value, '-');
    if (!value.ptr || !sb_slice_to_u64(first, &r->first))
        return;
    r->last = UINT64_MAX;
    r->ranged = !value.len || sb_slice_to_u64(value, &r->last);
}

/* "/v2/TOKEN/repository/manifests/sha256:…" */
static bool parse_path(const server *s, sb_slice path, request *r)
{
    sb_autofree char *prefix = sb_asprintf("/v2/%s/", s->token);
    ptrdiff_t slash = sb_slice_rchr(path, '/');
    sb_slice before;

    if (!sb_slice_starts(path, sb_slice_z(prefix)) || slash < 0)
        return false;
    before = sb_slice_sub(path, 0, (size_t)slash);
    r->manifest = sb_slice_ends(before, SB_LIT("/manifests"));
    if (!r->manifest && !sb_slice_ends(before, SB_LIT("/blobs")))
        return false;
    return sb_digest_parse(sb_slice_sub(path, (size_t)slash + 1, path.len), &r->digest, NULL) == 0 &&
           r->digest.algo == SB_HASH_SHA256;
}

/* One request whose head is complete. False ends the connection. */
static bool answer(const connection *c, sb_slice head)
{
    sb_slice line = sb_slice_cut(&head, '\n');
    sb_slice method = sb_slice_cut(&line, ' ');
    sb_slice path = sb_slice_cut(&line, ' ');
    request r = {.head = sb_slice_eqz(method, "HEAD")};
    bool last = false;

    while (head.ptr) {
        sb_slice value = sb_slice_cut(&head, '\n');
        sb_slice name = sb_slice_cut(&value, ':');

        if (sb_slice_eq_nocase(name, SB_LIT("range")))
            parse_range(sb_slice_trim(value), &r);
        if (sb_slice_eq_nocase(name, SB_LIT("connection")))
            last = sb_slice_eq_nocase(sb_slice_trim(value), SB_LIT("close"));
    }
    if (!r.head && !sb_slice_eqz(method, "GET"))
        return answer_short(c->fd, "405 Method Not Allowed", "{}") && false;
    if (sb_slice_eqz(path, "/v2/") || sb_slice_eqz(path, "/v2"))
        return answer_short(c->fd, "200 OK", r.head ? "" : "{}") && !last;
    if (!parse_path(c->server, path, &r))
        return answer_short(c->fd, "404 Not Found",
                            r.head ? "" : "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}") &&
               !last;
    return answer_blob(c, &r) && !last;
}

static void *talk(void *arg)
{
    connection *c = arg;
    struct timeval idle = {.tv_sec = IDLE_SECONDS};
    char buf[REQUEST_MAX];
    size_t len = 0;

    (void)setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
    (void)setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof(idle));
    for (;;) {
        char *end = memmem(buf, len, "\r\n\r\n", 4);
        size_t used;
        ssize_t n;

        if (!end) {
            if (len == sizeof(buf))
                break;
            n = recv(c->fd, buf + len, sizeof(buf) - len, 0);
            if (n <= 0)
                break;
            len += (size_t)n;
            /* Engines try TLS first; an answer in plain HTTP tells them better. */
            if (buf[0] < 'A' || buf[0] > 'Z') {
                (void)answer_short(c->fd, "400 Bad Request", "{}");
                break;
            }
            continue;
        }
        used = (size_t)(end - buf) + 4;
        if (!answer(c, sb_slice_of(buf, used - 4)))
            break;
        memmove(buf, buf + used, len - used);
        len -= used;
    }
    close(c->fd);
    c->server->connections--;
    free(c);
    return NULL;
}

static int serve_forever(void *ctx)
{
    server *s = ctx;

    /* An interrupt is the parent's business, which ends this process when the engine is through. */
    signal(SIGINT, SIG_IGN);
    for (;;) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
        connection *c;
        pthread_t thread;

        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return 1;
        if (s->connections >= CONNECTIONS_MAX) {
            close(fd);
            continue;
        }
        c = sb_new(connection);
        *c = (connection){s, fd};
        s->connections++;
        if (pthread_create(&thread, NULL, talk, c) != 0) {
            s->connections--;
            close(fd);
            free(c);
            continue;
        }
        pthread_detach(thread);
    }
}

static int listen_on_loopback(int *ret_fd, unsigned *ret_port, sb_error **err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    sb_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot listen on 127.0.0.1: %s", strerror(errno));
    *ret_port = ntohs(address.sin_port);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int make_token(char ret_token[2 * TOKEN_BYTES + 1], sb_error **err)
{
    unsigned char bytes[TOKEN_BYTES];

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return sb_fail(err, SB_ERR_IO, "cannot get random bytes: %s", strerror(errno));
    for (size_t i = 0; i < TOKEN_BYTES; i++)
        snprintf(ret_token + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

int sb_serve_start(const char *layout, sb_serve **ret_serve, sb_error **err)
{
    sb_autofree char *blobs = sb_path_join(layout, "blobs/sha256");
    sb_autoclose int listener = -1;
    sb_autoclose int dir = -1;
    server s = {.blobs = -1};
    unsigned port;
    pid_t pid;

    if (make_token(s.token, err) < 0 || sb_open_dir(blobs, &dir, err) < 0 ||
        listen_on_loopback(&listener, &port, err) < 0)
        return -1;
    s.blobs = dir;
    s.listener = listener;
    if (sb_process_fork(serve_forever, &s, &pid, err) < 0)
        return -1;
    *ret_serve = sb_new(sb_serve);
    (*ret_serve)->pid = pid;
    (*ret_serve)->address = sb_asprintf("127.0.0.1:%u/%s", port, s.token);
    return 0;
}

const char *sb_serve_address(const sb_serve *serve)
{
    return serve->address;
}

int sb_serve_plan(sb_plan *plan, sb_serve **ret_serve, sb_error **err)
{
    const char *host = getenv("DOCKER_HOST");

    if (plan->engine->can.layout_contexts || plan->engine->kind != SB_ENGINE_DOCKER || !plan->image_count)
        return 0;
    if (host && *host && strncmp(host, "unix:", 5) != 0)
        return sb_fail(err, SB_ERR_ENGINE,
                       "the Docker daemon is on another machine and uses the classic image store, which can "
                       "take images from a registry only; switch on its containerd image store");
    if (sb_serve_start(plan->images[0].layout.ptr, ret_serve, err) < 0)
        return -1;
    plan->registry = sb_slice_z(sb_serve_address(*ret_serve));
    return 0;
}

void sb_serve_stop(sb_serve *serve)
{
    if (!serve)
        return;
    kill(serve->pid, SIGKILL);
    while (waitpid(serve->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    free(serve->address);
    free(serve);
}
