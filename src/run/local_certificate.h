/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local_certificate: what a throwaway server proves who it is by.
 *
 * An authority made for one run, and a certificate for 127.0.0.1 and localhost that it vouches
 * for, both on the curve P-256. The authority's key is gone when this returns: it vouches for
 * nobody else. Writes no file.
 */
#ifndef RUN_LOCAL_CERTIFICATE_H
#define RUN_LOCAL_CERTIFICATE_H

#include "base/err.h"

/* Owned texts in PEM form. */
struct local_certificate {
    char *authority;
    char *certificate;
    char *key; /* of the certificate, without a passphrase */
};

/*
 * Returns 0, or a negative errno with a sentence: -ENOSYS the program was built without OpenSSL.
 * Release with local_certificate_deinit in either case.
 */
int local_certificate_make(struct local_certificate *made, struct err *err);
void local_certificate_deinit(struct local_certificate *made);

#endif
