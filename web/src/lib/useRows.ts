/* The end of a list came near: fetch the next page, once. */
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

interface PageOf<T> {
    items: T[];
}

export function useRows<T>(query: UseInfiniteQueryResult<InfiniteData<PageOf<T>>>): { rows: T[]; onEnd: () => void } {
    const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
    const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
    const onEnd = useCallback(() => {
        if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
    }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
    return { rows, onEnd };
}
