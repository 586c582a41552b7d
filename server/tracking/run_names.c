/* run_names.c: names for runs that were given none: two words and a number, easy to say and to find
 * again. They need not be unique. */
#include "base/ident.h"
#include "tracking/internal.h"

static const char *const QUALITIES[] = {
    "amber",  "bold",  "brave",   "bright", "brisk", "calm",   "clear",  "clever", "crisp",
    "eager",  "fair",  "fleet",   "gentle", "glad",  "golden", "grand",  "happy",  "hardy",
    "keen",   "kind",  "light",   "lively", "loyal", "lucky",  "mellow", "merry",  "mighty",
    "nimble", "noble", "patient", "plain",  "proud", "quick",  "quiet",  "rapid",  "ready",
    "rosy",   "sharp", "silver",  "smart",  "snowy", "solid",  "spry",   "steady", "sunny",
    "swift",  "tidy",  "vivid",   "warm",   "wise",
};
static const char *const CREATURES[] = {
    "badger",  "bear",  "beaver", "bee",    "bison",  "carp",  "crane",   "crow",    "deer",
    "dolphin", "dove",  "eagle",  "elk",    "falcon", "finch", "fox",     "gecko",   "goose",
    "hare",    "hawk",  "heron",  "horse",  "ibis",   "jay",   "koala",   "lark",    "lynx",
    "marten",  "mole",  "moose",  "newt",   "otter",  "owl",   "panda",   "pike",    "plover",
    "quail",   "raven", "robin",  "salmon", "seal",   "shrew", "skylark", "sparrow", "squid",
    "stork",   "swan",  "tiger",  "trout",  "wren",
};

const char *run_name_random(struct arena *arena) {
    uint32_t dice[3];
    random_bytes(dice, sizeof(dice));
    return arena_printf(
        arena, "%s-%s-%03u", QUALITIES[dice[0] % (sizeof(QUALITIES) / sizeof(QUALITIES[0]))],
        CREATURES[dice[1] % (sizeof(CREATURES) / sizeof(CREATURES[0]))], dice[2] % 1000);
}
