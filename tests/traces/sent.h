/* Traces that an editor sent over OTLP, for tests of what is then asked of them. */
#pragma once

#include "tests/support/domains.h"
#include "tests/traces/message.h"

/* To the default experiment; it is taken, with nothing to say. */
void send_spans(struct domains *d, const struct span_made *spans, size_t count);
/* "tr-" and sixteen times that byte, as span_made has it. */
const char *trace_id(struct domains *d, unsigned char byte);
