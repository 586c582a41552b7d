/* Inputs that take no text. */
const PRESSED = ["checkbox", "radio", "range", "button", "submit", "file"];

/** Whether a key press belongs to a control, so that one-letter shortcuts must keep quiet. */
export function isTyping(event: KeyboardEvent): boolean {
    const target = event.target;
    if (!(target instanceof HTMLElement)) return false;
    if (document.querySelector("[role=dialog],[role=menu]")) return true;
    if (target instanceof HTMLInputElement) return !PRESSED.includes(target.type);
    return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName)
        || target.dataset.keys === "own";
}
