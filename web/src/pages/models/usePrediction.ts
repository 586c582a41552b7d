/* Asks a version for predictions: the newest question wins, older ones are dropped. */
import { useEffect, useRef, useState } from "react";
import { predict, type Prediction } from "../../api/models";
import type { InferTensor } from "../../api/types";

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
            const answer = await predict(version, input, controller.signal);
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
