// SPDX-License-Identifier: Apache-2.0
/* What goes into an image, as far as the lock knows it, for tools that ask: the same lock gives the same
 * bytes. */
#include <lock/sbom.h>

#include <lock/evidence.h>
#include <lock/packages.h>

typedef struct collector {
    const sb_lock *lock;
    sb_arena *arena;
    sb_parts parts;
    size_t cap;
} collector;

/* A UUID of version 8: its bits are those of the digest. */
static void serial_of(const sb_digest *digest, char ret_text[37])
{
    unsigned char b[16];

    memcpy(b, digest->bytes, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x80);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(ret_text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static sb_part *add(collector *c, sb_part_kind kind, sb_slice name, const sb_digest *digest)
{
    sb_part *part = SB_ARENA_PUSH(c->arena, c->parts.items, c->parts.count, c->cap);

    *part = (sb_part){.kind = kind, .name = name, .digest = *digest, .vouched = SB_LIT("nobody (first use)")};
    return part;
}

static void add_image(collector *c, const sb_lock_image *image)
{
    sb_part *part = add(c, SB_PART_IMAGE, image->name, &image->digest);
    sb_slice repository = image->name;
    sb_purl purl = {.type = "oci"};
    char text[SB_DIGEST_TEXT];
    ptrdiff_t colon = sb_slice_rchr(repository, ':');

    if (colon > sb_slice_rchr(repository, '/'))
        repository.len = (size_t)colon;
    sb_digest_format(&image->digest, text);
    purl.name = sb_path_last(repository);
    purl.version = sb_arena_dup(c->arena, sb_slice_z(text));
    sb_purl_qualify(&purl, "repository_url", repository);
    sb_purl_qualify(&purl, "tag", image->version);
    part->version = image->version.len ? image->version : purl.version;
    part->purl = sb_purl_format(c->arena, &purl);
    part->vouched = SB_LIT("the registry, when it was locked");
    part->needed = image->where;
    part->needed_count = image->where_count;
}

static void add_file(collector *c, const sb_lock_file *file)
{
    sb_part *part = add(c, SB_PART_FILE, sb_df_url_filename(c->arena, file->expanded), &file->digest);
    sb_purl purl = {.type = "generic", .name = part->name};
    char text[SB_DIGEST_TEXT];

    sb_digest_format(&file->digest, text);
    sb_purl_qualify(&purl, "checksum", sb_arena_dup(c->arena, sb_slice_z(text)));
    sb_purl_qualify(&purl, "download_url", file->expanded);
    part->purl = sb_purl_format(c->arena, &purl);
    part->url = file->expanded;
    part->vouched = sb_evidence_describe(c->arena, file->evidence, file->evidence_count);
}

static void add_git(collector *c, const sb_lock_git *git)
{
    sb_part *part = add(c, SB_PART_GIT, git->remote, &git->archive);
    sb_slice name = sb_path_last(git->remote), stem = sb_purl_stem(name, ".git");
    sb_purl purl = {.type = "generic", .name = stem.ptr ? stem : name, .version = git->commit};

    sb_purl_qualify(
        &purl, "vcs_url",
        sb_arena_printf(c->arena, "git+%" SB_FMT "@%" SB_FMT, SB_ARG(git->remote), SB_ARG(git->commit)));
    part->version = git->commit;
    part->purl = sb_purl_format(c->arena, &purl);
    part->url = git->remote;
    part->vouched = sb_evidence_describe(c->arena, git->evidence, git->evidence_count);
}

static sb_slice step_named(const collector *c, sb_slice id)
{
    for (size_t i = 0; i < c->lock->step_count; i++) {
        const sb_lock_step *step = &c->lock->steps[i];
        char own[SB_STEP_ID_LEN + 1];

        sb_step_id(step->stage, &step->text, step->nth, step->platform, own);
        if (sb_slice_eqz(id, own))
            return sb_arena_printf(c->arena, "RUN %" SB_FMT " (%" SB_FMT ")", SB_ARG(step->command),
                                   SB_ARG(step->platform));
    }
    return id;
}

static void add_package(collector *c, const sb_lock_package *package)
{
    sb_part *part = add(c, SB_PART_PACKAGE, package->purl, &package->digest);
    sb_slice kind, name, version;

    sb_purl_parts(c->arena, package->purl, &kind, &name, &version);
    if (name.len) {
        part->name = name;
        part->version = version;
        part->purl = package->purl;
    }
    part->vouched = sb_package_vouched(package);
    part->needed = sb_arena_array(c->arena, sb_slice, package->step_count + 1);
    for (size_t i = 0; i < package->step_count; i++)
        part->needed[part->needed_count++] = step_named(c, package->steps[i]);
}

/* The purl, and where several have one (files of a release, other bytes) also which. */
static void name_parts(collector *c)
{
    for (size_t i = 0; i < c->parts.count; i++) {
        sb_part *part = &c->parts.items[i];
        const sb_part *before = i ? &c->parts.items[i - 1] : NULL,
                      *behind = i + 1 < c->parts.count ? part + 1 : NULL;
        char hex[SB_DIGEST_HEX];

        part->ref = part->purl.len ? part->purl : part->name;
        if ((before && sb_slice_eq(before->purl, part->purl)) ||
            (behind && sb_slice_eq(behind->purl, part->purl))) {
            sb_digest_hex(&part->digest, hex);
            part->ref = sb_arena_printf(c->arena, "%" SB_FMT "#sha256-%.16s", SB_ARG(part->ref), hex);
        }
    }
}

int sb_lock_sbom(sb_lock *lock, sb_sbom_format format, sb_buf *out, sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    collector c = {.lock = lock, .arena = arena, .parts = {.name = lock->dockerfile}};
    sb_autobuf text = SB_BUF_INIT(SB_LOCK_MAX);
    sb_digest digest;

    if (sb_lock_format(lock, &text, err) < 0)
        return -1;
    sb_digest_of(SB_HASH_SHA256, sb_buf_slice(&text), &digest);
    serial_of(&digest, c.parts.serial);
    sb_time_format(lock->epoch, c.parts.time);
    for (size_t i = 0; i < lock->image_count; i++)
        add_image(&c, &lock->images[i]);
    for (size_t i = 0; i < lock->file_count; i++)
        add_file(&c, &lock->files[i]);
    for (size_t i = 0; i < lock->git_count; i++)
        add_git(&c, &lock->git[i]);
    for (size_t i = 0; i < lock->package_count; i++)
        add_package(&c, &lock->packages[i]);
    name_parts(&c);
    return format == SB_SBOM_SPDX ? sb_sbom_spdx(&c.parts, out, err) : sb_sbom_cyclonedx(&c.parts, out, err);
}
