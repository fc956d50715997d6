/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_failure.h"

#include <ctype.h>
#include <stdio.h>

#include "client/glide_abi.h"

#define SIGNALLED "An error was signalled by the server"

/* The library's names of what servers say, and the servers' own. */
static const struct {
    const char *name;
    const char *code;
} names[] = {
    {"ResponseError", "ERR"},
    {"BusyLoadingError", "LOADING"},
    {"ReadOnly", "READONLY"},
    {"MasterDown", "MASTERDOWN"},
    {"ClusterDown", "CLUSTERDOWN"},
    {"TryAgain", "TRYAGAIN"},
    {"CrossSlot", "CROSSSLOT"},
    {"Moved", "MOVED"},
    {"Ask", "ASK"},
    {"NoScriptError", "NOSCRIPT"},
    {"ExecAbortError", "EXECABORT"},
    {"NotBusy", "NOTBUSY"},
    {"PermissionDenied", "NOPERM"},
    {"UserOperationError", "ERR"},
};

/* How many bytes the first word of a message has that is followed by ": "; 0: none. */
static size_t word_before_colon(const char *message)
{
    size_t len = 0;

    while (isalnum((unsigned char)message[len]) || message[len] == '_')
        len++;
    return message[len] == ':' && message[len + 1] == ' ' ? len : 0;
}

static bool is_code(struct str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!isupper((unsigned char)word.ptr[i]) && !isdigit((unsigned char)word.ptr[i]) &&
            word.ptr[i] != '_')
            return false;
    return word.len > 0;
}

static const char *code_of(struct str name)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_equal(str_of(names[i].name), name))
            return names[i].code;
    return NULL;
}

/* The line that the server sent. Returns whether it was one. */
static bool read_line(const char *message, char *text)
{
    const bool signalled = str_starts(str_of(message), STR(SIGNALLED));

    if (signalled) {
        message += sizeof SIGNALLED - 1;
        message += strspn(message, ": -");
    }
    const struct str word = {message, word_before_colon(message)};
    const char *code = signalled ? code_of(word) : NULL;
    const char *rest = word.len ? message + word.len + 2 : message;

    if (code)
        snprintf(text, GLIDE_FAILURE_TEXT_MAX, "%s %s", code, rest);
    else if (is_code(word))
        snprintf(text, GLIDE_FAILURE_TEXT_MAX, "%.*s %s", (int)word.len, word.ptr, rest);
    else
        snprintf(text, GLIDE_FAILURE_TEXT_MAX, "%s", message);
    return code || is_code(word);
}

enum outcome glide_failure_read(int32_t type, const char *message, char *text, bool *said)
{
    const bool by_library = type == GLIDE_TIMEOUT || type == GLIDE_DISCONNECT;

    *said = !by_library && read_line(message, text);
    if (*said)
        return outcome_of_error(str_of(text));
    snprintf(text, GLIDE_FAILURE_TEXT_MAX, "GLIDE: %s", message);
    if (!by_library)
        return OUTCOME_OTHER;
    return type == GLIDE_TIMEOUT ? OUTCOME_TIMEOUT : OUTCOME_DISCONNECT;
}
