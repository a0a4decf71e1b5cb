// SPDX-License-Identifier: Apache-2.0
/*
 * What a sealed RUN may ask the network for: its step manifest, a list of requests with their answers. Shared
 * by the host (lock/, builder/) and by the program inside the step (builder/step/), so it needs nothing but
 * base/ and jansson. docs/sealed.md describes format and matching to people.
 */
#ifndef SBUILD_STEP_H
#define SBUILD_STEP_H

#include <sbuild/arena.h>
#include <sbuild/buf.h>
#include <sbuild/digest.h>
#include <sbuild/error.h>

enum {
    SB_STEP_MANIFEST_MAX = 64 << 20,     /* bytes of a step manifest */
    SB_STEP_REQUESTS_MAX = 200000,       /* requests of one step */
    SB_STEP_URL_MAX = 16 << 10,          /* bytes of a URL */
    SB_STEP_HEADERS_MAX = 64 << 10,      /* bytes of all headers of a request or answer */
    SB_STEP_BODY_MAX_SHIFT = 34,         /* 16 GiB of one answer */
    SB_STEP_REQUEST_BODY_MAX = 64 << 20, /* bytes of a request's body */
    SB_STEP_TURNS_MAX = 100000,          /* different answers to one request */
};

/* Where the parts of a sealed step are mounted in it. */
#define SB_STEP_BIN_DIR "/.sbuild-bin" /* read-only; holds the program SB_STEP_PROGRAM */
#define SB_STEP_DIR "/.sbuild-step"    /* read-only; step.json, manifest, objects/<64 hex>, upstream-ca.pem */
#define SB_STEP_TMP_DIR "/.sbuild-tmp" /* a tmpfs, mode 1777 */
#define SB_STEP_REC_DIR "/.sbuild-rec" /* recording only: a cache mount, mode 0777 */
#define SB_STEP_PROGRAM "sbuild-step"
/* The line of a miss begins so, whatever an engine puts before it; the id in it tells the host which step it
 * is. */
#define SB_STEP_MISS "sbuild: not in the lock: "
/* The exit status of a step whose command succeeded though something that it asked for was missing. */
enum { SB_STEP_EXIT_MISS = 3, SB_STEP_EXIT_REFUSED = 125 };

typedef struct sb_step_header {
    sb_slice name; /* lower case */
    sb_slice value;
} sb_step_header;

typedef struct sb_step_request {
    sb_slice method; /* "GET" */
    sb_slice url;    /* as sb_step_url() has it: absolute, no fragment, no user name, secrets replaced */
    bool has_body;
    sb_digest body;         /* sha256 of the request's body */
    sb_step_header *wanted; /* headers of the request that the answer depends on, sorted by name */
    size_t wanted_count;
    unsigned turn; /* 0 for the first answer to this request, 1 for the next different one … */
    /* the answer */
    unsigned status;
    sb_step_header *headers; /* those that matter, sorted by name; secrets replaced */
    size_t header_count;
    bool has_content; /* false: an answer without a body (HEAD, 204, 304) */
    sb_digest digest; /* sha256 of the answer's body, whole */
    uint64_t size;    /* bytes; of a HEAD what Content-Length said */
} sb_step_request;

typedef struct sb_step_manifest {
    sb_arena *arena;           /* all slices live here */
    sb_step_request *requests; /* sb_step_manifest_add() puts them here, since it keeps the index as well */
    size_t count, cap;
    uint32_t *slots; /* hash table of the URLs: the last request of each chain, plus one */
    size_t slot_count;
    uint32_t *before; /* per request: the one before it in its chain, plus one */
    size_t before_cap;
} sb_step_manifest;

sb_step_manifest *sb_step_manifest_new(void);
void sb_step_manifest_free(sb_step_manifest *manifest);
SB_DEFINE_CLEANUP(sb_step_manifest, sb_step_manifest_free)
/* SB_ERR_PARSE with "NAME:LINE: …". Nothing in it is trusted: digests, sizes, header names and URLs are
 * checked. */
int sb_step_manifest_parse(sb_slice text, const char *name, sb_step_manifest **ret_manifest, sb_error **err);
/* Sorted JSON lines, a first line with the version; the same requests always have the same bytes. */
int sb_step_manifest_format(sb_step_manifest *manifest, sb_buf *out, sb_error **err);
/* A deep copy of the request into this manifest, unless the very same is there. Returns its place, good until
 * the next addition or writing; NULL when SB_STEP_REQUESTS_MAX are there. */
sb_step_request *sb_step_manifest_add(sb_step_manifest *manifest, const sb_step_request *request);

/* Are these the same question (method, URL, body, wanted headers)? Turn and answer do not count. */
bool sb_step_same_question(const sb_step_request *a, const sb_step_request *b);
/*
 * The answer to a question: the entry with this turn, or the last one there is. A HEAD is answered by a GET
 * too. Where no entry has the very `accept` header, the only one that is there with another serves, unless
 * its answer says `vary: accept`. NULL: a miss. Any number of threads may ask at once.
 */
const sb_step_request *sb_step_manifest_find(const sb_step_manifest *manifest,
                                             const sb_step_request *question, unsigned turn);

/* lock/step_url.c: the one form of a URL that is recorded and looked up. Parameters of signatures and tokens
 * get the value "-". SB_ERR_PARSE for what is no http or https URL. */
int sb_step_url(sb_arena *arena, sb_slice url, sb_slice *ret_url, sb_error **err);
/* The same replacement in a reference that may be relative, as Location has it; the text itself when there is
 * nothing to replace. */
sb_slice sb_step_strip_secrets(sb_arena *arena, sb_slice reference);
/* Is there a replaced secret in this URL? Such a request cannot be made again. */
bool sb_step_has_secrets(sb_slice url);
/* Does the header of a request count / of an answer get kept? Names in lower case. */
bool sb_step_wants_header(sb_slice name);
bool sb_step_keeps_header(sb_slice name);
/* The value of a kept header as it is recorded: without secrets in the URLs of Location and Link. Absent when
 * it cannot be recorded. */
sb_slice sb_step_header_value(sb_arena *arena, sb_slice name, sb_slice value);
/* An answer of a token end point (by URL and body) is not stored: *ret_body is what stands for it. */
bool sb_step_is_token_answer(sb_slice url, sb_slice body, sb_arena *arena, sb_slice *ret_body);

#endif
