// SPDX-License-Identifier: Apache-2.0
/* What must vouch for a download, from comments, ADD --checksum and trust rules, as evidence still to be
 * found. */
#include <lock/update.h>

#include <fcntl.h>
#include <stdlib.h>

#include <lock/evidence.h>
#include <lock/key_file.h>
#include <sbuild/fs.h>

typedef struct collector {
    sb_updater *u;
    const sb_want_source *want;
    sb_lock_evidence *items;
    size_t count, cap;
} collector;

static int read_context_file(sb_updater *u, const sb_demand *demand, sb_slice path, size_t max,
                             sb_slice *ret_data, sb_error **err)
{
    sb_autofree char *name = sb_slice_dup(path);
    sb_autofree char *shown = sb_printable(path);
    sb_autofree char *data = NULL;
    sb_autoclose int fd = -1;
    bool missing = false;
    size_t len = 0;

    if (strlen(name) != path.len)
        return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT ": %s is no file name", SB_ARG(demand->origin), shown);
    fd = sb_open_within(u->project->context_fd, name, O_RDONLY | O_NONBLOCK, 0, &missing, err);
    if (fd < 0 && missing)
        return sb_fail(err, SB_ERR_PARSE, "%" SB_FMT ": there is no %s in the context %" SB_FMT,
                       SB_ARG(demand->origin), shown, SB_ARG(u->project->context));
    if (fd < 0 || sb_read_fd(fd, name, max, &data, &len, err) < 0)
        return sb_wrap(err, "%" SB_FMT, SB_ARG(demand->origin));
    *ret_data = sb_arena_dup(u->arena, sb_slice_of(data, len));
    return 0;
}

static int cmp_slices(const void *a, const void *b)
{
    return sb_slice_cmp(*(const sb_slice *)a, *(const sb_slice *)b);
}

static int cmp_digests(const void *a, const void *b)
{
    return sb_digest_cmp(a, b);
}

/* Keys into the cache, pins and threshold into the evidence, in an order that does not depend on the
 * comment's. */
static int add_openpgp(collector *c, const sb_demand *demand, sb_lock_evidence *item, sb_error **err)
{
    sb_arena *arena = c->u->lock->arena;

    item->keys = sb_arena_array(arena, sb_digest, demand->key_count + 1);
    item->pins = sb_arena_array(arena, sb_slice, demand->pin_count + 1);
    for (size_t i = 0; i < demand->key_count; i++) {
        sb_slice data;
        sb_digest digest;

        if (read_context_file(c->u, demand, demand->keys[i], SB_PGP_KEYRING_MAX, &data, err) < 0)
            return -1;
        data = sb_key_file_bytes(c->u->arena, data);
        sb_digest_of(SB_HASH_SHA256, data, &digest);
        if (!sb_update_has(c->u, &digest) && sb_store_put(c->u->cache, data, &digest, err) < 0)
            return -1;
        item->keys[item->key_count++] = digest;
    }
    for (size_t i = 0; i < demand->pin_count; i++)
        item->pins[item->pin_count++] = sb_arena_dup(arena, demand->pins[i]);
    qsort(item->keys, item->key_count, sizeof(*item->keys), cmp_digests);
    qsort(item->pins, item->pin_count, sizeof(*item->pins), cmp_slices);
    item->threshold = demand->threshold;
    return 0;
}

/* An absent slice is like an empty one. */
static bool same_slice(sb_slice a, sb_slice b)
{
    return a.ptr && b.ptr ? sb_slice_eq(a, b) : !a.len && !b.len;
}

static bool same_slices(const sb_slice *a, size_t an, const sb_slice *b, size_t bn)
{
    if (an != bn)
        return false;
    for (size_t i = 0; i < an; i++)
        if (!sb_slice_eq(a[i], b[i]))
            return false;
    return true;
}

bool sb_evidence_same_demand(const sb_lock_evidence *a, const sb_lock_evidence *b)
{
    if (a->kind != b->kind || !same_slice(a->url, b->url) ||
        !same_slice(a->signature_url, b->signature_url) || !same_slice(a->minisign_key, b->minisign_key) ||
        a->key_count != b->key_count ||
        (a->threshold ? a->threshold : 1) != (b->threshold ? b->threshold : 1) ||
        !same_slices(a->pins, a->pin_count, b->pins, b->pin_count))
        return false;
    /* Of a list the checksum is what was found in it, not what was asked for. */
    if (a->kind == SB_EVIDENCE_CHECKSUM && !same_slice(a->checksum, b->checksum))
        return false;
    for (size_t i = 0; i < a->key_count; i++)
        if (!sb_digest_eq(&a->keys[i], &b->keys[i]))
            return false;
    return true;
}

static void add(collector *c, const sb_lock_evidence *item)
{
    for (size_t i = 0; i < c->count; i++)
        if (sb_evidence_same_demand(&c->items[i], item))
            return;
    *SB_ARENA_PUSH(c->u->lock->arena, c->items, c->count, c->cap) = *item;
}

static sb_slice lock_slice(collector *c, sb_slice s)
{
    return sb_arena_dup(c->u->lock->arena, s);
}

static int url_of(collector *c, const sb_demand *demand, sb_slice pattern, sb_slice *ret_url, sb_error **err)
{
    return sb_demand_url(c->u->lock->arena, demand, pattern, c->want->expanded, ret_url, err);
}

/* "RW…" itself, or the line of a public key file. */
static int minisign_key(collector *c, const sb_demand *demand, sb_slice *ret_key, sb_error **err)
{
    enum { KEY_FILE_MAX = 4096, KEY_CHARS = 56 };
    sb_slice rest;

    if (demand->minisign.len == KEY_CHARS && sb_slice_starts(demand->minisign, SB_LIT("RW"))) {
        *ret_key = demand->minisign;
        return 0;
    }
    if (read_context_file(c->u, demand, demand->minisign, KEY_FILE_MAX, &rest, err) < 0)
        return -1;
    while (rest.ptr) {
        sb_slice line = sb_slice_trim(sb_slice_cut(&rest, '\n'));

        if (line.len == KEY_CHARS && sb_slice_starts(line, SB_LIT("RW"))) {
            *ret_key = line;
            return 0;
        }
    }
    return sb_fail(err, SB_ERR_PARSE,
                   "%" SB_FMT ": %" SB_FMT " holds no minisign public key (a line \"RW…\")",
                   SB_ARG(demand->origin), SB_ARG(demand->minisign));
}

static int add_minisign(collector *c, const sb_demand *demand, sb_error **err)
{
    sb_lock_evidence item = {.kind = SB_EVIDENCE_MINISIGN};
    sb_slice pattern = demand->minisign_signature.ptr ? demand->minisign_signature : SB_LIT("{url}.minisig");
    sb_slice key;

    if (minisign_key(c, demand, &key, err) < 0 || url_of(c, demand, pattern, &item.url, err) < 0)
        return -1;
    item.minisign_key = lock_slice(c, key);
    add(c, &item);
    return 0;
}

static int add_file_demand(collector *c, const sb_demand *demand, sb_error **err)
{
    if (sb_demand_check_file(demand, err) < 0)
        return -1;
    for (size_t i = 0; i < demand->hash_count; i++) {
        sb_lock_evidence item = {.kind = SB_EVIDENCE_CHECKSUM};
        char text[SB_DIGEST_TEXT];

        sb_digest_format(&demand->hashes[i], text);
        item.checksum = lock_slice(c, sb_slice_z(text));
        add(c, &item);
    }
    if (demand->signature.ptr) {
        sb_lock_evidence item = {.kind = SB_EVIDENCE_OPENPGP};

        if (url_of(c, demand, demand->signature, &item.url, err) < 0 ||
            add_openpgp(c, demand, &item, err) < 0)
            return -1;
        add(c, &item);
    }
    if (demand->checksums.ptr) {
        sb_lock_evidence item = {.kind = SB_EVIDENCE_CHECKSUMS};

        if (url_of(c, demand, demand->checksums, &item.url, err) < 0 ||
            (demand->checksums_signature.ptr &&
             url_of(c, demand, demand->checksums_signature, &item.signature_url, err) < 0) ||
            add_openpgp(c, demand, &item, err) < 0)
            return -1;
        add(c, &item);
    }
    return demand->minisign.ptr ? add_minisign(c, demand, err) : 0;
}

static int add_git_demand(collector *c, const sb_demand *demand, sb_error **err)
{
    sb_lock_evidence item = {.kind = SB_EVIDENCE_OPENPGP};

    if (sb_demand_check_git(demand, err) < 0 || add_openpgp(c, demand, &item, err) < 0)
        return -1;
    add(c, &item);
    return 0;
}

/* ADD --checksum: a digest of a file, a beginning of a commit's name. */
static int add_checksum(collector *c, sb_slice value, sb_error **err)
{
    sb_lock_evidence item = {.kind = SB_EVIDENCE_CHECKSUM, .checksum = lock_slice(c, value)};
    sb_digest ignored;

    if (!c->want->is_git && sb_digest_parse(value, &ignored, err) < 0)
        return sb_wrap(err, "%" SB_FMT ": ADD --checksum", SB_ARG(c->want->origin));
    if (c->want->is_git) {
        for (size_t i = 0; i < value.len; i++)
            if (!strchr("0123456789abcdef", value.ptr[i]))
                return sb_fail(err, SB_ERR_PARSE,
                               "%" SB_FMT ": the checksum of a git repository is a commit's name",
                               SB_ARG(c->want->origin));
    }
    add(c, &item);
    return 0;
}

/* A rule that speaks of the other kind of download is none for this one. */
static bool rule_applies(const sb_want_source *want, const sb_trust_rule *rule, const sb_demand *demand)
{
    bool for_file =
        demand->signature.ptr || demand->checksums.ptr || demand->minisign.ptr || demand->hash_count;

    return sb_trust_applies(rule->url_prefix, want->expanded) && for_file == !want->is_git;
}

static int add_rules(collector *c, sb_error **err)
{
    const sb_settings *settings = c->u->settings;

    for (size_t i = 0; i < settings->trust_count; i++) {
        const sb_trust_rule *rule = &settings->trust[i];
        sb_autofree char *prefix = sb_printable(rule->url_prefix);
        sb_slice origin = sb_arena_printf(c->u->arena, "%" SB_FMT ": the trust rule for %s",
                                          SB_ARG(c->want->origin), prefix);
        sb_demand demand;

        if (sb_demand_parse(c->u->arena, rule->options, origin, &demand, err) < 0)
            return -1;
        if (!rule_applies(c->want, rule, &demand))
            continue;
        if ((c->want->is_git ? add_git_demand(c, &demand, err) : add_file_demand(c, &demand, err)) < 0)
            return -1;
    }
    return 0;
}

static bool vouched(const collector *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].kind != SB_EVIDENCE_CHECKSUMS || c->items[i].key_count || c->items[i].pin_count)
            return true;
    return false;
}

int sb_update_demanded(sb_updater *u, const sb_want_source *want, sb_lock_evidence **ret_evidence,
                       size_t *ret_count, sb_error **err)
{
    collector c = {.u = u, .want = want};

    for (size_t i = 0; i < want->checksum_count; i++)
        if (add_checksum(&c, want->checksums[i], err) < 0)
            return -1;
    for (size_t i = 0; i < want->demand_count; i++)
        if ((want->is_git ? add_git_demand(&c, &want->demands[i], err)
                          : add_file_demand(&c, &want->demands[i], err)) < 0)
            return -1;
    if (add_rules(&c, err) < 0)
        return -1;
    if (!vouched(&c))
        add(&c, &(sb_lock_evidence){.kind = SB_EVIDENCE_TOFU});
    *ret_evidence = c.items;
    *ret_count = c.count;
    return 0;
}

int sb_update_vouched(sb_updater *u, const sb_want_source *want, const sb_lock_evidence *evidence,
                      size_t count, sb_error **err)
{
    sb_autofree char *url = sb_printable(want->expanded);
    bool hint = false;

    for (size_t i = 0; i < count; i++) {
        if (sb_evidence_vouches(&evidence[i]))
            return 0;
        hint = hint || evidence[i].kind == SB_EVIDENCE_CHECKSUMS;
    }
    if (u->require)
        return sb_fail(err, SB_ERR_UNPINNED,
                       "%" SB_FMT
                       ": nobody vouches for %s%s; add ADD --checksum, or above it \"# sbuild: verify "
                       "signature=… key=… fingerprint=…\"",
                       SB_ARG(want->origin), url, hint ? " but an unsigned checksum list" : "");
    if (want->changed)
        sb_progress_line(u->progress, SB_EVENT_WARNING,
                         "%" SB_FMT ": nobody vouches for %s%s; what it is now is locked (first use)",
                         SB_ARG(want->origin), url, hint ? " but an unsigned checksum list" : "");
    return 0;
}
