/* Shapes as TypeScript interfaces; see field.h. web/src/api/types.gen.ts is made of these. */

#include "base/field.h"

static void print_names(const struct field *f, FILE *out) {
    for (int i = 0; f->names[i]; i++)
        fprintf(out, "%s\"%s\"", i ? " | " : "", f->names[i]);
}

static void print_type(const struct field *f, FILE *out) {
    switch (f->type) {
    case FIELD_TYPE_STRING:
    case FIELD_TYPE_UUID:
    case FIELD_TYPE_TIME:
        fputs("string", out);
        break;
    case FIELD_TYPE_INT:
        fputs("number", out);
        break;
    case FIELD_TYPE_REAL:
        fputs(f->typescript ? f->typescript : "number", out);
        break;
    case FIELD_TYPE_BOOL:
        fputs("boolean", out);
        break;
    case FIELD_TYPE_ENUM:
        print_names(f, out);
        break;
    case FIELD_TYPE_JSON:
        fputs(f->typescript ? f->typescript : "unknown", out);
        break;
    case FIELD_TYPE_OBJECT:
        fputs(f->nested->name, out);
        break;
    case FIELD_TYPE_LIST:
        fprintf(out, "%s[]", f->nested->name);
        break;
    case FIELD_TYPE_STRINGS:
        fputs("string[]", out);
        break;
    }
}

void shape_typescript(const struct shape *shape, enum shape_use use, FILE *out) {
    fprintf(out, "export interface %s {\n", shape->name);
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct field *f = &shape->fields[i];
        bool optional = use == SHAPE_BODY && !(f->flags & FIELD_REQUIRED);
        if (f->doc)
            fprintf(out, "  /** %s */\n", f->doc);
        fprintf(out, "  %s%s: ", f->name, optional ? "?" : "");
        print_type(f, out);
        fputs(f->flags & FIELD_NULLABLE ? " | null;\n" : ";\n", out);
    }
    fputs("}\n", out);
}
