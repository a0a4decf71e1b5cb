// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/pkcs12.h>

#include "step_config_fixture.h"

/* As any reader takes it; that Java trusts it is shown by Java (tests/e2e/step_program_test.sh). */
static void test_store(void **state)
{
    SB_AUTO(step_ca) ca = NULL;
    sb_autobuf out = SB_BUF_INIT(1 << 16);
    STACK_OF(X509) *certificates = NULL;
    const unsigned char *der;
    PKCS12 *store;
    EVP_PKEY *key = NULL;
    X509 *none = NULL;

    (void)state;
    assert_int_equal(step_ca_new(&ca, NULL), 0);
    assert_int_equal(step_java_trust(ca, &out, NULL), 0);
    der = (const unsigned char *)out.data;
    store = d2i_PKCS12(NULL, &der, (long)out.len);
    assert_non_null(store);
    assert_int_equal(PKCS12_parse(store, STEP_JAVA_PASSWORD, &key, &none, &certificates), 1);
    assert_null(key);
    assert_int_equal(sk_X509_num(certificates), 1);
    assert_int_equal(X509_cmp(sk_X509_value(certificates, 0), step_ca_certificate(ca)), 0);
    sk_X509_pop_free(certificates, X509_free);
    PKCS12_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
