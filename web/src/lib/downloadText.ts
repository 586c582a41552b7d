/** Hands text to the browser as a file to save. */
export function downloadText(name: string, text: string, mediaType = "text/csv;charset=utf-8"): void {
    const url = URL.createObjectURL(new Blob([text], { type: mediaType }));
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    URL.revokeObjectURL(url);
}
