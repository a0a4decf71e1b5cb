// SPDX-License-Identifier: Apache-2.0
/* Image references, as distribution/reference normalises them. */
#ifndef SBUILD_REFERENCE_H
#define SBUILD_REFERENCE_H

#include <sbuild/arena.h>
#include <sbuild/error.h>
#include <sbuild/slice.h>

typedef struct sb_image_ref {
    sb_slice registry;   /* "docker.io", "localhost:5000" */
    sb_slice repository; /* "library/node" */
    sb_slice tag;        /* absent when only a digest was given; "latest" when neither was */
    sb_slice digest;     /* "sha256:…"; absent without one */
    bool tag_implied;    /* the tag "latest" was not written */
} sb_image_ref;

/* SB_ERR_PARSE says which part is wrong. */
int sb_image_ref_parse(sb_arena *arena, sb_slice text, sb_image_ref *ret_ref, sb_error **err);
/* "docker.io/library/node:20@sha256:…" with the parts that are there. */
sb_slice sb_image_ref_format(sb_arena *arena, const sb_image_ref *ref);
/* "docker.io/library/node" */
sb_slice sb_image_ref_name(sb_arena *arena, const sb_image_ref *ref);
/* The short form that people write and that engines key named contexts by: "node:20", "quay.io/x/y:1";
 * ":latest" left out. */
sb_slice sb_image_ref_familiar(sb_arena *arena, const sb_image_ref *ref);

/* --- What a tag promises by its looks (fetch/reference_tag.c) --- */

/* By custom or by its words it will mean another image tomorrow: "latest", "edge", "stable-slim". */
bool sb_tag_moves(sb_slice tag);
/* There is a number or a commit in it: "1.2", "bookworm-20250113", "1f2e3d4". */
bool sb_tag_has_version(sb_slice tag);

#endif
