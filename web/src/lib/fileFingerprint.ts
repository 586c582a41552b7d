/** Names a local file well enough to recognise it after a reload; its content is not read. */
export function fileFingerprint(file: Pick<File, "name" | "size" | "lastModified">): string {
    return `${file.name}|${file.size}|${file.lastModified}`;
}
