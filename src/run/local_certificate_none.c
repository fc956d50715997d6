/* SPDX-License-Identifier: BSD-3-Clause */
/* In place of certificates where there is no OpenSSL. */
#include <errno.h>
#include <stddef.h>

#include "run/local_certificate.h"

int local_certificate_make(struct local_certificate *made, struct err *err)
{
    *made = (struct local_certificate){NULL, NULL, NULL};
    err_set(err, "This program was built without OpenSSL, which --tls needs.");
    return -ENOSYS;
}

void local_certificate_deinit(struct local_certificate *made)
{
    (void)made;
}
