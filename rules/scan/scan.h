// SPDX-License-Identifier: Apache-2.0
/*
 * Inside scan: from an input to a report.
 *
 *     input ─▶ where its blobs are, which image (archive.c, layout.c, remote.c → image.c)
 *           ─▶ facts of each layer, by workers (layer.c; content.c and zip.c look into files)
 *           ─▶ facts put into order, what later layers took away (settle.c), texts of the image (texts.c)
 *           ─▶ report
 *
 * A layer's facts do not depend on other layers: layers can be read in any order, and at the same time.
 */
#ifndef SBUILD_RULES_SCAN_SCAN_H
#define SBUILD_RULES_SCAN_SCAN_H

#include <fetch/layer.h>
#include <sbuild/json.h>
#include <sbuild/scan.h>

#include <stdatomic.h>

enum {
    SB_SCAN_BLOBS_MAX = 20000,       /* files of an archive */
    SB_SCAN_SPOTS_MAX = 5000,        /* of one layer */
    SB_SCAN_LEAKS_MAX = 5000,        /* of one layer */
    SB_SCAN_FILE_LEAKS_MAX = 200,    /* of one file, or file within */
    SB_SCAN_UNREAD_MAX = 1000,       /* of one layer */
    SB_SCAN_PRINTS_MAX = 4000,       /* different secrets that get a fingerprint: half a minute's work */
    SB_SCAN_DOCUMENT_MAX = 8 << 20,  /* bytes of a JSON document that is taken apart */
    SB_SCAN_DOCUMENTS_MAX = 32 << 20 /* bytes of all attestations, and of all that a pipe may have */
};
#define SB_SCAN_ENTRIES_MAX ((size_t)6 << 20)     /* remembered, of all layers */
#define SB_SCAN_NESTED_FREE ((uint64_t)256 << 20) /* bytes that may come out of a file whatever its size */
#define SB_SCAN_NESTED_RATIO 200                  /* above that, times the file's own size */
#define SB_SCAN_NESTED_MAX ((uint64_t)8 << 30)    /* bytes that may come out of a file */
#define SB_SCAN_LAYER_FREE ((uint64_t)4 << 30)    /* the same of all files of a layer */
#define SB_SCAN_LAYER_RATIO 20
#define SB_SCAN_NESTED_MEMORY ((uint64_t)80 << 20) /* of all decompressors within a file: `xz -9` fits */

/* --- Facts of a layer --- */

typedef struct sb_scan_leak { /* a secret: nothing of it but what may be shown */
    const char *id, *title;
    bool generic;
    sb_slice path;    /* "app/x.jar!/config.properties" */
    size_t path_file; /* bytes of it that are the file in the layer: "app/x.jar" */
    uint64_t line;
    sb_slice redacted, excerpt; /* the excerpt is absent where it would show another secret */
    unsigned excerpt_column;
    unsigned char hash[SB_SECRET_HASH];
    unsigned times;
    uint64_t size; /* of the file */
} sb_scan_leak;

typedef struct sb_scan_spot { /* something about a file */
    const sb_rule *rule;
    sb_slice path;
    sb_slice proof; /* the file that shows it; absent: it is at `path` itself */
    sb_slice message;
    uint64_t size;
    bool stays; /* counts when a later layer took the file away, too: its bytes are in the image */
} sb_scan_spot;

typedef struct sb_scan_unread { /* an archive within a file, or the rest of one, that was not looked into */
    const sb_rule *rule;
    sb_slice path, why;
} sb_scan_unread;

typedef struct sb_scan_cache { /* of a package manager */
    uint64_t bytes, files;
    sb_slice sample; /* a path in it */
} sb_scan_cache;
enum { SB_SCAN_CACHES_MAX = 24 };

typedef struct sb_scan_facts {
    sb_arena *arena;
    sb_scan_leak *leaks;
    size_t leak_count, leak_cap;
    sb_scan_spot *spots;
    size_t spot_count, spot_cap;
    sb_scan_unread *unread;
    size_t unread_count, unread_cap;
    sb_scan_cache caches[SB_SCAN_CACHES_MAX];
    uint64_t *seen; /* hashes of paths with what is there; sorted at the end */
    size_t seen_count, seen_cap;
    bool cut;          /* something of the above was too much to remember */
    uint64_t bytes;    /* uncompressed, of the tar */
    uint64_t files;    /* entries */
    sb_digest stored;  /* sha256 of the bytes as they are stored, when all of them were read */
    bool plain;        /* they are not compressed: `stored` is the diffID */
    sb_error *failure; /* owned: why not all of it was read; the facts are of what came before */
} sb_scan_facts;
sb_scan_facts *sb_scan_facts_new(void);
void sb_scan_facts_free(sb_scan_facts *facts);
SB_DEFINE_CLEANUP(sb_scan_facts, sb_scan_facts_free)

typedef enum sb_scan_seen { SB_SEEN_FILE, SB_SEEN_DIR, SB_SEEN_WHITEOUT, SB_SEEN_OPAQUE } sb_scan_seen;

/* What all workers share. */
typedef struct sb_scan_run {
    const sb_scan_options *options;
    const sb_secret_rules *secrets;
    unsigned depth;
    uint64_t seed; /* of hashes of paths */
    atomic_size_t entries;
    atomic_uint_least64_t bytes;  /* read so far */
    struct sb_scan_print *prints; /* of the thread that began */
    size_t print_count, print_cap;
} sb_scan_run;

/* facts.c */
void sb_scan_saw(sb_scan_run *run, sb_scan_facts *facts, sb_slice path, sb_scan_seen what);
void sb_scan_facts_sort(sb_scan_facts *facts);
/* Does the layer take away, or replace, what an earlier one has at this path? */
bool sb_scan_takes_away(const sb_scan_run *run, const sb_scan_facts *facts, sb_slice path,
                        bool *ret_replaced);
sb_scan_spot *sb_scan_add_spot(sb_scan_facts *facts, const sb_rule *rule, sb_slice path, uint64_t size,
                               const char *fmt, ...) SB_PRINTF(5, 6);
void sb_scan_add_unread(sb_scan_facts *facts, const sb_rule *rule, sb_slice path, const char *why);

/* --- Workers: one per thread --- */

typedef struct sb_scan_worker {
    sb_scan_run *run;
    sb_secret_scanner *scanner;
    sb_scan_facts *facts; /* of the layer that it is at */
    char *buffer;
    /* of the layer's file that it is at */
    sb_buf path;      /* of the file, or of what is within */
    size_t path_file; /* how much of that is the file's */
    uint64_t size;
    uint64_t taken, made; /* bytes of the file, and bytes that came out of archives and decompressors */
    uint64_t layer_taken, layer_made; /* the same of all files of the layer before it */
    bool exhausted;                   /* more came out than may */
    bool told;                        /* and that was noted */
    size_t first_leak;                /* of the facts', of the file within */
    uint64_t last_line;               /* that a secret was found in */
} sb_scan_worker;
enum { SB_SCAN_BUFFER = 128 << 10 };
void sb_scan_worker_init(sb_scan_worker *worker, sb_scan_run *run);
void sb_scan_worker_clear(sb_scan_worker *worker);

/*
 * The tar of a layer, from its compressed bytes. Never fails but for SB_ERR_INTERRUPTED: what it could not
 * read is told in facts->failure. The feed is not read beyond what it takes to know its digest.
 */
int sb_scan_read_layer(sb_scan_worker *worker, sb_layer_feed feed, const char *name, sb_scan_facts *facts,
                       sb_error **err);
/* What an entry of a layer is, by name and mode (files.c); and by its text, for a few. */
void sb_scan_file(sb_scan_worker *worker, const sb_layer_entry *entry);
bool sb_scan_wants_text(const sb_layer_entry *entry);
void sb_scan_text(sb_scan_worker *worker, const sb_layer_entry *entry, sb_slice text);
/* Of caches of package managers: "apt's package lists"; NULL: there is none of that index. */
const char *sb_scan_cache_name(size_t index);

/* A stream of bytes that is looked at before it is read (content.c). */
typedef struct sb_scan_stream {
    sb_layer_feed feed;
    unsigned char head[512];
    size_t at, len; /* of what is unread in it */
    bool broken;    /* the feed failed: an error of what is around, not of what is in it */
} sb_scan_stream;
int sb_scan_stream_read(void *ctx, void *data, size_t len, size_t *ret_len, sb_error **err);
/*
 * Looks through a file's bytes, into archives as well. `archives` is how deep in archives it is. -1 only when
 * the stream itself failed; it is read to its end otherwise.
 */
int sb_scan_content(sb_scan_worker *worker, sb_scan_stream *stream, unsigned archives, unsigned packings,
                    uint64_t memory, sb_error **err);
/* Bytes came out of a decompressor; SB_ERR_LIMIT when they are too many. */
int sb_scan_spend(sb_scan_worker *worker, uint64_t bytes, sb_error **err);
/* A zip file's entries (zip.c): content of each goes to sb_scan_content. */
int sb_scan_zip(sb_scan_worker *worker, sb_scan_stream *stream, unsigned archives, unsigned packings,
                uint64_t memory, sb_error **err);
/* Adds "!/NAME", cleaned, to the worker's path, and takes it off again. */
size_t sb_scan_enter(sb_scan_worker *worker, sb_slice name);
void sb_scan_leave(sb_scan_worker *worker, size_t len);

/* --- The image --- */

typedef struct sb_scan_layer {
    sb_digest stored;  /* by the manifest; */
    bool has_stored;   /* a docker-archive has none */
    sb_digest diff_id; /* by the configuration */
    bool has_diff_id;
    uint64_t size;    /* as stored; 0: not known */
    sb_slice type;    /* of media, by the manifest */
    sb_slice name;    /* of the blob in an archive */
    sb_slice history; /* shown: secrets are redacted */
    bool base;
    sb_scan_facts *facts; /* owned, unless it is `shared` with another layer; NULL until it was read */
    bool shared;
} sb_scan_layer;

typedef struct sb_scan_document { /* a text of the image that is no file */
    const sb_rule *rule;          /* of secrets in it */
    const char *place;            /* "attestation[0]" */
    sb_slice text;                /* raw JSON */
    bool cut;                     /* only its beginning */
} sb_scan_document;

typedef struct sb_scan_image {
    sb_arena *arena;
    sb_slice config;   /* raw; absent when it was not found */
    sb_slice manifest; /* raw; absent in a docker-archive */
    sb_digest manifest_digest;
    sb_slice index; /* raw, that the manifest was chosen from; absent without */
    sb_scan_layer *layers;
    size_t layer_count;
    sb_scan_document *documents;
    size_t document_count, document_cap;
    size_t attested;   /* bytes of attestations among them */
    sb_slice *history; /* shown, of each entry, empty ones included */
    size_t history_count;
    sb_slice *others; /* platforms of its index that are there as well, and were not looked at */
    size_t other_count, other_cap;
    sb_error *failure; /* owned: why the image is not whole */
} sb_scan_image;
sb_scan_image *sb_scan_image_new(void);
void sb_scan_image_free(sb_scan_image *image);
SB_DEFINE_CLEANUP(sb_scan_image, sb_scan_image_free)

/* Where blobs are. One per input; `read` and `open` of LAYOUT and REGISTRY may be called from any thread. */
typedef struct sb_scan_blobs sb_scan_blobs;
struct sb_scan_blobs {
    /* A small one, in memory, verified where a digest is known. SB_ERR_NOT_FOUND. */
    int (*read)(sb_scan_blobs *blobs, const sb_descriptor *blob, size_t max, sb_arena *arena,
                sb_slice *ret_data, sb_error **err);
    /* The bytes of a layer, to `use`. */
    int (*stream)(sb_scan_blobs *blobs, const sb_scan_layer *layer,
                  int (*use)(void *ctx, sb_layer_feed feed, sb_error **err), void *ctx, sb_error **err);
    void (*free)(sb_scan_blobs *blobs);
    bool one_thread; /* streams one after the other */
};

/*
 * Finds the image: its documents and layers are set, blobs can be streamed. With `worker` the layers of an
 * archive that is a pipe are scanned on the way (they have facts then); without, such layers are passed over.
 */
int sb_scan_open_archive(const sb_scan_input *input, const sb_scan_options *options, sb_scan_worker *worker,
                         sb_scan_image *image, sb_scan_blobs **ret_blobs, sb_error **err);
int sb_scan_open_layout(const sb_scan_input *input, const sb_scan_options *options, sb_scan_image *image,
                        sb_scan_blobs **ret_blobs, sb_error **err);
int sb_scan_open_remote(const sb_scan_input *input, const sb_scan_options *options,
                        const sb_settings *settings, sb_progress *progress, sb_scan_image *image,
                        sb_scan_blobs **ret_blobs, sb_error **err);
/*
 * image.c: from an index (or manifest) to the image: chooses the platform, reads configuration, manifest and
 * attestations, lists the layers.
 */
int sb_scan_resolve(sb_scan_blobs *blobs, sb_slice root, const char *reference,
                    const sb_scan_options *options, sb_scan_image *image, sb_error **err);
/* What the configuration says of the layers: diffIDs, when the manifest did not tell more. */
int sb_scan_take_config(sb_scan_image *image, sb_slice config, sb_error **err);

/* --- The report --- */

/* texts.c: secrets in configuration, history, annotations, attestations; fills image->history and the layers'
 * history. */
void sb_scan_texts(sb_scan_run *run, sb_scan_image *image, sb_report *report);
/* settle.c: what the layers' facts come to. */
void sb_scan_settle(sb_scan_run *run, const sb_scan_image *image, sb_report *report);
/* config.c: findings about the image as a whole. */
void sb_scan_config(const sb_scan_run *run, const sb_scan_image *image, sb_report *report);
/* A finding of this image, its severity by the settings; NULL when the rule is off or there are too many. */
sb_finding *sb_scan_say(const sb_scan_run *run, sb_report *report, const sb_rule *rule, const char *fmt, ...)
    SB_PRINTF(4, 5);

/*
 * prints.c: fingerprints of secrets take time, so they are made at the end, for what is told, by all threads,
 * once per secret. Pending ones are the findings of a report, by index.
 */
typedef struct sb_scan_print {
    size_t finding;
    const char *id;
    unsigned char hash[SB_SECRET_HASH], key[SB_SECRET_HASH];
    sb_slice place;
} sb_scan_print;
void sb_scan_print_later(sb_scan_run *run, const sb_report *report, const sb_finding *finding, const char *id,
                         const unsigned char hash[SB_SECRET_HASH], sb_slice place);
void sb_scan_make_prints(sb_scan_run *run, sb_report *report);

/* rules.c */
extern const sb_rule sb800_incomplete, sb801_archive_limit, sb802_archive_unread, sb810_root, sb811_user_name,
    sb820_setuid, sb821_setuid_base, sb822_capabilities, sb823_writable_file, sb824_writable_dir,
    sb825_passwd_writable, sb826_empty_password, sb830_package_cache, sb831_git, sb840_host_key,
    sb841_authorized_keys, sb842_history_file, sb843_machine_id, sb844_core_dump, sb845_sensitive_file,
    sb850_moving_tag, sb851_labels;
extern const sb_rule sb901_layer, sb902_deleted, sb903_config, sb904_history, sb905_annotation,
    sb906_attestation, sb908_likely;

#endif
