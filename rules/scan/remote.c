// SPDX-License-Identifier: Apache-2.0
/*
 * An image in a registry. A layer is read while it comes: a thread of its own receives it into a socket, from
 * which the scan reads. Nothing of it is kept.
 */
#include <rules/scan/scan.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct remote {
    sb_scan_blobs blobs;
    sb_arena *arena;
    sb_http *http, *quiet_http;
    sb_registry *registry;
    sb_registry *quiet; /* for the threads that receive: it tells no progress */
    sb_image_ref ref;
} remote;

typedef struct receiving {
    remote *from;
    const sb_scan_layer *layer;
    int to;      /* our end */
    bool closed; /* the reader has enough */
    sb_error *failure;
} receiving;

static void free_remote(sb_scan_blobs *blobs)
{
    remote *r = (remote *)blobs;

    sb_registry_free(r->registry);
    sb_registry_free(r->quiet);
    sb_http_free(r->http);
    sb_http_free(r->quiet_http);
    sb_arena_free(r->arena);
    free(r);
}

static int read_blob(sb_scan_blobs *blobs, const sb_descriptor *blob, size_t max, sb_arena *arena,
                     sb_slice *ret_data, sb_error **err)
{
    remote *r = (remote *)blobs;

    /* Manifests are asked for as such. */
    if (sb_slice_find(blob->media_type, SB_LIT("manifest")) >= 0 ||
        sb_slice_find(blob->media_type, SB_LIT("image.index")) >= 0) {
        sb_image_ref ref = r->ref;
        char digest[SB_DIGEST_TEXT];
        sb_manifest manifest;

        sb_digest_format(&blob->digest, digest);
        ref.digest = sb_arena_dup(r->arena, sb_slice_z(digest));
        if (sb_registry_manifest(r->registry, arena, &ref, &manifest, err) < 0)
            return -1;
        *ret_data = manifest.raw;
        return 0;
    }
    return sb_registry_blob(r->registry, arena, &r->ref, blob, max, ret_data, err);
}

static int send_on(void *ctx, const void *data, size_t len, sb_error **err)
{
    receiving *r = ctx;
    size_t done = 0;

    while (done < len) {
        ssize_t sent = send(r->to, (const char *)data + done, len - done, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            r->closed = true;
            return sb_fail(err, SB_ERR_INTERRUPTED, "nobody reads any more");
        }
        done += (size_t)sent;
    }
    return 0;
}

static void *receive(void *ctx)
{
    receiving *r = ctx;
    sb_descriptor blob = {.digest = r->layer->stored, .size = r->layer->size};

    (void)sb_registry_blob_stream(r->from->quiet, r->from->arena, &r->from->ref, &blob, send_on, r,
                                  &r->failure);
    (void)shutdown(r->to, SHUT_WR);
    return NULL;
}

static int stream_layer(sb_scan_blobs *blobs, const sb_scan_layer *layer,
                        int (*use)(void *ctx, sb_layer_feed feed, sb_error **err), void *ctx, sb_error **err)
{
    receiving r = {.from = (remote *)blobs, .layer = layer};
    sigset_t all, before;
    pthread_t thread;
    int ends[2], status;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot create a socket: %s", strerror(errno));
    r.to = ends[1];
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&thread, NULL, receive, &r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != 0) {
        close(ends[0]);
        close(ends[1]);
        return sb_fail(err, SB_ERR_IO, "cannot start a thread: %s", strerror(status));
    }
    status = use(ctx, (sb_layer_feed){sb_layer_read_fd, &(sb_layer_fd){ends[0], "what was received"}}, err);
    close(ends[0]);
    pthread_join(thread, NULL);
    close(ends[1]);
    if (r.failure && !r.closed && status == 0)
        status = sb_fail(err, r.failure->code, "%s", r.failure->message);
    sb_error_free(r.failure);
    return status;
}

int sb_scan_open_remote(const sb_scan_input *input, const sb_scan_options *options,
                        const sb_settings *settings, sb_progress *progress, sb_scan_image *image,
                        sb_scan_blobs **ret_blobs, sb_error **err)
{
    remote *r = sb_new(remote);
    sb_manifest manifest;

    *ret_blobs = &r->blobs;
    r->blobs =
        (sb_scan_blobs){.read = read_blob, .stream = stream_layer, .free = free_remote, .one_thread = true};
    r->arena = sb_arena_new();
    r->http = sb_http_new(settings, progress);
    r->registry = sb_registry_new(r->http, settings, progress);
    r->quiet_http = sb_http_new(settings, NULL);
    r->quiet = sb_registry_new(r->quiet_http, settings, NULL);
    if (sb_image_ref_parse(r->arena, sb_slice_z(input->reference), &r->ref, err) < 0 ||
        sb_registry_manifest(r->registry, image->arena, &r->ref, &manifest, err) < 0)
        return -1;
    if (sb_scan_resolve(&r->blobs, manifest.raw, NULL, options, image, err) < 0)
        return sb_wrap(err, "%s", input->name);
    return 0;
}
