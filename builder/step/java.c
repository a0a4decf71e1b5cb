// SPDX-License-Identifier: Apache-2.0
#include <builder/step/run.h>

#include <openssl/objects.h>
#include <openssl/pkcs12.h>

/* Java takes a certificate in a PKCS#12 file for trusted only with this attribute, whose value is what it may
 * be used for. */
#define TRUSTED_KEY_USAGE "2.16.840.1.113894.746875.1.1"
#define ANY_EXTENDED_KEY_USAGE "2.5.29.37.0"

enum { MAC_ROUNDS = 2000 };

/* Of OpenSSL's objects; each stands for itself until it has gone into the next. */
typedef struct store_parts {
    STACK_OF(PKCS12_SAFEBAG) * bags;
    STACK_OF(PKCS7) * contents;
    PKCS12 *store;
} store_parts;

static void free_parts(store_parts *parts)
{
    sk_PKCS12_SAFEBAG_pop_free(parts->bags, PKCS12_SAFEBAG_free);
    sk_PKCS7_pop_free(parts->contents, PKCS7_free);
    PKCS12_free(parts->store);
}

static bool add_bag(store_parts *parts, X509 *certificate)
{
    PKCS12_SAFEBAG *bag = PKCS12_add_cert(&parts->bags, certificate);
    ASN1_OBJECT *usage = OBJ_txt2obj(ANY_EXTENDED_KEY_USAGE, 1);
    /* With -1 for its length, the value is the object itself. */
    bool added =
        bag && usage && PKCS12_add_friendlyname_utf8(bag, "sbuild", -1) == 1 &&
        PKCS12_add1_attr_by_txt(bag, TRUSTED_KEY_USAGE, V_ASN1_OBJECT, (const unsigned char *)usage, -1) == 1;

    ASN1_OBJECT_free(usage);
    return added;
}

/*
 * Neither encrypted nor with a modern check sum: a certificate is no secret, the file is the step's own, and
 * Java 8 before its update 301 knows nothing newer.
 */
static bool make_store(store_parts *parts, const step_ca *ca)
{
    if (!add_bag(parts, step_ca_certificate(ca)) ||
        PKCS12_add_safe(&parts->contents, parts->bags, -1, 0, NULL) != 1)
        return false;
    parts->store = PKCS12_add_safes(parts->contents, 0);
    return parts->store &&
           PKCS12_set_mac(parts->store, STEP_JAVA_PASSWORD, -1, NULL, 0, MAC_ROUNDS, EVP_sha1()) == 1;
}

int step_java_trust(const step_ca *ca, sb_buf *out, sb_error **err)
{
    __attribute__((cleanup(free_parts))) store_parts parts = {0};
    unsigned char *der = NULL;
    int len = make_store(&parts, ca) ? i2d_PKCS12(parts.store, &der) : -1;

    if (len < 0)
        return sb_fail(err, SB_ERR_INTERNAL, "cannot make the trust store for Java");
    sb_buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    return sb_buf_check(out, "the trust store for Java", err);
}
