// SPDX-License-Identifier: Apache-2.0
/*
 * The files that clients read: trust bundles, wget's and apt's configuration. One directory of a fixed name,
 * so that what a command writes down of its environment is the same in every build.
 */
#include <builder/step/run.h>

#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUNDLE_MAX = 16 << 20, USER_FILE_MAX = 1 << 20, DIR_MODE = 0755, FILE_MODE = 0644 };

/* Where distributions keep the authorities that they trust, most common first. */
static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem", /* SUSE */
    "/etc/ssl/cert.pem",
};

/* Whatever the umask of the step is, which stays as it is. */
static int write_file(const char *path, sb_slice text, sb_error **err)
{
    sb_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

    if (fd < 0)
        return sb_fail(err, SB_ERR_IO, "cannot write %s: %s", path, strerror(errno));
    if (fchmod(fd, FILE_MODE) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot write %s: %s", path, strerror(errno));
    return sb_write_all(fd, text.ptr, text.len, path, err);
}

static int make_directory(const char *tmp, char **ret_dir, sb_error **err)
{
    sb_autofree char *dir = sb_asprintf("%s/step", tmp);

    if (mkdir(dir, DIR_MODE) < 0 || chmod(dir, DIR_MODE) < 0)
        return sb_fail(
            err, SB_ERR_IO,
            "cannot make %s: %s; the step's user has to be able to write to %s, a tmpfs of mode 1777", dir,
            strerror(errno), tmp);
    *ret_dir = SB_TAKE(dir);
    return 0;
}

/* A file of the image or the user, added as it is; one that cannot be read is as good as none. */
static bool add_file(sb_buf *out, const char *path, size_t max)
{
    sb_autofree char *text = NULL;
    size_t len;
    bool missing;

    if (sb_read_file(AT_FDCWD, path, max, &text, &len, &missing, NULL) < 0)
        return false;
    sb_buf_add(out, text, len);
    if (len && text[len - 1] != '\n')
        sb_buf_addc(out, '\n');
    return true;
}

static int write_trust(const step_files *files, const step_ca *ca, char *const *env, sb_error **err)
{
    const char *chosen = step_environment_get(env, "SSL_CERT_FILE");
    sb_autobuf text = SB_BUF_INIT(BUNDLE_MAX);
    bool found = chosen && *chosen && add_file(&text, chosen, BUNDLE_MAX / 2);

    for (size_t i = 0; i < SB_COUNT(bundles) && !found; i++)
        found = add_file(&text, bundles[i], BUNDLE_MAX / 2);
    sb_buf_adds(&text, step_ca_pem(ca));
    if (sb_buf_check(&text, files->trust, err) < 0)
        return -1;
    return write_file(files->trust, sb_buf_slice(&text), err);
}

/* wget reads one user's file alone, so theirs goes into it. */
static int write_wgetrc(const step_files *files, char *const *env, sb_error **err)
{
    const char *chosen = step_environment_get(env, "WGETRC");
    const char *home = step_environment_get(env, "HOME");
    sb_autofree char *own = sb_asprintf("%s/.wgetrc", home ? home : "");
    sb_autobuf text = SB_BUF_INIT(2 * USER_FILE_MAX);

    add_file(&text, chosen && *chosen ? chosen : own, USER_FILE_MAX);
    sb_buf_printf(&text, "ca_certificate = %s\n", files->trust);
    if (sb_buf_check(&text, files->wgetrc, err) < 0)
        return -1;
    return write_file(files->wgetrc, sb_buf_slice(&text), err);
}

/* wget 2 has a file of its own, and takes that of the environment in its place. */
static int write_wget2rc(const step_files *files, char *const *env, sb_error **err)
{
    const char *chosen = step_environment_get(env, "WGET2RC");
    const char *home = step_environment_get(env, "HOME");
    sb_autofree char *own = sb_asprintf("%s/.config/wget/wget2rc", home ? home : "");
    sb_autobuf text = SB_BUF_INIT(2 * USER_FILE_MAX);

    add_file(&text, chosen && *chosen ? chosen : own, USER_FILE_MAX);
    sb_buf_printf(&text, "ca-certificate = %s\n", files->trust);
    if (sb_buf_check(&text, files->wget2rc, err) < 0)
        return -1;
    return write_file(files->wget2rc, sb_buf_slice(&text), err);
}

/* PHP's curl looks at no variable, but PHP reads a further directory of settings. */
static int write_php(const step_files *files, sb_error **err)
{
    sb_autofree char *path = sb_asprintf("%s/zz-sbuild.ini", files->php_dir);
    sb_autofree char *text =
        sb_asprintf("curl.cainfo = %s\nopenssl.cafile = %s\n", files->trust, files->trust);

    if (mkdir(files->php_dir, DIR_MODE) < 0 || chmod(files->php_dir, DIR_MODE) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot make %s: %s", files->php_dir, strerror(errno));
    return write_file(path, sb_slice_z(text), err);
}

static int write_java(const step_files *files, const step_ca *ca, sb_error **err)
{
    sb_autobuf store = SB_BUF_INIT(BUNDLE_MAX);

    if (step_java_trust(ca, &store, err) < 0)
        return -1;
    return write_file(files->trust_p12, sb_buf_slice(&store), err);
}

/* The view of algorithms that apt would take. */
static bool read_policy(char *const *env, sb_buf *out)
{
    static const char *const places[] = {
        "/etc/crypto-policies/back-ends/apt-sequoia.config",
        "/var/lib/crypto-config/profiles/current/apt-sequoia.config",
        "/etc/crypto-policies/back-ends/sequoia.config",
        "/var/lib/crypto-config/profiles/current/sequoia.config",
        "/usr/share/apt/default-sequoia.config",
    };
    const char *chosen = step_environment_get(env, "APT_SEQUOIA_CRYPTO_POLICY");
    bool found = chosen && *chosen && add_file(out, chosen, USER_FILE_MAX);

    for (size_t i = 0; i < SB_COUNT(places) && !found; i++)
        found = add_file(out, places[i], USER_FILE_MAX);
    return found;
}

/* The program goes by the name that it is called by. */
static int link_program(const char *path, sb_error **err)
{
    if (symlink(SB_STEP_BIN_DIR "/" SB_STEP_PROGRAM, path) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

static int write_tolerance(step_files *files, const step_config *config, char *const *env, sb_error **err)
{
    sb_autobuf policy = SB_BUF_INIT(USER_FILE_MAX);
    sb_autobuf text = SB_BUF_INIT(2 * USER_FILE_MAX);

    if (!step_apt_has_sqv()) {
        files->gpgv = sb_asprintf("%s/" STEP_GPGV, files->dir);
        return link_program(files->gpgv, err);
    }
    if (!read_policy(env, &policy))
        return 0;
    files->sqv_policy = sb_asprintf("%s/sqv.config", files->dir);
    step_apt_policy(sb_buf_slice(&policy), config->epoch, &text);
    return write_file(files->sqv_policy, sb_buf_slice(&text), err);
}

static int write_apt(step_files *files, const step_config *config, unsigned port, char *const *env,
                     sb_error **err)
{
    const char *chosen = step_environment_get(env, "APT_CONFIG");
    sb_autobuf text = SB_BUF_INIT(USER_FILE_MAX);

    if (link_program(files->apt_proxy, err) < 0 ||
        (config->tolerate_expiry && write_tolerance(files, config, env, err) < 0))
        return -1;
    step_apt_conf(files, config, port, chosen && access(chosen, R_OK) == 0 ? chosen : NULL, &text);
    return write_file(files->apt_conf, sb_buf_slice(&text), err);
}

int step_files_new(const char *tmp, const step_config *config, const step_ca *ca, unsigned port,
                   char *const *env, step_files **ret_files, sb_error **err)
{
    SB_AUTO(step_files) files = sb_new(step_files);

    if (make_directory(tmp, &files->dir, err) < 0)
        return -1;
    files->ca = sb_asprintf("%s/ca.pem", files->dir);
    files->trust = sb_asprintf("%s/trust.pem", files->dir);
    files->trust_p12 = sb_asprintf("%s/trust.p12", files->dir);
    files->wgetrc = sb_asprintf("%s/wgetrc", files->dir);
    files->wget2rc = sb_asprintf("%s/wget2rc", files->dir);
    files->php_dir = sb_asprintf("%s/php.d", files->dir);
    files->apt_conf = sb_asprintf("%s/apt.conf", files->dir);
    files->apt_proxy = sb_asprintf("%s/" STEP_APT_PROXY, files->dir);
    if (write_file(files->ca, step_ca_pem(ca), err) < 0 || write_trust(files, ca, env, err) < 0 ||
        write_wgetrc(files, env, err) < 0 || write_wget2rc(files, env, err) < 0 ||
        write_php(files, err) < 0 || write_java(files, ca, err) < 0 ||
        write_apt(files, config, port, env, err) < 0)
        return -1;
    *ret_files = SB_TAKE(files);
    return 0;
}

void step_files_free(step_files *files)
{
    if (files->dir)
        sb_remove_tree(AT_FDCWD, files->dir, NULL);
    free(files->dir);
    free(files->ca);
    free(files->trust);
    free(files->trust_p12);
    free(files->wgetrc);
    free(files->wget2rc);
    free(files->php_dir);
    free(files->apt_conf);
    free(files->apt_proxy);
    free(files->gpgv);
    free(files->sqv_policy);
    free(files);
}
