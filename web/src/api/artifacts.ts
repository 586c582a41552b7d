/* Files of a run or of a logged model: one level of the tree at a time, and what a preview needs of one file. */
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError } from "../lib/apiError";
import { fileFingerprint } from "../lib/fileFingerprint";
import { api, request, withQuery } from "./client";
import type { Artifact, Page } from "./types";
import { deleteUpload, uploadFile } from "./uploads";

/* A preview reads at most this much of a text. */
export const PREVIEW_BYTES = 1_000_000;

const IMAGES = "images";
const MOST_IMAGES = 5000;

/** Whose files they are. */
export interface ArtifactOwner {
    kind: "runs" | "logged-models";
    id: string;
}

/* What a live change of the owner makes stale makes its files stale. */
function keyOf({ kind, id }: ArtifactOwner, ...rest: (string | null)[]) {
    return [kind === "runs" ? "run" : "logged_model", id, ...rest];
}

/** Every list of the owner's files. */
export function artifactsKey(owner: ArtifactOwner) {
    return keyOf(owner, "artifacts");
}

/* The root's path is empty, and is sent so: without a path every file is listed. */
function levelUrl({ kind, id }: ArtifactOwner, path: string, cursor: string | null): string {
    return `/api/v1/${kind}/${id}/artifacts?${new URLSearchParams({ path, limit: "200", ...(cursor ? { cursor } : {}) })}`;
}

export function artifactLevelQuery(owner: ArtifactOwner, path: string) {
    return infiniteQueryOptions({
        queryKey: keyOf(owner, "artifacts", path),
        queryFn: ({ pageParam, signal }) => api<Page<Artifact>>(levelUrl(owner, path, pageParam), { signal }),
        initialPageParam: null as string | null,
        getNextPageParam: (last) => last.next_cursor,
    });
}

/** Every file below "images", for what mlflow.log_image left there. */
export function loggedImagesQuery(owner: ArtifactOwner) {
    return queryOptions({
        queryKey: keyOf(owner, "artifacts", IMAGES, "all"),
        queryFn: async ({ signal }) => {
            const names: string[] = [];
            let cursor: string | null = null;
            do {
                const page: Page<Artifact> = await api<Page<Artifact>>(levelUrl(owner, IMAGES, cursor), { signal });
                names.push(...page.items.filter((item) => !item.is_dir).map((item) => item.name));
                cursor = page.next_cursor;
            } while (cursor !== null && names.length < MOST_IMAGES);
            return names;
        },
    });
}

/** To be shown in the page (from a sandbox without scripts), or to be saved. */
export function artifactUrl({ kind, id }: ArtifactOwner, name: string, inline: boolean): string {
    const path = name.split("/").map(encodeURIComponent).join("/");
    return withQuery(`/api/v1/${kind}/${id}/artifacts/${path}`, inline ? { inline: true } : {});
}

export function artifactTextQuery(owner: ArtifactOwner, name: string, sha256: string | null) {
    return queryOptions({
        queryKey: keyOf(owner, "artifact-text", name, sha256),
        queryFn: async ({ signal }) => {
            const response = await request(artifactUrl(owner, name, false), { headers: { Accept: "*/*", Range: `bytes=0-${PREVIEW_BYTES - 1}` }, signal });
            return response.text();
        },
        staleTime: Infinity,
    });
}

/** The bytes as a PDF, whatever the file is: the browser's viewer takes them or refuses. */
export function artifactPdfQuery(owner: ArtifactOwner, name: string, sha256: string | null) {
    return queryOptions({
        queryKey: keyOf(owner, "artifact-pdf", name, sha256),
        queryFn: async ({ signal }) => {
            const response = await request(artifactUrl(owner, name, false), { headers: { Accept: "*/*" }, signal });
            return new Blob([await response.arrayBuffer()], { type: "application/pdf" });
        },
        staleTime: Infinity,
        gcTime: 0,
    });
}

/* A file up to this size goes in one request; larger ones in pieces, which an interruption does not undo. */
const WHOLE_BYTES = 4 * 1024 * 1024;

/** Whether there is such a file already. */
export async function artifactExists(owner: ArtifactOwner, name: string, signal: AbortSignal): Promise<boolean> {
    try {
        await request(artifactUrl(owner, name, false), { method: "HEAD", signal });
        return true;
    } catch (error) {
        if (error instanceof ApiError && error.status === 404) return false;
        throw error;
    }
}

/** Stores a file under the name; one that is there is replaced. */
export async function putArtifact(owner: ArtifactOwner, name: string, file: File, onSent: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    const url = artifactUrl(owner, name, false);
    if (file.size <= WHOLE_BYTES) {
        await request(url, { method: "PUT", headers: { "Content-Type": "application/octet-stream" }, body: file, signal });
        return;
    }
    const fingerprint = `${owner.id}/${name}|${fileFingerprint(file)}`;
    const upload_id = await uploadFile(file, onSent, signal, fingerprint);
    await api<Artifact>(url, { method: "POST", json: { upload_id }, signal });
    await deleteUpload(upload_id);
}

export function useDeleteArtifact(owner: ArtifactOwner) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (name: string) => api<void>(artifactUrl(owner, name, false), { method: "DELETE" }),
        onSuccess: () => cache.invalidateQueries({ queryKey: artifactsKey(owner) }),
    });
}
