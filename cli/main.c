// SPDX-License-Identifier: Apache-2.0
#include <sbuild/alloc.h>

#include <stdio.h>

int main(void)
{
    puts("sbuild " SBUILD_VERSION);
    return 0;
}
