/* A text as the SVG of a QR code, with libqrencode: one path, a unit a module, the quiet zone of
 * four modules that scanners want. Colours are fixed: inverted codes are not read by every scanner.
 */

#include "auth/access.h"
#include "base/buf.h"

#include <qrencode.h>

enum { QUIET = 4 };

static void draw(const QRcode *code, struct buf *out) {
    for (int y = 0; y < code->width; y++)
        for (int x = 0; x < code->width; x++)
            if (code->data[y * code->width + x] & 1)
                buf_printf(out, "M%d %dh1v1h-1z", x + QUIET, y + QUIET);
}

enum err qr_svg(struct ctx *cx, const char *text, const char **ret) {
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    if (!code)
        return fail(cx, ERR_INTERNAL, "could not draw the QR code");
    auto_buf out = {0};
    int size = code->width + 2 * QUIET;
    buf_printf(&out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
               " shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>"
               "<path fill=\"#000\" d=\"",
               size, size, size, size);
    draw(code, &out);
    buf_printf(&out, "\"/></svg>");
    *ret = arena_strndup(cx->arena, out.data, out.size);
    QRcode_free(code);
    return OK;
}
