// SPDX-License-Identifier: Apache-2.0
/*
 * Two canonical images, compared layer by layer: which instruction made a layer that differs, which files in
 * it differ in what, and what usually helps. compare.c (the images), compare_layer.c (entries),
 * compare_content.c (bytes), compare_remedy.c (what helps), compare_text.c and compare_html.c (for people).
 */
#ifndef SBUILD_BUILDER_COMPARE_H
#define SBUILD_BUILDER_COMPARE_H

#include <builder/image.h>
#include <builder/plan.h>

enum {
    SB_COMPARE_MAX = 5000,     /* differences that are told, of all that there are */
    SB_COMPARE_LINE_MAX = 160, /* bytes of a line that are shown */
};

enum sb_difference_kind { /* bits */
                          SB_DIFF_CONTENT = 1,
                          SB_DIFF_ORDER = 2, /* the same lines, or entries of a layer, in another order */
                          SB_DIFF_TYPE = 4,
                          SB_DIFF_MODE = 8,
                          SB_DIFF_OWNER = 16,
                          SB_DIFF_TIME = 32,
                          SB_DIFF_XATTR = 64,
                          SB_DIFF_ONLY_FIRST = 128,
                          SB_DIFF_ONLY_SECOND = 256,
                          SB_DIFF_CONFIG = 512,   /* of the configuration: `path` is the member */
                          SB_DIFF_PACKING = 1024, /* the same layer, compressed in another way */
};

/* Which instruction made a layer: builder/origin.c. */
typedef struct sb_layer_origin {
    size_t key;           /* its number in the order of building, from 1; 0: not known */
    unsigned line;        /* in the Dockerfile; 0: not known */
    sb_slice instruction; /* "RUN npm ci": one line, printable */
} sb_layer_origin;

typedef struct sb_compared { /* one of the two images */
    sb_layout *layout;
    sb_digest manifest;
    const sb_layer_origin *origins; /* one per layer; NULL: not known */
    sb_slice host;                  /* name of the host in its steps; absent: not known */
    unsigned cpus;                  /* 0: not known */
} sb_compared;

typedef struct sb_difference {
    unsigned kinds;
    size_t part;        /* index of sb_comparison.parts */
    sb_slice path;      /* "/etc/motd", printable */
    sb_slice detail[2]; /* "mode 0644, owner 0:0", printable; absent when only the content differs */
    size_t line;        /* the first that differs, from 1; 0: no text */
    sb_slice text[2];   /* of that line what is around the difference, printable */
    uint64_t offset;    /* of the first byte that differs */
    uint64_t size[2];
    const char *remedy; /* a sentence; NULL: none is known */
} sb_difference;

typedef struct sb_compared_part { /* a pair of layers, or the configuration */
    size_t number;                /* of the layer, from 1; 0: the configuration */
    sb_layer_origin origin;
    size_t count; /* of all its differences */
} sb_compared_part;

typedef struct sb_comparison {
    sb_arena *arena;
    bool same; /* image ID and manifest */
    sb_slice image_id[2], manifest[2];
    sb_compared_part *parts; /* those that differ */
    size_t part_count, part_cap;
    sb_difference *items; /* in the order of parts, at most SB_COMPARE_MAX */
    size_t count, cap;
} sb_comparison;

int sb_compare_images(const sb_compared *first, const sb_compared *second, sb_comparison **ret_comparison,
                      sb_error **err);
void sb_comparison_free(sb_comparison *comparison);
SB_DEFINE_CLEANUP(sb_comparison, sb_comparison_free)

/* "content, mode" */
void sb_difference_kinds(unsigned kinds, sb_buf *out);

/* --- Inside --- */

/* Adds one to the last part; NULL when there are too many, which are counted only. */
sb_difference *sb_compare_add(sb_comparison *comparison, unsigned kinds, sb_slice path);
/* builder/compare_layer.c: two layers, uncompressed; the last part is theirs. */
int sb_compare_layers(sb_comparison *comparison, const sb_compared *images[2], const int fds[2],
                      sb_error **err);

typedef struct sb_compared_bytes { /* a file in a layer */
    int fd;
    uint64_t offset, size;
} sb_compared_bytes;

/* What is known of a difference when a remedy is looked for. */
typedef struct sb_difference_hints {
    sb_slice path;    /* without the leading slash */
    sb_slice head[2]; /* the first bytes */
    sb_slice line[2]; /* as in sb_difference.text, but raw */
    uint64_t offset;  /* of the first byte that differs */
    size_t column;    /* of the first byte in `line` that differs */
    sb_slice host[2];
    unsigned cpus[2];
} sb_difference_hints;

/*
 * builder/compare_content.c: adds SB_DIFF_CONTENT or SB_DIFF_ORDER to difference->kinds unless the bytes are
 * the same, says where they differ, and what they look like.
 */
int sb_compare_content(const sb_compared_bytes files[2], sb_arena *arena, sb_difference *difference,
                       sb_difference_hints *hints, sb_error **err);
/* builder/compare_remedy.c: NULL when nothing comes to mind. */
const char *sb_compare_remedy(unsigned kinds, const sb_difference_hints *hints);

#endif
