/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wide: a 128-bit unsigned integer, for products that must be exact. A compiler's extension: the
 * one place that says so.
 */
#ifndef BASE_WIDE_H
#define BASE_WIDE_H

__extension__ typedef unsigned __int128 wide_uint;

#endif
