/*
 * The files of a drop or of a chooser with their paths: whole directories are walked, as deep as they go.
 * What is beyond the limit is not read, and counted as left out.
 */
export interface PathFile {
    /** "model/weights.bin", or the name alone. */
    path: string;
    file: File;
}

export interface Gathered {
    files: PathFile[];
    /** There were more than the limit. */
    cut: boolean;
}

export const MOST_FILES = 2000;

function fileOf(entry: FileSystemFileEntry): Promise<File> {
    return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/* A directory is read in parts, until a part is empty. */
async function childrenOf(entry: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
    const reader = entry.createReader();
    const found: FileSystemEntry[] = [];
    for (;;) {
        const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
        if (part.length === 0) return found;
        found.push(...part);
    }
}

/** Walks what was dropped; entries must have been taken from the event before anything else was awaited. */
export async function walkEntries(entries: FileSystemEntry[], most = MOST_FILES): Promise<Gathered> {
    const files: PathFile[] = [];
    const left = [...entries].reverse();
    for (let entry = left.pop(); entry; entry = left.pop()) {
        if (files.length === most) return { files, cut: true };
        const path = entry.fullPath.replace(/^\//, "") || entry.name;
        if (entry.isFile) files.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
        else left.push(...(await childrenOf(entry as FileSystemDirectoryEntry)).reverse());
    }
    return { files, cut: false };
}

export function entriesOf(transfer: DataTransfer): FileSystemEntry[] {
    return [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
}

/** Of an input; one for directories gives each file's path. */
export function chosenFiles(list: FileList, most = MOST_FILES): Gathered {
    const files = [...list].slice(0, most).map((file) => ({ path: file.webkitRelativePath || file.name, file }));
    return { files, cut: list.length > most };
}
