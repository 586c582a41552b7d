/* See option.h. Every source ends in set_value(); they are read from the weakest to the strongest,
 * so that the last one to speak wins and each is checked even when it is overruled. */

#include "config/option.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

extern char **environ;

struct loading {
    struct arena *arena;
    const struct option_set *sets;
    size_t set_count;
    struct err_info *err;
    const char *source; /* "slipway.conf:12", "environment", "command line" */
};

static void *member_of(const struct option_set *set, const struct option *o) {
    return (char *)set->ret + o->offset;
}

/* --- nearest names -----------------------------------------------------------------------------
 */

/* Edit distance, one row of the table at a time; names longer than the row count as far away. */
static size_t distance(const char *a, const char *b) {
    size_t row[64], length_b = strlen(b);
    if (length_b >= sizeof(row) / sizeof(row[0]))
        return SIZE_MAX;
    for (size_t j = 0; j <= length_b; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[length_b];
}

static const char *nearest_name(const struct loading *l, const char *name, size_t *ret_distance) {
    const char *nearest = "";
    *ret_distance = SIZE_MAX;
    for (size_t s = 0; s < l->set_count; s++) {
        for (size_t i = 0; i < l->sets[s].count; i++) {
            size_t d = distance(name, l->sets[s].options[i].name);
            if (d < *ret_distance) {
                *ret_distance = d;
                nearest = l->sets[s].options[i].name;
            }
        }
    }
    return nearest;
}

static enum err refuse_unknown(struct loading *l, const char *name) {
    size_t d;
    const char *nearest = nearest_name(l, name, &d);
    return err_set(l->err, ERR_INVALID, name, "%s: unknown option \"%s\"; the nearest is \"%s\"",
                   l->source, name, nearest);
}

/* --- values ------------------------------------------------------------------------------------
 */

static enum err refuse_value(struct loading *l, const struct option *o, const char *value,
                             const char *why) {
    bool secret = o->flags & OPTION_SECRET;
    return err_set(l->err, ERR_INVALID, o->name, "%s: %s = \"%s\" %s", l->source, o->name,
                   secret ? "…" : value, why);
}

static enum err set_number(struct loading *l, const struct option *o, const char *text,
                           int64_t number, int64_t *ret) {
    if (number >= o->min && (!o->max || number <= o->max)) {
        *ret = number;
        return OK;
    }
    char why[96];
    if (o->max)
        snprintf(why, sizeof(why), "is not from %lld to %lld", (long long)o->min,
                 (long long)o->max);
    else
        snprintf(why, sizeof(why), "is below %lld", (long long)o->min);
    return refuse_value(l, o, text, why);
}

static enum err set_int(struct loading *l, const struct option *o, const char *text, int64_t *ret) {
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return refuse_value(l, o, text, "is not a whole number");
    return set_number(l, o, text, number, ret);
}

static enum err set_bytes(struct loading *l, const struct option *o, const char *text,
                          int64_t *ret) {
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool is_number = end != text && !errno && number >= 0;
    end += strspn(end, " ");
    for (int i = 0; is_number && i < 5; i++)
        if (strcmp(end, units[i]) == 0 && number <= INT64_MAX >> (10 * i))
            return set_number(l, o, text, number << (10 * i), ret);
    return refuse_value(l, o, text, "is not a size like 1000, 512 MiB or 64 GiB");
}

static enum err set_bool(struct loading *l, const struct option *o, const char *text, bool *ret) {
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
    if (!yes && strcmp(text, "false") != 0 && strcmp(text, "no") != 0)
        return refuse_value(l, o, text, "is neither true nor false");
    *ret = yes;
    return OK;
}

static bool is_choice(const char *choices, const char *text) {
    size_t length = strlen(text);
    for (const char *p = choices; *p; p += strcspn(p, "|"), p += *p == '|')
        if (strcspn(p, "|") == length && strncmp(p, text, length) == 0)
            return true;
    return false;
}

static enum err set_text(struct loading *l, const struct option *o, const char *text,
                         const char **ret) {
    if (o->choices && !is_choice(o->choices, text)) {
        char why[160];
        snprintf(why, sizeof(why), "is none of %s", o->choices);
        return refuse_value(l, o, text, why);
    }
    *ret = *text ? arena_strdup(l->arena, text) : NULL;
    return OK;
}

static enum err set_value(struct loading *l, const struct option_set *set, const struct option *o,
                          const char *text) {
    switch (o->type) {
    case OPTION_TEXT:
        return set_text(l, o, text, member_of(set, o));
    case OPTION_INT:
        return set_int(l, o, text, member_of(set, o));
    case OPTION_BYTES:
        return set_bytes(l, o, text, member_of(set, o));
    case OPTION_BOOL:
        return set_bool(l, o, text, member_of(set, o));
    }
    return OK;
}

/* --- sources -----------------------------------------------------------------------------------
 */

static const struct option *option_find(const struct loading *l, const char *name,
                                        const struct option_set **ret_set) {
    for (size_t s = 0; s < l->set_count; s++) {
        for (size_t i = 0; i < l->sets[s].count; i++) {
            if (strcmp(l->sets[s].options[i].name, name) == 0) {
                *ret_set = &l->sets[s];
                return &l->sets[s].options[i];
            }
        }
    }
    return NULL;
}

static enum err load_defaults(struct loading *l) {
    l->source = "default";
    for (size_t s = 0; s < l->set_count; s++) {
        for (size_t i = 0; i < l->sets[s].count; i++) {
            const struct option *o = &l->sets[s].options[i];
            if (o->fallback)
                TRY(set_value(l, &l->sets[s], o, o->fallback));
        }
    }
    return OK;
}

static char *trim(char *text) {
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size && isspace((unsigned char)text[size - 1]))
        text[--size] = '\0';
    return text;
}

static enum err load_line(struct loading *l, char *line) {
    char *key = trim(line);
    if (*key == '\0' || *key == '#')
        return OK;
    char *equals = strchr(key, '=');
    if (!equals)
        return err_set(l->err, ERR_INVALID, NULL, "%s: expected \"key = value\"", l->source);
    *equals = '\0';
    key = trim(key);
    const struct option_set *set;
    const struct option *o = option_find(l, key, &set);
    if (!o || (o->flags & OPTION_FLAG_ONLY))
        return refuse_unknown(l, key);
    return set_value(l, set, o, trim(equals + 1));
}

static enum err load_file(struct loading *l, const char *path) {
    auto_file *file = fopen(path, "re");
    if (!file)
        return err_set(l->err, ERR_INVALID, NULL,
                       "configuration file \"%s\" could not be opened: %s", path, strerror(errno));
    auto_free char *line = NULL;
    size_t cap = 0;
    for (int number = 1; getline(&line, &cap, file) > 0; number++) {
        l->source = arena_printf(l->arena, "%s:%d", path, number);
        TRY(load_line(l, line));
    }
    return OK;
}

/* The variable's name after the prefix, in lower case; NULL when it is not ours. */
static char *environment_key(struct loading *l, const char *variable, const char *prefix) {
    size_t length = strlen(prefix);
    const char *equals = strchr(variable, '=');
    if (strncmp(variable, prefix, length) != 0 || !equals || equals < variable + length)
        return NULL;
    char *key = arena_strndup(l->arena, variable + length, (size_t)(equals - variable) - length);
    for (char *p = key; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return key;
}

static enum err load_environment(struct loading *l, const char *prefix) {
    l->source = "environment";
    for (char **e = environ; *e; e++) {
        char *key = environment_key(l, *e, prefix);
        if (!key)
            continue;
        const struct option_set *set;
        const struct option *o = option_find(l, key, &set);
        size_t off = 0;
        if (o && !(o->flags & OPTION_FLAG_ONLY))
            TRY(set_value(l, set, o, strchr(*e, '=') + 1));
        else if (!o && (nearest_name(l, key, &off), off <= 2))
            return refuse_unknown(l, key);
    }
    return OK;
}

/* One flag, "--key=value", "--key value" or "--switch"; *i is left at its last argument. */
static enum err load_flag(struct loading *l, const struct option_input *input, int *i) {
    char *key = arena_strdup(l->arena, input->argv[*i] + 2);
    char *value = strchr(key, '=');
    if (value)
        *value++ = '\0';
    for (char *p = key; *p; p++)
        *p = *p == '-' ? '_' : *p;
    const struct option_set *set;
    const struct option *o = option_find(l, key, &set);
    if (!o)
        return refuse_unknown(l, key);
    if (!value && o->type == OPTION_BOOL)
        value = arena_strdup(l->arena, "true");
    if (!value && *i + 1 < input->argc)
        value = input->argv[++*i];
    if (!value)
        return err_set(l->err, ERR_INVALID, o->name, "--%s needs a value", o->name);
    return set_value(l, set, o, value);
}

static bool is_config_flag(const char *arg) {
    return strcmp(arg, "--config") == 0 || strncmp(arg, "--config=", 9) == 0;
}

static enum err load_flags(struct loading *l, struct option_input *input) {
    l->source = "command line";
    input->word_count = 0;
    for (int i = 0; i < input->argc; i++) {
        const char *arg = input->argv[i];
        if (strcmp(arg, "--config") == 0)
            i++;
        else if (is_config_flag(arg))
            continue;
        else if (strncmp(arg, "--", 2) == 0)
            TRY(load_flag(l, input, &i));
        else if (input->word_count < (int)(sizeof(input->words) / sizeof(input->words[0])))
            input->words[input->word_count++] = arg;
        else
            return err_set(l->err, ERR_INVALID, NULL, "unexpected argument \"%s\"", arg);
    }
    return OK;
}

/* The file's name is a flag, but the file is read before the flags. */
static enum err find_config_file(struct loading *l, struct option_input *input) {
    for (int i = 0; i < input->argc; i++) {
        if (!is_config_flag(input->argv[i]))
            continue;
        const char *equals = strchr(input->argv[i], '=');
        if (!equals && i + 1 == input->argc)
            return err_set(l->err, ERR_INVALID, NULL, "--config needs a file");
        input->config_file = equals ? equals + 1 : input->argv[i + 1];
    }
    return OK;
}

static enum err require_all(struct loading *l) {
    for (size_t s = 0; s < l->set_count; s++) {
        for (size_t i = 0; i < l->sets[s].count; i++) {
            const struct option *o = &l->sets[s].options[i];
            if ((o->flags & OPTION_REQUIRED) && o->type == OPTION_TEXT &&
                !*(const char **)member_of(&l->sets[s], o))
                return err_set(l->err, ERR_INVALID, o->name, "option \"%s\" must be given",
                               o->name);
        }
    }
    return OK;
}

enum err options_load(struct arena *arena, const struct option_set *sets, size_t set_count,
                      struct option_input *input, struct err_info *err) {
    struct loading l = {.arena = arena, .sets = sets, .set_count = set_count, .err = err};
    TRY(load_defaults(&l));
    TRY(find_config_file(&l, input));
    if (input->config_file)
        TRY(load_file(&l, input->config_file));
    TRY(load_environment(&l, input->env_prefix));
    TRY(load_flags(&l, input));
    return require_all(&l);
}

/* --- printing ----------------------------------------------------------------------------------
 */

void options_print(const struct option_set *set, FILE *out) {
    for (size_t i = 0; i < set->count; i++) {
        const struct option *o = &set->options[i];
        const void *at = member_of(set, o);
        const char *text = o->type == OPTION_TEXT ? *(const char *const *)at : NULL;
        fprintf(out, "# %s\n%s = ", o->doc, o->name);
        if (o->type == OPTION_BOOL)
            fprintf(out, "%s\n", *(const bool *)at ? "true" : "false");
        else if (o->type != OPTION_TEXT)
            fprintf(out, "%lld\n", (long long)*(const int64_t *)at);
        else
            fprintf(out, "%s\n",
                    text && (o->flags & OPTION_SECRET) ? "********"
                    : text                             ? text
                                                       : "");
    }
}

void options_help(const struct option_set *set, FILE *out) {
    for (size_t i = 0; i < set->count; i++) {
        const struct option *o = &set->options[i];
        char flag[64];
        snprintf(flag, sizeof(flag), "--%s", o->name);
        for (char *p = flag; *p; p++)
            *p = *p == '_' ? '-' : *p;
        fprintf(out, "  %-22s %s", flag, o->doc);
        if (o->choices)
            fprintf(out, " (%s)", o->choices);
        if (o->fallback && *o->fallback)
            fprintf(out, " [%s]", o->fallback);
        fputc('\n', out);
    }
}
