/* predict_serve.h: the socket side of the predict runner. */
#pragma once

#include "runners/predict_model.h"

/* Answers requests on the listening socket until SIGTERM, then finishes what is in flight. */
MUST_USE enum run predict_serve(struct runner *rn, const struct predict_model *m, int listener);
