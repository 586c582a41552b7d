/* Light, dark or as the system says; kept in this browser, applied to the root element. */
export type Theme = "system" | "light" | "dark";

const KEY = "slipway.theme";
const listeners = new Set<() => void>();

export function getTheme(): Theme {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
}

export function applyTheme(): void {
    const theme = getTheme();
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
}

export function setTheme(theme: Theme): void {
    localStorage.setItem(KEY, theme);
    applyTheme();
    listeners.forEach((listener) => listener());
}

export function subscribeTheme(listener: () => void): () => void {
    const media = matchMedia("(prefers-color-scheme: dark)");
    listeners.add(listener);
    media.addEventListener("change", listener);
    return () => {
        listeners.delete(listener);
        media.removeEventListener("change", listener);
    };
}
