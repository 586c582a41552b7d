/* See csv.h. */
#include "base/csv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Only what a number is written with: strtod() alone would take "-infinity" and hexadecimals. */
static bool is_number(const char *text) {
    char *end;
    if (strspn(text, "0123456789+-.eE") != strlen(text))
        return false;
    strtod(text, &end);
    return end != text && *end == '\0';
}

void csv_text(struct buf *out, const char *text) {
    if (!text)
        return;
    bool is_formula = *text && strchr("=+-@\t\r", *text) && !is_number(text);
    buf_text(out, is_formula ? "\"'" : "\"");
    for (const char *c = text; *c; c++)
        buf_append(out, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    buf_text(out, "\"");
}
