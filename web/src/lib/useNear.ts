/* Whether an element is in the window or about to come into it; what it measured when it left. */
import { useEffect, useState, type RefObject } from "react";

const MARGIN_PX = 600;

export function useNear(element: RefObject<HTMLElement | null>, atFirst: boolean): { near: boolean; height: number | null } {
    const [state, setState] = useState<{ near: boolean; height: number | null }>({ near: atFirst, height: null });
    useEffect(() => {
        const watched = element.current;
        if (!watched) return undefined;
        const observer = new IntersectionObserver(
            (entries) => {
                const near = entries.at(-1)!.isIntersecting;
                setState((old) => (near === old.near ? old : { near, height: near ? old.height : watched.offsetHeight }));
            },
            { rootMargin: `${MARGIN_PX}px 0px` },
        );
        observer.observe(watched);
        return () => observer.disconnect();
    }, [element]);
    return state;
}
