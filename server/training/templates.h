/* The networks a person can start from. */
#pragma once

#include "base/arena.h"
#include "datasets/datasets.h"

/* Those for the version's kind, filled in for its size and columns, as a list of struct template.
 * Some may still not fit (an image smaller than the pools need): the spec check decides. */
struct list templates_for(struct arena *arena, const struct dataset_version *version);
