/*
 * Files on their way into a run's or a logged model's artifacts. A few go at a time. One whose name is taken
 * waits until somebody says whether it may be replaced; one that failed says why and can be sent again.
 */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { artifactExists, artifactsKey, putArtifact, type ArtifactOwner } from "../../api/artifacts";
import type { PathFile } from "../../lib/droppedFiles";

export interface ArtifactUpload {
    path: string;
    size: number;
    sent: number;
    state: "waiting" | "sending" | "taken" | "failed" | "done";
    error: unknown;
}

const AT_ONCE = 3;

interface Job {
    file: File;
    replaces: boolean;
}

export function useArtifactUploads(owner: ArtifactOwner) {
    const cache = useQueryClient();
    const [uploads, setUploads] = useState<ArtifactUpload[]>([]);
    const jobs = useRef(new Map<string, Job>());
    const queue = useRef<string[]>([]);
    const running = useRef(new Map<string, AbortController>());

    useEffect(() => {
        const all = running.current;
        const left = queue.current;
        return () => {
            left.length = 0;
            all.forEach((controller) => controller.abort());
        };
    }, []);

    const patch = (path: string, change: Partial<ArtifactUpload>) =>
        setUploads((old) => old.map((upload) => (upload.path === path ? { ...upload, ...change } : upload)));

    const send = async (path: string, { file, replaces }: Job, signal: AbortSignal) => {
        patch(path, { state: "sending", error: null });
        try {
            if (!replaces && (await artifactExists(owner, path, signal))) return patch(path, { state: "taken" });
            await putArtifact(owner, path, file, (sent) => patch(path, { sent }), signal);
            patch(path, { state: "done", sent: file.size });
        } catch (error) {
            if (!signal.aborted) patch(path, { state: "failed", error });
        }
    };

    const pump = () => {
        while (running.current.size < AT_ONCE) {
            const path = queue.current.shift();
            const job = path === undefined ? undefined : jobs.current.get(path);
            if (path === undefined) return;
            if (!job) continue;
            const controller = new AbortController();
            running.current.set(path, controller);
            void send(path, job, controller.signal).finally(() => {
                if (running.current.get(path) === controller) running.current.delete(path);
                pump();
                if (running.current.size === 0) void cache.invalidateQueries({ queryKey: artifactsKey(owner) });
            });
        }
    };

    const enqueue = (paths: string[]) => {
        queue.current.push(...paths);
        pump();
    };

    /* A file chosen again takes the place of the one before. */
    const add = (files: PathFile[]) => {
        const fresh = files.filter(({ path }) => !running.current.has(path));
        for (const { path, file } of fresh) jobs.current.set(path, { file, replaces: false });
        const names = new Set(fresh.map(({ path }) => path));
        setUploads((old) => [
            ...old.filter(({ path }) => !names.has(path)),
            ...fresh.map(({ path, file }): ArtifactUpload => ({ path, size: file.size, sent: 0, state: "waiting", error: null })),
        ]);
        enqueue([...names]);
    };

    const resend = (paths: string[], replaces: boolean) => {
        for (const path of paths) {
            const job = jobs.current.get(path);
            if (job) jobs.current.set(path, { ...job, replaces: job.replaces || replaces });
            patch(path, { state: "waiting", sent: 0, error: null });
        }
        enqueue(paths);
    };

    const remove = (paths: string[]) => {
        const gone = new Set(paths);
        queue.current = queue.current.filter((path) => !gone.has(path));
        for (const path of paths) {
            running.current.get(path)?.abort();
            jobs.current.delete(path);
        }
        setUploads((old) => old.filter(({ path }) => !gone.has(path)));
    };

    return { uploads, add, resend, remove };
}
