/* libyaml does the reading; this turns its document into jansson's. */
#include "importer/yaml_json.h"

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 20
#define FILE_MAX_BYTES (1 << 20)

static json_t *value_of(yaml_document_t *document, int index, int depth);

static json_t *mapping_of(yaml_document_t *document, const yaml_node_t *node, int depth) {
    json_t *object = json_object();
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(document, pair->key);
        json_t *value = value_of(document, pair->value, depth);
        if (value && key && key->type == YAML_SCALAR_NODE)
            json_object_set_new(object, (const char *)key->data.scalar.value, value);
        else
            json_decref(value);
    }
    return object;
}

static json_t *sequence_of(yaml_document_t *document, const yaml_node_t *node, int depth) {
    json_t *array = json_array();
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        json_t *value = value_of(document, *item, depth);
        if (value)
            json_array_append_new(array, value);
    }
    return array;
}

static json_t *scalar_of(const yaml_node_t *node) {
    const char *text = (const char *)node->data.scalar.value;
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && (!*text || strcmp(text, "null") == 0 || strcmp(text, "~") == 0))
        return NULL;
    return json_string(text);
}

static json_t *value_of(yaml_document_t *document, int index, int depth) {
    const yaml_node_t *node = yaml_document_get_node(document, index);
    if (!node || depth == DEPTH_MAX)
        return NULL;
    if (node->type == YAML_MAPPING_NODE)
        return mapping_of(document, node, depth + 1);
    if (node->type == YAML_SEQUENCE_NODE)
        return sequence_of(document, node, depth + 1);
    return scalar_of(node);
}

json_t *yaml_read(const char *path) {
    yaml_parser_t parser;
    yaml_document_t document;
    json_t *ret = NULL;
    auto_file *file = fopen(path, "re");
    if (!file || fseek(file, 0, SEEK_END) != 0 || ftell(file) > FILE_MAX_BYTES ||
        !yaml_parser_initialize(&parser))
        return NULL;
    rewind(file);
    yaml_parser_set_input_file(&parser, file);
    if (yaml_parser_load(&parser, &document)) {
        if (yaml_document_get_root_node(&document))
            ret = value_of(&document, 1, 0);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return ret;
}
