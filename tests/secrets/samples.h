// SPDX-License-Identifier: Apache-2.0
/*
 * Samples of secrets, made when a test runs: cases.txt says what each looks like, the random parts come from
 * a seed. So nothing that looks real stands in the repository.
 */
#ifndef SBUILD_TESTS_SECRETS_SAMPLES_H
#define SBUILD_TESTS_SECRETS_SAMPLES_H

#include <sbuild/buf.h>

enum { SAMPLE_MAX = 64 << 10 };

typedef struct sample {
    sb_slice rule; /* its id */
    sb_slice path; /* of the file that the text is to stand in; absent: any */
    bool positive;
    unsigned line;     /* of cases.txt */
    sb_slice template; /* of the text */
} sample;

typedef struct samples {
    char *text; /* what the slices point into */
    sample *items;
    size_t count, cap;
} samples;
/* False when the file cannot be read. */
bool samples_load(const char *path, samples *ret_samples);
void samples_free(samples *s);
/*
 * The text that a template stands for. {A20}: twenty random characters of a class: A letters and digits, a
 * lower-case letters and digits, U upper-case ones, L letters, l lower-case letters, h and H hexadecimal
 * digits, d digits, b Base64, t letters, digits, "-" and "_", 2 the alphabet of base 32. {u}: a UUID.
 * {crc:ghp_}: a token with its checksum. {jwt} {age} {pgp} {pgpbin} {jks} {jkstrust} {p12} {p12cert} {kdbx}:
 * what the name says. {pem:LABEL}: a PEM block of DER, {pemj:LABEL}: the same as a JSON string has it,
 * {pemopenssh}, {pemenc}. {b64of:…}: the rest in Base64.
 */
void sample_expand(sb_slice template, uint64_t *seed, sb_buf *out);

#endif
