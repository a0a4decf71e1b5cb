// SPDX-License-Identifier: Apache-2.0
/*
 * Who vouches for servers, as one PEM file for a client that is not on this machine: what SSL_CERT_FILE and
 * CURL_CA_BUNDLE name, else the system's, and the authorities of the settings. Certificates alone are taken:
 * a bundle may hold keys, and those are nobody's business.
 */
#include <sbuild/http.h>

#include <sbuild/fs.h>

#include <fcntl.h>
#include <unistd.h>

enum { FILE_MAX = 16 << 20 };

/* Where systems have their bundle. */
static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static void add_certificates(sb_slice text, sb_buf *out)
{
    static const sb_slice begin = {"-----BEGIN CERTIFICATE-----", 27};
    static const sb_slice end = {"-----END CERTIFICATE-----", 25};

    for (;;) {
        ptrdiff_t from = sb_slice_find(text, begin), to;

        if (from < 0)
            return;
        text = sb_slice_sub(text, (size_t)from, text.len);
        to = sb_slice_find(text, end);
        if (to < 0)
            return;
        sb_buf_adds(out, sb_slice_sub(text, 0, (size_t)to + end.len));
        sb_buf_addc(out, '\n');
        text = sb_slice_sub(text, (size_t)to + end.len, text.len);
    }
}

static int add_file(const char *path, sb_buf *out, sb_error **err)
{
    sb_autofree char *data = NULL;
    size_t len = 0;

    if (sb_read_file(AT_FDCWD, path, FILE_MAX, &data, &len, NULL, err) < 0)
        return -1;
    add_certificates(sb_slice_of(data, len), out);
    return 0;
}

static const char *chosen_bundle(void)
{
    static const char *const variables[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE"};

    for (size_t i = 0; i < SB_COUNT(variables); i++) {
        const char *path = getenv(variables[i]);

        if (path && *path)
            return path;
    }
    for (size_t i = 0; i < SB_COUNT(system_bundles); i++)
        if (access(system_bundles[i], R_OK) == 0)
            return system_bundles[i];
    return NULL;
}

int sb_http_authorities(const sb_settings *settings, sb_buf *out, sb_error **err)
{
    const char *bundle = chosen_bundle();

    if (bundle && add_file(bundle, out, err) < 0)
        return -1;
    for (size_t i = 0; i < settings->registry_count; i++) {
        sb_autofree char *path = NULL;

        if (!settings->registries[i].ca_file.len)
            continue;
        path = sb_slice_dup(settings->registries[i].ca_file);
        if (add_file(path, out, err) < 0)
            return -1;
    }
    return sb_buf_check(out, "the authorities that this machine trusts", err);
}
