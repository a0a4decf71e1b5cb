// SPDX-License-Identifier: Apache-2.0
#include <builder/step/ca.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum {
    LEAVES_MAX = 4096, /* certificates that are kept; further ones are made each time */
    HOST_MAX = 253,    /* bytes of a DNS name */
    COMMON_NAME_MAX = 64,
    SERIAL_BYTES = 16,
};

typedef struct leaf {
    char *host;
    X509 *certificate;
} leaf;

struct step_ca {
    EVP_PKEY *key; /* of the authority */
    X509 *certificate;
    char *pem;
    size_t pem_len;
    pthread_mutex_t lock; /* for what follows */
    EVP_PKEY *leaf_key;   /* one for all hosts: a step trusts itself */
    leaf *leaves;
    size_t count, cap;
};

static void free_certificate(X509 **certificate)
{
    X509_free(*certificate);
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;
    bool added;

    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    BIGNUM *number;
    bool set;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] &= 0x7f; /* positive, and not longer than it looks */
    bytes[0] |= 0x40;
    number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return set;
}

/* Without its extensions. Valid whenever: a step that is replayed in ten years, or under a wrong clock,
 * works. */
static X509 *begin_certificate(const char *common_name, EVP_PKEY *key)
{
    __attribute__((cleanup(free_certificate))) X509 *certificate = X509_new();
    const unsigned char *name = (const unsigned char *)common_name;

    if (!certificate || X509_set_version(certificate, X509_VERSION_3) != 1 || !set_serial(certificate) ||
        ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "20000101000000Z") != 1 ||
        ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "20991231235959Z") != 1 ||
        X509_set_pubkey(certificate, key) != 1 ||
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, name, -1, -1, 0) !=
            1)
        return NULL;
    return SB_TAKE(certificate);
}

static X509 *make_authority(EVP_PKEY *key)
{
    __attribute__((cleanup(free_certificate))) X509 *certificate =
        begin_certificate("sbuild authority of one build step", key);

    if (!certificate || X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) != 1 ||
        !add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(certificate, certificate, NID_subject_key_identifier, "hash") ||
        !X509_sign(certificate, key, EVP_sha256()))
        return NULL;
    return SB_TAKE(certificate);
}

/* Only what is safe in the configuration syntax of OpenSSL's extensions. */
static bool is_host(const char *host, bool *ret_address)
{
    unsigned char bytes[16];
    size_t len = strlen(host);

    if (!len || len > HOST_MAX)
        return false;
    *ret_address = inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
    if (*ret_address)
        return true;
    for (size_t i = 0; i < len; i++) {
        char c = sb_ascii_lower(host[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return false;
    }
    return true;
}

static X509 *make_leaf(const step_ca *ca, const char *host)
{
    __attribute__((cleanup(free_certificate))) X509 *certificate = NULL;
    sb_autofree char *name = NULL;
    bool address;

    if (!is_host(host, &address))
        return NULL;
    name = sb_asprintf("%s:%s", address ? "IP" : "DNS", host);
    certificate = begin_certificate(strlen(host) <= COMMON_NAME_MAX ? host : "sbuild", ca->leaf_key);
    if (!certificate || X509_set_issuer_name(certificate, X509_get_subject_name(ca->certificate)) != 1 ||
        !add_extension(certificate, ca->certificate, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(certificate, ca->certificate, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(certificate, ca->certificate, NID_ext_key_usage, "serverAuth") ||
        !add_extension(certificate, ca->certificate, NID_subject_alt_name, name) ||
        !add_extension(certificate, ca->certificate, NID_subject_key_identifier, "hash") ||
        !add_extension(certificate, ca->certificate, NID_authority_key_identifier, "keyid:always") ||
        !X509_sign(certificate, ca->key, EVP_sha256()))
        return NULL;
    return SB_TAKE(certificate);
}

/* With the lock held. The caller owns a reference. */
static X509 *leaf_of(step_ca *ca, const char *host)
{
    X509 *certificate;

    for (size_t i = 0; i < ca->count; i++) {
        if (strcmp(ca->leaves[i].host, host) == 0) {
            X509_up_ref(ca->leaves[i].certificate);
            return ca->leaves[i].certificate;
        }
    }
    if (!ca->leaf_key)
        ca->leaf_key = EVP_EC_gen("P-256");
    certificate = ca->leaf_key ? make_leaf(ca, host) : NULL;
    if (certificate && ca->count < LEAVES_MAX) {
        X509_up_ref(certificate);
        *SB_PUSH(ca->leaves, ca->count, ca->cap) = (leaf){sb_strdup(host), certificate};
    }
    return certificate;
}

bool step_ca_use(step_ca *ca, SSL *ssl, sb_slice host)
{
    __attribute__((cleanup(free_certificate))) X509 *certificate = NULL;
    sb_autofree char *name = sb_slice_dup(host);

    for (char *c = name; *c; c++)
        *c = sb_ascii_lower(*c);
    if (strlen(name) != host.len)
        return false;
    pthread_mutex_lock(&ca->lock);
    certificate = leaf_of(ca, name);
    pthread_mutex_unlock(&ca->lock);
    return certificate && SSL_use_certificate(ssl, certificate) == 1 &&
           SSL_use_PrivateKey(ssl, ca->leaf_key) == 1;
}

static bool write_pem(step_ca *ca)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    long len;
    bool written = out && PEM_write_bio_X509(out, ca->certificate) == 1;

    if (written) {
        len = BIO_get_mem_data(out, &text);
        ca->pem = sb_strndup(text, (size_t)len);
        ca->pem_len = (size_t)len;
    }
    BIO_free(out);
    return written;
}

int step_ca_new(step_ca **ret_ca, sb_error **err)
{
    SB_AUTO(step_ca) ca = sb_new(step_ca);

    pthread_mutex_init(&ca->lock, NULL);
    ca->key = EVP_EC_gen("P-256");
    ca->certificate = ca->key ? make_authority(ca->key) : NULL;
    if (!ca->certificate || !write_pem(ca))
        return sb_fail(err, SB_ERR_INTERNAL, "cannot make the step's certificate authority");
    *ret_ca = SB_TAKE(ca);
    return 0;
}

void step_ca_free(step_ca *ca)
{
    if (!ca)
        return;
    for (size_t i = 0; i < ca->count; i++) {
        free(ca->leaves[i].host);
        X509_free(ca->leaves[i].certificate);
    }
    free(ca->leaves);
    EVP_PKEY_free(ca->leaf_key);
    EVP_PKEY_free(ca->key);
    X509_free(ca->certificate);
    free(ca->pem);
    pthread_mutex_destroy(&ca->lock);
    free(ca);
}

sb_slice step_ca_pem(const step_ca *ca)
{
    return sb_slice_of(ca->pem, ca->pem_len);
}

X509 *step_ca_certificate(const step_ca *ca)
{
    return ca->certificate;
}
