/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * session: who logs in to the server and what is agreed on with it before the first request.
 *
 * The opening is rendered once a run: HELLO 3 with AUTH in it, or AUTH alone, then SELECT. Each
 * connection sends it in one write and awaits one reply a step (io/link.h). No text that this
 * module makes holds the password, whatever the server said.
 */
#ifndef IO_SESSION_H
#define IO_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"
#include "base/str.h"

struct session_config {
    const char *uri;           /* NULL: none; whoever reads it fills in the fields below */
    const char *user;          /* NULL: the server's default one */
    const char *password;      /* NULL: none */
    const char *password_from; /* the option or variable that gave it, for messages */
    uint64_t db;
    bool resp3;
};

extern const struct option_spec session_options[];

/* The password that the environment has, if `config` has none: of VALKEYCLI_AUTH, or of
 * REDISCLI_AUTH. Empty ones are none. */
void session_take_environment(struct session_config *config);

enum session_step {
    SESSION_HELLO,
    SESSION_AUTH,
    SESSION_SELECT,
    SESSION_READONLY,
    SESSION_STEPS_MAX = 3
};

struct session_opening {
    const struct session_config *config; /* borrowed */
    char *bytes;                         /* owned: the requests of all steps */
    size_t len;
    unsigned count; /* of steps: 0 when nothing is to be agreed on */
    enum session_step steps[SESSION_STEPS_MAX];
};

void session_opening_init(struct session_opening *opening, const struct session_config *config);

/* Adds READONLY as the last step, once: replicas of a cluster then serve reads of their slots. To a
 * primary it means nothing; a server that is no node of a cluster refuses it.
 * https://valkey.io/commands/readonly/ */
void session_opening_add_readonly(struct session_opening *opening);

/* A zeroed one is fine, and is an opening without steps. */
void session_opening_deinit(struct session_opening *opening);

/* An owned copy of what the server said, on one line, without the password: old servers repeat the
 * arguments of commands that they do not know. */
char *session_quote(const struct session_opening *opening, struct str words);

/* Whether a server that answered a step of the opening with these words refused the login: others
 * are of a database that it has not, or that it has too many clients. */
bool session_is_about_login(const char *words);

/*
 * Fills `err` with a sentence on a step that the server at `name` answered with an error, its
 * words among it: which option is at fault. Returns -EACCES.
 */
int session_explain(const struct session_opening *opening, unsigned step, const char *name,
                    const char *words, struct err *err);

/* The same for a server that wants a password when none was given. */
int session_explain_want(const char *name, const char *words, struct err *err);

/* The same for a server that takes no connection from here, or no other, whoever logs in; 0: the
 * words are of something else. */
int session_explain_no_entry(const char *name, const char *words, struct err *err);

#endif
