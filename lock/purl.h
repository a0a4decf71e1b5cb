// SPDX-License-Identifier: Apache-2.0
/*
 * Package URLs (purl): what is at an address, in the words of its package manager. Recognised from the shape
 * of the path on any host, since mirrors have the paths of what they mirror. A name for people and for other
 * tools: nothing that is built on depends on it.
 */
#ifndef SBUILD_LOCK_PURL_H
#define SBUILD_LOCK_PURL_H

#include <sbuild/arena.h>

enum { SB_PURL_QUALIFIERS = 4 };

typedef struct sb_purl {
    const char *type; /* "deb"; NULL: nothing is known */
    sb_slice space;   /* "debian", "@babel", "org.apache/…"; absent without. Not encoded, as all of these */
    sb_slice name;
    sb_slice version; /* absent without */
    struct {
        const char *key;
        sb_slice value;
    } qualifiers[SB_PURL_QUALIFIERS]; /* those with a value count */
    sb_slice subpath;                 /* absent without */
} sb_purl;

/* purl.c */
/* "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u14?arch=amd64", in `arena`. */
sb_slice sb_purl_format(sb_arena *arena, const sb_purl *purl);
/* "curl" and "7.88.1-10+deb12u14" of one, decoded; *ret_kind is all but the version, which tells what is the
 * same package. Everything is empty where it is no purl. */
void sb_purl_parts(sb_arena *arena, sb_slice text, sb_slice *ret_kind, sb_slice *ret_name,
                   sb_slice *ret_version);
void sb_purl_qualify(sb_purl *purl, const char *key, sb_slice value);

/* A URL in its parts, decoded. */
enum { SB_PURL_SEGMENTS = 64 };
typedef struct sb_purl_url {
    sb_arena *arena;
    sb_slice url;
    sb_slice host;
    sb_slice segments[SB_PURL_SEGMENTS]; /* of the path */
    size_t count;
    sb_slice file;  /* the last segment */
    sb_slice query; /* absent without */
} sb_purl_url;

/* purl_url.c: false when nothing is recognised. */
bool sb_purl_of_url(sb_arena *arena, sb_slice url, sb_purl *ret_purl);
/* The segment `back` places before the last; absent when there is none. */
sb_slice sb_purl_segment(const sb_purl_url *url, size_t back);
/* Of Python packages (PEP 503): lower case, runs of "-", "_" and "." are one "-". */
sb_slice sb_purl_python_name(sb_arena *arena, sb_slice name);
/* Without the suffix; absent when it does not end so. */
sb_slice sb_purl_stem(sb_slice name, const char *suffix);
/* All of `a` to `z`, digits and these; false for the empty text. */
bool sb_purl_is_word(sb_slice text, const char *more);

/* The last part of a URL's path, decoded. */
sb_slice sb_purl_file(sb_arena *arena, sb_slice url);

typedef bool (*sb_purl_recogniser)(const sb_purl_url *url, sb_purl *ret_purl);
/* NULL-terminated: purl_system.c, purl_language.c, purl_source.c */
extern const sb_purl_recogniser sb_purl_system[], sb_purl_language[], sb_purl_source[];

#endif
