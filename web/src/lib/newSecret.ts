const BYTES = 24;

/** A secret nobody guesses: 192 random bits as letters and digits that survive copying. */
export function newSecret(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
