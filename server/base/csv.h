/* Cells of CSV (RFC 4180) that a spreadsheet can open without harm. */
#pragma once

#include "base/buf.h"

/* A text as a quoted cell. Spreadsheets run cells that begin like a formula: an apostrophe makes
 * them text. Plain numbers ("-0.5") are left alone. NULL is an empty cell. */
void csv_text(struct buf *out, const char *text);
