/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * embedded: the Python sources that are part of this module, as text that ends in a zero.
 */
#ifndef SCRIPT_PYTHON_EMBEDDED_H
#define SCRIPT_PYTHON_EMBEDDED_H

extern const char embedded_host[];
extern const char embedded_glide[];

#endif
