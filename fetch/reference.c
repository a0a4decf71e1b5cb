// SPDX-License-Identifier: Apache-2.0
#include <sbuild/reference.h>

#include <sbuild/buf.h>
#include <sbuild/digest.h>

enum { NAME_MAX_LEN = 255, TAG_MAX_LEN = 128, REFERENCE_MAX_LEN = 1024 };

static int fail_ref(sb_slice text, const char *why, sb_error **err)
{
    sb_autofree char *shown = sb_printable(text);

    return sb_fail(err, SB_ERR_PARSE, "\"%s\" is no image reference: %s", shown, why);
}

static bool is_alnum_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
    return is_alnum_lower(c) || (c >= 'A' && c <= 'Z');
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool is_path_component(sb_slice s)
{
    size_t i = 0;

    while (i < s.len) {
        size_t start = i;

        while (i < s.len && is_alnum_lower(s.ptr[i]))
            i++;
        if (i == start)
            return false;
        if (i == s.len)
            return true;
        start = i;
        if (s.ptr[i] == '-')
            while (i < s.len && s.ptr[i] == '-')
                i++;
        else if (s.ptr[i] == '.')
            i++;
        else
            while (i < s.len && s.ptr[i] == '_' && i - start < 2)
                i++;
        if (i == start)
            return false;
    }
    return false;
}

/* Labels of letters, digits and inner hyphens. */
static bool is_domain_name(sb_slice s)
{
    sb_slice rest = s;

    while (rest.ptr) {
        sb_slice label = sb_slice_cut(&rest, '.');

        if (!label.len || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
            return false;
        for (size_t i = 0; i < label.len; i++)
            if (!is_alnum(label.ptr[i]) && label.ptr[i] != '-')
                return false;
    }
    return true;
}

static bool is_ipv6_text(sb_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.ptr[i]) && s.ptr[i] != ':')
            return false;
    return s.len > 1;
}

static bool is_registry(sb_slice s)
{
    sb_slice name = s, port = SB_NIL;
    ptrdiff_t i;
    uint64_t n;

    if (s.len && s.ptr[0] == '[') {
        i = sb_slice_chr(s, ']');
        if (i < 0 || !is_ipv6_text(sb_slice_sub(s, 1, (size_t)i)))
            return false;
        if ((size_t)i + 1 == s.len)
            return true;
        if (s.ptr[i + 1] != ':')
            return false;
        port = sb_slice_sub(s, (size_t)i + 2, s.len);
        return sb_slice_to_u64(port, &n) && n > 0 && n <= 65535;
    }
    i = sb_slice_chr(s, ':');
    if (i >= 0) {
        name = sb_slice_sub(s, 0, (size_t)i);
        port = sb_slice_sub(s, (size_t)i + 1, s.len);
    }
    return is_domain_name(name) && (!port.ptr || (sb_slice_to_u64(port, &n) && n > 0 && n <= 65535));
}

/* Is the first component a registry and not the beginning of a repository on Docker Hub? */
static bool looks_like_registry(sb_slice s)
{
    if (sb_slice_eqz(s, "localhost") || sb_slice_chr(s, '.') >= 0 || sb_slice_chr(s, ':') >= 0)
        return true;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z')
            return true;
    return false;
}

static bool is_tag(sb_slice s)
{
    if (!s.len || s.len > TAG_MAX_LEN || s.ptr[0] == '.' || s.ptr[0] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.ptr[i]) && s.ptr[i] != '_' && s.ptr[i] != '.' && s.ptr[i] != '-')
            return false;
    return true;
}

static bool is_bare_hex(sb_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
    return s.len == 64;
}

static int check_repository(sb_slice text, sb_slice repository, sb_error **err)
{
    sb_slice rest = repository;

    if (!repository.len)
        return fail_ref(text, "there is no repository name", err);
    for (size_t i = 0; i < repository.len; i++)
        if (repository.ptr[i] >= 'A' && repository.ptr[i] <= 'Z')
            return fail_ref(text, "repository name must be lowercase", err);
    while (rest.ptr)
        if (!is_path_component(sb_slice_cut(&rest, '/')))
            return fail_ref(
                text,
                "the repository name must be made of lower-case letters and digits, separated by \".\", "
                "\"_\", \"__\", \"-\" or \"/\"",
                err);
    return 0;
}

/* Cuts "@digest" and ":tag" off *rest. */
static int cut_suffixes(sb_slice text, sb_slice *rest, sb_image_ref *ref, sb_error **err)
{
    ptrdiff_t at = sb_slice_chr(*rest, '@'), colon;
    sb_digest digest;

    if (at >= 0) {
        ref->digest = sb_slice_sub(*rest, (size_t)at + 1, rest->len);
        rest->len = (size_t)at;
        if (sb_digest_parse(ref->digest, &digest, err) < 0)
            return sb_wrap(err, "in an image reference");
    }
    colon = sb_slice_rchr(*rest, ':');
    if (colon > sb_slice_rchr(*rest, '/')) {
        ref->tag = sb_slice_sub(*rest, (size_t)colon + 1, rest->len);
        rest->len = (size_t)colon;
        if (!is_tag(ref->tag))
            return fail_ref(
                text,
                "a tag has up to 128 letters, digits, \"_\", \".\" and \"-\" and begins with none of the "
                "last two",
                err);
    }
    return 0;
}

int sb_image_ref_parse(sb_arena *arena, sb_slice text, sb_image_ref *ret_ref, sb_error **err)
{
    sb_image_ref ref = {.registry = SB_LIT("docker.io")};
    sb_slice rest = text;
    ptrdiff_t slash;

    if (!text.len)
        return fail_ref(text, "it is empty", err);
    if (text.len > REFERENCE_MAX_LEN)
        return fail_ref(text, "it is too long", err);
    if (is_bare_hex(text))
        return fail_ref(text, "64 hex digits are an image ID; give a name", err);
    if (cut_suffixes(text, &rest, &ref, err) < 0)
        return -1;
    slash = sb_slice_chr(rest, '/');
    if (slash >= 0 && looks_like_registry(sb_slice_sub(rest, 0, (size_t)slash))) {
        ref.registry = sb_slice_sub(rest, 0, (size_t)slash);
        rest = sb_slice_sub(rest, (size_t)slash + 1, rest.len);
        if (!is_registry(ref.registry))
            return fail_ref(text, "the registry is no host name with an optional port", err);
    }
    if (sb_slice_eqz(ref.registry, "index.docker.io"))
        ref.registry = SB_LIT("docker.io");
    if (check_repository(text, rest, err) < 0)
        return -1;
    if (ref.registry.len + 1 + rest.len > NAME_MAX_LEN)
        return fail_ref(text, "repository name must not be more than 255 characters", err);
    ref.repository = sb_slice_eqz(ref.registry, "docker.io") && sb_slice_chr(rest, '/') < 0
                         ? sb_arena_printf(arena, "library/%" SB_FMT, SB_ARG(rest))
                         : sb_arena_dup(arena, rest);
    ref.registry = sb_arena_dup(arena, ref.registry);
    ref.tag_implied = !ref.tag.ptr && !ref.digest.ptr;
    if (ref.tag_implied)
        ref.tag = SB_LIT("latest");
    if (ref.tag.ptr)
        ref.tag = sb_arena_dup(arena, ref.tag);
    if (ref.digest.ptr)
        ref.digest = sb_arena_dup(arena, ref.digest);
    *ret_ref = ref;
    return 0;
}

static sb_slice join(sb_arena *arena, sb_slice name, const sb_image_ref *ref, bool with_latest)
{
    bool tag = ref->tag.ptr && (with_latest || !sb_slice_eqz(ref->tag, "latest"));

    return sb_arena_printf(arena, "%" SB_FMT "%s%" SB_FMT "%s%" SB_FMT, SB_ARG(name), tag ? ":" : "",
                           SB_ARG(tag ? ref->tag : SB_NIL), ref->digest.ptr ? "@" : "", SB_ARG(ref->digest));
}

sb_slice sb_image_ref_name(sb_arena *arena, const sb_image_ref *ref)
{
    return sb_arena_printf(arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(ref->registry), SB_ARG(ref->repository));
}

sb_slice sb_image_ref_format(sb_arena *arena, const sb_image_ref *ref)
{
    return join(arena, sb_image_ref_name(arena, ref), ref, true);
}

sb_slice sb_image_ref_familiar(sb_arena *arena, const sb_image_ref *ref)
{
    sb_slice library = SB_LIT("library/");
    sb_slice name = ref->repository;

    if (!sb_slice_eqz(ref->registry, "docker.io"))
        name = sb_image_ref_name(arena, ref);
    else if (sb_slice_starts(name, library) &&
             sb_slice_chr(sb_slice_sub(name, library.len, name.len), '/') < 0)
        name = sb_slice_sub(name, library.len, name.len);
    return join(arena, name, ref, false);
}
