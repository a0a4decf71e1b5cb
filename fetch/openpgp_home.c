// SPDX-License-Identifier: Apache-2.0
#include <fetch/openpgp.h>

#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

enum { KEYS_MAX = 16384 };

struct sb_pgp_home {
    char *path;
    gpgme_ctx_t context;
    sb_arena *arena;
    sb_pgp_key *keys; /* primary keys and subkeys alike */
    size_t len, cap;
    struct sigaction sigpipe; /* as it was before */
};

/*
 * No word of the user's or the machine's configuration that matters: no keyring but this one, nothing
 * fetched, no agent or other daemon started, no trust but the pins that the caller compares with.
 */
static const char configuration[] = "batch\n"
                                    "no-tty\n"
                                    "no-greeting\n"
                                    "no-autostart\n"
                                    "disable-dirmngr\n"
                                    "no-auto-key-retrieve\n"
                                    "no-auto-key-locate\n"
                                    "no-auto-check-trustdb\n"
                                    "trust-model always\n"
                                    "import-options self-sigs-only,no-repair-keys\n"
                                    "max-output 33554432\n";

int sb_pgp_fail(gpgme_error_t why, const char *what, sb_error **err)
{
    char text[256];

    if (gpgme_strerror_r(why, text, sizeof(text)) != 0)
        text[sizeof(text) - 1] = '\0';
    return sb_fail(err, SB_ERR_VERIFY, "cannot %s: %s", what, text);
}

static int start_gpgme(sb_error **err)
{
    static bool started;

    if (!started) {
        gpgme_check_version(NULL);
        started = true;
    }
    if (gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP) != GPG_ERR_NO_ERROR)
        return sb_fail(err, SB_ERR_ENGINE,
                       "OpenPGP signatures need the program gpg; install GnuPG (gpg) 2.2 or later");
    return 0;
}

static int write_configuration(const sb_pgp_home *home, int64_t now, sb_error **err)
{
    sb_autofree char *path = sb_path_join(home->path, "gpg.conf");
    sb_autofree char *text = now > 0
                                 ? sb_asprintf("%sfaked-system-time %lld!\n", configuration, (long long)now)
                                 : sb_strdup(configuration);

    return sb_write_file(AT_FDCWD, path, sb_slice_z(text), 0600, err);
}

static int import(const sb_pgp_home *home, sb_slice key, size_t number, sb_error **err)
{
    gpgme_import_result_t result;
    gpgme_data_t data;
    gpgme_error_t why = gpgme_data_new_from_mem(&data, key.len ? key.ptr : "", key.len, 0);

    if (why)
        return sb_pgp_fail(why, "read a key file", err);
    why = gpgme_op_import(home->context, data);
    gpgme_data_release(data);
    result = gpgme_op_import_result(home->context);
    if (!result || result->considered == 0 || !result->imports)
        return sb_fail(
            err, SB_ERR_VERIFY,
            "key file %zu holds no OpenPGP public key that can be used; give an armoured or binary export",
            number + 1);
    return 0;
}

static sb_slice keep_text(sb_arena *arena, const char *text)
{
    return sb_arena_dup(arena, sb_slice_z(text ? text : ""));
}

static int add_key(sb_pgp_home *home, gpgme_key_t key, sb_error **err)
{
    sb_slice primary = key->subkeys ? keep_text(home->arena, key->subkeys->fpr) : SB_NIL;
    sb_slice user_id = keep_text(home->arena, key->uids ? key->uids->uid : NULL);

    for (gpgme_subkey_t sub = key->subkeys; sub; sub = sub->next) {
        if (home->len == KEYS_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "the key files hold more than the maximum of %d keys",
                           KEYS_MAX);
        if (sub->fpr)
            *SB_ARENA_PUSH(home->arena, home->keys, home->len, home->cap) =
                (sb_pgp_key){keep_text(home->arena, sub->fpr), primary, user_id};
    }
    return 0;
}

static int list_keys(sb_pgp_home *home, sb_error **err)
{
    gpgme_error_t why = gpgme_op_keylist_start(home->context, NULL, 0);
    int result = 0;
    gpgme_key_t key;

    if (why)
        return sb_pgp_fail(why, "list the keys", err);
    while (result == 0 && !(why = gpgme_op_keylist_next(home->context, &key))) {
        result = add_key(home, key, err);
        gpgme_key_unref(key);
    }
    gpgme_op_keylist_end(home->context);
    if (result == 0 && gpgme_err_code(why) != GPG_ERR_EOF)
        return sb_pgp_fail(why, "list the keys", err);
    return result;
}

static int open_context(sb_pgp_home *home, sb_error **err)
{
    gpgme_error_t why = gpgme_new(&home->context);

    if (!why)
        why = gpgme_set_protocol(home->context, GPGME_PROTOCOL_OpenPGP);
    if (!why)
        why = gpgme_ctx_set_engine_info(home->context, GPGME_PROTOCOL_OpenPGP, NULL, home->path);
    if (!why)
        gpgme_set_offline(home->context, 1);
    return why ? sb_pgp_fail(why, "start GnuPG", err) : 0;
}

int sb_pgp_home_open(const sb_slice *keys, size_t key_count, int64_t now, sb_pgp_home **ret_home,
                     sb_error **err)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    SB_AUTO(sb_pgp_home) home = sb_new(sb_pgp_home);
    size_t total = 0;

    /* gpg may end before it has read all that it is given. */
    sigaction(SIGPIPE, &ignore, &home->sigpipe);
    for (size_t i = 0; i < key_count; i++) {
        if (keys[i].len > SB_PGP_KEYRING_MAX - total)
            return sb_fail(err, SB_ERR_LIMIT, "the key files are larger than the maximum of %d bytes",
                           SB_PGP_KEYRING_MAX);
        total += keys[i].len;
    }
    if (start_gpgme(err) < 0)
        return -1;
    home->arena = sb_arena_new();
    home->path = sb_temp_dir("sb", err);
    if (!home->path || write_configuration(home, now, err) < 0 || open_context(home, err) < 0)
        return -1;
    for (size_t i = 0; i < key_count; i++)
        if (import(home, keys[i], i, err) < 0)
            return -1;
    if (list_keys(home, err) < 0)
        return -1;
    *ret_home = SB_TAKE(home);
    return 0;
}

/* gpgme does not wait for the gpg that it has no more questions to; that one may still be tidying up its lock
 * files. */
static void remove_home(const char *path)
{
    enum { TRIES = 200, WAIT = 5000 /* microseconds */ };

    for (int i = 0; i < TRIES && sb_remove_tree(AT_FDCWD, path, NULL) < 0; i++)
        usleep(WAIT);
}

void sb_pgp_home_free(sb_pgp_home *home)
{
    if (!home)
        return;
    if (home->context)
        gpgme_release(home->context);
    if (home->path)
        remove_home(home->path);
    sigaction(SIGPIPE, &home->sigpipe, NULL);
    sb_arena_free(home->arena);
    free(home->path);
    free(home);
}

gpgme_ctx_t sb_pgp_home_context(const sb_pgp_home *home)
{
    return home->context;
}

const sb_pgp_key *sb_pgp_home_key(const sb_pgp_home *home, sb_slice id)
{
    enum { KEY_ID_DIGITS = 16 };

    if (id.len < KEY_ID_DIGITS)
        return NULL;
    for (size_t i = 0; i < home->len; i++)
        if (sb_slice_ends(home->keys[i].fingerprint, id))
            return &home->keys[i];
    return NULL;
}
