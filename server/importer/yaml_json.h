/* A small YAML file as JSON: mappings, sequences, and scalars as text. Nulls are left out. */
#pragma once

#include <jansson.h>

json_t *yaml_read(const char *path); /* new reference; NULL when it cannot be read */
