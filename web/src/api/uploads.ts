/*
 * Resumable uploads (tus 1.0). A file is sent in pieces; the server acknowledges an offset only when the
 * bytes are on its disk. The upload's id is remembered under the file's fingerprint, so that the same file
 * chosen again after a reload continues where the server stands.
 */
import { queryOptions } from "@tanstack/react-query";
import { clamp } from "../lib/clamp";
import { fileFingerprint } from "../lib/fileFingerprint";
import { ApiError } from "../lib/apiError";
import { api, request } from "./client";
import type { Page, Upload } from "./types";

const CHUNK_BYTES = 8 * 1024 * 1024;
const SMALLEST_CHUNK_BYTES = 512 * 1024;
const RETRY_DELAYS_MS = [500, 2000, 5000, 10_000];
const TUS = { "Tus-Resumable": "1.0.0" };

export const uploadsQuery = queryOptions({
    queryKey: ["uploads"],
    queryFn: ({ signal }) => api<Page<Upload>>("/api/v1/uploads", { query: { limit: 200 }, signal }),
});

const storageKey = (fingerprint: string) => `slipway.upload.${fingerprint}`;

function utf8Base64(text: string): string {
    return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

async function create(file: File, fingerprint: string, signal: AbortSignal): Promise<string> {
    const response = await request("/api/v1/uploads", {
        method: "POST",
        headers: {
            ...TUS,
            "Upload-Length": String(file.size),
            "Upload-Metadata": `filename ${utf8Base64(file.name)}`,
        },
        signal,
    });
    const id = (response.headers.get("Location") ?? "").split("/").pop() ?? "";
    localStorage.setItem(storageKey(fingerprint), id);
    return id;
}

/* The offset the server stands at, or null when it no longer knows the upload. */
async function serverOffset(id: string, signal: AbortSignal): Promise<number | null> {
    try {
        const response = await request(`/api/v1/uploads/${id}`, { method: "HEAD", headers: TUS, signal });
        return Number(response.headers.get("Upload-Offset"));
    } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 410)) return null;
        throw error;
    }
}

function canRetry(error: unknown): boolean {
    return error instanceof ApiError && (error.status === 0 || error.status === 409 || error.status >= 500);
}

async function sendFrom(
    file: File,
    id: string,
    from: number,
    onOffset: (bytes: number) => void,
    signal: AbortSignal,
): Promise<void> {
    const chunk = clamp(Math.ceil(file.size / 20), SMALLEST_CHUNK_BYTES, CHUNK_BYTES);
    let offset = from;
    let failures = 0;
    onOffset(offset);
    while (offset < file.size) {
        try {
            const response = await request(`/api/v1/uploads/${id}`, {
                method: "PATCH",
                headers: {
                    ...TUS,
                    "Upload-Offset": String(offset),
                    "Content-Type": "application/offset+octet-stream",
                },
                body: file.slice(offset, offset + chunk),
                signal,
            });
            offset = Number(response.headers.get("Upload-Offset") ?? offset + chunk);
            failures = 0;
            onOffset(offset);
        } catch (error) {
            const delay = RETRY_DELAYS_MS[failures++];
            if (!canRetry(error) || delay === undefined) throw error;
            await new Promise((resolve) => setTimeout(resolve, delay));
            offset = (await serverOffset(id, signal)) ?? offset;
        }
    }
}

/**
 * Sends the file, continuing an earlier attempt if there is one; returns the upload's id when complete. The
 * fingerprint tells files of one name apart that stand in different directories.
 */
export async function uploadFile(
    file: File,
    onOffset: (bytes: number) => void,
    signal: AbortSignal,
    fingerprint = fileFingerprint(file),
): Promise<string> {
    const known = localStorage.getItem(storageKey(fingerprint));
    const offset = known ? await serverOffset(known, signal) : null;
    const id = known && offset !== null ? known : await create(file, fingerprint, signal);
    await sendFrom(file, id, offset ?? 0, onOffset, signal);
    localStorage.removeItem(storageKey(fingerprint));
    return id;
}

export function deleteUpload(id: string): Promise<void> {
    return api<void>(`/api/v1/uploads/${id}`, { method: "DELETE", headers: TUS });
}
