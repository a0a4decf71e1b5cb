// SPDX-License-Identifier: Apache-2.0
/* The value of RUN --mount: fields between commas, any of them in double quotes. */
#include <builder/pin.h>

/* The next field of a line of CSV, with its quotes. */
static sb_slice next_field(sb_slice *rest)
{
    sb_slice text = *rest;
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            quoted = !quoted;
        else if (text.ptr[i] == ',' && !quoted) {
            *rest = sb_slice_sub(text, i + 1, text.len);
            return sb_slice_sub(text, 0, i);
        }
    }
    *rest = SB_NIL;
    return text;
}

/* `name` in lower case; *ret_value is behind its "=". */
static bool is_field(sb_slice field, const char *name, sb_slice *ret_value)
{
    if (sb_slice_starts(field, SB_LIT("\"")))
        field = sb_slice_sub(field, 1, field.len - (sb_slice_ends(field, SB_LIT("\"")) && field.len > 1));
    if (!sb_slice_eq_nocase(sb_slice_cut(&field, '='), sb_slice_z(name)))
        return false;
    *ret_value = field;
    return true;
}

/* The flag anew, its `from` field replaced. */
sb_slice sb_pin_mount_from(sb_pin_doc *doc, const sb_df_flag *flag, sb_slice image)
{
    sb_autobuf out = SB_BUF_INIT(2 * flag->value.len + image.len + 64);
    sb_slice rest = flag->value;
    const char *before = "--mount=";
    sb_slice ignored;

    while (rest.ptr) {
        sb_slice field = next_field(&rest);

        sb_buf_addz(&out, before);
        before = ",";
        if (is_field(field, "from", &ignored)) {
            sb_buf_addz(&out, "from=");
            sb_buf_adds(&out, image);
            continue;
        }
        for (size_t i = 0; i < field.len; i++) {
            if (strchr(" \t\"'", field.ptr[i]) || field.ptr[i] == doc->df->escape)
                sb_buf_addc(&out, doc->df->escape);
            sb_buf_addc(&out, field.ptr[i]);
        }
    }
    return sb_arena_dup(doc->arena, sb_buf_slice(&out));
}

bool sb_pin_mount_cache(sb_slice value, sb_slice *ret_id)
{
    sb_slice id = SB_NIL, target = SB_NIL, type = SB_NIL;

    while (value.ptr) {
        sb_slice field = next_field(&value);

        /* The last one of a name counts. */
        if (is_field(field, "type", &type) || is_field(field, "id", &id) ||
            is_field(field, "target", &target) || is_field(field, "dst", &target) ||
            is_field(field, "destination", &target))
            continue;
    }
    if (!sb_slice_eqz(type, "cache"))
        return false;
    *ret_id = id.len ? id : target;
    return true;
}
