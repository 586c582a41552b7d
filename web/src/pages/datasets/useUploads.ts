/* The files of one import: each is sent at once, and knows how far it is and why it stopped. */
import { useEffect, useRef, useState } from "react";
import { uploadFile } from "../../api/uploads";
import { fileFingerprint } from "../../lib/fileFingerprint";

export interface FileUpload {
    key: string;
    name: string;
    size: number;
    sent: number;
    uploadId: string | null;
    error: unknown;
}

export function useUploads() {
    const [files, setFiles] = useState<FileUpload[]>([]);
    const running = useRef(new Map<string, AbortController>());
    const sources = useRef(new Map<string, File>());

    useEffect(() => {
        const all = running.current;
        return () => all.forEach((controller) => controller.abort());
    }, []);

    const patch = (key: string, change: Partial<FileUpload>) =>
        setFiles((old) => old.map((file) => (file.key === key ? { ...file, ...change } : file)));

    const send = (key: string) => {
        const source = sources.current.get(key)!;
        const controller = new AbortController();
        running.current.set(key, controller);
        patch(key, { error: null });
        uploadFile(source, (sent) => patch(key, { sent }), controller.signal)
            .then((uploadId) => patch(key, { uploadId, sent: source.size }))
            .catch((error: unknown) => {
                if (!controller.signal.aborted) patch(key, { error });
            });
    };

    const add = (chosen: File[]) => {
        const fresh = chosen.filter((file) => !sources.current.has(fileFingerprint(file)));
        for (const file of fresh) sources.current.set(fileFingerprint(file), file);
        setFiles((old) => [
            ...old,
            ...fresh.map((file) => ({
                key: fileFingerprint(file),
                name: file.name,
                size: file.size,
                sent: 0,
                uploadId: null,
                error: null,
            })),
        ]);
        fresh.forEach((file) => send(fileFingerprint(file)));
    };

    const remove = (key: string) => {
        running.current.get(key)?.abort();
        sources.current.delete(key);
        setFiles((old) => old.filter((file) => file.key !== key));
    };

    return { files, add, remove, retry: send };
}
