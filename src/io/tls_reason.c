/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

#include "io/tls_internal.h"

static const char *describe_certificate(long verified, const struct tls_context *context,
                                        char *text)
{
    switch (verified) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* an authority of the same name with another key */
        snprintf(text, TLS_REASON_MAX,
                 "its certificate is not from an authority that is trusted here (%s); name that "
                 "by --cacert or --cacertdir, or use --insecure",
                 X509_verify_cert_error_string(verified));
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        snprintf(text, TLS_REASON_MAX,
                 "its certificate is not for \"%s\"; give the name that it is for by --host or "
                 "--sni, or use --insecure",
                 context->name);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        snprintf(text, TLS_REASON_MAX,
                 "its certificate has expired; give the server a new one, or use --insecure");
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        snprintf(text, TLS_REASON_MAX,
                 "its certificate is not valid yet; set the clock right, or use --insecure");
        break;
    default:
        snprintf(text, TLS_REASON_MAX,
                 "its certificate is not accepted (%s); give the server another one, or use "
                 "--insecure",
                 X509_verify_cert_error_string(verified));
    }
    return text;
}

/* "handshake failure" of OpenSSL's "sslv3 alert handshake failure": the version there has nothing
 * to do with the one that was spoken. */
static const char *name_alert(unsigned long code)
{
    static const char mark[] = "alert ";
    const char *reason = ERR_reason_error_string(code);
    const char *at = reason ? strstr(reason, mark) : NULL;

    return at ? at + sizeof mark - 1 : "an alert that is not known";
}

/* What the server said before it gave up. */
static const char *describe_alert(int alert, const struct tls_failure *failure,
                                  const struct tls_context *context, char *text)
{
    const char *said = name_alert(failure->code);

    if (failure->wanted_certificate)
        snprintf(text, TLS_REASON_MAX,
                 "it wants a certificate of the client (%s); give one by --cert and --key", said);
    else if (alert == SSL_AD_PROTOCOL_VERSION)
        snprintf(text, TLS_REASON_MAX, "it speaks neither TLS 1.2 nor TLS 1.3");
    else if (alert == SSL_AD_UNRECOGNIZED_NAME)
        snprintf(text, TLS_REASON_MAX, "it does not know the name \"%s\"; give another by --sni",
                 context->name);
    else if (alert == SSL_AD_HANDSHAKE_FAILURE || alert == SSL_AD_INSUFFICIENT_SECURITY)
        snprintf(text, TLS_REASON_MAX,
                 "it has no cipher in common with this client (%s); allow others by --tls-ciphers "
                 "or --tls-ciphersuites",
                 said);
    else if (context->shows_certificate)
        snprintf(text, TLS_REASON_MAX,
                 "it refused the connection, most likely for the certificate of --cert (%s)", said);
    else
        snprintf(text, TLS_REASON_MAX, "it ended TLS (%s)", said);
    return text;
}

static const char *describe_protocol(const struct tls_failure *failure, char *text)
{
    const char *reason = ERR_reason_error_string(failure->code);

    switch (ERR_GET_REASON(failure->code)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        snprintf(text, TLS_REASON_MAX,
                 "that port does not speak TLS; leave out --tls, or give another --port");
        break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
        snprintf(text, TLS_REASON_MAX, "it speaks neither TLS 1.2 nor TLS 1.3");
        break;
    default:
        snprintf(text, TLS_REASON_MAX, "TLS failed (%s)", reason ? reason : "no reason given");
    }
    return text;
}

const char *tls_describe(const struct tls_failure *failure, const struct tls_context *context,
                         char *text)
{
    const int reason = ERR_GET_REASON(failure->code);

    if (ERR_GET_LIB(failure->code) != ERR_LIB_SSL)
        return describe_protocol(failure, text);
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return describe_certificate(failure->verified, context, text);
    if (reason > SSL_AD_REASON_OFFSET)
        return describe_alert(reason - SSL_AD_REASON_OFFSET, failure, context, text);
    return describe_protocol(failure, text);
}
