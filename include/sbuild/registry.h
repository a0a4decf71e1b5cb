// SPDX-License-Identifier: Apache-2.0
/*
 * A client of the OCI Distribution specification 1.1, reading side. One per run; caches tokens and, within
 * the run, manifests. Mirrors: tags are resolved upstream or at a mirror that is trusted to, digests are
 * pulled from anywhere. Errors: SB_ERR_NOT_FOUND, SB_ERR_AUTH, SB_ERR_NETWORK, SB_ERR_VERIFY (a digest
 * differs), SB_ERR_LIMIT.
 */
#ifndef SBUILD_REGISTRY_H
#define SBUILD_REGISTRY_H

#include <sbuild/digest.h>
#include <sbuild/http.h>
#include <sbuild/reference.h>

enum { SB_MANIFEST_MAX = 4 << 20, SB_LAYERS_MAX = 4096, SB_INDEX_MAX = 1024 };

#define SB_MEDIA_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define SB_MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define SB_MEDIA_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define SB_MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

typedef struct sb_registry sb_registry;

sb_registry *sb_registry_new(sb_http *http, const sb_settings *settings, sb_progress *progress);
void sb_registry_free(sb_registry *registry);
SB_DEFINE_CLEANUP(sb_registry, sb_registry_free)

typedef struct sb_descriptor {
    sb_digest digest;
    sb_slice media_type;
    uint64_t size; /* bytes */
    /* only in an index: */
    sb_slice platform; /* "linux/arm64/v8" normalised; empty when none is given */
    sb_slice os_version;
    bool attestation; /* unknown/unknown or vnd.docker.reference.type: not an image to run */
    sb_slice version; /* annotation org.opencontainers.image.version; absent without */
    sb_slice created; /* annotation org.opencontainers.image.created; absent without */
} sb_descriptor;

/* A manifest or index with its raw bytes; all in `arena`. */
typedef struct sb_manifest {
    sb_digest digest;
    sb_slice media_type;
    sb_slice raw;
    bool is_index;
    sb_descriptor *children; /* of an index; a nested index is flattened by sb_registry_manifest */
    size_t child_count;
    sb_descriptor config; /* of an image manifest */
    sb_descriptor *layers;
    size_t layer_count;
    sb_slice version; /* annotation org.opencontainers.image.version of the document itself; absent without */
} sb_manifest;

/* Parses and checks raw bytes (also used on what a store holds). `media_type` may be absent. */
int sb_manifest_parse(sb_arena *arena, sb_slice raw, sb_slice media_type, sb_manifest *ret_manifest,
                      sb_error **err);

/* HEAD (falling back to GET): what a tag or digest is now. */
int sb_registry_resolve(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref,
                        sb_descriptor *ret_descriptor, sb_error **err);
/* By digest if the reference has one, else by tag. Own hash of the raw body; a digest that differs is
 * SB_ERR_VERIFY. */
int sb_registry_manifest(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref,
                         sb_manifest *ret_manifest, sb_error **err);
/* A small blob (a config) in memory, verified. */
int sb_registry_blob(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref,
                     const sb_descriptor *blob, size_t max, sb_slice *ret_data, sb_error **err);

/* A blob of any size, handed to `take` piece by piece as it comes; SB_ERR_VERIFY at the end, when it was not
 * what the digest says. A failure of `take` ends it. */
int sb_registry_blob_stream(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref,
                            const sb_descriptor *blob,
                            int (*take)(void *ctx, const void *data, size_t len, sb_error **err), void *ctx,
                            sb_error **err);

/* Every tag, all pages, at most `max`. `digests` gets parallel entries (absent slices) where the registry
 * tells digests too. */
int sb_registry_tags(sb_registry *registry, sb_arena *arena, const sb_image_ref *ref, size_t max,
                     sb_slice **ret_tags, sb_slice **ret_digests, size_t *ret_count, sb_error **err);

typedef struct sb_image_config {
    sb_slice os, arch, variant, os_version;
    sb_slice user;
    sb_slice *env;
    size_t env_count;
    sb_slice *onbuild;
    size_t onbuild_count;
    sb_slice *shell; /* SHELL; none: the engine's default */
    size_t shell_count;
    sb_slice *diff_ids;
    size_t diff_id_count;
    sb_slice created;
    sb_slice version; /* label org.opencontainers.image.version */
    sb_slice raw;
} sb_image_config;
int sb_image_config_parse(sb_arena *arena, sb_slice raw, sb_image_config *ret_config, sb_error **err);

/* --- OCI layouts on disk (fetch/layout.c), byte-exact: blobs/sha256/<hex>, oci-layout, index.json --- */

typedef struct sb_layout sb_layout;
/* Opens or makes it. Several processes may write at once. */
int sb_layout_open(const char *path, bool create, sb_layout **ret_layout, sb_error **err);
void sb_layout_free(sb_layout *layout);
SB_DEFINE_CLEANUP(sb_layout, sb_layout_free)
const char *sb_layout_path(const sb_layout *layout);
bool sb_layout_has(const sb_layout *layout, const sb_digest *digest, uint64_t size);
/* A verified read of a small blob. */
int sb_layout_read(const sb_layout *layout, sb_arena *arena, const sb_digest *digest, size_t max,
                   sb_slice *ret_data, sb_error **err);
int sb_layout_open_blob(const sb_layout *layout, const sb_digest *digest, int *ret_fd, sb_error **err);
int sb_layout_write(sb_layout *layout, sb_slice data, sb_digest *ret_digest, sb_error **err);
/* The same without waiting for the disk: for documents, which are verified when they are read, and which a
 * store has as well. */
int sb_layout_give(sb_layout *layout, sb_slice data, sb_error **err);
/* Takes the bytes of `fd` (from its start) as the blob `expect`; verified while copying (reflink where
 * possible). */
int sb_layout_add_fd(sb_layout *layout, int fd, const sb_digest *expect, sb_error **err);
/* Puts an entry into index.json (org.opencontainers.image.ref.name = `name`, which may be absent), replacing
 * the one of that name. */
int sb_layout_tag(sb_layout *layout, const sb_descriptor *descriptor, sb_slice name, sb_error **err);

typedef struct sb_pull { /* one image at one digest, for some platforms */
    sb_image_ref ref;    /* with digest */
    const sb_slice *platforms;
    size_t platform_count; /* 0: every platform of the index */
} sb_pull;
/*
 * Pulls all of them into the layout: manifests, configs and layers, parallel over layers of all images, each
 * verified against digest and size, broken transfers resumed (also in a later run). The index is kept byte
 * for byte, platforms that were not asked for are simply absent from blobs/.
 */
int sb_registry_pull(sb_registry *registry, const sb_pull *pulls, size_t count, sb_layout *layout,
                     sb_error **err);

#endif
