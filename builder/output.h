// SPDX-License-Identifier: Apache-2.0
/* --output, as Docker writes it, and what it is mapped onto. */
#ifndef SBUILD_BUILDER_OUTPUT_H
#define SBUILD_BUILDER_OUTPUT_H

#include <sbuild/builder.h>

typedef enum sb_output_kind {
    SB_OUTPUT_LOAD,    /* into the engine */
    SB_OUTPUT_PUSH,    /* into the engine, and from there to the registry */
    SB_OUTPUT_ARCHIVE, /* a tar with OCI layout and docker's manifest.json */
    SB_OUTPUT_LAYOUT,  /* a directory: an OCI layout */
    SB_OUTPUT_FILES,   /* the image's root file system */
    SB_OUTPUT_NOTHING, /* only the cache */
} sb_output_kind;

typedef struct sb_output {
    sb_output_kind kind;
    bool tar;      /* FILES: as a tar instead of a directory */
    sb_slice dest; /* "-": standard output */
    sb_slice name; /* a tag of its own; absent without */
} sb_output;

/* Can a file be made there? Asked before the build, which may take long; NULL and "-" are fine. */
int sb_output_check_file(const char *option, const char *path, sb_error **err);
int sb_output_parse(sb_arena *arena, const char *text, sb_output *ret_output, sb_error **err);
#endif
