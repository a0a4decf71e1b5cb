// SPDX-License-Identifier: Apache-2.0
/* A DNS question from anybody in the step, and the answer to it. */
#include <builder/step/dns.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const step_dns_names names = {.outside = {127, 83, 66, 1}, .host = "buildhost"};
    unsigned char out[STEP_DNS_ANSWER_SIZE];
    step_dns_question question = {.kind = STEP_DNS_NONE};
    size_t len = step_dns_answer(&names, sb_slice_of((const char *)data, size), out, &question);

    if (len > sizeof(out) || (len && len < 12) || strlen(question.name) >= STEP_DNS_NAME_SIZE)
        abort();
    return 0;
}
