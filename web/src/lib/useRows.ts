/* The end of a list came near: fetch the next page, once. */
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

interface PageOf<T> {
    items: T[];
}

export function useRows<T>(query: UseInfiniteQueryResult<InfiniteData<PageOf<T>>>): { rows: T[]; onEnd: () => void } {
    const { data, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
    const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
    const onEnd = useCallback(() => {
        /* What failed is asked again by whoever reads it, not by the next movement of the list. */
        if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
    }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
    return { rows, onEnd };
}
