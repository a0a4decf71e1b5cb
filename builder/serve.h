// SPDX-License-Identifier: Apache-2.0
/*
 * A read-only registry on 127.0.0.1 for the time of a build: for Docker's classic image store, which takes
 * images from registries only. Plain HTTP, which engines allow on loopback; everything by digest, below an
 * unguessable repository prefix, so that other users of the machine get nothing.
 */
#ifndef SBUILD_BUILDER_SERVE_H
#define SBUILD_BUILDER_SERVE_H

#include <builder/plan.h>
#include <sbuild/error.h>

typedef struct sb_serve sb_serve;
/* Serves the blobs of the OCI layout at `layout` from a child process that dies with this one. */
int sb_serve_start(const char *layout, sb_serve **ret_serve, sb_error **err);
/* "127.0.0.1:PORT/PREFIX", to put before "/repository@digest". */
const char *sb_serve_address(const sb_serve *serve);
void sb_serve_stop(sb_serve *serve);
SB_DEFINE_CLEANUP(sb_serve, sb_serve_stop)
/* For a plan whose engine takes its images so; else *ret_serve stays as it is. */
int sb_serve_plan(sb_plan *plan, sb_serve **ret_serve, sb_error **err);

#endif
