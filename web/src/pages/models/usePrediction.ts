/*
 * Asks a version for predictions: the newest question wins, older ones are dropped. A model that is still
 * being started, or waits for a free place, answers 503: the question is repeated until it is there.
 */
import { useEffect, useRef, useState } from "react";
import { predict, type Prediction } from "../../api/models";
import { ApiError } from "../../lib/apiError";
import type { InferTensor } from "../../api/types";

const START_PATIENCE_MS = 120_000;
const START_POLL_MS = 2000;

async function untilStarted<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const end = performance.now() + START_PATIENCE_MS;
    for (;;) {
        try {
            return await ask();
        } catch (error) {
            const starting = error instanceof ApiError && error.status === 503;
            if (!starting || signal.aborted || performance.now() > end) throw error;
            await new Promise((resolve) => setTimeout(resolve, START_POLL_MS));
        }
    }
}

export function usePrediction(version: string) {
    const [prediction, setPrediction] = useState<Prediction>();
    const [error, setError] = useState<unknown>(null);
    const [busy, setBusy] = useState(false);
    const current = useRef<AbortController | null>(null);
    useEffect(() => () => current.current?.abort(), []);

    const ask = async (input: Blob | InferTensor[]) => {
        current.current?.abort();
        const controller = new AbortController();
        current.current = controller;
        setBusy(true);
        try {
            const answer = await untilStarted(() => predict(version, input, controller.signal), controller.signal);
            setPrediction(answer);
            setError(null);
        } catch (reason) {
            if (!controller.signal.aborted) setError(reason);
        } finally {
            if (current.current === controller) setBusy(false);
        }
    };
    const reset = () => {
        current.current?.abort();
        setPrediction(undefined);
        setError(null);
        setBusy(false);
    };
    return { prediction, error, busy, ask, reset };
}
