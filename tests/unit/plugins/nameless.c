/* SPDX-License-Identifier: BSD-3-Clause */
int nothing_of_that_name(void);

int nothing_of_that_name(void)
{
    return 0;
}
