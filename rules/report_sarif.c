// SPDX-License-Identifier: Apache-2.0
/* SARIF 2.1.0 with one run. Columns are in characters, and it says so. */
#include <sbuild/finding.h>
#include <sbuild/json.h>

#include <string.h>

enum { URI_MAX = 1 << 14, TEXT_MAX = 1 << 16, CONTENT_MAX = 1 << 24 };

typedef struct used_rules { /* in the order in which they are found */
    const sb_rule **items;
    size_t count, cap;
} used_rules;

static size_t index_of(const used_rules *used, const sb_rule *rule)
{
    size_t i = 0;

    while (i < used->count && used->items[i] != rule)
        i++;
    return i;
}

static const char *level_of(sb_severity severity)
{
    return severity == SB_SEVERITY_ERROR     ? "error"
           : severity == SB_SEVERITY_WARNING ? "warning"
           : severity == SB_SEVERITY_INFO    ? "note"
                                             : "none";
}

static void put_text(sb_json_writer *w, const char *key, sb_slice text)
{
    sb_json_open(w, key, '{');
    sb_json_put_str(w, "text", text.ptr ? text : SB_LIT(""));
    sb_json_close(w, '}');
}

/* --- Rules --- */

static const char *family_of(const sb_rule *rule)
{
    const sb_rule_set *family;

    for (size_t i = 0; (family = sb_rule_family(i)); i++)
        for (size_t j = 0; j < family->count; j++)
            if (family->rules[j] == rule)
                return family->title;
    return NULL;
}

static void put_rule(sb_json_writer *w, const sb_rule *rule)
{
    sb_autobuf help = SB_BUF_INIT(TEXT_MAX), full = SB_BUF_INIT(TEXT_MAX);

    sb_buf_printf(&full, "%s.", rule->summary);
    sb_buf_printf(&help, "%s. See ", rule->remedy);
    sb_rule_url(rule, &help);
    sb_json_newline(w);
    sb_json_open(w, NULL, '{');
    sb_json_put_strz(w, "id", rule->id);
    sb_json_put_strz(w, "name", rule->name);
    put_text(w, "shortDescription", sb_slice_z(rule->summary));
    put_text(w, "fullDescription", sb_buf_slice(&full));
    put_text(w, "help", sb_buf_slice(&help));
    sb_json_open(w, "defaultConfiguration", '{');
    sb_json_put_bool(w, "enabled", rule->severity != SB_SEVERITY_OFF);
    sb_json_put_strz(w, "level", level_of(rule->severity));
    sb_json_close(w, '}');
    sb_json_open(w, "properties", '{');
    sb_json_open(w, "tags", '[');
    sb_json_put_strz(w, NULL, family_of(rule));
    sb_json_close(w, ']');
    sb_json_close(w, '}');
    sb_json_close(w, '}');
}

static void put_tool(sb_json_writer *w, const sb_report *report, const used_rules *used)
{
    sb_json_open(w, "tool", '{');
    sb_json_open(w, "driver", '{');
    sb_json_put_strz(w, "name", "sbuild");
    sb_json_put_strz(w, "version", SBUILD_VERSION);
    sb_json_put_strz(w, "semanticVersion", SBUILD_VERSION);
    sb_json_open(w, "rules", '[');
    for (size_t i = 0; i < used->count; i++)
        put_rule(w, used->items[i]);
    sb_json_close(w, ']');
    sb_json_close(w, '}');
    sb_json_close(w, '}');
    sb_json_open(w, "automationDetails", '{');
    sb_json_put_strz(w, "id", strcmp(report->tool, "scan") == 0 ? "sbuild/scan/" : "sbuild/lint/");
    sb_json_close(w, '}');
}

/* --- Places --- */

/* A path as a URI reference: everything but "/" and what RFC 3986 calls unreserved is escaped, so that no
 * first component with a ":" is taken for a scheme. */
static void add_uri(sb_buf *out, sb_slice path)
{
    if (path.len && *path.ptr == '/')
        sb_buf_addz(out, "file://");
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i], lower = sb_ascii_lower(c);

        if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || (c && strchr("/-._~", c)))
            sb_buf_addc(out, c);
        else
            sb_buf_printf(out, "%%%02X", (unsigned char)c);
    }
}

/* "app/.env" of "layer 4: app/.env" */
static sb_slice path_in_image(const sb_finding *f)
{
    ptrdiff_t at = sb_slice_find(f->place.where, SB_LIT(": "));

    return f->place.layer && at >= 0 ? sb_slice_sub(f->place.where, (size_t)at + 2, f->place.where.len)
                                     : f->place.where;
}

static void put_artifact(sb_json_writer *w, const sb_finding *f)
{
    sb_slice path = f->place.where.ptr ? path_in_image(f) : f->file;
    sb_autobuf uri = SB_BUF_INIT(URI_MAX);

    while (sb_slice_starts(path, SB_LIT("./")))
        path = sb_slice_sub(path, 2, path.len);
    if (f->place.where.ptr)
        while (path.len && *path.ptr == '/')
            path = sb_slice_sub(path, 1, path.len);
    add_uri(&uri, path);
    sb_json_open(w, "artifactLocation", '{');
    sb_json_put_str(w, "uri", sb_buf_slice(&uri));
    if (!sb_slice_starts(sb_buf_slice(&uri), SB_LIT("file:")))
        sb_json_put_strz(w, "uriBaseId", f->place.where.ptr ? "IMAGE" : "%SRCROOT%");
    sb_json_close(w, '}');
}

static void put_region(sb_json_writer *w, const sb_finding *f)
{
    if (!f->line)
        return;
    sb_json_open(w, "region", '{');
    sb_json_put_u64(w, "startLine", f->line);
    if (f->character)
        sb_json_put_u64(w, "startColumn", f->character);
    if (f->end_line >= f->line)
        sb_json_put_u64(w, "endLine", f->end_line);
    if (f->end_character)
        sb_json_put_u64(w, "endColumn", f->end_character);
    if (f->excerpt.ptr)
        put_text(w, "snippet", f->excerpt);
    sb_json_close(w, '}');
}

static void put_logical(sb_json_writer *w, const sb_finding *f)
{
    if (!f->place.where.ptr)
        return;
    sb_json_open(w, "logicalLocations", '[');
    sb_json_open(w, NULL, '{');
    sb_json_put_str(w, "fullyQualifiedName", f->place.where);
    sb_json_put_strz(w, "kind", f->place.layer ? "layer" : "configuration");
    sb_json_close(w, '}');
    sb_json_close(w, ']');
}

static void put_location(sb_json_writer *w, const sb_finding *f)
{
    sb_json_open(w, "locations", '[');
    sb_json_open(w, NULL, '{');
    sb_json_open(w, "physicalLocation", '{');
    put_artifact(w, f);
    put_region(w, f);
    sb_json_close(w, '}');
    put_logical(w, f);
    sb_json_close(w, '}');
    sb_json_close(w, ']');
}

/* --- Fixes --- */

static void add_base64(sb_buf *out, sb_slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = 0;

        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < n ? (unsigned char)bytes.ptr[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            sb_buf_addc(out, j <= n ? digits[group >> (18 - 6 * j) & 63] : '=');
    }
}

/* Edits are of bytes, and so are these regions; what is inserted is then given in base64. */
static void put_fixes(sb_json_writer *w, const sb_finding *f)
{
    if (!f->edit_count)
        return;
    sb_json_open(w, "fixes", '[');
    sb_json_open(w, NULL, '{');
    put_text(w, "description", sb_finding_remedy(f));
    sb_json_open(w, "artifactChanges", '[');
    sb_json_open(w, NULL, '{');
    put_artifact(w, f);
    sb_json_open(w, "replacements", '[');
    for (size_t i = 0; i < f->edit_count; i++) {
        const sb_df_edit *edit = &f->edits[i];
        sb_autobuf content = SB_BUF_INIT(CONTENT_MAX);

        sb_json_open(w, NULL, '{');
        sb_json_open(w, "deletedRegion", '{');
        sb_json_put_u64(w, "byteOffset", edit->span.start);
        sb_json_put_u64(w, "byteLength", edit->span.end - edit->span.start);
        sb_json_close(w, '}');
        add_base64(&content, edit->text);
        if (content.len) {
            sb_json_open(w, "insertedContent", '{');
            sb_json_put_str(w, "binary", sb_buf_slice(&content));
            sb_json_close(w, '}');
        }
        sb_json_close(w, '}');
    }
    sb_json_close(w, ']');
    sb_json_close(w, '}');
    sb_json_close(w, ']');
    sb_json_close(w, '}');
    sb_json_close(w, ']');
}

/* --- Results --- */

static void put_message(sb_json_writer *w, const sb_finding *f)
{
    sb_autobuf text = SB_BUF_INIT(TEXT_MAX);

    sb_buf_adds(&text, f->message);
    sb_buf_addz(&text, ". ");
    sb_buf_adds(&text, sb_finding_remedy(f));
    sb_buf_addc(&text, '.');
    put_text(w, "message", sb_buf_slice(&text));
}

/* When one result says whether it is suppressed, all have to. */
static void put_suppressions(sb_json_writer *w, const sb_finding *f)
{
    sb_json_open(w, "suppressions", '[');
    if (f->ignored.ptr) {
        sb_json_open(w, NULL, '{');
        sb_json_put_strz(w, "kind", f->accepted ? "external" : "inSource");
        sb_json_put_strz(w, "status", "accepted");
        sb_json_put_str(w, "justification", f->ignored);
        sb_json_close(w, '}');
    }
    sb_json_close(w, ']');
}

static void put_properties(sb_json_writer *w, const sb_finding *f)
{
    if (!f->kind.ptr && !f->place.where.ptr)
        return;
    sb_json_open(w, "properties", '{');
    sb_json_put_str(w, "kind", f->kind);
    if (f->place.layer)
        sb_json_put_u64(w, "layer", f->place.layer);
    sb_json_put_str(w, "layerDigest", f->place.digest);
    sb_json_put_str(w, "history", f->place.history);
    if (f->place.removed)
        sb_json_put_u64(w, "removedInLayer", f->place.removed);
    sb_json_put_str(w, "removedBy", f->place.removed_by);
    sb_json_close(w, '}');
}

static void put_result(sb_json_writer *w, const sb_finding *f, const used_rules *used)
{
    sb_json_newline(w);
    sb_json_open(w, NULL, '{');
    sb_json_put_strz(w, "ruleId", f->rule->id);
    sb_json_put_u64(w, "ruleIndex", index_of(used, f->rule));
    sb_json_put_strz(w, "level", level_of(f->severity));
    put_message(w, f);
    put_location(w, f);
    if (f->fingerprint.ptr) {
        sb_json_open(w, "partialFingerprints", '{');
        sb_json_put_str(w, "sbuild/v1", f->fingerprint);
        sb_json_close(w, '}');
    }
    put_suppressions(w, f);
    put_fixes(w, f);
    put_properties(w, f);
    sb_json_close(w, '}');
}

/* What the relative places are relative to. */
static void put_bases(sb_json_writer *w, const sb_report *report)
{
    if (!report->subject.ptr)
        return;
    sb_json_open(w, "originalUriBaseIds", '{');
    sb_json_open(w, "IMAGE", '{');
    put_text(w, "description", report->subject);
    sb_json_close(w, '}');
    sb_json_close(w, '}');
}

static void put_invocation(sb_json_writer *w, const sb_report *report)
{
    sb_json_open(w, "invocations", '[');
    sb_json_open(w, NULL, '{');
    sb_json_put_bool(w, "executionSuccessful", true);
    if (report->cut) {
        sb_json_open(w, "toolExecutionNotifications", '[');
        sb_json_open(w, NULL, '{');
        sb_json_put_strz(w, "level", "warning");
        put_text(w, "message", SB_LIT("There are more findings than are shown."));
        sb_json_close(w, '}');
        sb_json_close(w, ']');
    }
    sb_json_close(w, '}');
    sb_json_close(w, ']');
}

int sb_report_sarif(const sb_report *report, sb_buf *out, sb_error **err)
{
    sb_json_writer writer = {.out = out}, *w = &writer;
    used_rules used = {NULL, 0, 0};

    for (size_t i = 0; i < report->count; i++)
        if (index_of(&used, report->items[i].rule) == used.count)
            *SB_PUSH(used.items, used.count, used.cap) = report->items[i].rule;
    sb_json_open(w, NULL, '{');
    sb_json_put_strz(
        w, "$schema",
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json");
    sb_json_put_strz(w, "version", "2.1.0");
    sb_json_open(w, "runs", '[');
    sb_json_open(w, NULL, '{');
    put_tool(w, report, &used);
    put_invocation(w, report);
    put_bases(w, report);
    sb_json_put_strz(w, "columnKind", "unicodeCodePoints");
    sb_json_open(w, "results", '[');
    for (size_t i = 0; i < report->count; i++)
        put_result(w, &report->items[i], &used);
    sb_json_close(w, ']');
    sb_json_close(w, '}');
    sb_json_close(w, ']');
    sb_json_close(w, '}');
    sb_buf_addc(out, '\n');
    free(used.items);
    return sb_buf_check(out, "the report", err);
}
