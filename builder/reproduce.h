// SPDX-License-Identifier: Apache-2.0
/*
 * `sbuild build --check-reproducible`: builds twice without any cache, the second time under other conditions
 * (and a third time with another engine), and compares the canonical images.
 */
#ifndef SBUILD_BUILDER_REPRODUCE_H
#define SBUILD_BUILDER_REPRODUCE_H

#include <builder/build_memo.h>
#include <builder/compare.h>

enum { SB_REPRODUCE_BUILDS = 3, SB_REPRODUCE_PLATFORMS = 64 };

typedef struct sb_reproduced { /* one platform */
    sb_slice platform;
    bool same;
    struct {
        sb_slice engine, image_id, manifest;
    } builds[SB_REPRODUCE_BUILDS];
    size_t build_count;
    sb_comparison *comparison; /* of the two that differ; owned; NULL when all are the same */
    sb_slice *varied, *fixed;  /* what was different in the second build; what could not be; printable */
    size_t varied_count, varied_cap, fixed_count, fixed_cap;
    sb_descriptor image; /* when they are the same: in the memo's layout */
    size_t base_layers;
} sb_reproduced;

typedef struct sb_reproduction {
    sb_arena *arena;
    sb_slice dockerfile; /* printable */
    bool same;           /* on all platforms */
    sb_reproduced items[SB_REPRODUCE_PLATFORMS];
    size_t count;
} sb_reproduction;

sb_reproduction *sb_reproduction_new(const sb_project *project);
void sb_reproduction_free(sb_reproduction *reproduction);
SB_DEFINE_CLEANUP(sb_reproduction, sb_reproduction_free)

/*
 * Adds a platform. Where the images are the same, the image is in the memo's layout afterwards. A difference
 * is no error.
 */
int sb_reproduce(sb_project *project, const sb_lock *lock, const sb_build_options *options,
                 const sb_engine *engine, const char *platform, const sb_canonical_options *canonical,
                 sb_memo *memo, sb_reproduction *reproduction, sb_error **err);

/* What was found, for the caller and for the file that was asked for. */
int sb_reproduction_report(const sb_reproduction *reproduction, const sb_build_options *options,
                           sb_build_result **ret_findings, sb_error **err);

/* For people, as text: builder/compare_text.c. */
void sb_reproduction_text(const sb_reproduction *reproduction, sb_buf *out);
/* As a page of HTML: builder/compare_html.c. */
void sb_reproduction_html(const sb_reproduction *reproduction, sb_buf *out);
/* "layer 3, Dockerfile:7: RUN date" */
void sb_part_title(const sb_compared_part *part, sb_slice dockerfile, sb_buf *out);
/* The differences alone, as text. */
void sb_comparison_text(const sb_comparison *comparison, sb_slice dockerfile, sb_buf *out);

/* --- Inside: builder/reproduce_attempt.c --- */

#define SB_CHECK_HOST "sbuild-check" /* host name of the steps in the second build */

typedef struct sb_attempt { /* one build, in a process of its own */
    sb_project *project;
    const sb_lock *lock;
    const sb_build_options *options;
    const sb_engine *engine;
    const char *platform;
    const sb_canonical_options *canonical;
    const char *layout; /* path of the layout that the canonical image goes to */
    bool changed;       /* under other conditions than now */
    /* What came out, in `arena`: */
    sb_arena *arena;
    sb_descriptor image;
    size_t base_layers;
    char *memo_key;
    sb_layer_origin *origins;
    sb_slice host;
    unsigned cpus;
    sb_slice *varied, *fixed;
    size_t varied_count, fixed_count;
} sb_attempt;
int sb_attempt_run(sb_attempt *attempt, sb_error **err);

#endif
