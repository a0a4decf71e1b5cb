// SPDX-License-Identifier: Apache-2.0
/* CycloneDX 1.5 and SPDX 2.3, as JSON. */
#include <lock/sbom.h>

#include <sbuild/json.h>

static json_t *text(sb_slice s)
{
    return json_stringn(s.len ? s.ptr : "", s.len);
}

static int write(const json_t *root, sb_buf *out, sb_error **err)
{
    if (sb_json_write(root, out, err) < 0)
        return -1;
    sb_buf_addc(out, '\n');
    return sb_buf_check(out, "the bill of materials", err);
}

/* --- CycloneDX --- */

static void add_property(json_t *list, const char *name, sb_slice value)
{
    json_t *one = json_object();

    json_object_set_new(one, "name", json_string(name));
    json_object_set_new(one, "value", text(value));
    json_array_append_new(list, one);
}

static json_t *component(const sb_part *part)
{
    static const char *const types[] = {[SB_PART_IMAGE] = "container",
                                        [SB_PART_FILE] = "file",
                                        [SB_PART_GIT] = "library",
                                        [SB_PART_PACKAGE] = "library"};
    json_t *object = json_object(), *hash = json_object(), *properties = json_array();
    char hex[SB_DIGEST_HEX];

    sb_digest_hex(&part->digest, hex);
    json_object_set_new(hash, "alg", json_string("SHA-256"));
    json_object_set_new(hash, "content", json_string(hex));
    json_object_set_new(object, "type", json_string(types[part->kind]));
    json_object_set_new(object, "bom-ref", text(part->ref));
    json_object_set_new(object, "name", text(part->name));
    sb_json_set_str(object, "version", part->version);
    sb_json_set_str(object, "purl", part->purl);
    json_object_set_new(object, "hashes", json_pack("[o]", hash));
    if (part->url.len)
        json_object_set_new(object, "externalReferences",
                            json_pack("[{s:s,s:o}]", "type",
                                      part->kind == SB_PART_GIT ? "vcs" : "distribution", "url",
                                      text(part->url)));
    add_property(properties, "sbuild:vouched", part->vouched);
    for (size_t i = 0; i < part->needed_count; i++)
        add_property(properties, "sbuild:needed-by", part->needed[i]);
    json_object_set_new(object, "properties", properties);
    return object;
}

int sb_sbom_cyclonedx(const sb_parts *parts, sb_buf *out, sb_error **err)
{
    sb_autofree char *serial = sb_asprintf("urn:uuid:%s", parts->serial);
    json_t *components = json_array();
    sb_autojson *root =
        json_pack("{s:s,s:s,s:s,s:i,s:{s:s,s:{s:[{s:s,s:s,s:s}]},s:{s:s,s:s,s:o}},s:o}", "bomFormat",
                  "CycloneDX", "specVersion", "1.5", "serialNumber", serial, "version", 1, "metadata",
                  "timestamp", parts->time, "tools", "components", "type", "application", "name", "sbuild",
                  "version", SBUILD_VERSION, "component", "type", "container", "bom-ref", "the-image", "name",
                  text(parts->name), "components", components);

    for (size_t i = 0; i < parts->count; i++)
        json_array_append_new(components, component(&parts->items[i]));
    return write(root, out, err);
}

/* --- SPDX --- */

static json_t *package(const sb_part *part, const char *id)
{
    char hex[SB_DIGEST_HEX];
    json_t *object;

    sb_digest_hex(&part->digest, hex);
    object =
        json_pack("{s:s,s:o,s:b,s:[{s:s,s:s}],s:o}", "SPDXID", id, "name", text(part->name), "filesAnalyzed",
                  0, "checksums", "algorithm", "SHA256", "checksumValue", hex, "downloadLocation",
                  text(part->url.len && part->kind == SB_PART_FILE ? part->url : SB_LIT("NOASSERTION")));
    sb_json_set_str(object, "versionInfo", part->version);
    if (part->purl.len)
        json_object_set_new(object, "externalRefs",
                            json_pack("[{s:s,s:s,s:o}]", "referenceCategory", "PACKAGE-MANAGER",
                                      "referenceType", "purl", "referenceLocator", text(part->purl)));
    return object;
}

static json_t *relation(const char *from, const char *kind, const char *to)
{
    return json_pack("{s:s,s:s,s:s}", "spdxElementId", from, "relationshipType", kind, "relatedSpdxElement",
                     to);
}

int sb_sbom_spdx(const sb_parts *parts, sb_buf *out, sb_error **err)
{
    static const char document[] = "SPDXRef-DOCUMENT", image[] = "SPDXRef-Image";
    sb_autofree char *space = sb_asprintf("urn:uuid:%s", parts->serial);
    json_t *packages = json_array(), *relations = json_array();
    sb_autojson *root =
        json_pack("{s:s,s:s,s:s,s:o,s:s,s:{s:s,s:[s]},s:o,s:o}", "spdxVersion", "SPDX-2.3", "dataLicense",
                  "CC0-1.0", "SPDXID", document, "name", text(parts->name), "documentNamespace", space,
                  "creationInfo", "created", parts->time, "creators", "Tool: sbuild-" SBUILD_VERSION,
                  "packages", packages, "relationships", relations);

    json_array_append_new(packages, json_pack("{s:s,s:o,s:s,s:b,s:s}", "SPDXID", image, "name",
                                              text(parts->name), "downloadLocation", "NOASSERTION",
                                              "filesAnalyzed", 0, "primaryPackagePurpose", "CONTAINER"));
    json_array_append_new(relations, relation(document, "DESCRIBES", image));
    for (size_t i = 0; i < parts->count; i++) {
        sb_autofree char *id = sb_asprintf("SPDXRef-Part-%zu", i + 1);

        json_array_append_new(packages, package(&parts->items[i], id));
        json_array_append_new(relations, relation(image, "DEPENDS_ON", id));
    }
    return write(root, out, err);
}
