/* Pictures that mlflow.log_image(key=…, step=…) left: their file names say what of, at which step and when. */
export interface LoggedImage {
    path: string;
    key: string;
    step: number;
    at: number;
}

const NAME = /^images\/(.+?)([%+])step\2(\d+)\2timestamp\2(\d+)\2[0-9a-f-]+(\2compressed)?\.(png|jpe?g|webp)$/;

/** Null for other files and for the small copies that stand beside the pictures. */
export function loggedImage(path: string): LoggedImage | null {
    const found = NAME.exec(path);
    if (!found || found[5]) return null;
    return { path, key: found[1]!.replaceAll("#", "/"), step: Number(found[3]), at: Number(found[4]) };
}

/** By key, each in the order of steps. */
export function imagesByKey(paths: string[]): Map<string, LoggedImage[]> {
    const images = paths.flatMap((path) => loggedImage(path) ?? []).sort((a, b) => a.key.localeCompare(b.key) || a.step - b.step || a.at - b.at);
    const keys = new Map<string, LoggedImage[]>();
    for (const image of images) keys.set(image.key, [...(keys.get(image.key) ?? []), image]);
    return keys;
}
