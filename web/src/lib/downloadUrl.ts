/** Lets the browser save what the server sends from there as an attachment. */
export function downloadUrl(url: string): void {
    const link = document.createElement("a");
    link.href = url;
    link.download = "";
    link.click();
}
